"""Settings of the Segment Editor hold for results: overwrite mode, editable area, intensities."""

from __future__ import annotations

import mrml_helpers as helpers
import numpy as np
import pytest
import slicer
from drawn_world import (
    EVERYWHERE,
    INSIDE_ALL,
    INSIDE_ONE,
    INSIDE_VISIBLE,
    LEFT,
    MIDDLE,
    OUTSIDE_ALL,
    OUTSIDE_VISIBLE,
    OVERWRITE_ALL,
    OVERWRITE_NONE,
    OVERWRITE_VISIBLE,
    RIGHT,
    SHAPE,
    World,
    box,
)

from TextPromptSegLib.outcome import InputError
from TextPromptSegMRML.geometry import image_array


@pytest.mark.parametrize("path", ["new", "edited"])
@pytest.mark.parametrize(
    "mode,left_stays,right_stays",
    [
        (OVERWRITE_NONE, True, True),
        (OVERWRITE_ALL, False, False),
        (OVERWRITE_VISIBLE, False, True),
    ],
)
def test_overwrite_modes(world, path, mode, left_stays, right_stays):
    world.hide(world.right)
    target = None
    if path == "edited":
        target = helpers.add_segment(world.node, "mine", box((0, 1), (0, 1), (0, 1)), world.volume)
    editor = world.editor(OverwriteMode=mode)
    (entry,) = world.write(helpers.result("liver", MIDDLE), editor_node=editor, segment_id=target)
    np.testing.assert_array_equal(world.voxels(entry.segment_id), MIDDLE)
    for segment_id, mask, stays in [
        (world.left, LEFT, left_stays),
        (world.right, RIGHT, right_stays),
    ]:
        expected = mask if stays else mask & ~MIDDLE & 1
        np.testing.assert_array_equal(world.voxels(segment_id), expected)


@pytest.mark.parametrize("path", ["new", "edited"])
@pytest.mark.parametrize(
    "mode,allowed",
    [
        (EVERYWHERE, np.ones(SHAPE, np.uint8)),
        (INSIDE_ALL, LEFT | RIGHT),
        (INSIDE_VISIBLE, LEFT),
        (OUTSIDE_ALL, 1 - (LEFT | RIGHT)),
        (OUTSIDE_VISIBLE, 1 - LEFT),
        (INSIDE_ONE, RIGHT),
    ],
)
def test_editable_area(world, path, mode, allowed):
    world.hide(world.right)
    target = None
    if path == "edited":
        corner = box((0, 1), (0, 1), (0, 1))
        target = helpers.add_segment(world.node, "mine", corner, world.volume)
        world.hide(target)
    editor = world.editor(MaskMode=mode, MaskSegmentID=world.right, OverwriteMode=OVERWRITE_NONE)
    before = {s: world.voxels(s) for s in (world.left, world.right)}
    (entry,) = world.write(
        helpers.result("liver", MIDDLE), editor_node=editor, segment_id=target, operation="add"
    )
    found = world.voxels(entry.segment_id)
    found[0, 0, 0] = 0
    np.testing.assert_array_equal(found, MIDDLE & allowed)
    expected_share = 1 - (MIDDLE & allowed).sum() / MIDDLE.sum()
    assert entry.masked == pytest.approx(expected_share)
    assert ("Masking" in entry.note) == (expected_share > 0.005)
    for segment_id, mask in before.items():
        np.testing.assert_array_equal(world.voxels(segment_id), mask)


def test_masks_are_those_from_before_the_run(world):
    """The tumor must not be masked by the liver of the same run, nor by what the liver erased."""
    body = helpers.add_segment(world.node, "body", np.ones(SHAPE), world.volume)
    tumour = box((4, 6), (5, 8), (5, 8))
    for mode in (INSIDE_ONE, INSIDE_ALL):
        editor = world.editor(MaskMode=mode, MaskSegmentID=body, OverwriteMode=OVERWRITE_ALL)
        entries = world.write(
            helpers.result("liver", MIDDLE | tumour),
            helpers.result("liver tumor", tumour),
            editor_node=editor,
        )
        np.testing.assert_array_equal(world.voxels(entries[1].segment_id), tumour)
    editor = world.editor(MaskMode=OUTSIDE_ALL, OverwriteMode=OVERWRITE_ALL)
    world.node.GetSegmentation().RemoveAllSegments()
    entries = world.write(
        helpers.result("liver", MIDDLE), helpers.result("liver tumor", tumour), editor_node=editor
    )
    np.testing.assert_array_equal(world.voxels(entries[1].segment_id), tumour)


