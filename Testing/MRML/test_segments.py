"""Writing results: what stays as it was, operations, undo, status, existing segments."""

from __future__ import annotations

import mrml_helpers as helpers
import numpy as np
import pytest
import slicer
from drawn_world import (
    INSIDE_ONE,
    LEFT,
    MIDDLE,
    OVERWRITE_ALL,
    OVERWRITE_NONE,
    OVERWRITE_VISIBLE,
    RIGHT,
    SHAPE,
    box,
)

from TextPromptSegLib.outcome import InputError
from TextPromptSegLib.prompting.prompt import Prompt
from TextPromptSegMRML.editing import SavedState
from TextPromptSegMRML.provenance import read_provenance
from TextPromptSegMRML.segments import write_segment


def test_without_settings_existing_segments_stay_byte_for_byte(world):
    before = world.snapshot()
    entries = world.write(helpers.result("liver", MIDDLE), helpers.result("spleen", LEFT | RIGHT))
    after = world.snapshot()
    assert {key: after[key] for key in before} == before
    np.testing.assert_array_equal(world.voxels(entries[0].segment_id), MIDDLE)
    np.testing.assert_array_equal(world.voxels(entries[1].segment_id), LEFT | RIGHT)
    assert world.names() == ["my left", "my right", "liver", "spleen"]


def test_names_stay_unique(world):
    for _ in range(3):
        world.write(helpers.result("liver", MIDDLE))
    assert world.names()[2:] == ["liver", "liver_1", "liver_2"]
    ids = world.node.GetSegmentation().GetSegmentIDs()
    assert len(set(ids)) == len(ids)


def test_segments_of_one_run_do_not_take_voxels_from_each_other(world):
    editor = world.editor(OverwriteMode=OVERWRITE_ALL)
    liver, tumour = box((1, 9), (1, 11), (1, 13)), box((4, 6), (5, 8), (5, 8))
    entries = world.write(
        helpers.result("liver", liver), helpers.result("liver tumor", tumour), editor_node=editor
    )
    np.testing.assert_array_equal(world.voxels(entries[0].segment_id), liver)
    np.testing.assert_array_equal(world.voxels(entries[1].segment_id), tumour)
    assert not world.voxels(world.left).any()  # the user's mode frees older segments
    assert editor.GetOverwriteMode() == OVERWRITE_ALL


@pytest.mark.parametrize(
    "operation,expected",
    [
        ("set", MIDDLE),
        ("add", LEFT | MIDDLE),
        ("remove", LEFT & ~MIDDLE & 1),
        ("intersect", LEFT & MIDDLE),
    ],
)
def test_operations_on_the_selected_segment(world, operation, expected):
    editor = world.editor(OverwriteMode=OVERWRITE_NONE)
    (entry,) = world.write(
        helpers.result("liver", MIDDLE),
        segment_id=world.left,
        operation=operation,
        editor_node=editor,
    )
    assert entry.segment_id == world.left and entry.voxels == expected.sum()
    np.testing.assert_array_equal(world.voxels(world.left), expected)
    np.testing.assert_array_equal(world.voxels(world.right), RIGHT)
    assert world.names() == ["my left", "my right"]  # the user's name stays
    tags = read_provenance(world.node.GetSegmentation().GetSegment(world.left))
    assert tags["Prompt"] == "liver" and tags["Operation"] == operation


def test_several_results_change_one_segment_together(world):
    world.write(
        helpers.result("liver", MIDDLE),
        helpers.result("spleen", RIGHT),
        segment_id=world.left,
        operation="remove",
    )
    np.testing.assert_array_equal(world.voxels(world.left), LEFT & ~(MIDDLE | RIGHT) & 1)
    tags = read_provenance(world.node.GetSegmentation().GetSegment(world.left))
    assert tags["Prompt"] == "liver; spleen"


def test_set_of_several_results_leaves_a_filled_segment_alone(world):
    before = world.snapshot()
    entries = world.write(
        helpers.result("liver", MIDDLE), helpers.result("spleen", RIGHT), segment_id=world.left
    )
    after = world.snapshot()
    assert {key: after[key] for key in before} == before
    assert [e.name for e in entries] == ["liver", "spleen"]


def test_nothing_found_writes_nothing_and_takes_no_undo_step(world):
    calls = []
    before = world.snapshot()
    empty = helpers.result("liver", np.zeros(SHAPE))
    for options in ({}, {"segment_id": world.left}, {"segment_id": world.left, "operation": "add"}):
        assert world.write(empty, save_state=lambda: calls.append(1), **options) == []
    assert world.snapshot() == before and calls == []
    (entry,) = world.write(empty, keep_empty=True)
    assert entry.voxels == 0 and world.names()[-1] == "liver"


@pytest.mark.parametrize("operation", ["remove", "intersect"])
def test_operations_that_need_a_segment_say_so(world, operation):
    with pytest.raises(InputError, match="Select the segment"):
        world.write(helpers.result("liver", MIDDLE), operation=operation)


