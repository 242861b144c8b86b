"""Self test of the module's panel, run inside the Slicer application with its own widgets.

Testing/GUI/test_self_tests.py runs the same scenarios on the test bed.
"""

from __future__ import annotations

import os
import shutil
import sys
import unittest

import numpy as np
import slicer
import slicer.util

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

import text_prompt_bench


@unittest.skipIf(getattr(slicer, "app", None) is None, "needs the application's widgets")
class TextPromptSegPanelTest(text_prompt_bench.SelfTest):
    """One CT-like volume, the panel in a window."""

    # -- scenarios -----------------------------------------------------------------------------

    def run_panel(self, window, text):
        """Type prompts, press Apply, and take the new segmentation."""
        self.find(window, "TextPromptSegPrompts").plainText = text
        self.press(window, "TextPromptSegApply")
        self.segmentation = self.find(window, "TextPromptSegOutput").currentNode()
        return self.find(window, "TextPromptSegOutcome").text

    def test_segments_table_and_undo(self):
        """A new node, a row for each prompt, an older segmentation is kept, Undo."""
        window = self.open_panel()
        said = self.run_panel(window, "liver\nspleen\nurinary bladder")
        self.assertIn("not found", said)
        self.assertEqual(self.names(), ["liver", "spleen"])
        self.assertEqual(self.find(window, "TextPromptSegResults").rowCount, 3)
        self.run_panel(window, "left kidney")
        self.assertEqual(self.names(), ["liver", "spleen", "left kidney"])
        self.find(window, "TextPromptSegUndo").click()
        self.assertEqual(self.names(), ["liver", "spleen"])
        self.picture(window, "self-test-panel")

    def test_cancel_and_crash(self):
        """Cancel changes nothing; a crash is a sentence and the next run works."""
        window = self.open_panel()
        self.find(window, "TextPromptSegPrompts").plainText = "slow liver, liver"
        button = self.find(window, "TextPromptSegApply")
        label = button.text
        button.click()
        progress = self.find(window, "TextPromptSegProgress")
        self.wait(lambda: progress.value > 2)
        button.click()
        self.assertEqual(button.text, label)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode"), 0)
        self.assertIn("stopped unexpectedly", self.run_panel(window, "crash now"))
        self.assertIn("found", self.run_panel(window, "liver"))

    def test_overlays(self):
        """Probability and uncertainty become volumes."""
        window = self.open_panel()
        self.run_panel(window, "liver")
        self.find(window, "TextPromptSegProbability").click()
        self.find(window, "TextPromptSegUncertainty").click()
        voxels = slicer.util.arrayFromVolume(slicer.util.getNode("liver probability"))
        self.assertTrue(0.9 < voxels.max() <= 1.0)
        self.assertIsNotNone(slicer.util.getNode("liver uncertainty"))

    def test_batch_with_a_failed_case(self):
        """The volumes of the scene, one of them no image: the rest goes on, a CSV at the end."""
        broken = slicer.util.addVolumeFromArray(
            np.full((4, 8, 8), np.nan, np.float32), np.diag([1.0, 1.0, 1.0, 1.0]), "broken"
        )
        window = self.open_panel()
        self.find(window, "TextPromptSegVolume").setCurrentNode(self.volume)
        self.find(window, "TextPromptSegPrompts").plainText = "liver, spleen"
        results = os.path.join(self.home, "results")
        self.find(window, "TextPromptSegBatchOutput").text = results
        button = self.find(window, "TextPromptSegBatchApply")
        label = button.text
        button.click()
        slicer.mrmlScene.RemoveNode(broken)
        self.wait(lambda: button.text == label and not self.session.busy)
        # First what was said: it names the reason where there is no table.
        self.assertIn("1 failed", self.find(window, "TextPromptSegBatchOutcome").text)
        with open(os.path.join(results, "summary.csv"), encoding="utf-8") as stream:
            text = stream.read()
        self.assertIn("CT", text)
        self.assertIn("failed", text)
        self.assertIn("liver", text)

    def test_copy_as_python(self):
        """The console call on the clipboard gives the same segment."""
        from TextPromptSegLib.worker import remote

        window = self.open_panel()
        self.run_panel(window, "right kidney")
        expected = self.voxels("right kidney").copy()
        self.find(window, "TextPromptSegOutput").setCurrentNode(None)
        self.find(window, "TextPromptSegCopy").click()
        clients, scope = list(remote._clients), {"slicer": slicer}
        remote._clients[:] = [self.client]
        try:
            exec(compile(slicer.app.clipboard().text(), "copied", "exec"), scope)
        finally:
            remote._clients[:] = clients
        self.segmentation = scope["segmentationNode"]
        np.testing.assert_array_equal(self.voxels("right kidney"), expected)

    def test_checkpoint_manager(self):
        """Import a folder, verify it, delete it; a damaged one is named."""
        from TextPromptSegLib.checkpoints import catalogue

        folder = self.install_checkpoint("mine", root=os.path.join(self.home, "elsewhere"))
        window = self.open_panel()
        manager = self.panels[0].models
        manager._import(folder)
        self.wait(lambda: manager._task is None)
        self.assertIn("mine", [model.name for model in manager._models])
        rows = [model.name for model in manager._models]
        self.find(window, "TextPromptSegModels").selectRow(rows.index("mine"))
        self.find(window, "TextPromptSegVerify").click()
        self.wait(lambda: manager._task is None)
        self.assertIn("mine", self.find(window, "TextPromptSegModelStatus").text)
        weights = os.path.join(self.home, "checkpoints", "mine", "model.safetensors")
        with open(weights, "wb") as stream:
            stream.write(b"other")
        (result,) = catalogue.verify("mine")
        self.assertFalse(result.ok)
        self.session.changed()
        rows = [model.name for model in manager._models]
        self.find(window, "TextPromptSegModels").selectRow(rows.index("mine"))
        confirm, slicer.util.confirmOkCancelDisplay = (
            slicer.util.confirmOkCancelDisplay,
            lambda *_arguments, **_options: True,
        )
        try:
            self.find(window, "TextPromptSegDelete").click()
            self.wait(lambda: manager._task is None)
        finally:
            slicer.util.confirmOkCancelDisplay = confirm
        self.assertNotIn("mine", [model.name for model in manager._models])
        self.assertFalse(os.path.exists(weights))
        shutil.make_archive(os.path.join(self.home, "packed"), "zip", folder)
        manager._import(os.path.join(self.home, "packed.zip"))
        self.wait(lambda: manager._task is None)
        self.assertIn("mine", [model.name for model in manager._models])
        self.picture(window, "self-test-checkpoints")

    def test_batch_over_a_folder(self):
        """Files of a folder, one of them no image: a table, a CSV, a segmentation each."""
        import SimpleITK

        source = os.path.join(self.home, "images")
        os.makedirs(source)
        image = SimpleITK.GetImageFromArray(np.full((6, 20, 20), 40, np.int16))
        SimpleITK.WriteImage(image, os.path.join(source, "one.nrrd"))
        with open(os.path.join(source, "two.nrrd"), "w", encoding="utf-8") as stream:
            stream.write("no image")
        window = self.open_panel()
        self.find(window, "TextPromptSegPrompts").plainText = "liver"
        self.choose(window, "TextPromptSegBatchSource", "folder")
        self.find(window, "TextPromptSegBatchInput").text = source
        results = os.path.join(self.home, "results")
        self.find(window, "TextPromptSegBatchOutput").text = results
        self.press(window, "TextPromptSegBatchApply")
        self.assertIn("1 failed", self.find(window, "TextPromptSegBatchOutcome").text)
        table = self.find(window, "TextPromptSegBatchTable")
        outcomes = [table.item(row, 2).text() for row in range(table.rowCount)]
        self.assertEqual(sorted(outcomes), ["failed", "found"])
        self.assertIn("summary.csv", os.listdir(results))

    def test_sequence(self):
        """Every frame of a sequence gets its segmentation."""
        sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "heart")
        for frame in range(3):
            sequence.SetDataNodeAtValue(self.volume, str(frame))
        window = self.open_panel()
        self.find(window, "TextPromptSegVolume").setCurrentNode(sequence)
        said = self.run_panel(window, "liver")
        self.assertIn("3 frames were segmented", said)
        (result,) = (
            node
            for node in slicer.util.getNodesByClass("vtkMRMLSequenceNode")
            if node.GetDataNodeClassName() == "vtkMRMLSegmentationNode"
        )
        self.assertEqual(result.GetNumberOfDataNodes(), 3)
        segmentation = result.GetNthDataNode(2).GetSegmentation()
        self.assertEqual(segmentation.GetNthSegment(0).GetName(), "liver")

    def test_candidates_as_segments(self):
        """Every candidate of the selected row becomes a segment, with its own row of buttons."""
        self.install_checkpoint("rich", takes=["samples", "heat_map"])
        window = self.open_panel()
        self.choose(window, "TextPromptSegModel", "rich")
        self.find(window, "TextPromptSegSamples").value = 3
        self.run_panel(window, "liver")
        self.find(window, "TextPromptSegCandidates").click()
        self.assertEqual(len(self.names()), 4)
        self.find(window, "TextPromptSegHeatMap").click()
        warm = slicer.util.arrayFromVolume(slicer.util.getNode("liver heat map"))
        self.assertGreater(warm.max(), 0.9)

    def test_closed_scene(self):
        """The scene is closed during a run: no crash, and the panel works afterwards."""
        window = self.open_panel()
        self.find(window, "TextPromptSegPrompts").plainText = "slow liver, liver"
        self.find(window, "TextPromptSegApply").click()
        progress = self.find(window, "TextPromptSegProgress")
        self.wait(lambda: progress.value > 2)
        slicer.mrmlScene.Clear(0)
        self.wait(lambda: not self.session.busy)
        self.volume = slicer.util.addVolumeFromArray(
            np.full((12, 40, 40), 40, np.int16), np.diag([-6.0, -6.0, 15.0, 1.0]), "CT"
        )
        self.find(window, "TextPromptSegVolume").setCurrentNode(self.volume)
        self.choose(window, "TextPromptSegModel", "fake")
        self.assertIn("found", self.run_panel(window, "liver"))

    def test_nothing_is_installed(self):
        """The panel opens and says what is missing, with sizes."""
        from TextPromptSegGUI.shared import dependencies

        known = dependencies.missing
        dependencies.missing = lambda: [dependencies.Package("torch>=2.6", "torch", "", 200)]
        try:
            window = self.open_panel()
            self.assertIn("torch", self.find(window, "TextPromptSegPlan").text)
            self.assertTrue(self.find(window, "TextPromptSegInstall").enabled)
            self.find(window, "TextPromptSegPrompts").plainText = "liver"
            self.find(window, "TextPromptSegApply").click()
            self.assertIn("torch", self.find(window, "TextPromptSegOutcome").text)
            self.assertIsNone(self.client.pid)
        finally:
            dependencies.missing = known

    def test_sample_data(self):
        """The tutorial's image is registered, whole, and loads without a network."""
        import SampleData

        node = SampleData.SampleDataLogic().downloadFromSource(
            SampleData.SampleDataLogic().sourceForSampleName("TextPromptSegChestCT")
        )[0]
        self.assertEqual(slicer.util.arrayFromVolume(node).shape, (34, 128, 128))
