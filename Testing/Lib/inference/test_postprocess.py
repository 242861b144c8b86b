"""Tidying masks: components, gaps between slices, holes; off unless the checkpoint says so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from TextPromptSegLib.image.boxes import bounding_box
from TextPromptSegLib.inference.answers import answer, rethreshold, size_text
from TextPromptSegLib.inference.postprocess import (
    PostprocessRule,
    apply_rule,
    largest,
    over_threshold,
    rule_for,
)
from TextPromptSegLib.outcome import CheckpointError, InputError, Outcome
from TextPromptSegLib.prompting.prompt import Prompt

SPACING = (1.0, 1.0, 5.0)


def ball(shape: tuple[int, int, int], centre: tuple[int, int, int], radius: float) -> np.ndarray:
    grid = np.indices(shape).T - np.array(centre)
    return (radius**2 >= (grid**2).sum(-1).T).astype(np.uint8)


def two_balls() -> np.ndarray:
    shape = (20, 30, 40)
    return ball(shape, (8, 10, 10), 5) | ball(shape, (12, 22, 30), 3)


def test_nothing_is_done_unless_asked_for() -> None:
    mask = two_balls()
    assert np.array_equal(apply_rule(mask, PostprocessRule(), SPACING), mask)
    assert not PostprocessRule()


@pytest.mark.parametrize(
    ("rule", "big", "small"),
    [
        (PostprocessRule(keep_components=1), True, False),
        (PostprocessRule(keep_components=2), True, True),
        (PostprocessRule(min_mm3=1000), True, False),
        (PostprocessRule(min_mm3=500), True, True),
        (PostprocessRule(min_mm3=1e6), False, False),
        (PostprocessRule(min_fraction=0.5), True, False),
        (PostprocessRule(min_fraction=0.1), True, True),
    ],
)
def test_components(rule: PostprocessRule, big: bool, small: bool) -> None:
    mask = two_balls()
    before = mask.copy()
    result = apply_rule(mask, rule, SPACING)
    assert bool(result[8, 10, 10]) is big and bool(result[12, 22, 30]) is small
    expected = (ball(mask.shape, (8, 10, 10), 5) * big) | (
        ball(mask.shape, (12, 22, 30), 3) * small
    )
    assert np.array_equal(result, expected) and np.array_equal(mask, before)


def touch(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return max(abs(x - y) for x, y in zip(a, b, strict=True)) == 1


@given(arrays(np.uint8, (3, 6, 7), elements=st.integers(0, 1)), st.integers(1, 4))
def test_components_against_brute_force(mask: np.ndarray, keep: int) -> None:
    result = apply_rule(mask, PostprocessRule(keep_components=keep), SPACING)
    parts: list[set[tuple[int, ...]]] = []
    left = {tuple(v) for v in np.argwhere(mask).tolist()}
    while left:
        part, front = set(), {left.pop()}
        while front:
            part |= front
            front = {v for v in left if any(touch(v, f) for f in front)}
            left -= front
        parts.append(part)
    sizes = sorted((len(p) for p in parts), reverse=True)[:keep]
    assert int(result.sum()) == sum(sizes)
    assert not (result & ~mask & 1).any()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_gaps_are_filled_along_the_slices(axis: int) -> None:
    whole = np.zeros((12, 40, 40), np.uint8)
    for k in range(2, 10):
        whole[k] = ball((1, 40, 40), (0, 20, 20), 6 + k)[0]
    gappy = whole.copy()
    gappy[4:6] = 0
    turned = np.ascontiguousarray(np.moveaxis(gappy, 0, axis))
    filled = apply_rule(turned, PostprocessRule(fill_gaps=2), SPACING, axis)
    filled = np.moveaxis(filled, axis, 0)
    overlap = 2 * (filled & whole).sum() / (filled.sum() + whole.sum())
    assert overlap > 0.985
    assert np.array_equal(filled[[2, 3, *range(6, 10)]], whole[[2, 3, *range(6, 10)]])
    untouched = apply_rule(turned, PostprocessRule(fill_gaps=1), SPACING, axis)
    assert np.array_equal(untouched, turned)


def test_gap_between_things_that_do_not_meet_stays() -> None:
    mask = np.zeros((5, 40, 40), np.uint8)
    mask[1, 2:8, 2:8] = 1
    mask[3, 30:36, 30:36] = 1
    assert np.array_equal(apply_rule(mask, PostprocessRule(fill_gaps=3), SPACING), mask)


def test_holes_are_filled_inside_slices() -> None:
    mask = np.zeros((3, 20, 20), np.uint8)
    mask[1, 4:15, 4:15] = 1
    mask[1, 8:10, 8:10] = 0
    mask[1, 4, 6] = 0  # a notch in the edge is no hole
    filled = apply_rule(mask, PostprocessRule(fill_holes=True), SPACING)
    assert filled[1, 8:10, 8:10].all() and not filled[1, 4, 6]


@given(arrays(np.uint8, (4, 5, 6), elements=st.integers(0, 1)))
def test_bounding_box(mask: np.ndarray) -> None:
    box = bounding_box(mask)
    if box is None:
        assert not mask.any()
        return
    outside = mask.copy()
    outside[box] = 0
    assert not outside.any()
    for axis in range(3):
        faces = np.moveaxis(mask[box], axis, 0)
        assert faces[0].any() and faces[-1].any()


@given(
    arrays(np.float16, (3, 4, 5), elements=st.floats(0, 1, width=16)),
    st.floats(0.001, 0.999),
)
def test_comparing_bits_is_comparing_numbers(probability: np.ndarray, threshold: float) -> None:
    expected = probability >= np.float16(threshold)
    assert np.array_equal(over_threshold(probability, threshold) != 0, expected)
    assert largest(probability) == float(probability.max())
    turned = probability[::-1, :, ::2]
    assert np.array_equal(over_threshold(turned, threshold) != 0, turned >= np.float16(threshold))


def test_rules_come_from_the_checkpoint() -> None:
    trained = {
        "liver": {"min_mm3": 500, "postprocess": {"keep_components": 1, "fill_gaps": 2}},
        "spleen": {"postprocess": {"keep_components": 1, "min_mm3": 90}},
        "liver tumor": {},
    }
    assert rule_for(("liver",), trained) == PostprocessRule(500, keep_components=1, fill_gaps=2)
    assert not rule_for(("liver tumor",), trained)
    assert not rule_for((), trained)
    # a union has several parts: the largest one must not be all that is left
    assert rule_for(("liver", "spleen"), trained) == PostprocessRule(90, keep_components=2)
    assert rule_for(("liver", "liver tumor"), trained) == PostprocessRule()
    for rule in ({"min_mm3": -1}, {"keep_components": "many"}, {"sharpen": True}):
        with pytest.raises(CheckpointError, match="post-processing"):
            PostprocessRule.from_dict(rule)
    rule = PostprocessRule(3.0, 0.1, 2, 1, True)
    assert PostprocessRule.from_dict(rule.to_dict()) == rule
    assert PostprocessRule().to_dict() == {}


def test_rethreshold_obeys_the_rule_and_needs_no_predictor() -> None:
    probability = np.zeros((20, 30, 40), np.float16)
    probability[two_balls() > 0] = 0.6
    probability[8, 10, 10] = 0.9
    facts = {
        "spacing_mm": [1.0, 1.0, 5.0],
        "voxel_ml": 0.005,
        "slice_axis": 0,
        "postprocess": {"keep_components": 1},
        "notes": ["a note"],
    }
    prompt = Prompt("liver", "liver", "liver")
    first = answer(prompt, probability, 0.5, 1.0, facts)
    assert first.voxels == int(ball((20, 30, 40), (8, 10, 10), 5).sum())
    assert first.message.endswith("; a note")
    assert first.volume_ml == pytest.approx(first.voxels * 0.005)
    high = rethreshold(first, 0.8)
    assert high.voxels == 1 and high.provenance["threshold"] == 0.8
    none = rethreshold(first, 0.95)
    assert none.outcome is Outcome.BELOW_THRESHOLD and "max p 0.90" in none.message
    assert rethreshold(none, 0.5).voxels == first.voxels
    with pytest.raises(InputError):
        rethreshold(first, 0.0)


def test_specks_that_are_removed_are_said() -> None:
    probability = np.zeros((4, 9, 9), np.float16)
    probability[2, 4, 4] = 0.9
    facts = {
        "spacing_mm": [1, 1, 1],
        "voxel_ml": 0.001,
        "slice_axis": 0,
        "postprocess": {"min_mm3": 10},
    }
    result = answer(Prompt("liver", "liver", "liver"), probability, 0.5, 0.0, facts)
    assert result.outcome is Outcome.NOT_FOUND and "only specks" in result.message


@pytest.mark.parametrize(
    ("voxels", "shape", "spacing", "axis", "text"),
    [
        (1000, (10, 20, 30), (1.0, 1.0, 2.0), 0, "2.00 ml"),
        (7_160_000, (10, 20, 30), (1.0, 1.0, 0.2), 0, "1,432 ml"),
        (1000, (1, 20, 30), (0.5, 2.0, 7.0), 0, "10.0 cm²"),  # an X-ray has no thickness
        (100, (20, 1, 30), (0.5, 7.0, 3.0), 1, "1.50 cm²"),
    ],
)
def test_size_is_a_volume_or_the_area_of_a_picture(voxels, shape, spacing, axis, text) -> None:
    assert size_text(voxels, shape, spacing, axis) == text
