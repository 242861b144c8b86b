"""The compact network as the worker's predictor, for test_preview_time.py."""

from __future__ import annotations

from dataclasses import replace

from bench_setup import stand_in

from TextPromptSegLib.inference.predictor import SlicePredictor


def load(model: str, device: str = "auto") -> SlicePredictor:
    """Return the untrained compact network that decodes every slice: the dearest case."""
    checkpoint = stand_in()
    config = {k: v for k, v in checkpoint.config.items() if k != "presence_threshold"}
    return SlicePredictor(replace(checkpoint, config=config), "cpu")
