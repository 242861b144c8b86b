"""A whole is divided among its parts: no voxel twice, none outside the whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_checkpoint import tiny_model
from tiny_training import RECIPE
from toy_segmenter import phantom, toy_predictor

from TextPromptSegLib.checkpoints.layout import read_config
from TextPromptSegLib.checkpoints.quality import check_entry
from TextPromptSegLib.image.intensity import InputSpec
from TextPromptSegLib.image.slice_stack import SliceStack
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference.dividing import divide, needed_for, wholes_of
from TextPromptSegLib.inference.piles import Pile
from TextPromptSegLib.outcome import Outcome
from TextPromptSegLib.training.export import export
from TextPromptSegLib.training.material import Material
from TextPromptSegLib.training.recipe import Recipe
from TextPromptSegLib.training.trials import uncalibrated

WHOLE, FRONT, BACK = "hippocampus", "anterior hippocampus", "posterior hippocampus"
PLACES = {WHOLE: 0.50, FRONT: 0.48, BACK: 0.52, "liver": 0.3}
BANDS = (0.45, 0.47, 0.49, 0.51, 0.53, 0.55)
"""The toy calls the second to the fifth the whole, one to four its front, three to six its back."""


def trained(**divides: str) -> dict[str, Any]:
    entries: dict[str, Any] = {n: {"modalities": ["CT"], "threshold": 0.5} for n in PLACES}
    for name in (FRONT, BACK):
        entries[name].update(divides)
    return entries


def bands() -> Volume:
    rows = {
        b: [(slice(5, 15), slice(8 + 4 * n, 12 + 4 * n), slice(20, 40))]
        for n, b in enumerate(BANDS)
    }
    return phantom(rows)


def hu(volume: Volume, mask: np.ndarray) -> set[float]:
    return {round(v / 1000, 2) for v in np.unique(volume.array[mask != 0]).tolist()}


def test_each_voxel_goes_to_the_likeliest_part_and_none_lies_outside() -> None:
    volume, plain = bands(), toy_predictor(PLACES, trained_prompts=trained())
    plain.set_volume(volume)
    assert hu(volume, plain.segment(FRONT)[0].mask) == {0.45, 0.47, 0.49, 0.51}
    predictor = toy_predictor(PLACES, trained_prompts=trained(divides=WHOLE))
    predictor.set_volume(volume)
    front, back, whole = predictor.segment([FRONT, BACK, WHOLE])
    assert hu(volume, front.mask) == {0.47, 0.49} and hu(volume, back.mask) == {0.51, 0.53}
    assert np.array_equal(front.mask + back.mask, whole.mask)
    (alone,) = predictor.segment(FRONT)  # the others are asked, though nobody wants them
    assert np.array_equal(alone.mask, front.mask) and alone.outcome is Outcome.FOUND
    lower = predictor.rethreshold(alone, 0.2)
    assert np.array_equal(lower.mask & back.mask, np.zeros_like(back.mask))


def test_a_part_that_is_not_there_stays_not_there() -> None:
    volume = phantom({0.53: [(slice(5, 15), slice(10, 20), slice(20, 40))]})
    entries = trained(divides=WHOLE)
    entries[FRONT]["presence_threshold"] = 0.99
    predictor = toy_predictor(PLACES, trained_prompts=entries)
    predictor.set_volume(volume)
    front, back = predictor.segment([FRONT, BACK])
    assert front.outcome is not Outcome.FOUND and back.outcome is Outcome.FOUND


def test_only_what_is_asked_for_is_asked() -> None:
    wholes = wholes_of(trained(divides=WHOLE))
    assert wholes == {FRONT: WHOLE, BACK: WHOLE}
    assert needed_for({("liver",), (FRONT, "liver")}, wholes) == set()
    assert needed_for({(FRONT,)}, wholes) == {(WHOLE,), (FRONT,), (BACK,)}
    assert wholes_of(trained(divides="cortex")) == {}  # no prompt of this checkpoint
    check_entry({"divides": WHOLE})
    with pytest.raises(ValueError, match="divides what is no name"):
        check_entry({"divides": ["a", "b"]})


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_piles_are_divided_as_whole_arrays_are(seed: int) -> None:
    rng = np.random.default_rng(seed)
    volume = Volume(np.zeros((4, 9, 11), np.int16), np.diag([-1.0, -1.0, 1.0, 1.0]))
    stack = SliceStack(volume, "axial", InputSpec())
    names = [(WHOLE,), (FRONT,), (BACK,)]
    piles, arrays = {name: Pile(stack) for name in names}, {}
    for name in names:
        for number in range(4):
            if rng.random() < 0.8:
                h, w = rng.integers(1, 10), rng.integers(1, 12)
                row, column = rng.integers(0, 10 - h), rng.integers(0, 12 - w)
                part = (rng.random((h, w)) * (rng.random((h, w)) > 0.3)).astype(np.float16)
                piles[name].put(number, int(row), int(column), part)
        arrays[name] = piles[name].whole()
    divide(piles, {FRONT: WHOLE, BACK: WHOLE}, ())
    whole, front, back = (arrays[name] for name in names)
    mine = (front > 0) & (front >= back)
    theirs = back > front  # of two that are as likely the first by name
    assert np.array_equal(piles[(FRONT,)].whole() >= 0.05, (whole >= 0.05) & mine)
    assert np.array_equal(piles[(BACK,)].whole() >= 0.05, (whole >= 0.05) & theirs)
    assert np.array_equal(piles[(WHOLE,)].whole(), whole)


def test_a_recipe_says_it_and_the_checkpoint_keeps_it(tmp_path: Path) -> None:
    values = {**RECIPE, "text_encoder": "minilm", "divides": {FRONT: WHOLE}, "calibrate": True}
    material = Material(modalities={WHOLE: {"MR"}, FRONT: {"MR"}})
    folder = export(Recipe.from_dict(values), tiny_model(), material, tmp_path / "made", {})
    entries = read_config(folder)["trained_prompts"]
    assert wholes_of(entries) == {FRONT: WHOLE} and "divides" not in entries[WHOLE]
    assert uncalibrated(entries[FRONT])["divides"] == WHOLE  # no calibration takes it away
