"""Self test of the effect, run inside the Slicer application with its own widgets.

Testing/GUI/test_self_tests.py runs the same scenarios on the test bed.
"""

from __future__ import annotations

import os
import sys
import time
import unittest

import numpy as np
import slicer
import slicer.util

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

import text_prompt_bench


@unittest.skipIf(getattr(slicer, "app", None) is None, "needs the application's widgets")
class TextPromptSegEffectTest(text_prompt_bench.SelfTest):
    """One CT-like volume, the effect in a segment editor."""

    # -- scenarios -----------------------------------------------------------------------------

    def test_apply_and_undo(self):
        """Several structures, the patient's sides, one undo step."""
        editor = self.open_editor()
        said = self.apply(editor, "left kidney, right kidney, urinary bladder")
        self.assertIn("not found", said)
        self.assertEqual(self.names(), ["left kidney", "right kidney"])
        left, right = (self.voxels(f"{side} kidney").nonzero()[2] for side in ("left", "right"))
        self.assertGreater(left.mean(), right.mean())  # i grows to the patient's left
        editor.undo()
        slicer.app.processEvents()
        self.assertEqual(self.names(), ["Segment_1"])
        self.assertIsNotNone(editor.activeEffect(), "Undo closed the effect")
        self.assertEqual(editor.currentSegmentID(), "s1")

    def test_undo_of_the_selected_segment(self):
        """Undo takes the new segment away: the effect stays, and an older one is selected."""
        editor = self.open_editor()
        self.apply(editor, "liver")
        liver = editor.currentSegmentID()
        editor.setCurrentSegmentID("")
        self.apply(editor, "spleen")
        self.assertNotEqual(editor.currentSegmentID(), liver)
        editor.undo()
        slicer.app.processEvents()
        self.assertEqual(self.names(), ["liver"])
        self.assertIsNotNone(editor.activeEffect(), "Undo closed the effect")
        self.assertEqual(editor.currentSegmentID(), liver)

    def test_preview_leaves_nothing_in_a_saved_scene(self):
        """No item of the subject hierarchy, and no node, is written while the preview is on."""
        editor = self.open_editor()
        for view in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
            view.SetSliceOffset(7 * 15.0)
        self.find(editor, "TextPromptLine").text = "liver, left kidney"
        outcome = self.find(editor, "TextPromptOutcome")
        self.find(editor, "TextPromptPreview").click()
        self.wait(lambda: "on this slice" in outcome.text)
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
        for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
            if not node.GetSaveWithScene():
                self.assertEqual(hierarchy.GetItemByDataNode(node), 0)
        path = os.path.join(self.home, "scene.mrml")
        slicer.mrmlScene.SetURL(path)
        slicer.mrmlScene.Commit()
        with open(path, encoding="utf-8") as stream:
            self.assertNotIn("preview", stream.read().casefold())

    def test_a_run_goes_on_under_another_effect(self):
        """Choosing another effect does not end a run; it is written as one undo step."""
        editor = self.open_editor()
        self.start_slow_run(editor)
        editor.setActiveEffectByName("")
        self.wait(lambda: not self.session.busy)
        self.assertEqual(self.names(), ["liver"])
        editor.undo()
        self.assertEqual(self.names(), ["Segment_1"])

    def test_preview_and_threshold(self):
        """The preview shows, a threshold changes it, Apply writes it."""
        editor = self.open_editor()
        for view in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
            view.SetSliceOffset(7 * 15.0)
        self.find(editor, "TextPromptLine").text = "liver"
        preview = self.find(editor, "TextPromptPreview")
        outcome = self.find(editor, "TextPromptOutcome")
        preview.click()
        self.wait(lambda: "on this slice" in outcome.text)
        before = outcome.text
        self.find(editor, "TextPromptThreshold").value = 0.9
        self.assertNotEqual(outcome.text, before)
        self.apply(editor, "liver")
        self.assertEqual(self.names(), ["liver"])
        self.assertFalse(preview.checked)

    def test_cancel(self):
        """Cancel gives the window back and changes nothing."""
        editor = self.open_editor()
        self.find(editor, "TextPromptLine").text = "slow liver, liver"
        button = self.find(editor, "TextPromptApply")
        label = button.text
        button.click()
        progress = self.find(editor, "TextPromptProgress")
        self.wait(lambda: progress.value > 2)
        self.assertNotEqual(button.text, label)
        began = time.monotonic()
        button.click()
        self.assertEqual(button.text, label)
        self.assertLess(time.monotonic() - began, 1.0)
        self.assertEqual(self.names(), ["Segment_1"])

    def test_masking(self):
        """The editable intensity range holds."""
        slicer.util.arrayFromVolume(self.volume)[:, :20] = 200
        slicer.util.arrayFromVolumeModified(self.volume)
        editor = self.open_editor()
        self.node.SetSourceVolumeIntensityMask(True)
        self.node.SetSourceVolumeIntensityMaskRange(0, 100)
        self.apply(editor, "liver")
        found = self.voxels("liver")
        self.assertFalse(found[:, :20].any())
        self.assertTrue(found[:, 20:].any())

    def test_crash_and_closed_scene(self):
        """A crash is a sentence; a scene may close during a run."""
        editor = self.open_editor()
        self.assertIn("stopped unexpectedly", self.apply(editor, "crash now"))
        self.assertIn("found", self.apply(editor, "liver"))
        self.find(editor, "TextPromptLine").text = "slow liver"
        self.find(editor, "TextPromptApply").click()
        self.wait(lambda: self.session.busy)
        slicer.mrmlScene.Clear(0)
        self.wait(lambda: not self.session.busy)

    def test_operations(self):
        """Set, add, remove and intersect on the selected segment."""
        editor = self.open_editor()
        self.apply(editor, "liver")
        liver = self.voxels("liver") > 0
        block = np.zeros(liver.shape, np.uint8)
        block[:, 10:30, 5:20] = 1
        expected = {
            "add": (block > 0) | liver,
            "remove": (block > 0) & ~liver,
            "intersect": (block > 0) & liver,
            "set": liver,
        }
        for operation, mask in expected.items():
            slicer.util.updateSegmentBinaryLabelmapFromArray(
                block, self.segmentation, "s1", self.volume
            )
            self.choose(editor, "TextPromptOperation", operation)
            self.apply(editor, "liver")
            np.testing.assert_array_equal(self.voxels("liver") > 0, mask, operation)

    def test_ranges(self):
        """The current slice, a range of slices, a region of interest."""
        editor = self.open_editor()
        for view in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
            view.SetSliceOffset(7 * 15.0)
        self.choose(editor, "TextPromptRange", "slice")
        self.apply(editor, "liver")
        self.assertEqual(list(self.voxels("liver").any(axis=(1, 2)).nonzero()[0]), [7])
        self.choose(editor, "TextPromptRange", "slices")
        self.find(editor, "TextPromptFirst").value = 6
        self.find(editor, "TextPromptLast").value = 8
        self.apply(editor, "liver")
        self.assertEqual(list(self.voxels("liver").any(axis=(1, 2)).nonzero()[0]), [5, 6, 7])
        roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
        roi.SetCenter(-120.0, -120.0, 105.0)
        roi.SetSize(240.0, 240.0, 60.0)
        self.choose(editor, "TextPromptRange", "roi")
        self.find(editor, "TextPromptROI").setCurrentNode(roi)
        self.apply(editor, "liver")
        found = self.voxels("liver").any(axis=(1, 2)).nonzero()[0]
        self.assertTrue(found.size and found.min() >= 5 and found.max() <= 9)

    def test_scene_changes_during_a_run(self):
        """Deleted segmentation, changed voxels, moved volume: a sentence, nothing written."""
        changes = (
            ("deleted", lambda: slicer.mrmlScene.RemoveNode(self.segmentation)),
            ("changed", lambda: slicer.util.arrayFromVolumeModified(self.volume)),
            ("moved", lambda: self.volume.SetOrigin(1, 2, 3)),
            ("deleted", lambda: slicer.mrmlScene.RemoveNode(self.volume)),
        )
        for word, change in changes:
            editor = self.open_editor()
            self.start_slow_run(editor)
            change()
            outcome = self.find(editor, "TextPromptOutcome")
            self.wait(lambda o=outcome, w=word: not self.session.busy and w in o.text)
            if word != "deleted":
                self.assertEqual(self.names(), ["Segment_1"])
            editor.setActiveEffectByName("")

    def test_parse_is_shown_before_a_run(self):
        """What was understood, and what the checkpoint does not know."""
        editor = self.open_editor()
        parse = self.find(editor, "TextPromptParse")
        self.find(editor, "TextPromptLine").text = "splean, upper left lung, thyroid gland"
        self.assertIn("upper third", parse.text.lower() + parse.text)
        self.assertIn("spleen", parse.text)
        self.assertIn("not trained", parse.text)
        self.assertEqual(self.find(editor, "TextPromptOutcome").text, "")
        self.assertEqual(self.names(), ["Segment_1"])

    def test_hints_and_candidates(self):
        """A box where the checkpoint takes one; flip through candidates and apply one."""
        self.install_checkpoint("rich", takes=["box", "points", "samples", "heat_map"])
        editor = self.open_editor()
        self.assertFalse(self.find(editor, "TextPromptHints").enabled)
        self.choose(editor, "TextPromptModel", "rich")
        self.apply(editor, "liver")
        whole = self.voxels("liver").sum()
        roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
        roi.SetCenter(-80.0, -110.0, 105.0)
        roi.SetSize(60.0, 240.0, 90.0)
        self.choose(editor, "TextPromptHints", "box")
        self.find(editor, "TextPromptBox").setCurrentNode(roi)
        self.apply(editor, "liver")
        self.assertTrue(0 < self.voxels("liver").sum() < whole)
        self.choose(editor, "TextPromptHints", "text")
        self.find(editor, "TextPromptSamples").value = 3
        self.apply(editor, "liver")
        self.find(editor, "TextPromptNext").click()
        self.assertIn("candidate 1 of 3", self.apply(editor, "liver"))
        self.assertGreater(self.voxels("liver").sum(), whole)
        self.choose(editor, "TextPromptOverlay", "uncertainty")
        self.picture(editor, "self-test-effect")

    def test_tiny_network(self):
        """A real network in the worker, untrained: probabilities come back and are written."""
        self.install_tiny_network()
        os.environ["TEXTPROMPTSEG_ENCODERS"] = os.path.join(self.home, "encoders")
        self.client.stop()
        self.client.command = self.client.command[: self.client.command.index("--predictor")]
        self.client.environment = {**self.client.environment, "TEXTPROMPTSEG_ENCODERS": ""}
        self.client.environment.update(os.environ)
        try:
            editor = self.open_editor()
            self.choose(editor, "TextPromptModel", "tiny")
            self.find(editor, "TextPromptThreshold").value = 0.05
            said = self.apply(editor, "liver")
            self.assertIn("found", said)
            self.assertTrue(self.voxels("liver").any())
            self.assertIn("not trained", self.apply(editor, "spleen"))
        finally:
            os.environ.pop("TEXTPROMPTSEG_ENCODERS", None)
