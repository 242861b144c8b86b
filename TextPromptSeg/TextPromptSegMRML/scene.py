"""A scene for plain Python (slicer-core), and a guard for scenes that change during a run."""

from __future__ import annotations

import types
from typing import Any, NamedTuple

import numpy as np
import slicer

# Attribute of slicer.modules -> class of its logic. Terminologies is left out on purpose: its
# logic looks for files of the application at start, and the bridge needs only static methods.
_LOGICS = {
    "volumes": "vtkSlicerVolumesLogic",
    "segmentations": "vtkSlicerSegmentationsModuleLogic",
    "sequences": "vtkSlicerSequencesLogic",
    "markups": "vtkSlicerMarkupsLogic",
    "transforms": "vtkSlicerTransformLogic",
}


def in_application() -> bool:
    """Say whether this Python runs inside the Slicer application."""
    return getattr(slicer, "app", None) is not None


def headless_scene() -> Any:
    """Set up ``slicer.mrmlScene`` and the module logics that ``slicer.util`` asks for.

    Does nothing inside Slicer and nothing the second time, so a script may always call it.

    Returns:
        The vtkMRMLScene in use.
    """
    import slicer.util  # plain `import slicer` does not bring it with slicer-core

    scene = getattr(slicer, "mrmlScene", None)
    if in_application() or (scene is not None and _has_logics()):
        return scene
    if scene is None:
        scene = slicer.vtkMRMLScene()
        slicer.mrmlScene = scene
    application = slicer.vtkSlicerApplicationLogic()
    application.SetMRMLScene(scene)
    colors = application.GetColorLogic()
    if colors is not None:
        application.SetModuleLogic("Colors", colors)
        colors.SetMRMLScene(scene)
        colors.AddDefaultColorNodes()
    modules = getattr(slicer, "modules", None) or types.SimpleNamespace()
    for name, class_name in _LOGICS.items():
        if not hasattr(modules, name):
            setattr(modules, name, _module(_logic(class_name, application, scene)))
    slicer.modules = modules
    # Logics keep only a weak reference to the application logic.
    scene.__dict__["_text_prompt_seg_application"] = application
    return scene


def application_logic() -> Any:
    """Return the vtkMRMLApplicationLogic of Slicer or of the headless scene, or None."""
    if in_application():
        return slicer.app.applicationLogic()
    scene = getattr(slicer, "mrmlScene", None)
    return getattr(scene, "__dict__", {}).get("_text_prompt_seg_application")


def require_scene() -> Any:
    """Return the scene, set up first when this is a plain Python."""
    return headless_scene()


def _has_logics() -> bool:
    modules = getattr(slicer, "modules", None)
    return modules is not None and all(hasattr(modules, name) for name in _LOGICS)


def _logic(class_name: str, application: Any, scene: Any) -> Any:
    logic = getattr(slicer, class_name)()
    logic.SetMRMLApplicationLogic(application)
    logic.SetMRMLScene(scene)
    return logic


def _module(logic: Any) -> types.SimpleNamespace:
    return types.SimpleNamespace(logic=lambda: logic)


class _Identity(NamedTuple):
    node: Any
    node_id: str
    name: str
    scene: Any


class RunGuard:
    """Remembers the nodes of a run and refuses to write when they are gone or changed.

    A run may take minutes while the user goes on working. A deleted node that Python still holds
    takes writes without an error, and after a scene was closed a new node has the ID of an old one:
    so a node must be the same object and still in its scene.
    """

    def __init__(self, volume_node: Any, segmentation_node: Any = None) -> None:
        """Remember the nodes.

        Args:
            volume_node: the vtkMRMLVolumeNode (or vtkMRMLSequenceNode) that is segmented.
            segmentation_node: the existing vtkMRMLSegmentationNode to write to, or None.

        Raises:
            InputError: when a node is None or not in the scene.
        """
        self._volume = _identity(volume_node, "volume")
        self._segmentation = (
            None if segmentation_node is None else _identity(segmentation_node, "segmentation")
        )
        self._state = _volume_state(volume_node)

    def nodes(self) -> tuple[Any, Any]:
        """Find the nodes again.

        Returns:
            The volume node and the segmentation node (None when none was given).

        Raises:
            InputError: when one was deleted, the scene was closed, or the volume changed.
        """
        volume_node = _find(self._volume, "volume")
        segmentation_node = (
            None if self._segmentation is None else _find(self._segmentation, "segmentation")
        )
        if not _same_state(self._state, _volume_state(volume_node)):
            raise _input_error(
                f"The volume '{self._volume.name}' was changed or moved while it was segmented; "
                "nothing was written, run it again."
            )
        return volume_node, segmentation_node


def check_in_scene(node: Any, kind: str) -> None:
    """Refuse a node that is None or no longer in the scene.

    Raises:
        InputError: with a sentence that says what to do.
    """
    _identity(node, kind)


def _identity(node: Any, kind: str) -> _Identity:
    if node is None:
        raise _input_error(f"No {kind} is selected; choose one first.")
    scene = node.GetScene() if hasattr(node, "GetScene") else None
    if scene is None or scene.GetNodeByID(node.GetID() or "") is not node:
        raise _input_error(
            f"The {kind} '{_name(node)}' is not in the scene any more; choose another one."
        )
    return _Identity(node, node.GetID(), _name(node), scene)


def _find(identity: _Identity, kind: str) -> Any:
    node, node_id, name, scene = identity
    if scene.GetNodeByID(node_id) is not node:
        raise _input_error(
            f"The {kind} '{name}' was deleted while it was in use (or the scene was closed); "
            "nothing was written."
        )
    return node


def _name(node: Any) -> str:
    return (node.GetName() if hasattr(node, "GetName") else None) or "without name"


def _volume_state(node: Any) -> dict[str, Any]:
    """Everything that would make a mask of this volume wrong when it changes."""
    state: dict[str, Any] = {"name": node.GetClassName()}
    if node.IsA("vtkMRMLSequenceNode"):
        state["frames"] = node.GetNumberOfDataNodes()
        return state
    image = node.GetImageData() if node.IsA("vtkMRMLVolumeNode") else None
    if image is not None:
        state["voxels"] = image.GetMTime()
    if hasattr(node, "GetIJKToRASMatrix"):
        state["matrix"] = _matrix(node)
    transform = node.GetParentTransformNode() if hasattr(node, "GetParentTransformNode") else None
    state["transform"] = None if transform is None else transform.GetTransformToWorldMTime()
    return state


def _matrix(node: Any) -> np.ndarray:
    from .geometry import ijk_to_ras

    return ijk_to_ras(node)


def _same_state(first: dict[str, Any], second: dict[str, Any]) -> bool:
    if first.keys() != second.keys():
        return False
    return all(np.array_equal(first[key], second[key]) for key in first)


def _input_error(message: str) -> Exception:
    from TextPromptSegLib.outcome import InputError

    return InputError(message)
