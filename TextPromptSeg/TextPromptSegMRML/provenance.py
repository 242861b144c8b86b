"""Provenance of a result as tags of its segment, so that it is saved with the scene."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from TextPromptSegLib.outcome import Segmentation

PREFIX = "TextPromptSeg."

# Keys of a result's provenance -> name of the tag.
_FACTS = {
    "model": "Model",
    "weights_sha256": "SHA256",
    "system": "System",
    "text_encoder": "TextEncoder",
    "trained_prompts": "TrainedPrompts",
    "roi_ras_mm": "Region",
    "slices": "Slices",
    "plane": "Plane",
    "modality": "Modality",
    "device": "Device",
    "precision": "Precision",
    "version": "Version",
    "postprocess": "Postprocess",
}
_OWN = ("Prompt", "ParsedPrompt", "Threshold", "MaxProbability", "Outcome", "Date", "Operation")


def tags_of(segmentation: Segmentation, *, date: datetime | None = None) -> dict[str, str]:
    """Return the provenance of a result as tag names and texts.

    Args:
        segmentation: the result of one prompt.
        date: when it was made; now by default.

    Returns:
        "TextPromptSeg.Prompt", ".ParsedPrompt", ".Model", ".SHA256", ".Threshold", ".Date" and
        what else the run recorded. No patient data and no file path is among them.
    """
    when = date or datetime.now(timezone.utc)
    facts: dict[str, str] = {
        "Prompt": segmentation.prompt.text,
        "ParsedPrompt": segmentation.prompt.describe(),
        "Threshold": f"{segmentation.threshold:g}",
        "MaxProbability": f"{segmentation.max_probability:.4g}",
        "Outcome": getattr(segmentation.outcome, "value", str(segmentation.outcome)),
        "Date": when.isoformat(timespec="seconds"),
    }
    for key, name in _FACTS.items():
        value = segmentation.provenance.get(key)
        if value not in (None, "", []):
            facts[name] = _text(value)
    return {PREFIX + name: _safe(text) for name, text in facts.items()}


def write_provenance(segment: Any, tags: Mapping[str, str]) -> None:
    """Put provenance tags on a vtkSegment; tags of an earlier run are removed first."""
    for name in read_provenance(segment):
        segment.RemoveTag(PREFIX + name)
    for name, text in tags.items():
        segment.SetTag(name, text)


def read_provenance(segment: Any) -> dict[str, str]:
    """Return the provenance tags of a vtkSegment without their prefix; empty when it has none."""
    import vtk

    found: dict[str, str] = {}
    for name in (*_OWN, *_FACTS.values()):
        text = vtk.reference("")
        if segment.GetTag(PREFIX + name, text):
            found[name] = str(text)
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)


def _safe(text: str) -> str:
    """Keep a text from breaking the "key:value|key:value" form in which .seg.nrrd stores tags."""
    return " ".join(text.replace("|", "/").split())
