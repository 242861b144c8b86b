"""The scenarios that run inside the Slicer application, run here on the test bed."""

from __future__ import annotations

import importlib.util
import sys
import unittest
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[1] / "Slicer" / "TextPromptSegEffectTest.py"


def load():
    spec = importlib.util.spec_from_file_location("TextPromptSegEffectTest", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["TextPromptSegEffectTest"] = module
    spec.loader.exec_module(module)
    return module.TextPromptSegEffectTest


NAMES = [
    "test_apply_and_undo",
    "test_preview_and_threshold",
    "test_cancel",
    "test_masking",
    "test_crash_and_closed_scene",
    "test_panel",
]


@pytest.mark.parametrize("name", NAMES)
def test_scenario(slicer, monkeypatch, name: str) -> None:
    from bed.effects import qSlicerSegmentEditorEffectFactory as factory

    monkeypatch.setattr(sys, "path", list(sys.path))
    listeners = list(factory.instance().listeners)
    outcome = unittest.TestResult()
    load()(name).run(outcome)
    factory.instance().listeners[:] = listeners
    problems = [text for _case, text in outcome.failures + outcome.errors]
    assert outcome.testsRun == 1 and not problems, problems[0]


def test_all_scenarios_are_run_here(slicer) -> None:
    assert sorted(NAMES) == sorted(n for n in dir(load()) if n.startswith("test_"))
