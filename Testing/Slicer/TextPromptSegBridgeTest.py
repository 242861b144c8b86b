"""Self test of the MRML bridge and the console API, run inside the Slicer application.

No checkpoint, no network, no GPU: the predictor is the one of Testing/MRML. The same scenarios run
in a plain Python with slicer-core through Testing/MRML/test_self_test.py.
"""

from __future__ import annotations

import os
import sys
import unittest

import numpy as np
import slicer
import slicer.util

try:
    from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest
except ImportError:  # plain Python
    ScriptedLoadableModuleTest = unittest.TestCase

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "MRML"))


class TextPromptSegBridgeTest(ScriptedLoadableModuleTest):
    """One volume with a liver and two kidneys, segmented through the console API."""

    def setUp(self):
        """Start with an empty scene, a picture and a logic."""
        from tiny_predictor import TinyPredictor

        from TextPromptSeg import TextPromptSegLogic

        self.logic = TextPromptSegLogic(predictorFactory=TinyPredictor)
        slicer.mrmlScene.Clear(0)
        self.masks = {name: np.zeros((10, 12, 20), np.uint8) for name in ("liver", "right", "left")}
        self.masks["liver"][6:9, 2:6, 2:9] = 1
        self.masks["right"][2:5, 7:10, 3:6] = 1  # LPS order: the patient's right is small i
        self.masks["left"][2:5, 7:10, 14:17] = 1
        array = (100 * self.masks["liver"]).astype(np.int16)
        array += (200 * (self.masks["right"] | self.masks["left"])).astype(np.int16)
        matrix = np.diag([-1.0, -1.0, 2.0, 1.0])
        self.volume = slicer.util.addVolumeFromArray(array, matrix, "CT")

    def tearDown(self):
        """Leave an empty scene."""
        self.logic.unload()
        slicer.mrmlScene.Clear(0)

    def runTest(self):
        """Run all scenarios; Slicer's "Reload and Test" calls this."""
        for name in sorted(dir(self)):
            if name.startswith("test_"):
                self.setUp()
                getattr(self, name)()
                self.tearDown()

    def segments(self, node):
        """Return name -> (K, J, I) voxels."""
        segmentation = node.GetSegmentation()
        return {
            segmentation.GetSegment(s).GetName(): slicer.util.arrayFromSegmentBinaryLabelmap(
                node, s, self.volume
            )
            for s in segmentation.GetSegmentIDs()
        }

    def test_console_api(self):
        """Names, sides, and what was not found."""
        node = self.logic.segment(self.volume, ["liver", "right kidney", "spleen"])
        found = self.segments(node)
        self.assertEqual(list(found), ["liver", "right kidney"])
        np.testing.assert_array_equal(found["liver"], self.masks["liver"])
        np.testing.assert_array_equal(found["right kidney"], self.masks["right"])
        outcomes = [result.outcome.value for result in self.logic.results]
        self.assertEqual(outcomes, ["found", "found", "not_found"])

    def test_existing_segments_and_undo(self):
        """A drawn segment stays, one undo takes the run back."""
        node = self.logic.segment(self.volume, "liver")
        before = self.segments(node)
        self.logic.segment(self.volume, "kidneys, liver", segmentation=node)
        self.assertEqual(list(self.segments(node)), ["liver", "kidneys", "liver_1"])
        self.assertTrue(self.logic.undo())
        after = self.segments(node)
        self.assertEqual(list(after), ["liver"])
        np.testing.assert_array_equal(after["liver"], before["liver"])

    def test_terminology_and_colour(self):
        """Slicer reads the codes back."""
        from TextPromptSegMRML.terminology import read_terminology

        node = self.logic.segment(self.volume, "left kidney")
        segment = node.GetSegmentation().GetNthSegment(0)
        codes = read_terminology(segment)
        self.assertEqual(codes["type"], ("SCT", "64033007", "Kidney"))
        self.assertEqual(codes["modifier"][2], "Left")

    def test_parent_transform_decides_the_side(self):
        """Under a mirroring transform the right kidney is the other one."""
        mirror = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        matrix = slicer.util.vtkMatrixFromArray(np.diag([-1.0, 1.0, 1.0, 1.0]))
        mirror.SetMatrixTransformToParent(matrix)
        self.volume.SetAndObserveTransformNodeID(mirror.GetID())
        node = self.logic.segment(self.volume, "right kidney")
        self.assertEqual(node.GetTransformNodeID(), mirror.GetID())
        self.volume.SetAndObserveTransformNodeID(None)
        node.SetAndObserveTransformNodeID(None)
        np.testing.assert_array_equal(self.segments(node)["right kidney"], self.masks["left"])

    def test_region_node(self):
        """A markups ROI limits the search."""
        roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
        roi.SetCenter(-4.0, -8.0, 6.0)
        roi.SetSize(9.0, 8.0, 10.0)
        node = self.logic.segment(self.volume, "kidneys", roi=roi)
        np.testing.assert_array_equal(self.segments(node)["kidneys"], self.masks["right"])

    def test_closed_scene_is_refused(self):
        """Nothing is written into nodes that are gone."""
        from TextPromptSegLib.outcome import InputError

        def close(_done, _total, _text):
            slicer.mrmlScene.Clear(0)
            return True

        with self.assertRaises(InputError):
            self.logic.segment(self.volume, "liver", progress=close)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode"), 0)
