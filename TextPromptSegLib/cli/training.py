"""`textpromptseg train` and `textpromptseg evaluate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..outcome import InputError
from ..outputs import check_folder
from . import EXIT_DONE, EXIT_ERROR
from .console import new_table, out, remark, run_with_bar, say
from .segment import show_licence

if TYPE_CHECKING:
    from ..evaluation import Report
    from ..metrics.intervals import Interval

SPLITS = ("test", "val", "train")


def train_recipe(recipe: Path, data: Sequence[Path], folder: Path | None, resume: bool) -> int:
    """Train a checkpoint from a recipe.

    Raises:
        TextPromptSegError: when the recipe, the data or the folder cannot be used.
    """
    from ..training import train
    from ..training.recipe import Recipe

    # A recipe that cannot be used shows before the heavy libraries are loaded.
    plan = Recipe.read(recipe)
    if folder is not None:
        check_folder(folder, "--out")
    # Lightning draws the bar, with the time that is left.
    result = train(plan, data=list(data), out=folder, resume=resume, progress_bar=True)
    say(f"wrote {result}")
    return EXIT_DONE


def evaluate_models(
    models: Sequence[str],
    datasets: Sequence[Path],
    folder: Path | None,
    *,
    split: str,
    limit: int | None,
    device: str,
) -> int:
    """Measure checkpoints and print one row per model and data set; 2 when no case succeeded.

    Raises:
        TextPromptSegError: when no model or no data set can be used.
    """
    from ..evaluation import evaluate

    if split not in SPLITS:
        raise InputError(f"--split {split} must be one of {', '.join(SPLITS)}.")
    if folder is not None:
        check_folder(folder, "--report")
    for model in models:
        show_licence(model)
    report: Report = run_with_bar(
        "starting",
        lambda tick: evaluate(
            list(models),
            list(datasets),
            split=split,
            report_dir=folder,
            progress=tick,
            limit=limit,
            device=device,
        ),
    )
    _show(report)
    if folder is not None:
        say(f"wrote {folder / 'report.html'}, report.json, cases.csv and summary.csv")
    return EXIT_DONE if report.rows else EXIT_ERROR


def _show(report: Report) -> None:
    """Print the mean Dice with its interval and the rate of false findings."""
    numbers = ("structures", "pairs", "Dice", "95 %", "absent", "found there")
    table = new_table("model", "data set", "labels", *numbers, right=numbers)
    for row in report.dataset_summaries:
        table.add_row(
            row.model,
            row.dataset,
            row.label_kind,
            str(row.structures),
            str(row.pairs),
            *_interval(row.dice),
            str(row.absent),
            f"{row.false_positives} ({100 * row.false_positives / row.absent:.1f} %)"
            if row.absent
            else "",
        )
    out().print(table)
    for failure in report.failures:
        remark(f"failed: {failure.model} {failure.dataset} {failure.case}: {failure.reason}")


def _interval(value: Interval | None) -> tuple[str, str]:
    if value is None:
        return "", ""
    if value.low is None or value.high is None:
        return f"{value.value:.3f}", ""
    return f"{value.value:.3f}", f"{value.low:.3f}-{value.high:.3f}"
