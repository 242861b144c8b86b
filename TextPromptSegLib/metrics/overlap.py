"""Overlap of two masks: Dice, IoU, precision and recall, of one case and pooled over many.

Dice https://doi.org/10.2307/1932409 · metric names and pitfalls https://doi.org/10.1038/s41592-023-02151-z
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Overlap:
    """The voxel counts that every overlap measure is made of.

    Both masks empty is full agreement: every measure is 1. Only one of them empty: every measure is
    0, also those whose own quotient would be 0/0.

    Attributes:
        tp: voxels in the prediction and in the reference.
        fp: voxels in the prediction only.
        fn: voxels in the reference only.
    """

    tp: int
    fp: int
    fn: int

    @property
    def dice(self) -> float:
        """2 TP / (2 TP + FP + FN), in [0, 1]."""
        return _quotient(2 * self.tp, 2 * self.tp + self.fp + self.fn, self.both_empty)

    @property
    def iou(self) -> float:
        """Intersection over union, TP / (TP + FP + FN), in [0, 1]."""
        return _quotient(self.tp, self.tp + self.fp + self.fn, self.both_empty)

    @property
    def precision(self) -> float:
        """Share of the prediction that is right, TP / (TP + FP), in [0, 1]."""
        return _quotient(self.tp, self.tp + self.fp, self.both_empty)

    @property
    def recall(self) -> float:
        """Share of the reference that was found, TP / (TP + FN), in [0, 1]."""
        return _quotient(self.tp, self.tp + self.fn, self.both_empty)

    @property
    def both_empty(self) -> bool:
        """Whether neither mask holds a voxel."""
        return self.tp == self.fp == self.fn == 0

    def __add__(self, other: Overlap) -> Overlap:
        """Add the counts of another case: the measures of the sum are the pooled ones."""
        return Overlap(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)


def overlap_counts(prediction: np.ndarray, reference: np.ndarray) -> Overlap:
    """Count agreeing and disagreeing voxels of two masks of one shape.

    Args:
        prediction: any shape; everything but 0 is inside.
        reference: the same shape.

    Raises:
        ValueError: when the shapes differ.
    """
    p, r = as_masks(prediction, reference)
    tp = int(np.count_nonzero(p & r))
    return Overlap(tp, int(np.count_nonzero(p)) - tp, int(np.count_nonzero(r)) - tp)


def pooled(cases: Iterable[Overlap]) -> Overlap:
    """Pool cases ("micro"): the sum of their counts, so that large structures weigh more.

    The pooled IoU is Dice / (2 - Dice); a mean over cases ("macro") does not obey that.
    """
    return sum(cases, Overlap(0, 0, 0))


def as_masks(prediction: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both masks as bool arrays.

    Raises:
        ValueError: when the shapes differ.
    """
    p, r = np.asarray(prediction), np.asarray(reference)
    if p.shape != r.shape:
        raise ValueError(f"masks of different shapes: prediction {p.shape}, reference {r.shape}")
    return p.astype(bool, copy=False), r.astype(bool, copy=False)


def _quotient(part: int, whole: int, both_empty: bool) -> float:
    if whole == 0:
        return 1.0 if both_empty else 0.0
    return part / whole
