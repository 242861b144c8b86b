"""From a report to a checkpoint: the `metrics` of its config.json and its model card's table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..outcome import InputError
from .elsewhere import ELSEWHERE
from .summary import kind_title

if TYPE_CHECKING:
    from ..metrics import Interval
    from .report import Report
    from .summary import OverallSummary, Stat, StructureSummary

TEXT_ONLY = "text only"
UNSEEN_WORDS = "same structure in unseen words"
"""Title of asking with synonyms and templates that no training saw."""


def metrics_block(report: Report, model: str, mode: str = TEXT_ONLY) -> dict[str, Any]:
    """Return the `metrics` of a checkpoint's config.json.

    Keys: split, evaluated (date), version, mode, nsd_tolerance, overall {kind of label: ...},
    datasets {name: {label_kind, label_quality, patients_known, cases, patients, dice, absent,
    structures {name: ...}}}. Dice and the like in [0, 1], four decimals; distances in the `unit`
    beside them; `..._ci95` is [low, high], or null where all cases are of one patient.

    Raises:
        InputError: when the report holds nothing of that model and mode.
    """
    _must_hold(report, model, mode)
    datasets = {}
    for summary in report.dataset_summaries:
        if (summary.model, summary.mode) != (model, mode):
            continue
        info = report.dataset(summary.dataset)
        datasets[info.name] = {
            "label_kind": info.label_kind,
            "label_quality": info.label_quality,
            "patients_known": info.patients_known,
            "cases": info.cases,
            "patients": info.patients,
            "failures": summary.failures,
            **_mean_dice(summary.dice, summary.structures),
            "absent": _absent(summary.absent, summary.false_positives, summary.fp_rate),
            "structures": {
                s.structure: _structure(s)
                for s in report.structures
                if (s.model, s.mode, s.dataset) == (model, mode, info.name)
            },
        }
    return {
        "split": report.split,
        "evaluated": report.created[:10],
        "version": report.version,
        "mode": mode,
        "nsd_tolerance": report.tolerance,
        "overall": {
            s.label_kind: {
                "datasets": s.datasets,
                **_mean_dice(s.dice, s.structures),
                "absent": _absent(s.absent, s.false_positives, s.fp_rate),
                "failures": s.failures,
            }
            for s in _overall(report, model, mode)
        },
        "datasets": datasets,
    }


def card_table(report: Report, model: str, mode: str = TEXT_ONLY) -> str:
    """Return the results as Markdown for the model card: expert labels first, the others apart.

    Raises:
        InputError: when the report holds nothing of that model and mode.
    """
    _must_hold(report, model, mode)
    lines = [
        f"Split `{report.split}`, {mode}, every slice of a volume; mean over cases with the 95 % "
        "interval from a bootstrap over patients. Pooled = Dice of the summed voxels. "
        f"NSD at {report.tolerance:g} mm (px where no spacing is known). False alarms = truly "
        'absent structures that were answered "found".',
    ]
    for overall in _overall(report, model, mode):
        kind = overall.label_kind
        lines += ["", f"### {kind_title(kind)}", "", _overall_line(overall), ""]
        unseen = [s for s in _overall(report, model, UNSEEN_WORDS) if s.label_kind == kind]
        if unseen and mode == TEXT_ONLY:
            lines += [f"The {UNSEEN_WORDS}: {_overall_line(unseen[0])}", ""]
        lines += [
            "| data set | structure | n | Dice [95 %] | median | pooled | IoU | HD95 | ASSD | NSD "
            "| false alarms |",
            "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
        ]
        notes: list[str] = []
        unknown: list[str] = []
        for info in (d for d in report.datasets if d.label_kind == kind):
            found = [
                s
                for s in report.structures
                if (s.model, s.mode, s.dataset) == (model, mode, info.name)
            ]
            lines += [_card_row(s, info.patients_known) for s in found if s.n or s.absent]
            unknown += [s.structure for s in found if s.unknown]
            if found and not info.patients_known:
                notes.append(info.name)
        if notes:
            names = ", ".join(f"`{n}`" for n in notes)
            lines += ["", f"\\* {names}: no patient ids, so a patient may be in two splits."]
        if unknown:
            lines += ["", f"Not a prompt of this model: {', '.join(dict.fromkeys(unknown))}."]
    invented = [r for r in report.rows if (r.model, r.mode) == (model, ELSEWHERE)]
    if invented and mode == TEXT_ONLY:
        wrong = sum(r.false_alarm for r in invented)
        share = f"{100 * wrong / len(invented):.1f} % ({wrong} of {len(invented)})"
        lines += ["", f'Asked for {ELSEWHERE}: {share} answered "found".']
    failed = [f for f in report.failures if f.model == model and f.mode in (mode, "")]
    if failed:
        lines += ["", f"Could not be evaluated, in no number above: {count(len(failed), 'case')}."]
    return "\n".join(lines) + "\n"


def count(number: int, thing: str) -> str:
    """Return "1 case", "2 cases"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _structure(s: StructureSummary) -> dict[str, Any]:
    block: dict[str, Any] = {"n": s.n, "patients": s.patients}
    if s.unknown:
        block["unknown_prompt"] = s.unknown
    if s.is_union:
        block["union"] = True
    if s.stats:
        for name, stat in s.stats.items():
            block[name] = _round(stat.mean)
        block["dice_sd"] = _round(s.stats["dice"].sd)
        block["dice_median"] = _round(s.stats["dice"].median)
        block["dice_ci95"] = _ends(s.stats["dice"])
        block["unit"] = s.unit
        block["found"] = _round(s.found)
        block["pooled_iou"] = _round(s.pooled_iou)
    if s.pooled_dice is not None:
        block["pooled_dice"] = _round(s.pooled_dice.value)
        block["pooled_dice_ci95"] = _ends(s.pooled_dice)
    if s.absent:
        block["absent"] = _absent(s.absent, s.false_positives, s.fp_rate)
    return block


