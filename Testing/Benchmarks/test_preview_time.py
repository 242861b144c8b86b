"""How long the user waits for the preview of one slice: worker, network, voxels back, drawing data.

The worker is loaded and has the image, as after the first preview. The window's own share is
measured in test_gui_numbers.py.
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import Any

from bench_setup import ct

from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.worker.client import WorkerClient
from TextPromptSegLib.worker.process import default_command

HERE = Path(__file__).resolve().parent
MOST_OF_ALL = 0.5


def test_preview_of_a_slice_comes_in_time(table_row: Any) -> None:
    command = [*default_command(), "--predictor", "preview_worker:load"]
    client = WorkerClient(command, {**os.environ, "PYTHONPATH": str(HERE)})
    volume, prompts = ct((40, 512, 512)), parse_prompts("left kidney")

    def preview(number: int | None) -> float:
        started = time.perf_counter()
        job = client.segment(
            volume,
            prompts,
            model="compact",
            volume_key="ct",
            slices=None if number is None else (number, number + 1),
            plane="axial",
        )
        (found,) = client.wait(job)
        assert found.probability[number or 0].any()
        return time.perf_counter() - started

    try:
        preview(0)
        times = [preview(number) for number in range(3, 36, 3)]
        changed = [preview(number) for number in (3, 6, 9)]  # features are kept
        whole = preview(None)
    finally:
        client.stop()
    middle = statistics.median(times)
    again = statistics.median(changed)
    print(f"preview {middle:.2f} s, again {again:.2f} s, all 40 slices {whole:.2f} s")
    table_row("preview of one slice, worker loaded", middle, "all 40 slices", whole, "s")
    assert middle < MOST_OF_ALL * whole and again <= middle * 1.5, times
