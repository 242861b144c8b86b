"""Boxes and points beside the text: patient mm to the pixels that show them, and their use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from box_segmenter import FAR, LATER, LIVER, NEAR, PLACES, predictor
from hypothesis import given
from hypothesis import strategies as st
from toy_segmenter import phantom, toy_predictor

from TextPromptSegLib.cli.options import parse_point, run_options
from TextPromptSegLib.image.intensity import InputSpec
from TextPromptSegLib.image.slice_stack import PLANES, SliceStack
from TextPromptSegLib.image.volume import AxisMap, Volume
from TextPromptSegLib.inference.engines.slice_hints import (
    SliceHints,
    box_of,
    march,
    stack_coordinates,
)
from TextPromptSegLib.inference.hints import Hints
from TextPromptSegLib.jobs.job import RunOptions
from TextPromptSegLib.outcome import Cancelled, CheckpointError, InputError, Outcome


def ras_box(volume: Volume, part: tuple[slice, slice, slice]) -> tuple[float, ...]:
    """Return x0, x1, y0, y1, z0, z1 of voxels (k, j, i)."""
    k, j, i = part
    ends = [(a, b, c) for a in (i.start, i.stop - 1) for b in (j.start, j.stop - 1)
            for c in (k.start, k.stop - 1)]  # fmt: skip
    corners = np.array([(volume.ijk_to_ras @ (*end, 1.0))[:3] for end in ends])
    low, high = corners.min(0), corners.max(0)
    return tuple(float(v) for pair in zip(low, high, strict=True) for v in pair)


def ras_point(volume: Volume, k: int, j: int, i: int) -> tuple[float, float, float]:
    x, y, z = (volume.ijk_to_ras @ (i, j, k, 1.0))[:3]
    return float(x), float(y), float(z)


@given(
    source=st.permutations(range(3)),
    flips=st.tuples(*[st.booleans()] * 3),
    plane=st.sampled_from(PLANES),
    place=st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(0, 8)),
)
def test_a_point_falls_on_the_pixel_that_shows_its_voxel(
    source: list[int],
    flips: tuple[bool, bool, bool],
    plane: str,
    place: tuple[int, int, int],
) -> None:
    array = np.arange(5 * 7 * 9, dtype=np.int16).reshape(5, 7, 9)
    canonical = Volume.from_array(array, (1.5, 0.7, 3.0), modality="MR")
    axis_map = AxisMap(tuple(source), flips)  # type: ignore[arg-type]
    volume = replace(
        canonical,
        array=np.ascontiguousarray(axis_map.apply(canonical.array)),
        ijk_to_ras=canonical.ijk_to_ras @ axis_map.index_matrix(canonical.shape),
    )
    stack = SliceStack(volume, plane, InputSpec(size=32, multiple=8), "MR")
    point = ras_point(canonical, *place)
    n, row, column = (round(v) for v in stack_coordinates(stack, [point])[0])
    assert stack.slices[n, row, column] == canonical.array[place]
    hints = SliceHints(Hints(points=((*point, 1),)), stack)
    (x, y, _), = hints.points[n]  # fmt: skip
    top, left = stack.offset
    assert (y - top + 0.5) * stack.slices.shape[1] / stack.inner[0] == pytest.approx(row + 0.5)
    assert (x - left + 0.5) * stack.slices.shape[2] / stack.inner[1] == pytest.approx(column + 0.5)


def test_a_box_keeps_the_answer_inside() -> None:
    volume = phantom({LIVER: [NEAR, FAR]})
    asked = predictor()
    asked.set_volume(volume)
    both = asked.segment("liver")[0]
    one = asked.segment("liver", box=ras_box(volume, NEAR))[0]
    assert both.voxels > 1.5 * one.voxels
    wanted = np.zeros(volume.shape, bool)
    wanted[NEAR] = True
    assert one.outcome is Outcome.FOUND and not (one.mask.astype(bool) & ~wanted).any()
    assert one.mask[NEAR].mean() > 0.8
    assert one.provenance["box"] == pytest.approx(list(ras_box(volume, NEAR)))
    few = (slice(6, 8), *NEAR[1:])
    part = asked.segment("liver", box=ras_box(volume, few))[0]
    assert set(np.flatnonzero(part.mask.any((1, 2)))) == {6, 7}


def test_nothing_is_drawn_outside_a_box_that_the_network_does_not_heed() -> None:
    volume = phantom({LIVER: [NEAR, FAR]})
    asked = predictor()
    asked.set_volume(volume)
    asked._model.deaf = True
    k, j, i = NEAR
    part = (slice(k.start + 1, k.stop), slice(j.start + 2, j.stop - 3), slice(i.start, i.stop - 4))
    inside = np.zeros(volume.shape, bool)
    inside[part] = True
    plain = asked.segment("liver")[0]
    assert (plain.mask.astype(bool) & ~inside).any()
    for more in ({}, {"two_pass": True}, {"propagate": True}):
        boxed = asked.segment("liver", box=ras_box(volume, part), **more)[0]
        assert boxed.outcome is Outcome.FOUND
        assert np.array_equal(boxed.mask.astype(bool), plain.mask.astype(bool) & inside)
        assert not np.asarray(boxed.probability, np.float32)[~inside].any()
    free = asked.segment("liver", points=[ras_point(volume, 8, 15, 16)])[0]
    assert np.array_equal(free.mask, plain.mask), "a point bounds nothing"


def test_a_box_may_have_a_threshold_of_its_own() -> None:
    volume = phantom({LIVER: [NEAR]})
    asked = predictor()
    asked.config["trained_prompts"]["liver"]["box_threshold"] = 0.125  # type: ignore[index]
    asked.set_volume(volume)
    box = ras_box(volume, NEAR)
    assert asked.segment("liver", box=box)[0].threshold == 0.125
    assert asked.segment("liver", box=box, threshold=0.3)[0].threshold == 0.3
    for other in ({}, {"points": [ras_point(volume, 8, 15, 16)]}, {"two_pass": True}):
        assert asked.segment("liver", **other)[0].threshold == 0.5
    assert asked.segment("spleen", box=box)[0].threshold == 0.5


RULE = ("intercept", "head", "confidence", "size", "agreement", "gate")


def test_a_boxed_slice_is_decoded_whatever_presence_says() -> None:
    volume = phantom({LIVER: [NEAR]})
    asked = predictor(presence=0.9999999)
    asked._model.sharpness.data.fill_(60.0)
    for entry in asked.config["trained_prompts"].values():
        entry["presence_threshold"] = 0.9999999
        entry["evidence"] = {"CT": dict.fromkeys(RULE, 0.0) | {"intercept": -9.0, "gate": 0.5}}
    asked.set_volume(volume)
    assert asked.segment("liver")[0].outcome is not Outcome.FOUND
    boxed = asked.segment("liver", box=ras_box(volume, NEAR))[0]
    assert boxed.outcome is Outcome.FOUND
    assert set(np.flatnonzero(boxed.mask.any((1, 2)))) == set(range(NEAR[0].start, NEAR[0].stop))


def test_points_reach_the_network_where_they_lie() -> None:
    volume = phantom({LIVER: [NEAR, FAR]})
    asked = predictor()
    asked.set_volume(volume)
    k, j, i = (s.start + 2 for s in FAR)
    points = [(*ras_point(volume, k, j, i), 0)]
    found = asked.segment("liver", points=points)[0]
    assert found.mask[k, NEAR[1], NEAR[2]].any() and not found.mask[k, FAR[1], FAR[2]].any()
    assert found.mask[k + 1, FAR[1], FAR[2]].any(), "a point speaks for its own slice only"


def test_a_shown_slice_is_decoded_whatever_presence_says() -> None:
    volume = phantom({LIVER: [NEAR]})
    asked = predictor(presence=0.9999999)
    asked._model.sharpness.data.fill_(60.0)  # found, but far from the gate
    asked.set_volume(volume)
    assert asked.segment("liver")[0].outcome is not Outcome.FOUND
    shown = asked.segment("liver", points=[ras_point(volume, 8, 15, 16)])[0]
    assert shown.outcome is Outcome.FOUND
    assert {8} <= set(np.flatnonzero(shown.mask.any((1, 2)))) <= {7, 8, 9}


def test_two_passes_ask_again_with_the_box_of_the_first_answer() -> None:
    volume = phantom({LIVER: [NEAR]})
    asked = predictor(presence=None)
    asked.set_volume(volume)
    plain = asked.segment("liver")[0]
    model = asked._model
    model.seen.clear()
    again = asked.segment("liver", two_pass=True)[0]
    assert np.array_equal(plain.mask, again.mask)
    boxes = [b for b, _ in model.seen if b is not None]
    assert len(boxes) == 3 and len(model.seen) == 6 + 3  # nothing to ask where nothing was found
    rows = np.concatenate(boxes)
    rows = rows[~np.isnan(rows[:, 0])]
    assert len(rows) == 10  # one for every slice that holds the structure
    x0, y0, x1, y1 = rows[0]
    width = NEAR[2].stop - NEAR[2].start
    assert x1 - x0 == pytest.approx(1.2 * width, abs=1.5)
    assert (x0 + x1) / 2 == pytest.approx((NEAR[2].start + NEAR[2].stop - 1) / 2, abs=1.0)


def test_propagation_follows_the_structure_and_leaves_the_rest() -> None:
    volume = phantom({LIVER: [NEAR, LATER]})
    asked = predictor()
    asked.set_volume(volume)
    plain = asked.segment("liver")[0]
    assert plain.mask[LATER].any()
    chained = asked.segment("liver", propagate=True)[0]
    assert np.array_equal(chained.mask[NEAR[0]], plain.mask[NEAR[0]])
    assert not chained.mask[LATER].any()
    absent = asked.segment("spleen", propagate=True)[0]
    assert absent.outcome is Outcome.NOT_FOUND
    calls = []

    def stop(done: int, total: int, message: str) -> bool:
        calls.append(message)
        return "from slice to slice" not in message

    with pytest.raises(Cancelled):
        asked.segment("liver", propagate=True, progress=stop)
    assert asked.segment("liver")[0].voxels == plain.voxels


def test_march_enters_only_allowed_slices_and_hands_boxes_on() -> None:
    visited = []

    def decode(number: int, box: Any) -> Any:
        visited.append((number, box))
        return None if number == 3 else (float(number),) * 4

    march([5], {3, 4, 5, 6, 8}, decode)
    assert visited == [(5, None), (6, (5.0,) * 4), (4, (5.0,) * 4), (3, (4.0,) * 4)]


def test_box_of_a_mask_grows_and_ignores_specks() -> None:
    mask = np.zeros((40, 50), bool)
    assert box_of(mask) is None
    mask[10:20, 20:40] = True
    mask[38, 2] = True
    assert box_of(mask, 0.0) == (19.5, 9.5, 39.5, 19.5)
    assert box_of(mask, 0.1) == (17.5, 8.5, 41.5, 20.5)
    assert box_of(mask, 0.0, 0.0) == (1.5, 9.5, 39.5, 38.5)
    mask[0:10, 0:20] = True  # a second part of the structure counts
    assert box_of(mask, 0.5) == (-0.5, -0.5, 49.5, 29.5)


def test_heat_map_says_where_the_system_looked() -> None:
    volume = phantom({LIVER: [NEAR]})
    asked = predictor()
    asked.set_volume(volume)
    assert asked.segment("liver")[0].heat_map is None
    heat = asked.segment("liver", heat_map=True)[0].heat_map
    assert heat is not None and heat.dtype == np.float16 and heat.shape == volume.shape
    assert heat[NEAR].mean() > 0.8 and heat[15:].max() == 0
    with pytest.raises(CheckpointError, match="no heat map"):
        plain = toy_predictor(PLACES)
        plain.set_volume(volume)
        plain.segment("liver", heat_map=True)


@pytest.mark.parametrize(
    ("asked", "error", "sentence"),
    [
        ({"box": (0, 1, 0, 1)}, InputError, "six finite numbers"),
        ({"box": (9000, 9001, 0, 1, 0, 1)}, InputError, "outside the image"),
        ({"points": [(9000, 0, 0)]}, InputError, "outside the image"),
        ({"points": [(0, float("nan"), 0)]}, InputError, "finite"),
        ({"points": [(0, 0, 0, 2)]}, InputError, "label"),
    ],
)
def test_unusable_hints_are_refused(
    asked: Mapping[str, Any], error: type[Exception], sentence: str
) -> None:
    ready = predictor()
    ready.set_volume(phantom({LIVER: [NEAR]}))
    with pytest.raises(error, match=sentence):
        ready.segment("liver", **asked)


def test_hints_need_one_structure_and_a_system_that_takes_them() -> None:
    volume = phantom({LIVER: [NEAR]})
    ready = predictor()
    ready.set_volume(volume)
    with pytest.raises(InputError, match="one structure"):
        ready.segment("liver, spleen", box=ras_box(volume, NEAR))
    plain = toy_predictor(PLACES)
    plain.set_volume(volume)
    for asked in ({"box": ras_box(volume, NEAR)}, {"two_pass": True}, {"propagate": True}):
        with pytest.raises(CheckpointError, match="takes no box"):
            plain.segment("liver", **asked)
    with pytest.raises(CheckpointError, match="takes no points"):
        plain.segment("liver", points=[(0, 0, 0)])


def test_options_of_the_command_line() -> None:
    options = run_options(box="3,1,0,2,5,4", points=["1,2,3", "4,5,6,0"], two_pass=True)
    assert options.hints() == Hints((1, 3, 0, 2, 4, 5), ((1, 2, 3, 1), (4, 5, 6, 0)), True)
    assert Hints.from_dict(options.hints().to_dict()) == options.hints()
    assert options.to_dict()["points"] == [[1, 2, 3, 1], [4, 5, 6, 0]]
    assert RunOptions().to_dict() == {} and not Hints()
    for wrong in ("1,2", "a,b,c", "1,2,3,4", "1,2,3,4,5"):
        with pytest.raises(InputError, match="--point"):
            parse_point(wrong)
    with pytest.raises(InputError, match="--box"):
        run_options(box="1,2,3")