def _mean_dice(dice: Interval | None, structures: int) -> dict[str, Any]:
    if dice is None:
        return {"dice": None, "dice_ci95": None, "structures_scored": 0}
    return {"dice": _round(dice.value), "dice_ci95": _ends(dice), "structures_scored": structures}


def _absent(pairs: int, found: int, rate: Interval | None) -> dict[str, Any]:
    return {
        "pairs": pairs,
        "false_positives": found,
        "false_positive_rate": None if rate is None else _round(rate.value),
        "ci95": None if rate is None else _ends(rate),
    }


def _overall(report: Report, model: str, mode: str) -> list[OverallSummary]:
    return [s for s in report.overall if (s.model, s.mode) == (model, mode)]


def _overall_line(s: OverallSummary) -> str:
    parts = []
    if s.dice is not None:
        parts.append(
            f"Mean Dice over {count(s.structures, 'structure')} of "
            f"{count(s.datasets, 'data set')}: "
            f"**{s.dice.value:.3f}**{_range(s.dice)}."
        )
    if s.fp_rate is not None:
        parts.append(
            f"False alarms: **{100 * s.fp_rate.value:.1f} %** "
            f"({s.false_positives} of {s.absent} absent pairs)."
        )
    if s.unknown:
        parts.append(f"No prompt of this model: {count(s.unknown, 'structure')}.")
    return " ".join(parts)


def _card_row(s: StructureSummary, patients_known: bool) -> str:
    alarms = f"{s.false_positives}/{s.absent}" if s.absent else "–"
    name = f"`{s.dataset}`" + ("" if patients_known else " \\*")
    if not s.stats or s.pooled_dice is None:
        return f"| {name} | {s.structure} | 0 | never present | – | – | – | – | – | – | {alarms} |"
    dice, st = s.stats["dice"], s.stats
    return (
        f"| {name} | {s.structure} | {s.n} | {dice.mean:.3f}{_range(dice)} | {dice.median:.3f} "
        f"| {s.pooled_dice.value:.3f} | {st['iou'].mean:.3f} | {st['hd95'].mean:.1f} {s.unit} "
        f"| {st['assd'].mean:.1f} {s.unit} | {st['nsd'].mean:.3f} | {alarms} |"
    )


def _range(stat: Stat | Interval) -> str:
    if stat.low is None or stat.high is None:
        return ""
    return f" [{stat.low:.3f}, {stat.high:.3f}]"


def _ends(stat: Stat | Interval) -> list[float | None] | None:
    return None if stat.low is None else [_round(stat.low), _round(stat.high)]


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _must_hold(report: Report, model: str, mode: str) -> None:
    if (model, mode) not in report.runs:
        held = ", ".join(sorted({m for m, _ in report.runs})) or "no model"
        raise InputError(f"The report holds nothing of {model} ({mode}); it holds {held}.")
