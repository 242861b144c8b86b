"""Loads a checkpoint where PyTorch may be missing: torch is imported here and nowhere earlier."""

from __future__ import annotations

from typing import Any

from ..outcome import DependencyError


def load_predictor(model: str, device: str = "auto", remedy: str = "install it with pip") -> Any:
    """Load a checkpoint.

    Args:
        model: name in the catalogue, folder or hub id.
        device: "auto", "cpu", "cuda:N" or "mps".
        remedy: what the sentence about a missing package says to do.

    Raises:
        DependencyError: when PyTorch or another package is not installed.
    """
    try:
        from .predictor import SlicePredictor

        return SlicePredictor.from_pretrained(model, device=device)
    except ModuleNotFoundError as error:
        raise DependencyError(
            f"The Python package {error.name} is not installed; {remedy}."
        ) from error
