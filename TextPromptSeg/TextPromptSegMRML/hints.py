"""Markups that point at a structure: a box and points beside the text, in the world."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .roi import region_of

if TYPE_CHECKING:
    from TextPromptSegLib.inference.hints import Hints

_BESIDE = re.compile(r"^\s*[-\N{MINUS SIGN}]|\b(outside|negative|background|not)\b", re.IGNORECASE)

SCRIBBLE_MM, MOST_OF_SCRIBBLE = 5.0, 16
"""Distance of the points that a scribble becomes, and how many at most."""


@dataclass(frozen=True)
class HintNodes:
    """What the user chose in the scene; it is read when a run starts.

    Attributes:
        box: markups ROI node around the structure, or x0, x1, y0, y1, z0, z1 in RAS mm.
        points: markups point list or curve (a scribble) on the structure, or (x, y, z) or
            (x, y, z, label) in RAS mm.
            Points of a list that are labelled "-...", "outside", "negative", "background" or
            "not ..." (in name or description) lie beside the structure.
        outside: a second list, whose points all lie beside the structure.
        two_pass: find a box by the text first, then ask again with it.
        propagate: give each slice the box of what was found in the slice before.
        mask: (K, J, I) on the voxels of the image, to start from.
    """

    box: Any = None
    points: Any = None
    outside: Any = None
    two_pass: bool = False
    propagate: bool = False
    mask: Any = None

    def read(self) -> Hints:
        """Return the numbers, in the world.

        Raises:
            InputError: when a node is of another kind, or holds no box or no point.
        """
        from TextPromptSegLib.inference.hints import INSIDE, OUTSIDE, Hints

        region = region_of(self.box)
        points = _points(self.points, INSIDE)
        points += [(*p[:3], OUTSIDE) for p in _points(self.outside, OUTSIDE)]
        return Hints(
            box=None if region is None else region.box,
            points=tuple(points),
            two_pass=self.two_pass,
            propagate=self.propagate,
            mask=self.mask,
        )

    def options(self) -> dict[str, Any]:
        """Return what was asked for, as keyword arguments of `segment`; {} for text alone."""
        return self.read().options()


def _points(source: Any, label: int) -> list[tuple[Any, ...]]:
    """Return (x, y, z, label) of a point list node or of a sequence; [] for None."""
    from TextPromptSegLib.outcome import InputError

    if source is None:
        return []
    if hasattr(source, "IsA"):
        return _points_of_node(source)
    if not isinstance(source, Sequence) or isinstance(source, str):
        raise InputError("Points are a markups point list or a list of (x, y, z) in RAS mm.")
    return [(*point, label) if len(point) == 3 else tuple(point) for point in source]


def _points_of_node(node: Any) -> list[tuple[float, float, float, int]]:
    from TextPromptSegLib.inference.hints import INSIDE, OUTSIDE
    from TextPromptSegLib.outcome import InputError

    if node.IsA("vtkMRMLMarkupsCurveNode"):
        return _points_of_scribble(node)
    if not node.IsA("vtkMRMLMarkupsFiducialNode"):
        raise InputError(f"'{node.GetName()}' is no point list; choose a markups point list.")
    found = []
    for index in range(node.GetNumberOfControlPoints()):
        if node.GetNthControlPointPositionStatus(index) != node.PositionDefined:
            continue
        position = [0.0, 0.0, 0.0]
        node.GetNthControlPointPositionWorld(index, position)
        words = (node.GetNthControlPointLabel(index), node.GetNthControlPointDescription(index))
        beside = any(_BESIDE.search(word or "") for word in words)
        x, y, z = position
        found.append((x, y, z, OUTSIDE if beside else INSIDE))
    if not found:
        raise InputError(f"The point list '{node.GetName()}' is empty; place a point first.")
    return found


def _points_of_scribble(node: Any) -> list[tuple[float, float, float, int]]:
    """Return points along a curve, evenly spaced and not too many; one for a single click."""
    import numpy as np
    from vtk.util.numpy_support import vtk_to_numpy

    from TextPromptSegLib.inference.hints import INSIDE
    from TextPromptSegLib.outcome import InputError

    line = node.GetCurvePointsWorld()
    if line is None or line.GetNumberOfPoints() == 0:
        line = line if node.GetNumberOfControlPoints() == 0 else _control_points(node)
    if line is None or line.GetNumberOfPoints() == 0:
        raise InputError(f"The scribble '{node.GetName()}' is empty; draw a line first.")
    places = vtk_to_numpy(line.GetData()).reshape(-1, 3).astype(float)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(places, axis=0), axis=1))])
    count = int(np.clip(round(along[-1] / SCRIBBLE_MM) + 1, 1, MOST_OF_SCRIBBLE))
    wanted = np.linspace(0.0, along[-1], count)
    columns = [np.interp(wanted, along, places[:, axis]) for axis in range(3)]
    return [(float(x), float(y), float(z), INSIDE) for x, y, z in zip(*columns, strict=True)]


def _control_points(node: Any) -> Any:
    import vtk

    points = vtk.vtkPoints()
    node.GetControlPointPositionsWorld(points)
    return points
