"""SAM 3's network: transformers' own numbers, presence without masks, boxes, half the size."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tiny_sam3 import tiny_sam3

from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference.loaded_checkpoint import LoadedCheckpoint
from TextPromptSegLib.inference.predictor import SlicePredictor
from TextPromptSegLib.outcome import CheckpointError
from TextPromptSegLib.systems.registry import create
from TextPromptSegLib.systems.sam3.config import SAM3Config
from TextPromptSegLib.systems.sam3.geometry import pool, relative_boxes
from TextPromptSegLib.systems.sam3.text import SPEC, SAM3Text

WORDS = ["liver tumor", "the spleen"]


@pytest.fixture(scope="module")
def net() -> Any:
    return tiny_sam3()


@pytest.fixture
def kept(net: Any) -> Any:
    """The network, whose switches are set back after the test."""
    before = net.config
    yield net
    net.config = before


@pytest.fixture(scope="module")
def words(net: Any) -> SAM3Text:
    return net.own_text_encoder(SPEC)


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(2, 3, 56, 56, generator=torch.Generator().manual_seed(1))


def library(net: Any, words: SAM3Text, images: torch.Tensor, **more: Any) -> Any:
    """What transformers' own forward pass returns, text and picture prepared as it says."""
    ids = words.tokenizer(WORDS, context_length=32)
    last = (ids == words.tokenizer.eot_token_id).int().argmax(1, keepdim=True)
    mask = (torch.arange(32) <= last).long()
    pixels = (images - 0.5) / 0.5
    return net.sam(pixel_values=pixels, input_ids=ids, attention_mask=mask, **more)


def reference_pool(maps: torch.Tensor, box: list[float], bins: int) -> torch.Tensor:
    """RoI align as its paper and torchvision define it, sample by sample."""
    x0, y0, x1, y1 = box
    height, width = maps.shape[-2:]
    w, h = max(x1 - x0, 1.0), max(y1 - y0, 1.0)
    nx, ny = math.ceil(w / bins), math.ceil(h / bins)
    result = torch.zeros(len(maps), bins, bins)

    def at(y: float, x: float) -> torch.Tensor:
        if not (-1 <= y <= height and -1 <= x <= width):
            return torch.zeros(len(maps))
        y, x = min(max(y, 0.0), height - 1), min(max(x, 0.0), width - 1)
        a, b = int(y), int(x)
        c, d = min(a + 1, height - 1), min(b + 1, width - 1)
        top = maps[:, a, b] * (1 - x + b) + maps[:, a, d] * (x - b)
        low = maps[:, c, b] * (1 - x + b) + maps[:, c, d] * (x - b)
        return top * (1 - y + a) + low * (y - a)

    for p in range(bins):
        for q in range(bins):
            for i in range(ny):
                for j in range(nx):
                    y = y0 + (p + (i + 0.5) / ny) * h / bins
                    x = x0 + (q + (j + 0.5) / nx) * w / bins
                    result[:, p, q] += at(y, x) / (nx * ny)
    return result


# -- the same numbers as the library --------------------------------------------------------------


@pytest.mark.parametrize("token", [False, True])
@torch.inference_mode()
def test_text_alone_gives_transformers_own_output(
    kept: Any, words: SAM3Text, images: torch.Tensor, token: bool, monkeypatch: Any
) -> None:
    """With the geometry token it is what transformers answers for a box that does not count."""
    more: dict[str, Any] = {}
    if token:
        import torchvision

        monkeypatch.setattr(
            torchvision.ops,
            "roi_align",
            lambda maps, boxes, bins: torch.cat(
                [pool(maps[n : n + 1], box, bins) for n, box in enumerate(boxes)]
            ),
        )
        more = {
            "input_boxes": torch.tensor([[[0.5, 0.5, 1.0, 1.0]]] * 2),
            "input_boxes_labels": torch.full((2, 1), -10),
        }
    kept.config = replace(kept.config, geometry_token=token)
    expected = library(kept, words, images, **more)
    features, text = kept.encode_image(images), words.encode(WORDS)
    seen = kept._look(features[0], text, None)
    masks, semantic = kept._masks(features[0], seen)
    best = expected.pred_logits.topk(seen[1].shape[1], 1)
    own = best.indices[..., None, None].expand(-1, -1, *expected.pred_masks.shape[2:])
    assert expected.pred_masks.std() > 0.1
    for ours, theirs in (
        (seen[0], expected.presence_logits[:, 0]),
        (seen[1], best.values),
        (masks, expected.pred_masks.gather(1, own)),
        (semantic, expected.semantic_seg),
    ):
        assert torch.allclose(ours, theirs, atol=1e-4)


