"""What "everything" and "all organs" mean for one checkpoint: the names it knows well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..checkpoints.layout import ANYTHING
from ..checkpoints.quality import GOOD
from ..outcome import PromptError
from ..prompting.prompts import parse_prompts

if TYPE_CHECKING:
    from ..prompting.anatomy import Structure
    from ..prompting.prompt import Prompt
    from ..prompting.vocabulary import Vocabulary


def known_well(
    prompt: Prompt,
    trained: Mapping[str, Mapping[str, Any]],
    vocabulary: Vocabulary,
    modality: str | None = None,
) -> tuple[list[str], int]:
    """Return the trained names that a prompt for everything means, and how many it leaves out.

    A checkpoint that says how good it is at each structure is asked for the good ones; one that
    says nothing, for all. Both sides stand for a pair, and findings are left out of "all organs".

    Args:
        prompt: one with ``everything``.
        trained: the checkpoint's ``trained_prompts``.
        vocabulary: where the region of each name comes from.
        modality: of the image; None takes the names of all modalities.
    """
    region, organs = prompt.everything.removesuffix(" organs"), "organs" in prompt.everything
    measured = any("tier" in entry for entry in trained.values())
    names, left_out = [], 0
    for name, entry in trained.items():
        known = _entry(name, vocabulary)
        if name == ANYTHING:
            continue
        if modality and modality not in (entry.get("modalities") or (modality,)):
            continue
        if organs and (known is None or known.kind != "anatomy"):
            continue
        if region not in ("", "any", "organs") and region not in vocabulary.regions(name):
            continue
        if measured and entry.get("tier") != GOOD:
            left_out += 1
            continue
        names.append(name)
    chosen = set(names)
    pairs = {name for name in names if {f"left {_one(name, vocabulary)}", f"right "
             f"{_one(name, vocabulary)}"} <= chosen}  # fmt: skip
    return [name for name in names if name not in pairs], left_out


def expand(
    prompts: Sequence[Prompt],
    trained: Mapping[str, Mapping[str, Any]],
    vocabulary: Vocabulary,
    modality: str | None = None,
) -> list[Prompt]:
    """Return prompts with every "everything" written out; one that means nothing stays.

    Args:
        prompts: as they were parsed.
        trained: the checkpoint's ``trained_prompts``.
        vocabulary: the names.
        modality: of the image, None when nobody knows.
    """
    result: dict[tuple[str, str], Prompt] = {}
    for prompt in prompts:
        names = known_well(prompt, trained, vocabulary, modality)[0] if prompt.everything else []
        if not names:
            result.setdefault((prompt.phrase(), prompt.report), prompt)
        for name in names:
            meant = parse_prompts(name, vocabulary, free_text=False)
            one = meant[0] if len(meant) == 1 else replace(prompt, name=name, everything="")
            result.setdefault((one.phrase(), ""), replace(one, text=name))
    return list(result.values())


def sentence(
    prompt: Prompt,
    trained: Mapping[str, Mapping[str, Any]],
    vocabulary: Vocabulary,
    modality: str | None = None,
) -> str:
    """Say what a prompt for everything means, before anything runs."""
    names, left_out = known_well(prompt, trained, vocabulary, modality)
    if not names:
        return f"nothing that '{prompt.name}' could mean is known well here; name what you seek"
    rest = f"; {left_out} that it knows less well are left out" if left_out else ""
    return f"'{prompt.name}' means {len(names)} structures: {', '.join(names)}{rest}"


def _entry(name: str, vocabulary: Vocabulary) -> Structure | None:
    try:
        return vocabulary.entry(name)
    except PromptError:
        return None


def _one(name: str, vocabulary: Vocabulary) -> str:
    """Return the name of one of a pair ("kidneys" -> "kidney"), of anything else the name."""
    known = _entry(name, vocabulary)
    return known.name if known is not None and known.paired and known.unsided == name else name
