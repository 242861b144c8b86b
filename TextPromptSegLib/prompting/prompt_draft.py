"""A piece of a prompt while it is being understood, and how it becomes a `Prompt`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .anatomy import Structure
from .prompt import Prompt, Zone
from .prompt_grammar import THIRDS
from .vocabulary import Vocabulary


@dataclass(frozen=True)
class Place:
    """Where something lies: entry of the organ (None: none is said), side, thirds, what to note."""

    structure: str | None
    side: str | None
    thirds: tuple[str, ...]
    whole: bool = False
    notes: tuple[str, ...] = ()


@dataclass
class Draft:
    """What is known so far of one prompt; see `Prompt` for the fields."""

    name: str
    structure: str | None = None
    side: str | None = None
    thirds: tuple[str, ...] = ()
    places: list[Place] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    minus: list[Draft] = field(default_factory=list)
    suggestions: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    text: str = ""
    report: str = ""
    everything: str = ""

    def build(self, vocabulary: Vocabulary) -> Prompt:
        """Return the prompt, with notes on what cannot be taken literally."""
        if self.structure is None:
            return Prompt(
                self.text,
                self.name,
                side=self.side,
                suggestions=self.suggestions,
                notes=tuple(self.notes),
                everything=self.everything,
            )
        entry = vocabulary.entry(self.structure)
        builder = _finding if entry.kind == "finding" else _anatomy
        return builder(self, entry, vocabulary)


def _anatomy(draft: Draft, entry: Structure, vocabulary: Vocabulary) -> Prompt:
    side, notes, suggestions = draft.side, list(draft.notes), list(draft.suggestions)
    if not entry.paired and side == "both":
        notes.append(f"there is no left and right {entry.name}")
        side = None
    elif not entry.paired and side is not None:
        note = f"{entry.name} is a single structure: only what lies on the patient's {side} is kept"
        if entry.expected_side not in (None, side):
            note += f" (it normally lies on the {entry.expected_side})"
        notes.append(note)
        parts = [vocabulary.entry(part) for part in entry.parts]
        sided = [part.name for part in parts if part.name.split()[0] == side]
        suggestions += sided[:2] or [part.sided(side) for part in parts if part.paired][:1]
    name = entry.sided(side)
    thirds, zones = draft.thirds, _zones(draft.places, vocabulary)
    container: str | None = None
    if zones:
        container, thirds = _container(zones, draft.places, vocabulary)
    elif thirds:
        container, zones = name, ((name, thirds),)
    said = draft.attributes
    notes += [f'"{said[key]}" does not limit the result' for key in said if key != "absent"]
    draft.attributes = {key: value for key, value in said.items() if key == "absent"}
    middle, more = _lobe_notes(zones)
    return _prompt(
        draft,
        entry,
        name,
        side,
        thirds,
        container,
        zones,
        [*notes, *middle],
        [*suggestions, *more],
        vocabulary,
    )


def _finding(draft: Draft, entry: Structure, vocabulary: Vocabulary) -> Prompt:
    places, side = list(draft.places), draft.side
    notes, attributes = list(draft.notes), dict(draft.attributes)
    if side is not None:
        places = [replace(p, side=p.side or side) for p in places]
    organ = vocabulary.entry(entry.container) if entry.container else None
    if not places and organ is not None and (draft.thirds or (side and organ.paired)):
        places = [Place(organ.name, side, draft.thirds)]
    elif not places and draft.thirds:
        notes.append(f'"{" ".join(draft.thirds)}" is not used: say of which organ')
    if any(place.structure is None for place in places):
        places = [replace(p, structure=entry.container) for p in places if entry.container]
    specific = _specific(entry, places, vocabulary)
    if specific is not None:
        entry = specific
        if [(p.structure, p.side, p.thirds) for p in places] == [(entry.container, None, ())]:
            places = []
    zones = _zones(places, vocabulary)
    container, thirds = _container(zones, places, vocabulary) if zones else (None, ())
    sides = {_side(place) for place in places} - {None}
    if places and sides:
        side = "both" if "both" in sides or len(sides) > 1 else next(iter(sides))
        if side == "both" and not any(_has_sides(p, vocabulary) for p in places):
            side = None  # "bilateral tumor in the spleen"
    said = attributes.get("laterality")
    if said == "bilateral" and places and side in ("left", "right"):
        notes.append(f"the text says bilateral, but names only the {side} side")
    if said == "unilateral" and side == "both":
        notes.append("the text says unilateral, but names both sides")
    if len(zones) > 1 or (zones and said):
        attributes["zones"] = "; ".join(_zone_text(zone) for zone in zones)
    middle, more = _lobe_notes(zones)
    draft = Draft(**{**vars(draft), "attributes": attributes})
    suggestions = [] if len(zones) > 1 else more
    return _prompt(
        draft,
        entry,
        entry.unsided,
        side,
        thirds,
        container,
        zones,
        [*notes, *middle],
        suggestions,
        vocabulary,
    )


def _has_sides(place: Place, vocabulary: Vocabulary) -> bool:
    """Tell whether a place is one of a pair, or has its side in its name."""
    paired = place.structure is not None and vocabulary.entry(place.structure).paired
    return paired or _side(Place(place.structure, None, ())) is not None


def _side(place: Place) -> str | None:
    """The side of a place; the right middle lobe has its side in its name."""
    word = (place.structure or "").split(" ")[0]
    return place.side or (word if word in ("left", "right") else None)


def _prompt(
    draft: Draft, entry: Structure, name: str, side: str | None, thirds: tuple[str, ...],
    container: str | None, zones: tuple[Zone, ...], notes: list[str], suggestions: list[str],
    vocabulary: Vocabulary,
) -> Prompt:  # fmt: skip
    minus = tuple(item.build(vocabulary) for item in draft.minus)
    for item in minus:
        if not item.known:
            notes.append(f'"{item.name}" is not known and cannot be taken away')
            suggestions = [f"{name} without {close}" for close in item.suggestions] + suggestions
    return Prompt(
        text=draft.text,
        name=name,
        structure=entry.name,
        side=side,
        thirds=thirds,
        container=container,
        minus=minus,
        attributes=draft.attributes,
        suggestions=tuple(dict.fromkeys(suggestions))[:3],
        notes=tuple(dict.fromkeys(notes)),
        zones=zones,
        report=draft.report if {"laterality", "number", "zones"} & set(draft.attributes) else "",
    )


def _zones(places: list[Place], vocabulary: Vocabulary) -> tuple[Zone, ...]:
    """Canonical names and thirds; thirds of one organ are joined, all three mean the whole."""
    merged: dict[str, set[str] | None] = {}
    for place in places:
        if place.structure is None:
            continue
        name = vocabulary.entry(place.structure).sided(place.side)
        before = merged.get(name, set())
        merged[name] = None if before is None or not place.thirds else before | set(place.thirds)
    zones = []
    for name, thirds in merged.items():
        kept = (
            ()
            if thirds is None or len(thirds) == len(THIRDS)
            else tuple(t for t in THIRDS if t in thirds)
        )
        zones.append((name, kept))
    return tuple(zones)


def _container(
    zones: tuple[Zone, ...], places: list[Place], vocabulary: Vocabulary
) -> tuple[str, tuple[str, ...]]:
    """The one organ that holds all zones, and its thirds when all zones share them."""
    if len(zones) == 1:
        return zones[0]
    structures = {str(place.structure) for place in places}
    sides = {place.side for place in places}
    side = next(iter(sides)) if len(sides) == 1 else None
    thirds = {zone[1] for zone in zones}
    if len(structures) == 1:
        organ = vocabulary.entry(structures.pop())
        return organ.sided(side), thirds.pop() if len(thirds) == 1 else ()
    parents = {vocabulary.entry(s).parent or s for s in structures} - structures or structures
    return vocabulary.entry(sorted(parents)[0]).sided(side), ()


def _specific(entry: Structure, places: list[Place], vocabulary: Vocabulary) -> Structure | None:
    """The finding that a generic one means in an organ: tumor in the kidney -> kidney tumor."""
    organs = [place.structure for place in places if place.structure]
    if not organs or entry.container is not None:
        return None
    organ: str | None = organs[0]
    while organ is not None:
        for candidate in vocabulary:
            if candidate.base == entry.name and candidate.container == organ:
                return candidate
        organ = vocabulary.entry(organ).parent
    return None


def _lobe_notes(zones: tuple[Zone, ...]) -> tuple[list[str], list[str]]:
    """What to say about thirds of a lung, which are easily taken for lobes."""
    notes, suggestions = [], []
    for name, thirds in zones:
        if name == "left lung" and "middle" in thirds:
            notes.append("the left lung has no middle lobe: the middle third of its height is used")
        elif name in ("left lung", "right lung") and len(thirds) == 1:
            notes.append(f"the {thirds[0]} third of the height of the {name} is used, not a lobe")
            suggestions.append(f"{name.split()[0]} {thirds[0]} lung lobe")
    return notes, suggestions


def _zone_text(zone: Zone) -> str:
    name, thirds = zone
    return f"{' '.join(thirds)} {name}".lstrip()
