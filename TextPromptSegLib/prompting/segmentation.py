"""The answer to one prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..outcome import Outcome
from .boxed import Boxed, Layers, boxed_fields
from .prompt import Prompt


@boxed_fields("mask", "probability", "uncertainty", "candidates", "heat_map")
@dataclass(frozen=True)
class Segmentation:
    """The answer to one prompt.

    Large arrays are kept for the box around what is in them and made whole whenever one is asked
    for: hold on to what you got while you work with it. A changed array goes into a new answer,
    see `changed`.

    Attributes:
        prompt: the parsed prompt.
        outcome: found, below_threshold, not_found or unknown_prompt.
        mask: (K, J, I) uint8, 0 or 1, in the input's own voxel order.
        probability: (K, J, I) float16 in [0, 1], same order; None only for unknown_prompt.
        seconds: wall time spent on this prompt, s.
        max_probability: largest probability inside the searched region, in [0, 1].
        voxels: number of voxels in the mask.
        volume_ml: volume of the mask, ml.
        threshold: the threshold that made the mask, in (0, 1).
        message: one sentence for the user.
        provenance: JSON-ready facts: model, sha256, threshold, region, device.
        uncertainty: (K, J, I) float16, standard deviation of the probability over the samples,
            same order; None unless samples were asked for.
        candidates: one mask (K, J, I) uint8 per sample, same order; each is made whole by itself.
        heat_map: (K, J, I) float16 in [0, 1], same order, where the system looked; None unless
            asked for.
    """

    prompt: Prompt
    outcome: Outcome
    mask: np.ndarray
    probability: np.ndarray | None
    seconds: float
    max_probability: float
    voxels: int
    volume_ml: float
    threshold: float
    message: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    uncertainty: np.ndarray | None = None
    candidates: Sequence[np.ndarray] = ()
    heat_map: np.ndarray | None = None

    @property
    def unusual(self) -> tuple[str, ...]:
        """Why a found structure is doubtful, in words; () when nothing speaks against it."""
        return tuple(self.provenance.get("unusual", ()))

    @property
    def shape(self) -> tuple[int, int, int]:
        """(K, J, I) of the image, without making an array whole."""
        return self.__dict__["mask"].shape

    def changed(self, **values: Any) -> Segmentation:
        """Return the answer with some fields changed.

        As `dataclasses.replace`, which would make every large array whole to keep it boxed again.
        """
        return Segmentation(**{**self.__dict__, **values})

    def slab(self, name: str, axis: int, number: int) -> np.ndarray | None:
        """Return one slice of a field's array, of length 1 along ``axis``, without the rest.

        Args:
            name: ``mask``, ``probability``, ``uncertainty`` or ``heat_map``.
            axis: of the array (0 K, 1 J, 2 I).
            number: the slice.
        """
        kept = self.__dict__[name]
        if isinstance(kept, Boxed | Layers):
            return kept.slab(axis, number)
        return None if kept is None else np.take(kept, [number], axis=axis)
