"""The self tests for the Slicer application, run here on slicer-core."""

from __future__ import annotations

import importlib.util
import sys
import unittest
from pathlib import Path

import mrml_helpers as helpers
import pytest

FILE = Path(__file__).resolve().parents[1] / "Slicer" / "TextPromptSegBridgeTest.py"


@pytest.fixture
def cases(scene, monkeypatch):
    monkeypatch.setitem(sys.modules, "TextPromptSeg", helpers.console_module())
    monkeypatch.setattr(sys, "path", list(sys.path))
    spec = importlib.util.spec_from_file_location("TextPromptSegBridgeTest", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.TextPromptSegBridgeTest


def test_all_scenarios(cases):
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(cases)
    assert suite.countTestCases() >= 6
    outcome = unittest.TestResult()
    suite.run(outcome)
    problems = [text for _case, text in outcome.failures + outcome.errors]
    assert not problems, problems[0]


def test_reload_and_test(cases):
    cases("runTest").runTest()


def test_the_module_runs_the_scenarios(scene, monkeypatch):
    """What Slicer's "Reload and Test" does with the module file."""
    module = helpers.console_module()
    monkeypatch.setitem(sys.modules, "TextPromptSeg", module)
    monkeypatch.setattr(sys, "path", list(sys.path))
    outcome = unittest.TestResult()
    module.TextPromptSegTest("runTest").run(outcome)
    assert outcome.wasSuccessful() and not outcome.skipped
