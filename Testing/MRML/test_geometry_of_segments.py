"""Where results land: orientations, sides, transforms, segmentations of another geometry."""

from __future__ import annotations

import mrml_helpers as helpers
import numpy as np
import pytest
import slicer
import slicer.util
import vtk

from TextPromptSegLib.outcome import InputError
from TextPromptSegMRML.runs import new_segmentation, write_run
from TextPromptSegMRML.segments import write_segment
from TextPromptSegMRML.volumes import volume_from_node

SHAPE = (8, 9, 10)


def right_side(volume):
    """What a predictor does: the patient's right, found in canonical LPS, given back as stored."""
    canonical = volume.canonical("LPS")
    mask = np.zeros(canonical.shape, np.uint8)
    mask[2:5, 2:6, : canonical.shape[2] // 2] = 1  # small i in LPS is the patient's right
    return volume.orientation("LPS").invert(mask)


@pytest.mark.parametrize("letters,directions", helpers.all_orientations(), ids=lambda v: str(v)[:3])
def test_right_is_the_patients_right_in_all_orientations(scene, letters, directions):
    matrix = helpers.placed(directions, SHAPE, centre=(0, 20, -30))
    node = helpers.volume_node(np.zeros(SHAPE, np.int16), matrix)
    volume = volume_from_node(node)
    mask = right_side(volume)
    segmentation, written = write_run(node, volume, [helpers.result("right kidney", mask)])
    segment_id = written[0].segment_id
    np.testing.assert_array_equal(helpers.voxels(segmentation, segment_id, node), mask)
    centre = helpers.segment_world_centre(segmentation, segment_id)
    assert centre[0] > 1  # +R
    np.testing.assert_allclose(centre, helpers.world_points(mask, matrix).mean(axis=0), atol=1e-4)


@pytest.mark.parametrize("letters,directions", helpers.all_orientations()[::7])
def test_mirroring_voxels_with_their_matrix_changes_nothing(scene, letters, directions):
    matrix = helpers.placed(directions, SHAPE)
    centres = []
    for mirrored in (False, True):
        place = matrix.copy()
        if mirrored:  # i runs the other way, voxels and matrix alike
            place[:3, 3] += place[:3, 0] * (SHAPE[2] - 1)
            place[:3, 0] *= -1
        node = helpers.volume_node(np.zeros(SHAPE, np.int16), place)
        volume = volume_from_node(node)
        result = helpers.result("right lung", right_side(volume))
        segmentation, written = write_run(node, volume, [result])
        centres.append(helpers.segment_world_centre(segmentation, written[0].segment_id))
    np.testing.assert_allclose(centres[0], centres[1], atol=1e-4)
    assert centres[0][0] > 0


def oblique(shape=SHAPE, angle=25):
    turn = vtk.vtkTransform()
    turn.RotateWXYZ(angle, 1, 2, 3)
    directions = slicer.util.arrayFromVTKMatrix(turn.GetMatrix())[:3, :3]
    return helpers.placed(directions, shape, centre=(3, 4, 5))


def test_oblique_and_tilted_voxels_come_back_exactly(scene, rng):
    tilted = oblique()
    tilted[:3, 2] += 0.3 * tilted[:3, 1]  # gantry tilt: the axes are no longer at right angles
    for matrix in (oblique(), tilted):
        node = helpers.volume_node(np.zeros(SHAPE, np.int16), matrix)
        volume = volume_from_node(node)
        mask = (rng.random(SHAPE) > 0.6).astype(np.uint8)
        segmentation, written = write_run(node, volume, [helpers.result("liver", mask)])
        assert written[0].voxels == mask.sum() and written[0].cut == 0
        centre = helpers.segment_world_centre(segmentation, written[0].segment_id)
        np.testing.assert_allclose(
            centre, helpers.world_points(mask, matrix).mean(axis=0), atol=1e-3
        )


def block(shape=SHAPE):
    mask = np.zeros(shape, np.uint8)
    mask[2:5, 3:7, 1:4] = 1
    return mask


def test_a_linear_transform_of_the_volume_is_taken_over(scene):
    node = helpers.volume_node(np.zeros(SHAPE, np.int16), oblique())
    turn = vtk.vtkTransform()
    turn.Translate(30, -20, 10)
    turn.RotateX(40)
    moved = helpers.linear_transform(slicer.util.arrayFromVTKMatrix(turn.GetMatrix()))
    node.SetAndObserveTransformNodeID(moved.GetID())
    volume = volume_from_node(node)
    segmentation, written = write_run(node, volume, [helpers.result("liver", block())])
    assert segmentation.GetTransformNodeID() == moved.GetID()
    segment_id = written[0].segment_id
    np.testing.assert_array_equal(helpers.voxels(segmentation, segment_id, node), block())
    expected = helpers.world_points(block(), volume.ijk_to_ras).mean(axis=0)
    found = helpers.segment_world_centre(segmentation, segment_id)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    # Later the user corrects the transform: both move together.
    moved.SetMatrixTransformToParent(vtk.vtkMatrix4x4())
    expected = helpers.world_points(block(), oblique()).mean(axis=0)
    found = helpers.segment_world_centre(segmentation, segment_id)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_volume_and_segmentation_under_different_transforms(scene):
    node = helpers.volume_node(np.zeros(SHAPE, np.int16), helpers.placed(np.eye(3), SHAPE))
    shift = [[1, 0, 0, 3.0], [0, 1, 0, -4.0], [0, 0, 1, 5.0], [0, 0, 0, 1]]
    node.SetAndObserveTransformNodeID(helpers.linear_transform(shift).GetID())
    segmentation = helpers.segmentation_node()
    turn = vtk.vtkTransform()
    turn.RotateZ(90)
    turned = helpers.linear_transform(slicer.util.arrayFromVTKMatrix(turn.GetMatrix()))
    segmentation.SetAndObserveTransformNodeID(turned.GetID())
    wide = helpers.placed(np.eye(3), (50, 50, 50), spacing=(0.5, 0.5, 0.5))
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(
        helpers.volume_node(np.zeros((50, 50, 50), np.uint8), wide)
    )
    volume = volume_from_node(node)
    entry = write_segment(segmentation, node, helpers.result("liver", block()), volume=volume)
    expected = helpers.world_points(block(), volume.ijk_to_ras).mean(axis=0)
    found = helpers.segment_world_centre(segmentation, entry.segment_id)
    np.testing.assert_allclose(found, expected, atol=0.5)
    voxel_mm3 = np.prod(helpers.SPACING)
    assert entry.voxels * 0.125 == pytest.approx(block().sum() * voxel_mm3, rel=0.1)


def test_a_non_linear_transform_of_the_volume(scene):
    shape = (24, 26, 28)
    matrix = helpers.placed(np.diag([-1.0, -1, 1]), shape, spacing=(2, 2, 2))
    node = helpers.volume_node(np.zeros(shape, np.int16), matrix)
    corners = np.array([[x, y, z] for x in (-30, 30) for y in (-30, 30) for z in (-30, 30)], float)
    bend = helpers.bend_transform(
        [*corners, [5, 5, 0]], [*(corners + [2.0, 0, 0]), [12.0, 2.0, -3.0]]
    )
    node.SetAndObserveTransformNodeID(bend.GetID())
    volume = volume_from_node(node)
    index = volume.ras_to_index(np.array([12.0, 2.0, -3.0])).round().astype(int)[::-1]
    mask = np.zeros(volume.shape, np.uint8)
    mask[tuple(slice(n - 2, n + 3) for n in index)] = 1
    segmentation, written = write_run(node, volume, [helpers.result("liver", mask)])
    # In the world the segment is where the mask was ...
    found = helpers.segment_world_centre(segmentation, written[0].segment_id)
    np.testing.assert_allclose(
        found, helpers.world_points(mask, volume.ijk_to_ras).mean(axis=0), atol=1.0
    )
    # ... and in the node's own voxels it is where these voxels were before the transform.
    inner = helpers.voxels(segmentation, written[0].segment_id, node)
    np.testing.assert_allclose(
        helpers.world_points(inner, matrix).mean(axis=0), [5, 5, 0], atol=2.0
    )
    with pytest.raises(InputError, match="run it again"):
        write_segment(segmentation, node, helpers.result("spleen", mask))  # lattice not given


def test_a_segmentation_of_another_resolution(scene):
    coarse = helpers.volume_node(np.zeros(SHAPE, np.int16), oblique())
    segmentation = helpers.segmentation_node()
    fine = helpers.placed(np.eye(3), (60, 60, 60), spacing=(0.75, 0.75, 0.75))
    grid = helpers.volume_node(np.zeros((60, 60, 60), np.uint8), fine)
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(grid)
    entry = write_segment(segmentation, coarse, helpers.result("liver", block()))
    found = helpers.segment_world_centre(segmentation, entry.segment_id)
    expected = helpers.world_points(block(), oblique()).mean(axis=0)
    np.testing.assert_allclose(found, expected, atol=0.4)
    volume_mm3 = block().sum() * np.prod(helpers.SPACING)
    assert entry.voxels * 0.75**3 == pytest.approx(volume_mm3, rel=0.05)
    # Nearest neighbour against a plain computation of every voxel.
    points = helpers.world_points(np.ones((60, 60, 60)), fine)
    inverse = np.linalg.inv(oblique())
    index = np.round(points @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
    inside = np.all((index >= 0) & (index < np.array(SHAPE[::-1])), axis=1)
    expected = np.zeros(60**3, np.uint8)
    expected[inside] = block()[tuple(index[inside].T[::-1])]
    found = helpers.voxels(segmentation, entry.segment_id, grid).ravel()
    assert np.count_nonzero(found != expected) <= 0.005 * entry.voxels  # ties between voxels


def test_a_cropped_segmentation_says_what_it_cut_off(scene):
    matrix = helpers.placed(np.eye(3), SHAPE)
    node = helpers.volume_node(np.zeros(SHAPE, np.int16), matrix)
    cropped = matrix.copy()
    cropped[:3, 3] = (matrix @ [2, 0, 0, 1])[:3]  # begins at i = 2
    segmentation = helpers.segmentation_node()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(
        helpers.volume_node(np.zeros((SHAPE[0], SHAPE[1], SHAPE[2] - 2), np.uint8), cropped)
    )
    entry = write_segment(segmentation, node, helpers.result("liver", block()))
    assert entry.voxels == block()[:, :, 2:].sum()
    assert entry.cut == pytest.approx(1 / 3, abs=0.02)
    assert "outside the geometry" in entry.note
    away = matrix.copy()
    away[:3, 3] += 1000
    segmentation = helpers.segmentation_node()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(
        helpers.volume_node(np.zeros(SHAPE, np.uint8), away)
    )
    entry = write_segment(segmentation, node, helpers.result("liver", block()))
    assert entry.voxels == 0 and entry.cut == 1.0 and "100%" in entry.note


def test_a_segmentation_without_geometry_takes_the_volumes(scene):
    node = helpers.volume_node(np.zeros(SHAPE, np.int16), oblique())
    segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    entry = write_segment(segmentation, node, helpers.result("liver", block()))
    np.testing.assert_array_equal(helpers.voxels(segmentation, entry.segment_id, node), block())


def test_a_new_segmentation_is_named_after_the_volume(scene):
    node = helpers.volume_node(np.zeros(SHAPE, np.int16), name="CT")
    names = [new_segmentation(node).GetName() for _ in range(2)]
    assert names[0] == "CT segmentation" and names[1] != names[0]


def test_a_mask_of_another_shape_is_refused(scene):
    node = helpers.volume_node(np.zeros(SHAPE, np.int16))
    segmentation = helpers.segmentation_node(node)
    with pytest.raises(InputError, match="run it again"):
        write_segment(segmentation, node, helpers.result("liver", np.ones((2, 3, 4))))
    assert segmentation.GetSegmentation().GetNumberOfSegments() == 0
