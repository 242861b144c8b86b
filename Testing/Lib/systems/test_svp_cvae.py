"""The SVP-CVAE against the paper: sizes, switches, independence, latent space, learning."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_bert import SIZES, tiny_encoder, write_tiny_bert
from tiny_data import picture, write_dataset

from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference.predictor import SlicePredictor
from TextPromptSegLib.outcome import CheckpointError, InputError
from TextPromptSegLib.systems import svp_cvae
from TextPromptSegLib.systems.registry import create, make_config, systems
from TextPromptSegLib.systems.svp_cvae import SVPCVAE, SVPCVAEConfig
from TextPromptSegLib.systems.svp_cvae.latent import Gaussian, kl_divergence
from TextPromptSegLib.systems.svp_cvae.network import normalise
from TextPromptSegLib.systems.svp_cvae.objective import (
    beta,
    same_texts,
    segmentation_loss,
    semantic_alignment_loss,
)
from TextPromptSegLib.training import train
from TextPromptSegLib.training.recipe import Recipe

FOLDER = Path(svp_cvae.__file__).parent
ABLATIONS = json.loads((FOLDER / "ablations.json").read_text())
ROWS = [
    pytest.param(changes, id=f"{table}-{row}")
    for table, rows in ABLATIONS.items()
    for row, changes in rows.items()
]
TINY: dict[str, Any] = {
    **SIZES,
    "in_channels": 1,
    "hidden_sizes": (8, 8, 16, 16),
    "depths": (1, 1, 1, 1),
    "text_depths": (2, 4, 6),
    "lora_layers": 2,
    "lora_rank": 2,
    "heads": 2,
    "z_dim": 4,
    "latent_hidden": 16,
    "mask_grid": 4,
    "head_channels": 8,
}
TEXTS = [
    "unilateral pulmonary infection, one infected area, upper left lung",
    "left kidney",
    "bilateral pulmonary infection, two infected areas, upper left lung and lower right lung",
    "spleen",
]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tiny_encoder(write_tiny_bert(tmp_path_factory.mktemp("bert")))


def tiny(encoder: Any, **changes: Any) -> SVPCVAE:
    torch.manual_seed(0)
    net = SVPCVAE(SVPCVAEConfig(**{**TINY, **changes}))
    net.attach_text_encoder(encoder)
    # random updates: LoRA that adds nothing would hide mistakes
    for update in net.cate.lora.values():
        torch.nn.init.normal_(update.b, std=0.3)
    return net


def batch_of(encoder: Any, size: int = 64, texts: tuple[str, ...] = ()) -> dict[str, Any]:
    """Two images with a left and a right square; the text says which one is meant."""
    generator = torch.Generator().manual_seed(1)
    image = 0.2 * torch.rand(2, 1, size, size, generator=generator) + 0.1
    image[..., 16:48, 4:24] += 0.5
    image[..., 16:48, 40:60] += 0.5
    mask = torch.zeros(4, 1, size, size)
    mask[::2, :, 16:48, 4:24] = 1
    mask[1::2, :, 16:48, 40:60] = 1
    words = texts or ("right lung", "left lung") * 2
    return {
        "image": image,
        "index": torch.arange(4) // 2,
        "text": encoder.encode(words),
        "mask": mask,
        "present": mask.flatten(1).any(1).float(),
        "valid": torch.ones(2, 1, size, size),
    }


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
    ids = encoder.tokenizer(TEXTS[0].lower(), return_tensors="pt")
    with torch.no_grad():
        states = encoder.model(**ids, output_hidden_states=True).hidden_states
        for row, depth in enumerate((2, 4, 6)):
            expected = net.cate.project[row](states[depth][0])
            length = len(expected)
            assert torch.allclose(read.level(row)[0, :length], expected, atol=1e-4)
            assert not read.level(row)[1, 4:].any()  # the padding of a short text


def test_only_updates_and_projections_of_the_text_are_trained_and_stored(
    encoder: Any, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    from TextPromptSegLib.checkpoints import checkpoint

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
    checkpoint.save(tmp_path, net, config, dtype="float32")
    stored = load_file(tmp_path / "model.safetensors")
    assert not any("cate.layers" in key for key in stored)
    assert sum("cate.lora" in key for key in stored) == 2 * 5 * 2
    other = checkpoint.load(tmp_path, text_encoder=encoder).model
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


# -- objective -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("epoch", "expected"),
    [(0, 0.0), (15, 0.0), (30, 0.005), (45, 0.01), (150, 0.01)],
)
def test_beta_warms_up_in_two_stages(epoch: float, expected: float) -> None:
    assert beta(epoch) == pytest.approx(expected)


def test_beta_follows_the_steps_and_survives_a_restart(encoder: Any) -> None:
    net = tiny(encoder, kl_start=1, kl_end=3, steps_per_epoch=2)
    weights = [float(net.loss(batch_of(encoder))["beta"]) for _ in range(7)]
    assert weights == pytest.approx([0, 0, 0, 0.0025, 0.005, 0.0075, 0.01])
    other = tiny(encoder, kl_start=1, kl_end=3, steps_per_epoch=2)
    other.load_state_dict(net.state_dict())
    assert float(other.loss(batch_of(encoder))["beta"]) == pytest.approx(0.01)
    other.eval()
    steps = int(other.steps)
    other.loss(batch_of(encoder))
    assert int(other.steps) == steps


def test_alignment_loss_by_hand_and_with_repeated_texts() -> None:
    eye = torch.eye(3)
    own = torch.eye(3, dtype=torch.bool)
    by_hand = -torch.log_softmax(torch.tensor([1.0, 0.0, 0.0]), 0)[0]
    assert torch.allclose(semantic_alignment_loss(2 * eye, 5 * eye, own), by_hand)
    assert semantic_alignment_loss(eye, eye.roll(1, 0), own) > by_hand
    everything = torch.ones(3, 3, dtype=torch.bool)
    repeated = eye[:1].expand(3, -1)
    assert semantic_alignment_loss(eye, repeated, everything) == pytest.approx(0, abs=1e-6)
    assert float(semantic_alignment_loss(eye[:1], eye[:1], own[:1, :1])) == 0
    pooled = torch.tensor([[1.0, 2.0], [1.0, 2.0], [1.0, 2.1]])
    assert same_texts(pooled).tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]


def test_segmentation_loss_ignores_padding_and_teaches_absence() -> None:
    logits = torch.full((1, 1, 8, 8), -9.0)
    mask, valid = torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8)
    valid[..., 4:] = 0
    quiet = sum(segmentation_loss(logits, mask, valid, torch.zeros(1)))
    logits[..., 4:] = 9.0
    on_padding = sum(segmentation_loss(logits, mask, valid, torch.zeros(1)))
    logits[..., :4] = 9.0
    alarm = sum(segmentation_loss(logits, mask, valid, torch.zeros(1)))
    assert float(quiet) < 0.01 and float(on_padding) == pytest.approx(float(quiet))
    assert float(alarm) > 5
    mask[..., :4] = 1
    dice, bce = segmentation_loss(logits, mask, valid, torch.ones(1))
    assert float(dice) < 0.01 and float(bce) < 0.01


# -- ablations -------------------------------------------------------------------------------------


def test_every_row_of_the_papers_tables_and_the_lambda_sweep_is_there() -> None:
    assert {table: len(rows) for table, rows in ABLATIONS.items()} == {
        "table 4": 6,
        "table 5": 4,
        "table 6": 4,
        "table 7": 5,
        "figure 6": 5,
    }
    for table, best in (("table 4", "+SAL"), ("table 5", "full"), ("table 6", "SSGM + CBSM")):
        assert SVPCVAEConfig(**ABLATIONS[table][best]) == SVPCVAEConfig()
    assert SVPCVAEConfig(**ABLATIONS["table 7"]["multi-scale, learned fusion"]) == SVPCVAEConfig()


@pytest.mark.parametrize("changes", ROWS)
def test_ablation_rows_can_be_trained_and_used(encoder: Any, changes: dict[str, Any]) -> None:
    net = tiny(encoder, **changes)
    config = net.config
    assert (net.marl is None) == (not config.ssgm and not config.cbsm)
    assert (net.latent is None) == (config.latent == "none")
    assert (net.mtf is None) == (config.text_levels == "none" or config.fusion == "none")
    terms = net.loss(batch_of(encoder))
    assert ("kl" in terms) == (config.latent == "full")
    assert ("sal" in terms) == (config.sal_weight > 0 and config.text_levels != "none")
    terms["loss"].backward()
    unused = {n for n, p in net.named_parameters() if p.requires_grad and p.grad is None}
    # LoRA of layers above the level in use has nothing to do; without KL nobody teaches the prior
    idle = ("cate.lora", "latent.prior") if config.latent == "no_kl" else ("cate.lora",)
    assert all(n.startswith(idle) for n in unused), unused
    net.eval()
    features = net.index_features(net.encode_image(torch.rand(1, 1, 64, 64)), torch.zeros(2).long())
    with torch.no_grad():
        logits = net.decode(features, encoder.encode(TEXTS[:2]))[0]
    assert logits.shape == (2, 1, 64, 64)
    without_text = config.text_levels == "none"
    assert bool(torch.allclose(logits[0], logits[1], atol=1e-6)) == without_text


# -- learning and refusals -------------------------------------------------------------------------


def test_it_learns_to_follow_the_text(encoder: Any) -> None:
    net = tiny(encoder, decoder_norm="group", presence=True)
    batch = batch_of(encoder)
    batch["asked_index"] = torch.tensor([0, 1])
    batch["asked_text"] = encoder.encode(["spleen", "liver"])
    batch["asked_present"] = torch.zeros(2)
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=5e-3)
    for _ in range(60):
        optimizer.zero_grad()
        net.loss(batch)["loss"].backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        features = net.index_features(net.encode_image(batch["image"]), batch["index"])
        logits, presence = net.decode(features, batch["text"])
    predicted, truth = logits > 0, batch["mask"] > 0
    overlap = 2 * (predicted & truth).flatten(1).sum(1)
    dice = overlap / (predicted.flatten(1).sum(1) + truth.flatten(1).sum(1))
    assert float(dice.min()) > 0.8
    assert bool((presence > 0).all())


def test_a_recipe_trains_a_checkpoint_that_finds_its_text_encoder_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tiny_bert(tmp_path / "encoders" / "tiny")
    monkeypatch.setenv("TEXTPROMPTSEG_ENCODERS", str(tmp_path / "encoders"))
    folder = write_dataset(tmp_path, groups={})
    values = json.loads((folder / "dataset.json").read_text())
    for case in values["cases"]:
        case["text"] = "Unilateral infection, one infected area, right kidney."
    (folder / "dataset.json").write_text(json.dumps(values))
    recipe = Recipe.from_dict(
        {
            "name": "tiny-svp",
            "system": "svp-cvae",
            "config": {key: value for key, value in TINY.items() if key != "text_dim"},
            "input": {"size": 64, "multiple": 32},
            "text_encoder": {"id": "test/tiny", "max_length": 24},
            "data": [{"name": "tiny", "text_for": ["right kidney"]}],
            "steps": 4,
            "batch": {"slices": 2, "pairs": 4, "questions": 1, "texts": 1.0},
            "precision": "32-true",
            "validate_every": 2,
        }
    )
    made = train(recipe, [tmp_path], tmp_path / "run", progress_bar=False)
    predictor = SlicePredictor.from_pretrained(str(made), device="cpu")
    assert int(predictor._model.steps) == 4
    predictor.set_volume(Volume.from_array(picture(3)[0], modality="MR"))
    (answer,) = predictor.segment(["right kidney"], samples=2)
    assert len(answer.candidates) == 2
    with pytest.raises(InputError, match="use axial or coronal slices"):
        train(replace(recipe, planes=("sagittal",)), [tmp_path], tmp_path / "other")


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
