"""What is to be expected of a checkpoint's answer to a prompt, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..checkpoints.quality import Quality, quality_of, warning
from ..prompting.clinical_text import name_of
from ..prompting.vocabulary import Vocabulary
from .everything import sentence
from .targets import Refusal, Resolver

if TYPE_CHECKING:
    from ..prompting.prompt import Prompt


@dataclass(frozen=True)
class Prospect:
    """What is to be expected of the answer to one prompt.

    Attributes:
        refusal: why the checkpoint cannot answer, empty when it can.
        quality: how good it is at it, None where nobody measured.
        warning: the sentence that an experimental structure carries, else empty.
    """

    refusal: str = ""
    quality: Quality | None = None
    warning: str = ""


def prospects(prompts: Sequence[Prompt], trained: Mapping[str, Any] | None) -> list[Prospect]:
    """Return, for each prompt, what is to be expected.

    Args:
        prompts: what was typed.
        trained: the checkpoint's ``trained_prompts``; None = there is no checkpoint.
    """
    if trained is None:
        return [Prospect() for _ in prompts]
    resolver, found = Resolver(trained, Vocabulary.load()), []
    for prompt in prompts:
        if prompt.everything:
            found.append(Prospect(warning=sentence(prompt, trained, resolver.vocabulary)))
            continue
        answer = resolver.resolve(prompt)
        if isinstance(answer, Refusal):
            found.append(Prospect(answer.message))
            continue
        names = tuple(dict.fromkeys(map(name_of, answer.names)))
        quality = quality_of(names, trained)
        found.append(Prospect("", quality, " ".join(warning(names, quality))))
    return found
