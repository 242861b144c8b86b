"""Configurations of all systems: lists become tuples, a value without a name is refused."""

from __future__ import annotations

from dataclasses import asdict, fields
from importlib import import_module
from typing import Any

import pytest

from TextPromptSegLib.outcome import CheckpointError
from TextPromptSegLib.systems.registry import make_config, systems

CHOICES = [
    pytest.param(name, field, allowed, id=f"{name}-{field}")
    for name in systems()
    for field, allowed in getattr(
        import_module(f"TextPromptSegLib.systems.{name.replace('-', '_')}.config"), "CHOICES", {}
    ).items()
]


@pytest.mark.parametrize(("name", "field", "allowed"), CHOICES)
def test_a_value_without_a_name_is_refused(name: str, field: str, allowed: tuple[str, ...]) -> None:
    with pytest.raises(CheckpointError, match=f"{field} is {' or '.join(allowed)}, not 'magic'"):
        make_config(name, {field: "magic"})


@pytest.mark.parametrize("name", systems())
def test_lists_of_json_become_tuples(name: str) -> None:
    plain: Any = make_config(name, {})
    lists = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(plain).items()}
    assert make_config(name, lists) == plain
    assert hash(tuple(getattr(plain, f.name) for f in fields(plain) if f.name != "localiser"))
