"""Provenance of a result as tags of its segment, so that it is saved with the scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import vtk

if TYPE_CHECKING:
    from TextPromptSegLib.prompting.segmentation import Segmentation

PREFIX = "TextPromptSeg."

# A vtkSegment does not list its tags, so the names that may be there are listed here.
_NAMES = (
    "Prompt",
    "ParsedPrompt",
    "Outcome",
    "Threshold",
    "MaxProbability",
    "Date",
    "Operation",
    "Model",
    "System",
    "SHA256",
    "TextEncoder",
    "Region",
    "Slices",
    "Plane",
    "Device",
    "Precision",
    "Version",
    "Postprocess",
    "Box",
    "Points",
    "TwoPass",
    "Propagate",
    "Candidate",
    "Unusual",
)


def write_provenance(segment: Any, results: Sequence[Segmentation], operation: str = "set") -> None:
    """Say on a vtkSegment where it comes from; the tags of an earlier run are replaced.

    The tags are those of a .seg.nrrd file of the command line: prompt, parsed form, model, sha256,
    threshold, date and what else the run recorded, no patient data and no file path; and the two
    that exporters of DICOM SEG look for.

    Args:
        segment: the vtkSegment.
        results: the results that went into it; the first gives model and threshold.
        operation: "set", "add", "remove" or "intersect".
    """
    from TextPromptSegLib.formats.segments import algorithm_name, provenance_tags

    for name in _NAMES:
        segment.RemoveTag(PREFIX + name)
    every = [provenance_tags(result) for result in results]
    tags = dict(every[0])
    for name in (PREFIX + "Prompt", PREFIX + "ParsedPrompt"):
        tags[name] = "; ".join(dict.fromkeys(one[name] for one in every))
    tags[PREFIX + "Operation"] = operation
    tags["DICOM.SegmentAlgorithmType"] = "AUTOMATIC" if operation == "set" else "SEMIAUTOMATIC"
    tags["DICOM.SegmentAlgorithmName"] = algorithm_name(results[0].provenance)
    for name, text in tags.items():
        segment.SetTag(name, text)


def read_provenance(segment: Any) -> dict[str, str]:
    """Return the provenance tags of a vtkSegment without their prefix; empty when it has none."""
    found: dict[str, str] = {}
    for name in _NAMES:
        text = vtk.reference("")
        if segment.GetTag(PREFIX + name, text):
            found[name] = str(text)
    return found
