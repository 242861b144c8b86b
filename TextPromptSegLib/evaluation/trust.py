"""Parts of the page: whether probabilities can be trusted, agreement over all pixels."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from ..metrics import Calibration, calibration_counts
from .plots import (
    GRID,
    INK,
    MODEL_COLOURS,
    MUTED,
    figure_with_grid,
    png_address,
    png_bytes,
    run_colours,
    style_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .report import Report

TRUST = {
    "uncertainty_error": "uncertainty–error correlation",
    "diversity": "diversity",
    "best_candidate": "Dice of the best candidate",
    "ged2": "energy distance²",
}
FEWEST = 5
"""Answers with about one probability, below which their share says nothing."""
AGREEMENT = {
    "f1": "F1",
    "pixel_accuracy": "pixel accuracy",
    "kappa": "Cohen's kappa",
    "average_precision": "mAP",
}


def reliability(report: Report, dataset: str) -> str | None:
    """Draw share inside the reference against probability, pooled over the cases of a data set.

    Returns:
        The plot as a `data:` address (PNG), or None without probabilities.
    """
    colours = run_colours(report)
    found = calibration_of(report, dataset)
    if not found:
        return None
    figure, axes = figure_with_grid(4.2, 3.4)
    _prepare(axes, "probability", "share inside the reference")
    for run, one in found.items():
        _draw(axes, one, colours[run])
    return png_address(figure)


def card_plot(report: Report, model: str, mode: str) -> bytes | None:
    """Draw for a model card how far its probabilities can be believed, a line a modality.

    On the left the voxels, as in `reliability`. On the right whole answers: how often a structure
    that was asked for is there, against the highest probability in the image.

    Returns:
        A PNG file, or None without probabilities.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    modality = {d.name: d.modality or "any" for d in report.datasets}
    voxels: dict[str, Calibration] = {}
    for (a_model, a_mode, name, _), one in report.calibration.items():
        if (a_model, a_mode) == (model, mode):
            kind = modality[name]
            voxels[kind] = voxels[kind] + one if kind in voxels else one
    if not voxels:
        return None
    answers: dict[str, list[tuple[float, bool]]] = {}
    for row in report.rows:
        if (row.model, row.mode) == (model, mode) and (row.scored or row.absent):
            pair = row.max_probability, row.present
            answers.setdefault(modality[row.dataset], []).append(pair)
    figure = Figure(figsize=(7.6, 3.5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for axes in (left, right):
        style_axes(axes)
    _prepare(left, "probability of a voxel", "share inside the reference")
    _prepare(right, "highest probability of an answer", "share that is there")
    for colour, kind in zip(MODEL_COLOURS, sorted(voxels), strict=False):
        _draw(left, voxels[kind], colour, f"{kind}: ECE {voxels[kind].ece:.3f}")
        seen = answers.get(kind, [])
        if not all(there for _, there in seen):
            p, there = (np.asarray(values, dtype=float) for values in zip(*seen, strict=True))
            counts = calibration_counts(p, there)
            _draw(right, counts, colour, f"{kind}: {len(p)} answers", FEWEST)
    for axes in (left, right):
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8, frameon=False, loc="lower right")
    return png_bytes(figure)


def _prepare(axes: Axes, x: str, y: str) -> None:
    """Give axes from 0 to 1 the diagonal of perfect calibration and two titles."""
    axes.grid(axis="y", color=GRID, linewidth=0.9)
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel(x, fontsize=9, color=MUTED)
    axes.set_ylabel(y, fontsize=9, color=INK)


def _draw(
    axes: Axes, one: Calibration, colour: str, label: str | None = None, fewest: int = 1
) -> None:
    """Draw the bins that hold enough as a line."""
    filled = one.counts >= fewest
    x = one.confidence[filled] / one.counts[filled]
    y = one.inside[filled] / one.counts[filled]
    axes.plot(x, y, color=colour, linewidth=1.6, marker="o", markersize=3.5, label=label)


def calibration_of(report: Report, dataset: str) -> dict[tuple[str, str], Calibration]:
    """Return the calibration of every run, pooled over the structures of a data set."""
    result: dict[tuple[str, str], Calibration] = {}
    for (model, mode, name, _), one in report.calibration.items():
        if name == dataset:
            run = model, mode
            result[run] = result[run] + one if run in result else one
    return result


def trust_section(report: Report, dataset: str) -> str:
    """Return the reliability plot with its numbers as HTML, empty without probabilities."""
    plot = reliability(report, dataset)
    if plot is None:
        return ""
    lines = []
    for (model, mode), one in calibration_of(report, dataset).items():
        name = escape(model if len({m for _, m in report.runs}) == 1 else f"{model}, {mode}")
        values = [
            f"<b>{title}</b> {value:.3f}"
            for title, value in _means(report, dataset, model, mode, TRUST).items()
        ]
        lines.append(f"<li>{name}: {' · '.join([f'<b>ECE</b> {one.ece:.3f}', *values])}</li>")
    return (
        f'<h3>Can the probabilities be trusted?</h3><img class="plot small" alt="Reliability" '
        f'src="{plot}"><ul class="plain">{"".join(lines)}</ul>'
    )


def agreement_section(report: Report, dataset: str) -> str:
    """Return what `metrics.pixel_agreement` measured as HTML, empty where nothing asked for it."""
    lines = []
    for model, mode in report.runs:
        found = _means(report, dataset, model, mode, AGREEMENT)
        if found:
            values = " · ".join(f"<b>{escape(t)}</b> {value:.4f}" for t, value in found.items())
            lines.append(f"<li>{escape(f'{model}, {mode}')}: {values}</li>")
    if not lines:
        return ""
    return (
        "<h3>Agreement over all pixels</h3>"
        '<p class="sub">Means over the pairs of case and structure; background counts as well.</p>'
        f'<ul class="plain">{"".join(lines)}</ul>'
    )


def _means(
    report: Report, dataset: str, model: str, mode: str, titles: Mapping[str, str]
) -> dict[str, float]:
    """Return the means of the further measures over the cases."""
    rows = [
        r
        for r in report.rows
        if (r.model, r.mode, r.dataset) == (model, mode, dataset) and r.scored
    ]
    result = {}
    for key, title in titles.items():
        values = [r.extra[key] for r in rows if key in r.extra]
        if values:
            result[title] = sum(values) / len(values)
    return result
