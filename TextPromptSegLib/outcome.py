"""What a run can end with: outcomes, the result of one prompt, and the errors a user can cause."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from .prompting.prompts import Prompt

Progress = Callable[[int, int, str], bool]
"""``progress(done, total, message) -> bool``; False cancels, and `Cancelled` is raised."""


class TextPromptSegError(Exception):
    """Something the user can put right; the text says what to do next."""


class InputError(TextPromptSegError):
    """An image, a folder, a region or a data set that cannot be used as it is."""


class PromptError(TextPromptSegError):
    """A prompt that cannot be understood."""


class CheckpointError(TextPromptSegError):
    """A checkpoint that is missing, damaged or of another system."""


class DeviceError(TextPromptSegError):
    """A device that is not there or has too little memory."""


class OutputError(TextPromptSegError):
    """A result that cannot be written where the user asked for it."""


class DependencyError(TextPromptSegError):
    """A Python package that has to be installed first."""


class Cancelled(Exception):
    """The user cancelled; nothing half-written is left behind."""


class Outcome(str, Enum):
    """The plain answer to one prompt."""

    FOUND = "found"
    BELOW_THRESHOLD = "below_threshold"
    NOT_FOUND = "not_found"
    UNKNOWN_PROMPT = "unknown_prompt"


@dataclass(frozen=True)
class Segmentation:
    """The answer to one prompt.

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
        candidates: one mask (K, J, I) uint8 per sample, same order.
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
    candidates: tuple[np.ndarray, ...] = ()
    heat_map: np.ndarray | None = None
