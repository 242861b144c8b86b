"""What the user waits for in effect and panel: counts and ratios are asserted, seconds printed.

Promised on two CPU cores: the panel opens in under 0.3 s without torch, the preview of a 512 x 512
slice comes in under 1.5 s, a threshold is redrawn in under 0.1 s, Cancel gives the window back in
under 1 s, 200 runs leave nothing behind.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUNS = 200
MOST_GROWTH_MB = 30.0


@pytest.fixture(scope="module")
def numbers() -> dict:
    pytest.importorskip("PySide6")
    pytest.importorskip("slicer")
    script = Path(__file__).with_name("measure_gui.py")
    done = subprocess.run(
        [sys.executable, str(script), str(RUNS)], capture_output=True, text=True, timeout=1500
    )
    assert "RESULT " in done.stdout, done.stderr[-3000:]
    found = json.loads(done.stdout.split("RESULT ")[1].splitlines()[0])
    print(json.dumps(found, indent=1))
    return found


@pytest.mark.timeout(1600)
def test_panel_opens_without_the_network(numbers: dict) -> None:
    assert numbers["panel_heavy"] == [] and numbers["panel_worker"] is False
    assert numbers["panel_cpu_seconds"] < numbers["preview_seconds"] * 10


def test_a_preview_asks_for_its_slice_alone(numbers: dict) -> None:
    assert numbers["preview_slices"] == [1] * 11
    assert numbers["segments"] == ["left lung"]
    assert numbers["preview_seconds"] < 0.5 * numbers["whole_seconds"]


def test_a_threshold_needs_no_run(numbers: dict) -> None:
    assert numbers["threshold_runs"] == 0
    assert numbers["threshold_seconds"] < 0.5 * numbers["preview_seconds"]


def test_cancel_gives_the_window_back_and_keeps_the_worker(numbers: dict) -> None:
    assert numbers["cancel_free"] and numbers["cancel_same_worker"]
    assert numbers["cancel_seconds"] < 0.5 * numbers["preview_seconds"]


def test_200_runs_leave_nothing(numbers: dict) -> None:
    assert numbers["runs"] == RUNS and numbers["growth"] == {}
    assert numbers["growth_mb"] < MOST_GROWTH_MB
    assert numbers["growth_worker_mb"] < MOST_GROWTH_MB
