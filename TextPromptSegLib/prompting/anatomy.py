"""One structure or finding of the vocabulary, and its SNOMED CT description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Code = tuple[str, str, str]
"""(scheme designator, code value, code meaning), for example ("SCT", "10200004", "Liver")."""


@dataclass(frozen=True)
class Structure:
    """One structure or finding of the vocabulary.

    Attributes:
        name: canonical singular name, the key of the entry ("kidney").
        plural: plural of the name ("kidneys").
        kind: "anatomy" or "finding".
        paired: True when the patient has a left and a right one.
        one_piece: True when it is one connected piece in every patient, a paired one on each side;
            never of findings.
        unsided: canonical name when no side is said; the plural of a paired structure.
        synonyms: other English names, usable as training phrases.
        held_out: more of them that are understood, but that no training may see: a network is
            measured on them.
        ambiguous: those of its names that others use for other things; a note says how they were
            taken.
        abbreviations: short forms; `side_abbreviations` pairs a short form with its side.
        adjectives: adjectives of an organ ("renal"), used to name findings in it.
        languages: names in other languages, by language code.
        regions: body regions where it lies ("chest", "abdomen", ...), for filters.
        parent: entry it is a part or a kind of; `parts` is the inverse relation.
        container: for a finding the entry of the organ it lives in, or None for a generic one.
        base: for a finding in one organ the generic finding ("tumor" of "liver tumor").
        expected_side: side of the body where a single organ normally lies, or None.
        category: SNOMED CT segmentation category.
        type: SNOMED CT type.
        modifier: SNOMED CT type modifier that is part of the meaning (not the side), or None.
        exact_code: False when `type` is the nearest verified broader concept.
        colour: recommended display colour, (r, g, b) in 0..255.
    """

    name: str
    plural: str
    kind: str
    paired: bool
    unsided: str
    category: Code
    type: Code
    colour: tuple[int, int, int]
    one_piece: bool = False
    modifier: Code | None = None
    exact_code: bool = True
    synonyms: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    abbreviations: tuple[str, ...] = ()
    side_abbreviations: tuple[tuple[str, str], ...] = ()
    adjectives: tuple[str, ...] = ()
    languages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    regions: tuple[str, ...] = ()
    parent: str | None = None
    parts: tuple[str, ...] = ()
    container: str | None = None
    base: str | None = None
    expected_side: str | None = None

    @property
    def snomed(self) -> dict[str, Code | None]:
        """Category, type and type modifier as code triples."""
        return {"category": self.category, "type": self.type, "type_modifier": self.modifier}

    def sided(self, side: str | None) -> str:
        """Return the canonical name for a side: "left kidney", "kidneys", "liver"."""
        return f"{side} {self.name}" if self.paired and side in ("left", "right") else self.unsided


@dataclass(frozen=True)
class Match:
    """A found name: canonical `name`, entry key `structure`, `side` (left, right, both, None)."""

    name: str
    structure: str
    side: str | None = None


@dataclass(frozen=True)
class Terminology:
    """What Slicer writes as the terminology of a segment; codes are (scheme, value, meaning)."""

    category: Code
    type: Code
    modifier: Code | None
    colour: tuple[int, int, int]
    region: Code | None = None
    region_modifier: Code | None = None

    def slicer_tag(self) -> str:
        """Return the value of Slicer's segment tag ``TerminologyEntry``."""
        none: Code = ("", "", "")
        codes = [self.category, self.type, self.modifier or none]
        places = [self.region or none, self.region_modifier or none]
        parts = ["TextPromptSeg", *("^".join(c) for c in codes)]
        parts += ["TextPromptSeg" if self.region else "", *("^".join(c) for c in places)]
        return "~".join(parts)


def code(value: Any) -> Code:
    """Return a code triple of a vocabulary file.

    Raises:
        ValueError, TypeError: when it has not three parts.
    """
    scheme, code, meaning = value
    return str(scheme), str(code), str(meaning)


def structure(
    item: Mapping[str, Any], parts: Mapping[str, list[str]], one_piece: bool = False
) -> Structure:
    """Return one entry of a vocabulary file; ``parts`` has the names of the parts of each entry.

    Raises:
        KeyError, TypeError, ValueError: when the entry is incomplete.
    """
    red, green, blue = item["colour"]
    short = [
        (text, side) for side in ("left", "right") for text in item.get(f"{side}_abbreviations", ())
    ]
    paired = bool(item["paired"])
    return Structure(
        name=item["name"],
        plural=item["plural"],
        kind=item["kind"],
        paired=paired,
        one_piece=one_piece,
        unsided=item.get("unsided", item["plural"] if paired else item["name"]),
        category=code(item["category"]),
        type=code(item["type"]),
        modifier=code(item["modifier"]) if item.get("modifier") else None,
        exact_code=item["code"] == "exact",
        colour=(int(red), int(green), int(blue)),
        synonyms=tuple(item.get("synonyms", ())),
        held_out=tuple(item.get("held_out", ())),
        ambiguous=tuple(item.get("ambiguous", ())),
        abbreviations=tuple(item.get("abbreviations", ())),
        side_abbreviations=tuple(short),
        adjectives=tuple(item.get("adjectives", ())),
        languages={k: tuple(v) for k, v in item.get("other_languages", {}).items()},
        regions=tuple(item.get("regions", ())),
        parent=item.get("parent"),
        parts=tuple(parts.get(item["name"], ())),
        container=item.get("container"),
        base=item.get("base"),
        expected_side=item.get("expected_side"),
    )
