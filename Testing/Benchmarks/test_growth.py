"""How cost grows: exponents over slices, prompts and cases, 1 being in proportion."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_setup import PROFILE, best_of, ct, give_presence, stand_in, write_cases

from TextPromptSegLib.inference.device import keep_freed_memory
from TextPromptSegLib.inference.predictor import SlicePredictor
from TextPromptSegLib.jobs.batch import run_batch
from TextPromptSegLib.prompting.prompts import parse_prompts

NAMES = list(PROFILE)
MOST = 1.1


@pytest.fixture(autouse=True)
def as_the_command_line_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_freed_memory()
    give_presence(monkeypatch)


def exponent(sizes: dict[int, float]) -> float:
    """Return the slope of log(time) over log(size), least squares."""
    return float(np.polyfit(np.log(list(sizes)), np.log(list(sizes.values())), 1)[0])


def test_over_slices(table_row: Any) -> None:
    predictor = SlicePredictor(stand_in(), "cpu", cache_bytes=0)
    times = {}
    for count in (16, 32, 64):
        predictor.set_volume(ct((count, 512, 512)))
        times[count] = best_of(lambda: predictor.segment(NAMES[:2]), rounds=2)
    table_row("growth over slices (16 to 64), exponent", exponent(times), "in proportion", 1, "")
    assert exponent(times) <= MOST, times


def test_over_prompts(table_row: Any) -> None:
    predictor = SlicePredictor(stand_in(), "cpu", cache_bytes=0)
    predictor.set_volume(ct((48, 512, 512)))
    predictor.segment(NAMES[:1])  # warm
    times = {n: best_of(lambda n=n: predictor.segment(NAMES[:n]), rounds=2) for n in (1, 2, 4, 8)}
    table_row("growth over prompts (1 to 8), exponent", exponent(times), "in proportion", 1, "")
    assert exponent(times) <= MOST, times


def test_over_cases(tmp_path: Path, table_row: Any) -> None:
    predictor = SlicePredictor(stand_in(), "cpu")
    prompts = parse_prompts(NAMES[0])

    def made(*_: Any) -> SlicePredictor:
        return predictor

    times = {}
    for count in (2, 4, 8):
        images = write_cases(tmp_path / f"in{count}", count, ct((16, 512, 512)))

        def batch(images: Path = images) -> None:
            done = run_batch(
                images, prompts, tmp_path / "out", predictor_factory=lambda *_: predictor
            )
            assert done.count("done") == len(list(images.iterdir()))

        times[count] = best_of(batch, 2, time.perf_counter)
    table_row("growth over cases (2 to 8), exponent", exponent(times), "in proportion", 1, "")
    assert exponent(times) <= MOST, times
