"""Volume nodes as `Volume`: place in the patient, transforms, kinds of voxels, modality."""

from __future__ import annotations

import mrml_helpers as helpers
import numpy as np
import pytest
import slicer
import slicer.util
import vtk

from TextPromptSegLib.image.modality import taken_for
from TextPromptSegLib.outcome import InputError
from TextPromptSegMRML.volumes import frame_node, modality_of, sequence_of, volume_from_node

SHAPE = (6, 7, 8)


def coordinates(matrix, shape=SHAPE):
    """A picture whose value is a different function of R, A and S at every voxel centre."""
    k, j, i = np.indices(shape)
    r, a, s = (
        matrix[row, 0] * i + matrix[row, 1] * j + matrix[row, 2] * k + matrix[row, 3]
        for row in range(3)
    )
    return r + 100 * a + 10000 * s


@pytest.mark.parametrize("letters,directions", helpers.all_orientations(), ids=lambda v: str(v)[:3])
def test_every_orientation_lies_where_it_lies_in_the_patient(scene, letters, directions):
    matrix = helpers.placed(directions, SHAPE, centre=(5, -7, 11))
    node = helpers.volume_node(coordinates(matrix), matrix)
    volume = volume_from_node(node)
    assert volume.axcodes == letters
    canonical = volume.canonical("LPS")
    expected = coordinates(canonical.ijk_to_ras, canonical.shape)
    np.testing.assert_allclose(canonical.array, expected, atol=1e-6)
    # i grows to the patient's left whatever the order in the file was.
    assert canonical.ijk_to_ras[0, 0] < 0


@pytest.mark.parametrize("angle", [12.0, 44.0, 50.0])
def test_oblique_keeps_its_true_matrix(scene, angle):
    turn = vtk.vtkTransform()
    turn.RotateWXYZ(angle, 1, 2, 3)
    directions = slicer.util.arrayFromVTKMatrix(turn.GetMatrix())[:3, :3]
    matrix = helpers.placed(directions, SHAPE)
    volume = volume_from_node(helpers.volume_node(coordinates(matrix), matrix))
    np.testing.assert_allclose(volume.ijk_to_ras, matrix, atol=1e-6)


def test_voxels_are_shared_and_read_only(scene, rng):
    array = rng.normal(size=SHAPE).astype(np.float32)
    node = helpers.volume_node(array)
    volume = volume_from_node(node)
    assert np.shares_memory(volume.array, slicer.util.arrayFromVolume(node))
    with pytest.raises(ValueError, match="read-only"):
        volume.array[0, 0, 0] = 1
    assert slicer.util.arrayFromVolume(node).flags.writeable
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), array)


@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"]
)
def test_every_voxel_type_keeps_its_values(scene, dtype):
    array = np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(dtype)
    volume = volume_from_node(helpers.volume_node(array))
    np.testing.assert_array_equal(volume.array, array)


def test_nan_and_infinity_are_left_to_the_intensity_step(scene):
    array = np.ones(SHAPE, np.float32)
    array[0, 0, :3] = [np.nan, np.inf, -np.inf]
    volume = volume_from_node(helpers.volume_node(array))
    np.testing.assert_array_equal(volume.array, array)


def test_single_slice(scene):
    volume = volume_from_node(helpers.volume_node(np.zeros((1, 30, 40), np.uint8)))
    assert volume.shape == (1, 30, 40) and volume.is_2d


def test_linear_parents_are_multiplied(scene):
    matrix = helpers.placed(np.eye(3), SHAPE)
    node = helpers.volume_node(coordinates(matrix), matrix)
    turn = vtk.vtkTransform()
    turn.Translate(10, 20, 30)
    turn.RotateZ(30)
    inner = helpers.linear_transform(slicer.util.arrayFromVTKMatrix(turn.GetMatrix()))
    outer = helpers.linear_transform(np.diag([-1.0, 1, 1, 1]))  # a mirror: left becomes right
    inner.SetAndObserveTransformNodeID(outer.GetID())
    node.SetAndObserveTransformNodeID(inner.GetID())
    volume = volume_from_node(node)
    first = slicer.util.arrayFromVTKMatrix(turn.GetMatrix())
    np.testing.assert_allclose(volume.ijk_to_ras, np.diag([-1.0, 1, 1, 1]) @ first @ matrix)
    assert "hardened" not in volume.meta
    assert np.shares_memory(volume.array, slicer.util.arrayFromVolume(node))


