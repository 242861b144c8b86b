"""Text-prompted segmentation of medical images; importing this package loads no heavy library."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .resources import VERSION as __version__

_PUBLIC = {
    "SlicePredictor": "inference.predictor",
    "Volume": "image.volume",
    "parse_prompts": "prompting.prompts",
    "Prompt": "prompting.prompt",
    "Vocabulary": "prompting.vocabulary",
    "Segmentation": "prompting.segmentation",
    "Outcome": "outcome",
    "TextPromptSegError": "outcome",
    "Cancelled": "outcome",
}

__all__ = [*_PUBLIC, "__version__"]

if TYPE_CHECKING:
    from .image.volume import Volume
    from .inference.predictor import SlicePredictor
    from .outcome import Cancelled, Outcome, TextPromptSegError
    from .prompting.prompt import Prompt
    from .prompting.prompts import parse_prompts
    from .prompting.segmentation import Segmentation
    from .prompting.vocabulary import Vocabulary


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that the panel opens before torch is there."""
    if name in _PUBLIC:
        return getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
