"""`textpromptseg parse`: how a prompt is understood."""

from __future__ import annotations

from .clean import clean_json
from .console import show_parse
from .exits import EXIT_DONE, EXIT_NOT_FOUND


def parse_prompt(text: str, as_json: bool) -> int:
    """Print the parse; the exit code is 3 when a part of it is not known.

    Raises:
        PromptError: when the prompt cannot be understood at all.
    """
    from ..prompting.prompts import parse_prompts

    prompts = parse_prompts(text)
    if as_json:
        rows = [{**p.to_dict(), "known": p.known, "parsed": p.describe()} for p in prompts]
        print(clean_json(rows))
    else:
        show_parse(prompts)
    return EXIT_DONE if all(prompt.known for prompt in prompts) else EXIT_NOT_FOUND
