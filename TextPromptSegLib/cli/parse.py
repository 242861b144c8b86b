"""`textpromptseg parse`: how a prompt is understood, and how good a checkpoint is at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..checkpoints import catalogue, layout
from ..checkpoints.quality import quality_of
from ..outcome import CheckpointError
from .clean import clean_json
from .console import remark, show_parse
from .exits import EXIT_DONE, EXIT_NOT_FOUND

if TYPE_CHECKING:
    from ..checkpoints.quality import Quality
    from ..prompting.prompt import Prompt


def parse_prompt(
    text: str, as_json: bool, model: str | None, default: str, free_text: bool = False
) -> int:
    """Print the parse; the exit code is 3 when a part of it is not known.

    Args:
        text: the prompt.
        as_json: print JSON.
        model: checkpoint whose quality is told; None = ``default``, where it is on this machine.
        default: the checkpoint that is used where nobody names one.
        free_text: what is not known may be asked in the words that were typed.

    Raises:
        PromptError: when the prompt cannot be understood at all.
        CheckpointError: when the named checkpoint is not on this machine.
    """
    from ..prompting.prompts import parse_prompts

    prompts = parse_prompts(text, free_text=free_text)
    try:
        config = layout.read_config(catalogue.resolve(model or default))
    except CheckpointError as error:
        if model is not None:
            raise
        remark(str(error))
        config = {}
    qualities = qualities_of(prompts, config.get("trained_prompts", {}))
    if as_json:
        rows = [
            {
                **p.to_dict(),
                "known": p.known,
                "parsed": p.describe(),
                "quality": None if quality is None else quality.to_dict(),
            }
            for p, quality in zip(prompts, qualities, strict=True)
        ]
        print(clean_json(rows))
    else:
        show_parse(prompts, qualities)
        if not all(prompt.answerable for prompt in prompts):
            remark(
                "to ask the network in your own words, put them in quotation marks (--free-text)"
            )
    return EXIT_DONE if all(prompt.answerable for prompt in prompts) else EXIT_NOT_FOUND


def qualities_of(prompts: Sequence[Prompt], trained: Mapping[str, Any]) -> list[Quality | None]:
    """Return how good a checkpoint is at each prompt, None where it cannot answer or nobody knows.

    Args:
        prompts: what was typed.
        trained: the checkpoint's ``trained_prompts``.
    """
    from ..inference.targets import Resolver, Target
    from ..prompting.vocabulary import Vocabulary

    resolver = Resolver(trained, Vocabulary.load())
    found = [resolver.resolve(prompt) for prompt in prompts]
    return [quality_of(t.names, trained) if isinstance(t, Target) else None for t in found]
