"""Fresh contrasts from labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_data import write_dataset

from TextPromptSegLib.data.batches import BatchPlan, BatchStream
from TextPromptSegLib.data.datasets import Dataset
from TextPromptSegLib.data.phrases import PhraseBook
from TextPromptSegLib.data.sampling import SliceSampler
from TextPromptSegLib.data.slices import NameRules, TrainingSlice, case_slices
from TextPromptSegLib.data.synthesis import Synthesiser, tissue_map
from TextPromptSegLib.image.intensity import InputSpec
from TextPromptSegLib.prompting.vocabulary import Vocabulary

SIDE = 64


def _disc(row: int, column: int, radius: int) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE]
    disc: np.ndarray = (y - row) ** 2 + (x - column) ** 2 < radius**2
    return disc


RIGHT, LEFT = _disc(32, 20, 7), _disc(32, 44, 7)


def _slice(dataset: str = "labels", channels: int = 2) -> TrainingSlice:
    rng = np.random.default_rng(0)
    stored = np.where(_disc(32, 32, 28), 120 + 8 * rng.standard_normal((SIDE, SIDE)), 0)
    stored = stored.clip(0, 255).astype(np.uint8)
    masks = {"right kidney": RIGHT, "left kidney": LEFT, "kidneys": RIGHT | LEFT}
    return TrainingSlice(
        image=np.stack([stored] * channels),
        valid=(0, 0, SIDE, SIDE),
        masks={n: np.packbits(m, axis=1) for n, m in masks.items()},
        absent=("liver",),
        dataset=dataset,
        modality="CT",
        key="a/axial0",
    )


def test_tissues_are_labels_over_steps_of_grey_and_both_sides_are_one() -> None:
    tissues, names = tissue_map(_slice())
    assert names[0] == "air" and names[-2:] == ["kidneys", "kidney"]
    assert set(np.unique(tissues[RIGHT | LEFT])) == {names.index("kidney")}
    assert (tissues[~_disc(32, 32, 28)] == 0).all()


def test_each_draw_has_its_own_contrast_and_keeps_the_labels() -> None:
    item = _slice()
    draw = Synthesiser([item], {"labels": 1.0})
    drawn = [draw(item, np.random.default_rng(seed)) for seed in range(40)]
    inside = np.array([d.image[0][_disc(32, 20, 5)].mean() for d in drawn])
    beside = np.array([d.image[0][_disc(32, 32, 5)].mean() for d in drawn])
    other = np.array([d.image[0][_disc(32, 44, 5)].mean() for d in drawn])
    assert inside.std() > 30 and (inside - beside).min() < -20 and (inside - beside).max() > 20
    assert np.abs(inside - other).max() < 8
    for one in drawn:
        assert one.image.shape == item.image.shape and (one.image[0] == one.image[1]).all()
        assert one.masks is item.masks and one.absent == item.absent and one.modality == "MR"
        assert one.image[0][0, 0] == 0
    again = draw(item, np.random.default_rng(3))
    assert (again.image == drawn[3].image).all() and item.modality == "CT"


def test_other_sets_and_the_rest_of_the_draws_stay_as_they_are() -> None:
    item, scan = _slice(), _slice("scans")
    draw = Synthesiser([item, scan], {"labels": 0.5})
    rng = np.random.default_rng(0)
    assert all(draw(scan, rng) is scan for _ in range(20))
    changed = sum(draw(item, rng) is not item for _ in range(200))
    assert 70 < changed < 130


def test_neighbours_are_drawn_in_the_same_contrast() -> None:
    item, above = _slice(), _slice()
    item.neighbours = (item.image[0], above.image[0])
    above.masks = {"liver": np.packbits(_disc(32, 32, 12), axis=1)}
    draw = Synthesiser([item, above], {"labels": 1.0})
    one = draw(item, np.random.default_rng(1))
    assert len(one.neighbours) == 2 and (one.neighbours[0] == one.image[0]).all()
    fat = _disc(32, 32, 26) & ~_disc(32, 32, 24) & ~RIGHT & ~LEFT
    assert one.neighbours[1][fat].mean() == pytest.approx(one.image[0][fat].mean(), abs=6)
    assert (one.neighbours[1] != one.image[0]).any()
    assert one.channels().shape == (4, SIDE, SIDE)


def test_a_stream_draws_fresh_contrasts(tmp_path: Path) -> None:

    dataset = Dataset.read(write_dataset(tmp_path))
    spec = InputSpec(size=64, multiple=16)
    slices = [s for c in dataset.cases for s in case_slices(c, spec, NameRules())]

    def first(synthesis: dict[str, float]) -> np.ndarray:
        stream = BatchStream(
            [SliceSampler(slices, {})],
            PhraseBook(Vocabulary.load()),
            lambda texts: texts,
            BatchPlan(slices=4, pairs=4, questions=1),
            synthesis=synthesis,
        )
        batch = next(iter(stream))
        assert batch["mask"].flatten(1).any(1).float().tolist() == batch["present"].tolist()
        return batch["image"].numpy()

    stored = {s.image.tobytes() for s in slices}
    for share, known in ((0.0, 4), (1.0, 0)):
        images = (first({"tiny": share}) * 255).round().astype(np.uint8)
        assert sum(i.tobytes() in stored for i in images) == known
