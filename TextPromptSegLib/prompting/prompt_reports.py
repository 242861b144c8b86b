"""Clauses of a report that say more of the finding before them: its number, its places."""

from __future__ import annotations

from collections.abc import Sequence

from .prompt_draft import Draft
from .prompt_grammar import EXTENT, NUMBERS
from .prompt_reading import Reader
from .wording import singular

_SPOTS = {
    "area", "region", "lesion", "focus", "foci", "site", "spot", "patch", "zone", "shadow",
    "opacity", "infiltrate", "field", "nodule", "location",
}  # fmt: skip
_INVOLVED = {"infected", "affected", "involved", "infectious", "abnormal", "diseased"}


def report_clause(reader: Reader, draft: Draft, words: list[str]) -> bool:
    """Attach "two infected areas" or "all left lung" to the finding before it."""
    if draft.structure is None:
        return False
    entry = reader.vocabulary.entry(draft.structure)
    if entry.kind != "finding":
        return False
    places = reader.places(words, entry.container)
    if places is None or (
        entry.container and reader.root(places[0].structure) != reader.root(entry.container)
    ):
        return False
    report = draft.places or {"laterality", "number"} & set(draft.attributes)
    if not report and not any(p.thirds or p.whole for p in places):
        name = entry.unsided
        draft.notes.append(
            f'read as a list; write "{name} in {" ".join(words)}" to look only there'
        )
        return False
    draft.places += places
    return True


def number_clause(reader: Reader, draft: Draft, words: Sequence[str]) -> bool:
    """Attach "two infected areas" to the finding before it."""
    if not draft.structure or reader.vocabulary.entry(draft.structure).kind != "finding":
        return False
    if len(words) < 2 or words[0] not in NUMBERS:
        return False
    plain = [w for w in words[1:] if w not in EXTENT and w not in _INVOLVED]
    match = reader.find(plain) or reader.find(words[1:])
    if not all(singular(w) in _SPOTS for w in plain) and (
        match is None or match.structure != draft.structure
    ):
        return False
    draft.attributes["number"] = NUMBERS[words[0]]
    return True
