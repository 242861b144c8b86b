"""What several runs say together: mean, deviation, interval of the mean, normality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_FOR_NORMALITY = 3


@dataclass(frozen=True)
class Spread:
    """One measure over the runs of a row.

    Attributes:
        values: of each run.
        mean: over the runs.
        sd: their standard deviation (n - 1); None for one run.
        low, high: 95 % interval of the mean by Student's t; None for one run.
        w, p: of the Shapiro-Wilk test of normality; None below three runs, or when all are equal.
    """

    values: tuple[float, ...]
    mean: float
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    w: float | None = None
    p: float | None = None

    @property
    def n(self) -> int:
        """Number of runs."""
        return len(self.values)


def spread_of(values: Sequence[float]) -> Spread:
    """Sum up the runs of one row.

    Args:
        values: at least one.
    """
    from scipy import stats

    numbers = np.asarray(values, dtype=float)
    found = tuple(map(float, numbers))
    mean = float(numbers.mean())
    if len(found) < 2:
        return Spread(found, mean)
    sd = float(numbers.std(ddof=1))
    half = float(stats.t.ppf(0.975, len(found) - 1)) * sd / len(found) ** 0.5
    w = p = None
    if len(found) >= LEAST_FOR_NORMALITY and float(np.ptp(numbers)) > 0:
        test = stats.shapiro(numbers)
        w, p = float(test.statistic), float(test.pvalue)
    return Spread(found, mean, sd, mean - half, mean + half, w, p)
