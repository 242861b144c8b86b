"""Probability, uncertainty and heat map as volumes over the image, when the user asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
from slicer.i18n import tr as _

if TYPE_CHECKING:
    from TextPromptSegLib.image.volume import Volume
    from TextPromptSegLib.prompting.segmentation import Segmentation

PROBABILITY, UNCERTAINTY, HEAT_MAP = "probability", "uncertainty", "heat_map"
_COLORS = "vtkMRMLColorTableNodeFileColdToHotRainbow.txt"
_FALLBACK = "vtkMRMLColorTableNodeRainbow"
_OPACITY = 0.5


def kind_name(kind: str) -> str:
    """Return a kind of map in words."""
    names = {
        PROBABILITY: _("probability"),
        UNCERTAINTY: _("uncertainty"),
        HEAT_MAP: _("heat map"),
    }
    return names[kind]


def values_of(result: Segmentation, kind: str, part: tuple[slice, ...] = ()) -> np.ndarray | None:
    """Return a map of an answer, or None when the answer has none.

    Args:
        result: the answer.
        kind: "probability"; "uncertainty": the standard deviation over the candidates, scaled to
            [0, 1], without candidates 1 where the probability is 0.5 and 0 where it is 0 or 1;
            "heat_map": where the system looked.
        part: the block of voxels that is wanted, (k, j, i).

    Returns:
        (K, J, I) float32 in [0, 1] of that block.
    """
    source = result.probability
    if kind == HEAT_MAP:
        source = result.heat_map
    elif kind == UNCERTAINTY and result.uncertainty is not None:
        source = result.uncertainty
    if source is None:
        return None
    values = source[part].astype(np.float32)
    if kind == UNCERTAINTY:
        # A probability deviates by at most a half.
        sampled = result.uncertainty is not None
        values = 2.0 * values if sampled else 4.0 * values * (1.0 - values)
    return values


def add_overlay(result: Segmentation, volume: Volume, kind: str) -> Any:
    """Add a volume node with a map of an answer to the scene, and show it.

    Args:
        result: the answer.
        volume: the image it belongs to, in world coordinates.
        kind: "probability", "uncertainty" or "heat_map".

    Returns:
        The vtkMRMLScalarVolumeNode, or None when the answer has no such map.
    """
    values = values_of(result, kind)
    if values is None:
        return None
    name = slicer.mrmlScene.GenerateUniqueName(f"{result.prompt.phrase()} {kind_name(kind)}")
    node = slicer.util.addVolumeFromArray(values, volume.ijk_to_ras, name)
    _color(node)
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
        composite.SetForegroundVolumeID(node.GetID())
        composite.SetForegroundOpacity(_OPACITY)
    return node


class LiveOverlay:
    """A map over the image while the preview is on; leaves the views as they were.

    Its volume is not saved with the scene and does not appear in selectors.
    """

    def __init__(self) -> None:
        """Start without a volume."""
        self._node_id = ""
        self._shown: tuple[Any, str] | None = None
        self._before: dict[str, tuple[str, float]] = {}

    @property
    def node(self) -> Any:
        """The volume node, None while nothing is shown."""
        return slicer.mrmlScene.GetNodeByID(self._node_id) if self._node_id else None

    def show(
        self,
        results: Sequence[Segmentation],
        volume: Volume,
        kind: str,
        block: tuple[slice, ...] | None = None,
    ) -> None:
        """Show a map of answers, of several the largest value; the same answers cost nothing.

        Args:
            results: the answers of one run.
            volume: the image, in world coordinates.
            kind: "probability", "uncertainty" or "heat_map".
            block: the part that was searched, (k, j, i); None for all of it.
        """
        known = self._shown is not None and self._shown[0] is results and self._shown[1] == kind
        if known and self.node is not None:
            return
        part = block or (slice(None),) * 3
        maps = [m for m in (values_of(result, kind, part) for result in results) if m is not None]
        if not maps:
            self.clear()
            return
        largest = np.maximum.reduce(maps)
        matrix = np.array(volume.ijk_to_ras, dtype=float)
        first = [s.start or 0 for s in part]
        matrix[:3, 3] = (matrix @ [first[2], first[1], first[0], 1.0])[:3]
        node = self._ready_node(_("Text prompt {map}").format(map=kind_name(kind)))
        slicer.util.updateVolumeFromArray(node, largest)
        node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
        _color(node)
        self._show_in_views(node)
        self._shown = (results, kind)

    def clear(self) -> None:
        """Remove the map and show again what was over the image before."""
        node, self._shown = self.node, None
        for name, (volume_id, opacity) in self._before.items():
            composite = slicer.mrmlScene.GetNodeByID(name)
            if composite is not None and composite.GetForegroundVolumeID() == self._node_id:
                composite.SetForegroundVolumeID(volume_id or None)
                composite.SetForegroundOpacity(opacity)
        self._before.clear()
        self._node_id = ""
        if node is not None:
            remove_with_display(node)

    def _ready_node(self, name: str) -> Any:
        node = self.node
        if node is None:
            node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScalarVolumeNode")
            node.UnRegister(None)
            node.SetHideFromEditors(True)
            node.SetSaveWithScene(False)
            slicer.mrmlScene.AddNode(node)
            self._node_id = node.GetID()
        node.SetName(name)
        return node

    def _show_in_views(self, node: Any) -> None:
        for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            if composite.GetForegroundVolumeID() == node.GetID():
                continue
            self._before[composite.GetID()] = (
                composite.GetForegroundVolumeID() or "",
                composite.GetForegroundOpacity(),
            )
            composite.SetForegroundVolumeID(node.GetID())
            composite.SetForegroundOpacity(_OPACITY)


def _color(node: Any) -> None:
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    if not node.GetSaveWithScene():
        display.SetSaveWithScene(False)
    for color in (_COLORS, _FALLBACK):
        if slicer.mrmlScene.GetNodeByID(color) is not None:
            display.SetAndObserveColorNodeID(color)
            break
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(0.0, 1.0)
    display.SetThreshold(0.05, 1.0)
    display.SetApplyThreshold(True)


def remove_with_display(node: Any) -> None:
    """Remove a node, and its display node, which the scene would keep."""
    display = node.GetDisplayNode()
    slicer.mrmlScene.RemoveNode(node)
    if display is not None and display.GetScene() is not None:
        slicer.mrmlScene.RemoveNode(display)
