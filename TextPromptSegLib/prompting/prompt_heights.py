"""Which third of an organ a word of height means; where it means none, the words stay unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .prompt_grammar import ENDS, THIRDS, VERTICAL, WHOLE, ZONE_NOUNS

if TYPE_CHECKING:
    from .anatomy import Structure
    from .vocabulary import Vocabulary

APEX_UP = frozenset(("lung", "pleura", "pleural cavity", "thoracic cavity"))
"""Organs, with their parts and findings, whose apex is their top."""
APEX_DOWN = frozenset(("heart", "pericardium", "prostate", "sacrum", "coccyx", "patella"))
"""Organs, with their parts and findings, whose apex points down and whose base lies above."""

_NAMED = frozenset(
    "vein veins vena artery arteries arteria vessel vessels trunk sinus sinuses nerve nerves "
    "muscle muscles musculus node nodes valve valves duct ducts bronchus bronchi ventricle "
    "ventricles disc discs vertebra vertebrae".split()
)
"""Of these "superior", "middle" and "inferior" make the name of another one, not a third."""
_ONE_ZONE = frozenset("third zone field part portion pole section".split())


def heights(
    entry: Structure, said: Sequence[str], vocabulary: Vocabulary
) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the thirds that words mean for an organ or finding, and notes; None for no height.

    "upper left lung" is a third of it. "middle hepatic vein" is a vessel of its own, "third portion
    of the duodenum" a part that has another name, "apex of the tongue" no height at all.

    Args:
        entry: what the words stand with.
        said: the words of height, zone and extent.
        vocabulary: for what the entry is a part of.
    """
    found = {VERTICAL[word] for word in said if word in VERTICAL}
    ends = dict.fromkeys(ENDS[word] for word in said if word in ENDS)
    zones = [word for word in said if word in ZONE_NOUNS]
    if entry.kind == "anatomy":
        if found and not zones and not _NAMED.isdisjoint(entry.name.split()):
            return None
        plain = not found and not ends and WHOLE.isdisjoint(said)
        if plain and not _ONE_ZONE.isdisjoint(zones):
            return None
    notes = []
    for end in ends:
        apex_up = apex_is_up(entry, vocabulary)
        if apex_up is None:
            return None
        third = "upper" if (end == "apex") == apex_up else "lower"
        found.add(third)
        if not apex_up:
            way = "points down" if end == "apex" else "is its upper end"
            notes.append(f"the {end} of the {entry.name} {way}: the {third} third is used")
    return tuple(third for third in THIRDS if third in found), tuple(notes)


def apex_is_up(entry: Structure | None, vocabulary: Vocabulary) -> bool | None:
    """Tell whether the apex of an organ, or of the organ of a finding, is its top; None: no end is.

    A finding that may lie anywhere is one of the lungs, where reports say "apical" and "basal".
    """
    organ = entry
    if organ is not None and organ.kind == "finding":
        organ = vocabulary.entry(organ.container) if organ.container else None
    if organ is None:
        return True
    seen: list[str] = []
    while organ is not None and organ.name not in seen:
        seen.append(organ.name)
        organ = vocabulary.entry(organ.parent) if organ.parent else None
    if not APEX_UP.isdisjoint(seen):
        return True
    return None if APEX_DOWN.isdisjoint(seen) else False


__all__ = ["APEX_DOWN", "APEX_UP", "apex_is_up", "heights"]
