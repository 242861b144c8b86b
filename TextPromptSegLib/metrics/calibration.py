"""Whether probabilities mean what they say: reliability counts and expected calibration error.

https://arxiv.org/abs/1706.04599
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .overlap import as_masks


@dataclass(frozen=True)
class Calibration:
    """Counts a bin of equal width in [0, 1]; addable over cases, for a reliability plot.

    Attributes:
        counts: (bins,) voxels a bin.
        confidence: (bins,) sum of the probabilities.
        inside: (bins,) voxels that lie in the reference.
    """

    counts: np.ndarray
    confidence: np.ndarray
    inside: np.ndarray

    @property
    def ece(self) -> float:
        """Expected calibration error: mean |probability - share inside| over voxels, in [0, 1]."""
        total = self.counts.sum()
        return float(np.abs(self.confidence - self.inside).sum() / total) if total else 0.0

    def __add__(self, other: Calibration) -> Calibration:
        """Pool two cases."""
        return Calibration(
            self.counts + other.counts,
            self.confidence + other.confidence,
            self.inside + other.inside,
        )


def calibration_counts(
    probability: np.ndarray,
    reference: np.ndarray,
    bins: int = 10,
    above: float = 0.0,
) -> Calibration:
    """Count voxels by predicted probability and by what the reference says.

    Args:
        probability: any shape, in [0, 1].
        reference: the same shape; everything but 0 is inside.
        bins: number of bins of equal width.
        above: leave out voxels that are outside the reference and not above this probability; a
            volume is mostly certain background, which would hide every error.

    Raises:
        ValueError: when the shapes differ.
    """
    p = np.asarray(probability, dtype=np.float32)
    _, inside = as_masks(p, reference)
    if above > 0:
        keep = (p > above) | inside
        p, inside = p[keep], inside[keep]
    p, inside = p.ravel(), inside.ravel()
    index = np.clip((p * bins).astype(int), 0, bins - 1)
    return Calibration(
        np.bincount(index, minlength=bins),
        np.bincount(index, weights=p, minlength=bins),
        np.bincount(index, weights=inside, minlength=bins),
    )


def pooled_calibration(cases: Iterable[Calibration]) -> Calibration | None:
    """Add the counts of many cases; None when there are none."""
    total: Calibration | None = None
    for case in cases:
        total = case if total is None else total + case
    return total


def uncertainty_error(
    uncertainty: np.ndarray, probability: np.ndarray, reference: np.ndarray, above: float = 0.01
) -> float | None:
    """Return Pearson's correlation of uncertainty and error, voxel by voxel.

    Args:
        uncertainty: for example the standard deviation over samples, any shape.
        probability: the same shape, in [0, 1]; the error is its distance from the reference.
        reference: the same shape; everything but 0 is inside.
        above: leave out voxels outside the reference that are not above this probability: all of
            them are certain and right, and would raise the correlation.

    Returns:
        A number in [-1, 1]; None where uncertainty or error do not vary.
    """
    p = np.asarray(probability, np.float32)
    _, inside = as_masks(p, reference)
    u = np.asarray(uncertainty, np.float64)
    keep = (p > above) | inside
    error = np.abs(p - inside)[keep].astype(np.float64)
    if not keep.any() or np.ptp(u[keep]) == 0 or np.ptp(error) == 0:
        return None
    return float(np.corrcoef(u[keep], error)[0, 1])
