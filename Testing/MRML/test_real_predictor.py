"""The console API with the real `SlicePredictor` (a toy network that needs no training)."""

from __future__ import annotations

import mrml_helpers as helpers
import numpy as np
import pytest

pytest.importorskip("torch")

import slicer
from toy_segmenter import phantom, toy_predictor

from TextPromptSegLib.outcome import CheckpointError, Outcome
from TextPromptSegMRML.provenance import read_provenance

LIVER, KIDNEY = 0.3, 0.7
PLACES = {"liver": LIVER, "right kidney": KIDNEY, "spleen": 0.5}
BOXES = {
    LIVER: [(slice(3, 9), slice(8, 20), slice(6, 20))],
    KIDNEY: [(slice(2, 7), slice(22, 28), slice(8, 14))],
}
TextPromptSegLogic = helpers.console_module().TextPromptSegLogic


@pytest.fixture
def logic(scene):
    return TextPromptSegLogic(predictorFactory=lambda model, device: toy_predictor(PLACES))


def stored(order, flips):
    """The phantom as a node whose voxels run in another order."""
    volume = phantom(BOXES, shape=(12, 48, 64))
    axis_map = type(volume.orientation())(order, flips)
    matrix = volume.ijk_to_ras @ axis_map.index_matrix(volume.shape)
    return helpers.volume_node(axis_map.apply(volume.array), matrix, "CT phantom")


@pytest.mark.parametrize(
    "order,flips",
    [
        ((0, 1, 2), (False, False, False)),
        ((2, 0, 1), (True, False, True)),
        ((1, 2, 0), (False, True, False)),
    ],
)
def test_segments_are_the_structures_voxel_for_voxel(logic, order, flips):
    node = stored(order, flips)
    segmentation = logic.segment(node, ["liver", "right kidney", "spleen", "patella"])
    outcomes = [result.outcome for result in logic.results]
    assert outcomes == [
        Outcome.FOUND,
        Outcome.FOUND,
        Outcome.NOT_FOUND,
        Outcome.UNKNOWN_PROMPT,
    ]
    array = slicer.util.arrayFromVolume(node)
    for entry, place in zip(logic.written, (LIVER, KIDNEY), strict=True):
        found = helpers.voxels(segmentation, entry.segment_id, node)
        np.testing.assert_array_equal(found, array == round(place * 1000))
    tags = read_provenance(segmentation.GetSegmentation().GetNthSegment(1))
    assert tags["Model"] == "toy" and tags["SHA256"] == "0" * 64
    assert tags["Plane"] == "axial" and tags["Device"] == "cpu"


def test_a_turned_region_and_a_new_threshold(logic, scene):
    node = stored((0, 1, 2), (False, False, False))
    roi = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "R")
    centre = helpers.world_points(
        slicer.util.arrayFromVolume(node) == 300, helpers.ijk_to_ras(node)
    ).mean(axis=0)
    roi.SetSize(6, 40, 40)
    turn = np.eye(4)
    turn[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    turn[:3, 3] = centre
    roi.SetAndObserveObjectToNodeMatrix(slicer.util.vtkMatrixFromArray(turn))
    segmentation = logic.segment(node, "liver", roi=roi)
    found = helpers.voxels(segmentation, logic.written[0].segment_id, node)
    points = helpers.world_points(np.ones_like(found), helpers.ijk_to_ras(node))
    local = ((points - centre) @ turn[:3, :3]).reshape(*found.shape, 3)
    inside = (np.abs(local) <= [3, 20, 20]).all(axis=-1)
    expected = (slicer.util.arrayFromVolume(node) == 300) & inside
    np.testing.assert_array_equal(found, expected)
    result = logic.results[0]
    assert result.voxels == expected.sum() and f"{result.volume_ml:.2f}" in result.message
    lower = logic.predictor().rethreshold(result, 0.2)
    assert (lower.mask[~inside] == 0).all()  # a live threshold stays inside the region


def test_a_checkpoint_that_is_not_there(scene):
    node = stored((0, 1, 2), (False, False, False))
    with pytest.raises(CheckpointError):
        TextPromptSegLogic().segment(node, "liver", model="no-such-checkpoint")


def test_words_for_an_open_vocabulary(scene, tmp_path, monkeypatch):
    """SAM 3 in small: what the vocabulary does not know, and a side that geometry cuts."""
    from tiny_sam3 import install_tiny_sam3

    from TextPromptSegLib.inference.predictor import SlicePredictor

    monkeypatch.setenv("TEXTPROMPTSEG_HOME", str(tmp_path / "home"))
    folder = install_tiny_sam3(tmp_path)
    logic = TextPromptSegLogic(predictorFactory=SlicePredictor.from_pretrained)
    node = stored((0, 1, 2), (False, False, False))
    segmentation = logic.segment(node, ['"bright gland"', "left kidney"], model=str(folder))
    assert [result.outcome for result in logic.results] == [Outcome.FOUND, Outcome.FOUND]
    assert [entry.name for entry in logic.written] == ["bright gland", "left kidney"]
    gland, kidney = (helpers.voxels(segmentation, e.segment_id, node) for e in logic.written)
    assert gland.any() and kidney.any()
    facts = logic.results[1].provenance
    assert facts["free_text"]["words"] == "kidney"
    assert any("left side was cut at the middle" in note for note in facts["notes"])
