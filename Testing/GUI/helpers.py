"""Scenes and helpers for the scenario tests."""

from __future__ import annotations

import gc
import json
import os
import threading
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent


def install_checkpoint(name: str = "fake", permissive: bool = True, **changes) -> Path:
    """Put a checkpoint that the fake predictor answers for into the user's folder."""
    from fake_predictor import ABSENT, BALLS

    from TextPromptSegLib.checkpoints.catalogue import user_checkpoints_dir

    folder = user_checkpoints_dir() / name
    folder.mkdir(parents=True, exist_ok=True)
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
        "licence": {
            "spdx": "CC-BY-4.0",
            "line": "Free with attribution.",
            "permissive": permissive,
        },
        "weights_sha256": "0" * 64,
        **changes,
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(b"\x00" * 1000)
    (folder / "README.md").write_text("# Test balls\n\nA card.")
    return folder


def add_ct(slicer, name: str = "CTtest", shape=(16, 64, 64), spacing=(5.0, 5.0, 15.0)):
    """Add a CT-like volume in LPS order, centred on the origin."""
    generator = np.random.default_rng(3)
    array = generator.normal(40, 15, shape)
    k, j, i = np.ogrid[: shape[0], : shape[1], : shape[2]]
    outside = ((i / shape[2] - 0.5) / 0.46) ** 2 + ((j / shape[1] - 0.5) / 0.36) ** 2 > 1
    array[np.broadcast_to(outside, shape)] = -1000
    matrix = np.diag([-spacing[0], -spacing[1], spacing[2], 1.0])
    size = np.array(shape[::-1]) * np.array([-1, -1, 1])
    matrix[:3, 3] = -size * np.array(spacing) / 2
    return slicer.util.addVolumeFromArray(array.astype(np.int16), matrix, name)


def fill(bench, segment_id: str, array: np.ndarray) -> None:
    """Put voxels into a segment, as an earlier edit would have done."""
    bench.slicer.util.updateSegmentBinaryLabelmapFromArray(
        array.astype(np.uint8), bench.segmentation, segment_id, bench.volume
    )


def add_segment(bench, name: str, array: np.ndarray) -> str:
    """Add a segment that the user drew, of voxels (K, J, I)."""
    segment_id = bench.segmentation.GetSegmentation().AddEmptySegment(name, name)
    fill(bench, segment_id, array)
    return segment_id


def mouse_mode(slicer) -> str:
    """Return what a click in a view does: "ViewTransform" or "Place"."""
    node = slicer.mrmlScene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    return node.GetInteractionModeAsString(node.GetCurrentInteractionMode())


def press(bench, keys: str) -> None:
    """Press keys, for example "Ctrl+Return", in the window outside the prompt line."""
    from conftest import pump
    from PySide6 import QtGui, QtTest

    window = bench.editor
    window.setFocus()
    (combination,) = QtGui.QKeySequence(keys)
    QtTest.QTest.keyClick(window, combination.key(), combination.keyboardModifiers())
    pump(0.0)


def place_by_mouse(slicer, *points) -> None:
    """Click points (RAS, mm) in a view, as vtkSlicerMarkupsWidget takes them in place mode.

    It ends the mode when it does not persist and the node wants no more points; a box wants two.
    """
    interaction = slicer.mrmlScene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    selection = slicer.mrmlScene.GetNodeByID("vtkMRMLSelectionNodeSingleton")
    assert mouse_mode(slicer) == "Place"
    node = slicer.mrmlScene.GetNodeByID(selection.GetActivePlaceNodeID())
    if node.IsA("vtkMRMLMarkupsROINode"):
        first, second = (np.array(point, float) for point in points)
        node.SetCenter(*(first + second) / 2)
        node.SetSize(*np.abs(first - second))
    else:
        for point in points:
            node.AddControlPointWorld(*point)
    if not interaction.GetPlaceModePersistence():
        interaction.SetCurrentInteractionMode(interaction.ViewTransform)


def segment_names(node) -> list[str]:
    """Return the names of the segments of a segmentation node."""
    segmentation = node.GetSegmentation()
    return [segmentation.GetSegment(s).GetName() for s in segmentation.GetSegmentIDs()]


def mask_of(slicer, node, name: str, volume) -> np.ndarray:
    """Return the mask (K, J, I) of a segment in the volume's lattice."""
    segmentation = node.GetSegmentation()
    segment_id = segmentation.GetSegmentIdBySegmentName(name)
    return slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume)


def left_behind(slicer, session) -> dict[str, int]:
    """Return counts of what a run may leave behind in this process and beside it."""
    import qt

    gc.collect()
    scene = slicer.mrmlScene
    nodes = [scene.GetNthNode(number) for number in range(scene.GetNumberOfNodes())]
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    maps = Path("/proc/self/maps")
    return {
        "processes": len(children.read_text().split()) if children.exists() else 0,
        "starts": session.client.starts,
        "threads": threading.active_count(),
        "files": len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0,
        "maps": maps.read_text().count("textpromptseg-") if maps.exists() else 0,
        "nodes": len(nodes),
        "observers": sum(str(node).count("vtkObserver (") for node in [scene, *nodes]),
        "timers": sum(issubclass(type(thing), qt.QTimer) for thing in gc.get_objects()),
        "listeners": len(session._listeners),
    }


