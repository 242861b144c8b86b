"""Galleries of the report page: best, median and worst case of each structure, and false alarms."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from .previews import PREDICTION_RGB, REFERENCE_RGB, draw_preview

if TYPE_CHECKING:
    from .report import (
        Report,
    )
    from .rows import (
        CaseRow,
    )

OPEN_UP_TO = 6  # structures; more are folded away behind a line to click on
ALARMS_SHOWN = 12


def overlay_gallery(report: Report, dataset: str) -> str:
    """Return best, median and worst case of each structure as HTML; empty without pictures.

    The cases are chosen by the first model's Dice and shown for every model, so that the pictures
    of several models are of the same slices.
    """
    scored: dict[str, list[CaseRow]] = {}
    for row in report.rows:
        if row.dataset == dataset and row.scored:
            scored.setdefault(row.structure, []).append(row)
    blocks = []
    for structure, rows in scored.items():
        first = next(run for run in report.runs if any((r.model, r.mode) == run for r in rows))
        chosen = best_median_worst([r for r in rows if (r.model, r.mode) == first])
        lines = [_line(report, rows, run, chosen) for run in report.runs]
        if any(lines):
            blocks.append(f"<div><h4>{escape(structure)}</h4>{''.join(lines)}</div>")
    if not blocks:
        return ""
    unfolded = " open" if len(blocks) <= OPEN_UP_TO else ""
    return (
        f"<details{unfolded}><summary>Best, median and worst case of each structure</summary>"
        f'{_key(report)}<div class="overlays">{"".join(blocks)}</div></details>'
    )


def false_alarm_gallery(report: Report) -> str:
    """Return the largest false alarms of each model as HTML; empty without pictures."""
    figures = []
    for run in report.runs:
        rows = [r for r in report.rows if (r.model, r.mode) == run and r.false_alarm]
        rows.sort(key=lambda r: -r.max_probability)
        for row in rows[: max(3, ALARMS_SHOWN // len(report.runs))]:
            size = f"{row.fp} px" if row.predicted_ml is None else f"{row.predicted_ml:.1f} ml"
            words = (
                f"<b>“{escape(row.prompt)}”</b> {size}, p {row.max_probability:.2f}<br>"
                f"{escape(row.dataset)}, {escape(row.case)}"
            )
            if len(report.runs) > 1:
                words = f"{escape(row.model)}: {words}"
            figures.append(_figure(report, row, words))
    if not any(figures):
        return ""
    return (
        "<details open><summary>The surest false alarms</summary>"
        f'<div class="shots gallery">{"".join(figures)}</div></details>'
    )


def best_median_worst(rows: Sequence[CaseRow]) -> list[tuple[str, CaseRow]]:
    """Choose up to three rows by Dice: ("best", row), ("median", row), ("worst", row)."""
    ranked = sorted(rows, key=lambda r: (-(r.dice or 0.0), r.case))
    if len(ranked) < 3:
        return (
            list(zip(("best", "worst"), ranked, strict=False))
            if len(ranked) > 1
            else [("only case", r) for r in ranked]
        )
    return [("best", ranked[0]), ("median", ranked[len(ranked) // 2]), ("worst", ranked[-1])]


def _line(
    report: Report,
    rows: Sequence[CaseRow],
    run: tuple[str, str],
    chosen: Sequence[tuple[str, CaseRow]],
) -> str:
    figures = []
    for word, of_first in chosen:
        row = next((r for r in rows if (r.model, r.mode) == run and r.case == of_first.case), None)
        if row is None:
            continue
        lead = f"{escape(row.model)}: " if len(report.runs) > 1 else f"{word}: "
        note = f"<b>{lead}{row.dice or 0:.3f}</b><br>{escape(row.case)}"
        if len(report.runs) > 1:
            note += f" ({word})"
        figures.append(_figure(report, row, note))
    return f'<div class="shots">{"".join(figures)}</div>' if any(figures) else ""


def _figure(report: Report, row: CaseRow, caption: str) -> str:
    preview = report.previews.get((row.model, row.mode, row.dataset, row.case, row.structure))
    if preview is None:
        return ""
    if preview.note:
        caption += f", {escape(preview.note)}"
    alt = escape(f"{row.structure} in {row.case}", quote=True)
    return (
        f'<figure><div class="frame"><img loading="lazy" alt="{alt}" src="{draw_preview(preview)}">'
        f"</div><figcaption>{caption}</figcaption></figure>"
    )


def _key(report: Report) -> str:
    def swatch(rgb: tuple[int, int, int]) -> str:
        return f'<i style="background:rgb{rgb}"></i>'

    chosen = ""
    if len(report.runs) > 1:
        model, mode = report.runs[0]
        name = model if len({m for m, _ in report.runs}) > 1 else mode
        chosen = f"<span>cases chosen by the Dice of {escape(name)}</span>"
    return (
        f'<p class="key"><span>{swatch(REFERENCE_RGB)}reference (outline)</span>'
        f"<span>{swatch(PREDICTION_RGB)}model (filled)</span>"
        "<span>cut out around the structure, in the slice where the reference is largest</span>"
        f"{chosen}</p>"
    )
