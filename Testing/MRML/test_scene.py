"""The headless scene and the guard of a run."""

from __future__ import annotations

import types

import mrml_helpers as helpers
import numpy as np
import pytest
import slicer

from TextPromptSegLib.outcome import InputError
from TextPromptSegMRML import scene as scenes

SHAPE = (3, 4, 5)


def test_setting_up_twice_changes_nothing(scene):
    volumes = slicer.modules.volumes.logic()
    assert scenes.headless_scene() is scene is slicer.mrmlScene
    assert slicer.modules.volumes.logic() is volumes


def test_slicer_util_works_with_it(scene):
    node = helpers.volume_node(np.ones(SHAPE, np.uint8))
    segmentation = helpers.segmentation_node(node)
    helpers.add_segment(segmentation, "x", np.ones(SHAPE), node)
    segment_id = segmentation.GetSegmentation().GetNthSegmentID(0)
    array = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, segment_id, node)
    assert array.sum() == np.prod(SHAPE)
    assert scenes.application_logic() is not None


def test_inside_slicer_nothing_is_touched(monkeypatch):
    application = types.SimpleNamespace(applicationLogic=lambda: "logic of the application")
    monkeypatch.setattr(slicer, "app", application, raising=False)
    monkeypatch.setattr(slicer, "mrmlScene", "scene of the application", raising=False)
    monkeypatch.setattr(slicer, "modules", "modules of the application", raising=False)
    assert scenes.in_application()
    assert scenes.headless_scene() == "scene of the application"
    assert slicer.modules == "modules of the application"
    assert scenes.application_logic() == "logic of the application"


def test_modules_that_somebody_else_set_up_are_kept(monkeypatch):
    monkeypatch.delattr(slicer, "app", raising=False)  # tests of windows leave one behind
    mine = types.SimpleNamespace(logic=lambda: "mine")
    monkeypatch.setattr(slicer, "modules", types.SimpleNamespace(volumes=mine), raising=False)
    monkeypatch.setattr(slicer, "mrmlScene", slicer.vtkMRMLScene(), raising=False)
    scenes.headless_scene()
    assert slicer.modules.volumes is mine
    assert slicer.modules.segmentations.logic().IsA("vtkSlicerSegmentationsModuleLogic")


def test_a_guard_finds_the_nodes_again(scene):
    node = helpers.volume_node(np.ones(SHAPE, np.uint8))
    segmentation = helpers.segmentation_node(node)
    guard = scenes.RunGuard(node, segmentation)
    node.SetName("renamed")  # no reason to stop
    node.GetDisplayNode().SetWindow(30)
    assert guard.nodes() == (node, segmentation)
    assert scenes.RunGuard(node).nodes() == (node, None)


@pytest.mark.parametrize(
    "change,message",
    [
        (lambda v, s: slicer.mrmlScene.RemoveNode(v), "The volume 'image' was deleted"),
        (lambda v, s: slicer.mrmlScene.RemoveNode(s), "The segmentation 'segmentation' was del"),
        (lambda v, s: slicer.mrmlScene.Clear(0), "was deleted"),
        (lambda v, s: slicer.util.updateVolumeFromArray(v, np.zeros((2, 2, 2))), "was changed"),
        (lambda v, s: v.SetSpacing(9, 9, 9), "was changed or moved"),
    ],
)
def test_a_guard_refuses_with_a_sentence(scene, change, message):
    node = helpers.volume_node(np.ones(SHAPE, np.uint8))
    segmentation = helpers.segmentation_node(node)
    guard = scenes.RunGuard(node, segmentation)
    change(node, segmentation)
    with pytest.raises(InputError, match=message):
        guard.nodes()


def test_a_reused_id_does_not_pass_for_the_old_node(scene):
    """After the scene was closed, a new volume gets the ID of the old one."""
    node = helpers.volume_node(np.ones(SHAPE, np.uint8))
    segmentation = helpers.segmentation_node(node)
    guard = scenes.RunGuard(node, segmentation)
    scene.RemoveNode(segmentation)
    other = slicer.vtkMRMLSegmentationNode()
    old_id = segmentation.GetID()
    scene.AddNode(other)
    assert other.GetID() == old_id or scene.GetNodeByID(old_id) is None
    with pytest.raises(InputError, match="segmentation' was deleted"):
        guard.nodes()
    guard = scenes.RunGuard(node)
    scene.Clear(0)
    assert helpers.volume_node(np.ones(SHAPE, np.uint8)).GetID() == node.GetID()
    with pytest.raises(InputError, match="image' was deleted"):
        guard.nodes()


def test_a_moved_parent_transform_is_noticed(scene):
    node = helpers.volume_node(np.ones(SHAPE, np.uint8))
    transform = helpers.linear_transform(np.eye(4))
    node.SetAndObserveTransformNodeID(transform.GetID())
    guard = scenes.RunGuard(node)
    guard.nodes()
    matrix = np.diag([-1.0, 1, 1, 1])
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    with pytest.raises(InputError, match="changed or moved"):
        guard.nodes()
