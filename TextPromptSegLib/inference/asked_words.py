"""What a checkpoint of an open vocabulary is asked: the words as they were typed, without a side.

Such a network reads English and knows nothing of left and right in the patient. So the side is cut
out of its answer by geometry, and a name typed in another language, or as an abbreviation, is asked
by the vocabulary's English name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..outcome import PromptError
from ..prompting.vocabulary import Vocabulary, split_sides
from ..prompting.wording import ARTICLES, key_tokens, tokens

if TYPE_CHECKING:
    from ..prompting.prompt import Prompt


def words_for(prompt: Prompt, vocabulary: Vocabulary) -> tuple[str, dict[str, Any]]:
    """Return the words to ask with, empty for what is not known, and how the answer is cut.

    Args:
        prompt: in a person's own words, or one that the vocabulary knows.
        vocabulary: the names.

    Returns:
        The words, and the ``side`` of `targets.Target` where one has to be cut out.
    """
    side = prompt.side if prompt.side in ("left", "right") else None
    if prompt.free_text:
        return prompt.free_text, {"side": side} if side else {}
    try:
        entry = vocabulary.entry(prompt.structure) if prompt.structure else None
    except PromptError:
        entry = None
    if entry is None:
        return "", {}
    typed = [word for word in tokens(prompt.text) if word not in ARTICLES]
    words = split_sides(typed)[0] if entry.paired else typed
    match = vocabulary.find_tokens(words)
    others = {key_tokens(name) for names in entry.languages.values() for name in names}
    others |= {key_tokens(name) for name in entry.abbreviations}
    said = " ".join(words)
    if match is None or match.structure != entry.name or key_tokens(said) in others:
        said = entry.name if side else entry.unsided
    cut = side if side and (entry.paired or prompt.half) else None
    return said, {"side": cut} if cut else {}
