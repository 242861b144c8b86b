"""Neighbouring slices as further channels: which ones, whatever the file's axes are."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_data import write_dataset

from TextPromptSegLib.data.datasets import Dataset
from TextPromptSegLib.data.slices import NameRules, case_slices
from TextPromptSegLib.image.intensity import InputSpec, neighbour_step
from TextPromptSegLib.image.slice_stack import PLANES, SliceStack
from TextPromptSegLib.image.volume import Volume

WINDOWS = ((-160.0, 240.0), (-1000.0, 400.0))
PLAIN = InputSpec(size=32, multiple=8, in_channels=2, ct_windows=WINDOWS)
SPEC = InputSpec(size=32, multiple=8, in_channels=2, ct_windows=WINDOWS, neighbour_mm=5.0)


@pytest.mark.parametrize(
    ("distance", "count", "step"),
    [
        (5.0, 9, 1),
        (2.5, 9, 2),
        (1.0, 90, 5),
        (0.4, 90, 12),
        (10.0, 9, 1),  # the next slice still says something
        (10.1, 9, 0),
        (5.0, 1, 0),
        (None, 9, 0),
    ],
)
def test_the_neighbour_is_the_slice_nearest_to_the_distance(
    distance: float | None, count: int, step: int
) -> None:
    assert neighbour_step(SPEC, distance, count) == step
    assert neighbour_step(PLAIN, distance, count) == 0


def test_a_spec_counts_its_channels() -> None:
    assert (PLAIN.channels, SPEC.channels) == (2, 4)
    assert InputSpec.from_dict(json.loads(json.dumps(SPEC.to_dict()))) == SPEC
    with pytest.raises(ValueError, match="neighbour_mm"):
        InputSpec(neighbour_mm=0)


def scan(modality: str, spacing: tuple[float, float, float] = (4.0, 6.0, 2.5)) -> Volume:
    values = np.random.default_rng(0).normal(0, 400, (9, 7, 8))
    return Volume.from_array(values.astype(np.float32), spacing, modality=modality)


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_each_slice_brings_the_ones_below_and_above(plane: str, modality: str) -> None:
    volume = scan(modality)
    own = SliceStack(volume, plane, PLAIN, modality).images(0, 8 if plane != "coronal" else 7)
    stack = SliceStack(volume, plane, SPEC, modality)
    step = {"axial": 2, "coronal": 1, "sagittal": 1}[plane]
    count = len(own)
    for first, last in itertools.combinations(range(count), 2):
        seen = stack.images(first, last)
        assert seen.shape[1] == 4
        for row, index in enumerate(range(first, last)):
            assert (seen[row, :2] == own[index]).all()
            assert (seen[row, 2] == own[max(0, index - step), 0]).all()
            if index + step < count:
                assert (seen[row, 3] == own[index + step, 0]).all()
    end = stack.images(len(stack) - 1, len(stack))
    assert (end[0, 3] == end[0, 0]).all(), "the last slice ends the stack"


@given(
    order=st.permutations([0, 1, 2]),
    flips=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_the_file_s_axes_make_no_difference(
    order: list[int], flips: tuple[bool, bool, bool]
) -> None:
    """The same body stored in another order of axes gives the network the same picture."""
    volume = scan("CT")
    array, matrix = volume.array, volume.ijk_to_ras.copy()
    for axis, flip in enumerate(flips):
        if flip:
            column = 2 - axis
            matrix[:3, 3] += matrix[:3, column] * (array.shape[axis] - 1)
            matrix[:3, column] *= -1
            array = np.flip(array, axis)
    columns = [matrix[:3, 2 - axis] for axis in order]
    turned = np.eye(4)
    turned[:3, :3] = np.stack(columns[::-1], axis=1)
    turned[:3, 3] = matrix[:3, 3]
    other = Volume.from_array(
        np.ascontiguousarray(np.transpose(array, order)), ijk_to_ras=turned, modality="CT"
    )
    for plane in PLANES:
        before, after = (SliceStack(v, plane, SPEC, "CT") for v in (volume, other))
        assert before.step == after.step
        assert (before.images(0, len(before)) == after.images(0, len(after))).all()


def test_a_picture_stands_for_its_neighbours() -> None:
    picture = Volume.from_array(np.random.default_rng(1).random((20, 24)), modality="CXR")
    seen = SliceStack(picture, "axial", SPEC, "CXR").images(0, 1)
    assert all((seen[0, channel] == seen[0, 0]).all() for channel in range(4))


def test_training_sees_what_the_predictor_sees(tmp_path: Path) -> None:
    dataset = Dataset.read(write_dataset(tmp_path, cases=1))
    case = dataset.cases[0]
    values = np.random.default_rng(2).normal(100, 30, (6, 40, 48)).astype(np.float32)
    volume = Volume.from_array(values, (1.0, 1.0, 3.0), modality="MR")

    class Stored:
        def __getattr__(self, name: str) -> object:
            return getattr(case, name)

        def volume(self, channel: int) -> Volume:
            return volume

        def label_arrays(self) -> dict[str, np.ndarray]:
            return {}

    made = case_slices(Stored(), SPEC, NameRules())  # type: ignore[arg-type]
    seen = SliceStack(volume, "axial", SPEC, "MR").images(0, 6).numpy()
    assert len(made) == 6
    for item, expected in zip(made, seen, strict=True):
        assert item.channels().shape == (4, *item.canvas)
        assert np.abs(item.channels() / 255 - expected).max() < 0.03
    assert made[0].neighbours[1] is not made[0].image
    assert np.shares_memory(made[0].neighbours[1], made[2].image)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.lists(st.tuples(st.integers(0, 19), st.integers(1, 8)), max_size=6))
def test_batches_are_made_of_what_was_made_before(
    millimetres: int, asked: list[tuple[int, int]]
) -> None:
    """Any batches in any order are those of a stack that made nothing before."""
    rng = np.random.default_rng(0)
    array = rng.integers(-1000, 500, (20, 24, 30)).astype(np.int16)
    volume = Volume.from_array(array, (1.0, 1.0, float(millimetres)), modality="CT")
    stack = SliceStack(volume, "axial", SPEC, "CT", in_hu=True)
    for first, count in asked:
        last = min(20, first + count)
        fresh = SliceStack(volume, "axial", SPEC, "CT", in_hu=True)
        assert torch.equal(stack.images(first, last), fresh.images(first, last))


def test_slices_of_batches_one_after_the_other_are_made_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    array = np.zeros((40, 24, 30), np.int16)
    stack = SliceStack(Volume.from_array(array, (1.0, 1.0, 2.5), modality="CT"), "axial", SPEC)
    made: list[int] = []
    plain = stack._slices

    def counted(first: int, last: int) -> torch.Tensor:
        made.extend(range(first, last))
        return plain(first, last)

    monkeypatch.setattr(stack, "_slices", counted)
    for first in range(0, 40, 8):
        stack.images(first, first + 8)
    assert sorted(made) == list(range(40))
