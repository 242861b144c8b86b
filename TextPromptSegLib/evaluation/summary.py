"""From rows to numbers: per structure, per data set, and overall with expert labels apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import mean, median, stdev
from typing import Any

from ..metrics import (
    Calibration,
    Interval,
    Overlap,
    mean_interval,
    mean_of_means_interval,
    pooled,
    pooled_interval,
    rate_interval,
)
from .rows import (
    MEASURES,
    Answers,
    CaseRow,
    DatasetInfo,
)


@dataclass(frozen=True)
class Stat:
    """Mean over cases, 95 % interval (None for one patient), standard deviation and median."""

    mean: float
    low: float | None
    high: float | None
    sd: float | None
    median: float


@dataclass(frozen=True)
class StructureSummary:
    """One structure of one data set as one model answers it.

    Attributes:
        n: present cases that were scored; patients: independent units among them.
        is_union: whether it is a union of other labels ("kidneys").
        unknown: cases in which the model does not know the prompt; in no mean and no rate.
        found: share of the scored cases that were answered "found".
        unit: of the distances; "mixed" when cases differ.
        stats: measure -> Stat (mean over cases, "macro"); empty when n is 0.
        pooled_dice: Dice of the summed voxel counts ("micro") of the present cases.
        pooled_iou, pooled_precision, pooled_recall: likewise.
        pooled_dice_all: the same with the false alarms of the absent cases counted in.
        absent: pairs of case and truly absent structure.
        false_positives: how many of them were answered "found".
        fp_rate: their share with its interval; None without absent pairs.
        fp_ml: mean volume of the false alarms, ml (None without a spacing or a false alarm).
        ece: expected calibration error over the voxels of all scored cases.
        extras: means of the further measures over the scored cases.
    """

    model: str
    mode: str
    dataset: str
    label_kind: str
    structure: str
    is_union: bool
    n: int
    patients: int
    unknown: int
    found: float | None
    unit: str
    stats: dict[str, Stat]
    pooled_dice: Interval | None
    pooled_iou: float | None
    pooled_precision: float | None
    pooled_recall: float | None
    pooled_dice_all: float | None
    absent: int
    false_positives: int
    fp_rate: Interval | None
    fp_ml: float | None
    ece: float | None = None
    extras: dict[str, float] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """Return the summary as one flat row of a table."""
        flat: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("model", "mode", "dataset", "label_kind", "structure", "is_union")
        }
        flat |= {"n": self.n, "patients": self.patients, "unknown": self.unknown}
        flat |= {"found": self.found, "unit": self.unit}
        for name in MEASURES:
            stat = self.stats.get(name)
            for part in ("mean", "low", "high", "sd", "median"):
                flat[f"{name}_{part}"] = getattr(stat, part, None)
        pool = self.pooled_dice
        flat |= {f"pooled_dice{k}": v for k, v in _parts(pool).items()}
        flat |= {
            name: getattr(self, name)
            for name in ("pooled_iou", "pooled_precision", "pooled_recall", "pooled_dice_all")
        }
        flat |= {"absent": self.absent, "false_positives": self.false_positives}
        flat |= {f"fp_rate{k}": v for k, v in _parts(self.fp_rate).items()}
        return {**flat, "fp_ml": self.fp_ml, "ece": self.ece, **self.extras}


@dataclass(frozen=True)
class DatasetSummary:
    """One data set as one model answers it.

    Attributes:
        dice: mean over structures (labels, not unions of labels) of the mean over cases.
        structures: how many are in that mean.
        unknown: structures whose prompt the model does not know.
        pairs: scored pairs of case and structure; absent, fp_rate: of the absent pairs.
        seconds: median wall time of a case, image and all prompts, s.
        failures: cases that could not be evaluated.
    """

    model: str
    mode: str
    dataset: str
    label_kind: str
    dice: Interval | None
    structures: int
    unknown: int
    pairs: int
    absent: int
    false_positives: int
    fp_rate: Interval | None
    seconds: float | None
    failures: int


@dataclass(frozen=True)
class OverallSummary:
    """All data sets of one kind of label as one model answers them; fields as `DatasetSummary`."""

    model: str
    mode: str
    label_kind: str
    datasets: int
    dice: Interval | None
    structures: int
    unknown: int
    pairs: int
    absent: int
    false_positives: int
    fp_rate: Interval | None
    failures: int


SYNTHETIC = "synthetic images"
"""Kind of every data set whose images are no scans, however good its labels."""


def label_kind(label_quality: str, synthetic: bool = False) -> str:
    """Sort a data set's own words on its labels into the kinds that are reported apart.

    Returns:
        "expert" (drawn or approved by experts), "mixed" (only partly), "semi-automatic",
        "automatic", "coarse" or "model output"; `SYNTHETIC` where the images are no scans.
    """
    if synthetic:
        return SYNTHETIC
    words = label_quality.lower()
    for kind, signs in (
        ("model output", ("model output", "network")),
        ("coarse", ("coarse",)),
        ("semi-automatic", ("semi-automatic", "human-machine")),
        ("automatic", ("automatic",)),
        ("mixed", ("student", "none")),
    ):
        if any(sign in words for sign in signs):
            return kind
    return "expert" if words.startswith(("expert", "manual")) else "mixed"


def kind_title(kind: str) -> str:
    """Return the heading over the numbers of one kind of label."""
    if kind == SYNTHETIC:
        return "Synthetic images (drawn by a program: no measure of real scans)"
    return "Expert labels" if kind == "expert" else f"Labels: {kind} (agreement, not accuracy)"


def kind_note(kind: str) -> str:
    """Return what must be said beside numbers of one kind of label, "" for expert ones."""
    if kind == SYNTHETIC:
        return "The images are synthetic: numbers on them say nothing of real scans."
    return "" if kind == "expert" else f"Labels are {kind}: agreement with them is not accuracy."


def summarise_structures(report: Answers) -> list[StructureSummary]:
    """Summarise every (model, mode, data set, structure) of a report, in the order of its rows."""
    found: dict[tuple[str, str, str, str], list[CaseRow]] = {}
    for row in report.rows:
        found.setdefault((row.model, row.mode, row.dataset, row.structure), []).append(row)
    order = {info.name: i for i, info in enumerate(report.datasets)}
    keys = sorted(found, key=lambda k: order[k[2]])
    calibration = report.calibration
    return [_structure(found[k], report.dataset(k[2]), calibration.get(k)) for k in keys]


def summarise_datasets(report: Answers) -> list[DatasetSummary]:
    """Summarise every (model, mode, data set) of a report."""
    summaries = []
    for model, mode in report.runs:
        for info in report.datasets:
            rows = [r for r in _of(report, model, mode) if r.dataset == info.name]
            if not rows:
                continue
            times = [
                t.image + t.segment
                for t in report.times
                if (t.model, t.mode, t.dataset) == (model, mode, info.name)
            ]
            summaries.append(
                DatasetSummary(
                    model=model,
                    mode=mode,
                    dataset=info.name,
                    label_kind=info.label_kind,
                    seconds=median(times) if times else None,
                    failures=_failures(report, model, mode, {info.name}),
                    **_totals(report, rows),
                )
            )
    return summaries


def summarise_overall(report: Answers) -> list[OverallSummary]:
    """Summarise every model and mode over all data sets of each kind of label, "expert" first."""
    kinds = sorted({d.label_kind for d in report.datasets}, key=lambda k: (k != "expert", k))
    summaries = []
    for kind in kinds:
        names = {d.name for d in report.datasets if d.label_kind == kind}
        for model, mode in report.runs:
            rows = [r for r in _of(report, model, mode) if r.dataset in names]
            if not rows:
                continue
            summaries.append(
                OverallSummary(
                    model=model,
                    mode=mode,
                    label_kind=kind,
                    datasets=len({r.dataset for r in rows}),
                    failures=_failures(report, model, mode, names),
                    **_totals(report, rows),
                )
            )
    return summaries


def absent_rate(rows: Iterable[CaseRow]) -> Interval | None:
    """Return the share of absent pairs that were answered "found"; None without absent pairs."""
    absent = [r for r in rows if r.absent]
    return rate_interval([r.false_alarm for r in absent], _units(absent)) if absent else None


def _structure(
    rows: Sequence[CaseRow], info: DatasetInfo, calibration: Calibration | None
) -> StructureSummary:
    scored, absent = [r for r in rows if r.scored], [r for r in rows if r.absent]
    units = _units(scored)
    counts = [Overlap(r.tp, r.fp, r.fn) for r in scored]
    pool = pooled(counts)
    volumes = [r.predicted_ml for r in absent if r.false_alarm and r.predicted_ml is not None]
    return StructureSummary(
        model=rows[0].model,
        mode=rows[0].mode,
        dataset=rows[0].dataset,
        label_kind=info.label_kind,
        structure=rows[0].structure,
        is_union=rows[0].structure in info.unions,
        n=len(scored),
        patients=len(set(units)),
        unknown=sum(r.outcome == "unknown_prompt" for r in rows),
        found=mean(r.outcome == "found" for r in scored) if scored else None,
        unit=rows[0].unit if len({r.unit for r in rows}) == 1 else "mixed",
        stats={name: _stat(scored, name, units) for name in MEASURES} if scored else {},
        pooled_dice=pooled_interval(counts, units) if scored else None,
        pooled_iou=pool.iou if scored else None,
        pooled_precision=pool.precision if scored else None,
        pooled_recall=pool.recall if scored else None,
        pooled_dice_all=_with_absent(counts, absent) if scored else None,
        absent=len(absent),
        false_positives=sum(r.false_alarm for r in absent),
        fp_rate=absent_rate(rows),
        fp_ml=mean(volumes) if volumes else None,
        ece=None if calibration is None else calibration.ece,
        extras={
            name: mean(r.extra[name] for r in scored if name in r.extra)
            for name in dict.fromkeys(name for r in scored for name in r.extra)
        },
    )


def _stat(rows: Sequence[CaseRow], name: str, units: Sequence[str]) -> Stat:
    values = [float(getattr(r, name)) for r in rows]
    found = mean_interval(values, units)
    sd = stdev(values) if len(values) > 1 else None
    return Stat(found.value, found.low, found.high, sd, median(values))


def _with_absent(counts: Sequence[Overlap], absent: Iterable[CaseRow]) -> float:
    return pooled([*counts, *(Overlap(r.tp, r.fp, r.fn) for r in absent)]).dice


def _totals(report: Answers, rows: Sequence[CaseRow]) -> dict[str, Any]:
    unions = {(d.name, union) for d in report.datasets for union in d.unions}
    labels = [r for r in rows if r.scored and (r.dataset, r.structure) not in unions]
    unknown = {(r.dataset, r.structure) for r in rows if r.outcome == "unknown_prompt"}
    absent = [r for r in rows if r.absent]
    strata = [(r.dataset, r.structure) for r in labels]
    dice = [float(r.dice or 0) for r in labels]
    return {
        "dice": mean_of_means_interval(dice, strata, _units(labels)) if labels else None,
        "structures": len(set(strata)),
        "unknown": len(unknown),
        "pairs": sum(r.scored for r in rows),
        "absent": len(absent),
        "false_positives": sum(r.false_alarm for r in absent),
        "fp_rate": absent_rate(rows),
    }


def _units(rows: Iterable[CaseRow]) -> list[str]:
    return [f"{r.dataset}/{r.group}" for r in rows]


def _of(report: Answers, model: str, mode: str) -> list[CaseRow]:
    return [r for r in report.rows if (r.model, r.mode) == (model, mode)]


def _failures(report: Answers, model: str, mode: str, datasets: set[str]) -> int:
    return sum(
        (f.model, f.mode) == (model, mode) and f.dataset in datasets for f in report.failures
    )


def _parts(interval: Interval | None) -> dict[str, float | None]:
    if interval is None:
        return {"": None, "_low": None, "_high": None}
    return {"": interval.value, "_low": interval.low, "_high": interval.high}
