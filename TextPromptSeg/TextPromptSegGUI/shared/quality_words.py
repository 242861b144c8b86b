"""How good a checkpoint is at a structure, in words of the user's language."""

from __future__ import annotations

from collections.abc import Mapping

from slicer.i18n import tr as _

from TextPromptSegLib.checkpoints.quality import TIERS, Quality


def tier_word(tier: str) -> str:
    """Return a tier in words."""
    words = {"good": _("good"), "fair": _("fair"), "experimental": _("experimental")}
    return words.get(tier, tier)


def quality_words(quality: Quality) -> str:
    """Return a tier with what it was measured on: "good, Dice 0.93 in 31 cases"."""
    if quality.dice is None:
        return tier_word(quality.tier)
    return _("{tier}, Dice {dice} in {count} cases").format(
        tier=tier_word(quality.tier), dice=f"{quality.dice:.2f}", count=quality.n
    )


def tier_counts(tiers: Mapping[str, str]) -> str:
    """Return how many structures are of each tier: "42 good, 30 fair, 36 experimental"."""
    counts = [(tier, list(tiers.values()).count(tier)) for tier in reversed(TIERS)]
    return ", ".join(f"{count} {tier_word(tier)}" for tier, count in counts if count)
