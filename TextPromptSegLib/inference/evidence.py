"""Whether a structure is there at all: what the presence head says, and what the mask looks like.

A head that saw a slice as a whole is easily fooled; the decoded mask tells more. Is the network
sure inside it, has it a size worth the name, do neighbouring slices agree? A small logistic rule
for each structure and modality weighs the four (``evidence`` in a checkpoint's
``trained_prompts``, chosen by `training.calibrate_evidence`). It looks at everything above one
low probability, whatever the threshold is: another threshold needs no new decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from ..image.boxes import bounding_box
from ..outcome import CheckpointError
from .postprocess import over_threshold

LEVEL = 0.3
"""The mask that is looked at: all from this probability on; no threshold is chosen lower."""
STEEPEST = 6.0
"""Logits are cut here: a head is never surer than that for good reasons."""


@dataclass(frozen=True)
class Evidence:
    """What speaks for a structure.

    Attributes:
        head: logit of the largest presence over the slices.
        confidence: logit of the mean probability inside the mask.
        size: decimal logarithm of the share of its slice that the largest area of the mask takes.
        agreement: overlap (Dice) of neighbouring slices of the mask, less 0.5; 0 in one slice.
    """

    head: float
    confidence: float
    size: float
    agreement: float

    def vector(self) -> tuple[float, ...]:
        """Return the numbers in the order of the fields."""
        return self.head, self.confidence, self.size, self.agreement


def logit(probability: float) -> float:
    """Return log(p / (1 - p)), cut at `STEEPEST`."""
    p = min(max(probability, 1e-9), 1.0 - 1e-9)
    return float(np.clip(np.log(p / (1.0 - p)), -STEEPEST, STEEPEST))


def evidence_of(
    slices: np.ndarray, presence: float, searched: Sequence[int] | None = None
) -> Evidence | None:
    """Return what speaks for a structure; None without any mask.

    Args:
        slices: probabilities (n, h, w) float16, everything or the part that holds anything.
        presence: largest presence over the slices.
        searched: (N, H, W) of everything; None = ``slices``.
    """
    searched = searched or slices.shape
    box = bounding_box(over_threshold(slices, LEVEL))
    if box is None:
        return None
    part = np.ascontiguousarray(slices[box])
    mask = over_threshold(part, LEVEL) != 0
    areas = mask.sum((1, 2))
    agreement = 0.0
    if searched[0] > 1:
        shared = int((mask[1:] & mask[:-1]).sum())
        # the slices beside the first and the last one show nothing of it
        agreement = 2.0 * shared / (2.0 * float(areas.sum())) - 0.5
    return Evidence(
        logit(presence),
        logit(float(part[mask].astype(np.float32).mean())),
        float(np.log10(areas.max() / (searched[1] * searched[2]))),
        agreement,
    )


@dataclass(frozen=True)
class EvidenceRule:
    """Weights of a logistic rule, and the probability from which the structure is there."""

    intercept: float
    head: float
    confidence: float
    size: float
    agreement: float
    gate: float

    def probability(self, evidence: Evidence) -> float:
        """Return how probable it is that the structure is there."""
        weights = (self.head, self.confidence, self.size, self.agreement)
        return float(1.0 / (1.0 + np.exp(-self.intercept - np.dot(weights, evidence.vector()))))

    def to_dict(self) -> dict[str, float]:
        """Return the numbers as they stand in a configuration."""
        return {key: round(value, 4) for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> EvidenceRule:
        """Read what `to_dict` wrote.

        Raises:
            CheckpointError: for other keys or what is no number.
        """
        names = [f.name for f in fields(cls)]
        try:
            if set(values) != set(names):
                raise ValueError(f"it needs {', '.join(names)}")
            rule = cls(*(float(values[name]) for name in names))
            if not np.isfinite(list(asdict(rule).values())).all() or not 0 < rule.gate < 1:
                raise ValueError("its numbers are finite and the gate lies between 0 and 1")
        except (TypeError, ValueError) as error:
            raise CheckpointError(
                f"The checkpoint's rule of evidence is unusable: {error}."
            ) from error
        return rule


def rule_of(entry: Mapping[str, Any], modality: str | None) -> EvidenceRule | None:
    """Return the rule of a trained prompt in images of a modality, None where it has none.

    Args:
        entry: of ``trained_prompts``; ``evidence`` holds a rule for each modality.
        modality: "CT", "MR", "CXR" or None.

    Raises:
        CheckpointError: when it is unusable.
    """
    rules = entry.get("evidence", {})
    if not isinstance(rules, Mapping):
        raise CheckpointError("The checkpoint's rules of evidence stand by modality.")
    values = rules.get(modality)
    return None if values is None else EvidenceRule.from_dict(values)
