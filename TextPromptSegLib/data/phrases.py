"""The many ways to ask for one structure: templates times synonyms (FiLM paper, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..prompting.vocabulary import Vocabulary

TEMPLATES = (
    "{x}",
    "segment the {x}",
    "identify the {x}",
    "delineate the {x}",
    "find the {x} margins",
    "your goal is to spot the {x}",
)


def canonical_name(label: str, vocabulary: Vocabulary) -> str:
    """Return the vocabulary's name of a label, or the label itself in lower case."""
    match = vocabulary.find(label)
    return match.name if match is not None else label.lower()


def synonyms(name: str, vocabulary: Vocabulary) -> list[str]:
    """Return the name and its English synonyms, with the side in front of each."""
    match = vocabulary.find(name)
    if match is None:
        return [name]
    entry = vocabulary.entry(match.structure)
    sided = match.side in ("left", "right") or not entry.paired
    if not sided:  # the synonyms are singular; the plural stands for both sides
        return [name]
    front = f"{match.side} " if match.side in ("left", "right") else ""
    return list(dict.fromkeys([name, *(f"{front}{s}" for s in entry.synonyms)]))


class PhraseBook:
    """Draws one wording of a structure.

    Args:
        vocabulary: where the synonyms come from.
        templates: sentences with ``{x}``.
        plain: share of draws that are the bare canonical name, which is what the predictor asks
            for once the parser knows the structure.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        templates: Sequence[str] = TEMPLATES,
        plain: float = 0.5,
    ) -> None:
        self.vocabulary = vocabulary
        self.templates = tuple(templates)
        self.plain = plain
        self._synonyms: dict[str, list[str]] = {}

    def draw(self, name: str, rng: np.random.Generator) -> str:
        """Return one wording of ``name``."""
        if rng.random() < self.plain:
            return name
        if name not in self._synonyms:
            self._synonyms[name] = synonyms(name, self.vocabulary)
        words = self._synonyms[name]
        template = self.templates[rng.integers(len(self.templates))]
        return template.format(x=words[rng.integers(len(words))])
