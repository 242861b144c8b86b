"""Step plots and violins of a table's runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..plots import INK, MODEL_COLOURS, MUTED, draw_lane, png_bytes
from .measure import MeasuredTable

LEAST_RUNS = 2
WIDTH = 3.4  # inch a column


def draw_steps(measured: MeasuredTable, path: Path) -> Path | None:
    """Draw every run's value as a step, a line a row, a picture a column.

    Returns:
        The file, None where no row has two runs.
    """
    headings = _headings(measured)
    if not headings:
        return None
    figure, axes = _figure(len(headings), 2.7)
    for axis, heading in zip(axes, headings, strict=True):
        for number, row in enumerate(measured.table.rows):
            found = measured.cells.get((row, heading))
            if found is None or found.n < LEAST_RUNS:
                continue
            colour = MODEL_COLOURS[number % len(MODEL_COLOURS)]
            runs = range(1, found.n + 1)
            axis.step(runs, found.values, where="mid", color=colour, label=row, linewidth=1.6)
            axis.plot(runs, found.values, "o", color=colour, markersize=3)
        axis.set_xlabel("run", fontsize=8, color=MUTED)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set_title(heading, fontsize=9, color=INK)
    axes[0].legend(fontsize=7, frameon=False)
    return _save(figure, path)


def draw_violins(measured: MeasuredTable, path: Path) -> Path | None:
    """Draw the spread over the runs, a lane a row; below five runs only points and mean.

    Returns:
        The file, None where no row has two runs.
    """
    headings = _headings(measured)
    if not headings:
        return None
    rows = [
        row
        for row in measured.table.rows
        if any((row, h) in measured.cells and measured.cells[row, h].n > 1 for h in headings)
    ]
    figure, axes = _figure(len(headings), 0.7 + 0.42 * len(rows))
    for axis, heading in zip(axes, headings, strict=True):
        for y, row in enumerate(rows):
            found = measured.cells.get((row, heading))
            if found is None or found.n < LEAST_RUNS:
                continue
            number = list(measured.table.rows).index(row)
            draw_lane(axis, found.values, y, 0.36, MODEL_COLOURS[number % len(MODEL_COLOURS)])
        axis.set_yticks(range(len(rows)), rows if axis is axes[0] else [""] * len(rows), fontsize=8)
        axis.set_ylim(len(rows) - 0.45, -0.55)
        axis.set_title(heading, fontsize=9, color=INK)
    return _save(figure, path)


def _headings(measured: MeasuredTable) -> list[str]:
    """Return the columns in which a row has several runs."""
    return [
        heading
        for heading in measured.table.columns
        if any(h == heading and found.n >= LEAST_RUNS for (_, h), found in measured.cells.items())
    ]


def _figure(columns: int, height: float) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH * columns, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, columns, squeeze=False)[0]
    for axis in axes:
        axis.tick_params(length=0, labelsize=8, labelcolor=MUTED)
        axis.grid(alpha=0.35)
        for side in axis.spines.values():
            side.set_visible(False)
    return figure, axes


def _save(figure: Any, path: Path) -> Path:
    path.write_bytes(png_bytes(figure))
    return path
