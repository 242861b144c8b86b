"""Peak memory of a large run, measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MOST_MB = 3000


@pytest.mark.skipif(sys.platform == "win32", reason="the module resource is not on Windows")
def test_large_ct_with_three_prompts_stays_under_three_gigabytes() -> None:
    probe = Path(__file__).with_name("memory_probe.py")
    done = subprocess.run(
        [sys.executable, str(probe)], capture_output=True, text=True, check=True, timeout=600
    )
    peak = float(done.stdout.split()[-1])
    assert peak < MOST_MB, f"{peak:.0f} MB"
