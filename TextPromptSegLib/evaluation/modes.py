"""Ways of asking side by side: by text, and with boxes or points drawn from the reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..outcome import InputError
from ..prompting.segmentation import Segmentation
from .asking import Ask, ask_by_text

if TYPE_CHECKING:
    from ..data.datasets import Case

MODES = ("text", "text+box", "box", "text+point", "point", "text+3d-box")

Show = Callable[[Any, str, np.ndarray, "Case"], Segmentation]
"""(predictor, name, reference (K, J, I), case) -> the answer to what is shown of it."""


def ask_with_reference(
    predictor: Any, prompts: Sequence[str], case: Case, *, show: Show
) -> list[Segmentation]:
    """Ask with something drawn from the reference.

    It says where a structure is and how large it is there: the numbers tell how well a given box
    or point is answered, not how well a structure is found. A structure that is not there has
    nothing to show; it is asked by text.
    """
    drawn = case.label_arrays()
    known = {name: [drawn[m] for m in case.members(name) if m in drawn] for name in prompts}
    result = []
    for name in prompts:
        mask = np.logical_or.reduce(known[name]) if known[name] else None
        if mask is None or not mask.any():
            result += predictor.segment([name])
        else:
            result.append(show(predictor, name, mask, case))
    return result


def on_every_slice(what: str, with_text: bool) -> Show:
    """Show the box or the inner point of each slice that holds the structure.

    Args:
        what: ``box`` or ``point``.
        with_text: give the network the text too.
    """

    def show(predictor: Any, name: str, mask: np.ndarray, case: Case) -> Segmentation:
        from ..inference.outlined import segment_outlined

        return segment_outlined(predictor, name, mask, with_text=with_text, show=what)

    return show


def one_box(predictor: Any, name: str, mask: np.ndarray, case: Case) -> Segmentation:
    """Show one box around the whole structure, as a person draws it, beside the text."""
    from ..inference.outlined import box_around

    (answer,) = predictor.segment([name], box=box_around(mask, case.volume()))
    return answer


def ways_with_boxes(modes: Sequence[str]) -> dict[str, Ask]:
    """Return the ways of asking for some of `MODES`, by the names they have in a report.

    Raises:
        InputError: for an unknown mode.
    """
    shown = {
        "text+box": ("text + box", on_every_slice("box", True)),
        "box": ("box only", on_every_slice("box", False)),
        "text+point": ("text + point", on_every_slice("point", True)),
        "point": ("point only", on_every_slice("point", False)),
        "text+3d-box": ("text + one 3-D box", one_box),
    }
    ways: dict[str, tuple[str, Ask]] = {"text": ("text only", ask_by_text)}
    ways.update(
        {k: (title, partial(ask_with_reference, show=s)) for k, (title, s) in shown.items()}
    )
    for mode in modes:
        if mode not in ways:
            raise InputError(f"--mode {mode} must be one of {', '.join(MODES)}.")
    return dict(ways[mode] for mode in dict.fromkeys(modes))
