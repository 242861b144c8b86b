"""How good a checkpoint is at each structure, as measured: a tier, the Dice, in how many cases.

An entry of ``trained_prompts`` holds, where `evaluation.measured` has written it::

    "tier": "good",
    "measured": {"test": {"CT": {"dice": 0.93, "n": 31, "labels": "expert"}}, "val": {...}}

Entries of a checkpoint that nobody measured hold neither; nothing is said about those. A structure
that no test case of an image's modality shows is judged by the validation cases, on which settings
were chosen: fair at best.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

GOOD, FAIR, EXPERIMENTAL = "good", "fair", "experimental"
TIERS = (EXPERIMENTAL, FAIR, GOOD)
GOOD_FROM, FAIR_FROM = 0.80, 0.50
"""Mean Dice over the test cases from which a structure is good, or fair."""
EXPERT, ANY = "expert", "any"
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Quality:
    """What was measured of a structure.

    Attributes:
        tier: ``good``, ``fair`` or ``experimental``.
        dice: mean over the test cases that show it; None without any.
        n: how many they are.
        labels: kind of the labels it was compared with; "expert", or agreement only.
        split: whose cases they are, ``test`` or ``val``.
    """

    tier: str
    dice: float | None = None
    n: int = 0
    labels: str = EXPERT
    split: str = "test"

    def __str__(self) -> str:
        if self.dice is None:
            return f"{self.tier}: no test case"
        word = "test case" if self.split == "test" else "validation case"
        cases = f"{self.n} {word}{'' if self.n == 1 else 's'}"
        kind = "" if self.labels == EXPERT else f", labels {self.labels}"
        return f"{self.tier}: Dice {self.dice:.2f} in {cases}{kind}"

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "tier": self.tier,
            "dice": self.dice,
            "n": self.n,
            "labels": self.labels,
            "split": self.split,
        }


def tier_of(dice: float | None) -> str:
    """Return the tier that a mean Dice over test cases makes; None = no test case."""
    if dice is None or dice < FAIR_FROM:
        return EXPERIMENTAL
    return GOOD if dice >= GOOD_FROM else FAIR


def pooled(measured: Mapping[str, Mapping[str, Any]], modality: str | None = None) -> Quality:
    """Return what one split says of a structure.

    Args:
        measured: modality -> ``dice``, ``n``, ``labels``.
        modality: of the image; None takes the cases of all together.
    """
    if modality is not None:
        measured = {key: part for key, part in measured.items() if key in (modality, ANY)}
    n = sum(int(part["n"]) for part in measured.values())
    if not n:
        return Quality(EXPERIMENTAL)
    dice = sum(float(part["dice"]) * int(part["n"]) for part in measured.values()) / n
    kinds = sorted({str(part.get("labels", EXPERT)) for part in measured.values()} - {EXPERT})
    return Quality(tier_of(dice), dice, n, ", ".join(kinds) or EXPERT)


def quality_of(
    names: Iterable[str], trained: Mapping[str, Any], modality: str | None = None
) -> Quality | None:
    """Return the quality of an answer that is made of trained names: that of the worst of them.

    Args:
        names: of ``trained_prompts``, or a person's own words.
        trained: the checkpoint's ``trained_prompts``.
        modality: of the image, None when nobody knows.

    Returns:
        None when there is no name, or one of them was never measured.
    """
    found = []
    for name in names:
        entry = trained.get(name)
        if entry is None:  # a person's own words, which no test case can prove
            entry = {"tier": EXPERIMENTAL} if any("tier" in e for e in trained.values()) else {}
        if "tier" not in entry:
            return None
        found.append(_judged(entry.get("measured", {}), modality))
    return min(found, key=lambda q: (TIERS.index(q.tier), q.dice or 0.0), default=None)


def _judged(measured: Mapping[str, Any], modality: str | None) -> Quality:
    """Return what the test cases say of a structure; without any, what the validation says."""
    tested, chosen = (pooled(measured.get(split, {}), modality) for split in ("test", "val"))
    if tested.dice is not None or chosen.dice is None:
        return tested
    return replace(chosen, tier=FAIR if chosen.tier == GOOD else chosen.tier, split="val")


def warning(names: Iterable[str], quality: Quality | None) -> tuple[str, ...]:
    """Return the sentence that an answer of an experimental structure carries, else nothing."""
    if quality is None or quality.tier != EXPERIMENTAL:
        return ()
    return (f"'{', '.join(names)}' is {quality}; check every slice",)


def check_entry(entry: Any) -> None:
    """Refuse an entry of ``trained_prompts`` that is not of the form above.

    Raises:
        ValueError: saying what is wrong.
    """
    if not isinstance(entry, Mapping):
        raise ValueError("is not a table")
    if not isinstance(entry.get("divides", ""), str):
        raise ValueError("divides what is no name")
    if entry.get("tier", GOOD) not in TIERS:
        raise ValueError(f"has a tier that is none of {', '.join(TIERS)}")
    measured = entry.get("measured", {})
    if not isinstance(measured, Mapping):
        raise ValueError("has measurements that are not a table")
    for part in measured.values():
        if not isinstance(part, Mapping):
            raise ValueError("has measurements that are not a table")
        for numbers in part.values():
            dice, n = _numbers(numbers)
            if not (0.0 <= dice <= 1.0 and math.isfinite(dice) and n > 0):
                raise ValueError("has measurements that are not a Dice and a number of cases")


def _numbers(values: Any) -> tuple[float, int]:
    """Return Dice and n, (-1, -1) where they are no numbers."""
    values = values if isinstance(values, Mapping) else {}
    dice, n = values.get("dice"), values.get("n")
    plain = isinstance(dice, float | int) and isinstance(n, int)
    return (float(dice), int(n)) if plain and dice is not None and n is not None else (-1.0, -1)
