"""A paper's tables beside the measured ones, as Markdown, CSV and pictures."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ...files.text import write_text
from ...outcome import OutputError
from .measure import MeasuredTable, missing_rows
from .plots import draw_steps, draw_violins
from .runs import Run
from .spread import Spread
from .tables import Paper

Maps = Callable[[Sequence[Run], Path], list[Path]]
"""(runs, folder) -> pictures of what parts of a network answer."""

HOW = (
    "Paper: as printed, mean ± standard deviation where it gives one; a dash where the text at "
    "hand does not give the number (tables lost in its extraction are not guessed). Here: mean ± "
    "standard deviation over the runs, their number in brackets. Interval: 95 %, of the mean over "
    "the runs, Student's t. W and p: Shapiro-Wilk, from three runs on."
)


def write_paper(
    paper: Paper,
    measured: Sequence[MeasuredTable],
    runs: Sequence[Run],
    out: Path,
    *,
    first_line: str = "",
    maps: Maps | None = None,
    patches: bool = True,
) -> list[Path]:
    """Write everything of a paper to a folder.

    Writes ``tables.md``, ``tables.csv`` (a line a cell), ``runs.csv`` (a line a cell and run),
    ``steps_TABLE.png`` and ``violins_TABLE.png`` of tables with several runs, a study's pictures of
    patches, and the maps of a figure.

    Args:
        paper: whose.
        measured: its tables.
        runs: that were measured.
        out: folder, made if it is not there.
        first_line: stands above everything, for example that a run proves the way only.
        maps: draws them, for papers that have such a figure.
        patches: copy a study's pictures of patches; they show the data.

    Returns:
        The files.

    Raises:
        OutputError: when the folder cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        pictures: dict[str, list[Path]] = {}
        for table in measured:
            slug = table.name.replace(" ", "_").lower()
            drawn = [
                draw_steps(table, out / f"steps_{slug}.png"),
                draw_violins(table, out / f"violins_{slug}.png"),
            ]
            pictures[table.name] = [path for path in drawn if path is not None]
        copied = _copy_patches(runs, out) if patches else []
        shown = maps(runs, out) if maps is not None and paper.maps else []
        text = markdown(paper, measured, first_line, pictures, copied, shown)
        files = {
            "tables.md": text,
            "tables.csv": _csv(_cells(measured)),
            "runs.csv": _csv(_values(measured)),
        }
        for name, content in files.items():
            write_text(out / name, content)
    except OSError as error:
        raise OutputError(
            f"The tables cannot be written to {out}; choose a folder that can be written."
        ) from error
    drawn_files = [path for paths in pictures.values() for path in paths]
    return [*(out / name for name in files), *drawn_files, *copied, *shown]


def markdown(
    paper: Paper,
    measured: Sequence[MeasuredTable],
    first_line: str = "",
    pictures: dict[str, list[Path]] | None = None,
    patches: Sequence[Path] = (),
    maps: Sequence[Path] = (),
) -> str:
    """Return all tables as Markdown."""
    lines = [*([first_line, ""] if first_line else []), f"# {paper.title}", "", paper.source, ""]
    lines += [HOW, ""]
    lines += [paper.note, ""] if paper.note else []
    for table in measured:
        lines += _table(table)
        for picture in (pictures or {}).get(table.name, ()):
            what = "Every run" if picture.name.startswith("steps") else "Spread over the runs"
            lines += [f"![{what}, {table.name}]({picture.name})", ""]
    if patches:
        lines += ["## Patches", "", "Patch, reconstruction, error, prediction, truth.", ""]
        lines += [line for path in patches for line in (f"![{path.stem}]({path.name})", "")]
    if maps:
        lines += [f"## {paper.maps[0].upper()}{paper.maps[1:]}", ""]
        lines += [line for path in maps for line in (f"![{path.stem}]({path.name})", "")]
    missing = missing_rows(paper, measured)
    if missing:
        lines += ["## Not run", "", "No run was given of: " + "; ".join(missing) + ".", ""]
    return "\n".join(lines)


