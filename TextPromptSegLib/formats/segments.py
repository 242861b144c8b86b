"""What every output format says of a segment: name, number, layer, colour, codes, provenance."""

from __future__ import annotations

import colorsys
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import numpy as np

from ..outcome import Outcome
from ..prompting.boxed import content_box, kept_of
from ..prompting.segmentation import Segmentation
from ..prompting.shades import display_colour

if TYPE_CHECKING:
    from ..prompting.vocabulary import Vocabulary

Code = tuple[str, str, str]
Extent = tuple[int, int, int, int, int, int]

CONTEXT = "Segmentation category and type - 3D Slicer General Anatomy list"
REGION_CONTEXT = "Anatomic codes - DICOM master list"
EMPTY: Extent = (0, -1, 0, -1, 0, -1)
# For what the vocabulary has no codes for: some part of the body.
_TISSUE: Code = ("SCT", "85756007", "Tissue")
_NONE: Code = ("", "", "")

# Keys of a run's provenance -> names of tags; neither file paths nor patient data are among them.
_FACTS = {
    "model": "Model",
    "system": "System",
    "weights_sha256": "SHA256",
    "text_encoder": "TextEncoder",
    "roi_ras_mm": "Region",
    "slices": "Slices",
    "plane": "Plane",
    "device": "Device",
    "precision": "Precision",
    "taken_for": "TakenFor",
    "version": "Version",
    "postprocess": "Postprocess",
    "box": "Box",
    "points": "Points",
    "two_pass": "TwoPass",
    "propagate": "Propagate",
    "candidate": "Candidate",
    "unusual": "Unusual",
}


@dataclass(frozen=True)
class Segment:
    """One segment as it is written.

    Attributes:
        label: its value in the label maps, from 1; no two segments of a result share one.
        layer: number of the label map that holds it; overlapping segments lie in different ones.
        name: what the user sees.
        colour: (r, g, b), 0..255.
        category: segmented property category (scheme, value, meaning).
        type: segmented property type.
        modifier: type modifier (the side), or None.
        region: anatomic region of a finding, or None.
        region_modifier: its side, or None.
        extent: first and last voxel along i, j, k; `EMPTY` without voxels.
        segmentation: the result itself.
    """

    label: int
    layer: int
    name: str
    colour: tuple[int, int, int]
    category: Code
    type: Code
    modifier: Code | None
    region: Code | None
    region_modifier: Code | None
    extent: Extent
    segmentation: Segmentation

    @property
    def terminology(self) -> str:
        """Slicer's text form of the codes (the tag ``TerminologyEntry``)."""
        codes = [self.category, self.type, self.modifier or _NONE]
        places = [self.region or _NONE, self.region_modifier or _NONE]
        parts = [CONTEXT, *map(_joined, codes), REGION_CONTEXT, *map(_joined, places)]
        return "~".join(parts)


def describe(
    segmentations: Sequence[Segmentation],
    shape: tuple[int, int, int],
    vocabulary: Vocabulary | None,
) -> tuple[list[Segment], list[np.ndarray]]:
    """Return the segments of a result and the label maps that hold them.

    There is a segment for every prompt that was understood, empty where nothing was found. A
    structure that overlaps an earlier one goes to another label map, so none eats another.

    Args:
        segmentations: the results.
        shape: (K, J, I) of the volume and of every mask.
        vocabulary: where codes and colours come from.

    Returns:
        The segments, and label maps (K, J, I) of unsigned integers, at least one.
    """
    written = [s for s in segmentations if s.outcome != Outcome.UNKNOWN_PROMPT]
    kind = np.uint8 if len(written) < 256 else np.uint16
    layers = [np.zeros(shape, kind)]
    segments: list[Segment] = []
    names: set[str] = set()
    for label, segmentation in enumerate(written, start=1):
        box, extent, part = _drawn(segmentation)
        mask = part != 0
        layer = next((n for n, m in enumerate(layers) if not (m[box][mask]).any()), len(layers))
        if layer == len(layers):
            layers.append(np.zeros(shape, kind))
        layers[layer][box][mask] = label
        drawn = segmentation.provenance.get("candidate")
        which = f", candidate {drawn}" if drawn else ""
        name = _unique(segment_name(segmentation.prompt) + which, names)
        found = vocabulary.terminology(segmentation.prompt) if vocabulary is not None else None
        segments.append(
            Segment(
                label=label,
                layer=layer,
                name=name,
                colour=display_colour(found, segmentation.prompt) if found else _colour(label),
                category=found.category if found else _TISSUE,
                type=found.type if found else _TISSUE,
                modifier=found.modifier if found else None,
                region=getattr(found, "region", None),
                region_modifier=getattr(found, "region_modifier", None),
                extent=extent,
                segmentation=segmentation,
            )
        )
    return segments, layers


