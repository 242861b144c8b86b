"""The many ways to ask for one structure: templates times synonyms (FiLM paper, section 3.3).

This is the one place where wordings come from. What a training may see is drawn by `PhraseBook`;
`unseen_wordings` gives what none may see (the ``UNSEEN`` templates, and the ``held_out`` synonyms
of the vocabulary), so that a network can be measured on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from ..outcome import InputError

if TYPE_CHECKING:
    from ..prompting.anatomy import Match, Structure
    from ..prompting.vocabulary import Vocabulary

TEMPLATES = (
    "{x}",
    "the {x}",
    "segment the {x}",
    "segment {x}",
    "identify the {x}",
    "delineate the {x}",
    "outline the {x}",
    "contour the {x}",
    "find the {x}",
    "find the {x} margins",
    "locate the {x}",
    "show me the {x}",
    "show the {x} in this image",
    "mark the {x}",
    "label the {x}",
    "highlight the {x}",
    "extract the {x}",
    "annotate the {x} in this scan",
    "mask of the {x}",
    "region of the {x}",
    "segmentation of the {x}",
    "boundary of the {x}",
    "where is the {x}?",
    "please segment the {x}",
    "please outline the {x} for me",
    "your goal is to spot the {x}",
    "your task is to segment the {x}",
    "I need the {x}",
    "the {x} is seen",
    "{x} in this slice",
    "pixels that belong to the {x}",
    "a medical image of the {x}",
)
"""For every structure and finding."""

FINDING_TEMPLATES = (
    "there is {x}",
    "findings: {x}",
    "finding consistent with {x}",
    "{x} is present",
    "{x} is noted",
    "evidence of {x}",
    "area of {x}",
    "image shows {x}",
    "detect the {x}",
    "suspected {x}",
)
"""As reports say it; for findings only."""

UNSEEN_TEMPLATES = (
    "trace the {x} for me",
    "could you draw the contour of the {x}?",
    "which voxels are part of the {x}?",
    "I am interested in the {x} only",
    "give me a mask covering the {x}",
    "pick out the {x}",
    "colour in the {x}",
    "extent of the {x} on this study",
)
UNSEEN_FINDING_TEMPLATES = (
    "radiological signs of {x}",
    "the patient has {x}",
    "impression: {x}",
    "appearances are in keeping with {x}",
)
UNSEEN = frozenset((*UNSEEN_TEMPLATES, *UNSEEN_FINDING_TEMPLATES))
"""Templates that no training may use."""


def canonical_name(label: str, vocabulary: Vocabulary) -> str:
    """Return the vocabulary's name of a label, or the label itself in lower case."""
    match = vocabulary.find(label)
    return match.name if match is not None else label.lower()


def synonyms(name: str, vocabulary: Vocabulary) -> list[str]:
    """Return the name and its English synonyms that a training may see, with the side of each."""
    match = vocabulary.find(name)
    if match is None:
        return [name]
    entry = vocabulary.entry(match.structure)
    words = [*entry.synonyms, *_of_organ(entry, vocabulary)]
    return list(dict.fromkeys([name, *_with_side(words, match, entry)]))


def unseen_synonyms(name: str, vocabulary: Vocabulary) -> list[str]:
    """Return the synonyms of a name that no training may see, with the side of each."""
    match = vocabulary.find(name)
    if match is None:
        return []
    entry = vocabulary.entry(match.structure)
    return _with_side(entry.held_out, match, entry, plain_sides=True)


def unseen_wordings(name: str, vocabulary: Vocabulary, most: int = 4) -> list[str]:
    """Return wordings of a structure that no training may see: unseen synonyms and templates.

    They come in a fixed order: an unseen synonym by itself, an unseen template round the name, an
    unseen template round an unseen synonym, and so on.

    Args:
        name: a canonical name; of an unknown one only the templates are new.
        vocabulary: where the synonyms come from.
        most: so many at most.
    """
    words = unseen_synonyms(name, vocabulary)
    match = vocabulary.find(name)
    kind = vocabulary.entry(match.structure).kind if match is not None else "anatomy"
    frames = [*(UNSEEN_FINDING_TEMPLATES if kind == "finding" else ()), *UNSEEN_TEMPLATES]
    start = sum(map(ord, name)) % len(frames)  # other structures get other templates
    frames = [*frames[start:], *frames[:start]]
    named = [frame.format(x=name) for frame in frames]
    both = [f.format(x=w) for f, w in zip(frames[1:], words, strict=False)]
    turns = zip_longest(words, named, both)
    return list(dict.fromkeys(text for turn in turns for text in turn if text))[:most]


