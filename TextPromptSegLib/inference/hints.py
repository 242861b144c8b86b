"""Where the user says a structure is: a box, points and a mask in the patient, beside the text."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..outcome import InputError
from ..prompting.boxed import Boxed

INSIDE, OUTSIDE = 1, 0

Box = tuple[float, float, float, float, float, float]
Point = tuple[float, float, float, int]


@dataclass(frozen=True)
class Hints:
    """Geometric prompts of one structure, and how boxes are used; RAS, mm.

    Attributes:
        box: x0, x1, y0, y1, z0, z1 around the structure.
        points: (x, y, z, label), label 1 on the structure and 0 beside it.
        two_pass: find a box by the text first, then ask again with it.
        propagate: give each slice the box of what was found in the slice before.
        mask: (K, J, I) in the file's order, an earlier answer that is to be made better.
    """

    box: Box | None = None
    points: tuple[Point, ...] = ()
    two_pass: bool = False
    propagate: bool = False
    mask: Boxed | None = None

    def __post_init__(self) -> None:
        """Order the box and check the numbers.

        Raises:
            InputError: when they are not finite, too few, or a label is neither 0 nor 1; when the
                mask is empty.
        """
        if self.box is not None:
            if len(self.box) != 6 or not all(map(math.isfinite, self.box)):
                raise InputError("The box needs six finite numbers x0,x1,y0,y1,z0,z1 (RAS, mm).")
            pairs = [sorted(self.box[n : n + 2]) for n in (0, 2, 4)]
            object.__setattr__(self, "box", tuple(float(v) for pair in pairs for v in pair))
        object.__setattr__(self, "points", tuple(_point(p) for p in self.points or ()))
        if self.mask is not None:
            object.__setattr__(self, "mask", _mask(self.mask))

    @property
    def geometric(self) -> bool:
        """Whether there is a box, a point or a mask."""
        return self.box is not None or bool(self.points) or self.mask is not None

    @property
    def boxed(self) -> bool:
        """Whether the user drew a box."""
        return self.box is not None

    def __bool__(self) -> bool:
        """Whether anything was asked for."""
        return self.geometric or self.two_pass or self.propagate

    def needs(self) -> tuple[str, ...]:
        """Return what a system has to take for these: ``box``, ``points``, ``mask``."""
        asked = {
            "box": self.box is not None or self.two_pass or self.propagate,
            "points": bool(self.points),
            "mask": self.mask is not None,
        }
        return tuple(name for name, wanted in asked.items() if wanted)

    def to_dict(self) -> dict[str, Any]:
        """Return what was asked for, JSON-ready; of a mask how much and which it was."""
        values = self.numbers()
        if self.mask is not None:
            part, where = self.mask.values, repr((self.mask.shape, self.mask.start))
            known = hashlib.sha256(where.encode() + part.tobytes()).hexdigest()[:16]
            values["mask"] = {"voxels": int(np.count_nonzero(part)), "sha256": known}
        return values

    def options(self) -> dict[str, Any]:
        """Return what was asked for as keyword arguments of `SlicePredictor.segment`."""
        return {**self.numbers(), **({} if self.mask is None else {"mask": self.mask})}

    def numbers(self) -> dict[str, Any]:
        """Return what was asked for but the mask, JSON-ready."""
        values: dict[str, Any] = {}
        if self.box is not None:
            values["box"] = list(self.box)
        if self.points:
            values["points"] = [list(p) for p in self.points]
        values.update({k: True for k in ("two_pass", "propagate") if getattr(self, k)})
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Hints:
        """Make hints of what `options` returned."""
        box = values.get("box")
        return cls(
            box=None if box is None else tuple(box),
            points=tuple(tuple(p) for p in values.get("points") or ()),
            two_pass=bool(values.get("two_pass")),
            propagate=bool(values.get("propagate")),
            mask=values.get("mask"),
        )


def _point(values: Sequence[float]) -> Point:
    """Return a checked point; without a label it lies on the structure."""
    if len(values) not in (3, 4) or not all(math.isfinite(v) for v in values):
        raise InputError("A point needs three finite numbers x,y,z (RAS, mm), and a label.")
    label = int(values[3]) if len(values) == 4 else INSIDE
    if label not in (INSIDE, OUTSIDE):
        raise InputError("A point's label is 1 (on the structure) or 0 (beside it).")
    return (float(values[0]), float(values[1]), float(values[2]), label)


def _mask(mask: Any) -> Boxed:
    """Return a checked mask, 1 inside and kept for the box around it."""
    whole = mask if isinstance(mask, Boxed) else Boxed.of(np.asarray(mask))
    values = (whole.values != 0).astype(np.uint8)
    if not values.any():
        raise InputError("The mask to start from is empty; leave it out.")
    return Boxed(whole.shape, whole.start, values).trimmed()
