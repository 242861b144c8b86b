"""Which segment the effect changes, and a segment's prompt again."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import pump
from helpers import add_segment


def test_first_segment_is_selected(bench) -> None:
    bench.type("liver")
    bench.apply()
    selected = bench.editor.currentSegmentID()
    assert bench.segmentation.GetSegmentation().GetSegment(selected).GetName() == "liver"


def test_segment_id_of_another_segmentation_is_no_selection(bench, slicer) -> None:
    """Segment Editor keeps the selected ID when an empty segmentation is chosen."""
    bench.node.SetSelectedSegmentID("Segment_7")
    bench.type("liver")
    assert "found" in bench.apply() and bench.names() == ["liver"]


def test_result_goes_where_it_was_asked_for(bench) -> None:
    """Selecting another segment during the run changes nothing."""
    block = np.zeros((16, 64, 64))
    block[3:6, 10:20, 10:20] = 1
    first, second = add_segment(bench, "mine", block), add_segment(bench, "yours", block)
    bench.node.SetOverwriteMode(bench.node.OverwriteNone)
    bench.editor.setCurrentSegmentID(first)
    bench.type("slow liver, liver")
    bench.choose("Operation", "add")
    bench.widget("Apply").click()
    assert pump(60, until=lambda: bench.widget("Progress").value > 2)
    bench.editor.setCurrentSegmentID(second)
    assert pump(60, until=bench.idle)
    assert bench.mask("mine").sum() > block.sum() == bench.mask("yours").sum()


def test_again_takes_prompt_checkpoint_and_threshold_of_the_segment(bench) -> None:
    bench.widget("Again").click()
    assert "made by a text prompt" in bench.outcome()
    bench.type("liver")
    bench.widget("Threshold").value = 0.8
    bench.apply()
    before = bench.mask("liver").copy()
    first = bench.editor.currentSegmentID()
    bench.node.SetSelectedSegmentID("")
    bench.widget("ThresholdAuto").click()
    bench.type("spleen")
    bench.apply()
    bench.editor.setCurrentSegmentID(first)
    bench.widget("Again").click()
    assert bench.widget("Line").text == "liver"
    assert bench.widget("Threshold").value == pytest.approx(0.8)
    bench.apply()
    assert bench.names() == ["liver", "spleen"] and np.array_equal(bench.mask("liver"), before)
