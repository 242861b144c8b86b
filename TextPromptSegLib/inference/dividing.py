"""A whole that is divided among its parts: each of its voxels goes to the likeliest part.

A network may know a whole well and its parts badly: where the hippocampus is, but not where its
anterior part ends. An entry of ``trained_prompts`` with ``divides: <whole>`` is answered by the
whole's probability where no other part of that whole is likelier.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from .piles import Pile

Group = tuple[str, ...]


def wholes_of(trained: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return part -> whole for the names of a checkpoint that divide one it knows."""
    pairs = {name: entry.get("divides") for name, entry in trained.items()}
    return {name: str(whole) for name, whole in pairs.items() if whole in trained}


def needed_for(groups: Iterable[Group], wholes: Mapping[str, str]) -> set[Group]:
    """Return what else the network is asked for, to answer some unions of names."""
    asked = {wholes[group[0]] for group in groups if len(group) == 1 and group[0] in wholes}
    return {(name,) for whole in asked for name in (whole, *_parts(whole, wholes))}


def divide(
    piles: Mapping[Group, Pile], wholes: Mapping[str, str], silent: Collection[Group]
) -> None:
    """Give each voxel of a whole to the likeliest of its parts, in place.

    Args:
        piles: union of names -> its probability; a whole and its parts where one was asked for.
        wholes: part -> whole.
        silent: what is not there as a whole; it stays as it is.
    """
    shares = {}
    for part, whole in wholes.items():
        if (part,) not in piles or (whole,) not in piles or (part,) in silent:
            continue
        others = [n for n in _parts(whole, wholes) if n != part and (n,) in piles]
        shares[part] = _share(
            piles[whole,],
            piles[part,],
            # of two that are as likely the first by name
            [piles[n,] for n in others if n < part],
            [piles[n,] for n in others if n > part],
        )
    for part, share in shares.items():  # after all: each share needs the others as they were
        piles[part,].take(share)


def _parts(whole: str, wholes: Mapping[str, str]) -> list[str]:
    return sorted(name for name, its in wholes.items() if its == whole)


def _share(
    whole: Pile, part: Pile, before: Iterable[Pile], after: Iterable[Pile]
) -> dict[int, tuple[int, int, np.ndarray]]:
    """Return the slices of the whole's probability where no other part is likelier.

    Args:
        whole: what is divided.
        part: whose share it is.
        before: parts that also have what is as likely.
        after: parts that have only what is likelier.
    """
    result = {}
    for number, (row, column, values) in whole.held().items():
        place = (number, row, column, values.shape)
        own = part.plane(*place)
        mine = own > 0
        for other in before:
            mine &= own > other.plane(*place)
        for other in after:
            mine &= own >= other.plane(*place)
        result[number] = (row, column, np.where(mine, values, np.float16(0)))
    return result
