"""Self test of the effect and the panel, run inside the Slicer application with its own widgets.

No checkpoint of the network, no GPU, no internet: the worker is a real process that runs the
predictor of Testing/Lib/fake_predictor.py. Testing/GUI/test_self_tests.py runs the same scenarios
on the test bed.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
import unittest

import numpy as np
import slicer
import slicer.util

try:
    from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest
except ImportError:  # plain Python
    ScriptedLoadableModuleTest = unittest.TestCase

HERE = os.path.dirname(os.path.abspath(__file__))
FAKES = os.path.normpath(os.path.join(HERE, os.pardir, "Lib"))
SECONDS = 60.0


@unittest.skipIf(getattr(slicer, "app", None) is None, "needs the application's widgets")
class TextPromptSegEffectTest(ScriptedLoadableModuleTest):
    """One CT-like volume, the effect in a segment editor, the panel in a window."""

    def setUp(self):
        """Start with an empty scene, a checkpoint of its own and a fake worker."""
        sys.path.append(FAKES)
        from TextPromptSegGUI import session
        from TextPromptSegLib.worker.client import WorkerClient
        from TextPromptSegLib.worker.process import default_command

        self.home = tempfile.mkdtemp(prefix="TextPromptSegTest-")
        self.before = os.environ.get("TEXTPROMPTSEG_HOME")
        os.environ["TEXTPROMPTSEG_HOME"] = self.home
        self.install_checkpoint()
        slicer.mrmlScene.Clear(0)
        command = [*default_command(), "--predictor", "fake_predictor:FakePredictor.load"]
        paths = os.pathsep.join(filter(None, [FAKES, os.environ.get("PYTHONPATH")]))
        self.client = WorkerClient(command, {**os.environ, "PYTHONPATH": paths})
        self.session = session.Session(self.client)
        self.session.devices = [{"id": "cpu", "name": "CPU", "free_bytes": None}]
        self.sessions = list(session._sessions)
        session._sessions[:] = [self.session]
        self.widgets = []
        array = np.full((12, 40, 40), 40, np.int16)
        matrix = np.diag([-6.0, -6.0, 15.0, 1.0])
        self.volume = slicer.util.addVolumeFromArray(array, matrix, "CT")

    def tearDown(self):
        """End the worker and leave an empty scene."""
        from TextPromptSegGUI import session

        for widget in self.widgets:
            widget.deleteLater()
        self.session.close()
        session._sessions[:] = self.sessions
        slicer.mrmlScene.Clear(0)
        if self.before is None:
            os.environ.pop("TEXTPROMPTSEG_HOME", None)
        else:
            os.environ["TEXTPROMPTSEG_HOME"] = self.before
        shutil.rmtree(self.home, ignore_errors=True)

    def runTest(self):
        """Run all scenarios; Slicer's "Reload and Test" calls this."""
        for name in sorted(dir(self)):
            if name.startswith("test_"):
                self.setUp()
                try:
                    getattr(self, name)()
                finally:
                    self.tearDown()

    # -- helpers -------------------------------------------------------------------------------

    def install_checkpoint(self):
        """Write the configuration that the fake predictor answers for."""
        from fake_predictor import ABSENT, BALLS

        folder = os.path.join(self.home, "checkpoints", "fake")
        os.makedirs(folder)
        config = {
            "format": 1,
            "name": "fake",
            "title": "Test balls",
            "system": "film-unet",
            "config": {},
            "input": {"size": 64},
            "text_encoder": {"id": "none"},
            "planes": ["axial"],
            "modalities": ["CT"],
            "trained_prompts": {n: {"threshold": 0.5} for n in [*BALLS, *ABSENT]},
            "licence": {"spdx": "CC0-1.0", "line": "Free.", "permissive": True},
            "weights_sha256": "0" * 64,
        }
        with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as stream:
            json.dump(config, stream)
        with open(os.path.join(folder, "model.safetensors"), "wb") as stream:
            stream.write(b"0")

    def wait(self, condition):
        """Let the application go on until a condition holds."""
        end = time.monotonic() + SECONDS
        while not condition():
            self.assertLess(time.monotonic(), end, "it takes too long")
            slicer.app.processEvents()
            time.sleep(0.005)

    def open_editor(self):
        """Open a segment editor with the effect active."""
        self.segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
        self.segmentation.CreateDefaultDisplayNodes()
        self.segmentation.SetReferenceImageGeometryParameterFromVolumeNode(self.volume)
        self.segmentation.GetSegmentation().AddEmptySegment("s1", "Segment_1")
        self.node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
        editor = slicer.qMRMLSegmentEditorWidget()
        self.widgets.append(editor)
        editor.setMRMLScene(slicer.mrmlScene)
        editor.setMRMLSegmentEditorNode(self.node)
        editor.setSegmentationNode(self.segmentation)
        editor.setSourceVolumeNode(self.volume)
        editor.setCurrentSegmentID("s1")
        editor.setActiveEffectByName("Text prompt")
        self.assertIsNotNone(editor.activeEffect(), "the effect is not registered")
        choice = slicer.util.findChild(editor, "TextPromptModel")
        choice.currentIndex = choice.findData("fake")
        return editor

    def names(self):
        """Return the names of the segments."""
        segmentation = self.segmentation.GetSegmentation()
        return [segmentation.GetSegment(s).GetName() for s in segmentation.GetSegmentIDs()]

    def voxels(self, name):
        """Return the mask (K, J, I) of a segment."""
        segment_id = self.segmentation.GetSegmentation().GetSegmentIdBySegmentName(name)
        return slicer.util.arrayFromSegmentBinaryLabelmap(
            self.segmentation, segment_id, self.volume
        )

    def apply(self, editor, text):
        """Type, press Apply, wait, return what was said."""
        slicer.util.findChild(editor, "TextPromptLine").text = text
        button = slicer.util.findChild(editor, "TextPromptApply")
        label = button.text
        button.click()
        self.wait(lambda: button.text == label and not self.session.busy)
        return slicer.util.findChild(editor, "TextPromptOutcome").text

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
        self.assertEqual(self.names(), ["Segment_1"])

    def test_preview_and_threshold(self):
        """The preview shows, a threshold changes it, Apply writes it."""
        editor = self.open_editor()
        for view in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
            view.SetSliceOffset(7 * 15.0)
        slicer.util.findChild(editor, "TextPromptLine").text = "liver"
        preview = slicer.util.findChild(editor, "TextPromptPreview")
        outcome = slicer.util.findChild(editor, "TextPromptOutcome")
        preview.click()
        self.wait(lambda: "on this slice" in outcome.text)
        before = outcome.text
        slicer.util.findChild(editor, "TextPromptThreshold").value = 0.9
        self.assertNotEqual(outcome.text, before)
        self.apply(editor, "liver")
        self.assertEqual(self.names(), ["liver"])
        self.assertFalse(preview.checked)

    def test_cancel(self):
        """Cancel gives the window back and changes nothing."""
        editor = self.open_editor()
        slicer.util.findChild(editor, "TextPromptLine").text = "slow liver, liver"
        button = slicer.util.findChild(editor, "TextPromptApply")
        label = button.text
        button.click()
        progress = slicer.util.findChild(editor, "TextPromptProgress")
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
        slicer.util.findChild(editor, "TextPromptLine").text = "slow liver"
        slicer.util.findChild(editor, "TextPromptApply").click()
        self.wait(lambda: self.session.busy)
        slicer.mrmlScene.Clear(0)
        self.wait(lambda: not self.session.busy)

    def test_panel(self):
        """The panel segments into a new node and fills its table."""
        import qt

        from TextPromptSeg import TextPromptSegLogic
        from TextPromptSegGUI.panel import TextPromptSegPanel

        window = slicer.qMRMLWidget()
        self.widgets.append(window)
        window.setLayout(qt.QVBoxLayout())
        window.setMRMLScene(slicer.mrmlScene)
        panel = TextPromptSegPanel(window.layout(), TextPromptSegLogic())
        panel.enter()
        choice = slicer.util.findChild(window, "TextPromptSegModel")
        choice.currentIndex = choice.findData("fake")
        slicer.util.findChild(window, "TextPromptSegVolume").setCurrentNode(self.volume)
        slicer.util.findChild(window, "TextPromptSegPrompts").plainText = "liver\nspleen"
        slicer.util.findChild(window, "TextPromptSegApply").click()
        self.wait(lambda: not self.session.busy)
        self.segmentation = slicer.util.findChild(window, "TextPromptSegOutput").currentNode()
        self.assertEqual(self.names(), ["liver", "spleen"])
        self.assertEqual(slicer.util.findChild(window, "TextPromptSegResults").rowCount, 2)
        panel.cleanup()