def _with_side(
    words: Sequence[str], match: Match, entry: Structure, plain_sides: bool = False
) -> list[str]:
    """Put the side to synonyms; of a pair without a side, the plural or the words for both."""
    if match.side in ("left", "right"):
        sided = [f"{match.side} {word}" for word in words]
        if plain_sides:
            return sided
        return [*sided, f"{match.side}-sided {entry.name}", f"{entry.name} on the {match.side}"]
    if not entry.paired or entry.unsided == entry.name:
        return list(words)
    both = [] if plain_sides else [f"both {entry.plural}", f"left and right {entry.plural}"]
    return both + [plural for word in words if (plural := _plural(word))]


def _plural(words: str) -> str | None:
    """Return the plural of a plain English name: "renal organs"; None where it is not that easy."""
    last = words.split()[-1]
    ends = ("s", "us", "is", "um", "a", "x", "on", "ma", "en", "ae", "mo", "i")
    if " of " in words or not last.isalpha() or not last.islower() or last.endswith(ends):
        return None
    return f"{words[:-1]}ies" if last.endswith("y") and last[-2] not in "aeou" else f"{words}s"


def _of_organ(entry: Structure, vocabulary: Vocabulary) -> list[str]:
    """Return a finding's kind with its organ: "hepatic neoplasm", "tumor of the liver"."""
    if not entry.base or not entry.container:
        return []
    organ, base = vocabulary.entry(entry.container), vocabulary.entry(entry.base)
    kinds = (base.name, *base.synonyms[:3])
    nouns = (organ.name, *organ.adjectives[:1])
    return [
        *(f"{noun} {kind}" for noun in nouns for kind in kinds),
        *(f"{kind} {link} the {organ.name}" for kind in kinds[:2] for link in ("of", "in")),
    ]


class PhraseBook:
    """Draws one wording of a structure.

    Args:
        vocabulary: where the synonyms come from.
        templates: sentences with ``{x}``; empty for the ones above, those of reports for findings
            included.
        plain: share of draws that are the bare canonical name, which is what the predictor asks
            for once the parser knows the structure.
        with_synonyms: templates hold synonyms too, not the canonical name alone.

    Raises:
        InputError: when a template is one of those that are kept to measure with.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        templates: Sequence[str] = (),
        plain: float = 0.5,
        with_synonyms: bool = True,
    ) -> None:
        if kept := UNSEEN.intersection(templates):
            raise InputError(
                f'The template "{sorted(kept)[0]}" is kept to measure unseen words with; '
                "leave it out of the recipe."
            )
        self.vocabulary = vocabulary
        self.templates = tuple(templates) or TEMPLATES
        self.finding_templates = self.templates if templates else (*TEMPLATES, *FINDING_TEMPLATES)
        self.plain = plain
        self.with_synonyms = with_synonyms
        self._synonyms: dict[str, list[str]] = {}
        self._frames: dict[str, tuple[str, ...]] = {}

    def draw(self, name: str, rng: np.random.Generator) -> str:
        """Return one wording of ``name``."""
        if rng.random() < self.plain:
            return name
        words, frames = self.wordings(name)
        template = frames[rng.integers(len(frames))]
        return template.format(x=words[rng.integers(len(words))])

    def wordings(self, name: str) -> tuple[list[str], tuple[str, ...]]:
        """Return every synonym and every template that may be drawn for a name."""
        if name not in self._synonyms:
            match = self.vocabulary.find(name)
            kind = self.vocabulary.entry(match.structure).kind if match is not None else ""
            words = synonyms(name, self.vocabulary) if self.with_synonyms else [name]
            self._synonyms[name] = words
            self._frames[name] = self.finding_templates if kind == "finding" else self.templates
        return self._synonyms[name], self._frames[name]
