"""Values of a JSON file against the types that a dataclass declares."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Union, get_args, get_origin, get_type_hints


def check_fields(cls: type, values: Mapping[str, Any]) -> None:
    """Make sure that every value is of the type that its field declares.

    A list stands for a tuple and an integer for a float; numbers are finite.

    Args:
        cls: a dataclass.
        values: by the names of its fields; unknown names are somebody else's to refuse.

    Raises:
        ValueError: naming the first field whose value cannot be used.
    """
    hints = get_type_hints(cls)
    for field in fields(cls):
        if field.name in values and not _fits(values[field.name], hints[field.name]):
            raise ValueError(f"'{field.name}' cannot be {_shown(values[field.name])}")


def _fits(value: Any, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(_fits(value, option) for option in inner)
    if hint is type(None):
        return value is None
    if hint is float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and abs(value) < 1e300 and math.isfinite(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 62
    if origin in (tuple, list, Sequence):
        return _fits_sequence(value, inner, fixed=origin is tuple and inner[-1:] != (...,))
    if origin in (dict, Mapping):
        return isinstance(value, Mapping) and all(
            _fits(key, inner[0]) and _fits(item, inner[1]) for key, item in value.items()
        )
    kind = origin or hint
    return isinstance(value, kind) if isinstance(kind, type) else True


def _fits_sequence(value: Any, inner: tuple[Any, ...], fixed: bool) -> bool:
    if not isinstance(value, list | tuple):
        return False
    if fixed:
        return len(value) == len(inner) and all(map(_fits, value, inner))
    return all(_fits(item, inner[0]) for item in value)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
