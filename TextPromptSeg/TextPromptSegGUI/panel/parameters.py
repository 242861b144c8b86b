"""What the panel remembers in the scene, typed; a saved scene opens with the same choices."""

from __future__ import annotations

import slicer
from slicer.parameterNodeWrapper import parameterNodeWrapper


@parameterNodeWrapper
class PanelParameters:
    """Inputs of the panel.

    Attributes:
        volume: the image: a volume, or a sequence of volumes.
        segmentation: where segments are added; None makes a new segmentation.
        roi: the region of interest, when the range is one.
        prompts: one or more per line.
        model: name of the checkpoint.
        modality: "auto", "CT", "MR" or "CXR".
        searched: "slices", "roi" or "whole".
        firstSlice: first slice of the range, from 0.
        lastSlice: one past the last slice; 0 means that no range was set.
        threshold: 0 for the checkpoint's own.
        allFrames: for a sequence: all frames, not only the one that is shown.
        hints: "text", "box", "points" or "both".
        box, points, outside: markups that point at the structure.
        twoPass, propagate: how boxes are used.
        samples: how many candidates to draw; 0 and 1 mean one answer.
    """

    # A node parameter may always be None.
    volume: slicer.vtkMRMLNode
    segmentation: slicer.vtkMRMLSegmentationNode
    roi: slicer.vtkMRMLMarkupsROINode
    box: slicer.vtkMRMLMarkupsROINode
    points: slicer.vtkMRMLMarkupsFiducialNode
    outside: slicer.vtkMRMLMarkupsFiducialNode
    prompts: str = ""
    model: str = ""
    modality: str = "auto"
    searched: str = "whole"
    firstSlice: int = 0
    lastSlice: int = 0
    threshold: float = 0.0
    allFrames: bool = False
    hints: str = "text"
    twoPass: bool = False
    propagate: bool = False
    samples: int = 0
