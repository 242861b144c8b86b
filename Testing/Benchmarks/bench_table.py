"""Rows of the benchmarks' table: two figures of one run, their ratio, and when they were taken."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One comparison, both sides measured in the same run.

    Attributes:
        what: what was done; there is one row of a name.
        ours: what it cost here.
        against: what it is compared with: another program, a promise, or a smaller task.
        other: what that cost.
        unit: of both: "s", "MB", "cases/min", ...; empty for bare numbers.
        measured: local time, "2026-11-28 17:05".
        threads: that the network computed with.
    """

    what: str
    ours: float
    against: str
    other: float
    unit: str
    measured: str = ""
    threads: int = 0

    @property
    def ratio(self) -> float:
        """Return ours : other."""
        return self.ours / self.other


def now() -> str:
    """Return the local time as rows say it."""
    return datetime.now().strftime("%Y-%m-%d %H:%M")


def machine() -> str:
    """Return processor and cores of this machine, in words."""
    name = platform.processor() or platform.machine()
    facts = Path("/proc/cpuinfo")
    if facts.is_file():
        lines = facts.read_text(encoding="utf-8", errors="replace").splitlines()
        name = next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), name)
    return (
        f"{name}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    )


def as_markdown(rows: Sequence[Row]) -> str:
    """Return the table, in the order of the rows."""
    lines = ["| what | ours | other | | ratio |", "|---|---:|---:|---|---:|"]
    for row in rows:
        ours, other = (f"{value:.3g} {row.unit}".strip() for value in (row.ours, row.other))
        lines.append(f"| {row.what} | {ours} | {other} | {row.against} | {row.ratio:.2f} |")
    return "\n".join(lines)


def caption(rows: Sequence[Row]) -> str:
    """Return when, where and with how many threads the rows were measured."""
    times = sorted(row.measured for row in rows)
    threads = " or ".join(str(n) for n in sorted({row.threads for row in rows}))
    span = times[0] if times[0] == times[-1] else f"{times[0]} to {times[-1]}"
    return f"{span}; {machine()}; threads: {threads} (with one, seconds are the processor's)"


def kept(file: Path) -> list[Row]:
    """Return the rows that earlier runs left in a file; none where there is no file."""
    if not file.is_file():
        return []
    return [Row(**row) for row in json.loads(file.read_text(encoding="utf-8"))]


def keep(file: Path, row: Row) -> list[Row]:
    """Put a row into a file, in the place of an older one of its name; returns all rows.

    It is written at once: a run that is ended keeps what it has measured.
    """
    rows = kept(file)
    names = [old.what for old in rows]
    if row.what in names:
        rows[names.index(row.what)] = row
    else:
        rows.append(row)
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps([asdict(each) for each in rows], indent=1)
    file.write_text(text + "\n", encoding="utf-8", newline="\n")
    return rows
