"""Report sentences as prompts: what the text encoder gets.

A checkpoint that learned from report texts is asked with the sentence as it was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_SEPARATOR = "\n"


def query(name: str, text: str = "") -> str:
    """Return the key of one question to the network: a trained name, asked with its own text."""
    return f"{name}{_SEPARATOR}{text}" if text else name


def name_of(key: str) -> str:
    """Return the trained name of a `query`."""
    return key.partition(_SEPARATOR)[0]


def text_of(key: str, template: str = "{x}") -> str:
    """Return what the text encoder reads for a `query`."""
    name, _, text = key.partition(_SEPARATOR)
    return text or template.replace("{x}", name)


def too_long(encoder: Any, texts: Sequence[str]) -> tuple[str, ...]:
    """Return a note when the encoder's token limit cuts one of the texts."""
    cut = getattr(encoder, "truncated", None)
    if cut is None or not any(cut(text) for text in texts):
        return ()
    return (
        f"the text has more than the {encoder.max_length} tokens that this checkpoint reads; "
        "its end was not used",
    )
