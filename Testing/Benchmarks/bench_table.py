"""Rows of the benchmarks' table: two figures of one run, and their ratio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One comparison, both sides measured in the same run.

    Attributes:
        what: what was done.
        ours: what it cost here.
        against: what it is compared with: another program, a promise, or a smaller task.
        other: what that cost.
        unit: of both: "s", "MB", "cases/min", ...
    """

    what: str
    ours: float
    against: str
    other: float
    unit: str

    @property
    def ratio(self) -> float:
        """Return ours : other."""
        return self.ours / self.other


def as_markdown(rows: Sequence[Row]) -> str:
    """Return the table, in the order in which the rows were measured."""
    lines = ["| what | ours | other | | ratio |", "|---|---:|---:|---|---:|"]
    for row in rows:
        ours, other = (f"{value:.3g} {row.unit}" for value in (row.ours, row.other))
        lines.append(f"| {row.what} | {ours} | {other} | {row.against} | {row.ratio:.2f} |")
    return "\n".join(lines)
