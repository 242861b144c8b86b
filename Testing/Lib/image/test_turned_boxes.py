"""Boxes of slices in the file's array, and regions that are cut in a part of a volume."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from TextPromptSegLib.image.boxes import bounding_box, turned
from TextPromptSegLib.image.intensity import InputSpec
from TextPromptSegLib.image.regions import Region, half, thirds
from TextPromptSegLib.image.slice_stack import PLANES, SliceStack
from TextPromptSegLib.image.volume import Volume

SHAPE = (5, 6, 7)
RNG = np.random.default_rng(0)


def stacks() -> list[SliceStack]:
    """Return stacks of every plane over volumes of every order and direction of axes."""
    made = []
    for axes in itertools.permutations(range(3)):
        matrix = np.eye(4)
        matrix[:3, :3] = np.eye(3)[list(axes)] * RNG.choice([-1, 1], 3)
        volume = Volume(np.zeros(SHAPE, np.int16), matrix)
        made += [SliceStack(volume, plane, InputSpec()) for plane in PLANES]
    return made


@pytest.mark.parametrize("stack", stacks(), ids=lambda stack: stack.plane)
def test_a_part_of_the_stack_lies_where_its_voxels_are(stack: SliceStack) -> None:
    whole = np.zeros(SHAPE, np.uint8)
    view = stack.view(whole)
    low, high = np.sort([RNG.choice(n + 1, 2, replace=False) for n in view.shape], axis=1).T
    place = [slice(int(a), int(b)) for a, b in zip(low, high, strict=True)]
    view[tuple(place)] = 1
    box = stack.file_box(range(place[0].start, place[0].stop), place[1], place[2])
    assert box == bounding_box(whole)
    numbers = RNG.random([side.stop - side.start for side in box])
    cut = np.zeros(SHAPE)
    cut[box] = numbers
    assert np.array_equal(stack.view(numbers), stack.view(cut)[tuple(place)])
    turn = stack.axis_map
    assert turned(box, SHAPE, turn.source, turn.flipped) == bounding_box(turn.apply(whole))


def test_a_region_is_cut_in_a_part_as_in_the_whole() -> None:
    mask = np.ones(SHAPE, np.uint8)
    third = thirds([mask], ("upper",), np.diag([-1.0, -1.0, 1.0, 1.0]), False)
    grid = Region(SHAPE, grid=RNG.random((3, 3, 4)) > 0.5, step=(2, 2, 2))
    image = RNG.normal(size=SHAPE)
    for region in (third, grid, half(image, "MR", "left")):
        assert region is not None
        whole = RNG.random(SHAPE).astype(np.float16)
        box = (slice(1, 5), slice(2, 5), slice(1, 6))
        part = whole[box].copy()
        region.cut(whole)
        region.cut(part, [side.start for side in box])
        assert np.array_equal(part, whole[box]) and whole.any() and not whole.all()