@pytest.mark.parametrize("path", ["new", "edited"])
def test_intensity_range(world, path):
    target = None
    if path == "edited":
        corner = box((0, 1), (0, 1), (0, 1))
        target = helpers.add_segment(world.node, "mine", corner, world.volume)
    editor = world.editor(
        OverwriteMode=OVERWRITE_NONE,
        SourceVolumeIntensityMask=True,
        SourceVolumeIntensityMaskRange=(55, 85),  # i = 6, 7, 8
    )
    (entry,) = world.write(
        helpers.result("liver", MIDDLE), editor_node=editor, segment_id=target, operation="add"
    )
    found = world.voxels(entry.segment_id)
    found[0, 0, 0] = 0
    expected = MIDDLE.copy()
    expected[:, :, :6] = expected[:, :, 9:] = 0
    assert expected.any()
    np.testing.assert_array_equal(found, expected)


def test_intensity_range_without_a_source_volume_is_refused(world):
    editor = helpers.editor_node(world.node, None, SourceVolumeIntensityMask=True)
    for target in (None, world.left):
        with pytest.raises(InputError, match="no source volume"):
            world.write(helpers.result("liver", MIDDLE), editor_node=editor, segment_id=target)


def test_intensity_range_of_a_source_volume_with_another_geometry(world):
    """The range holds for the editor's source volume, resampled to the segmentation."""
    shape = (20, 24, 28)
    matrix = helpers.placed(np.diag([-1.0, -1, 1]), shape, spacing=np.array(helpers.SPACING) / 2)
    fine = np.zeros(shape, np.int16)
    fine[:, :, 14:] = 100
    source = helpers.volume_node(fine, matrix)
    editor = helpers.editor_node(
        world.node,
        source,
        OverwriteMode=OVERWRITE_NONE,
        SourceVolumeIntensityMask=True,
        SourceVolumeIntensityMaskRange=(90, 110),
    )
    (entry,) = world.write(helpers.result("liver", MIDDLE), editor_node=editor)
    expected = MIDDLE.copy()
    expected[:, :, :7] = 0
    np.testing.assert_array_equal(world.voxels(entry.segment_id), expected)


MASK_MODES = (EVERYWHERE, INSIDE_ALL, INSIDE_VISIBLE, OUTSIDE_ALL, OUTSIDE_VISIBLE, INSIDE_ONE)
OVERWRITE_MODES = (OVERWRITE_ALL, OVERWRITE_VISIBLE, OVERWRITE_NONE)


@pytest.mark.parametrize("mode", MASK_MODES)
@pytest.mark.parametrize("operation", ["set", "add", "remove", "new"])
def test_the_same_as_an_effect_that_calls_the_logic_itself(scene, rng, operation, mode):
    """Random masks, with and without an intensity range, against plain calls of Slicer's logic."""
    for intensity in (False, True):
        overwrite = OVERWRITE_MODES[(mode + intensity) % 3]
        masks = [(rng.random(SHAPE) > 0.5).astype(np.uint8) for _ in range(4)]
        ours, twin = World(masks[:2]), World(masks[:2])
        for world in (ours, twin):
            world.hide(world.right)
            segmentation = world.node.GetSegmentation()
            world.target = segmentation.AddEmptySegment("", "target")
            if operation != "new":
                slicer.util.updateSegmentBinaryLabelmapFromArray(
                    masks[2], world.node, world.target, world.volume
                )
            world.settings = world.editor(
                MaskMode=mode,
                MaskSegmentID=world.right,
                OverwriteMode=overwrite,
                SourceVolumeIntensityMask=intensity,
                SourceVolumeIntensityMaskRange=(25, 95),
                SelectedSegmentID=world.target,
            )
        ours.write(
            helpers.result("liver", masks[3]),
            segment_id=ours.target,
            operation="set" if operation == "new" else operation,
            editor_node=ours.settings,
        )
        native = {"set": "Set", "add": "Add", "remove": "Remove", "new": "Set"}[operation]
        as_an_effect(twin, native, masks[3])
        for name in ("left", "right", "target"):
            np.testing.assert_array_equal(
                ours.voxels(getattr(ours, name)), twin.voxels(getattr(twin, name)), name
            )


def as_an_effect(world, mode, mask):
    logic = slicer.vtkSlicerSegmentEditorLogic()
    logic.SetMRMLScene(slicer.mrmlScene)
    logic.SetSegmentEditorNode(world.settings)
    logic.ResetModifierLabelmapToDefault()
    modifier = logic.GetModifierLabelmap()
    image_array(modifier)[:] = mask
    modifier.Modified()
    logic.ModifySegmentByLabelmap(
        world.node, world.target, modifier, getattr(logic, f"ModificationMode{mode}"), True, False
    )


def test_intersect_keeps_the_segment_outside_the_editable_area(world):
    editor = world.editor(
        SourceVolumeIntensityMask=True,
        SourceVolumeIntensityMaskRange=(0, 35),  # i = 0 .. 3
        OverwriteMode=OVERWRITE_NONE,
    )
    mask = box((4, 6), (5, 8), (2, 6))
    world.write(
        helpers.result("liver", mask),
        segment_id=world.left,
        operation="intersect",
        editor_node=editor,
    )
    expected = LEFT & mask
    expected[:, :, 4:] = LEFT[:, :, 4:]
    np.testing.assert_array_equal(world.voxels(world.left), expected)
