"""The scenarios that run inside the Slicer application, run here on the test bed."""

from __future__ import annotations

import importlib.util
import os
import sys
import unittest
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "Slicer"


def load(name: str):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return getattr(module, name)


SCENARIOS = {
    "TextPromptSegEffectTest": [
        "test_a_run_goes_on_under_another_effect",
        "test_apply_and_undo",
        "test_cancel",
        "test_crash_and_closed_scene",
        "test_hints_and_candidates",
        "test_masking",
        "test_operations",
        "test_parse_is_shown_before_a_run",
        "test_preview_and_threshold",
        "test_preview_leaves_nothing_in_a_saved_scene",
        "test_ranges",
        "test_scene_changes_during_a_run",
        "test_tiny_network",
        "test_undo_of_the_selected_segment",
    ],
    "TextPromptSegHintsTest": [
        "test_a_moved_box_moves_the_preview",
        "test_again",
        "test_candidates",
        "test_draw_a_box",
        "test_maps_over_the_image",
        "test_passes",
        "test_points_inside_and_outside",
    ],
    "TextPromptSegPanelTest": [
        "test_batch_over_a_folder",
        "test_batch_with_a_failed_case",
        "test_cancel_and_crash",
        "test_candidates_as_segments",
        "test_checkpoint_manager",
        "test_closed_scene",
        "test_copy_as_python",
        "test_nothing_is_installed",
        "test_overlays",
        "test_sample_data",
        "test_segments_table_and_undo",
        "test_sequence",
    ],
    "TextPromptSegSegmentsTest": [
        "test_another_structure_becomes_a_segment_of_its_own",
        "test_editable_area",
        "test_empty_segment_takes_name_codes_and_colour",
        "test_overwrite_modes",
        "test_selection_of_another_segmentation",
        "test_several_structures_do_not_eat_each_other",
        "test_sides_in_turned_images",
    ],
}
# Three processes that import torch; Testing/Lib/worker has a quicker test of the same way.
SLOW = {"test_tiny_network"}
ALL = [
    pytest.param(name, scenario, marks=[pytest.mark.slow] if scenario in SLOW else [])
    for name, scenarios in SCENARIOS.items()
    for scenario in scenarios
]


def test_what_runs_is_the_source_tree_or_the_installation_that_was_asked_for(slicer) -> None:
    from bed.install import LIBRARY, PRODUCT

    places = {"TextPromptSeg": PRODUCT, "TextPromptSegGUI": PRODUCT, "TextPromptSegMRML": PRODUCT}
    places["TextPromptSegLib"] = LIBRARY
    for name in ("effect.controller", "panel.panel"):
        importlib.import_module(f"TextPromptSegGUI.{name}")
    found = {
        name: module.__file__
        for name, module in sys.modules.items()
        if name.partition(".")[0] in places and getattr(module, "__file__", None)
    }
    wrong = {
        name: file
        for name, file in found.items()
        if not Path(file).is_relative_to(places[name.partition(".")[0]])
    }
    assert len(found) > 20 and not wrong


@pytest.mark.parametrize(("name", "scenario"), ALL)
def test_scenario(slicer, monkeypatch, output, name: str, scenario: str) -> None:
    from bed.effects import qSlicerSegmentEditorEffectFactory as factory

    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("TEXTPROMPTSEG_SCREENSHOTS", str(output))
    listeners = list(factory.instance().listeners)
    outcome = unittest.TestResult()
    load(name)(scenario).run(outcome)
    factory.instance().listeners[:] = listeners
    problems = [text for _case, text in outcome.failures + outcome.errors]
    assert outcome.testsRun == 1 and not problems, problems[0]
    assert not outcome.skipped, outcome.skipped


HIDDEN = """
import sys
for name in {names!r}:
    sys.modules[name] = None
"""


@pytest.fixture
def bare_interpreter(monkeypatch, tmp_path) -> None:
    """The widgets find none of what Install would install, and no process that they start does."""
    from TextPromptSegGUI.shared import dependencies

    lacking = [dependencies.Package("torch>=2.6", "torch", "", 200)]
    monkeypatch.setattr(dependencies, "packages", lambda: lacking)
    names = [module for module, _size in dependencies._FACTS.values()]
    (tmp_path / "sitecustomize.py").write_text(HIDDEN.format(names=names), encoding="utf-8")
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.setattr(dependencies, "_complete", [])


@pytest.mark.parametrize(
    ("name", "scenario"),
    [
        ("TextPromptSegEffectTest", "test_apply_and_undo"),
        ("TextPromptSegPanelTest", "test_closed_scene"),
    ],
)
def test_scenarios_need_none_of_the_packages(
    slicer, monkeypatch, output, bare_interpreter, name: str, scenario: str
) -> None:
    """The machine that builds extensions has none of them."""
    from TextPromptSegGUI.shared import dependencies

    assert dependencies.missing_sentence()
    test_scenario(slicer, monkeypatch, output, name, scenario)
    assert dependencies.missing_sentence(), "the self test puts back what it found"


def test_a_scenario_that_needs_them_is_skipped_and_the_others_run(
    slicer, monkeypatch, bare_interpreter
) -> None:
    kind = load("TextPromptSegEffectTest")
    monkeypatch.setattr(sys, "path", list(sys.path))
    outcome = unittest.TestResult()
    kind("test_tiny_network").run(outcome)
    assert len(outcome.skipped) == 1 and not outcome.errors and not outcome.failures
    ran: list[str] = []
    for scenario in SCENARIOS["TextPromptSegEffectTest"]:
        monkeypatch.setattr(kind, scenario, lambda _self, name=scenario: ran.append(name))

    def needs_them(self):
        self.skipTest("not installed")

    monkeypatch.setattr(kind, "test_cancel", needs_them)
    kind("runTest").runTest()  # "Reload and Test"
    assert ran == [name for name in SCENARIOS["TextPromptSegEffectTest"] if name != "test_cancel"]


@pytest.mark.parametrize("name", SCENARIOS)
def test_all_scenarios_are_run_here(slicer, name: str) -> None:
    assert SCENARIOS[name] == sorted(n for n in dir(load(name)) if n.startswith("test_"))
