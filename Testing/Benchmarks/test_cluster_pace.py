"""Two Dask workers of one thread each against one process of two threads; distinct images."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import torch
from bench_setup import chest_ct, trained, write_cases

from TextPromptSegLib.inference.device import keep_freed_memory
from TextPromptSegLib.jobs.batch import run_batch

CASES, PROMPTS = 6, "right lung, left lung, heart"


def test_two_workers_beside_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table_row: Any
) -> None:
    """The shipped checkpoint on chest CTs; both sides have loaded it before."""
    distributed = pytest.importorskip("distributed")
    trained()
    keep_freed_memory()
    images = write_cases(tmp_path / "images", CASES, chest_ct(60))

    def pace(folder: str, **where: Any) -> float:
        spent = []
        for number in range(2):  # the first loads the checkpoint
            started = time.perf_counter()
            done = run_batch(images, PROMPTS, tmp_path / f"{folder}{number}", **where)
            spent.append(time.perf_counter() - started)
            assert done.count("done") == CASES
        return 60 * CASES / min(spent)

    one = pace("process")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # of the workers, which start now
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        two = pace("workers", scheduler=cluster.scheduler_address)
    what = f"batch on a cluster, {CASES} chest CTs of 60 slices: two workers of one thread"
    other = f"one process of {torch.get_num_threads()} threads"
    table_row(what, two, other, one, "cases/min")
    # The process reads, computes and writes at once, a worker one after the other.
    assert two > 0.8 * one, f"{two:.1f} and {one:.1f} cases a minute"
