"""Nodes, transforms and results for the tests of the bridge."""

from __future__ import annotations

import importlib.util
import sys
from itertools import permutations, product
from pathlib import Path

import numpy as np
import slicer
import slicer.util
import vtk
from vtk.util import numpy_support

from TextPromptSegLib.outcome import Outcome
from TextPromptSegLib.prompting.prompt import Prompt
from TextPromptSegLib.prompting.segmentation import Segmentation
from TextPromptSegLib.prompting.vocabulary import Vocabulary

RAS_LETTERS = (("R", "L"), ("A", "P"), ("S", "I"))
SPACING = (1.5, 2.0, 2.5)


def console_module():
    """TextPromptSeg.py as a plain Python sees it, without taking the name from the GUI tests."""
    if "plain_TextPromptSeg" not in sys.modules:
        path = Path(__file__).resolve().parents[2] / "TextPromptSeg" / "TextPromptSeg.py"
        spec = importlib.util.spec_from_file_location("plain_TextPromptSeg", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules["plain_TextPromptSeg"] = module
        spec.loader.exec_module(module)
    return sys.modules["plain_TextPromptSeg"]


def prompt(text, **fields):
    """A prompt that names one structure, without the parser."""
    match = Vocabulary.load().find(text)
    if match is None:
        return Prompt(text, text, **fields)
    return Prompt(text, match.name, match.structure, match.side, **fields)


def result(text, mask, *, threshold=0.5, probability=None, **provenance):
    """A `Segmentation` as the predictor returns it."""
    mask = np.asarray(mask, np.uint8)
    voxels = int(mask.sum())
    return Segmentation(
        prompt=prompt(text) if isinstance(text, str) else text,
        outcome=Outcome.FOUND if voxels else Outcome.NOT_FOUND,
        mask=mask,
        probability=mask.astype(np.float16) if probability is None else probability,
        seconds=0.0,
        max_probability=float(bool(voxels)),
        voxels=voxels,
        volume_ml=voxels / 1000,
        threshold=threshold,
        message="",
        provenance={"model": "tiny", "weights_sha256": "ab" * 32, **provenance},
    )


def volume_node(array, matrix=None, name="image", class_name=None):
    return slicer.util.addVolumeFromArray(
        np.asarray(array), np.eye(4) if matrix is None else matrix, name, class_name
    )


def segmentation_node(volume=None, name="segmentation"):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    if volume is not None:
        node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    return node


def add_segment(node, name, mask, volume):
    """A segment drawn by the user, in a layer of its own if it overlaps."""
    segment_id = node.GetSegmentation().AddEmptySegment("", name)
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        np.asarray(mask, np.uint8), node, segment_id, volume
    )
    return segment_id


def voxels(node, segment_id, volume):
    """A segment looked up at every voxel centre of a volume node, (K, J, I) uint8.

    Written without the resampling of Slicer or of the bridge, so that it can judge both;
    slicer.util.arrayFromSegmentBinaryLabelmap ignores parent transforms.
    """
    shape = volume.GetImageData().GetDimensions()[::-1]
    points = world_points(np.ones(shape), ijk_to_ras(volume))
    general = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(
        volume.GetParentTransformNode(), node.GetParentTransformNode(), general
    )
    if volume.GetParentTransformNode() is not node.GetParentTransformNode():
        points = np.array([general.TransformPoint(*point) for point in points])
    mask, matrix, start = labelmap(node, segment_id)
    inverse = np.linalg.inv(matrix)
    index = np.round(points @ inverse[:3, :3].T + inverse[:3, 3]).astype(int) - start
    inside = np.all((index >= 0) & (index < np.array(mask.shape[::-1])), axis=1)
    found = np.zeros(len(points), np.uint8)
    found[inside] = mask[tuple(index[inside].T[::-1])]
    return found.reshape(shape)