def _table(measured: MeasuredTable) -> list[str]:
    table = measured.table
    page = "" if table.page is None else f", page {table.page}"
    lines = [f"## {measured.name[0].upper()}{measured.name[1:]}: {table.title}", ""]
    lines += [f"Paper: {table.where}{page}."]
    lines += [f"Here: {' '.join(measured.facts)}"] if measured.facts else ["Here: not run."]
    lines += [table.note] if table.note else []
    heads = [f"{heading}, {who}" for heading in table.columns for who in ("paper", "here")]
    lines += ["", "| | " + " | ".join(heads) + " |", "|---" + "|---:" * len(heads) + "|"]
    for row in table.rows:
        cells = []
        for heading in table.columns:
            cells += [printed_cell(measured, row, heading), measured_cell(measured, row, heading)]
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    notes = [f"{row}: {printed.note}" for row, printed in table.rows.items() if printed.note]
    lines += ["", *notes] if notes else []
    several = [(key, found) for key, found in measured.cells.items() if found.n > 1]
    if several:
        lines += ["", "| | | n | mean | sd | 95 % interval | paper's interval | W | p |"]
        lines += ["|---|---|---:|---:|---:|---|---|---:|---:|"]
        for (row, heading), found in several:
            digits = table.columns[heading].digits
            given = table.rows[row].interval.get(heading)
            lines.append(
                f"| {row} | {heading} | {found.n} | {found.mean:.{digits}f} | "
                f"{_number(found.sd, digits)} | {_pair(found.low, found.high, digits)} | "
                f"{_pair(*given, digits) if given else ''} | {_number(found.w, 3)} | "
                f"{_number(found.p, 3)} |"
            )
    return [*lines, ""]


def printed_cell(measured: MeasuredTable, row: str, heading: str) -> str:
    """Return a cell as the paper prints it, or a dash."""
    value = measured.table.rows[row].values.get(heading)
    if value is None:
        return "–"
    digits = measured.table.columns[heading].digits
    if isinstance(value, tuple | list):
        return f"{value[0]:.{digits}f} ± {value[1]:.{digits}f}"
    return f"{value:.{digits}f}"


def measured_cell(measured: MeasuredTable, row: str, heading: str) -> str:
    """Return what was measured for a cell, or nothing."""
    found = measured.cells.get((row, heading))
    if found is None:
        return ""
    digits = measured.table.columns[heading].digits
    more = "" if found.sd is None else f" ± {found.sd:.{digits}f}"
    return f"{found.mean:.{digits}f}{more} ({found.n})"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _pair(low: float | None, high: float | None, digits: int) -> str:
    return "" if low is None or high is None else f"{low:.{digits}f} to {high:.{digits}f}"


def _cells(measured: Sequence[MeasuredTable]) -> Iterable[Sequence[object]]:
    yield (
        *("table", "row", "column", "paper", "paper_sd", "n", "mean", "sd", "low", "high"),
        *("shapiro_w", "shapiro_p"),
    )
    for table in measured:
        for row, printed in table.table.rows.items():
            for heading in table.table.columns:
                value = printed.values.get(heading)
                given = value if isinstance(value, tuple | list) else (value, None)
                found = table.cells.get((row, heading))
                if value is None and found is None:
                    continue
                yield table.name, row, heading, *given, *_parts(found)


def _parts(found: Spread | None) -> Sequence[object]:
    if found is None:
        return [None] * 7
    return [found.n, found.mean, found.sd, found.low, found.high, found.w, found.p]


def _values(measured: Sequence[MeasuredTable]) -> Iterable[Sequence[object]]:
    yield "table", "row", "column", "run", "value"
    for table in measured:
        for (row, heading), found in table.cells.items():
            for number, value in enumerate(found.values, 1):
                yield table.name, row, heading, number, value


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow([f"{v:.6g}" if isinstance(v, float) else v for v in row])
    return text.getvalue()


def _copy_patches(runs: Sequence[Run], out: Path) -> list[Path]:
    """Copy the figures of a study's patches beside its tables."""
    copied = []
    for run in runs:
        if run.row is None:
            for picture in sorted(run.folder.glob("patches_*.png")):
                if picture.parent.resolve() != out.resolve():
                    shutil.copyfile(picture, out / picture.name)
                copied.append(out / picture.name)
    return copied
