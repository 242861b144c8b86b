"""What the network of a run costs, for a paper's tables of complexity."""

from __future__ import annotations

from collections.abc import Mapping

from ...inference.cost import measure_cost
from ...inference.device import resolve_device
from ...inference.loaded_checkpoint import load
from .measure import Cost
from .runs import Run


def cost_of_run(device: str = "auto") -> Cost:
    """Return a function that measures a run's checkpoint once, however many tables ask."""
    known: dict[str, Mapping[str, float]] = {}

    def cost(run: Run) -> Mapping[str, float]:
        key = str(run.checkpoint)
        if key not in known:
            known[key] = measure_cost(load(key, resolve_device(device))).measures
        return known[key]

    return cost
