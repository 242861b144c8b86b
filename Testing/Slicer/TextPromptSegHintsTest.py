"""Self test of hints and maps in the effect, run inside the Slicer application.

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
class TextPromptSegHintsTest(text_prompt_bench.SelfTest):
    """Boxes, points, passes, candidates, maps, and a segment's prompt again."""

    def open_rich(self):
        """Open an editor with a checkpoint that takes and gives everything."""
        self.install_checkpoint("rich", takes=["box", "points", "samples", "heat_map"])
        editor = self.open_editor()
        self.choose(editor, "TextPromptModel", "rich")
        return editor

    def show_slice(self, number):
        """Scroll all views to a slice of the image."""
        for view in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
            view.SetSliceOffset(number * 15.0)

    def place_of(self, mask):
        """Return the middle of a mask (K, J, I) in RAS, mm."""
        k, j, i = np.argwhere(mask).mean(axis=0).round()
        return (-6.0 * i, -6.0 * j, 15.0 * k)

    # -- scenarios -----------------------------------------------------------------------------

    def test_points_inside_and_outside(self):
        """A point on the structure adds, one beside it takes away; a missing one is asked for."""
        editor = self.open_rich()
        self.apply(editor, "liver")
        whole = self.voxels("liver") > 0
        self.choose(editor, "TextPromptHints", "points")
        self.assertIn("place points", self.apply(editor, "liver"))
        inside = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "inside")
        inside.AddControlPoint(-210.0, -210.0, 30.0)
        outside = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "outside")
        outside.AddControlPoint(*self.place_of(whole))
        self.find(editor, "TextPromptPoints").setCurrentNode(inside)
        self.find(editor, "TextPromptOutside").setCurrentNode(outside)
        self.apply(editor, "liver")
        mask = self.voxels("liver") > 0
        self.assertTrue((mask & ~whole).any() and (whole & ~mask).any())
        np.testing.assert_allclose(self.place_of(mask & ~whole), (-210, -210, 30), atol=10)

    def test_draw_a_box(self):
        """The button makes a box that hides nothing and lets the user place it; it may go again."""
        editor = self.open_rich()
        self.choose(editor, "TextPromptHints", "box")
        self.find(editor, "TextPromptBoxDraw").click()
        roi = self.find(editor, "TextPromptBox").currentNode()
        self.assertEqual(roi.GetClassName(), "vtkMRMLMarkupsROINode")
        self.assertFalse(roi.GetDisplayNode().GetFillVisibility())
        interaction = slicer.mrmlScene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
        self.assertEqual(interaction.GetCurrentInteractionMode(), interaction.Place)
        self.assertIsNotNone(editor.activeEffect(), "Draw closed the effect")
        interaction.SetCurrentInteractionMode(interaction.ViewTransform)
        self.assertFalse(self.find(editor, "TextPromptBoxDraw").checked)
        slicer.mrmlScene.RemoveNode(roi)
        self.assertIn("Choose or draw a box", self.apply(editor, "liver"))

    def test_passes(self):
        """Two passes and slice to slice reach the network."""
        editor = self.open_rich()
        self.find(editor, "TextPromptTwoPass").checked = True
        self.find(editor, "TextPromptPropagate").checked = True
        said = self.apply(editor, "liver")
        self.assertIn("two_pass", said)
        self.assertIn("propagate", said)

    def test_a_moved_box_moves_the_preview(self):
        """The preview follows a box that is changed in the views."""
        editor = self.open_rich()
        self.show_slice(7)
        roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
        roi.SetCenter(-80.0, -110.0, 105.0)
        roi.SetSize(120.0, 240.0, 90.0)
        self.choose(editor, "TextPromptHints", "box")
        self.find(editor, "TextPromptBox").setCurrentNode(roi)
        self.find(editor, "TextPromptLine").text = "liver"
        outcome = self.find(editor, "TextPromptOutcome")
        self.find(editor, "TextPromptPreview").click()
        self.wait(lambda: "cm" in outcome.text and not self.session.busy)
        before = outcome.text
        roi.SetSize(40.0, 240.0, 90.0)
        self.wait(lambda: "cm" in outcome.text and outcome.text != before)

    def test_candidates(self):
        """Flip and apply one; the threshold is free again with a checkpoint that draws none."""
        editor = self.open_rich()
        self.find(editor, "TextPromptSamples").value = 3
        self.apply(editor, "liver")
        mean = self.voxels("liver").sum()
        self.find(editor, "TextPromptPrevious").click()
        self.assertEqual(self.find(editor, "TextPromptCandidate").text, "3 of 3")
        self.assertFalse(self.find(editor, "TextPromptThreshold").enabled)
        self.assertIn("candidate 3 of 3", self.apply(editor, "liver"))
        self.assertLess(self.voxels("liver").sum(), mean)
        self.choose(editor, "TextPromptModel", "fake")
        self.assertTrue(self.find(editor, "TextPromptThreshold").enabled)
        self.assertEqual(self.find(editor, "TextPromptSamples").value, 1)

    def test_maps_over_the_image(self):
        """Heat map and probability show while the preview is on, and leave the views as before."""
        editor = self.open_rich()
        self.show_slice(7)
        (view, *_) = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
        view.SetForegroundVolumeID(self.volume.GetID())
        view.SetForegroundOpacity(0.25)
        self.find(editor, "TextPromptLine").text = "liver"
        outcome = self.find(editor, "TextPromptOutcome")
        for kind in ("heat_map", "probability"):
            self.choose(editor, "TextPromptOverlay", kind)
            self.wait(lambda: "cm" in outcome.text and not self.session.busy)
            node = slicer.mrmlScene.GetNodeByID(view.GetForegroundVolumeID())
            self.assertIn(kind.replace("_", " "), node.GetName())
            self.assertGreater(slicer.util.arrayFromVolume(node).max(), 0.9)
        editor.setActiveEffectByName("")
        self.assertEqual(view.GetForegroundVolumeID(), self.volume.GetID())
        self.assertEqual(view.GetForegroundOpacity(), 0.25)

    def test_again(self):
        """Prompt, checkpoint and threshold come from the selected segment."""
        editor = self.open_rich()
        self.find(editor, "TextPromptThreshold").value = 0.8
        self.apply(editor, "liver")
        first = editor.currentSegmentID()
        before = self.voxels("liver").copy()
        self.choose(editor, "TextPromptModel", "fake")
        self.find(editor, "TextPromptThresholdAuto").click()
        self.apply(editor, "spleen")
        self.node.SetOverwriteMode(self.node.OverwriteNone)
        editor.setCurrentSegmentID(first)
        self.find(editor, "TextPromptAgain").click()
        model = self.find(editor, "TextPromptModel")
        self.assertEqual(model.itemData(model.currentIndex), "rich")
        self.assertEqual(self.find(editor, "TextPromptLine").text, "liver")
        self.apply(editor, "liver")
        self.assertEqual(self.names(), ["liver", "spleen"])
        np.testing.assert_array_equal(self.voxels("liver"), before)