def ijk_to_ras(volume):
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def labelmap(node, segment_id):
    """A segment's own (K, J, I) voxels, its 4x4 matrix and the (i, j, k) of its first voxel."""
    segment = node.GetSegmentation().GetSegment(segment_id)
    image = segment.GetRepresentation("Binary labelmap")
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    start = np.array(image.GetExtent())[[0, 2, 4]]
    if image.GetNumberOfPoints() == 0:
        return np.zeros((1, 1, 1), np.uint8), slicer.util.arrayFromVTKMatrix(matrix), start
    scalars = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    mask = scalars.reshape(image.GetDimensions()[::-1]) == segment.GetLabelValue()
    return mask.astype(np.uint8), slicer.util.arrayFromVTKMatrix(matrix), start


def snapshot(node, volume):
    """Everything of all segments that a run must not change."""
    segmentation = node.GetSegmentation()
    state = {}
    for segment_id in segmentation.GetSegmentIDs():
        segment = segmentation.GetSegment(segment_id)
        mask, matrix, _start = labelmap(node, segment_id)
        state[segment_id] = (
            segment.GetName(),
            tuple(segment.GetColor()),
            segment.GetTerminology(),
            int(mask.sum()),
            matrix.tobytes(),
            voxels(node, segment_id, volume).tobytes(),
        )
    return state


def editor_node(segmentation, volume=None, **settings):
    """A Segment Editor node as the user set it, for example OverwriteMode=2."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
    node.SetAndObserveSegmentationNode(segmentation)
    if volume is not None:
        node.SetAndObserveSourceVolumeNode(volume)
    for name, value in settings.items():
        value = value if isinstance(value, (tuple, list)) else (value,)
        getattr(node, f"Set{name}")(*value)
    return node


def linear_transform(matrix, name="linear"):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
    node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.asarray(matrix, float)))
    return node


def bend_transform(points, moved, name="bend"):
    """A thin-plate spline transform node that moves RAS points (N, 3) to other ones."""
    spline = vtk.vtkThinPlateSplineTransform()
    spline.SetBasisToR()
    source, target = vtk.vtkPoints(), vtk.vtkPoints()
    for one, two in zip(points, moved, strict=True):
        source.InsertNextPoint(*one)
        target.InsertNextPoint(*two)
    spline.SetSourceLandmarks(source)
    spline.SetTargetLandmarks(target)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTransformNode", name)
    node.SetAndObserveTransformToParent(spline)
    return node


def all_orientations():
    """The 48 ways in which i, j, k may run along the patient's axes: (letters, 3x3 directions)."""
    found = []
    for order in permutations(range(3)):
        for signs in product((1, -1), repeat=3):
            directions = np.zeros((3, 3))
            letters = ""
            for voxel_axis, (world_axis, sign) in enumerate(zip(order, signs, strict=True)):
                directions[world_axis, voxel_axis] = sign
                letters += RAS_LETTERS[world_axis][0 if sign > 0 else 1]
            found.append((letters, directions))
    return found


def placed(directions, shape, spacing=SPACING, centre=(0.0, 0.0, 0.0)):
    """A 4x4 voxel-to-RAS matrix with the volume's middle at `centre`, mm."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.asarray(directions) * np.asarray(spacing)
    middle = (np.array(shape[::-1]) - 1) / 2
    matrix[:3, 3] = np.asarray(centre) - matrix[:3, :3] @ middle
    return matrix


def world_points(mask, matrix):
    """RAS of all mask voxels, (N, 3), mm."""
    index = np.argwhere(mask)[:, ::-1]
    return index @ matrix[:3, :3].T + matrix[:3, 3]


def segment_world_centre(node, segment_id):
    """Middle of a segment in the world, (3,), mm, from its own labelmap and parent transform."""
    mask, matrix, start = labelmap(node, segment_id)
    index = np.argwhere(mask)[:, ::-1] + start
    local = (index @ matrix[:3, :3].T + matrix[:3, 3]).mean(axis=0)
    parent = node.GetParentTransformNode()
    if parent is None:
        return local
    general = vtk.vtkGeneralTransform()
    parent.GetTransformToWorld(general)
    return np.array(general.TransformPoint(*local))
