"""`textpromptseg paper`: a paper's tables beside the measured ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..files.checks import check_folder
from ..outcome import InputError
from .console import new_table, out, remark, say
from .exits import EXIT_DONE

if TYPE_CHECKING:
    from ..evaluation.papers.measure import MeasuredTable


def show_paper(
    name: str,
    folders: Sequence[Path],
    folder: Path | None,
    data: Sequence[Path],
    cost: bool,
    device: str,
) -> int:
    """Print every table of a paper with the runs' means, and write all of it to a folder.

    Raises:
        TextPromptSegError: for a name without a paper, or folders without a run.
    """
    from ..evaluation.papers.costs import cost_of_run
    from ..evaluation.papers.maps import draw_maps
    from ..evaluation.papers.measure import measure_tables, missing_rows
    from ..evaluation.papers.runs import find_runs
    from ..evaluation.papers.tables import read_paper
    from ..evaluation.papers.writing import write_paper

    paper = read_paper(name)
    for path in folders:
        if not path.is_dir():
            raise InputError(f"'{path}' is no folder; give folders that 'train --row' wrote.")
    runs = find_runs(folders) if folders else []
    if folder is not None:
        check_folder(folder, "--out")
    measured = measure_tables(paper, runs, cost_of_run(device) if cost else None)
    say(f"{paper.title}. {paper.source}", "bold")
    for table in measured:
        _show(table)
    missing = missing_rows(paper, measured)
    if missing:
        remark(f"no run of: {'; '.join(missing)}")
    if folder is not None:
        maps = partial(draw_maps, data=data) if data else None
        files = write_paper(paper, measured, runs, folder, maps=maps)
        say(f"wrote {', '.join(path.name for path in files)} to {folder}")
    return EXIT_DONE


def _show(measured: MeasuredTable) -> None:
    """Print one table: the paper's number and ours in every column."""
    from ..evaluation.papers.writing import measured_cell, printed_cell

    headings = tuple(measured.table.columns)
    say()
    say(f"{measured.name}: {measured.table.title}", "bold")
    for fact in measured.facts:
        say(f"  {fact}", "dim")
    columns = [f"{heading}, {who}" for heading in headings for who in ("paper", "here")]
    table = new_table("", *columns, right=columns)
    for row in measured.table.rows:
        cells = []
        for heading in headings:
            cells += [printed_cell(measured, row, heading), measured_cell(measured, row, heading)]
        table.add_row(row, *cells)
    out().print(table)
