"""Parts of the page: whether probabilities can be trusted, agreement over all pixels."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from ..metrics import Calibration
from .plots import INK, MUTED, figure_with_grid, png_address, run_colours

if TYPE_CHECKING:
    from .report import Report

TRUST = {
    "uncertainty_error": "uncertainty–error correlation",
    "diversity": "diversity",
    "best_candidate": "Dice of the best candidate",
    "ged2": "energy distance²",
}
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
    axes.grid(axis="y", color="#e3e8ee", linewidth=0.9)
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    for run, one in found.items():
        filled = one.counts > 0
        x = one.confidence[filled] / one.counts[filled]
        y = one.inside[filled] / one.counts[filled]
        axes.plot(x, y, color=colours[run], linewidth=1.6, marker="o", markersize=3.5)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel("probability", fontsize=9, color=MUTED)
    axes.set_ylabel("share inside the reference", fontsize=9, color=INK)
    return png_address(figure)


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
