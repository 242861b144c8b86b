"""The SVP-CVAE against the paper: sizes, text, independence, latent space, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_bert import tiny_encoder, write_tiny_bert
from tiny_svp_cvae import TEXTS, TINY, tiny
from two_organs import batch_of

from TextPromptSegLib.outcome import CheckpointError, InputError
from TextPromptSegLib.systems import svp_cvae
from TextPromptSegLib.systems.registry import create, make_config, systems
from TextPromptSegLib.systems.svp_cvae import SVPCVAE, SVPCVAEConfig
from TextPromptSegLib.systems.svp_cvae.latent import Gaussian, kl_divergence
from TextPromptSegLib.systems.svp_cvae.network import normalise

FOLDER = Path(svp_cvae.__file__).parent


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tiny_encoder(write_tiny_bert(tmp_path_factory.mktemp("bert")))


def count(module: torch.nn.Module | None) -> int:
    return 0 if module is None else sum(p.numel() for p in module.parameters())


# -- sizes -----------------------------------------------------------------------------------------


def test_paper_size_has_the_derived_numbers_of_parameters() -> None:
    with torch.device("meta"):
        net = SVPCVAE(SVPCVAEConfig())
    parts = {
        "vision": count(net.vision),
        "lora": count(net.cate.lora),
        "projections": count(net.cate.project),
        "marl": count(net.marl),
        "mtf": count(net.mtf),
        "latent": count(net.latent),
        "decoder": count(net.decoder) + count(net.upsample) + count(net.head),
    }
    assert parts == {
        "vision": 27_820_128,
        "lora": 393_216,
        "projections": 1_771_776,
        "marl": 1_784_064,
        "mtf": 2_952_960,
        "latent": 1_780_224,
        "decoder": 14_357_950,
    }
    assert len(net.cate.lora) == 20
    assert count(net) == sum(parts.values()) == 50_860_318


def test_the_compact_recipe_stores_at_most_ten_megabytes() -> None:
    recipe = json.loads((FOLDER / "recipe_compact.json").read_text())
    with torch.device("meta"):
        net = SVPCVAE(SVPCVAEConfig(text_dim=384, **recipe["config"]))
    matrices = sum(p.numel() for p in net.parameters() if p.ndim > 1)
    vectors = count(net) - matrices + sum(b.numel() for b in net.buffers())
    assert 2 * matrices + 4 * vectors < 10e6
    kinds = {type(m).__name__ for m in net.modules()}
    assert {"MorphologyAware", "CrossBilateralSymmetry", "SpatialSemanticGrounding"} <= kinds
    assert {"MorphologyTextFusion", "LatentMorphology", "TextGuide", "LowRankUpdate"} <= kinds


# -- text ------------------------------------------------------------------------------------------


def test_three_depths_are_those_of_the_encoder_while_lora_adds_nothing(encoder: Any) -> None:
    net = tiny(encoder)
    for update in net.cate.lora.values():
        torch.nn.init.zeros_(update.b)
    text = encoder.encode(TEXTS)
    read = net.eval().encode_text(text)
    ids, mask = encoder.tokenizer([TEXTS[0].lower()], 64)
    with torch.no_grad():
        states = encoder.model(ids, mask).hidden_states
        for row, depth in enumerate((2, 4, 6)):
            expected = net.cate.project[row](states[depth][0])
            length = len(expected)
            assert torch.allclose(read.level(row)[0, :length], expected, atol=1e-4)
            assert not read.level(row)[1, 4:].any()  # the padding of a short text


def test_only_updates_and_projections_of_the_text_are_trained_and_stored(
    encoder: Any, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    from TextPromptSegLib.checkpoints import weights
    from TextPromptSegLib.inference import loaded_checkpoint

    net = tiny(encoder)
    before = [p.clone() for p in encoder.model.parameters()]
    net.loss(batch_of(encoder))["loss"].backward()
    for name, parameter in net.cate.named_parameters():
        assert (parameter.grad is not None) == (".base." not in name and "layers" not in name), name
    assert all(torch.equal(a, b) for a, b in zip(before, encoder.model.parameters(), strict=True))
    config = {
        "name": "tiny",
        "system": "svp-cvae",
        "config": TINY,
        "input": {"size": 64, "multiple": 32},
        "text_encoder": {"id": "tiny"},
        "trained_prompts": {"left lung": {}},
        "licence": {"spdx": "CC0-1.0", "line": "free", "permissive": True},
    }
    weights.save(tmp_path, net, config, dtype="float32")
    stored = load_file(tmp_path / "model.safetensors")
    assert not any("cate.layers" in key for key in stored)
    assert sum("cate.lora" in key for key in stored) == 2 * 5 * 2
    other = loaded_checkpoint.load(tmp_path, text_encoder=encoder).model
    images, text = batch_of(encoder)["image"], encoder.encode(TEXTS[:2])
    net.eval()
    with torch.no_grad():
        expected = net.decode(net.encode_image(images), text)[0]
        assert torch.allclose(other.decode(other.encode_image(images), text)[0], expected)


def test_without_its_text_encoder_it_says_so(encoder: Any) -> None:
    net = SVPCVAE(SVPCVAEConfig(**TINY))
    with pytest.raises(ValueError, match="attach_text_encoder was not called"):
        net.encode_text(encoder.encode(["spleen"]))
    with pytest.raises(CheckpointError, match=r"sizes \(24, 40, 6\) does not fit"):
        SVPCVAE(SVPCVAEConfig(**{**TINY, "text_ffn": 48})).attach_text_encoder(encoder)
    with pytest.raises(CheckpointError, match="allows 24 tokens, the network 8"):
        SVPCVAE(SVPCVAEConfig(**{**TINY, "text_length": 8})).attach_text_encoder(encoder)


# -- independence ----------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", ["width", "estimated"])
def test_a_sample_depends_neither_on_its_batch_nor_on_padding(encoder: Any, axis: str) -> None:
    net = tiny(encoder, presence=True, symmetry_axis=axis).eval()
    images = torch.rand(4, 1, 64, 64)
    with torch.no_grad():
        features = net.encode_image(images)
        logits, presence = net.decode(features, encoder.encode(TEXTS))
        for row in (1, 3):  # alone, the short texts are not padded
            own = net.encode_image(images[row : row + 1])
            text = encoder.encode([TEXTS[row]])
            assert text.tokens.shape[1] < 8
            alone = net.decode(own, text)
            assert torch.allclose(alone[0][0], logits[row], atol=1e-4)
            assert torch.allclose(alone[1][0], presence[row], atol=1e-4)
            assert torch.allclose(net.presence(own, text), alone[1], atol=1e-4)
        order = [2, 0, 3, 1]
        mixed = net.index_features(features, torch.tensor(order))
        again = net.decode(mixed, net.encode_text(encoder.encode([TEXTS[n] for n in order])))[0]
    assert torch.allclose(again, logits[order], atol=1e-4)


def test_the_prompt_changes_the_mask_and_the_padding_of_the_canvas_does_not_count() -> None:
    image = torch.rand(1, 2, 8, 8) + 0.1
    wide = torch.nn.functional.pad(image, (4, 4, 0, 8))
    assert torch.allclose(normalise(wide)[..., :8, 4:12], normalise(image), atol=1e-5)
    assert not normalise(wide)[..., 8:, :].any()
    assert normalise(image).mean((2, 3)).abs().max() < 1e-5
    assert torch.isfinite(normalise(torch.zeros(1, 1, 4, 4))).all()


# -- latent ----------------------------------------------------------------------------------------


def test_kl_is_that_of_torch_and_zero_for_equal_distributions() -> None:
    values = torch.randn(4, 3, 5)
    q, p = Gaussian(values[0], values[1]), Gaussian(values[2], values[3])
    normals = [torch.distributions.Normal(g.mean, (0.5 * g.log_variance).exp()) for g in (q, p)]
    expected = torch.distributions.kl_divergence(*normals).sum(1)
    assert torch.allclose(kl_divergence(q, p), expected, atol=1e-4)
    assert not kl_divergence(q, q).any()


def test_use_is_deterministic_and_noise_gives_reproducible_candidates(encoder: Any) -> None:
    net = tiny(encoder).eval()
    assert net.draws_samples
    images, text = torch.rand(3, 1, 64, 64), encoder.encode(TEXTS[:3])
    noise = torch.randn(4)
    with torch.no_grad():
        features = net.encode_image(images)
        first, again = net.decode(features, text)[0], net.decode(features, text)[0]
        assert torch.equal(first, again)
        zero = net.decode_sample(features, text, torch.zeros(4))[0]
        assert torch.allclose(zero, first, atol=1e-6)
        drawn = net.decode_sample(features, text, noise)[0]
        assert (drawn - first).abs().max() > 1e-4
        assert torch.equal(drawn, net.decode_sample(features, text, noise)[0])
        alone = net.index_features(features, torch.tensor([1]))
        own = net.decode_sample(alone, encoder.encode([TEXTS[1]]), noise)[0]
    assert torch.allclose(own[0], drawn[1], atol=1e-4)


def test_the_posterior_sees_the_mask_and_the_prior_does_not(encoder: Any) -> None:
    net = tiny(encoder)
    assert net.latent is not None
    mask = torch.zeros(2, 1, 64, 64)
    mask[1, :, 10:30, 10:30] = 1
    same = torch.randn(1, 16).expand(2, -1)
    prior, posterior = net.latent.distributions(same, same, mask)
    assert posterior is not None
    assert torch.allclose(prior.mean[0], prior.mean[1], atol=1e-6)
    assert (posterior.mean[0] - posterior.mean[1]).abs().max() > 1e-4


def test_refusals() -> None:
    net = SVPCVAE(SVPCVAEConfig(**TINY))
    with pytest.raises(ValueError, match="multiples of 32"):
        net.encode_image(torch.rand(1, 1, 48, 64))
    net.check_plane("axial")
    net.check_plane("coronal")
    with pytest.raises(InputError, match="use axial or coronal slices"):
        net.check_plane("sagittal")
    SVPCVAE(SVPCVAEConfig(**{**TINY, "cbsm": False})).check_plane("sagittal")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"latent": "magic"}, "latent is full or no_kl or prior or none"),
        ({"hidden_sizes": [8, 8]}, "four entries"),
        ({"text_depths": [4, 8, 13]}, "three hidden states"),
        ({"lora_layers": 13}, "more than text_layers"),
        ({"kl_start": 50}, "kl_start must lie before"),
        ({"decoder_channels": [8]}, "three entries"),
        ({"colour": 1}, "unknown keys: colour"),
    ],
)
def test_impossible_configurations_get_one_sentence(values: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        make_config("svp-cvae", values)


def test_registry_builds_it_from_json_values() -> None:
    assert "svp-cvae" in systems()
    assert isinstance(create("svp-cvae", json.loads(json.dumps(TINY))), SVPCVAE)


def test_cxr_bert_loads_without_remote_code(tmp_path: Path) -> None:
    """A checkpoint laid out as BiomedVLP-CXR-BERT: own model type, keys ``bert.*``, more heads."""
    from safetensors.torch import load_file, save_file

    plain = tiny_encoder(write_tiny_bert(tmp_path / "plain"))
    folder = write_tiny_bert(tmp_path / "cxr")
    config = json.loads((folder / "config.json").read_text())
    config.update(
        model_type="cxr-bert",
        architectures=["CXRBertModel"],
        auto_map={"AutoModel": "modeling_cxrbert.CXRBertModel"},
        projection_size=8,
    )
    (folder / "config.json").write_text(json.dumps(config))
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings.update(
        tokenizer_class="CXRBertTokenizer",
        auto_map={"AutoTokenizer": ["configuration_cxrbert.CXRBertTokenizer", None]},
    )
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    weights = load_file(folder / "model.safetensors")
    renamed = {f"bert.{key}": value for key, value in weights.items() if "pooler" not in key}
    renamed["cls_projection_head.dense_to_hidden.weight"] = torch.zeros(8, 24)
    save_file(renamed, folder / "model.safetensors", {"format": "pt"})
    cxr = tiny_encoder(folder)
    ours, theirs = cxr.encode(TEXTS), plain.encode(TEXTS)
    assert torch.equal(ours.mask, theirs.mask)
    assert torch.allclose(ours.tokens, theirs.tokens, atol=1e-6)
