"""A report: all answers of an evaluation with their summaries, as JSON and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..files.text import read_json
from ..metrics import Calibration
from ..outcome import InputError
from .rows import Answers, CaseRow, CaseTime, DatasetInfo, Failure
from .summary import (
    DatasetSummary,
    OverallSummary,
    StructureSummary,
    summarise_datasets,
    summarise_overall,
    summarise_structures,
)

FORMAT = 1


@dataclass
class Report(Answers):
    """Answers with their summaries, made from the rows when they are asked for."""

    @cached_property
    def structures(self) -> list[StructureSummary]:
        """One summary a model, mode, data set and structure."""
        return summarise_structures(self)

    @cached_property
    def dataset_summaries(self) -> list[DatasetSummary]:
        """One summary a model, mode and data set."""
        return summarise_datasets(self)

    @cached_property
    def overall(self) -> list[OverallSummary]:
        """One summary a model, mode and kind of label: expert apart from the others."""
        return summarise_overall(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready values, summaries included."""
        return {
            "format": FORMAT,
            "split": self.split,
            "created": self.created,
            "version": self.version,
            "tolerance": self.tolerance,
            "models": self.models,
            "datasets": [asdict(d) for d in self.datasets],
            "overall": [asdict(s) for s in self.overall],
            "dataset_summaries": [asdict(s) for s in self.dataset_summaries],
            "structures": [asdict(s) for s in self.structures],
            "failures": [asdict(f) for f in self.failures],
            "times": [asdict(t) for t in self.times],
            "calibration": [
                [*key, *(np.round(a, 3).tolist() for a in (c.counts, c.confidence, c.inside))]
                for key, c in self.calibration.items()
            ],
            "rows": [asdict(r) for r in self.rows],
        }

    @classmethod
    def read(cls, path: str | Path) -> Report:
        """Read a report.json; the pictures are not in it.

        Raises:
            InputError: when the file is not a report of this format.
        """
        try:
            data = read_json(path)
            if data["format"] != FORMAT:
                raise ValueError("format")
            return cls(
                split=data["split"],
                created=data["created"],
                version=data["version"],
                tolerance=data["tolerance"],
                models=data["models"],
                datasets=[
                    DatasetInfo(**{**d, "unions": tuple(d["unions"])}) for d in data["datasets"]
                ],
                rows=[CaseRow(**r) for r in data["rows"]],
                times=[CaseTime(**t) for t in data["times"]],
                failures=[Failure(**f) for f in data["failures"]],
                calibration={
                    tuple(c[:4]): Calibration(*map(np.asarray, c[4:]))
                    for c in data.get("calibration", ())
                },
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{Path(path).name} is not a report of `evaluate`; give its report.json."
            ) from error


def merge_reports(reports: Sequence[Report]) -> Report:
    """Put several reports (one a model, say) side by side in one.

    Raises:
        InputError: when they are of different splits or tolerances, or the same question was asked
            twice.
    """
    first = reports[0]
    if any((r.split, r.tolerance) != (first.split, first.tolerance) for r in reports):
        raise InputError("Reports of different splits or tolerances cannot be put side by side.")
    rows = [row for r in reports for row in r.rows]
    keys = [(r.model, r.mode, r.dataset, r.case, r.structure) for r in rows]
    if len(set(keys)) != len(keys):
        raise InputError("The reports answer the same question twice; give each model only once.")
    largest: dict[str, DatasetInfo] = {}
    for info in (d for r in reports for d in r.datasets):
        if info.name not in largest or info.cases > largest[info.name].cases:
            largest[info.name] = info
    return Report(
        split=first.split,
        created=max(r.created for r in reports),
        version=first.version,
        tolerance=first.tolerance,
        models={name: facts for r in reports for name, facts in r.models.items()},
        datasets=list(largest.values()),
        rows=rows,
        times=[t for r in reports for t in r.times],
        failures=[f for r in reports for f in r.failures],
        previews={key: picture for r in reports for key, picture in r.previews.items()},
        calibration={key: counts for r in reports for key, counts in r.calibration.items()},
    )
