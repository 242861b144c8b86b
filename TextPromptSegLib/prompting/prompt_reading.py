"""From the words of one piece of a prompt to a draft: thing, side, place, number, suggestions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from copy import deepcopy

from .anatomy import Match
from .prompt_draft import Draft, Place
from .prompt_grammar import (  # fmt: skip
    AND,
    BESIDE,
    COPULA,
    DIRECTIONS,
    ENDS,
    EXTENT,
    FILLERS,
    LEAD,
    NUMBERS,
    PLACE,
    SEQUENCES,
    SIDE_WORDS,
    THIRDS,
    TRAIL,
    VERTICAL,
    WHOLE,
    ZONE_NOUNS,
)
from .prompt_heights import apex_is_up, heights
from .prompt_suggestions import Suggester
from .vocabulary import Vocabulary, split_sides
from .wording import ARTICLES

MIDDLE_LOBE = "right middle lung lobe"
_HEIGHT = set(VERTICAL) | set(ENDS)
_QUALIFIERS = SIDE_WORDS | _HEIGHT | ZONE_NOUNS | WHOLE
LONGEST_PIECE = 40
"""Words; what is longer without a comma or "and" is no name of anything."""
_PICTURE_WORDS = SEQUENCES | frozenset(
    "weighted weighting w wi image images mri mr ct scan".split()
)
_LATERALITY = frozenset(("unilateral", "bilateral"))
_DROPPED: tuple[Set[str], ...] = (
    frozenset(),
    EXTENT | COPULA,
    FILLERS,
    _HEIGHT | ZONE_NOUNS | WHOLE,
    DIRECTIONS,
)


class Reader:
    """Reads single pieces with one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._suggester = Suggester(vocabulary, self.read, self.find)
        self._drafts: dict[tuple[str, ...], Draft | None] = {}  # pieces read so far

    # ------------------------------------------------------------------ words
    def strip(self, words: Sequence[str]) -> list[str]:
        """Take commands and fillers off both ends, but never a word of a name that is found."""
        kept = list(words)
        while kept and self.find(kept) is None:
            start = next((i for i, w in enumerate(kept) if w not in NUMBERS and w not in EXTENT), 0)
            if start and self.find(kept[start:]) is not None:
                break  # "one infected area": the last word belongs to the name
            if kept[0] in LEAD:
                kept.pop(0)
            elif kept[-1] in TRAIL:
                kept.pop()
            else:
                break
        return kept

    def as_typed(self, words: Sequence[str]) -> list[str]:
        """Take only commands and articles off, for what is asked in a person's own words."""
        kept = list(words)
        while kept and kept[0] in LEAD - FILLERS:
            kept.pop(0)
        while kept and kept[-1] in TRAIL - FILLERS:
            kept.pop()
        return kept

    def qualifiers_only(self, words: Sequence[str]) -> bool:
        """True when words say only side and height: "left", "upper third", "both sides"."""
        plain = [w for w in words if w not in ARTICLES and w not in ("side", "sides")]
        return bool(plain) and all(w in _QUALIFIERS for w in plain) and self.find(words) is None

    def find(self, words: Sequence[str]) -> Match | None:
        """Find a name; a plain alias of the vocabulary's."""
        return self.vocabulary.find_tokens(words)

    def complete(self, pieces: Sequence[list[str]]) -> list[list[str]]:
        """Fill in what a list leaves out: ["left"], ["right", "kidney"] -> both with the noun."""
        known = [bool(self.find(piece)) for piece in pieces]
        noun_after: list[list[str] | None] = [None] * (len(pieces) + 1)
        for i in range(len(pieces) - 1, -1, -1):
            qualifies = self.qualifiers_only(pieces[i])
            noun_after[i] = noun_after[i + 1] if qualifies else pieces[i]
        result: list[list[str]] = []
        carried: list[str] = []
        for i, piece in enumerate(pieces):
            words = list(piece)
            after = noun_after[i + 1]
            if carried and not self.sides(words):
                words = carried + words
            carried = []
            if self.qualifiers_only(words):
                if after is not None:
                    carried = self.sides(words)
                    words = self.borrow(words, after)
                elif result:
                    words = self.borrow(words, result[-1])
            elif not known[i] and not self.find(words):
                words = self._fill(words, pieces[i + 1] if i + 1 < len(pieces) else [], result)
            elif result and (named := self._named_by_side(words, result[-1])):
                words = named
            result.append(words)
        return result

    def _named_by_side(self, words: list[str], previous: Sequence[str]) -> list[str]:
        """Return "left ventricle" for "ventricle" after "left atrium": a side within a name."""
        sides = self.sides(previous)
        if not sides or self.sides(words):
            return []
        match = self.find(sides + words)
        if match is None or self.vocabulary.entry(match.structure).paired:
            return []
        return sides + words

    def sides(self, words: Iterable[str]) -> list[str]:
        """Return the words of side among words."""
        return [w for w in words if w in SIDE_WORDS]

    def borrow(self, words: list[str], noun: Sequence[str]) -> list[str]:
        """Put qualifiers before a noun whose own qualifiers of that sort they replace."""
        taken: set[str] = set()
        taken |= SIDE_WORDS if self.sides(words) else set()
        taken |= _HEIGHT if any(w in _HEIGHT for w in words) else set()
        return words + [w for w in noun if w not in taken]

    def _fill(
        self, words: list[str], following: Sequence[str], before: list[list[str]]
    ) -> list[str]:
        """Complete a piece that is no name: "hepatic" (and portal veins)."""
        if self.find(following):
            for n in (1, 2):
                if n < len(following) and self.find(words + list(following[-n:])):
                    return words + list(following[-n:])
        if before:
            previous = before[-1]
            for cut in range(1, len(previous)):
                if self.find(previous[:-cut] + words):
                    return previous[:-cut] + words
            if self.sides(previous) and self.find(self.sides(previous) + words):
                return self.sides(previous) + words
        return words

    # ------------------------------------------------------------------ one piece
    def read(self, words: Sequence[str], text: str, suggest: bool = True) -> Draft:
        """Read one piece; the draft has no structure when the piece is not understood."""
        kept = self.strip(words)
        draft = self._understood(kept)
        if draft is None:
            draft = Draft(" ".join(self.as_typed(words) or kept))
            draft.side = _one(split_sides(kept)[1]) if not self.qualifiers_only(kept) else None
            if self.qualifiers_only(kept):
                draft.notes.append("this says only where: name the structure or finding as well")
            if len(kept) > LONGEST_PIECE:
                draft.notes.append(f"{len(kept)} words without a comma are too many to understand")
            elif suggest:
                draft.suggestions = self._suggester.suggest(kept)
        draft.text = text
        return draft

    def _understood(self, words: Sequence[str]) -> Draft | None:
        """Return the draft of a piece that is understood, a fresh one each time."""
        if len(words) > LONGEST_PIECE:
            return None
        key = tuple(words)
        if key not in self._drafts:
            if len(self._drafts) >= 4096:
                self._drafts.clear()
            self._drafts[key] = (
                self._plain(words)
                or self._joined(words)
                or self._placed(words)
                or self._beside(words)
                or self._pictured(words)
            )
        return deepcopy(self._drafts[key])

    def _beside(self, words: Sequence[str]) -> Draft | None:
        """A thing near, above or behind another: the whole thing, and a note; never "in" it."""
        at = next((i for i, word in enumerate(words) if word in BESIDE), 0)
        between = bool(at) and words[at] in ("between", "zwischen", "entre")
        if not 0 < at < len(words) - 1 or (any(w in AND for w in words[at:]) and not between):
            return None
        draft = self._understood(self.strip(words[:at]))
        if draft is not None:
            draft.notes.append(f'"{" ".join(words[at:])}" does not limit the result')
        return draft

    def _pictured(self, words: Sequence[str]) -> Draft | None:
        """A thing beside the kind of its picture: "T2 weighted liver", "liver T2"."""
        inner = list(words)
        while inner and inner[0] in _PICTURE_WORDS:
            inner.pop(0)
        if len(inner) == len(words):
            while inner and inner[-1] in _PICTURE_WORDS:
                inner.pop()
        taken = SEQUENCES.intersection(words) - SEQUENCES.intersection(inner)
        if not inner or not taken:
            return None
        draft = self._understood(inner)
        if draft is None or (len(words) > len(inner) and self._vertebral(draft, taken)):
            return None
        return draft

    def _vertebral(self, draft: Draft, taken: Set[str]) -> bool:
        """Tell whether T1 and T2 can be vertebrae here: with a bone, or a finding anywhere."""
        entry = self.vocabulary.entry(str(draft.structure))
        bone = {"vertebrae", "spine", "bones"} & {entry.name, entry.parent, entry.container}
        return bool(
            taken & {"t1", "t2"} and (bone or (entry.kind, entry.container) == ("finding", None))
        )

    def _plain(self, words: Sequence[str]) -> Draft | None:
        """A name with qualifiers around it, no place: "upper left lung", "two patchy opacities"."""
        words = [w for w in words if w not in ARTICLES] or list(words)
        attributes: dict[str, str] = {}
        if len(words) > 1 and words[0] in NUMBERS and self.find(words) is None:
            attributes["number"] = NUMBERS[words[0]]
            words = words[1:]
        dropped: set[str] = set()
        for level in _DROPPED:
            dropped |= level
            kept = [w for w in words if w not in dropped]
            match = self.find(kept) if kept else None
            side = match.side if match else None
            if match is None:
                rest, sides = split_sides(kept)
                match = self.find(rest) if rest and len(sides) == 1 else None
                if match is None or match.side is not None:
                    continue
                side = _one(sides)
            said = [w for w in words if w in dropped and w not in kept]
            entry = self.vocabulary.entry(match.structure)
            height = heights(entry, said, self.vocabulary)
            if height is None:
                return None
            draft = Draft(match.name, structure=match.structure, side=side, thirds=height[0])
            draft.notes += [*height[1], *self.vocabulary.ambiguity(kept)]
            draft.attributes = {**attributes, **_attributes(said)}
            if entry.kind == "finding" and _LATERALITY & set(words):
                draft.attributes["laterality"] = (
                    "unilateral" if "unilateral" in words else "bilateral"
                )
            return self._left_middle_lobe(draft)
        return None

    def _left_middle_lobe(self, draft: Draft) -> Draft:
        """The left lung has no middle lobe: keep the middle third of its height, and say so."""
        if draft.structure == MIDDLE_LOBE:
            entry = self.vocabulary.entry(MIDDLE_LOBE)
            if draft.side == "left" and entry.parent is not None:
                draft.structure, draft.thirds = entry.parent, ("middle",)
            else:
                draft.side = None
        return draft

    def _joined(self, words: Sequence[str]) -> Draft | None:
        """Organ and finding side by side: "left lower lobe consolidation"."""
        for cut in range(1, len(words)):
            if (
                words[cut - 1] in AND
                or words[cut] in AND
                or words[cut - 1] in PLACE
                or words[cut] in PLACE
            ):
                continue
            for thing, place in ((words[cut:], words[:cut]), (words[:cut], words[cut:])):
                draft = self._at(thing, place)
                if (
                    draft is not None
                    and self.vocabulary.entry(str(draft.structure)).kind == "finding"
                ):
                    return draft
        return None

    def _placed(self, words: Sequence[str]) -> Draft | None:
        """Thing and place with a preposition: "nodule in the upper left lung"."""
        plain = self._plain([w for w in words if w not in PLACE])
        if plain is not None and any(w in PLACE for w in words):
            return (
                plain
                if self.find([w for w in words if w not in PLACE])
                else self._at_any(words) or plain
            )
        return self._at_any(words)

    def _at_any(self, words: Sequence[str]) -> Draft | None:
        for i, word in enumerate(words):
            if word in PLACE and 0 < i < len(words) - 1:
                draft = self._at(words[:i], words[i + 1 :])
                if draft is not None:
                    return draft
        return None

    def _at(self, thing: Sequence[str], place: Sequence[str]) -> Draft | None:
        draft = self._plain(thing)
        if draft is None or draft.structure is None:
            return None
        if self.qualifiers_only(place):  # "on the left side" names no organ
            joined = self._plain([*place, *thing])
            same = joined is not None and joined.structure == draft.structure
            return joined if same else None
        places = self.places(place, self.vocabulary.entry(draft.structure).container)
        if places is None or places[0].structure is None:
            return None
        draft.places = places
        draft.notes += [note for place in places for note in place.notes]
        return draft

    # ------------------------------------------------------------------ places
    def places(self, words: Sequence[str], organ: str | None) -> list[Place] | None:
        """Read "all left lung and middle right lung"; None when it is no place in one organ."""
        pieces: list[list[str]] = [[]]
        for word in words:
            if word in AND:
                pieces.append([])
            elif word not in ARTICLES and word not in ("side", "sides", "sided", *PLACE):
                pieces[-1].append(word)
        plain = DIRECTIONS | EXTENT
        pieces = [piece for piece in pieces if not piece or not all(w in plain for w in piece)]
        if not pieces or not all(pieces):
            return None
        found = [self._place(piece, organ) for piece in self.complete(pieces)]
        places = [place for place in found if place is not None]
        if len(places) < len(found) or len({self.root(p.structure) for p in places}) != 1:
            return None
        return places

    def _place(self, words: list[str], organ: str | None) -> Place | None:
        draft = self._plain(words)
        if draft is None and self.qualifiers_only(words):
            draft = Draft("", structure=organ)
            sides = split_sides(words)[1]
            draft.side = "both" if len(sides) > 1 else _one(sides)
            draft.thirds = self._heights_of(words, organ)
        if draft is None or (
            draft.structure is not None and self.vocabulary.entry(draft.structure).kind != "anatomy"
        ):
            return None
        whole = any(w in WHOLE for w in words)
        notes = tuple(draft.notes)
        return Place(draft.structure, draft.side, () if whole else draft.thirds, whole, notes)

    def _heights_of(self, words: Sequence[str], organ: str | None) -> tuple[str, ...]:
        """Return the thirds that qualifiers mean in an organ, of a finding anywhere in a lung."""
        entry = self.vocabulary.entry(organ) if organ else None
        apex_up = apex_is_up(entry, self.vocabulary) is not False
        thirds = {VERTICAL[w] for w in words if w in VERTICAL}
        thirds |= {
            "upper" if (ENDS[w] == "apex") == apex_up else "lower" for w in words if w in ENDS
        }
        return tuple(third for third in THIRDS if third in thirds)

    def root(self, structure: str | None) -> str | None:
        """Return the paired organ a structure is part of: the lung of a lobe; else itself."""
        while structure is not None:
            parent = self.vocabulary.entry(structure).parent
            if parent is None or not self.vocabulary.entry(parent).paired:
                return structure
            structure = parent
        return None


def _one(sides: Set[str]) -> str | None:
    """The side when exactly one is said; "left right kidney" says none."""
    return next(iter(sides)) if len(sides) == 1 else None


def _attributes(words: Sequence[str]) -> dict[str, str]:
    """Return what words say beside height and side, for display: extent, direction."""
    said = {
        "extent": [w for w in words if w in EXTENT and w != "unilateral"],
        "direction": [w for w in words if w in DIRECTIONS],
    }
    return {key: " ".join(dict.fromkeys(value)) for key, value in said.items() if value}
