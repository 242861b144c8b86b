"""`textpromptseg parse`: how a prompt is understood, and how good a checkpoint is at it."""

from __future__ import annotations

from ..checkpoints import catalogue, layout
from ..outcome import CheckpointError
from .clean import clean_json
from .console import remark, show_parse
from .exits import EXIT_DONE, EXIT_NOT_FOUND


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
    from ..inference.prospect import prospects
    from ..prompting.prompts import parse_prompts

    prompts = parse_prompts(text, free_text=free_text)
    try:
        config = layout.read_config(catalogue.resolve(model or default))
    except CheckpointError as error:
        if model is not None:
            raise
        remark(str(error))
        config = {}
    expected = prospects(prompts, config.get("trained_prompts"))
    qualities = [prospect.quality for prospect in expected]
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
        for prompt, prospect in zip(prompts, expected, strict=True):
            if prompt.everything and prospect.warning:
                remark(prospect.warning)
        if not all(prompt.answerable for prompt in prompts):
            remark(
                "to ask the network in your own words, put them in quotation marks (--free-text)"
            )
    return EXIT_DONE if all(prompt.answerable for prompt in prompts) else EXIT_NOT_FOUND
