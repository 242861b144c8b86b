"""Nothing closes or changes under the hand: undo, runs that go on, closed scenes, half words."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from bed import pythonqt
from conftest import pump
from helpers import EditorBench, add_segment

pythonqt.properties_in(__name__)


# -- undo ------------------------------------------------------------------------------------------


def test_undo_of_a_new_segment_leaves_the_effect_and_a_selection(bench) -> None:
    block = np.zeros((16, 64, 64))
    block[2:4, 10:20, 10:20] = 1
    older = add_segment(bench, "older", block)
    bench.editor.setCurrentSegmentID(older)
    bench.node.SetOverwriteMode(bench.node.OverwriteNone)
    bench.type("liver, spleen")
    bench.apply()
    assert bench.editor.currentSegmentID() not in ("", older)
    bench.editor.undo()
    pump(0.0)
    assert bench.names() == ["older"]
    assert bench.editor.activeEffect() is not None, "the effect closed"
    assert bench.editor.currentSegmentID() == older


def test_undo_of_the_first_segment_leaves_the_effect(bench) -> None:
    bench.type("liver")
    bench.apply()
    bench.editor.undo()
    pump(0.0)
    assert bench.names() == [] and bench.editor.activeEffect() is not None


# -- runs that go on -------------------------------------------------------------------------------


@pytest.fixture
def slow(bench):
    """A bench with a slow run under way."""
    bench.type("slow liver, liver")
    bench.widget("Apply").click()
    assert pump(60, until=lambda: bench.controller._run.job.done > 3), bench.outcome()
    return bench


def test_a_run_goes_on_under_another_effect(slow) -> None:
    slow.editor.setActiveEffectByName("")
    assert pump(60, until=lambda: not slow.controller.session.busy)
    assert slow.names() == ["liver"] and slow.controller._run is None
    slow.editor.undo()
    assert slow.names() == [], "one undo step, as ever"


def test_the_other_effect_keeps_its_segment(slow) -> None:
    mine = add_segment(slow, "mine", np.zeros((16, 64, 64)))
    slow.editor.setActiveEffectByName("")
    slow.editor.setCurrentSegmentID(mine)
    assert pump(60, until=lambda: not slow.controller.session.busy)
    assert slow.editor.currentSegmentID() == mine and "liver" in slow.names()
    slow.editor.setActiveEffectByName("Text prompt")
    assert "found" in slow.outcome() and slow.widget("Apply").text == "Apply"


def test_a_run_without_its_segmentation_is_given_up(slow, slicer) -> None:
    slicer.mrmlScene.RemoveNode(slow.segmentation)
    pump(0.0)
    assert slow.controller._run is None and "deleted" in slow.outcome()


# -- what belongs to a scene -----------------------------------------------------------------------


@pytest.mark.parametrize("by_the_module", [False, True])
def test_threshold_and_overlay_go_with_the_scene(bench, slicer, by_the_module: bool) -> None:
    bench.widget("Threshold").value = 0.81
    bench.choose("Overlay", "uncertainty")
    if by_the_module:  # SegmentEditor.py, onSceneStartClose: the effect is switched off first
        bench.editor.setSegmentationNode(None)
        assert bench.editor.activeEffect() is None
    slicer.mrmlScene.Clear(0)
    pump(0.0)
    assert bench.widget("ThresholdAuto").checked
    assert bench.widget("Threshold").value == pytest.approx(0.5)
    assert bench.controller.overlay() == "none"


def test_what_is_taken_from_others_is_said(bench) -> None:
    block = np.zeros((16, 64, 64))
    block[:, :, :32] = 1
    add_segment(bench, "older", block)
    add_segment(bench, "untouched", np.zeros((16, 64, 64)))
    bench.node.SetOverwriteMode(bench.node.OverwriteAllSegments)
    bench.node.SetSelectedSegmentID("")
    bench.type("liver")
    said = bench.apply()
    lost = int(block.sum() - bench.mask("older").sum())
    assert lost > 0 and f"{lost:,} voxels were taken from 'older'." in said
    assert "untouched" not in said
    bench.node.SetSelectedSegmentID(add_segment(bench, "mine", np.ones((16, 64, 64))))
    before = bench.mask("older").sum()
    said = bench.apply()
    assert before == bench.mask("older").sum() or "taken from 'older'" in said


# -- half words ------------------------------------------------------------------------------------


def test_half_a_word_moves_nothing(bench) -> None:
    from PySide6 import QtTest

    bench.type("liver")
    label = bench.widget("Parse")
    bench.editor.show()
    shown = label.text
    QtTest.QTest.keyClicks(bench.widget("Line"), ", spl")
    assert label.text == shown, "a warning about half a word"
    QtTest.QTest.keyClicks(bench.widget("Line"), "een")
    assert "spleen" in label.text


# -- interpreter -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["no/such/python", "not a path at all"])
def test_a_text_is_no_interpreter(panel, text: str) -> None:
    from TextPromptSegGUI.shared import dependencies, settings

    before = list(panel.panel.session.client.command)
    panel.find("Python").text = text
    panel.find("Python").editingFinished.emit()
    assert settings.text("PythonExecutable") == "" and panel.find("Python").text == ""
    assert "no program" in panel.find("InstallLog").plainText
    assert panel.panel.session.client.command == before
    settings.set_text("PythonExecutable", text)  # an older version kept it
    assert not dependencies.is_program(settings.text("PythonExecutable"))


def test_an_interpreter_is_asked_for_the_packages(slicer, tmp_path) -> None:
    from TextPromptSegGUI.shared.dependencies import interpreter_problem

    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\necho torch monai\n")
    fake.chmod(0o755)
    assert "lacks torch, monai" in interpreter_problem(str(fake))
    fake.write_text("#!/bin/sh\nexit 1\n")
    assert "does not run as Python" in interpreter_problem(str(fake))
    assert interpreter_problem(sys.executable) == ""


# -- colours ---------------------------------------------------------------------------------------


def test_both_lungs_differ_at_a_glance(bench) -> None:
    bench.type("left kidney, right kidney")
    bench.apply()
    segmentation = bench.segmentation.GetSegmentation()
    left, right = (segmentation.GetSegment(s) for s in segmentation.GetSegmentIDs())
    assert np.abs(np.array(left.GetColor()) - right.GetColor()).max() > 0.15
    assert left.GetTerminology().split("~")[2] == right.GetTerminology().split("~")[2]


def test_two_editors_watch_their_own_segmentation(bench, slicer) -> None:
    other = EditorBench(slicer, bench.volume)
    bench.type("liver")
    bench.apply()
    bench.editor.undo()
    pump(0.0)
    assert bench.controller.source.selected_segment_id is None and other.names() == []
    other.close()