@torch.inference_mode()
def test_presence_draws_no_mask_and_the_decoder_goes_on_from_it(
    net: Any, words: SAM3Text, images: torch.Tensor, monkeypatch: Any
) -> None:
    features, text = net.encode_image(images), words.encode(WORDS)
    logits, presence = net.decode(features, text)
    assert logits.shape == (2, 1, 56, 56) and logits.std() > 0.1
    begun, rest = net.presence_and_rest(features, text)
    assert torch.equal(begun, presence) and torch.equal(net.decode_rest(rest), logits)
    monkeypatch.setattr(net.sam.mask_decoder, "forward", None)
    assert torch.equal(net.presence(features, text), presence)


def test_text_is_encoded_once_and_padding_changes_nothing(words: SAM3Text) -> None:
    both, alone = words.encode(WORDS), words.encode(["  The Spleen. "])
    assert both.mask.sum(1).tolist() == [4, 5] and words.id == "sam3"
    assert torch.equal(both.tokens[1], alone.tokens[0]) and words.dim == 16
    assert words.truncated("left " * 40) and not words.truncated("left lung")


@torch.inference_mode()
def test_a_box_is_read_as_transformers_reads_it(
    net: Any, words: SAM3Text, images: torch.Tensor, monkeypatch: Any
) -> None:
    import torchvision

    maps = torch.rand(1, 3, 8, 9)
    for box in ([1.2, 0.4, 6.9, 7.7], [0.0, 0.0, 9.0, 8.0], [4.0, 3.0, 4.2, 3.1]):
        expected = reference_pool(maps[0], box, 2)
        assert torch.allclose(pool(maps, torch.tensor([box]), 2)[0], expected, atol=1e-5)

    def roi_align(maps: torch.Tensor, boxes: Any, bins: int) -> torch.Tensor:
        pairs = zip(maps, boxes, strict=True)
        return torch.stack([reference_pool(m, box[0].tolist(), bins) for m, box in pairs])

    monkeypatch.setattr(torchvision.ops, "roi_align", roi_align)
    boxes = torch.tensor([[10.0, 12.0, 40.0, 30.0], [float("nan")] * 4])
    where, there = relative_boxes(boxes, 56)
    assert torch.allclose(where[0, 0], torch.tensor([51, 43, 60, 36]) / 112)
    labels = torch.where(there, 1, -10)
    expected = library(net, words, images, input_boxes=where, input_boxes_labels=labels)
    features, text = net.encode_image(images), words.encode(WORDS)
    logits, presence = net.decode(features, text, boxes)
    assert torch.allclose(presence, expected.presence_logits[:, 0], atol=1e-4)
    silent, _ = net.decode(features, text)
    assert torch.allclose(logits[1], silent[1], atol=1e-4)  # no box in this row
    assert (logits[0] - silent[0]).abs().max() > 1e-3


# -- the answer --------------------------------------------------------------------------------


def test_the_best_instance_counts_in_full_and_no_doubtful_one_makes_a_mask(net: Any) -> None:
    presence = torch.tensor([4.0, -6.0])
    logits = torch.tensor([[3.0, 2.0, -1.0], [3.0, 2.0, -1.0]])
    sure, unsure = net.weights(presence, logits)
    scores = presence.sigmoid()[:, None] * logits.sigmoid()
    assert sure[0] > 0.999 and torch.allclose(sure[1:], scores[0, 1:] / scores[0, 0])
    assert scores[1, 0] < net.config.least_score and unsure.max() < 0.5


@torch.inference_mode()
def test_the_other_answers_are_a_switch(kept: Any, words: SAM3Text, images: torch.Tensor) -> None:
    text, settings = words.encode(WORDS), kept.config
    answers = {}
    for answer in ("best", "semantic"):
        kept.config = replace(settings, answer=answer, least_score=1e-6)
        features = kept.encode_image(images)
        answers[answer] = kept.decode(features, text)[0]
        masks, semantic = kept._masks(features[0], kept._look(features[0], text, None))
        wanted = masks[:, :1] if answer == "best" else semantic
        resized = torch.nn.functional.interpolate(wanted, size=(56, 56), mode="bilinear")
        assert torch.allclose(answers[answer], resized, atol=1e-3)
    assert (answers["best"] - answers["semantic"]).abs().max() > 0.1
    with pytest.raises(CheckpointError, match="answer is"):
        create("sam3", {"answer": "all"})
    for wrong in ({"image_size": 1000}, {"width": 100}, {"global_blocks": [40]}, {"drawn": 0}):
        with pytest.raises(CheckpointError, match="cannot be used"):
            create("sam3", wrong)


