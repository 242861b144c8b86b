"""Peak memory of large runs over slices and prompts, each measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ABOVE_THE_VOLUME_MB = 2000
SIZES = ((150, 1), (300, 3), (600, 3), (600, 10))


@pytest.mark.skipif(sys.platform == "win32", reason="the module resource is not on Windows")
@pytest.mark.parametrize(("slices", "prompts"), SIZES)
def test_a_large_ct_needs_little_above_its_voxels(
    slices: int, prompts: int, table_row: Any
) -> None:
    probe = Path(__file__).with_name("memory_probe.py")
    done = subprocess.run(
        [sys.executable, str(probe), str(slices), str(prompts)],
        capture_output=True,
        text=True,
        check=True,
        timeout=1700,
    )
    peak, volume = map(float, done.stdout.split()[-2:])
    what = f"peak memory above the CT: {slices} slices of 512 px, prompts: {prompts}"
    table_row(what, peak - volume, "promised", ABOVE_THE_VOLUME_MB, "MB")
    assert peak - volume < ABOVE_THE_VOLUME_MB
