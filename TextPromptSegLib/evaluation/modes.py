"""Ways of asking side by side: by text, by text and the reference's box, by that box alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..outcome import InputError, Segmentation
from .asking import Ask, ask_by_text

if TYPE_CHECKING:
    from ..data.datasets import Case

MODES = ("text", "text+box", "box")


def ask_with_boxes(
    predictor: Any, prompts: Sequence[str], case: Case, *, with_text: bool
) -> list[Segmentation]:
    """Ask with the box of the reference on every slice that holds the structure.

    These boxes say on which slices a structure is and how large it is there: the numbers tell how
    well a given box is filled, not how well a structure is found. A structure that is not there
    has no box; it is asked by text.
    """
    from ..outlined import segment_outlined

    drawn = case.label_arrays()
    known = {name: [drawn[m] for m in case.members(name) if m in drawn] for name in prompts}
    result = []
    for name in prompts:
        mask = np.logical_or.reduce(known[name]) if known[name] else None
        if mask is None or not mask.any():
            result += predictor.segment([name])
        else:
            result.append(segment_outlined(predictor, name, mask, with_text=with_text))
    return result


def ways_with_boxes(modes: Sequence[str]) -> dict[str, Ask]:
    """Return the ways of asking for some of `MODES`, by the names they have in a report.

    Raises:
        InputError: for an unknown mode.
    """
    ways: dict[str, tuple[str, Ask]] = {
        "text": ("text only", ask_by_text),
        "text+box": ("text + box", partial(ask_with_boxes, with_text=True)),
        "box": ("box only", partial(ask_with_boxes, with_text=False)),
    }
    for mode in modes:
        if mode not in ways:
            raise InputError(f"--mode {mode} must be one of {', '.join(MODES)}.")
    return dict(ways[mode] for mode in dict.fromkeys(modes))