@torch.inference_mode()
def test_instances_are_shown_one_by_one_and_make_up_the_answer(kept: Any) -> None:
    words = kept.own_text_encoder(SPEC)
    kept.config = replace(kept.config, least_score=1e-6)
    predictor = predictor_of(kept, words)
    array = np.random.default_rng(0).integers(-100, 200, (3, 40, 40)).astype(np.int16)
    predictor.set_volume(Volume.from_array(array, (2.0, 2.0, 5.0), modality="CT"))
    (plain,) = predictor.segment("liver")
    (shown,) = predictor.segment("liver", samples=8)
    assert plain.probability is not None and shown.probability is not None
    # the largest of the instances, before or after they are enlarged
    assert np.abs(shown.probability - plain.probability).mean() < 0.02
    assert 1 < len(shown.candidates) <= 6 and shown.uncertainty is None
    assert "of at most 8 instances" in shown.message
    together = np.any(shown.candidates, axis=0)
    assert (together == (shown.probability >= shown.threshold)).mean() > 0.99


def test_a_training_reaches_text_image_and_masks() -> None:
    net = tiny_sam3(encoder_layers=1, decoder_layers=1)
    text = net.own_text_encoder(SPEC).encode(WORDS)
    net.requires_grad_(True)
    mask = torch.zeros(2, 1, 56, 56)
    mask[0, :, 10:30, 10:30] = 1
    batch = {
        "image": torch.rand(1, 3, 56, 56),
        "index": torch.tensor([0, 0]),
        "text": text,
        "mask": mask,
        "present": torch.tensor([1, 0]),
        "valid": torch.ones(1, 1, 56, 56),
    }
    terms = net.loss(batch)
    terms["loss"].backward()
    assert set(terms) == {"loss", "overlap", "pixel", "presence"}
    for part in ("vision_encoder", "detr_encoder", "detr_decoder", "mask_decoder"):
        grads = [p.grad for p in getattr(net.sam, part).parameters() if p.grad is not None]
        assert grads and sum(float(g.abs().sum()) for g in grads) > 0, part


# -- memory -------------------------------------------------------------------------------------


def predictor_of(net: Any, words: SAM3Text, **options: Any) -> SlicePredictor:
    config = {
        "name": "tiny",
        "system": "sam3",
        "input": {
            "size": 56,
            "multiple": 56,
            "canvases": [56],
            "in_channels": 3,
            "ct_windows": [[-160, 240]] * 3,
        },
        "text_encoder": dict(SPEC),
        "trained_prompts": {"*": {"threshold": 0.5}},
        "presence_threshold": None,
        "licence": {},
    }
    from pathlib import Path

    loaded = LoadedCheckpoint(net, config, words, Path())
    return SlicePredictor(loaded, "cpu", precision="float32", **options)


def test_when_memory_runs_out_the_pictures_get_smaller() -> None:
    net = tiny_sam3()
    words, encode, sizes = net.own_text_encoder(SPEC), net.encode_image, []

    def short_of_memory(images: torch.Tensor) -> Any:
        sizes.append(net._side)
        if net._side > 28 and len(sizes) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return encode(images)

    net.encode_image = short_of_memory
    predictor = predictor_of(net, words, batch=1)
    array = np.random.default_rng(0).integers(-100, 200, (3, 40, 40)).astype(np.int16)
    volume = Volume.from_array(array, (2.0, 2.0, 5.0), modality="CT")
    predictor.set_volume(volume)
    (found,) = predictor.segment("liver")
    assert found.provenance["memory_steps"] == ["looked at pictures of 28 px, half the usual side"]
    assert sizes == [56, 56, 28, 28, 28] and found.probability is not None
    assert np.isfinite(found.probability).all() and found.probability.max() > 0
    assert net.work_smaller() is None
    # a network that was built for the smaller pictures looks where this one does
    small: Any = tiny_sam3(image_size=28)
    small.load_state_dict(net.state_dict())
    images = torch.rand(1, 3, 56, 56)
    less = torch.nn.functional.interpolate(images, (28, 28), mode="bilinear", antialias=True)
    with torch.inference_mode():
        assert torch.allclose(small.encode_image(less)[0], encode(images)[0], atol=1e-5)


@torch.inference_mode()
def test_half_precision_is_near(net: Any, words: SAM3Text, images: torch.Tensor) -> None:
    text = words.encode(WORDS)
    exact, presence = net.decode(net.encode_image(images), text)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features = net.encode_image(images)
        logits, coarse = net.decode(features, text)
    assert features[0].dtype == torch.bfloat16 and features[0].shape == (2, 64, 16)
    assert (coarse - presence).abs().max() < 0.2
    assert (logits.sigmoid() - exact.sigmoid()).abs().mean() < 0.05


def test_the_defaults_are_the_published_sizes() -> None:
    from transformers import Sam3Config

    assert SAM3Config.from_transformers(Sam3Config().to_dict()) == SAM3Config()
