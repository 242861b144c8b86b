"""The answers of a run: each prompt's by itself on any core, then how they lie to each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

from ..image.cores import on_cores
from . import answers
from .targets import Refusal, Target

if TYPE_CHECKING:
    from ..prompting.segmentation import Segmentation
    from .composition import Composer
    from .plausibility import Neighbours


def answered(
    plans: Sequence[Target | Refusal],
    composers: Sequence[Composer],
    prepare: Callable[[Target, Composer], tuple[Any, ...]],
    refuse: Callable[[Refusal], Segmentation],
    known: Neighbours,
) -> list[list[Segmentation]]:
    """Return the answers of what each composer collected.

    Args:
        plans: how each prompt is answered.
        composers: one for each sample, or one.
        prepare: returns the arguments of `answers.answer`.
        refuse: answers what cannot be asked.
        known: what was found in this image before.
    """
    asked = [(plan, one) for one in composers for plan in plans if isinstance(plan, Target)]
    turn = Lock()

    def make(one: tuple[Target, Composer]) -> Segmentation:
        with turn:  # a composer gives memory back as its answers are taken from it
            arguments = prepare(*one)
        return answers.answer(*arguments)

    made = iter(on_cores(make, asked))
    result = []
    for composer in composers:
        row = []
        for plan in plans:
            if isinstance(plan, Refusal):
                row.append(refuse(plan))
                continue
            found = next(made)
            if plan.check and (said := composer.disagreements(plan, found.mask)):
                facts = {**found.provenance, "notes": [*found.provenance["notes"], *said]}
                found = answers.rethreshold(found.changed(provenance=facts), found.threshold)
            row.append(found)
        result.append(answers.related(row, known))
    return result