def test_non_linear_parent_is_resampled_into_the_world(scene):
    shape = (24, 26, 28)
    matrix = helpers.placed(np.diag([-1.0, -1, 1]), shape, spacing=(2, 2, 2))
    k, j, i = np.indices(shape)
    world = np.stack(
        [matrix[r, 0] * i + matrix[r, 1] * j + matrix[r, 2] * k + matrix[r, 3] for r in range(3)],
        axis=-1,
    )
    place = np.array([6.0, -4.0, 2.0])
    blob = 1000 * np.exp(-((world - place) ** 2).sum(-1) / (2 * 4.0**2))
    node = helpers.volume_node(blob.astype(np.float32), matrix)
    corners = np.array([[x, y, z] for x in (-30, 30) for y in (-30, 30) for z in (-30, 30)])
    bend = helpers.bend_transform(
        [*corners, place], [*(corners + [3.0, 0, 0]), place + [9.0, 4.0, -3.0]]
    )
    node.SetAndObserveTransformNodeID(bend.GetID())
    volume = volume_from_node(node)
    assert volume.meta["hardened"] is True
    peak = np.unravel_index(np.argmax(volume.array), volume.shape)[::-1]
    found = volume.index_to_ras(np.array(peak, float))
    np.testing.assert_allclose(found, place + [9.0, 4.0, -3.0], atol=2.1)
    # Every voxel is the value of the original at the point that the transform brings there.
    inverse = vtk.vtkGeneralTransform()
    bend.GetTransformFromWorld(inverse)
    ramp = helpers.volume_node(coordinates(matrix, shape), matrix)  # linear: exact in between
    ramp.SetAndObserveTransformNodeID(bend.GetID())
    bent = volume_from_node(ramp)
    for index in [(14, 12, 12), (16, 11, 11), (10, 14, 13)]:
        back = inverse.TransformPoint(*bent.index_to_ras(np.array(index, float)))
        expected = back[0] + 100 * back[1] + 10000 * back[2]
        assert bent.array[index[::-1]] == pytest.approx(expected, abs=20)  # 0.002 mm
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), blob.astype(np.float32))


def test_the_hardened_copy_covers_what_was_moved_out_of_the_old_box(scene):
    shape = (10, 12, 14)
    node = helpers.volume_node(np.full(shape, 7, np.int16), helpers.placed(np.eye(3), shape))
    corners = np.array([[x, y, z] for x in (-20, 20) for y in (-20, 20) for z in (-20, 20)], float)
    bend = helpers.bend_transform([*corners, [0, 0, 0]], [*(corners + [200, 0, 0]), [203, 0, 0]])
    node.SetAndObserveTransformNodeID(bend.GetID())
    volume = volume_from_node(node)
    assert (volume.array == 7).sum() > 0.7 * np.prod(shape)
    assert volume.index_to_ras(np.array(volume.shape[::-1]) / 2)[0] == pytest.approx(200, abs=8)


def test_a_wild_transform_is_refused(scene):
    node = helpers.volume_node(np.zeros(SHAPE, np.int16), helpers.placed(np.eye(3), SHAPE))
    corners = np.array([[x, y, z] for x in (-9, 9) for y in (-9, 9) for z in (-9, 9)], float)
    bend = helpers.bend_transform([*corners, [0, 0, 0]], [*(corners * 40), [50, 0, 0]])
    node.SetAndObserveTransformNodeID(bend.GetID())
    with pytest.raises(InputError, match="stretches it too far"):
        volume_from_node(node)


@pytest.mark.parametrize("channels", [3, 4])
def test_colour_becomes_luminance(scene, channels, rng):
    array = rng.integers(0, 255, (1, 5, 6, channels)).astype(np.uint8)
    node = helpers.volume_node(array, class_name="vtkMRMLVectorVolumeNode")
    volume = volume_from_node(node)
    expected = array[..., :3] @ np.array([0.299, 0.587, 0.114])
    assert volume.shape == (1, 5, 6)
    np.testing.assert_allclose(volume.array, expected, atol=1e-3)


def test_an_x_ray_that_is_shown_inverted_is_inverted(scene):
    array = np.arange(30, dtype=np.uint16).reshape(1, 5, 6)
    node = helpers.volume_node(array)
    node.SetAttribute("DICOM.Modality", "DX")
    assert volume_from_node(node).array[0, 0, 0] == 0
    node.GetDisplayNode().SetAndObserveColorNodeID("vtkMRMLColorTableNodeInvertedGrey")
    volume = volume_from_node(node)
    assert volume.modality == "CXR" and volume.array[0, 0, 0] == 29
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), array)
    node.SetAttribute("DICOM.Modality", "CT")
    assert volume_from_node(node).array[0, 0, 0] == 0


@pytest.mark.parametrize(
    "class_name,shape,message",
    [
        ("vtkMRMLLabelMapVolumeNode", (3, 4, 5), "is a label map"),
        ("vtkMRMLVectorVolumeNode", (3, 4, 5, 2), "2 values per voxel"),
    ],
)
def test_what_is_no_image_is_refused_with_a_sentence(scene, class_name, shape, message):
    node = helpers.volume_node(np.zeros(shape, np.int16), class_name=class_name)
    with pytest.raises(InputError, match=message):
        volume_from_node(node)


