"""How far a "no" reaches in a sentence: over its list, and back from "absent"; never past "but"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .prompt_grammar import ABSENT, AND, BUT, NEGATIONS, OR
from .prompt_reading import Reader
from .prompt_text import Chunk

_AFFIRMS = frozenset("shows show demonstrates reveals showing positive seen present noted".split())


@dataclass
class Scope:
    """What the last "no" of a sentence denies.

    Attributes:
        last_or: number of the last piece of the sentence that has an "or": a list reaches to it.
        active: a "no" was said and still holds.
        places: the list is one of places ("no lesion in the liver, spleen"), not of findings.
    """

    last_or: int = -1
    active: bool = False
    places: bool = False

    @classmethod
    def of(cls, chunks: Sequence[Chunk]) -> Scope:
        """Return the scope of a sentence, before any "no"."""
        ors = [i for i, chunk in enumerate(chunks) if any(w in OR for w in chunk.words)]
        return cls(ors[-1] if ors else -1)

    def covers(self, index: int, said: Sequence[str], reader: Reader) -> bool:
        """Tell whether a later piece of the sentence is denied as well.

        Up to the last "or" it is. After that only findings without a place of their own are:
        "no effusion, liver" asks for the liver.
        """
        if not self.active:
            return False
        if affirmed(said, index > self.last_or):
            self.active = False
            return False
        if index <= self.last_or:
            return True
        kinds = set()
        for piece in pieces(said):
            draft = reader.read(reader.strip(piece), "", suggest=False)
            if draft.structure is None or draft.thirds or (draft.places and not self.places):
                return False
            kinds.add(reader.vocabulary.entry(draft.structure).kind)
        return kinds == {"anatomy" if self.places else "finding"}


def affirmed(said: Sequence[str], loosely: bool = True) -> bool:
    """Tell whether words say that something is there: "there is", "shows"."""
    there = [w for w in said[:4] if w not in AND]
    if there[:2] in (["there", "is"], ["there", "are"], ["there", "was"], ["there", "were"]):
        return True
    return loosely and any(word in _AFFIRMS for word in said)


def pieces(words: Sequence[str]) -> list[list[str]]:
    """Split words at "and" and "or"."""
    result: list[list[str]] = [[]]
    for word in words:
        if word in AND:
            result.append([])
        else:
            result[-1].append(word)
    return [piece for piece in result if piece]


def clauses(words: Sequence[str]) -> list[list[str]]:
    """Split words at "but" and "however", which end what is denied; not at "but not"."""
    result: list[list[str]] = [[]]
    for i, word in enumerate(words):
        minus = i + 1 < len(words) and words[i + 1] in ("not", "no", "without")
        if word in BUT and not minus and result[-1]:
            result.append([])
        elif word not in BUT or minus:
            result[-1].append(word)
    return [clause for clause in result if clause]


def denied_within(words: Sequence[str]) -> int:
    """Return where a "no" stands within words ("lungs show no nodule"), 0 for nowhere."""
    said = ("no", "kein", "keine", "keinen", "aucun", "aucune", "nessun", "nessuna", "neither")
    for i, word in enumerate(words):
        if i and word in said and words[i - 1] not in ("and", "but", "with"):
            return i
    return 0


def leads(words: Sequence[str]) -> bool:
    """Tell whether words begin with a denial: "no", "without", "absent"."""
    return bool(words) and (words[0] in NEGATIONS or words[0] in ABSENT)
