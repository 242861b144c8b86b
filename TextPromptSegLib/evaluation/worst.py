"""Worst cases in words: what went wrong in an answer, how often, and where it was worst."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .card import TEXT_ONLY

if TYPE_CHECKING:
    from .report import Report
    from .rows import CaseRow

GOOD = 0.8
"""Dice from which an answer needs no words."""
NEARLY_ALL = 0.85
"""Share of the reference, or of what was drawn, from which little is wrong with it."""
HARDLY = 0.1
"""Share up to which what was drawn lies elsewhere."""
KINDS = {
    "missed": '"not found" although it is there',
    "elsewhere": "drawn in another place",
    "small": "drawn too small",
    "large": "drawn too large",
    "both": "in part missed, in part drawn outside",
}


def kind_of(row: CaseRow) -> str | None:
    """Return which of `KINDS` a scored answer is; None for a good one."""
    if row.dice is None or row.dice >= GOOD:
        return None
    if row.tp + row.fp == 0:
        return "missed"
    covered, inside = _shares(row)
    if max(covered, inside) <= HARDLY:
        return "elsewhere"
    if inside >= NEARLY_ALL:
        return "small"
    return "large" if covered >= NEARLY_ALL else "both"


def in_words(row: CaseRow) -> str:
    """Return what is wrong with a scored answer, for example "covers 41 % of it"."""
    kind = kind_of(row)
    if kind is None:
        return "good"
    size = "" if row.reference_ml is None else f" ({row.reference_ml:.3g} ml)"
    if kind in ("missed", "elsewhere"):
        return KINDS[kind] + size
    covered, inside = (f"{100 * share:.0f} %" for share in _shares(row))
    outside = f"{100 - 100 * _shares(row)[1]:.0f} %"
    if kind == "small":
        return f"covers {covered} of it{size}, {inside} of what is drawn is right"
    if kind == "large":
        return f"{outside} of what is drawn lies outside{size}"
    return f"covers {covered} of it{size}, {outside} of what is drawn lies outside"


def worst_cases(report: Report, model: str, mode: str = TEXT_ONLY) -> str:
    """Return Markdown: how the answers below a Dice of 0.8 go wrong, the worst of each data set.

    Worst is what lies furthest below the median of its structure: what fails anyway is in the table
    of results. Unions ("kidneys") are left out, they repeat their parts.
    """
    rows = [r for r in report.rows if (r.model, r.mode) == (model, mode) and r.scored]
    unions = {(d.name, name) for d in report.datasets for name in d.unions}
    rows = [r for r in rows if (r.dataset, r.structure) not in unions]
    if not rows:
        return ""
    kinds = Counter(kind_of(row) for row in rows)
    shares = [f"{100 * kinds[kind] / len(rows):.0f} % {words}" for kind, words in KINDS.items()]
    lines = [
        f"### How answers go wrong ({report.split})",
        "",
        f"Of {len(rows)} structures that are there, {100 * kinds[None] / len(rows):.0f} % reach a "
        f"Dice of {GOOD:g}; {'; '.join(shares)}.",
        "",
        "In each data set the answer that lies furthest below the median of its structure (not "
        f"listed: sets in which every answer reaches {GOOD:g}):",
        "",
        "| data set | case | structure | usual | Dice | what happened |",
        "|---|---|---|---:|---:|---|",
    ]
    for info in report.datasets:
        here = [r for r in rows if r.dataset == info.name]
        if all(kind_of(r) is None for r in here):
            continue
        usual = {name: _median(r for r in here if r.structure == name) for name in _names(here)}
        row = min(here, key=lambda r: ((r.dice or 0.0) - usual[r.structure], r.case))
        lines.append(
            f"| `{row.dataset}` | {row.case} | {row.structure} | {usual[row.structure]:.2f} "
            f"| {row.dice or 0.0:.2f} | {in_words(row)} |"
        )
    return "\n".join(lines) + "\n"


def _names(rows: Iterable[CaseRow]) -> set[str]:
    return {row.structure for row in rows}


def _median(rows: Iterable[CaseRow]) -> float:
    """Return the median Dice."""
    return statistics.median(row.dice or 0.0 for row in rows)


def _shares(row: CaseRow) -> tuple[float, float]:
    """Return the share of the reference that is covered, and of the drawing that is inside."""
    return row.tp / max(1, row.tp + row.fn), row.tp / max(1, row.tp + row.fp)
