"""Arrays kept for their box come back whole, exactly, and only when asked for."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from TextPromptSegLib.outcome import Outcome
from TextPromptSegLib.prompting.boxed import Boxed, Layers, all_kept, content_box, kept_of
from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.prompting.segmentation import Segmentation

LARGE = (40, 200, 200)


def blob(shape: tuple[int, int, int] = LARGE, dtype: Any = np.float16) -> np.ndarray:
    array = np.zeros(shape, dtype)
    array[10:20, 30:50, 60:90] = 0.75 if dtype == np.float16 else 1
    return array


def answer(**changes: Any) -> Segmentation:
    prompt = parse_prompts("liver")[0]
    probability = blob()
    mask = (probability > 0.5).astype(np.uint8)
    facts = {"mask": mask, "probability": probability, "uncertainty": probability / 4, **changes}
    return Segmentation(
        prompt=prompt,
        outcome=Outcome.FOUND,
        seconds=0.0,
        max_probability=0.75,
        voxels=6000,
        volume_ml=6.0,
        threshold=0.5,
        **facts,
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_whole_and_slabs_are_what_was_given(seed: int, half: bool) -> None:
    rng = np.random.default_rng(seed)
    array = np.zeros((5, 6, 7), np.float16 if half else np.uint8)
    start, end = np.sort(rng.integers(0, (6, 7, 8), (2, 3)), axis=0)
    box = tuple(slice(a, b) for a, b in zip(start, end, strict=True))
    array[box] = rng.integers(0, 2, array[box].shape)
    kept = Boxed.of(array)
    assert np.array_equal(kept.whole(), array) and kept.whole().dtype == array.dtype
    assert kept.values.size == array[content_box(array)].size or kept.values.shape == array.shape
    assert np.array_equal(kept.trimmed().whole(), array)
    for axis in range(3):
        for number in range(array.shape[axis]):
            expected = np.take(array, [number], axis=axis)
            assert np.array_equal(kept.slab(axis, number), expected)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2))
def test_layers_are_the_whole_array_on_any_axis(seed: int, axis: int) -> None:
    rng = np.random.default_rng(seed)
    array = np.zeros((5, 6, 7), np.float16)
    pieces = []
    for number in rng.permutation(array.shape[axis])[: rng.integers(0, 6)]:
        start, end = np.sort(rng.integers(0, (6, 7, 8), (2, 3)), axis=0)
        start[axis], end[axis] = number, number + 1
        values = rng.random(end - start).astype(np.float16)
        array[tuple(map(slice, start, end))] = values
        pieces.append((start, values))
    kept = Layers(array.shape, np.float16, pieces)
    assert kept.nbytes == sum(values.nbytes for _, values in pieces)
    for one in (kept, copy.deepcopy(kept), kept.boxed()):
        assert np.array_equal(one.whole(), array) and one.whole().dtype == np.float16
        for across in range(3):
            for number in range(array.shape[across]):
                assert np.array_equal(
                    one.slab(across, number), np.take(array, [number], axis=across)
                )
    held = kept.whole()
    assert kept.whole() is held and kept.unless_small() is held


def test_an_answer_keeps_layers_and_gives_the_whole() -> None:
    """A tube that runs across the volume: one box around it is nearly everything."""
    array, pieces = np.zeros(LARGE, np.float16), []
    for k in range(LARGE[0]):
        array[k, 4 * k : 4 * k + 9, 4 * k : 4 * k + 9] = 0.75
        pieces.append(((k, 4 * k, 4 * k), array[k : k + 1, 4 * k : 4 * k + 9, 4 * k : 4 * k + 9]))
    layers = Layers(LARGE, np.float16, pieces)
    found = answer(probability=layers)
    assert found.__dict__["probability"] is layers and layers.nbytes == 40 * 81 * 2
    assert np.array_equal(found.probability, array)
    assert found.changed(message="more").__dict__["probability"] is layers
    boxed = kept_of(found, "probability")
    assert boxed is not None and boxed.nbytes > 100 * layers.nbytes
    assert np.array_equal(boxed.whole(), array)
    slab = found.slab("probability", 2, 80)
    assert slab is not None and np.array_equal(slab, array[:, :, 80:81])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_two_boxes_meet_and_grow_as_whole_arrays_do(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (4, 5, 6)
    arrays, kept = [], []
    for _ in range(2):
        start, end = np.sort(rng.integers(0, (5, 6, 7), (2, 3)), axis=0)
        box = Boxed(shape, start, rng.integers(0, 3, end - start).astype(np.uint8))
        kept.append(box)
        arrays.append(box.whole().copy())
    one, other = kept
    expected = arrays[0].copy()
    outside = np.ones(shape, bool)
    outside[other.box] = False
    expected[outside] = 0
    assert np.array_equal(one.within(other.box).whole(), expected)
    assert np.array_equal(one.tight().whole(), arrays[0])
    here, there = one.shared(other)
    assert here.shape == there.shape
    assert np.count_nonzero(here & there) == np.count_nonzero(arrays[0] & arrays[1])
    both = one.grown(other)
    assert np.array_equal(both.whole(), arrays[0])
    assert both.within(other.box).values.shape == other.values.shape or not other.size


def test_several_masks_are_made_whole_one_by_one() -> None:
    masks = [blob(dtype=np.uint8), np.zeros(LARGE, np.uint8)]
    found = answer(candidates=tuple(masks))
    assert len(found.candidates) == 2 and [bool(m.any()) for m in found.candidates] == [True, False]
    assert all(np.array_equal(a, b) for a, b in zip(found.candidates, masks, strict=True))
    assert sum(kept.nbytes for kept in all_kept(found.candidates)) == 10 * 20 * 30
    assert len(found.candidates[:1]) == 1 and answer(candidates=()).candidates == ()


def test_an_answer_keeps_the_box_and_gives_the_whole() -> None:
    found = answer()
    kept = kept_of(found, "probability")
    assert kept is not None and kept.nbytes == 10 * 20 * 30 * 2 and kept.start == (10, 30, 60)
    assert found.shape == LARGE and found.heat_map is None
    assert np.array_equal(found.probability, blob()) and found.mask.dtype == np.uint8
    held = found.mask
    assert found.mask is held  # made once, as long as it is held
    slab = found.slab("mask", 1, 40)
    assert slab is not None and np.array_equal(slab, held[:, 40:41])
    assert found.slab("heat_map", 0, 0) is None
    other = copy.deepcopy(replace(found, message="again"))
    assert other.message == "again" and np.array_equal(other.mask, held)
    assert kept_of(other, "mask").nbytes == kept.nbytes // 2
    changed = found.changed(message="more")
    assert changed.message == "more" and kept_of(changed, "mask") is kept_of(found, "mask")
    again = Segmentation(**vars(found))
    assert np.array_equal(again.uncertainty, found.uncertainty)


def test_nothing_and_everything_are_kept_too() -> None:
    nothing = answer(mask=np.zeros(LARGE, np.uint8))
    assert kept_of(nothing, "mask").nbytes == 0 and not nothing.mask.any()
    everything = np.ones(LARGE, np.uint8)
    assert kept_of(answer(mask=everything), "mask").values is everything
    small = np.eye(3, dtype=np.uint8)[None]
    assert answer(mask=small).mask is small  # what is small stays as it is
    with pytest.raises(ValueError, match="does not lie in"):
        Boxed((4, 4, 4), (2, 0, 0), np.zeros((3, 1, 1)))
