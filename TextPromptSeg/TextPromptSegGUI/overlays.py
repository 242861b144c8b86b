"""Probability and uncertainty as volumes over the image, when the user asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
from slicer.i18n import tr as _

if TYPE_CHECKING:
    from TextPromptSegLib.outcome import Segmentation
    from TextPromptSegLib.volume import Volume

_COLORS = "vtkMRMLColorTableNodeFileColdToHotRainbow.txt"
_FALLBACK = "vtkMRMLColorTableNodeRainbow"


def add_overlay(result: Segmentation, volume: Volume, uncertainty: bool) -> Any:
    """Add a volume node with the probability, or how unsure the answer is, and show it.

    Args:
        result: an answer with its probability.
        volume: the image it belongs to, in world coordinates.
        uncertainty: instead of the probability, the standard deviation over the candidates, scaled
            to [0, 1]; without candidates 1 where the probability is 0.5, 0 where it is 0 or 1.

    Returns:
        The vtkMRMLScalarVolumeNode, or None when the answer has no probability.
    """
    if result.probability is None:
        return None
    values = result.probability.astype(np.float32)
    if uncertainty and result.uncertainty is not None:
        # A probability deviates by at most a half.
        values = 2.0 * result.uncertainty.astype(np.float32)
    elif uncertainty:
        values = 4.0 * values * (1.0 - values)
    kind = _("uncertainty") if uncertainty else _("probability")
    name = slicer.mrmlScene.GenerateUniqueName(f"{result.prompt.phrase()} {kind}")
    node = slicer.util.addVolumeFromArray(values, volume.ijk_to_ras, name)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    for color in (_COLORS, _FALLBACK):
        if slicer.mrmlScene.GetNodeByID(color) is not None:
            display.SetAndObserveColorNodeID(color)
            break
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(0.0, 1.0)
    display.SetThreshold(0.05, 1.0)
    display.SetApplyThreshold(True)
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
        composite.SetForegroundVolumeID(node.GetID())
        composite.SetForegroundOpacity(0.5)
    return node
