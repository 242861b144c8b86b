"""The measured number of each cell of a paper's table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from statistics import mean

from ..report import Report
from ..summary import StructureSummary
from .runs import REPORT, Run, row_of, runs_of, title_of
from .spread import Spread, spread_of
from .tables import Column, Paper, PaperRow, Table

POOLED = ("dice", "iou", "precision", "recall")
Cost = Callable[[Run], Mapping[str, float]]
"""What a run's network costs, by the names of `inference.cost.Cost.measures`."""


@dataclass
class MeasuredTable:
    """A table of a paper with what was measured here.

    Attributes:
        name: of the table.
        table: what the paper says.
        cells: (row, column) -> the runs' values, only where something was measured.
        runs: row -> its runs.
        facts: what it was measured on, a sentence each.
    """

    name: str
    table: Table
    cells: dict[tuple[str, str], Spread] = field(default_factory=dict)
    runs: dict[str, list[Run]] = field(default_factory=dict)
    facts: list[str] = field(default_factory=list)


def measure_tables(
    paper: Paper, runs: Sequence[Run], cost: Cost | None = None
) -> list[MeasuredTable]:
    """Return every table of a paper with the runs' values.

    Args:
        paper: whose tables.
        runs: of its rows; others are passed over.
        cost: for tables of complexity; None leaves them empty.
    """
    return [_measured(paper, name, table, runs, cost) for name, table in paper.tables.items()]


def _measured(
    paper: Paper, name: str, table: Table, runs: Sequence[Run], cost: Cost | None
) -> MeasuredTable:
    found = MeasuredTable(name, table)
    for row, printed in table.rows.items():
        if table.kind == "patches":
            studies = [run for run in runs if run.row is None]
            values = _of_studies(table, row, studies)
        else:
            studies = runs_of(paper, table, row, runs)
            values = {}
            for heading, column in table.columns.items():
                numbers = _of_runs(paper, table, printed, column, studies, cost)
                if numbers:
                    values[heading] = numbers
        if values:
            found.runs[row] = list(studies)
        for heading, numbers in values.items():
            scale = table.columns[heading].scale
            found.cells[row, heading] = spread_of([scale * number for number in numbers])
    found.facts = facts_of(paper, found)
    return found


def _of_runs(
    paper: Paper,
    table: Table,
    printed: PaperRow,
    column: Column,
    runs: Sequence[Run],
    cost: Cost | None,
) -> list[float]:
    """Return one number a run, of those that have it."""
    if table.kind == "cost":
        costs = [cost(run) for run in runs[:1]] if cost is not None else []
        return [found[column.measure] for found in costs if column.measure in found]
    mode = title_of(column.mode or printed.mode or paper.mode)
    numbers = [_of_run(paper, table, column, mode, run) for run in runs]
    return [number for number in numbers if number is not None]


def _of_run(paper: Paper, table: Table, column: Column, mode: str, run: Run) -> float | None:
    values = []
    for summary in summaries(table, run):
        if summary.mode != mode or not summary.n:
            continue
        if column.structures and summary.structure not in column.structures:
            continue
        if not column.structures and summary.is_union:
            continue
        number = value_of(summary, column.measure, paper.pooled)
        if number is not None:
            values.append(number)
    return mean(values) if values else None


def summaries(table: Table, run: Run) -> list[StructureSummary]:
    """Return what a run's reports say of a table's data sets."""
    return [
        summary
        for report in reports_of(table, run)
        for summary in report.structures
        if any(fnmatchcase(summary.dataset, pattern) for pattern in table.data or ("*",))
    ]


def reports_of(table: Table, run: Run) -> list[Report]:
    """Return the report of a run's own data, or all where a table names its data sets."""
    if table.data:
        return list(run.reports.values())
    return [run.reports[REPORT]] if REPORT in run.reports else []


def value_of(summary: StructureSummary, measure: str, pooled: bool) -> float | None:
    """Return one measure of one structure, over all cases at once or as their mean."""
    if pooled and measure in POOLED:
        if measure == "dice":
            return None if summary.pooled_dice is None else summary.pooled_dice.value
        number: float | None = getattr(summary, f"pooled_{measure}")
        return number
    if measure in summary.stats:
        return summary.stats[measure].mean
    return summary.extras.get(measure)


def _of_studies(table: Table, row: str, studies: Sequence[Run]) -> dict[str, list[float]]:
    """Return column -> one number a seed of the ratio that a row is."""
    by_seed: dict[tuple[int, str], list[Mapping[str, str]]] = defaultdict(list)
    for number, study in enumerate(studies):
        for line in study.patches:
            if float(line["ratio"]) == float(row):
                by_seed[number, line["seed"]].append(line)
    found = {}
    for heading, column in table.columns.items():
        numbers = [
            mean(float(line[column.measure]) for line in lines)
            for lines in by_seed.values()
            if column.measure in lines[0]
        ]
        if numbers:
            found[heading] = numbers
    return found


def facts_of(paper: Paper, measured: MeasuredTable) -> list[str]:
    """Return what the numbers of a table were measured on, a sentence each."""
    table, facts = measured.table, []
    runs = [run for found in measured.runs.values() for run in found]
    if table.kind == "patches":
        for study in dict.fromkeys(run.folder for run in runs):
            lines = next(run for run in runs if run.folder == study).patches
            sets = ", ".join(sorted({line["dataset"] for line in lines}))
            each = len(lines) // len({(line["ratio"], line["seed"]) for line in lines})
            facts.append(f"{each} patches of {sets}.")
        return facts
    if table.kind == "cost":
        return facts
    seen: dict[str, str] = {}
    for run in runs:
        for report in reports_of(table, run):
            for info in report.datasets:
                if any(fnmatchcase(info.name, pattern) for pattern in table.data or ("*",)):
                    seen[info.name] = (
                        f"{info.name}, split {report.split}: {info.cases} cases of {info.patients} "
                        f"patients (labels: {info.label_kind})."
                    )
    plans = [run.recipe for run in runs]
    lengths = [f"{p.epochs:,} epochs" if p.epochs else f"{p.steps:,} steps" for p in plans]
    if lengths:
        facts.append(f"Runs of {' or '.join(dict.fromkeys(lengths))}.")
    return [*facts, *seen.values()]


def missing_rows(paper: Paper, measured: Sequence[MeasuredTable]) -> list[str]:
    """Return what ``train --row`` takes for every row that can be trained here and was not."""
    missing = [
        row_of(paper, found.table, name)
        for found in measured
        if found.table.kind == "runs"
        for name in found.table.rows
        if name not in found.runs
    ]
    return list(dict.fromkeys(row.title for row in missing if row is not None))
