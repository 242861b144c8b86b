"""Rows of a paper's tables: which change of a recipe each is, and runs of several seeds.

A system's ``ablations.json`` holds ``table -> row -> changes of the recipe's config``. A network
that stands in another system's paper as a baseline calls its tables ``SYSTEM: TABLE``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..files.fields import check_fields
from ..files.text import read_json, write_json
from ..outcome import InputError
from ..systems.registry import folder_of
from .recipe import Recipe

ABLATIONS, ROW = "ablations.json", "row.json"
MOST_SEEDS = 1000


@dataclass(frozen=True)
class Row:
    """One row of one table.

    Attributes:
        paper: system whose paper it stands in.
        table: for example ``table 6``.
        name: for example ``+CBN``.
        system: the network that is trained.
        changes: of the recipe's ``config``.
    """

    paper: str
    table: str
    name: str
    system: str
    changes: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Return what a person names it by, see `find_row`."""
        other = "" if self.paper == self.system else f"{self.paper}: "
        return f"{other}{self.table}/{self.name}"

    @property
    def folder(self) -> str:
        """Return a name for the folder of its runs."""
        words = re.sub(r"\+", " plus ", f"{self.table} {self.name}".lower())
        return re.sub(r"[^a-z0-9.]+", "_", words).strip("_.")


def rows_of(system: str) -> dict[str, Row]:
    """Return ``"TABLE/ROW"`` -> row of everything that a system's ``ablations.json`` names."""
    file = folder_of(system) / ABLATIONS
    if not file.is_file():
        return {}
    found = {}
    for title, rows in read_json(file).items():
        paper, colon, table = title.rpartition(": ")
        for name, changes in rows.items():
            row = Row(paper if colon else system, table, name, system, changes)
            found[f"{title}/{name}"] = row
    return found


def find_row(system: str, text: str) -> Row:
    """Return the row that a person names as ``TABLE/ROW``, whatever the case of its letters.

    Raises:
        InputError: when the system has no such row.
    """
    rows = rows_of(system)
    for name, row in rows.items():
        if name.casefold() == text.strip().casefold():
            return row
    known = "; ".join(rows) or "none"
    raise InputError(f"'{text}' is no row of '{system}'; its rows are: {known}.")


def recipe_of_row(recipe: Recipe, row: Row, seed: int) -> Recipe:
    """Return the recipe of one run of a row."""
    config = {**recipe.config, **row.changes}
    title = f"{recipe.title or recipe.name} ({row.table}, {row.name}, seed {seed})"
    return replace(recipe, config=config, seed=seed, title=title)


def seeds_of(recipe: Recipe, count: int) -> list[int]:
    """Return that many seeds, the recipe's own first.

    Raises:
        InputError: for no seed, or an absurd number.
    """
    if not 1 <= count <= MOST_SEEDS:
        raise InputError(f"--seeds is 1 to {MOST_SEEDS}, not {count}.")
    return list(range(recipe.seed, recipe.seed + count))


def run_folder(out: Path, row: Row, seed: int) -> Path:
    """Return the folder of one run below the folder of all."""
    return out / row.folder / f"seed_{seed}"


def write_row(folder: Path, row: Row, seed: int) -> None:
    """Say in a run's folder which row it is."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / ROW, {**asdict(row), "seed": seed})


def read_row(folder: Path) -> tuple[Row, int]:
    """Return which row a run is, and its seed.

    Raises:
        InputError: when its ``row.json`` cannot be used.
    """
    try:
        values = dict(read_json(folder / ROW))
        seed = int(values.pop("seed"))
        check_fields(Row, values)
        return Row(**values), seed
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"'{folder.name}/{ROW}' does not say which row it is: {error}.") from error


def with_seeds(recipe: Recipe, seeds: Sequence[int]) -> Recipe:
    """Return a recipe whose own trainer makes one run a seed (`training.patch_run`)."""
    return replace(recipe, trainer={**recipe.trainer, "seeds": list(seeds)})
