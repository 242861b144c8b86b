"""What a run can end with: outcomes, and the errors a user can cause."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

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
