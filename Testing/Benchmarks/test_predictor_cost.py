"""What a run costs, as ratios within one run, so that a slow or busy machine does not matter.

The numbers asserted are the project's promises (issue "Type a prompt, get a segmentation").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_setup import (
    CHEST_NAMES,
    PROFILE,
    best_of,
    chest_ct,
    clock,
    ct,
    give_presence,
    plain_loop,
    stand_in,
    trained,
)

from TextPromptSegLib.data.datasets import Dataset
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference.device import keep_freed_memory
from TextPromptSegLib.inference.engines.slice_engine import SliceEngine
from TextPromptSegLib.inference.predictor import SlicePredictor

NAMES = list(PROFILE)[:4]
CHEST = {
    "one": ("heart",),
    "lungs": ("right lung", "left lung"),
    "three": ("heart", "aorta", "trachea"),
    "ten": CHEST_NAMES,
}
FOUR_PROMPTS = 2.2
OUTSIDE_NETWORK = 0.15
AGREEMENT = 0.995


@pytest.fixture(autouse=True)
def as_the_command_line_runs() -> None:
    keep_freed_memory()


@pytest.fixture
def predictor(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlicePredictor]:
    give_presence(monkeypatch)
    predictor = SlicePredictor(stand_in(), "cpu", cache_bytes=0)
    predictor.set_volume(ct((48, 512, 512)))
    predictor.segment(NAMES[:1])  # warm
    yield predictor


def test_four_prompts_cost_little_more_than_one(predictor: SlicePredictor, table_row: Any) -> None:
    four = best_of(lambda: predictor.segment(NAMES))
    one = best_of(lambda: predictor.segment(NAMES[:1]))
    table_row("four prompts, 48 slices", four, "one prompt", one, "s")
    assert four <= FOUR_PROMPTS * one, f"{four / one:.2f} x"


@pytest.fixture(scope="module")
def chest() -> Volume:
    return chest_ct()


@pytest.mark.parametrize("names", CHEST.values(), ids=CHEST)
def test_most_time_is_the_networks(
    chest: Volume, monkeypatch: pytest.MonkeyPatch, table_row: Any, names: Sequence[str]
) -> None:
    """The shipped checkpoint on a real chest CT; lungs are completed, the rest cut and filled."""
    predictor = SlicePredictor(trained(), "cpu", cache_bytes=0)
    predictor.set_volume(chest)
    predictor.segment(list(names))  # warm
    spent, asked = [0.0], SliceEngine._network

    def network(engine: SliceEngine, forward: Any) -> Any:
        started = clock()
        try:
            return asked(engine, forward)
        finally:
            spent[0] += clock() - started

    monkeypatch.setattr(SliceEngine, "_network", network)
    runs = []
    for _ in range(3):
        spent[0] = 0.0
        total = best_of(lambda: predictor.segment(list(names)), rounds=1)
        runs.append((1 - spent[0] / total, total))
    share, total = min(runs)
    what = f"outside the network, chest CT of {len(chest.array)} slices: {said(names)}"
    table_row(what, share * total, "the whole answer", total, "s")
    assert share <= OUTSIDE_NETWORK, f"{share:.1%}"


def said(names: Sequence[str]) -> str:
    """Return prompts as a row of the table says them."""
    return ", ".join(names) if len(names) < 4 else f"{len(names)} prompts"


def test_second_run_on_the_same_volume_needs_no_encoder(
    monkeypatch: pytest.MonkeyPatch, table_row: Any
) -> None:
    give_presence(monkeypatch)
    predictor = SlicePredictor(stand_in(), "cpu")
    volume = ct((48, 256, 256))
    predictor.set_volume(volume)
    predictor.segment(NAMES[:1])
    assert len(predictor._cache) == 48
    predictor.segment(NAMES[:1])
    seconds = predictor.seconds
    table_row(
        "image part of a second run", seconds["image"], "its decoding", seconds["decode"], "s"
    )
    assert predictor.seconds["image"] < 0.1 * predictor.seconds["decode"]


def test_new_threshold_is_immediate(monkeypatch: pytest.MonkeyPatch, table_row: Any) -> None:
    """A slider on one slice must redraw in under 100 ms; a whole volume may take longer."""
    give_presence(monkeypatch)
    predictor = SlicePredictor(stand_in(), "cpu")
    predictor.set_volume(ct((48, 512, 512)), slices=(24, 25))
    (answer,) = predictor.segment(NAMES[:1])
    spent = best_of(lambda: predictor.rethreshold(answer, 0.3), rounds=20)
    table_row("another threshold, one slice", spent, "promised", 0.1, "s")
    assert spent < 0.1


def test_half_precision_gives_the_same_masks(shared_data: Path) -> None:
    """Dice between bfloat16 with gating and the plain float32 loop, on a validation CT."""
    checkpoint = trained()
    case = Dataset.read(shared_data / "ct_abdomen_btcv").split("val")[0]
    first = int(np.flatnonzero(case.mask("spleen").any(axis=(1, 2)))[0])
    volume = case.volume()
    volume = replace(volume, array=volume.array[first : first + 24].copy())
    predictor = SlicePredictor(checkpoint, "cpu", "bfloat16")
    predictor.set_volume(volume)
    for name in ("liver", "spleen", "left kidney"):
        expected = plain_loop(checkpoint, volume, name) > 0
        (answer,) = predictor.segment([name])
        found = np.asarray(answer.probability) >= 0.5
        assert expected.sum() > 1000
        overlap = 2 * (found & expected).sum() / (found.sum() + expected.sum())
        assert overlap >= AGREEMENT, f"{name}: {overlap:.4f}"
