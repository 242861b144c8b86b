"""95 % intervals by bootstrap over cases, whole patients at a time where patients are known.

Slices of one patient are not independent; drawing patients instead of cases keeps the interval from
being too narrow. Percentile bootstrap: https://doi.org/10.1214/ss/1177013815
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from .overlap import Overlap

RESAMPLES = 2000
SEED = 20260101


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval.

    Attributes:
        value: the value over all cases.
        low, high: ends of the interval; None when all cases are of one patient.
        groups: number of independent units (patients, or cases without a known patient).
    """

    value: float
    low: float | None
    high: float | None
    groups: int


def mean_interval(
    values: Sequence[float],
    groups: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Return the mean over cases and its bootstrap interval.

    Args:
        values: one number a case.
        groups: the patient of each case; None takes every case for a patient of its own.
        resamples: number of bootstrap draws.
        seed: of the draws; the same seed gives the same interval.

    Raises:
        ValueError: when there is no value, or not one group for each.
    """
    numbers = np.asarray(values, dtype=float)
    table = np.column_stack([numbers, np.ones_like(numbers)])
    return _ratio(table, _index(groups, len(numbers)), resamples, seed)


def pooled_interval(
    cases: Sequence[Overlap],
    groups: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Return the pooled ("micro") Dice and its bootstrap interval; arguments as `mean_interval`."""
    counts = np.array([(c.tp, c.fp, c.fn) for c in cases], dtype=float).reshape(-1, 3)
    table = np.column_stack([2 * counts[:, 0], 2 * counts[:, 0] + counts[:, 1] + counts[:, 2]])
    return _ratio(table, _index(groups, len(counts)), resamples, seed)


def rate_interval(
    hits: Sequence[bool],
    groups: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Return a share of cases, for example of false alarms, and its interval.

    Where every case says the same the bootstrap would answer a width of 0; then the exact bound for
    that many independent patients is given (0 of n: high = 1 - 0.025 ** (1 / n)). Arguments as
    `mean_interval`.
    """
    flags = np.asarray(hits, dtype=bool)
    found = mean_interval(flags.astype(float).tolist(), groups, resamples, seed)
    bound = 1 - 0.025 ** (1 / found.groups)
    if not flags.any():
        return Interval(0.0, 0.0, bound, found.groups)
    if flags.all():
        return Interval(1.0, 1 - bound, 1.0, found.groups)
    return found


def mean_of_means_interval(
    values: Sequence[float],
    strata: Sequence[Hashable],
    groups: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Return the mean over strata (structures) of each stratum's mean, and its bootstrap interval.

    A structure with few cases weighs as much as one with many. Whole patients are drawn, with all
    of their structures; a structure that a draw leaves without a case is left out of that draw.

    Args:
        values: one number a pair of case and structure.
        strata: the structure of each value.
        groups: the patient of each value; None takes every value for a patient of its own.
        resamples: number of bootstrap draws.
        seed: of the draws.

    Raises:
        ValueError: when there is no value, or not one stratum and group for each.
    """
    numbers = np.asarray(values, dtype=float)
    group, stratum = _index(groups, len(numbers)), _index(strata, len(numbers))
    n = int(group.max()) + 1
    sums = np.zeros((2, n, int(stratum.max()) + 1))
    np.add.at(sums[0], (group, stratum), numbers)
    np.add.at(sums[1], (group, stratum), 1)
    value = float(np.mean(sums[0].sum(axis=0) / sums[1].sum(axis=0)))
    if n < 2:
        return Interval(value, None, None, n)
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples)
    tops, counts = draws @ sums[0], draws @ sums[1]
    means = np.divide(tops, counts, out=np.full(tops.shape, np.nan), where=counts > 0)
    low, high = np.percentile(np.nanmean(means, axis=1), [2.5, 97.5])
    return Interval(value, float(low), float(high), n)


def _index(groups: Sequence[Hashable] | None, n: int) -> np.ndarray:
    if n == 0:
        raise ValueError("no cases: nothing to average")
    if groups is None:
        return np.arange(n)
    if len(groups) != n:
        raise ValueError(f"{n} values but {len(groups)} groups")
    number: dict[Hashable, int] = {}
    return np.array([number.setdefault(g, len(number)) for g in groups])


def _ratio(table: np.ndarray, index: np.ndarray, resamples: int, seed: int) -> Interval:
    """Bootstrap sum(first column) / sum(second column), drawing whole groups of rows."""
    n = int(index.max()) + 1
    sums = np.zeros((n, 2))
    np.add.at(sums, index, table)
    top, bottom = sums.sum(axis=0)
    value = float(top / bottom) if bottom else 1.0  # nothing drawn, nothing predicted: agreement
    if n < 2:
        return Interval(value, None, None, n)
    # How often each group is drawn is all a resample needs: n x resamples small integers.
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples) @ sums
    ratios = np.divide(draws[:, 0], draws[:, 1], out=np.ones(resamples), where=draws[:, 1] > 0)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return Interval(value, float(low), float(high), n)
