"""What an evaluation found: rows, data sets, failures, and the files they are written to."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..files.text import read_json, write_text
from ..metrics import Calibration
from ..outcome import InputError, OutputError

if TYPE_CHECKING:
    from .previews import Preview
    from .summary import DatasetSummary, OverallSummary, StructureSummary

FORMAT = 1
MEASURES = ("dice", "iou", "precision", "recall", "hd", "hd95", "asd", "assd", "nsd")


@dataclass(frozen=True)
class CaseRow:
    """One question and its answer: one structure asked of one model in one case.

    Attributes:
        model, mode, dataset, case, structure: what was asked, and in which mode.
        prompt: the text that was typed.
        group: patient of the case as a number within the data set ("p3"), never the patient's id.
        present: whether the structure is in the reference; False: truly absent, never unknown.
        outcome: found, below_threshold, not_found or unknown_prompt.
        dice ... nsd: see `metrics.CaseMetrics`; None for absent pairs and unknown prompts.
        tp, fp, fn: voxel counts; of an absent pair fp is the whole mask.
        unit: of the distances, mm or px.
        reference_ml, predicted_ml: volumes; None for pictures and where the spacing is not known.
        max_probability: largest probability in the image, in [0, 1].
        seconds: time the model says it spent on this prompt.
        extra: further numbers that the caller asked for.
    """

    model: str
    mode: str
    dataset: str
    case: str
    structure: str
    prompt: str
    group: str
    present: bool
    outcome: str
    dice: float | None
    iou: float | None
    precision: float | None
    recall: float | None
    hd: float | None
    hd95: float | None
    asd: float | None
    assd: float | None
    nsd: float | None
    tp: int
    fp: int
    fn: int
    unit: str
    reference_ml: float | None
    predicted_ml: float | None
    max_probability: float
    seconds: float
    extra: Mapping[str, float] = field(default_factory=dict)

    @property
    def scored(self) -> bool:
        """Whether the pair counts in the means: present, and the model knows the prompt."""
        return self.present and self.outcome != "unknown_prompt"

    @property
    def absent(self) -> bool:
        """Whether the pair counts in the false-positive rate: absent, and the prompt is known."""
        return not self.present and self.outcome != "unknown_prompt"

    @property
    def false_alarm(self) -> bool:
        """Whether an absent structure was answered "found"."""
        return not self.present and self.outcome == "found"


@dataclass(frozen=True)
class DatasetInfo:
    """What must be said beside every number of a data set.

    Attributes:
        name, title, modality: as in its dataset.json.
        label_quality: the data set's own words.
        label_kind: "expert", "mixed", "semi-automatic", "automatic", "coarse", "model output".
        patients_known: False when cases carry no patient, so that a patient may be in two splits.
        cases, patients: number evaluated; patients counts a case without a patient as one.
        caution: the data set's own caution.
        unions: names made of other labels ("kidneys"); not counted again in means over structures.
    """

    name: str
    title: str
    modality: str
    label_quality: str
    label_kind: str
    patients_known: bool
    cases: int
    patients: int
    caution: str = ""
    unions: tuple[str, ...] = ()


@dataclass(frozen=True)
class CaseTime:
    """Wall time of one case, s: reading the image, `set_volume`, `segment` for all its prompts."""

    model: str
    mode: str
    dataset: str
    case: str
    slices: int
    prompts: int
    read: float
    image: float
    segment: float


@dataclass(frozen=True)
class Failure:
    """A case (or with an empty case name a model) that could not be evaluated, and why."""

    model: str
    mode: str
    dataset: str
    case: str
    reason: str


@dataclass
class Report:
    """All answers of one evaluation; the summaries are made from the rows when they are asked for.

    Attributes:
        split: "test", "val" or "train".
        created: UTC time, ISO 8601.
        tolerance: of the NSD, in the unit of each row.
        models: name -> facts of the checkpoint (title, weights_sha256, licence), in order.
        previews: (model, mode, dataset, case, structure) -> small picture; not in the JSON.
        calibration: (model, mode, dataset, structure) -> counts by probability over the cases.
    """

    split: str
    created: str
    version: str
    tolerance: float
    models: dict[str, dict[str, Any]]
    datasets: list[DatasetInfo]
    rows: list[CaseRow]
    times: list[CaseTime] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    previews: dict[tuple[str, str, str, str, str], Preview] = field(default_factory=dict)
    calibration: dict[tuple[str, str, str, str], Calibration] = field(default_factory=dict)

    def add_calibration(self, key: tuple[str, str, str, str], counts: Calibration) -> None:
        """Pool one more case."""
        known = self.calibration.get(key)
        self.calibration[key] = counts if known is None else known + counts

    @cached_property
    def structures(self) -> list[StructureSummary]:
        """One summary a model, mode, data set and structure."""
        from .summary import summarise_structures

        return summarise_structures(self)

    @cached_property
    def dataset_summaries(self) -> list[DatasetSummary]:
        """One summary a model, mode and data set."""
        from .summary import summarise_datasets

        return summarise_datasets(self)

    @cached_property
    def overall(self) -> list[OverallSummary]:
        """One summary a model, mode and kind of label: expert apart from the others."""
        from .summary import summarise_overall

        return summarise_overall(self)

    @property
    def runs(self) -> list[tuple[str, str]]:
        """The (model, mode) pairs that were asked, in order."""
        return list(dict.fromkeys((r.model, r.mode) for r in self.rows))

    def dataset(self, name: str) -> DatasetInfo:
        """Return what is known of a data set."""
        return next(d for d in self.datasets if d.name == name)

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

    def write(self, folder: str | Path) -> list[Path]:
        """Write report.json, cases.csv, summary.csv and report.html, each whole or not at all.

        Returns:
            The four paths.

        Raises:
            OutputError: when the folder cannot be written.
        """
        from .page import render_page

        folder = Path(folder)
        files = {
            "report.json": json.dumps(self.to_dict(), indent=1, allow_nan=False),
            "cases.csv": _csv(_case_record(r) for r in self.rows),
            "summary.csv": _csv(s.record() for s in self.structures),
            "report.html": render_page(self),
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


def _case_record(row: CaseRow) -> dict[str, Any]:
    record = {f.name: getattr(row, f.name) for f in fields(row) if f.name != "extra"}
    return {**record, **row.extra}


def _csv(records: Iterable[Mapping[str, Any]]) -> str:
    import io

    rows = list(records)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
    return text.getvalue()
