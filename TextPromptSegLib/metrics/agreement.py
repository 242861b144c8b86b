"""Agreement over all voxels, background included: F1, accuracy, Cohen's kappa, average precision.

The FiLM paper reports them beside Dice. Closed forms of voxel counts, equal to torchmetrics'
(`binary_f1_score`, `binary_accuracy`, `binary_cohen_kappa`, `binary_average_precision`; tested),
which want two long integers a voxel: too much for a whole volume.

Cohen's kappa: https://doi.org/10.1177/001316446002000104 · background dominates accuracy and, in
large images, makes kappa nearly the Dice: https://doi.org/10.1186/s12880-015-0068-x
"""

from __future__ import annotations

import numpy as np

from .overlap import as_masks, overlap_counts

AGREEMENT = ("f1", "pixel_accuracy", "kappa", "average_precision")


def pixel_agreement(
    prediction: np.ndarray, reference: np.ndarray, probability: np.ndarray | None = None
) -> dict[str, float]:
    """Return the measures of `AGREEMENT`; without a probability no average precision.

    F1 is the Dice of a binary mask. The mean of ``average_precision`` over cases is the mAP.

    Args:
        prediction: any shape; everything but 0 is inside.
        reference: the same shape.
        probability: the same shape, in [0, 1].

    Raises:
        ValueError: when the shapes differ.
    """
    counts = overlap_counts(prediction, reference)
    total = np.asarray(reference).size
    wrong = counts.fp + counts.fn
    found, drawn = counts.tp + counts.fp, counts.tp + counts.fn
    by_chance = (found * drawn + (total - found) * (total - drawn)) / total**2
    accuracy = 1.0 - wrong / total
    # all of both masks background, or all inside: they agree, whatever chance says
    kappa = 1.0 if by_chance == 1.0 else (accuracy - by_chance) / (1.0 - by_chance)
    result = {"f1": counts.dice, "pixel_accuracy": accuracy, "kappa": kappa}
    if probability is not None:
        result["average_precision"] = average_precision(probability, reference)
    return result


def average_precision(probability: np.ndarray, reference: np.ndarray) -> float:
    """Return sum (R_n - R_n-1) P_n over all thresholds, in [0, 1]; an empty reference gives 0.

    Args:
        probability: any shape, in [0, 1].
        reference: the same shape; everything but 0 is inside.

    Raises:
        ValueError: when the shapes differ.
    """
    p = np.asarray(probability)
    _, inside = as_masks(p, reference)
    drawn = int(np.count_nonzero(inside))
    if not drawn:
        return 0.0
    some = p > 0  # the rest, most of a volume, is one group at the end of the ranking
    order, which = np.unique(p[some], return_inverse=True)
    right = np.bincount(which, weights=inside[some], minlength=len(order))[::-1]
    all_of_them = np.bincount(which, minlength=len(order))[::-1]
    right = np.append(right, drawn - right.sum())
    ranked = np.append(all_of_them.cumsum(), p.size)
    return float((right * right.cumsum() / ranked).sum() / drawn)
