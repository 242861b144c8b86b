"""What an engine is asked to do on the slices of an image, and what it did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...outcome import Cancelled, Progress

if TYPE_CHECKING:
    from ...image.slice_stack import SliceStack
    from ...text.features import TextFeatures

Write = Callable[[int, int, np.ndarray], None]
"""``write(prompt, first_slice, probabilities (n, H, W) float16)``."""


@dataclass
class RunFacts:
    """What a run over slices did.

    Attributes:
        presence: (P, n) probability that the structure is in the slice; NaN without a head.
        decoded: (P, n) bool, whether the decoder ran.
        image: time for reading slices and encoding them, s.
        decode: time for presence, decoding and resizing back, s.
        network: the part of both that was spent inside the network, s.
        per_prompt: the part of ``decode`` that belongs to each prompt, s.
    """

    presence: np.ndarray
    decoded: np.ndarray
    image: float = 0.0
    decode: float = 0.0
    network: float = 0.0
    per_prompt: list[float] = field(default_factory=list)

    def best(self) -> list[float]:
        """Return the largest presence of each prompt; NaN without a head."""
        return self.presence.max(axis=1, initial=0.0).tolist()


@dataclass(frozen=True)
class Search:
    """Which prompts are looked for on which slices, and where the answers go.

    Attributes:
        stack: the image.
        slices: consecutive slices of it.
        text: encoded prompts, P rows.
        writes: take the probabilities, one for each channel of the logits (samples).
        ceilings: P probability thresholds.
        progress: ``progress(slices done, slices, message)``; False cancels.
        label: what the message says is being looked for.
    """

    stack: SliceStack
    slices: range
    text: TextFeatures
    writes: Sequence[Write]
    ceilings: Sequence[float]
    progress: Progress | None = None
    label: str = ""

    def tell(self, what: str, done: int, total: int) -> None:
        """Report how far the run is; ``what`` is what is counted.

        Raises:
            Cancelled: when ``progress`` returned False.
        """
        message = f"{self.label}: {what} {done} of {total}"
        if self.progress is not None and not self.progress(done, total, message):
            raise Cancelled("the user cancelled")

    def facts(self, presence: float) -> RunFacts:
        """Return the facts of a run that has done nothing yet, with the same presence all over."""
        shape = (len(self.text), len(self.slices))
        decoded = np.zeros(shape, bool)
        return RunFacts(np.full(shape, presence), decoded, per_prompt=[0.0] * len(self.text))
