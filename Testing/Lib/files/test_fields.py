"""Values against the types of a dataclass."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from TextPromptSegLib.files.fields import check_fields
from TextPromptSegLib.outcome import CheckpointError, InputError
from TextPromptSegLib.systems.registry import make_config
from TextPromptSegLib.training.recipe import Recipe

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Thing:
    name: str = ""
    count: int = 0
    share: float = 0.0
    flag: bool = False
    words: tuple[str, ...] = ()
    pair: tuple[float, float] = (0.0, 1.0)
    table: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    perhaps: Mapping[str, int] | None = None
    anything: Any = None


GOOD: list[dict[str, Any]] = [
    {},
    {"name": "x", "count": 3, "share": 1, "flag": True, "words": ["a"], "pair": [1, 2.5]},
    {"table": {"a": ["b"], "c": ()}, "perhaps": None, "anything": [{}]},
    {"perhaps": {"a": 1}, "unknown": object()},
]
BAD: list[dict[str, Any]] = [
    {"name": 5}, {"count": "3"}, {"count": 2.5}, {"count": True}, {"share": "x"},
    {"share": float("nan")}, {"share": 10**400}, {"count": 10**400}, {"flag": 1}, {"words": "abc"},
    {"words": [1]}, {"pair": [1]}, {"pair": [1, 2, 3]}, {"pair": ["a", "b"]}, {"table": []},
    {"table": {"a": "b"}}, {"perhaps": {"a": "b"}}, {"name": None},
]  # fmt: skip


def test_types_are_checked() -> None:
    for values in GOOD:
        check_fields(Thing, values)
    for values in BAD:
        with pytest.raises(ValueError, match=f"'{next(iter(values))}' cannot be"):
            check_fields(Thing, values)


def test_everything_that_ships_is_of_its_types() -> None:
    recipes = sorted((ROOT / "TextPromptSegLib").rglob("recipe*.json"))
    assert len(recipes) > 15
    for path in recipes:
        recipe = Recipe.read(path)
        if "systems" in path.parts:
            make_config(recipe.system, {"text_dim": 384, **recipe.config})
    for path in (ROOT / "Resources" / "Checkpoints").glob("*/config.json"):
        config = json.loads(path.read_text(encoding="utf-8"))
        make_config(config["system"], config["config"])


SMALL = {"name": "x", "system": "film-unet", "config": {}, "input": {}, "data": [{"name": "d"}]}


@pytest.mark.parametrize(
    "change",
    [
        {"data": 5}, {"data": [5]}, {"data": [{"name": 5}]}, {"data": [{}]}, {"data": [{"x": 1}]},
        {"input": 5}, {"input": {"size": "x"}}, {"input": {"size": 7}}, {"input": {"x": 1}},
        {"steps": "many"}, {"steps": []}, {"lr": None}, {"workers": {}}, {"schedule": []},
        {"planes": 3}, {"regions": {"a": 5}}, {"excluded": {"a": 5}}, {"excluded": [["a"]]},
        {"batch": {"slices": "x"}}, {"licence": []}, {"config": []}, {"name": {}}, {"seed": 1e99},
    ],
    ids=str,
)  # fmt: skip
def test_recipes_of_the_wrong_form_get_a_sentence(change: dict[str, Any]) -> None:
    Recipe.from_dict(SMALL)
    with pytest.raises(InputError):
        Recipe.from_dict({**SMALL, **change})


def test_a_recipe_file_that_is_meant_to_hurt_gets_a_sentence(tmp_path: Path) -> None:
    for content in (b"[" * 200_000, b"5", b"null", b"\xff\xfe", b"", b'{"name": ' + b"9" * 9999):
        (tmp_path / "r.json").write_bytes(content)
        with pytest.raises(InputError):
            Recipe.read(tmp_path / "r.json")


def test_a_configuration_of_the_wrong_types_gets_a_sentence() -> None:
    for values in ({"channels": 5}, {"channels": ["x"]}, {"text_dim": "x"}, {"nonsense": 1}):
        with pytest.raises(CheckpointError):
            make_config("film-unet", values)
