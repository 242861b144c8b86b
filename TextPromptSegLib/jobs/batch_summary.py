"""What became of a batch: one result per case, summary.csv and summary.json, the exit code."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..files.text import write_json, write_text
from ..outcome import Outcome

EXIT_DONE, EXIT_ERROR, EXIT_NOT_FOUND = 0, 2, 3
COLUMNS = (
    "case",
    "input",
    "status",
    "prompt",
    "name",
    "outcome",
    "unusual",
    "voxels",
    "volume_ml",
    "max_probability",
    "seconds",
    "output",
    "error",
    "taken_for",
    "series_number",
    "series_description",
    "series_uid",
)


@dataclass(frozen=True)
class CaseResult:
    """What became of one case.

    Attributes:
        id: the case.
        source: its image.
        status: "done", "resumed" (was done before) or "failed".
        prompts: entries of REPORT.json, one per prompt; empty when it failed.
        output: the segmentation file, relative to the output folder.
        error: the sentence, when it failed.
        seconds: wall time, s.
        image: what it was taken for and which DICOM series it is, as in a report's provenance.
    """

    id: str
    source: str
    status: str
    prompts: tuple[Mapping[str, Any], ...] = ()
    output: str = ""
    error: str = ""
    seconds: float = 0.0
    image: Mapping[str, Any] = field(default_factory=dict)

    @property
    def all_found(self) -> bool:
        """Whether the case is done and every prompt was found."""
        return self.status != "failed" and all(
            entry["outcome"] == Outcome.FOUND.value for entry in self.prompts
        )


@dataclass(frozen=True)
class BatchSummary:
    """What became of a batch; also in ``summary.csv`` and ``summary.json`` of the output folder."""

    cases: tuple[CaseResult, ...]
    output_dir: Path
    model: str
    total: int
    seconds: float

    def count(self, status: str) -> int:
        """Return how many cases ended as "done", "resumed" or "failed"."""
        return sum(case.status == status for case in self.cases)

    @property
    def exit_code(self) -> int:
        """0: every prompt found in every case; 2: no case succeeded; 3: anything in between."""
        if all(case.status == "failed" for case in self.cases):
            return EXIT_ERROR
        return EXIT_DONE if all(case.all_found for case in self.cases) else EXIT_NOT_FOUND

    def to_dict(self) -> dict[str, Any]:
        """Return the summary, JSON-ready."""
        return {
            "model": self.model,
            "total": self.total,
            "done": self.count("done"),
            "resumed": self.count("resumed"),
            "failed": self.count("failed"),
            "seconds": round(self.seconds, 3),
            "exit_code": self.exit_code if len(self.cases) == self.total else None,
            "cases": [
                {
                    "case": case.id,
                    "input": case.source,
                    "status": case.status,
                    "output": case.output,
                    "error": case.error,
                    "seconds": round(case.seconds, 3),
                    **case.image,
                    "prompts": [dict(entry) for entry in case.prompts],
                }
                for case in self.cases
            ],
        }

    def to_csv(self) -> str:
        """Return one row per case and prompt (one per failed case)."""
        stream = io.StringIO()
        writer = csv.DictWriter(stream, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for case in self.cases:
            row = {
                "case": case.id,
                "input": case.source,
                "status": case.status,
                "output": case.output,
                "error": case.error,
                "taken_for": case.image.get("taken_for", ""),
                **{f"series_{k}": v for k, v in dict(case.image.get("series") or {}).items()},
            }
            for entry in case.prompts or ({"seconds": round(case.seconds, 3)},):
                unusual = "; ".join(map(str, entry.get("unusual") or ()))
                writer.writerow({**entry, "unusual": unusual, **row})
        return stream.getvalue()

    def write(self) -> None:
        """Write summary.csv and summary.json."""
        write_text(self.output_dir / "summary.csv", self.to_csv())
        write_json(self.output_dir / "summary.json", self.to_dict())
