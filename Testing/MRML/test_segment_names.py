"""Names, codes and colours of the segments that are written, and whose segment it is."""

from __future__ import annotations

import mrml_helpers as helpers
import numpy as np
import pytest
import slicer
from drawn_world import LEFT, MIDDLE

from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.prompting.vocabulary import Vocabulary
from TextPromptSegMRML.terminology import read_terminology


def test_an_empty_segment_1_takes_name_codes_and_colour(world):
    segmentation = world.node.GetSegmentation()
    empty = segmentation.AddEmptySegment("", "Segment_1")
    entries = world.write(
        helpers.result("right kidney", MIDDLE), helpers.result("spleen", LEFT), segment_id=empty
    )
    assert [e.segment_id == empty for e in entries] == [True, False]
    assert world.names() == ["my left", "my right", "right kidney", "spleen"]
    segment = segmentation.GetSegment(empty)
    assert read_terminology(segment)["type"][2] == "Kidney"
    colour = np.array(Vocabulary.load().terminology("right kidney").colour) / 255
    np.testing.assert_allclose(segment.GetColor(), colour, atol=1e-6)


def test_an_empty_segment_with_a_name_of_its_own_keeps_it(world):
    segmentation = world.node.GetSegmentation()
    empty = segmentation.AddEmptySegment("", "reader 2")
    segmentation.GetSegment(empty).SetColor(0.1, 0.2, 0.3)
    (entry,) = world.write(helpers.result("liver", MIDDLE), segment_id=empty)
    assert entry.name == "reader 2"
    np.testing.assert_allclose(segmentation.GetSegment(empty).GetColor(), (0.1, 0.2, 0.3))
    np.testing.assert_array_equal(world.voxels(empty), MIDDLE)


@pytest.mark.parametrize("filled", [True, False])
@pytest.mark.parametrize(
    ("named", "prompt", "other"),
    [
        ("left kidney", "spleen", True),
        ("left kidney", "right kidney", True),
        ("kidneys", "left kidney", True),
        ("left lung", "upper left lung", True),
        ("hepar", "liver", False),
        ("liver_2", "liver", False),
        ("reader 2", "liver", False),
    ],
)
def test_set_leaves_a_segment_of_another_structure_alone(world, named, prompt, other, filled):
    (asked,) = parse_prompts(prompt)
    segmentation = world.node.GetSegmentation()
    if filled:
        segment_id = world.left
        segmentation.GetSegment(segment_id).SetName(named)
    else:
        segment_id = segmentation.AddEmptySegment("", named)
    before = world.voxels(segment_id).copy()
    (entry,) = world.write(helpers.result(asked, MIDDLE), segment_id=segment_id)
    assert (entry.segment_id != segment_id) is other
    np.testing.assert_array_equal(world.voxels(entry.segment_id), MIDDLE)
    assert segmentation.GetSegment(segment_id).GetName() == named
    if other:
        assert f"'{named}' was left alone" in entry.note
        np.testing.assert_array_equal(world.voxels(segment_id), before)


@pytest.mark.parametrize("operation", ["add", "remove", "intersect"])
def test_other_operations_change_a_segment_of_any_name(world, operation):
    world.node.GetSegmentation().GetSegment(world.left).SetName("left kidney")
    (entry,) = world.write(
        helpers.result("liver", MIDDLE), segment_id=world.left, operation=operation
    )
    assert entry.segment_id == world.left


def test_codes_survive_the_table_of_segment_editor(world):
    """Slicer's qMRMLSegmentsModel sets old codes again when name and codes change in one event."""
    segmentation = world.node.GetSegmentation()
    segment = segmentation.GetSegment(segmentation.AddEmptySegment("s", "Segment_1"))
    known = {"name": segment.GetName(), "codes": segment.GetTerminology()}

    def hear(_caller, _event):
        if segment.GetName() != known["name"] and segment.GetTerminology() != known["codes"]:
            segment.SetTerminology(known["codes"])
        known.update(name=segment.GetName(), codes=segment.GetTerminology())

    tag = world.node.AddObserver(slicer.vtkSegmentation.SegmentModified, hear)
    world.write(helpers.result("left kidney", MIDDLE), segment_id="s")
    world.node.RemoveObserver(tag)
    assert segment.GetName() == "left kidney"
    assert read_terminology(segment)["type"][2] == "Kidney"
