"""`textpromptseg batch`: many images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..jobs import job
from ..jobs.batch import run_batch
from ..jobs.batch_summary import BatchSummary
from ..jobs.job import RunOptions
from ..outcome import Outcome
from .console import new_table, out, remark, run_with_bar, say
from .segment import show_request

_MOST_FAILURES = 20


def segment_many(
    source: Path,
    prompts: Sequence[str],
    output_dir: Path,
    *,
    model: str,
    resume: bool,
    scheduler: str | None,
    suffix: str,
    overlay: bool,
    options: RunOptions,
    device: str,
    paths: bool = True,
    free_text: bool = False,
) -> int:
    """Run a batch and print what came of it.

    Raises:
        TextPromptSegError: when nothing can be run at all.
    """
    parsed = job.known_prompts(prompts, free_text)
    show_request(parsed, model)

    def work(progress: Any) -> BatchSummary:
        return run_batch(
            source,
            parsed,
            output_dir,
            model,
            device,
            resume=resume,
            scheduler=scheduler,
            options=options,
            suffix=suffix,
            overlay=overlay,
            progress=progress,
            paths=paths,
        )

    summary: BatchSummary = run_with_bar("starting", work)
    _show(summary)
    return summary.exit_code


def _show(summary: BatchSummary) -> None:
    """Print one row per prompt, then the failures and where the summary is."""
    table = new_table("prompt", "found", "not found", "mean ml", right=("found", "not found"))
    table.columns[3].justify = "right"
    names = dict.fromkeys(entry["name"] for case in summary.cases for entry in case.prompts)
    for name in names:
        entries = [e for case in summary.cases for e in case.prompts if e["name"] == name]
        found = [e for e in entries if e["outcome"] == Outcome.FOUND.value]
        mean = sum(e["volume_ml"] for e in found) / len(found) if found else 0.0
        table.add_row(
            str(name),
            str(len(found)),
            str(len(entries) - len(found)),
            f"{mean:,.1f}" if found else "",
        )
    if names:
        out().print(table)
    failed = [case for case in summary.cases if case.status == "failed"]
    for case in failed[:_MOST_FAILURES]:
        remark(f"failed: {case.id}: {case.error}")
    doubts = [
        f"{case.id}: {entry['name']}: {'; '.join(entry['unusual'])}"
        for case in summary.cases
        for entry in case.prompts
        if entry.get("unusual")
    ]
    for doubt in doubts[:_MOST_FAILURES]:
        remark(f"found, but unusual: {doubt}")
    if len(doubts) > _MOST_FAILURES:
        remark(f"and {len(doubts) - _MOST_FAILURES} more, see summary.csv")
    if len(failed) > _MOST_FAILURES:
        remark(f"and {len(failed) - _MOST_FAILURES} more, see summary.csv")
    say(
        f"{summary.total} cases: {summary.count('done')} done, {summary.count('resumed')} done "
        f"before, {len(failed)} failed, in {summary.seconds:.1f} s"
    )
    say(f"wrote {summary.output_dir / 'summary.csv'} and summary.json")
