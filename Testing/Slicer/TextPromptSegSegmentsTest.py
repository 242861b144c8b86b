"""Self test of what the effect does to segments, run inside the Slicer application.

Testing/GUI/test_self_tests.py runs the same scenarios on the test bed.
"""

from __future__ import annotations

import os
import sys
import unittest

import numpy as np
import slicer
import slicer.util

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

import text_prompt_bench


@unittest.skipIf(getattr(slicer, "app", None) is None, "needs the application's widgets")
class TextPromptSegSegmentsTest(text_prompt_bench.SelfTest):
    """Names, codes, sides, masking and overwriting, in a segment editor."""

    # -- helpers -------------------------------------------------------------------------------

    def add_segment(self, name, array):
        """Add a drawn segment, (K, J, I), and return its ID."""
        segment_id = self.segmentation.GetSegmentation().AddEmptySegment(name, name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(
            array.astype(np.uint8), self.segmentation, segment_id, self.volume
        )
        return segment_id

    def half(self, axis):
        """Return a mask (K, J, I) of the first half of the image along an axis."""
        mask = np.zeros(slicer.util.arrayFromVolume(self.volume).shape, bool)
        np.moveaxis(mask, axis, 0)[: mask.shape[axis] // 2] = True
        return mask

    def plain(self, text):
        """Return what a prompt finds where nothing masks it."""
        editor = self.open_editor()
        self.apply(editor, text)
        mask = self.voxels(text) > 0
        editor.setActiveEffectByName("")
        return mask

    # -- scenarios -----------------------------------------------------------------------------

    def test_empty_segment_takes_name_codes_and_colour(self):
        """Segment_1 becomes what it holds; a name of the user's own stays."""
        from TextPromptSegLib.prompting.shades import left_shade
        from TextPromptSegLib.prompting.vocabulary import Vocabulary
        from TextPromptSegMRML.provenance import read_provenance
        from TextPromptSegMRML.terminology import read_terminology

        editor = self.open_editor()
        self.apply(editor, "left kidney")
        self.assertEqual(self.names(), ["left kidney"])
        segment = self.segmentation.GetSegmentation().GetSegment("s1")
        codes = read_terminology(segment)
        self.assertEqual(codes["type"], ("SCT", "64033007", "Kidney"))
        self.assertEqual(codes["modifier"][2], "Left")
        colour = np.array(left_shade(Vocabulary.load().terminology("left kidney").colour)) / 255
        np.testing.assert_allclose(segment.GetColor(), colour, atol=0.005)
        self.assertEqual(read_provenance(segment)["Prompt"], "left kidney")
        mine = self.segmentation.GetSegmentation().AddEmptySegment("", "reader 2")
        editor.setCurrentSegmentID(mine)
        self.apply(editor, "spleen")
        self.assertEqual(self.names(), ["left kidney", "reader 2"])

    def test_another_structure_becomes_a_segment_of_its_own(self):
        """One prompt after the other; a kidney never comes to hold a spleen."""
        editor = self.open_editor()
        self.node.SetOverwriteMode(self.node.OverwriteNone)
        self.apply(editor, "left kidney")
        kidney = self.voxels("left kidney").copy()
        said = self.apply(editor, "spleen")
        self.assertIn("left alone", said)
        self.assertEqual(self.names(), ["left kidney", "spleen"])
        np.testing.assert_array_equal(self.voxels("left kidney"), kidney)
        selected = self.segmentation.GetSegmentation().GetSegment(editor.currentSegmentID())
        self.assertEqual(selected.GetName(), "spleen")
        self.apply(editor, "spleen")
        self.assertEqual(self.names(), ["left kidney", "spleen"])
        editor.undo()
        editor.undo()
        self.assertEqual(self.names(), ["left kidney"])

    def test_several_structures_do_not_eat_each_other(self):
        """Overlapping structures of one prompt keep all of their voxels."""
        liver, gallbladder = self.plain("liver"), self.plain("gallbladder")
        self.assertTrue((liver & gallbladder).any())
        editor = self.open_editor()
        self.apply(editor, "liver, gallbladder")
        self.assertEqual(self.names(), ["liver", "gallbladder"])
        np.testing.assert_array_equal(self.voxels("liver") > 0, liver)
        np.testing.assert_array_equal(self.voxels("gallbladder") > 0, gallbladder)

    def test_editable_area(self):
        """Inside one segment, outside all segments."""
        liver = self.plain("liver")
        node_class = slicer.vtkMRMLSegmentationNode
        modes = (
            (node_class.EditAllowedInsideSingleSegment, self.half(2)),
            (node_class.EditAllowedOutsideAllSegments, ~self.half(2)),
        )
        for mode, allowed in modes:
            editor = self.open_editor()
            area = self.add_segment("area", self.half(2))
            self.node.SetOverwriteMode(self.node.OverwriteNone)
            self.node.SetMaskSegmentID(area)  # first: the editor refuses the mode without it
            self.node.SetMaskMode(mode)
            said = self.apply(editor, "liver")
            self.assertIn("Masking kept", said)
            np.testing.assert_array_equal(self.voxels("liver") > 0, liver & allowed)
            np.testing.assert_array_equal(self.voxels("area") > 0, self.half(2))
            editor.setActiveEffectByName("")

    def test_overwrite_modes(self):
        """All, visible or no other segments give way."""
        liver = self.plain("liver")
        shown, hidden = self.half(2), ~self.half(2)
        for mode, visible_loses, hidden_loses in (
            ("OverwriteAllSegments", True, True),
            ("OverwriteVisibleSegments", True, False),
            ("OverwriteNone", False, False),
        ):
            editor = self.open_editor()
            self.add_segment("shown", shown)
            unseen = self.add_segment("hidden", hidden)
            self.segmentation.GetDisplayNode().SetSegmentVisibility(unseen, False)
            self.node.SetOverwriteMode(getattr(self.node, mode))
            self.apply(editor, "liver")
            np.testing.assert_array_equal(self.voxels("liver") > 0, liver, mode)
            left = shown & ~liver if visible_loses else shown
            np.testing.assert_array_equal(self.voxels("shown") > 0, left, mode)
            left = hidden & ~liver if hidden_loses else hidden
            np.testing.assert_array_equal(self.voxels("hidden") > 0, left, mode)
            editor.setActiveEffectByName("")

    def test_sides_in_turned_images(self):
        """Left-handed, coronal and oblique lattices: the patient's left kidney, the same voxels."""
        plain = self.plain("left kidney")
        self.assertGreater(plain.sum(), 50)
        voxels = slicer.util.arrayFromVolume(self.volume).copy()
        matrix = np.diag([-6.0, -6.0, 15.0, 1.0])
        flip = np.diag([-1.0, 1.0, 1.0, 1.0])
        flip[0, 3] = voxels.shape[2] - 1
        turn = np.eye(4)
        angle = np.radians(20.0)
        turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        cases = (
            ("left-handed", voxels[:, :, ::-1], matrix @ flip, plain[:, :, ::-1]),
            (
                "coronal",
                voxels.transpose(1, 0, 2),
                matrix @ np.eye(4)[:, [0, 2, 1, 3]],
                plain.transpose(1, 0, 2),
            ),
            ("oblique", voxels, turn @ matrix, None),
        )
        for name, array, placed, expected in cases:
            array = np.ascontiguousarray(array)
            self.volume = slicer.util.addVolumeFromArray(array, placed, name)
            editor = self.open_editor()
            self.apply(editor, "left kidney, right kidney")
            left, right = self.voxels("left kidney") > 0, self.voxels("right kidney") > 0
            if expected is not None:
                np.testing.assert_array_equal(left, expected, name)
            sides = [(placed[:3, :3] @ np.argwhere(m)[:, ::-1].mean(axis=0)) for m in (left, right)]
            self.assertLess(sides[0][0], sides[1][0], name)  # R grows to the patient's right
            editor.setActiveEffectByName("")

    def test_selection_of_another_segmentation(self):
        """An empty segmentation chosen after a filled one takes the result as a new segment."""
        editor = self.open_editor()
        self.apply(editor, "liver")
        other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
        other.CreateDefaultDisplayNodes()
        other.SetReferenceImageGeometryParameterFromVolumeNode(self.volume)
        editor.setSegmentationNode(other)
        editor.setSourceVolumeNode(self.volume)
        editor.setActiveEffectByName("Text prompt")
        self.segmentation = other
        self.assertIn("found", self.apply(editor, "spleen"))
        self.assertEqual(self.names(), ["spleen"])
