"""What one call asks besides the prompts, and whether a system takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..outcome import CheckpointError, InputError
from ..prompting.clinical_text import name_of
from .answers import check_threshold
from .hints import Hints

if TYPE_CHECKING:
    from .targets import Target

_LACKING = {
    "box": "takes no box; leave it out, or search inside a region (--roi)",
    "points": "takes no points; leave them out",
    "mask": "starts from no mask; leave it out",
    "samples": "draws no samples; leave --samples out",
    "heat_map": "shows no heat map; leave it out",
}

FROM_MASK = "started from the mask that was there"
FROM_ITS_BOXES = "this checkpoint takes no mask: started from the box around the mask on each slice"


@dataclass(frozen=True)
class RunRequest:
    """One call of `SlicePredictor.segment`, without its prompts.

    Attributes:
        threshold: probability in (0, 1); None takes the checkpoint's own.
        samples: number of samples K; None takes the usual answer.
        hints: box, points, mask and how boxes are used.
        heat_map: whether to return where the system looked.
    """

    threshold: float | None = None
    samples: int | None = None
    hints: Hints = field(default_factory=Hints)
    heat_map: bool = False

    def needs(self) -> tuple[str, ...]:
        """Return what the system has to take, in the words of a checkpoint's ``takes``."""
        more = {"samples": self.samples is not None, "heat_map": self.heat_map}
        return (*self.hints.needs(), *(name for name, asked in more.items() if asked))

    def check(self, model: Any, system: str, targets: int) -> None:
        """Refuse what cannot be answered.

        Args:
            model: the network.
            system: its name, for the sentence.
            targets: number of structures that are asked for.

        Raises:
            CheckpointError: when the system does not take it.
            InputError: when a box or points come with several structures.
        """
        offered = model.takes() if hasattr(model, "takes") else ()
        for name in self.needs():
            # Where no mask goes in, the boxes around it do.
            if name not in offered and not (name == "mask" and "box" in offered):
                raise CheckpointError(f"The system {system} of this checkpoint {_LACKING[name]}.")
        if self.hints.geometric and targets > 1:
            raise InputError(
                "A box, points or a mask belong to one structure; give one prompt with them."
            )

    def notes(self, model: Any) -> tuple[str, ...]:
        """Return what an answer says of how it was asked: what a mask became."""
        if self.hints.mask is None:
            return ()
        return (FROM_MASK if getattr(model, "takes_masks", False) else FROM_ITS_BOXES,)

    def limit(self, plan: Target, trained: Mapping[str, Mapping[str, Any]]) -> float:
        """Return the threshold of an answer.

        Beside a box the checkpoint may want a lower one (``box_threshold``): where the structure
        cannot be is known, and what was unsure inside is rather of it.

        Args:
            plan: what is answered.
            trained: the checkpoint's ``trained_prompts``.
        """
        if self.threshold is not None:
            return self.threshold
        if not self.hints.boxed:
            return plan.threshold
        entries = [trained.get(name_of(name), {"threshold": plan.threshold}) for name in plan.names]
        return min(float(e.get("box_threshold", e.get("threshold", 0.5))) for e in entries)


def make_request(
    threshold: float | None, samples: int | None, heat_map: bool, hints: Mapping[str, Any]
) -> RunRequest:
    """Return a checked request; ``hints`` are what `Hints.from_dict` takes.

    Raises:
        InputError: for numbers that cannot be used.
    """
    if threshold is not None:
        check_threshold(threshold)
    return RunRequest(threshold, samples, Hints.from_dict(hints), heat_map)
