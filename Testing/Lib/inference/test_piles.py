"""Probabilities kept slice by slice against whole arrays, and what an answer costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from TextPromptSegLib.image.intensity import InputSpec
from TextPromptSegLib.image.slice_stack import SliceStack
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference.answers import answer, rethreshold
from TextPromptSegLib.inference.piles import FLOOR, Pile
from TextPromptSegLib.inference.postprocess import PostprocessRule, apply_rule, over_threshold
from TextPromptSegLib.prompting.boxed import kept_of, zeros
from TextPromptSegLib.prompting.prompts import parse_prompts

SHAPE = (30, 180, 200)
FACTS: dict[str, Any] = {
    "spacing_mm": [1.0, 1.0, 1.0],
    "voxel_ml": 0.001,
    "slice_axis": 0,
    "postprocess": {"min_mm3": 20, "fill_holes": True, "fill_gaps": 1},
}


def stack_of(shape: tuple[int, int, int] = SHAPE, plane: str = "axial") -> SliceStack:
    volume = Volume(np.zeros(shape, np.int16), np.diag([-1.0, -1.0, 1.0, 1.0]))
    return SliceStack(volume, plane, InputSpec())


def cloud(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return probabilities with a hole, a gap and a speck."""
    rng = np.random.default_rng(seed)
    array = np.zeros(shape, np.float16)
    array[5:20, 40:90, 60:120] = rng.uniform(0.3, 1.0, (15, 50, 60))
    array[5:20, 60:62, 80:82] = 0.0
    array[12] = 0.0
    array[25, 3, 3] = 0.9
    return array


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_a_pile_is_the_whole_array_but_for_the_haze(plane: str) -> None:
    stack = stack_of((12, 14, 16), plane)
    pile = Pile(stack)
    expected, view = stack.empty()
    rng = np.random.default_rng(0)
    for number in range(len(view)):
        for row, column, height, width in ((2, 3, 5, 6), (0, 1, 4, 9), (6, 0, 3, 4)):
            part = (rng.random((height, width)) * (rng.random((height, width)) > 0.5)).astype(
                np.float16
            )
            pile.join(number, row, column, part)
            place = view[number, row : row + height, column : column + width]
            place[...] = np.maximum(place, part)
    assert np.array_equal(
        np.where(expected < FLOOR, 0, expected), np.where(pile.whole() < FLOOR, 0, pile.whole())
    )
    assert np.array_equal(pile.boxed().whole(), pile.whole())
    assert np.array_equal(pile.layers().whole(), pile.whole())
    assert pile.layers().nbytes <= pile.boxed().nbytes
    assert pile.largest() == float(expected.max())
    pile.cap(0.25)
    assert pile.largest() == 0.25
    pile.put(3, 0, 0, np.full((4, 4), FLOOR / 2, np.float16))  # again, and now nothing
    assert not stack.view(pile.whole())[3].any()
    expected = pile.whole()
    codes = pile.mask(0.2)
    assert np.array_equal(codes, expected >= np.float16(0.2)) and codes.dtype == np.uint8
    codes += (rng.random(codes.shape) > 0.9).astype(np.uint8) * np.uint8(2)
    pile.change(codes, {2: 0.9, 1: 0.1})
    expected[codes == 2], expected[codes == 1] = 0.9, 0.1
    assert np.array_equal(
        np.where(expected < FLOOR, 0, expected), np.where(pile.whole() < FLOOR, 0, pile.whole())
    )
    whole = pile.whole()
    assert np.array_equal(pile.layers(last=True).whole(), whole) and not pile.boxed().size
    pile.clear()
    assert not pile.whole().any() and pile.largest() == 0.0 and not pile.boxed().size


def test_the_box_changes_no_mask_and_the_slider_is_exact() -> None:
    probability = cloud(1, SHAPE)
    found = answer(parse_prompts("liver")[0], probability, 0.5, 0.0, FACTS)
    rule = PostprocessRule.from_dict(FACTS["postprocess"])
    for threshold in (0.5, 0.31, 0.8, 0.01):
        raw = (probability >= np.float16(threshold)).astype(np.uint8)
        assert np.array_equal(over_threshold(probability, threshold), raw)
        expected = apply_rule(raw, rule, (1.0, 1.0, 1.0))
        moved = rethreshold(found, threshold)
        assert np.array_equal(moved.mask, expected) and moved.voxels == expected.sum()
    assert np.array_equal(found.probability, probability)


def test_ten_answers_of_a_large_image_take_the_memory_of_what_was_found() -> None:
    shape, organ = (60, 512, 512), (20, 120, 140)
    stack = stack_of(shape)
    plane = np.full(shape[1:], FLOOR / 2, np.float16)
    plane[100:220, 200:340] = 0.9
    kept = 0
    for _ in range(2):
        pile = Pile(stack)
        for number in range(20, 40):
            pile.put(number, 0, 0, plane)
        held = sum(part.nbytes for _, _, part in pile._slices.values())
        assert held == 2 * np.prod(organ)
        found = answer(
            parse_prompts("liver")[0], pile.layers(), 0.5, 0.0, {**FACTS, "postprocess": {}}
        )
        kept += sum(kept_of(found, name).nbytes for name in ("mask", "probability"))
        moved = rethreshold(found, 0.6)  # another threshold keeps what is kept, no copy of it
        assert moved.__dict__["probability"] is found.__dict__["probability"]
        assert found.__dict__["probability"].nbytes == held
    assert kept == 2 * 3 * np.prod(organ)
    assert kept < 0.03 * 2 * 3 * np.prod(shape)


@pytest.mark.parametrize("shape", [(3, 256, 256), (3, 128, 100), (3, 97, 150)])
def test_what_is_made_large_in_its_box_is_what_it_is_as_a_whole(
    shape: tuple[int, int, int],
) -> None:
    stack = stack_of(shape)
    torch.manual_seed(0)
    for shift in (-12.0, -7.0, -40.0):
        coarse = torch.randn(3, 1, 16, 16) * 4 + shift
        logits = torch.nn.functional.interpolate(coarse, stack.canvas, mode="bicubic")
        piles = Pile(stack), Pile(stack)
        arrays = stack.probabilities(logits), stack.probabilities(logits, FLOOR)
        for pile, array in zip(piles, arrays, strict=True):
            for number, plane in enumerate(array):
                pile.put(number, 0, 0, plane)
        whole, boxed = (pile.boxed() for pile in piles)
        assert boxed.box == whole.box
        assert np.allclose(boxed.values.astype(float), whole.values.astype(float), atol=FLOOR)


def test_large_zeros_are_zeros_that_can_be_written() -> None:
    large = zeros((40, 300, 400), np.float16)
    assert large.shape == (40, 300, 400) and not large.any()
    large[3, 4, 5] = 1.0
    assert large.sum() == 1.0 and zeros((2, 3), np.uint8).tolist() == [[0] * 3] * 2
