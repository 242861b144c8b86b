"""A report's files: JSON, two tables, and a page for people."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..files.text import write_text
from ..outcome import OutputError
from .page import render_page
from .report import Report
from .rows import CaseRow


def write_report(report: Report, folder: str | Path) -> list[Path]:
    """Write report.json, cases.csv, summary.csv and report.html, each whole or not at all.

    Returns:
        The four paths.

    Raises:
        OutputError: when the folder cannot be written.
    """
    folder = Path(folder)
    files = {
        "report.json": json.dumps(report.to_dict(), indent=1, allow_nan=False),
        "cases.csv": _csv(_case_record(r) for r in report.rows),
        "summary.csv": _csv(s.record() for s in report.structures),
        "report.html": render_page(report),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            write_text(folder / name, text)
    except (OSError, OutputError) as error:
        raise OutputError(
            f"The report cannot be written to {folder}; choose a folder that can be written."
        ) from error
    return [folder / name for name in files]


def _case_record(row: CaseRow) -> dict[str, Any]:
    record = {f.name: getattr(row, f.name) for f in fields(row) if f.name != "extra"}
    return {**record, **row.extra}


def _csv(records: Iterable[Mapping[str, Any]]) -> str:
    rows = list(records)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
    return text.getvalue()
