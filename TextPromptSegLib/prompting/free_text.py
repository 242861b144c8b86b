"""Prompts in a person's own words: what the vocabulary does not know goes to the text encoder.

Sides, heights, lists and denials stay with the rules, for networks follow them badly; the rest is
asked as it was typed. A piece in quotation marks, "hepatic gland", allows it for that piece.
"""

from __future__ import annotations

import re
from dataclasses import replace

from .prompt import Prompt
from .prompt_grammar import ENDS, THIRDS, VERTICAL, ZONE_NOUNS
from .vocabulary import split_sides
from .wording import ARTICLES

NOTE = "not in the vocabulary, asked in your words"
_QUOTED = re.compile(r"[\"“”„«»]([^\"“”„«»\n]{2,200})[\"“”„«»]")
_MARK = "quotedwords"
_LINKS = frozenset("of on in at the side sided hand to".split())


def take_quotes(text: str) -> tuple[str, dict[str, str]]:
    """Put a mark for each quoted piece of a text; returns the text and mark -> quoted words."""
    quoted: dict[str, str] = {}

    def mark(found: re.Match[str]) -> str:
        key = f"{_MARK}{'abcdefghijklmnopqrstuvwxyz'[len(quoted) % 26]}{len(quoted) // 26}"
        quoted[key] = " ".join(found[1].split())
        return f" {key} "

    return _QUOTED.sub(mark, text), quoted


def in_own_words(prompt: Prompt, quoted: dict[str, str] | None = None) -> Prompt:
    """Return an unknown prompt as one that the network is asked in the words that were typed.

    A prompt that is known stays as it is, and so does one with nothing left but a side or a height.

    Args:
        prompt: as it was parsed.
        quoted: marks and their quoted words; None takes every unknown prompt.
    """
    if quoted and any(mark in value for mark in quoted for value in prompt.attributes.values()):
        said = {key: _replaced(value, quoted) for key, value in prompt.attributes.items()}
        prompt = replace(prompt, attributes=said)
    minus = tuple(in_own_words(item, quoted) for item in prompt.minus)
    if minus != prompt.minus:
        kept = tuple(n for n in prompt.notes if "cannot be taken away" not in n)
        prompt = replace(prompt, minus=minus, notes=kept)
    marks = [mark for mark in quoted or () if mark in prompt.name.split()]
    if prompt.structure is not None or prompt.everything or (quoted is not None and not marks):
        return prompt
    words, sides = split_sides(prompt.name.split())
    thirds: tuple[str, ...] = ()
    if any(word in ZONE_NOUNS for word in words):
        found = {VERTICAL[word] for word in words if word in VERTICAL}
        thirds = tuple(third for third in THIRDS if third in found)
        if thirds:
            words = [w for w in words if w not in VERTICAL and w not in ZONE_NOUNS]
    while words and words[0] in _LINKS | ARTICLES:
        words = words[1:]
    while words and words[-1] in _LINKS | ARTICLES:
        words = words[:-1]
    if not [w for w in words if w not in VERTICAL and w not in ENDS and w not in ZONE_NOUNS]:
        return prompt
    own = _replaced(" ".join(words), quoted)
    side = next(iter(sides)) if len(sides) == 1 else None
    return replace(
        prompt,
        text=_replaced(prompt.text, quoted),
        name=own,
        side=None if side == "both" else side,
        thirds=thirds,
        container=own if thirds else None,
        zones=((own, thirds),) if thirds else (),
        free_text=own,
        notes=(NOTE, *(n for n in prompt.notes if "too many to understand" not in n)),
    )


def _replaced(text: str, quoted: dict[str, str] | None) -> str:
    for mark, words in (quoted or {}).items():
        text = text.replace(mark, words)
    return " ".join(text.split())


__all__ = ["NOTE", "in_own_words", "take_quotes"]
