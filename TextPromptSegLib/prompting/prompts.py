"""From the text a user types to the list of things to segment; shown before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from ..outcome import PromptError
from .free_text import in_own_words, take_quotes
from .prompt import Prompt, Zone
from .prompt_list import LONGEST_TEXT, MOST_PROMPTS, PromptList
from .prompt_reading import Reader
from .vocabulary import Vocabulary


def parse_prompts(
    text: str | Prompt | Sequence[str | Prompt],
    vocabulary: Vocabulary | None = None,
    free_text: bool = False,
) -> list[Prompt]:
    """Understand a text, or several, as a list of things to segment.

    Names with their sides, lists, commands, vertical thirds, subtraction ("liver without tumor")
    and report sentences ("bilateral infection, two infected areas, all left lung") are understood.
    What is not known comes back with ``known`` False and suggestions; it is never replaced.

    Args:
        text: what the user typed; items that already are prompts pass unchanged.
        vocabulary: the names to use; None for the one that ships.
        free_text: what is not known may be asked in the words that were typed; without it only
            what stands in quotation marks.

    Raises:
        PromptError: when nothing is asked for, or the text is too long.
    """
    vocabulary = vocabulary or Vocabulary.load()
    items: Sequence[object] = [text] if isinstance(text, str | Prompt) else list(text)
    prompts: list[Prompt] = []
    for item in items:
        if isinstance(item, Prompt):
            prompts.append(item)
        elif isinstance(item, str):
            prompts.extend(_parse(item, vocabulary, free_text))
        else:
            raise PromptError("A prompt must be text.")
    unique: dict[tuple[object, ...], Prompt] = {}
    for prompt in prompts:
        zones = (prompt.side, prompt.container, prompt.thirds, prompt.zones)
        unique.setdefault((prompt.name, zones, tuple(m.phrase() for m in prompt.minus)), prompt)
    if not unique:
        raise PromptError('Say what to segment, for example "liver" or "left kidney, spleen".')
    if len(unique) > MOST_PROMPTS:
        raise PromptError(
            f"These are {len(unique)} prompts; give at most {MOST_PROMPTS} at a time."
        )
    return list(unique.values())


def _parse(text: str, vocabulary: Vocabulary, free_text: bool) -> list[Prompt]:
    """Parse one text; quotation marks round what is known anyway mean nothing."""
    reader = _reader(vocabulary)
    marked, quoted = take_quotes(text)
    if quoted and len(text) <= LONGEST_TEXT:
        for mark, words in list(quoted.items()):
            if _all_known(words, reader):
                marked = marked.replace(mark, words)
                del quoted[mark]
        found = PromptList(reader).parse(marked)
        prompts = [in_own_words(prompt, quoted) for prompt in found]
    else:
        prompts = PromptList(reader).parse(text)
    return [in_own_words(prompt) for prompt in prompts] if free_text else prompts


def _all_known(words: str, reader: Reader) -> bool:
    try:
        return all(prompt.known for prompt in PromptList(reader).parse(words))
    except PromptError:
        return False


@lru_cache(maxsize=4)
def _reader(vocabulary: Vocabulary) -> Reader:
    return Reader(vocabulary)


__all__ = ["Prompt", "Zone", "parse_prompts"]
