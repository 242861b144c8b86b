"""What one call asks besides the prompts, and whether a system takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    "samples": "draws no samples; leave --samples out",
    "heat_map": "shows no heat map; leave it out",
}


@dataclass(frozen=True)
class RunRequest:
    """One call of `SlicePredictor.segment`, without its prompts.

    Attributes:
        threshold: probability in (0, 1); None takes the checkpoint's own.
        samples: number of samples K; None takes the usual answer.
        hints: box, points and how boxes are used.
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
            if name not in offered:
                raise CheckpointError(f"The system {system} of this checkpoint {_LACKING[name]}.")
        if self.hints.geometric and targets > 1:
            raise InputError("A box or points belong to one structure; give one prompt with them.")

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
    threshold: float | None,
    samples: int | None,
    box: Sequence[float] | None,
    points: Sequence[Sequence[float]] | None,
    two_pass: bool | None,
    propagate: bool | None,
    heat_map: bool,
) -> RunRequest:
    """Return a checked request.

    Raises:
        InputError: for numbers that cannot be used.
    """
    if threshold is not None:
        check_threshold(threshold)
    hints = Hints.from_dict(
        {"box": box, "points": points, "two_pass": two_pass, "propagate": propagate}
    )
    return RunRequest(threshold, samples, hints, heat_map)
