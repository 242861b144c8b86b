"""The CT that the package slicerio carries: Slicer's reader and the library's must agree."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import slicer

from TextPromptSegLib.image.volume import Volume
from TextPromptSegMRML.volumes import volume_from_node


@pytest.fixture
def sample() -> Path:
    spec = importlib.util.find_spec("slicerio")
    if spec is None or spec.origin is None:
        pytest.skip("the package slicerio is not installed: skipped")
    return Path(spec.origin).parent / "data" / "CTChest4.nrrd"


def test_a_loaded_node_is_the_file(scene, sample):
    node = slicer.modules.volumes.logic().AddArchetypeVolume(str(sample), "CTChest4")
    loaded, read = volume_from_node(node), Volume.read(sample)
    np.testing.assert_array_equal(loaded.array, read.array)
    np.testing.assert_allclose(loaded.ijk_to_ras, read.ijk_to_ras, atol=1e-9)
    assert loaded.modality == "CT"  # from the name


def test_labels_that_slicer_reads_lie_on_the_image(scene, sample):
    """The right lung of the sample's segmentation is dark, and on the patient's right."""
    node = slicer.modules.volumes.logic().AddArchetypeVolume(str(sample), "CTChest4")
    storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(sample.with_name("Segmentation.seg.nrrd")))
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    assert storage.ReadData(segmentation)
    volume = volume_from_node(node)
    for name, side in (("right lung", 1), ("left lung", -1)):
        segment_id = segmentation.GetSegmentation().GetSegmentIdBySegmentName(name)
        mask = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, segment_id, node) > 0
        assert np.median(volume.array[mask]) < -600  # HU
        centre = volume.index_to_ras(np.argwhere(mask)[:, ::-1]).mean(axis=0)
        middle = volume.index_to_ras((np.array(volume.shape[::-1]) - 1) / 2)
        assert (centre[0] - middle[0]) * side > 20  # mm, R is positive