def segment_name(prompt: Any) -> str:
    """Return what a segment of a prompt is called: "right kidney", "liver without tumor".

    The name alone would call the upper third of a lung a lung.
    """
    partial = prompt.thirds or prompt.minus or getattr(prompt, "half", None)
    whole = prompt.container in (None, prompt.name)
    if (partial or not whole) and hasattr(prompt, "phrase"):
        return safe_text(prompt.phrase())
    return safe_text(prompt.name)


def provenance_tags(segmentation: Segmentation, *, date: datetime | None = None) -> dict[str, str]:
    """Return where a result comes from, as names and values of segment tags.

    Args:
        segmentation: the result.
        date: when it was made; now by default.
    """
    when = date or datetime.now(timezone.utc)
    facts = {
        "Prompt": segmentation.prompt.text,
        "ParsedPrompt": segmentation.prompt.describe(),
        "Outcome": Outcome(segmentation.outcome).value,
        "Threshold": f"{segmentation.threshold:g}",
        "MaxProbability": f"{segmentation.max_probability:.4g}",
        "Date": when.isoformat(timespec="seconds"),
    }
    for key, name in _FACTS.items():
        value = segmentation.provenance.get(key)
        if value is not None and not (key == "unusual" and not value):
            plain = isinstance(value, str)
            facts[name] = value if plain else json.dumps(value, default=str, sort_keys=True)
    return {f"TextPromptSeg.{name}": safe_text(text) for name, text in facts.items()}


def algorithm_name(provenance: Mapping[str, Any]) -> str:
    """Return the name of the program and model, at most 64 characters as DICOM wants it."""
    return f"TextPromptSeg {provenance.get('model', '')}".strip()[:64]


def safe_text(text: str) -> str:
    """Return one line without the characters that separate fields in .seg.nrrd."""
    kept = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(kept.replace("|", "/").replace("\\", "/").split())


def union(extents: Sequence[Extent]) -> Extent:
    """Return the smallest extent that holds all; empty ones do not count."""
    full = [extent for extent in extents if extent != EMPTY]
    if not full:
        return EMPTY
    table = np.array(full)
    low, high = table[:, ::2].min(axis=0), table[:, 1::2].max(axis=0)
    return (int(low[0]), int(high[0]), int(low[1]), int(high[1]), int(low[2]), int(high[2]))


def _drawn(segmentation: Segmentation) -> tuple[tuple[slice, ...], Extent, np.ndarray]:
    """Return the (k, j, i) box of what is drawn, its extent, and the mask inside it."""
    kept = kept_of(segmentation, "mask")
    assert kept is not None
    inside = content_box(kept.values)
    part = kept.values[inside]
    if not part.size:
        return inside, EMPTY, part
    starts = [a + s.start for a, s in zip(kept.start, inside, strict=True)]
    box = tuple(slice(a, a + n) for a, n in zip(starts, part.shape, strict=True))
    k, j, i = ((s.start, s.stop - 1) for s in box)
    return box, (*i, *j, *k), part


def _joined(code: Code) -> str:
    return "^".join(safe_text(part).replace("~", "-").replace("^", " ") for part in code)


def _unique(name: str, names: set[str]) -> str:
    """Return a name that no other segment has, and remember it."""
    name = name or "segment"
    result, number = name, 2
    while result in names:
        result, number = f"{name} ({number})", number + 1
    names.add(result)
    return result


def _colour(number: int) -> tuple[int, int, int]:
    """Return the n-th of many colours that are easy to tell apart (golden angle)."""
    r, g, b = colorsys.hsv_to_rgb(number * 0.61803398875 % 1.0, 0.65, 0.9)
    return round(255 * r), round(255 * g), round(255 * b)
