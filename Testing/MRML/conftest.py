"""A fresh headless scene per test, and makers of nodes and results."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed: skipped")

import vtk  # noqa: E402

# The pictures are tiny: on a busy machine threads cost a hundred times what they save.
vtk.vtkSMPTools.Initialize(1)
vtk.vtkMultiThreader.SetGlobalMaximumNumberOfThreads(1)

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
    # Slicer has one from the start; elsewhere it would appear at the first question for it.
    slicer.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy(current)
    yield current
    current.Clear(0)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def world(scene):
    """A volume and a segmentation with two drawn segments."""
    from drawn_world import World

    return World()
