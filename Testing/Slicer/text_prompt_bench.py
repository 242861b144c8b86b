"""What the self tests of effect and panel share: scene, worker, checkpoint, waiting.

Runs inside the Slicer application with its own widgets, and on the test bed of Testing/GUI. No GPU,
no internet: the worker is a real process that runs the predictor of
Testing/Lib/support/fake_predictor.py, or a tiny network that nobody trained.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import subprocess
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
FAKES = os.path.normpath(os.path.join(HERE, os.pardir, "Lib", "support"))
SECONDS = 120.0


class SelfTest(ScriptedLoadableModuleTest):
    """One CT-like volume; a segment editor with the effect, and the panel in a window."""

    def setUp(self):
        """Start with an empty scene, a checkpoint of its own and a fake worker."""
        sys.path.append(FAKES)
        from TextPromptSegGUI.shared import dependencies, session
        from TextPromptSegLib.worker.client import WorkerClient
        from TextPromptSegLib.worker.process import default_command

        self.home = tempfile.mkdtemp(prefix="TextPromptSegTest-")
        self.before = os.environ.get("TEXTPROMPTSEG_HOME")
        os.environ["TEXTPROMPTSEG_HOME"] = self.home
        self.install_checkpoint()
        # The fake worker needs none of the packages; the machine that builds extensions has none.
        self.complete = list(dependencies._complete)
        dependencies._complete[:] = [True]
        slicer.mrmlScene.Clear(0)
        command = [*default_command(), "--predictor", "fake_predictor:FakePredictor.load"]
        paths = os.pathsep.join(filter(None, [FAKES, os.environ.get("PYTHONPATH")]))
        self.client = WorkerClient(command, {**os.environ, "PYTHONPATH": paths})
        self.session = session.Session(self.client)
        self.session.devices = [{"id": "cpu", "name": "CPU", "free_bytes": None}]
        self.sessions = list(session._sessions)
        session._sessions[:] = [self.session]
        self.widgets, self.panels = [], []
        array = np.full((12, 40, 40), 40, np.int16)
        matrix = np.diag([-6.0, -6.0, 15.0, 1.0])
        self.volume = slicer.util.addVolumeFromArray(array, matrix, "CT")

    def tearDown(self):
        """End the worker and leave an empty scene."""
        from TextPromptSegGUI.shared import dependencies, session

        for panel in self.panels:
            panel.cleanup()
        for widget in self.widgets:
            if hasattr(widget, "setActiveEffectByName"):
                widget.setActiveEffectByName("")
            widget.deleteLater()
        self.session.close()
        session._sessions[:] = self.sessions
        dependencies._complete[:] = self.complete
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
                except unittest.SkipTest as why:  # of this scenario; the others go on
                    logging.info("%s: skipped, %s", name, why)
                finally:
                    self.tearDown()

    # -- helpers -------------------------------------------------------------------------------

    def install_checkpoint(self, name="fake", root=None, **changes):
        """Write the configuration that the fake predictor answers for, and return its folder."""
        from fake_predictor import ABSENT, BALLS

        folder = os.path.join(root or os.path.join(self.home, "checkpoints"), name)
        os.makedirs(folder)
        config = {
            "format": 1,
            "name": name,
            "title": f"Test balls ({name})",
            "system": "film-unet",
            "config": {},
            "input": {"size": 64},
            "text_encoder": {"id": "none"},
            "planes": ["axial"],
            "modalities": ["CT"],
            "trained_prompts": {n: {"threshold": 0.5} for n in [*BALLS, *ABSENT]},
            "licence": {"spdx": "CC0-1.0", "line": "Free.", "permissive": True},
            "weights_sha256": hashlib.sha256(b"0").hexdigest(),
            **changes,
        }
        with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as stream:
            json.dump(config, stream)
        with open(os.path.join(folder, "model.safetensors"), "wb") as stream:
            stream.write(b"0")
        return folder

    def install_tiny_network(self):
        """Write a real, untrained network of a few thousand numbers; skip without its packages."""
        script = os.path.join(FAKES, "tiny_checkpoint.py")
        root = os.path.normpath(os.path.join(HERE, os.pardir, os.pardir))
        paths = os.pathsep.join(filter(None, [root, FAKES, os.environ.get("PYTHONPATH")]))
        command = [self.client.command[0], script, self.home]
        done = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True
        )
        if done.returncode == 3:
            self.skipTest("the packages that the network needs are not installed")
        self.assertEqual(done.returncode, 0, done.stderr)

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
        self.choose(editor, "TextPromptModel", "fake")
        return editor

    def find(self, parent, name):
        """Return a widget of the effect or the panel by its object name."""
        return slicer.util.findChild(parent, name)

    def choose(self, parent, name, data):
        """Select an entry of a combo box by its data."""
        box = self.find(parent, name)
        index = box.findData(data)
        self.assertGreaterEqual(index, 0, f"{name} does not offer {data}")
        box.currentIndex = index

    def open_panel(self):
        """Open the module's panel in a window, with the volume and the checkpoint selected."""
        import qt

        from TextPromptSeg import TextPromptSegLogic
        from TextPromptSegGUI.panel.panel import TextPromptSegPanel

        window = slicer.qMRMLWidget()
        self.widgets.append(window)
        window.setLayout(qt.QVBoxLayout())
        window.setMRMLScene(slicer.mrmlScene)
        panel = TextPromptSegPanel(window.layout(), TextPromptSegLogic())
        self.panels.append(panel)
        panel.enter()
        self.choose(window, "TextPromptSegModel", "fake")
        self.find(window, "TextPromptSegVolume").setCurrentNode(self.volume)
        return window

    def press(self, parent, name):
        """Press a button that starts a run, and wait for its end."""
        button = self.find(parent, name)
        label = button.text
        button.click()
        self.wait(lambda: button.text == label and not self.session.busy)

    def picture(self, widget, name):
        """Keep a picture of a widget for a person to look at; return its path."""
        folder = os.environ.get("TEXTPROMPTSEG_SCREENSHOTS") or self.home
        widget.resize(460, 700)
        widget.show()
        slicer.app.processEvents()
        path = os.path.join(folder, f"{name}.png")
        self.assertTrue(widget.grab().save(path))
        return path

    def start_slow_run(self, editor):
        """Press Apply for a run that takes a second, and wait until it has begun."""
        self.find(editor, "TextPromptLine").text = "slow liver, liver"
        self.find(editor, "TextPromptApply").click()
        progress = self.find(editor, "TextPromptProgress")
        self.wait(lambda: progress.value > 2)

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
        self.find(editor, "TextPromptLine").text = text
        button = self.find(editor, "TextPromptApply")
        label = button.text
        button.click()
        self.wait(lambda: button.text == label and not self.session.busy)
        return self.find(editor, "TextPromptOutcome").text
