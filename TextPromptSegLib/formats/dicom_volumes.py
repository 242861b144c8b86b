"""Which slices of a series make up one volume: phases, echoes and acquisitions told apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from ..outcome import InputError
from .dicom_geometry import ACQUISITION_MARKS, Plane, heights_of
from .pixels import check_frame

_SAME_PLACE = 0.01  # mm
# Slices may be so much thicker than their distance before two acquisitions count as two volumes.
_THICKER = 1.5


def sort_frames(
    planes: list[Plane], frame: int | None, name: str, modality: str, notes: list[str]
) -> list[Plane]:
    """Return the slices of one volume, in the order of their place along the normal.

    Args:
        planes: slices of one direction; several volumes may lie at the same places, or between
            each other's slices.
        frame: which of these volumes, from 0.
        name: what the user calls the input.
        modality: of the series, as DICOM calls it.
        notes: gets a sentence when slices of several acquisitions were put together.

    Raises:
        InputError: when there are several volumes and none was chosen, or places are doubled.
    """
    volumes = _volumes(planes, 0, name, modality, notes)
    check_frame(len(volumes), frame, name, "phases, time points, echoes, acquisitions")
    chosen = volumes[frame or 0]
    return [chosen[index] for index in np.argsort(heights_of(chosen, planes[0]), kind="stable")]


def same_kind(planes: Iterable[Plane]) -> list[list[Plane]]:
    """Return the planes in groups of the same size, direction (within half a degree) and spacing.

    Args:
        planes: of one series.
    """
    groups: list[list[Plane]] = []
    for plane in planes:
        alike = next((group for group in groups if _is_alike(group[0], plane)), None)
        if alike is None:
            groups.append([plane])
        else:
            alike.append(plane)
    return groups


def _is_alike(one: Plane, other: Plane) -> bool:
    if one.size != other.size:
        return False
    if one.orientation is None or other.orientation is None:
        return one.orientation is other.orientation
    return bool(np.allclose(one.orientation, other.orientation, rtol=0.0, atol=0.01))


def _volumes(
    planes: list[Plane], first: int, name: str, modality: str, notes: list[str]
) -> list[list[Plane]]:
    """Split planes by the first mark whose groups get in each other's way, and so on."""
    count = len(planes[0].marks)
    for mark in range(first, count):
        groups: dict[tuple[float, str], list[Plane]] = defaultdict(list)
        for plane in planes:
            groups[plane.marks[mark]].append(plane)
        parts = [groups[key] for key in sorted(groups)]
        if len(parts) < 2 or min(map(len, parts)) < min(2, len(planes) // len(parts)):
            continue
        in_turns = _in_each_others_way(parts)
        if in_turns is None:
            continue
        if in_turns and mark >= count - ACQUISITION_MARKS and modality != "CT":
            notes.append(
                f"The slices were acquired in turns ({len(parts)} acquisitions); they are taken "
                "for one volume."
            )
            break
        return [v for part in parts for v in _volumes(part, mark + 1, name, modality, notes)]
    places = _by_place(planes)
    counts = {len(place) for place in places}
    if len(counts) > 1:
        raise InputError(
            f"The series in {name} holds some slices twice (several phases or scans); put the "
            "files of one of them into a folder of their own."
        )
    ordered = [sorted(place, key=lambda plane: plane.order) for place in places]
    return [[place[n] for place in ordered] for n in range(counts.pop())]


def _in_each_others_way(parts: list[list[Plane]]) -> bool | None:
    """Return None when groups of slices lie one after the other, else whether they lie in turns.

    In turns: no place is taken twice and the slices are no thicker than all of them are apart, so
    that together they can be one stack.
    """
    first = parts[0][0]
    heights = sorted((np.sort(heights_of(part, first)) for part in parts), key=lambda h: h[0])
    if all(h[0] > g[-1] + _SAME_PLACE for g, h in zip(heights, heights[1:], strict=False)):
        return None
    together = np.sort(np.concatenate(heights))
    steps = np.diff(together)
    if (steps <= _SAME_PLACE).any():
        return False
    if min(map(len, parts)) < 2:
        return None
    return max(plane.thickness for part in parts for plane in part) <= _THICKER * steps.mean()


def _by_place(planes: list[Plane]) -> list[list[Plane]]:
    heights = heights_of(planes, planes[0])
    places: list[list[Plane]] = []
    last = -np.inf
    for index in np.argsort(heights, kind="stable"):
        if heights[index] - last > _SAME_PLACE:
            places.append([])
            last = heights[index]
        places[-1].append(planes[index])
    return places
