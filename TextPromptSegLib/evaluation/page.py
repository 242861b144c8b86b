"""The report as one HTML page: pictures inline, no script, nothing loaded from elsewhere."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from .card import count
from .overlays import false_alarm_gallery, overlay_gallery
from .plots import false_alarms, run_colours, violins
from .style import CSS
from .summary import kind_note, kind_title
from .trust import agreement_section, trust_section

if TYPE_CHECKING:
    from ..metrics import Interval
    from .report import (
        Report,
    )
    from .rows import (
        DatasetInfo,
    )
    from .summary import DatasetSummary, OverallSummary, Stat, StructureSummary

Run = tuple[str, str]

TARGET_FP = 0.05
COLUMNS = 15  # of the table of structures


def render_page(report: Report) -> str:
    """Return the whole page as HTML text.

    It shows case ids but no patient ids, folders or other data of a case.
    """
    names = list(dict.fromkeys(m for m, _ in report.runs))
    title = "Evaluation of " + (", ".join(names) if names else "no model")
    cases = sum(d.cases for d in report.datasets)
    asked = len({(r.dataset, r.case, r.structure) for r in report.rows})
    facts = (
        f"Split “{report.split}” · {count(len(report.datasets), 'data set')} · "
        f"{count(cases, 'case')} · {asked} questions a model · "
        f"{report.created[:10]} · TextPromptSeg {report.version}"
    )
    shown = [d for d in report.datasets if any(r.dataset == d.name for r in report.rows)]
    links = "".join(f'<a href="#{_anchor(d.name)}">{escape(d.name)}</a>' for d in shown)
    body = [
        _overview(report),
        _alarms(report),
        *(_dataset(report, d) for d in shown),
        _failures(report),
        _definitions(report),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # The page cannot call anywhere, whatever a data set's name may contain.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{CSS}</style></head><body>"
        f"<header><div><h1>{escape(title)}</h1><p>{escape(facts)}</p><nav>{links}</nav></div></header>"
        f"<main>{''.join(body)}</main></body></html>\n"
    )


def _overview(report: Report) -> str:
    colours = run_colours(report)
    rows = []
    kind = ""
    for s in report.overall:
        if s.label_kind != kind:
            kind = s.label_kind
            rows.append(f'<tr class="kind"><td colspan="6">{escape(kind_title(kind))}</td></tr>')
        rows.append(
            f"<tr><td>{_run_name(report, (s.model, s.mode))}</td><td>{s.datasets}</td>"
            f"<td>{s.structures}{_unknown(s.unknown)}</td>"
            f'<td class="left">{_dice(s.dice, colours[s.model, s.mode])}</td>'
            f"<td>{_rate(s)}</td><td>{s.failures or '–'}</td></tr>"
        )
    licences = "".join(
        f'<p class="note plain">{escape(name)}: {escape(str(facts["licence"]))}</p>'
        for name, facts in report.models.items()
        if facts.get("licence")
    )
    return (
        "<section><h2>At a glance</h2>"
        f'<p class="sub">{_how_asked(report)} Dice is the mean over structures of the mean over '
        "cases; brackets are 95 % intervals. Only expert labels measure accuracy; the others "
        "measure agreement with a program or a coarse drawing and are kept apart.</p>"
        f'{licences}<div class="scroll"><table><thead><tr><th>Model</th><th>Data sets</th>'
        '<th>Structures</th><th class="left">Dice</th><th>False alarms</th><th>Failed cases</th>'
        "</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>{_matrix(report)}</section>"
    )


def _matrix(report: Report) -> str:
    """One line a data set, a column a model: the models side by side."""
    heads = "".join(f'<th colspan="3">{_run_name(report, run)}</th>' for run in report.runs)
    under = "<th>Dice</th><th>False alarms</th><th>s / case</th>" * len(report.runs)
    lines = []
    for info in report.datasets:
        found = {(s.model, s.mode): s for s in report.dataset_summaries if s.dataset == info.name}
        best = max((s.dice.value for s in found.values() if s.dice), default=-1.0)
        cells = [_matrix_cell(found.get(run), best, len(found) > 1) for run in report.runs]
        star = "" if info.patients_known else " *"
        lines.append(
            f'<tr><td><a href="#{_anchor(info.name)}">{escape(info.name)}</a>{star}</td>'
            f'<td class="left">{escape(info.label_kind)}</td><td>{info.cases}</td>'
            f"{''.join(cells)}</tr>"
        )
    unknown = [d.name for d in report.datasets if not d.patients_known]
    star = (
        '<p class="sub" style="margin-top:8px">* cases without a patient id: one patient may be in '
        "two splits, and each case counts as a patient of its own in the intervals.</p>"
        if unknown
        else ""
    )
    return (
        '<h3>Data set by data set</h3><div class="scroll"><table><thead><tr class="over-head">'
        f"<th></th><th></th><th></th>{heads}</tr><tr><th>Data set</th>"
        f'<th class="left">Labels</th><th>Cases</th>{under}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>{star}"
    )


def _matrix_cell(s: DatasetSummary | None, best: float, several: bool) -> str:
    if s is None:
        return "<td>–</td>" * 3
    dice = "–" if s.dice is None else f"{s.dice.value:.3f}"
    if several and s.dice is not None and s.dice.value >= best:
        dice = f"<b>{dice}</b>"
    if s.unknown:
        dice = f"<small>{s.structures} known</small> {dice}"
    alarms = "–" if s.fp_rate is None else f"{100 * s.fp_rate.value:.1f} %"
    if s.fp_rate is not None and s.fp_rate.value > TARGET_FP:
        alarms = f'<span class="over">{alarms}</span>'
    seconds = "–" if s.seconds is None else f"{s.seconds:.2g}"
    return f'<td class="lead">{dice}</td><td>{alarms}</td><td>{seconds}</td>'


def _alarms(report: Report) -> str:
    plot = false_alarms(report)
    if plot is None:
        return ""
    return (
        "<section><h2>False alarms</h2>"
        '<p class="sub">Structures that somebody looked for and did not find in a case, but that '
        "the model answered with “found”. Structures that nobody looked for are never counted.</p>"
        f'<img class="plot" alt="False alarms per data set" src="{plot}">'
        f"{false_alarm_gallery(report)}</section>"
    )


def _dataset(report: Report, info: DatasetInfo) -> str:
    other = "" if info.label_kind == "expert" else " other"
    patients = count(info.patients, "patient") if info.patients_known else "patients not known"
    facts = (
        f"{info.modality} · {count(info.cases, 'case')} · {patients} · labels: {info.label_quality}"
    )
    notes = ""
    if not info.patients_known:
        notes += (
            '<p class="note">Cases without a patient id: one patient may be in two splits, so '
            "these numbers may be too good.</p>"
        )
    if note := kind_note(info.label_kind):
        notes += f'<p class="note">{escape(note)}</p>'
    caution = f'<p class="note plain">{escape(info.caution)}</p>' if info.caution else ""
    plot = violins(report, info.name)
    picture = (
        f'{_legend(report)}<img class="plot" alt="Dice per case and structure" src="{plot}">'
        if plot
        else ""
    )
    return (
        f'<section><h2 id="{_anchor(info.name)}">{escape(info.name)}'
        f'<span class="badge{other}">{escape(info.label_kind)}</span></h2>'
        f'<p class="sub">{escape(info.title)}<br>{escape(facts)}</p>{notes}{picture}'
        f"{_table(report, info)}{agreement_section(report, info.name)}"
        f"{trust_section(report, info.name)}"
        f"{overlay_gallery(report, info.name)}{caution}</section>"
    )


def _table(report: Report, info: DatasetInfo) -> str:
    found = [s for s in report.structures if s.dataset == info.name]
    several = len(report.runs) > 1
    lines = []
    for structure in dict.fromkeys(s.structure for s in found):
        group = sorted(
            (s for s in found if s.structure == structure),
            key=lambda s: report.runs.index((s.model, s.mode)),
        )
        best = max((s.stats["dice"].mean for s in group if s.stats), default=-1.0)
        for i, s in enumerate(group):
            name = escape(structure) + (" <small>(union)</small>" if s.is_union else "")
            if several and i == 0:
                lines.append(f'<tr class="kind"><td colspan="{COLUMNS}">{name}</td></tr>')
            lead = _run_name(report, (s.model, s.mode)) if several else name
            lines.append(f"<tr><td>{lead}</td>{_cells(s, several and len(group) > 1, best)}</tr>")
    unit = next((s.unit for s in found if s.stats), "px")
    tau = f"{report.tolerance:g} {unit}" if unit != "mixed" else f"{report.tolerance:g}"
    heads = (
        "<th>n</th><th>Dice<br><small>mean [95 %]</small></th><th>SD</th><th>Median</th>"
        "<th>Pooled<br><small>Dice</small></th><th>IoU</th><th>Prec.</th><th>Recall</th>"
        f"<th>HD<br><small>{unit}</small></th><th>HD95<br><small>{unit}</small></th>"
        f"<th>ASSD<br><small>{unit}</small></th><th>NSD<br><small>{tau}</small></th>"
        "<th>Found</th><th>False<br>alarms</th>"
    )
    return (
        '<div class="scroll"><table class="dense"><thead><tr>'
        f"<th>{'Model' if several else 'Structure'}</th>{heads}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _cells(s: StructureSummary, compare: bool, best: float) -> str:
    alarms = "–"
    if s.fp_rate is not None:
        text = f"{s.false_positives} of {s.absent}"
        alarms = f'<span class="over">{text}</span>' if s.fp_rate.value > TARGET_FP else text
    if not s.stats or s.pooled_dice is None or s.found is None:
        why = "not a prompt of this model" if s.unknown else "never present here"
        nothing = f'<td colspan="{COLUMNS - 3}" class="left"><small>{why}</small></td>'
        return f"<td>0</td>{nothing}<td>{alarms}</td>"
    st = s.stats
    dice = f"{st['dice'].mean:.3f}"
    if compare and st["dice"].mean >= best:
        dice = f"<b>{dice}</b>"
    sd = "–" if st["dice"].sd is None else f"{st['dice'].sd:.3f}"
    shares = "".join(f"<td>{st[m].mean:.3f}</td>" for m in ("iou", "precision", "recall"))
    lengths = "".join(f"<td>{st[m].mean:.1f}</td>" for m in ("hd", "hd95", "assd"))
    return (
        f"<td>{s.n}</td><td>{dice}{_range(st['dice'])}</td><td>{sd}</td>"
        f"<td>{st['dice'].median:.3f}</td><td>{s.pooled_dice.value:.3f}</td>{shares}{lengths}"
        f"<td>{st['nsd'].mean:.3f}</td><td>{100 * s.found:.0f} %</td><td>{alarms}</td>"
    )


def _failures(report: Report) -> str:
    if not report.failures:
        return ""
    lines = "".join(
        f'<tr><td>{escape(f.model)}</td><td class="left">{escape(f.dataset or "–")}</td>'
        f'<td class="left">{escape(f.case or "the model")}</td>'
        f'<td class="left wrap">{escape(f.reason)}</td></tr>'
        for f in report.failures
    )
    return (
        "<section><h2>What could not be evaluated</h2>"
        '<p class="sub">These are in no number above.</p><div class="scroll"><table><thead><tr>'
        '<th>Model</th><th class="left">Data set</th><th class="left">Case</th>'
        f'<th class="left">Reason</th></tr></thead><tbody>{lines}</tbody></table></div></section>'
    )


def _definitions(report: Report) -> str:
    words = {
        "Dice, IoU, precision, recall": "per case from voxel counts; both masks empty 1, only one "
        "of them empty 0",
        "pooled": "from the counts summed over all cases (“micro”), as some papers print it",
        "HD, HD95": "largest distance between the two surfaces, and the larger of the two directed "
        "95th percentiles; one mask empty: the diagonal of the image",
        "ASSD": "mean distance to the other surface, over the voxels of both surfaces",
        "NSD": f"share of both surfaces within {report.tolerance:g} mm (px where no spacing is "
        "known)",
        "[95 %]": "bootstrap over patients, 2000 draws, fixed seed; none where all cases are of "
        "one patient",
        "ECE": "expected calibration error: mean distance of probability and share inside the "
        "reference, over voxels with a probability of at least 5 % or inside the reference",
        "found": "share of the cases with the structure in which the model answered “found”",
        "false alarms": "share of truly absent structures that were answered “found”; above 5 % "
        "in red",
        "union": "a name made of other labels; not counted again in the mean over structures",
        "not a prompt": "the model says that it does not know the word; in no mean and no rate",
    }
    entries = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in words.items())
    return f"<section><h2>How the numbers are defined</h2><dl>{entries}</dl></section>"


def _how_asked(report: Report) -> str:
    modes = list(dict.fromkeys(mode for _, mode in report.runs))
    if modes == ["text only"]:
        return "Every model was asked by text alone, on every slice of every volume."
    return f"Ways of asking: {escape(', '.join(modes))}; every slice of every volume."


def _legend(report: Report) -> str:
    if len(report.runs) < 2:
        return (
            '<p class="key"><span>dots: cases · line: mean · shade: density of the cases</span></p>'
        )
    names = "".join(f"<span>{_run_name(report, run)}</span>" for run in report.runs)
    return f'<p class="key">{names}<span>dots: cases · line: mean</span></p>'


def _run_name(report: Report, run: Run) -> str:
    model, mode = run
    colour = run_colours(report)[run]
    name = escape(model)
    if len({m for _, m in report.runs}) > 1:
        name += f" <small>{escape(mode)}</small>"
    return f'<span class="dot" style="background:{colour}"></span>{name}'


def _unknown(count: int) -> str:
    return f" <small>({count} unknown)</small>" if count else ""


def _dice(dice: Interval | None, colour: str) -> str:
    if dice is None:
        return "–"
    width = max(0, min(100, math.floor(100 * dice.value)))
    bar = f'<span class="bar"><i style="width:{width}%;background:{colour}"></i></span>'
    return f"<b>{dice.value:.3f}</b>{_range(dice)}{bar}"


def _rate(s: OverallSummary) -> str:
    if s.fp_rate is None:
        return "–"
    css = ' class="over"' if s.fp_rate.value > TARGET_FP else ""
    return (
        f"<b{css}>{100 * s.fp_rate.value:.1f} %</b> "
        f"<small>{s.false_positives} of {s.absent}</small>"
    )


def _range(stat: Stat | Interval) -> str:
    if stat.low is None or stat.high is None:
        return ""
    return f" <small>[{stat.low:.2f}, {stat.high:.2f}]</small>"


def _anchor(name: str) -> str:
    return "set-" + "".join(c if c.isalnum() else "-" for c in name)
