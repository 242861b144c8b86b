"""What a person's own words are like: the trained names that the text encoder puts nearest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..checkpoints.layout import ANYTHING
from ..prompting.clinical_text import name_of
from .targets import Refusal, Target

NEAREST = 3


def nearest(encoder: Any, words: str, names: Sequence[str]) -> list[tuple[str, float]]:
    """Return the names whose meaning is nearest to words, with the cosine similarity, best first.

    Args:
        encoder: has ``encode(texts).pooled`` (P, C).
        words: as they were typed.
        names: to compare with.
    """
    if not names:
        return []
    pooled = encoder.encode([words, *names]).pooled.float()
    pooled = pooled / pooled.norm(dim=1, keepdim=True).clamp_min(1e-8)
    alike = (pooled[1:] @ pooled[0]).tolist()
    order = sorted(range(len(names)), key=lambda i: (-alike[i], names[i]))
    return [(names[i], float(alike[i])) for i in order[:NEAREST]]


def with_meaning(
    plan: Target | Refusal,
    encoder: Any,
    trained: Mapping[str, Mapping[str, Any]],
    modality: str | None,
) -> Target | Refusal:
    """Return a plan with what the text encoder makes of words that the vocabulary does not know."""
    if isinstance(plan, Target):
        return with_nearest(plan, encoder, trained, modality)
    return with_neighbour(plan, encoder, trained, modality)


def with_nearest(
    target: Target, encoder: Any, trained: Mapping[str, Mapping[str, Any]], modality: str | None
) -> Target:
    """Return a target with a note on the nearest known names, where it is asked in own words."""
    words = target.prompt.free_text
    minus = tuple(with_nearest(part, encoder, trained, modality) for part in target.minus)
    more = [note for part in minus for note in part.notes if note not in target.notes]
    target = replace(target, minus=minus, notes=(*target.notes, *more)) if minus else target
    if not words or any(name_of(name) in trained for name in target.names):
        return target
    found = nearest(encoder, words, _usable(trained, modality))
    if not found:
        return target
    said = ", ".join(f"{name} {alike:.2f}" for name, alike in found)
    return replace(
        target, alike=tuple(found), notes=(*target.notes, f"nearest known names: {said}")
    )


def with_neighbour(
    refusal: Refusal, encoder: Any, trained: Mapping[str, Mapping[str, Any]], modality: str | None
) -> Refusal:
    """Return a refusal of unknown words with the names nearest in meaning, where no spelling is."""
    prompt = refusal.prompt
    if prompt.structure or prompt.suggestions or prompt.everything or not trained:
        return refusal
    near = nearest(encoder, prompt.name, _usable(trained, modality))
    said = ", ".join(f"{name} {alike:.2f}" for name, alike in near)
    said = f"; nearest in meaning: {said}" if near else ""
    offer = f'to ask the network in these words, write "{prompt.name}" in quotation marks'
    return replace(refusal, message=f"{refusal.message}{said}; {offer}")


def _usable(trained: Mapping[str, Mapping[str, Any]], modality: str | None) -> list[str]:
    return [
        name
        for name, entry in trained.items()
        if name != ANYTHING
        and (modality is None or modality in (entry.get("modalities") or (modality,)))
    ]
