"""`TextPromptSegLogic().segment(...)` in a plain Python with slicer-core."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import mrml_helpers as helpers
import numpy as np
import pytest
import slicer
from tiny_predictor import TinyPredictor

from TextPromptSegLib.outcome import Cancelled, DependencyError, InputError, Outcome, PromptError
from TextPromptSegMRML.provenance import read_provenance
from TextPromptSegMRML.terminology import read_terminology

ROOT = Path(__file__).resolve().parents[2]
TextPromptSegLogic = helpers.console_module().TextPromptSegLogic
SHAPE = (12, 16, 20)


def picture(directions=None):
    """A body with liver, two kidneys and no spleen; (node, {name: mask})."""
    matrix = helpers.placed(np.diag([-1.0, -1, 1]) if directions is None else directions, SHAPE)
    world = helpers.world_points(np.ones(SHAPE), matrix).reshape(*SHAPE, 3)
    masks = {}
    for name, (place, radius) in {
        "liver": ((7, 6, 2), 6.0),
        "right kidney": ((8, -9, -6), 4.5),
        "left kidney": ((-8, -9, -6), 4.5),
    }.items():
        masks[name] = (((world - place) ** 2).sum(-1) < radius**2).astype(np.uint8)
        assert masks[name].sum() > 20
    array = np.zeros(SHAPE, np.int16)
    array[masks["liver"] > 0] = 100
    array[(masks["left kidney"] | masks["right kidney"]) > 0] = 200
    return helpers.volume_node(array, matrix, "CT"), masks


@pytest.fixture
def logic(scene):
    TinyPredictor.loads = 0
    return TextPromptSegLogic(predictorFactory=TinyPredictor)


def segments(node):
    segmentation = node.GetSegmentation()
    return {segmentation.GetSegment(s).GetName(): s for s in segmentation.GetSegmentIDs()}


def test_modality_of_the_user(logic):
    node, _ = picture()
    logic.segment(node, "liver", modality="MR")
    volume = logic.predictor().volumes[-1]
    assert volume.modality == "MR" and volume.meta["modality_by"] == "user"
    with pytest.raises(InputError, match="use CT, MR or CXR"):
        logic.segment(node, "liver", modality="PET")


def test_one_call(logic):
    node, masks = picture()
    segmentation = logic.segment(node, ["liver", "right kidney", "spleen", "patella"])
    assert segmentation.IsA("vtkMRMLSegmentationNode") and segmentation.GetScene() is not None
    found = segments(segmentation)
    assert list(found) == ["liver", "right kidney"]
    for name, segment_id in found.items():
        np.testing.assert_array_equal(helpers.voxels(segmentation, segment_id, node), masks[name])
    assert [r.outcome for r in logic.results] == [
        Outcome.FOUND,
        Outcome.FOUND,
        Outcome.NOT_FOUND,
        Outcome.UNKNOWN_PROMPT,
    ]
    assert [w.name for w in logic.written] == ["liver", "right kidney"]
    segment = segmentation.GetSegmentation().GetSegment(found["right kidney"])
    assert read_terminology(segment)["modifier"][2] == "Right"
    tags = read_provenance(segment)
    assert tags["Model"] == "film-unet-compact" and tags["SHA256"] == "cd" * 32


@pytest.mark.parametrize("letters,directions", helpers.all_orientations()[::5])
def test_sides_in_other_orientations(logic, letters, directions):
    node, masks = picture(directions)
    segmentation = logic.segment(node, "left kidney, right kidney")
    for name, segment_id in segments(segmentation).items():
        np.testing.assert_array_equal(helpers.voxels(segmentation, segment_id, node), masks[name])


def test_box_points_and_samples_reach_the_predictor(logic):
    node, _ = picture()
    inside = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")
    inside.AddControlPointWorld(-4.0, -8.0, 6.0)
    roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    roi.SetCenter(-4.0, -8.0, 6.0)
    roi.SetSize(8.0, 6.0, 4.0)
    logic.segment(node, "liver")
    predictor = logic.predictor()
    assert predictor.asked == {"samples": None}
    logic.segment(
        node,
        "liver",
        samples=3,
        box=roi,
        points=inside,
        outside=[(1, 2, 3), (4, 5, 6)],
        two_pass=True,
        propagate=True,
    )
    assert predictor.asked == {
        "samples": 3,
        "box": [-8.0, 0.0, -11.0, -5.0, 4.0, 8.0],
        "points": [[-4.0, -8.0, 6.0, 1], [1.0, 2.0, 3.0, 0], [4.0, 5.0, 6.0, 0]],
        "two_pass": True,
        "propagate": True,
    }
    logic.segment(node, "liver", box=(0, 1, 2, 3, 4, 5), points=[(1, 2, 3, 0), (4, 5, 6)])
    assert predictor.asked["box"] == [0, 1, 2, 3, 4, 5]
    assert predictor.asked["points"] == [[1, 2, 3, 0], [4, 5, 6, 1]]


@pytest.mark.parametrize("points", ["F", 3, [(1, 2)], [(1, 2, 3, 7)]])
def test_what_is_no_point_is_a_sentence(logic, points):
    node, _ = picture()
    with pytest.raises(InputError, match="[Pp]oint"):
        logic.segment(node, "liver", points=points)


def test_a_checkpoint_is_loaded_once(logic):
    node, _ = picture()
    for _ in range(3):
        logic.segment(node, "liver")
    assert TinyPredictor.loads == 1
    first = logic.predictor("film-unet-compact")
    logic.segment(node, "liver", model="other")
    assert TinyPredictor.loads == 2 and first.unloaded  # one at a time
    logic.unload()
    logic.segment(node, "liver", model="other")
    assert TinyPredictor.loads == 3


def test_logics_share_the_shipped_predictors(scene, monkeypatch):
    library = types.ModuleType("TextPromptSegLib.inference.predictor")  # the real one imports torch
    library.SlicePredictor = types.SimpleNamespace(from_pretrained=TinyPredictor)
    monkeypatch.setitem(sys.modules, "TextPromptSegLib.inference.predictor", library)
    TinyPredictor.loads = 0
    node, _ = picture()
    TextPromptSegLogic().unload()
    for _ in range(2):
        TextPromptSegLogic().segment(node, "liver")
    assert TinyPredictor.loads == 1
    TextPromptSegLogic().unload()


def test_a_missing_package_is_a_sentence(scene, monkeypatch):
    monkeypatch.setitem(sys.modules, "TextPromptSegLib.inference.predictor", None)
    node, _ = picture()
    with pytest.raises(DependencyError, match="press Install"):
        TextPromptSegLogic().segment(node, "liver")


def test_an_existing_segmentation_is_kept_and_undo_takes_one_step(logic):
    node, masks = picture()
    segmentation = helpers.segmentation_node(node)
    drawn = helpers.add_segment(segmentation, "liver", masks["left kidney"], node)
    before = helpers.snapshot(segmentation, node)
    returned = logic.segment(node, ["liver", "kidneys"], segmentation=segmentation)
    assert returned is segmentation
    assert list(segments(segmentation)) == ["liver", "liver_1", "kidneys"]
    assert helpers.snapshot(segmentation, node)[drawn] == before[drawn]
    assert logic.undo()
    assert helpers.snapshot(segmentation, node) == before
    assert not logic.undo()
    assert logic.redo() and len(segments(segmentation)) == 3


def test_threshold_is_passed_on(logic):
    node, masks = picture()
    array = slicer.util.arrayFromVolume(node)
    array[masks["liver"] > 0] = 108  # p = 0.6
    assert segments(logic.segment(node, "liver", threshold=0.55))
    assert not segments(logic.segment(node, "liver", threshold=0.65))
    assert logic.results[0].outcome is Outcome.BELOW_THRESHOLD


def roi_node(scene, centre, size, turn=0.0):
    roi = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "R")
    roi.SetCenter(centre)
    roi.SetSize(size)
    if turn:
        angle = np.radians(turn)
        matrix = np.eye(4)
        matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        matrix[:3, 3] = centre
        roi.SetAndObserveObjectToNodeMatrix(slicer.util.vtkMatrixFromArray(matrix))
    return roi


def test_a_region_as_node_and_as_numbers(logic, scene):
    node, masks = picture()
    roi = roi_node(scene, (8, -9, -6), (13, 13, 13))
    by_node = logic.segment(node, "kidneys", roi=roi)
    by_numbers = logic.segment(node, "kidneys", roi=(1.5, 14.5, -15.5, -2.5, -12.5, 0.5))
    for segmentation in (by_node, by_numbers):
        found = helpers.voxels(segmentation, segments(segmentation)["kidneys"], node)
        np.testing.assert_array_equal(found, masks["right kidney"])
    moved = helpers.linear_transform([[1, 0, 0, -16], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    roi.SetAndObserveTransformNodeID(moved.GetID())
    segmentation = logic.segment(node, "kidneys", roi=roi)
    found = helpers.voxels(segmentation, segments(segmentation)["kidneys"], node)
    np.testing.assert_array_equal(found, masks["left kidney"])


def test_a_turned_region_is_honoured_to_its_edges(logic, scene):
    node, masks = picture()
    roi = roi_node(scene, (7, 6, 2), (5, 40, 40), turn=45)
    segmentation = logic.segment(node, "liver", roi=roi)
    found = helpers.voxels(segmentation, segments(segmentation)["liver"], node)
    matrix = slicer.util.arrayFromVTKMatrix(roi.GetObjectToWorldMatrix())
    points = helpers.world_points(np.ones(SHAPE), helpers.ijk_to_ras(node))
    local = (points - matrix[:3, 3]) @ matrix[:3, :3]
    inside = (np.abs(local) <= np.array([2.5, 20, 20])).all(axis=1).reshape(SHAPE)
    np.testing.assert_array_equal(found, masks["liver"] * inside)
    assert 0 < found.sum() < masks["liver"].sum()
    assert logic.results[0].voxels == found.sum()


def test_wrong_regions_are_refused_before_anything_is_loaded(logic, scene):
    node, _ = picture()
    inside_out = roi_node(scene, (0, 0, 0), (5, 5, 5))
    inside_out.SetInsideOut(True)
    empty = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "empty")
    for roi, message in [
        (inside_out, "inside out"),
        (empty, "is empty"),
        (node, "is no region of interest"),
        ((1, 2, 3), "six numbers"),
        ("box", "six numbers"),
    ]:
        with pytest.raises(InputError, match=message):
            logic.segment(node, "liver", roi=roi)
    assert TinyPredictor.loads == 0
    with pytest.raises(InputError, match="outside the image"):
        logic.segment(node, "liver", roi=(900, 950, 0, 10, 0, 10))


def test_a_linear_transform_decides_the_side(logic):
    """The picture is mirrored by its transform, so the patient's right is the other kidney."""
    node, masks = picture()
    node.SetAndObserveTransformNodeID(helpers.linear_transform(np.diag([-1.0, 1, 1, 1])).GetID())
    segmentation = logic.segment(node, "right kidney")
    found = helpers.voxels(segmentation, segments(segmentation)["right kidney"], node)
    np.testing.assert_array_equal(found, masks["left kidney"])


