"""Report sentences made from a mask: laterality, number and zones, as QaTa-COV19's texts say them.

"Bilateral pulmonary infection, two infected areas, upper left lung and all right lung." A sentence
made from the reference mask tells where to look; it is training material, and a result obtained
with it must be reported as such.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight")
THIRDS = ("upper", "middle", "lower")
LEAST_SIDE = 0.05
"""Share of the finding from which a side is named."""
LEAST_ZONE = 0.1
"""Share of a side's finding from which a third is named."""
LEAST_PART = 0.02
"""Share of the finding from which a connected part is counted."""


def infection_report(
    mask: np.ndarray,
    lungs: Mapping[str, np.ndarray] | None = None,
    name: str = "pulmonary infection",
) -> str | None:
    """Describe a finding in the lungs.

    Args:
        mask: (H, W) bool, patient's right on the left of the picture.
        lungs: side -> (H, W) bool, for the height; None names the sides only, by the middle of
            the picture.
        name: how the finding is called.

    Returns:
        The sentence in lower case, None for an empty mask.
    """
    from scipy import ndimage

    if not mask.any():
        return None
    both = lungs if lungs is not None and all(m.any() for m in lungs.values()) else None
    columns = np.arange(mask.shape[1])
    middle = (mask.shape[1] - 1) / 2
    if both is not None:
        middle = float(np.mean([np.nonzero(m)[1].mean() for m in both.values()]))
    total = int(mask.sum())
    zones: list[str] = []
    sides = 0
    for side, here in (("left", columns > middle), ("right", columns <= middle)):
        own = mask & here
        if own.sum() < LEAST_SIDE * total:
            continue
        sides += 1
        words = _heights(own, both[side]) if both is not None else ""
        zones.append(f"{words} {side} lung".strip())
    parts, count = ndimage.label(mask, np.ones((3, 3), int))
    sizes = np.bincount(parts.ravel())[1:] if count else np.zeros(0)
    number = int((sizes >= max(4, LEAST_PART * total)).sum()) or 1
    amount = NUMBERS[number - 1] if number <= len(NUMBERS) else "multiple"
    areas = "area" if number == 1 else "areas"
    laterality = "bilateral" if sides > 1 else "unilateral"
    return f"{laterality} {name}, {amount} infected {areas}, {' and '.join(zones)}."


def _heights(finding: np.ndarray, lung: np.ndarray) -> str:
    """Return which thirds of the lung's height the finding lies in."""
    rows = np.nonzero(lung.any(1))[0]
    top, bottom = float(rows[0]), float(rows[-1] + 1)
    third = np.floor((np.nonzero(finding)[0] + 0.5 - top) / (bottom - top) * 3).clip(0, 2)
    shares = np.bincount(third.astype(int), minlength=3) / len(third)
    named = [word for word, share in zip(THIRDS, shares, strict=True) if share >= LEAST_ZONE]
    return "all" if len(named) == 3 else " ".join(named)