def test_what_does_not_exist_is_refused(world):
    with pytest.raises(InputError, match="does not exist any more"):
        world.write(helpers.result("liver", MIDDLE), segment_id="gone")
    with pytest.raises(InputError, match="is no operation"):
        world.write(helpers.result("liver", MIDDLE), operation="merge")
    slicer.mrmlScene.RemoveNode(world.node)
    with pytest.raises(InputError, match="not in the scene any more"):
        world.write(helpers.result("liver", MIDDLE))


def test_surfaces_are_refused_instead_of_converted(world):
    segmentation = world.node.GetSegmentation()
    segmentation.CreateRepresentation("Closed surface")
    segmentation.SetSourceRepresentationName("Closed surface")
    with pytest.raises(InputError, match="closed surface"):
        world.write(helpers.result("liver", MIDDLE))
    assert world.names() == ["my left", "my right"]


def test_one_undo_step_takes_back_a_whole_run(world):
    saved = SavedState()
    before = world.snapshot()
    editor = world.editor(OverwriteMode=OVERWRITE_ALL)
    world.write(
        helpers.result("liver", MIDDLE),
        helpers.result("spleen", LEFT),
        helpers.result("right kidney", RIGHT),
        editor_node=editor,
        save_state=lambda: saved.save(world.node),
    )
    after = world.snapshot()
    assert len(after) == 5 and after[world.left] != before[world.left]
    assert saved.undo()
    assert world.snapshot() == before
    assert not saved.undo()
    assert saved.redo()
    assert world.snapshot() == after


@pytest.mark.parametrize("operation", ["set", "add", "remove", "intersect"])
def test_undo_of_an_edit_through_the_users_editor_logic(world, operation):
    """The same history that the Undo button of Segment Editor uses."""
    editor = world.editor(OverwriteMode=OVERWRITE_ALL)
    logic = slicer.vtkSlicerSegmentEditorLogic()
    logic.SetMRMLScene(slicer.mrmlScene)
    logic.SetSegmentEditorNode(editor)
    before = world.snapshot()
    world.write(
        helpers.result("liver", MIDDLE), segment_id=world.left, operation=operation, logic=logic
    )
    assert world.snapshot() != before
    logic.Undo()
    assert world.snapshot() == before
    assert not logic.CanUndo()


def test_the_users_editor_node_is_only_read(world):
    editor = world.editor(
        OverwriteMode=OVERWRITE_VISIBLE,
        MaskMode=INSIDE_ONE,
        MaskSegmentID=world.right,
        SelectedSegmentID=world.left,
        SourceVolumeIntensityMask=True,
        SourceVolumeIntensityMaskRange=(0, 90),
    )
    before = editor.GetMTime()
    nodes = slicer.mrmlScene.GetNumberOfNodes()
    world.write(helpers.result("liver", MIDDLE), editor_node=editor)
    world.write(helpers.result("liver", MIDDLE), editor_node=editor, segment_id=world.left)
    assert editor.GetMTime() == before
    assert slicer.mrmlScene.GetNumberOfNodes() == nodes


def test_a_failure_half_way_leaves_no_segment_behind(world, monkeypatch):
    from TextPromptSegMRML.editing import Editor

    before = world.snapshot()
    plain, calls = Editor.write_plain, []

    def fail(self, *args):
        calls.append(args)
        if len(calls) == 2:
            raise InputError("no memory")
        plain(self, *args)

    monkeypatch.setattr(Editor, "write_plain", fail)
    with pytest.raises(InputError, match="no memory"):
        world.write(helpers.result("liver", MIDDLE), helpers.result("spleen", LEFT))
    assert world.snapshot() == before


def test_a_segment_in_another_lattice_is_edited_right(world):
    """`set` of the logic clears the wrong voxels of a segment that was drawn on another image."""
    shape = (9, 11, 13)
    other = helpers.volume_node(
        np.zeros(shape, np.int16),
        helpers.placed(np.diag([-1.0, -1, 1]), shape, spacing=(2, 2, 2), centre=(1, 1, 1)),
    )
    drawn = np.zeros(shape, np.uint8)
    drawn[3:6, 3:8, 3:9] = 1
    imported = helpers.add_segment(world.node, "imported", drawn, other)
    write_segment(world.node, world.volume, helpers.result("liver", MIDDLE), segment_id=imported)
    np.testing.assert_array_equal(world.voxels(imported), MIDDLE)


def test_status_is_in_progress_until_a_person_has_checked(world):
    (entry,) = world.write(helpers.result("liver", MIDDLE))
    segment = world.node.GetSegmentation().GetSegment(entry.segment_id)
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    assert logic.GetSegmentStatus(segment) == logic.InProgress


def test_names_say_what_was_cut_away(world):
    upper = Prompt(
        "upper left lung", "left lung", "lung", "left", thirds=("upper",), container="left lung"
    )
    tumour = helpers.prompt("tumor")
    minus = helpers.prompt("liver", minus=(tumour,))
    world.write(helpers.result(upper, MIDDLE), helpers.result(minus, MIDDLE))
    first, second = world.names()[2:]
    assert "upper" in first and "left lung" in first
    assert second == "liver without tumor"
