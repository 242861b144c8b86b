"""Runs of a paper's rows: trained one seed after another, measured, and found again."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ...checkpoints.layout import CONFIG
from ...outcome import InputError
from ...systems.registry import folder_of, make_config, trainer_of
from ...training import train
from ...training.material import find_dataset
from ...training.recipe import Recipe
from ...training.rows import (
    ROW,
    Row,
    find_row,
    read_row,
    recipe_of_row,
    rows_of,
    run_folder,
    seeds_of,
    with_seeds,
    write_row,
)
from ...training.state_files import LAST
from ..asking import Ask
from ..modes import ways_with_boxes
from ..report import Report
from ..runner import evaluate
from ..ways import TITLES, measure_pixels, ways_of_asking
from .tables import Paper, PaperRow, Table, read_paper

REPORT, PATCHES = "report", "patches.csv"
Identity = tuple[str, str, Any]
"""(system, recipe's file, whole configuration): runs that are equal in it measure the same rows."""


# ---- training them ----


def train_rows(
    recipe: Recipe,
    row: str | None,
    seeds: int,
    data: Sequence[str | Path],
    out: str | Path | None = None,
    *,
    split: str | None = "test",
    resume: bool = False,
    limit: int | None = None,
    progress_bar: bool = True,
    device: str = "auto",
) -> list[Path]:
    """Train one row of a paper's table with several seeds, and measure every run.

    Writes ``OUT/ROW/seed_N/``: a run as `training.train` writes it, ``row.json`` (which row it is)
    and ``report/`` (see `evaluate`). The patch system trains all its rows and seeds as one study.

    Args:
        recipe: as the paper trains, or smaller.
        row: ``TABLE/ROW`` of the system's ablations.json; None = the recipe as it is.
        seeds: how many, counted from the recipe's own.
        data: folders below which the recipe's data sets lie.
        out: folder of all runs; default ``runs/<recipe's name>``.
        split: to measure on; None measures nothing.
        resume: leave finished runs as they are, go on with an interrupted one.
        limit: measure on at most that many cases a data set.
        progress_bar: of each training.
        device: of the measuring.

    Returns:
        The folders of the runs.

    Raises:
        InputError: for an unknown row, or data without cases in that split.
    """
    out = Path(out) if out is not None else Path("runs") / recipe.name
    numbers = seeds_of(recipe, seeds)
    if trainer_of(recipe.system):
        if row is not None:
            raise InputError(
                f"A training of '{recipe.system}' makes all rows of its tables; leave out --row."
            )
        train(with_seeds(recipe, numbers), data, out, resume=resume, progress_bar=progress_bar)
        return [out]
    chosen = None if row is None else find_row(recipe.system, row)
    roots = [Path(folder) for folder in data]
    sets = [find_dataset(entry.name, roots) for entry in recipe.data]
    if split is not None and not any(found.split(split) for found in sets):
        raise InputError(
            f'None of the recipe\'s data sets has cases in the split "{split}"; choose another one '
            "with --measure, or none."
        )
    chosen = chosen or Row(recipe.system, "", "as the recipe says", recipe.system, {})
    folders = []
    for seed in numbers:
        folder = run_folder(out, chosen, seed)
        folders.append(folder)
        plan = recipe_of_row(recipe, chosen, seed)
        checkpoint = folder / plan.name
        if not (resume and (checkpoint / CONFIG).is_file()):
            write_row(folder, chosen, seed)
            begun = resume and (folder / LAST).is_file()
            train(plan, data, folder, resume=begun, progress_bar=progress_bar)
        if split is not None and not (folder / REPORT / "report.json").is_file():
            evaluate(
                [str(checkpoint)],
                [found.path for found in sets],
                split,
                folder / REPORT,
                limit=limit,
                device=device,
                modes=ways_of_row(chosen),
                extras=[measure_pixels],
            )
    return folders


def ways_of_row(row: Row) -> dict[str, Ask]:
    """Return title -> way of asking for a run of a row, the paper's own way first."""
    try:
        paper = read_paper(row.paper)
    except InputError:  # a baseline or a system of one's own: by name
        return ways([])
    printed = paper.tables[row.table].rows.get(row.name) if row.table in paper.tables else None
    first = (printed.mode if printed else "") or paper.mode
    if printed is not None and printed.mode:
        return ways([first])
    return ways([first, *paper.modes])


def ways(names: Iterable[str]) -> dict[str, Ask]:
    """Return title -> way of asking, for words of ``--ask`` and ``--mode``."""
    found: dict[str, Ask] = {}
    for name in names:
        found.update(ways_of_asking([name]) if name in TITLES else ways_with_boxes([name]))
    return found or ways_of_asking([])


def title_of(mode: str) -> str:
    """Return the title that a way of asking has in a report."""
    return next(iter(ways([mode])))


# ---- finding them again ----


@dataclass(frozen=True)
class Run:
    """One trained and measured run.

    Attributes:
        folder: of the run.
        row: which row it is; None for a study of the patch system.
        seed: of weights and batches.
    """

    folder: Path
    row: Row | None
    seed: int

    @cached_property
    def reports(self) -> dict[str, Report]:
        """All reports in folders of the run, by their folders' names."""
        files = sorted(self.folder.glob("*/report.json"))
        return {file.parent.name: Report.read(file) for file in files}

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe it was trained from, as it was then."""
        return Recipe.read(self.folder / "recipe.json")

    @property
    def checkpoint(self) -> Path:
        """Its checkpoint folder."""
        return self.folder / self.recipe.name

    @cached_property
    def patches(self) -> list[dict[str, str]]:
        """Rows of a study's patches.csv."""
        with (self.folder / PATCHES).open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))


