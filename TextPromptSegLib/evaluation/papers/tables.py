"""What a paper's tables say: ``paper.json`` of each system, typed from the paper.

``values`` holds a number, or mean and standard deviation; what the text at hand does not give
(tables that its extraction lost) is not there, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...files.fields import check_fields
from ...files.text import read_json
from ...outcome import InputError
from ...systems.registry import folder_of, systems

PAPER = "paper.json"
KINDS = ("runs", "patches", "cost")


@dataclass(frozen=True)
class Column:
    """One column of a table, and where its number is found here.

    Attributes:
        measure: of a report's summary, of its extras, of ``patches.csv``, or of a cost.
        structures: names it is a mean over; empty = every label.
        mode: way of asking; empty = the row's.
        scale: the paper prints so many times the measure, 100 for per cent.
        digits: after the point.
    """

    measure: str
    structures: tuple[str, ...] = ()
    mode: str = ""
    scale: float = 1.0
    digits: int = 4


@dataclass(frozen=True)
class PaperRow:
    """One row as the paper prints it.

    Attributes:
        values: column -> number, or (mean, standard deviation).
        interval: column -> the paper's own 95 % interval.
        system: the network, where it is another one than the paper's.
        same_as: ``TABLE/ROW`` of the paper's rows whose runs measure this one too.
        mode: way of asking, empty = the paper's.
        note: what must be said beside it.
    """

    values: Mapping[str, float | tuple[float, float]] = field(default_factory=dict)
    interval: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    system: str = ""
    same_as: str = ""
    mode: str = ""
    note: str = ""


@dataclass(frozen=True)
class Table:
    """One table, or a figure that is a table.

    Attributes:
        title: one line.
        where: section of the paper.
        page: page of the paper, None where the text at hand shows no pages.
        columns: heading -> column.
        rows: by name, in the paper's order.
        recipe: file in the system's folder that its runs are trained from.
        data: patterns of the data sets' names; empty = those of the recipe.
        kind: ``runs`` (reports), ``patches`` (a study's patches.csv) or ``cost``.
        note: what must be said beside it.
    """

    title: str
    where: str
    columns: Mapping[str, Column]
    rows: Mapping[str, PaperRow]
    page: int | None = None
    recipe: str = ""
    data: tuple[str, ...] = ()
    kind: str = "runs"
    note: str = ""


@dataclass(frozen=True)
class Paper:
    """A paper.

    Attributes:
        system: whose paper.
        title: of the paper.
        source: where it was published.
        pooled: its overlap is that of the summed pixels of all cases, not a mean over cases.
        mode: how its networks are asked: ``name``, ``own`` (report text) or a mode with boxes.
        modes: further ways in which every run is measured.
        tables: by name.
        maps: name of the figure with maps of the network's parts, if it has one.
        note: what must be said beside all of it.
    """

    system: str
    title: str
    source: str
    tables: Mapping[str, Table]
    pooled: bool = False
    mode: str = "name"
    modes: tuple[str, ...] = ()
    maps: str = ""
    note: str = ""


def read_paper(system: str) -> Paper:
    """Return the paper of a system.

    Raises:
        InputError: for a name without a paper, or a paper.json that cannot be used.
    """
    named = [name for name in systems() if (folder_of(name) / PAPER).is_file()]
    if system not in named:
        raise InputError(f"There is no paper of '{system}'; known are {', '.join(named)}.")
    values = read_json(folder_of(system) / PAPER)
    try:
        tables = {name: _table(table) for name, table in values["tables"].items()}
        rest = {key: value for key, value in values.items() if key != "tables"}
        paper: Paper = _made(Paper, {**rest, "system": system, "tables": tables})
        return paper
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"The {PAPER} of '{system}' cannot be used: {error}.") from error


def _table(values: Mapping[str, Any]) -> Table:
    columns = {
        heading: _made(Column, {"measure": column} if isinstance(column, str) else column)
        for heading, column in values["columns"].items()
    }
    rows = {name: _made(PaperRow, row) for name, row in values["rows"].items()}
    table: Table = _made(Table, {**values, "columns": columns, "rows": rows})
    if table.kind not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}")
    for name, row in rows.items():
        if unknown := sorted({*row.values, *row.interval} - set(columns)):
            raise ValueError(f"row '{name}' has no column '{unknown[0]}'")
    return table


def _made(cls: Any, values: Mapping[str, Any]) -> Any:
    check_fields(cls, values)
    return cls(**values)
