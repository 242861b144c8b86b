"""Probabilities to the answer a person gets: mask, outcome, sentence; no torch needed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..outcome import InputError, Outcome
from ..prompting.boxed import Boxed, Layers, nothing
from ..prompting.segmentation import Segmentation
from .plausibility import UNUSUAL, Neighbours, oddities
from .postprocess import PostprocessRule, apply_rule, largest, over_threshold

if TYPE_CHECKING:
    from ..prompting.prompt import Prompt

BELOW = 0.5
"""A largest probability from this share of the threshold on counts as "present but below"."""
NO_IMAGE = "There is no image yet; call set_volume first."
"""What a predictor says that is asked before it has an image."""


def answer(
    prompt: Prompt,
    probability: np.ndarray | Boxed | Layers,
    threshold: float,
    seconds: float,
    provenance: Mapping[str, Any],
) -> Segmentation:
    """Return the answer to one prompt.

    Args:
        prompt: what was asked.
        probability: (K, J, I) float16 in the file's order, or as an answer keeps it.
        threshold: from which probability on a voxel belongs to the mask, in (0, 1).
        seconds: time spent, s.
        provenance: holds ``spacing_mm`` (i, j, k), ``voxel_ml``, ``slice_axis``,
            ``postprocess`` and ``notes``; with ``place`` a found structure is compared with what
            is known of it, see `plausibility`.
    """
    check_threshold(threshold)
    spacing = tuple(provenance["spacing_mm"])
    rule = PostprocessRule.from_dict(provenance["postprocess"])
    stored = Boxed.of(probability) if isinstance(probability, np.ndarray) else probability
    kept = stored.boxed() if isinstance(stored, Layers) else stored
    # Everything is done inside the box: outside of it there is nothing to find, fill or drop.
    raw = Boxed(kept.shape, kept.start, over_threshold(kept.values, threshold)).tight()
    drawn = apply_rule(raw.values, rule, spacing, int(provenance["slice_axis"]))
    peak, voxels = largest(kept.values), int(np.count_nonzero(drawn.view(bool)))
    mask = Boxed(kept.shape, raw.start, drawn if rule else drawn.copy()).trimmed()
    volume = voxels * float(provenance["voxel_ml"])
    unusual = oddities(prompt, mask, volume, provenance) if voxels else ()
    if voxels:
        outcome = Outcome.FOUND
        size = size_text(voxels, mask.shape, spacing, int(provenance["slice_axis"]))
        found = f"{UNUSUAL}: {', '.join(unusual)};" if unusual else "found"
        message = f"{found} {size}, max p {peak:.2f}"
    elif raw.size:
        outcome = Outcome.NOT_FOUND
        message = f"not found: only specks, which were removed (max p {peak:.2f})"
    elif peak >= BELOW * threshold:
        outcome = Outcome.BELOW_THRESHOLD
        message = f"present but below threshold (max p {peak:.2f}, threshold {threshold:.2f})"
    else:
        outcome = Outcome.NOT_FOUND
        message = f"not found: max p {peak:.2f}"
    notes = [str(note) for note in provenance.get("notes", ())]
    return Segmentation(
        prompt=prompt,
        outcome=outcome,
        mask=mask.unless_small(),
        probability=stored.unless_small(),
        seconds=seconds,
        max_probability=peak,
        voxels=voxels,
        volume_ml=volume,
        threshold=threshold,
        message="; ".join([message, *notes]),
        provenance={**provenance, "threshold": threshold, "unusual": list(unusual)},
    )


def size_text(voxels: int, shape: Sequence[int], spacing: Sequence[float], slice_axis: int) -> str:
    """Return the size of a structure: "1,432 ml", or "59.6 cm\N{SUPERSCRIPT TWO}" in a picture.

    Args:
        voxels: how many voxels it has.
        shape: (K, J, I) of the image; one slice has an area and no volume.
        spacing: (i, j, k), mm.
        slice_axis: axis of the array (0 K, 1 J, 2 I) along which the slices lie.
    """
    sides = [float(length) for length in spacing]
    if shape[slice_axis] == 1:
        del sides[2 - slice_axis]
        size, unit = voxels * math.prod(sides) / 100.0, "cm\N{SUPERSCRIPT TWO}"
    else:
        size, unit = voxels * math.prod(sides) / 1000.0, "ml"
    decimals = 2 if size < 10 else 1 if size < 100 else 0
    return f"{size:,.{decimals}f} {unit}"


def size_of(segmentation: Segmentation) -> str:
    """Return the size of an answer in words, see `size_text`."""
    facts = segmentation.provenance
    return size_text(
        segmentation.voxels,
        segmentation.shape,
        facts["spacing_mm"],
        int(facts["slice_axis"]),
    )


def refuse(
    prompt: Prompt,
    message: str,
    shape: tuple[int, int, int],
    threshold: float,
    provenance: Mapping[str, Any],
) -> Segmentation:
    """Return the answer to a prompt that the checkpoint cannot answer.

    Args:
        prompt: what was asked.
        message: why not, one sentence.
        shape: (K, J, I) of the volume.
        threshold: the threshold that was asked for.
        provenance: facts of the run.
    """
    return Segmentation(
        prompt=prompt,
        outcome=Outcome.UNKNOWN_PROMPT,
        mask=nothing(shape).unless_small(),
        probability=None,
        seconds=0.0,
        max_probability=0.0,
        voxels=0,
        volume_ml=0.0,
        threshold=threshold,
        message=message,
        provenance={**provenance, "threshold": threshold},
    )


def rethreshold(segmentation: Segmentation, threshold: float) -> Segmentation:
    """Return the same answer at another threshold; the network does not run.

    Args:
        segmentation: an answer with its probability.
        threshold: from which probability on a voxel belongs to the mask, in (0, 1).

    Raises:
        InputError: when the threshold is not in (0, 1).
    """
    check_threshold(threshold)
    probability = segmentation.__dict__["probability"]  # as it is kept
    if probability is None:
        return segmentation.changed(threshold=threshold)
    return answer(
        segmentation.prompt,
        probability,
        threshold,
        segmentation.seconds,
        segmentation.provenance,
    )


def related(results: Sequence[Segmentation], known: Neighbours) -> list[Segmentation]:
    """Return answers with what speaks against them by how they lie to others.

    Args:
        results: answers of one run.
        known: what was found in this image before.
    """
    done = list(results)
    for number, said in enumerate(known.relate(results)):
        if said:
            made = results[number]
            facts = {**made.provenance, "relations": list(said)}
            done[number] = rethreshold(made.changed(provenance=facts), made.threshold)
    return done


def check_threshold(threshold: float) -> None:
    """Refuse what is not a probability between 0 and 1.

    Raises:
        InputError: naming the number.
    """
    if not 0.0 < threshold < 1.0:
        raise InputError(f"The threshold {threshold:g} must lie between 0 and 1.")
