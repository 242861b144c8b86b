"""What may have been meant by words that are not understood; offered, never taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import cached_property

from .anatomy import Match
from .prompt_draft import Draft
from .prompt_grammar import (  # fmt: skip
    AND,
    BESIDE,
    DIRECTIONS,
    ENDS,
    EXTENT,
    LEAD,
    NUMBERS,
    PLACE,
    SIDE_WORDS,
    TRAIL,
    VERTICAL,
    WHOLE,
    ZONE_NOUNS,
)
from .vocabulary import Vocabulary
from .wording import ARTICLES, singular

_GRAMMAR = (
    LEAD | TRAIL | SIDE_WORDS | EXTENT | DIRECTIONS | PLACE | BESIDE | AND | ARTICLES | WHOLE
    | ZONE_NOUNS | set(VERTICAL) | set(ENDS) | set(NUMBERS)
)  # fmt: skip


class Suggester:
    """Finds texts that are understood and close to words that are not.

    Args:
        vocabulary: the names.
        read: reads words as a piece: (words, text, suggest).
        find: finds a name.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        read: Callable[[Sequence[str], str, bool], Draft],
        find: Callable[[Sequence[str]], Match | None],
    ) -> None:
        self.vocabulary = vocabulary
        self._read, self._find = read, find
        self._close: dict[str, list[str]] = {}  # spelling corrections made so far

    def suggest(self, words: Sequence[str]) -> tuple[str, ...]:
        """Return up to three texts that are understood and close to the words."""
        words = list(words)[:16]
        found: dict[str, None] = {}
        choices = [self._spellings(word) for word in words]
        wrong = [i for i, choice in enumerate(choices) if choice != [words[i]]]
        if wrong and len(wrong) <= 3 and all(choices):
            for k in range(2):
                fixed = [choice[min(k, len(choice) - 1)] for choice in choices]
                draft = self._read(fixed, "", False)
                if draft.structure is not None:
                    found[draft.build(self.vocabulary).phrase()] = None
        if not found or len(words) < 3:
            found.update(dict.fromkeys(self.vocabulary.suggest(" ".join(words))))
        if not found:
            found.update(dict.fromkeys(self._inside(words)))
        return tuple(found)[:3]

    def _inside(self, words: list[str]) -> list[str]:
        for length in range(len(words) - 1, 0, -1):
            for start in range(len(words) - length + 1):
                match = self._find(words[start : start + length])
                if match is not None and len("".join(words[start : start + length])) > 2:
                    return [match.name]
        return []

    def _spellings(self, word: str) -> list[str]:
        if word in self._lexicon or singular(word) in self._lexicon or len(word) < 3:
            return [word]
        if word not in self._close:
            plain = singular(word)[:30]
            alike = [
                w
                for w in self._sorted_lexicon
                if abs(len(w) - len(plain)) < 3 and (w[0] == plain[0] or w[-1] == plain[-1])
            ]
            close = get_close_matches(plain, alike, n=2, cutoff=0.7)
            if len(self._close) >= 4096:
                self._close.clear()
            self._close[word] = close
        return self._close[word]

    @cached_property
    def _lexicon(self) -> frozenset[str]:
        return frozenset(self.vocabulary.words()) | _GRAMMAR

    @cached_property
    def _sorted_lexicon(self) -> list[str]:
        return sorted(word for word in self._lexicon if len(word) > 3)
