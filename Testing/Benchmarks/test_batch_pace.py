"""How many cases a minute a batch does, in step and one stage after the other; distinct images."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bench_setup import (
    PROFILE,
    best_of,
    chest_ct,
    ct,
    give_presence,
    stand_in,
    trained,
    write_cases,
)

from TextPromptSegLib.inference.device import keep_freed_memory
from TextPromptSegLib.inference.predictor import SlicePredictor
from TextPromptSegLib.jobs.batch import run_batch
from TextPromptSegLib.jobs.batch_case import BatchJob
from TextPromptSegLib.jobs.batch_stages import run_case
from TextPromptSegLib.jobs.cases import find_cases
from TextPromptSegLib.prompting.prompts import parse_prompts

CASES, SLICES = 6, 40
REAL, PROMISED = 4, 16
NAME = next(iter(PROFILE))


def test_real_ct_in_a_batch(tmp_path: Path, table_row: Any) -> None:
    """The shipped checkpoint on chest CTs of 3 mm, each with its own noise; lungs and heart."""
    trained()
    keep_freed_memory()
    images = write_cases(tmp_path / "images", REAL, chest_ct())
    spent = []
    for number in range(2):  # the first loads the checkpoint
        started = time.perf_counter()
        done = run_batch(images, "right lung, left lung, heart", tmp_path / f"out{number}")
        spent.append(time.perf_counter() - started)
        assert done.count("done") == REAL
    what = f"batch, {REAL} chest CTs of 113 slices (.nii.gz), three prompts"
    table_row(what, 60 * REAL / min(spent), "promised", PROMISED, "cases/min")


def test_stages_in_step_are_quicker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table_row: Any
) -> None:
    keep_freed_memory()
    images = write_cases(tmp_path / "images", CASES, ct((SLICES, 512, 512)))
    give_presence(monkeypatch)
    predictor = SlicePredictor(stand_in(), "cpu")
    prompts = tuple(parse_prompts(NAME))
    job = BatchJob(prompts, tmp_path, factory=lambda _model, _device: predictor)

    def one_by_one() -> None:
        folder = tmp_path / "apart"
        for case in find_cases(images, folder):
            assert run_case(predictor, case, replace(job, output_dir=folder)).status == "done"

    def in_step() -> None:
        done = run_batch(images, prompts, tmp_path / "step", predictor_factory=job.factory)
        assert done.count("done") == CASES

    in_step()  # warm: the reader's process, the network's memory
    other, ours = (best_of(run, 2, time.perf_counter) for run in (one_by_one, in_step))
    paces = (60 * CASES / ours, 60 * CASES / other)
    what = f"batch, {CASES} CTs of {SLICES} slices (.nii.gz), one prompt"
    table_row(what, paces[0], "stages one after the other", paces[1], "cases/min")
    assert ours < other