def test_cancel_writes_nothing(logic, scene):
    node, _ = picture()
    before = scene.GetNumberOfNodes()
    with pytest.raises(Cancelled):
        logic.segment(node, "liver, spleen", progress=lambda done, total, text: done < 1)
    assert scene.GetNumberOfNodes() == before


def test_bad_input_is_refused_with_a_sentence(logic, scene):
    node, masks = picture()
    with pytest.raises(InputError, match="No volume is selected"):
        logic.segment(None, "liver")
    with pytest.raises(PromptError):
        logic.segment(node, "  ")
    labels = helpers.volume_node(masks["liver"], class_name="vtkMRMLLabelMapVolumeNode")
    with pytest.raises(InputError, match="is a label map"):
        logic.segment(labels, "liver")
    with pytest.raises(InputError, match="is one volume, not a sequence"):
        logic.segment(node, "liver", frames=[0])
    scene.RemoveNode(node)
    with pytest.raises(InputError, match="not in the scene any more"):
        logic.segment(node, "liver")


@pytest.mark.parametrize("event", ["volume", "segmentation", "scene", "voxels", "transform"])
def test_the_scene_changes_during_the_run(logic, scene, event):
    node, masks = picture()
    segmentation = helpers.segmentation_node(node)
    helpers.add_segment(segmentation, "mine", masks["liver"], node)

    def progress(_done, _total, _text):
        if event == "volume":
            scene.RemoveNode(node)
        elif event == "segmentation":
            scene.RemoveNode(segmentation)
        elif event == "scene":
            scene.Clear(0)
        elif event == "voxels":
            slicer.util.arrayFromVolume(node)[:] = 0
            slicer.util.arrayFromVolumeModified(node)
        else:
            moved = helpers.linear_transform(np.diag([-1.0, 1, 1, 1]))
            node.SetAndObserveTransformNodeID(moved.GetID())
        return True

    message = "changed or moved" if event in ("voxels", "transform") else "was deleted"
    with pytest.raises(InputError, match=message):
        logic.segment(node, "kidneys", segmentation=segmentation, progress=progress)
    assert segmentation.GetSegmentation().GetNumberOfSegments() <= 1
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == (
        0 if event in ("segmentation", "scene") else 1
    )