def resident(pid="self") -> float:
    """Return the resident memory of a process, bytes."""
    path = Path(f"/proc/{pid}/statm")
    return int(path.read_text().split()[1]) * 4096.0 if path.exists() else 0.0


class EditorBench:
    """A segment editor with a volume and a segmentation, and handles to the effect's widgets."""

    def __init__(self, slicer, volume=None, with_segment: bool = False) -> None:
        self.slicer, self._widgets = slicer, {}
        self.volume = volume if volume is not None else add_ct(slicer)
        self.segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Seg")
        self.segmentation.CreateDefaultDisplayNodes()
        self.segmentation.SetReferenceImageGeometryParameterFromVolumeNode(self.volume)
        if with_segment:
            self.segmentation.GetSegmentation().AddEmptySegment("s1", "Segment_1")
        self.node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode", "Editor")
        self.editor = slicer.qMRMLSegmentEditorWidget()
        self.editor.setMRMLScene(slicer.mrmlScene)
        self.editor.setMRMLSegmentEditorNode(self.node)
        self.editor.setSegmentationNode(self.segmentation)
        self.editor.setSourceVolumeNode(self.volume)
        if with_segment:
            self.editor.setCurrentSegmentID("s1")
        self.editor.setActiveEffectByName("Text prompt")
        self.effect = self.editor.activeEffect()

    def widget(self, name: str):
        """Return a widget of the effect by its object name."""
        if name not in self._widgets:
            self._widgets[name] = self.slicer.util.findChild(self.editor, f"TextPrompt{name}")
        return self._widgets[name]

    @property
    def controller(self):
        return self.effect.self().controller

    def type(self, text: str) -> None:
        self.widget("Line").text = text

    def choose(self, name: str, data: str) -> None:
        box = self.widget(name)
        box.currentIndex = box.findData(data)

    def outcome(self) -> str:
        return self.widget("Outcome").text

    def idle(self) -> bool:
        return self.widget("Apply").text == "Apply" and not self.controller.session.busy

    def apply(self, seconds: float = 60.0) -> str:
        """Press Apply, wait for the end, return what was said."""
        from conftest import pump

        self.widget("Apply").click()
        assert pump(seconds, until=self.idle), self.outcome()
        return self.outcome()

    def names(self) -> list[str]:
        return segment_names(self.segmentation)

    def mask(self, name: str) -> np.ndarray:
        return mask_of(self.slicer, self.segmentation, name, self.volume)

    def scroll_to(self, number: int) -> None:
        """Show an axial slice in the red view."""
        slice_node = self.slicer.mrmlScene.GetSingletonNode("Red", "vtkMRMLSliceNode")
        matrix = self.slicer.util.arrayFromVTKMatrix
        import vtk

        ijk_to_ras = vtk.vtkMatrix4x4()
        self.volume.GetIJKToRASMatrix(ijk_to_ras)
        offset = (matrix(ijk_to_ras) @ [0, 0, number, 1])[2]
        slice_node.SetSliceOffset(float(offset))
        self.editor.bed_view_changed(slice_node)

    def close(self) -> None:
        self.editor.bed_close()
        self.editor.deleteLater()


class PanelBench:
    """The module widget with its panel, and handles to the panel's widgets."""

    def __init__(self, slicer) -> None:
        import qt
        from bed.install import load_module

        self.slicer = slicer
        self.window = slicer.qMRMLWidget()
        self.window.setLayout(qt.QVBoxLayout())
        self.window.setMRMLScene(slicer.mrmlScene)
        self.widget = load_module().TextPromptSegWidget(self.window)
        self.widget.setup()
        self.panel = self.widget.panel
        self.widget.enter()

    def find(self, name: str):
        return self.slicer.util.findChild(self.window, f"TextPromptSeg{name}")

    def type(self, text: str) -> None:
        self.find("Prompts").plainText = text

    def outcome(self) -> str:
        return self.find("Outcome").text

    def idle(self) -> bool:
        return self.find("Apply").text == "Apply" and not self.panel.session.busy

    def apply(self, seconds: float = 60.0) -> str:
        from conftest import pump

        self.find("Apply").click()
        assert pump(seconds, until=self.idle), self.outcome()
        return self.outcome()

    def rows(self, name: str = "Results") -> list[list[str]]:
        table = self.find(name)
        return [
            [
                item.text() if (item := table.item(row, column)) is not None else ""
                for column in range(table.columnCount)
            ]
            for row in range(table.rowCount)
        ]

    def close(self) -> None:
        self.slicer.app.moduleManager().moduleAboutToBeUnloaded.emit("TextPromptSeg")
        self.window.deleteLater()
