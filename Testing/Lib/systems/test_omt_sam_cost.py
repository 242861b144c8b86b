"""OMT-SAM's cheap second prompt: nothing done twice, and the same answers to rounding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_clip
import torch
from tiny_sam import SIZES

from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference.engines.slice_engine import SliceEngine
from TextPromptSegLib.inference.loaded_checkpoint import LoadedCheckpoint
from TextPromptSegLib.inference.predictor import SlicePredictor
from TextPromptSegLib.systems.omt_sam import OMTSAM, OMTSAMConfig, network
from TextPromptSegLib.systems.omt_sam.prompts import ImageTextPromptEncoder
from TextPromptSegLib.systems.omt_sam.two_way import image_reads_tokens, tokens_read_image, two_way

NAMES = ("liver", "spleen")


def transformer(heads: int = 4) -> Any:
    from segment_anything.modeling import TwoWayTransformer

    torch.manual_seed(0)
    made = TwoWayTransformer(2, 32, heads, 64).eval()
    with torch.no_grad():
        for value in made.parameters():
            value.normal_(std=0.3)
    return made


@pytest.mark.parametrize("tokens", [3, 4, 9])  # with 4 heads of 4: cheaper, as cheap, dearer
def test_the_two_way_transformer_is_segment_anythings(tokens: int) -> None:
    made = transformer()
    image, places = torch.randn(3, 32, 6, 5), torch.randn(1, 32, 6, 5)
    prompts = torch.randn(3, tokens, 32)
    flat, positions = (x.flatten(2).transpose(1, 2) for x in (image, places))
    expected = made(image, places.expand(3, -1, -1, -1), prompts)
    found = two_way(made, flat, positions, prompts, read=2)
    assert found[0].shape == (3, 2, 32)
    assert (found[0] - expected[0][:, :2]).abs().max() < 1e-5
    assert (found[1] - expected[1]).abs().max() < 1e-5
    target = torch.randn_like(expected[1])
    weights = list(made.parameters())
    grads = [
        torch.autograd.grad((result * target).sum(), weights, allow_unused=True)
        for result in (expected[1], found[1])
    ]
    for one, other in zip(*grads, strict=True):
        # the keys' bias has no effect: rounding there, nothing here
        zero = torch.zeros(())
        one, other = (zero if g is None else g for g in (one, other))
        assert (one - other).abs().max() <= 1e-4 * (1 + one.abs().max())


def test_each_reading_is_the_attention_of_its_weights() -> None:
    layer = transformer().layers[1]
    few, many, values = torch.randn(2, 3, 32), torch.randn(2, 50, 32), torch.randn(2, 50, 32)
    into = layer.cross_attn_token_to_image
    expected = into(q=few, k=many, v=values)
    assert (tokens_read_image(into, few, many, values) - expected).abs().max() < 1e-5
    back = layer.cross_attn_image_to_token
    told = torch.randn(2, 3, 32)
    expected = values + back(q=many, k=few, v=told)
    assert (image_reads_tokens(back, values, many, few, told) - expected).abs().max() < 1e-5


def test_the_image_text_attention_is_torchs() -> None:
    torch.manual_seed(0)
    config = OMTSAMConfig(**{**SIZES, "text_dim": 24, "clip_dim": 16, "fusion_heads": 4})
    made = ImageTextPromptEncoder(config).eval()
    with torch.no_grad():
        for value in made.attention.parameters():
            value.normal_(std=0.5)
    image, words = torch.randn(3, 20, 32), torch.randn(3, 5, 32)
    padding = torch.tensor([[0, 0, 1, 1, 1], [0, 0, 0, 0, 0], [0, 1, 1, 1, 1]]).bool()
    expected = made.attention(image, words, words, key_padding_mask=padding)[0]
    assert (made._attend(image, words, padding) - expected).abs().max() < 1e-5


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tiny_clip.tiny_clip(tmp_path_factory.mktemp("clip"))


def tiny(clip: Any) -> OMTSAM:
    torch.manual_seed(0)
    sizes = {**SIZES, "in_channels": 1, "rel_pos": False, "multimask": 0, "fusion_heads": 4}
    widths = {"text_dim": tiny_clip.TOKEN_DIM, "clip_dim": tiny_clip.PATCH_DIM}
    net = OMTSAM(OMTSAMConfig(**sizes, **widths, prompt_tokens=2)).eval()
    net.attach_text_encoder(clip)
    with torch.no_grad():
        for value in net.image_text.parameters():  # type: ignore[union-attr]
            if value.ndim > 1:
                value.normal_(std=0.5)
    return net


def test_decoding_goes_on_from_presence(clip: Any) -> None:
    net = tiny(clip)
    features = net.encode_image(torch.rand(3, 1, 64, 64))
    text = clip.encode(["liver", "spleen", "right kidney"])
    logits, presence = net.decode(features, text)
    again, rest = net.presence_and_rest(features, text)
    assert rest is not None and (presence - again).abs().max() < 1e-5
    assert (net.presence(features, text) - again).abs().max() < 1e-6
    assert (net.decode_rest(rest) - logits).abs().max() < 1e-5
    part = tuple(t[1:] for t in rest)
    assert (net.decode_rest(part) - logits[1:]).abs().max() < 1e-5
    mixed = text.without_words(torch.tensor([False, True, False]))
    scores, nothing = net.presence_and_rest(features, mixed)
    assert nothing is None, "pairs of several kinds are not kept"
    assert (scores - net.decode(features, mixed)[1]).abs().max() < 1e-5


def test_positions_follow_the_weights(clip: Any) -> None:
    net = tiny(clip)
    features, text = net.encode_image(torch.rand(1, 1, 64, 64)), clip.encode(["liver"])
    before = net.decode(features, text)[0]
    assert net._positions() is net._positions()
    state = {k: v.clone() for k, v in net.state_dict().items()}
    name = "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"
    net.load_state_dict({**state, name: state[name] * 3})
    assert (net.decode(features, text)[0] - before).abs().max() > 1e-4
    net.load_state_dict(state)
    assert torch.equal(net.decode(features, text)[0], before)


@pytest.mark.parametrize("room", [True, False])
def test_a_run_asks_the_transformer_once_for_a_slice(
    clip: Any, monkeypatch: pytest.MonkeyPatch, room: bool
) -> None:
    """With room for what presence began nothing is done twice; without it the answer is equal."""
    net = tiny(clip)
    rng = np.random.default_rng(0)
    volume = Volume.from_array(rng.integers(0, 255, (11, 64, 64)).astype(np.int16), modality="MR")
    with torch.inference_mode():  # a gate that lets about half of the slices pass
        images = torch.from_numpy(volume.array[:, None]).float() / 255
        seen = net.presence(net.encode_image(images), clip.encode(["liver"] * 11))
    config = {
        "name": "tiny",
        "system": "omt-sam",
        "config": {},
        "input": {"size": 64, "multiple": 64, "canvases": [64], "in_channels": 1},
        "text_encoder": {"id": "tiny-clip"},
        "planes": ["axial"],
        "presence_threshold": float(seen.sigmoid().median()),
        "trained_prompts": {name: {"modalities": ["MR"]} for name in NAMES},
        "licence": {},
    }
    predictor = SlicePredictor(
        LoadedCheckpoint(net, config, clip, Path()), "cpu", "float32", batch=4
    )
    predictor.set_volume(volume)
    asked: list[int] = []
    plain = network.attend
    monkeypatch.setattr(
        network,
        "attend",
        lambda *a: asked.append(len(a[1])) or plain(*a),  # type: ignore[func-returns-value]
    )
    if not room:
        monkeypatch.setattr("TextPromptSegLib.inference.engines.slice_engine.REST_BYTES", 0)
    found = [np.asarray(a.probability, np.float32) for a in predictor.segment(list(NAMES))]
    once, asked[:] = sum(asked), []
    monkeypatch.setattr(SliceEngine, "goes_on", False)
    expected = [np.asarray(a.probability, np.float32) for a in predictor.segment(list(NAMES))]
    decoded = sum(int((p.reshape(11, -1) > 0).any(1).sum()) for p in expected)
    assert decoded > 4 and sum(asked) == 22 + decoded
    assert once == (22 if room else 22 + decoded)
    for one, other in zip(found, expected, strict=True):
        assert np.abs(one - other).max() < 1e-3  # float16: its own step