def test_the_input_volume_is_never_written_to(logic):
    node, _ = picture()
    before = slicer.util.arrayFromVolume(node).copy()
    mtime = node.GetImageData().GetMTime()
    logic.segment(node, "liver, kidneys")
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), before)
    assert node.GetImageData().GetMTime() == mtime


SCRIPT = """
import sys
sys.path.append({module!r})  # as Slicer does with an additional module path
from TextPromptSeg import TextPromptSegLogic
TextPromptSegLogic()
assert not {{"torch", "SimpleITK", "scipy", "pydicom"}} & set(sys.modules)
sys.path.append({tests!r})
from tiny_predictor import TinyPredictor
logic = TextPromptSegLogic(predictorFactory=TinyPredictor)
import numpy as np, slicer
array = np.zeros((6, 7, 8), np.int16); array[2:4, 2:5, 2:6] = 100
node = slicer.util.addVolumeFromArray(array)
segmentation = logic.segment(node, ["liver"])
segment = segmentation.GetSegmentation().GetNthSegment(0)
print(segment.GetName(), int(slicer.util.arrayFromSegmentBinaryLabelmap(
    segmentation, segmentation.GetSegmentation().GetNthSegmentID(0), node).sum()))
"""


def test_a_plain_python_needs_nothing_but_the_import(tmp_path):
    """The library is found one folder up, and opening the module loads nothing heavy."""
    script = SCRIPT.format(module=str(ROOT / "TextPromptSeg"), tests=str(ROOT / "Testing" / "MRML"))
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=200,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["liver", "24"]
    assert "ERR|" not in done.stderr


def test_segmentation_lies_beside_its_volume_in_the_subject_hierarchy(logic):
    node, _ = picture()
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    folder = tree.CreateFolderItem(tree.GetSceneItemID(), "patient")
    tree.CreateItem(folder, node)
    made = logic.segment(node, "liver")
    assert tree.GetItemParent(tree.GetItemByDataNode(made)) == folder
