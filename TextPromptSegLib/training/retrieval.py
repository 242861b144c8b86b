"""How well pictures and names find each other: recall, average precision, area under the ROC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def roc_auc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Return the area under the ROC curve; ties count half.

    Args:
        scores: (N,) larger = more likely.
        positive: (N,) bool, both kinds occur.
    """
    from scipy.stats import rankdata

    ranks = rankdata(scores)
    ones = int(positive.sum())
    zeros = len(positive) - ones
    return float((ranks[positive].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def average_precision(scores: np.ndarray, positive: np.ndarray) -> float:
    """Return the mean of the precision at each positive, in the order of the scores."""
    order = np.argsort(-scores, kind="stable")
    hits = positive[order]
    precision = hits.cumsum() / np.arange(1, len(hits) + 1)
    return float(precision[hits].mean())


def retrieval_scores(
    logits: np.ndarray, here: np.ndarray, known: np.ndarray, names: Sequence[str]
) -> dict[str, Any]:
    """Return the scores of windows (B) against names (T); unknown pairs are left out.

    Args:
        logits: (B, T).
        here: (B, T) bool, the window shows the structure.
        known: (B, T) bool, whether it does is known.
        names: T names.

    Returns:
        ``window_to_structure`` (recall at 1 and 5: any right name among the best),
        ``structure_to_window`` (recall at 1 and 5, mean average precision over the names),
        ``auc`` per name, ``windows`` and ``positives`` (counts).
    """
    allowed = np.where(known, logits, -np.inf)
    rows = here.any(1)
    order = np.argsort(-allowed[rows], axis=1, kind="stable")
    ranked = np.take_along_axis(here[rows], order, axis=1)
    precisions: list[float] = []
    hits: dict[int, list[bool]] = {1: [], 5: []}
    areas: dict[str, float] = {}
    counts: dict[str, int] = {}
    for column, name in enumerate(names):
        use = known[:, column]
        right = here[use, column]
        if not right.any() or right.all():
            continue
        scores = logits[use, column]
        precisions.append(average_precision(scores, right))
        best = right[np.argsort(-scores, kind="stable")]
        for k, found in hits.items():
            found.append(bool(best[:k].any()))
        areas[name] = round(roc_auc(scores, right), 4)
        counts[name] = int(right.sum())
    return {
        "window_to_structure": {
            f"recall_at_{k}": round(float(ranked[:, :k].any(1).mean()), 4) for k in (1, 5)
        },
        "structure_to_window": {
            **{f"recall_at_{k}": round(float(np.mean(found)), 4) for k, found in hits.items()},
            "mean_average_precision": round(float(np.mean(precisions)), 4),
        },
        "mean_auc": round(float(np.mean(list(areas.values()))), 4),
        "auc": areas,
        "positives": counts,
        "windows": int(rows.sum()),
    }
