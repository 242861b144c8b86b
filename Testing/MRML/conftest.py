"""A fresh headless scene per test, and makers of nodes and results."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed: skipped")

ROOT = Path(__file__).resolve().parents[2]
for _folder in (str(ROOT), str(ROOT / "TextPromptSeg"), str(Path(__file__).parent)):
    if _folder not in sys.path:
        sys.path.insert(0, _folder)


@pytest.fixture
def scene():
    """Yield the headless scene, empty before and after."""
    from TextPromptSegMRML.scene import headless_scene

    current = headless_scene()
    current.Clear(0)
    yield current
    current.Clear(0)


@pytest.fixture
def rng():
    return np.random.default_rng(7)
