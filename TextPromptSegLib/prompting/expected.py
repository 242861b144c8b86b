"""What is known of structures before any image is seen: size, height, and how they lie."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..outcome import InputError
from ..resources import resource_path

Relations = Mapping[str, tuple[str, ...]]
"""A structure, perhaps with its side, and those that a relation holds for."""


@dataclass(frozen=True)
class Size:
    """How large a whole structure may be, at any age; one side of a paired one.

    Attributes:
        least_ml, most_ml: volume.
        height_mm: most it measures along the body, None where it has no such limit.
        source: key of `Expected.sources`.
    """

    least_ml: float
    most_ml: float
    height_mm: float | None
    source: str


@dataclass(frozen=True)
class Expected:
    """The entry "expected" of ``Resources/Anatomy.json``.

    Attributes:
        sizes: by the name of the structure.
        above: the first one's centre lies above the others' centres.
        left_of: the first one's centre lies further to the patient's left.
        not_below: the first one does not reach further down than the others.
        sources: the literature that the sizes lean on.
    """

    sizes: Mapping[str, Size] = field(default_factory=dict)
    above: Relations = field(default_factory=dict)
    left_of: Relations = field(default_factory=dict)
    not_below: Relations = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Expected:
        """Read the entry of the file.

        Raises:
            KeyError, TypeError, ValueError: when it is incomplete or contradicts itself.
        """
        above, left_of, not_below = (
            {one: tuple(others) for one, others in values[key].items()} for key in RELATIONS
        )
        sizes = {name: _size(item) for name, item in values["size"].items()}
        made = cls(sizes, above, left_of, not_below, dict(values["sources"]))
        lost = {size.source for size in made.sizes.values()} - set(made.sources)
        if lost:
            raise ValueError(f"sizes without a source: {sorted(lost)}")
        return made


RELATIONS = ("above", "left_of", "not_below")


@functools.cache
def expected() -> Expected:
    """Return what the vocabulary that ships says; read once.

    Raises:
        InputError: when the file is damaged.
    """
    try:
        document = json.loads(resource_path("Anatomy.json").read_text(encoding="utf-8"))
        return Expected.read(document["expected"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"The vocabulary Anatomy.json is damaged ({error!r}).") from error


def _size(item: Mapping[str, Any]) -> Size:
    least, most = map(float, item["ml"])
    height = item.get("height_mm")
    if not 0 < least < most:
        raise ValueError(f"no range: {least} to {most} ml")
    return Size(least, most, None if height is None else float(height), str(item["source"]))