def find_runs(folders: Sequence[Path]) -> list[Run]:
    """Return every run at or below some folders.

    Raises:
        InputError: when there is none.
    """
    found: dict[Path, Run] = {}
    for folder in folders:
        for place in _places(folder):
            if (place / ROW).is_file():
                row, seed = read_row(place)
                found[place.resolve()] = Run(place, row, seed)
            elif (place / PATCHES).is_file():
                found[place.resolve()] = Run(place, None, 0)
    if not found:
        raise InputError(
            "There is no run of a paper's row below "
            f"{', '.join(str(folder) for folder in folders)}; make one by 'textpromptseg train "
            "RECIPE --row TABLE/ROW'."
        )
    return sorted(found.values(), key=lambda run: (run.folder.parent.name, run.seed))


def _places(folder: Path) -> Iterator[Path]:
    yield folder
    for name in (ROW, PATCHES):
        for file in sorted(folder.glob(f"**/{name}")):
            yield file.parent


def identity(paper: Paper, table: Table, row: Row) -> Identity:
    """Return what a row's runs have in common, from the recipe of its table."""
    file = folder_of(row.system) / table.recipe
    config = dict(Recipe.read(file).config) if table.recipe and file.is_file() else {}
    return row.system, table.recipe, make_config(row.system, {**config, **row.changes})


def runs_of(paper: Paper, table: Table, name: str, runs: Sequence[Run]) -> list[Run]:
    """Return the runs that measure one row of a table: its own, and those of an equal row.

    Of runs with one seed that were trained as long, one counts.
    """
    wanted = row_of(paper, table, name)
    if wanted is None:
        return []
    same = identity(paper, table, wanted)
    result: dict[tuple[int, int, int], Run] = {}
    for run in runs:
        if run.row is None or run.row.paper != paper.system:
            continue
        theirs = paper.tables.get(run.row.table)
        if theirs is not None and identity(paper, theirs, run.row) == same:
            result.setdefault((run.seed, run.recipe.steps, run.recipe.epochs), run)
    return list(result.values())


def row_of(paper: Paper, table: Table, name: str) -> Row | None:
    """Return what must be trained for a row of a table; None for others' networks."""
    printed: PaperRow = table.rows[name]
    title = next(t for t, known in paper.tables.items() if known == table)
    system = printed.system or paper.system
    rows: Mapping[str, Row] = rows_of(system)
    prefix = "" if system == paper.system else f"{paper.system}: "
    return rows.get(prefix + (printed.same_as or f"{title}/{name}"))
