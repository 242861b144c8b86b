"""REPORT.json: what was asked of one image, what came out, how long it took, and with what."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..image.modality import taken_for
from ..prompting.segmentation import Segmentation
from ..resources import VERSION

if TYPE_CHECKING:
    from ..image.volume import Volume

_STAGES = ("load", "text", "image", "decode")


def build_report(
    predictor: Any,
    source: Path | None,
    volume: Volume,
    segmentations: Sequence[Segmentation],
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what REPORT.json holds.

    Args:
        predictor: what gave the answers; its ``config`` and ``seconds`` are told.
        source: the image's path; None leaves it out.
        volume: the image.
        segmentations: the answers.
        options: threshold, region and the like, as far as they were set.
    """
    config = predictor.config
    facts = [plain(s.provenance) for s in segmentations]
    shared = {
        key: value
        for key, value in (facts[0] if facts else {}).items()
        if key != "quality" and all(key in other and other[key] == value for other in facts)
    }
    seconds = dict.fromkeys(_STAGES, 0.0)
    seconds.update((key, round(float(value), 4)) for key, value in predictor.seconds.items())
    return {
        "input": "" if source is None else str(source),
        "model": str(config.get("name", "")),
        "prompts": [_prompt_entry(s, shared) for s in segmentations],
        "device": str(getattr(predictor, "device", shared.get("device", ""))),
        "seconds": {**seconds, "write": 0.0},
        "provenance": {
            **shared,
            **_image_facts(volume),
            "version": VERSION,
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "weights_sha256": str(config.get("weights_sha256", "")),
            "licence": str(config.get("licence", {}).get("line", "")),
            "options": dict(options),
            "notes": [str(note) for note in volume.meta.get("notes", ())],
        },
    }


def _image_facts(volume: Volume) -> dict[str, Any]:
    """Return what the image was taken for, and which DICOM series it is."""
    taken, series = taken_for(volume), volume.meta.get("series")
    facts = {"modality": taken.modality, "modality_guessed": taken.guessed}
    return {**facts, "taken_for": taken.sentence, **({"series": dict(series)} if series else {})}


def _prompt_entry(segmentation: Segmentation, shared: Mapping[str, Any]) -> dict[str, Any]:
    prompt = segmentation.prompt
    facts = plain(segmentation.provenance)
    quality = facts.pop("quality", None)
    own = {k: v for k, v in facts.items() if k not in shared}
    return {
        "prompt": prompt.text,
        "name": prompt.name,
        "parsed": prompt.describe(),
        "outcome": segmentation.outcome.value,
        "voxels": int(segmentation.voxels),
        "volume_ml": round(float(segmentation.volume_ml), 4),
        "max_probability": round(float(segmentation.max_probability), 4),
        "threshold": float(segmentation.threshold),
        "seconds": round(float(segmentation.seconds), 4),
        "message": segmentation.message,
        "unusual": facts.pop("unusual", []),
        "quality": quality,
        **({"provenance": own} if own else {}),
    }


def plain(value: Any) -> Any:
    """Return ``value`` as JSON-ready data; what is not finite becomes None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, str) and getattr(value, "size", 1) == 1:
        value = value.item()  # a number of numpy or torch
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int)):
        return value
    return str(value)