def test_nothing_and_empty_nodes_are_refused(scene):
    with pytest.raises(InputError, match="No volume is selected"):
        volume_from_node(None)
    with pytest.raises(InputError, match="holds no voxels"):
        volume_from_node(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty"))
    with pytest.raises(InputError, match="is no image volume"):
        volume_from_node(scene.AddNewNodeByClass("vtkMRMLModelNode", "model"))


@pytest.mark.parametrize(
    "name,expected",
    [
        ("CTChest", "CT"),
        ("CT-MONAI", "CT"),
        ("CTACardio", "CT"),
        ("MRHead", "MR"),
        ("patient 3 T2 MR", "MR"),
        ("CXR_1", "CXR"),
        ("contrast", None),
        ("ACTION", None),
        ("CTV", None),
        ("fused CT and MR", None),
        ("image", None),
    ],
)
def test_modality_from_the_name_only_when_it_is_plain(scene, name, expected):
    assert modality_of(helpers.volume_node(np.zeros(SHAPE), name=name)) == expected


@pytest.mark.parametrize("named", ["PT", "US", "XA"])
def test_modality_that_no_checkpoint_knows_is_named_whatever_the_name_says(scene, named):
    node = helpers.volume_node(np.zeros(SHAPE), name="PET CT 5 mm")
    node.SetAttribute("DICOM.Modality", named)
    volume = volume_from_node(node)
    assert volume.modality is None and volume.meta["dicom_modality"] == named
    assert f"this is {named}" in taken_for(volume).sentence


def test_modality_from_dicom_comes_before_the_name(scene):
    node = helpers.volume_node(np.zeros(SHAPE), name="CTChest")
    tree = slicer.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy(scene)
    study = tree.CreateStudyItem(tree.GetSceneItemID(), "study")
    item = tree.CreateItem(study, node)
    key = slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMSeriesModalityAttributeName()
    tree.SetItemAttribute(item, key, "MR")
    assert volume_from_node(node).modality == "MR"
    tree.SetItemAttribute(item, key, "PT")  # a modality that no checkpoint knows
    assert modality_of(helpers.volume_node(np.zeros(SHAPE), name="pet")) is None
    units = slicer.vtkCodedEntry()
    units.SetValueSchemeMeaning("[hnsf'U]", "UCUM", "Hounsfield unit")
    other = helpers.volume_node(np.zeros(SHAPE), name="series 4")
    other.SetVoxelValueUnits(units)
    assert modality_of(other) == "CT"


def make_sequence(scene, count=3, browser=True):
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "dynamic")
    for number in range(count):
        frame = helpers.volume_node(
            np.full(SHAPE, number, np.int16), helpers.placed(np.eye(3), SHAPE)
        )
        sequence.SetDataNodeAtValue(frame, str(number * 10))
        scene.RemoveNode(frame)
    if not browser:
        return sequence, None, None
    shown = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "browser")
    shown.AddSynchronizedSequenceNode(sequence)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(shown)
    return sequence, shown, shown.GetProxyNode(sequence)


def test_frames_of_a_sequence(scene):
    sequence, browser, proxy = make_sequence(scene)
    assert sequence_of(proxy) == (sequence, browser)
    for frame in range(3):
        for node in (sequence, proxy):
            volume = volume_from_node(node, frame)
            assert (volume.array == frame).all() and volume.meta["frame"] == frame
    assert (volume_from_node(proxy).array == 0).all()
    assert "frame" not in volume_from_node(proxy).meta
    with pytest.raises(InputError, match="there is no frame 3"):
        frame_node(proxy, 3)
    with pytest.raises(InputError, match="is one volume, not a sequence"):
        volume_from_node(helpers.volume_node(np.zeros(SHAPE)), 1)


def test_frames_have_the_transform_of_the_proxy(scene):
    sequence, _browser, proxy = make_sequence(scene)
    moved = helpers.linear_transform([[1, 0, 0, 40], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    proxy.SetAndObserveTransformNodeID(moved.GetID())
    for node in (sequence, proxy):
        volume = volume_from_node(node, 2)
        centre = volume.index_to_ras((np.array(SHAPE[::-1]) - 1) / 2)
        np.testing.assert_allclose(centre, [40, 0, 0], atol=1e-9)
    corners = np.array([[x, y, z] for x in (-9, 9) for y in (-9, 9) for z in (-9, 9)], float)
    bend = helpers.bend_transform([*corners, [0, 0, 0]], [*(corners + [0, 30, 0]), [0, 31, 0]])
    proxy.SetAndObserveTransformNodeID(bend.GetID())
    volume = volume_from_node(sequence, 2)
    assert volume.meta["hardened"] and (volume.array == 2).sum() > 0.6 * np.prod(SHAPE)
    assert volume.index_to_ras(np.array(volume.shape[::-1]) / 2)[1] == pytest.approx(30, abs=5)
