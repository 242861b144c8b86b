"""`textpromptseg train` and `textpromptseg evaluate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..files.checks import check_folder
from ..outcome import Cancelled, InputError
from .cancel import Stopped, cancelled
from .console import new_table, out, remark, run_with_bar, say
from .exits import EXIT_DONE, EXIT_ERROR
from .segment import show_licence

if TYPE_CHECKING:
    from ..evaluation import Report
    from ..metrics.intervals import Interval

SPLITS = ("test", "val", "train")


def train_recipe(
    recipe: Path,
    data: Sequence[Path],
    folder: Path | None,
    resume: bool,
    export_only: bool = False,
) -> int:
    """Train a checkpoint from a recipe.

    Raises:
        TextPromptSegError: when the recipe, the data or the folder cannot be used.
    """
    from ..training import train
    from ..training.recipe import Recipe

    # A recipe that cannot be used shows before the heavy libraries are loaded.
    plan = Recipe.read(recipe)
    for note in plan.notes:
        remark(note)
    if folder is not None:
        check_folder(folder, "--out")
    # Lightning draws the bar, with the time that is left.
    try:
        result = train(
            plan,
            data=list(data),
            out=folder,
            resume=resume,
            export_only=export_only,
            progress_bar=True,
        )
    except (Cancelled, KeyboardInterrupt, SystemExit) as end:
        # Libraries turn Ctrl-C into SystemExit; one that nobody asked for goes through.
        if not isinstance(end, Cancelled) and not cancelled():
            raise
        raise Stopped(
            "cancelled; the run is kept, and the same command with --resume goes on where it "
            "stopped"
        ) from None
    say(f"wrote {result}")
    return EXIT_DONE


def train_rows_of_paper(
    recipe: Path,
    data: Sequence[Path],
    folder: Path | None,
    row: str | None,
    seeds: int,
    resume: bool,
    export_only: bool,
    measure: str,
) -> int:
    """Train one row of a paper's table with several seeds, and measure every run.

    Raises:
        TextPromptSegError: when recipe, row, data or folder cannot be used.
    """
    from ..training.recipe import Recipe

    if measure not in (*SPLITS, "none"):
        raise InputError(f"--measure {measure} must be one of {', '.join(SPLITS)} or none.")
    if export_only:
        raise InputError(
            "--export-only makes the checkpoint of one run; leave out --row and --seeds."
        )
    plan = Recipe.read(recipe)
    if folder is not None:
        check_folder(folder, "--out")
    from ..evaluation.papers.runs import train_rows

    try:
        folders = train_rows(
            plan,
            row,
            seeds,
            data,
            folder,
            split=None if measure == "none" else measure,
            resume=resume,
        )
    except (Cancelled, KeyboardInterrupt, SystemExit) as end:
        if not isinstance(end, Cancelled) and not cancelled():
            raise
        raise Stopped(
            "cancelled; the runs are kept, and the same command with --resume goes on where it "
            "stopped"
        ) from None
    for made in folders:
        say(f"wrote {made}")
    say("'textpromptseg paper' puts runs beside the paper's tables")
    return EXIT_DONE


def evaluate_models(
    models: Sequence[str],
    datasets: Sequence[Path],
    folder: Path | None,
    *,
    split: str,
    limit: int | None,
    device: str,
    ask: Sequence[str] = (),
    structures: Sequence[str] = (),
    samples: int | None = None,
    pixels: bool = False,
    boxes: Sequence[str] = (),
) -> int:
    """Measure checkpoints and print one row per model and data set; 2 when no case succeeded.

    Raises:
        TextPromptSegError: when no model or no data set can be used.
    """
    from ..evaluation import evaluate
    from ..evaluation.modes import ways_with_boxes
    from ..evaluation.ways import measure_pixels, measure_samples, ways_of_asking

    if split not in SPLITS:
        raise InputError(f"--split {split} must be one of {', '.join(SPLITS)}.")
    if folder is not None:
        check_folder(folder, "--report")
    modes = ways_with_boxes(boxes)
    if ask or samples or not modes:
        modes = {**ways_of_asking(ask, samples), **modes}
    extras = [*([measure_samples] if samples else []), *([measure_pixels] if pixels else [])]
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
            prompts=_texts_of(structures) or None,
            modes=modes,
            extras=extras,
            with_text=bool({"own", "shuffled"} & set(ask)),
        ),
    )
    _show(report)
    if ask or structures or samples:
        _show_structures(report)
    if folder is not None:
        say(f"wrote {folder / 'report.html'}, report.json, cases.csv and summary.csv")
    return EXIT_DONE if report.rows else EXIT_ERROR


def _texts_of(structures: Sequence[str]) -> dict[str, str]:
    """Return structure -> text to type, for words ``NAME`` or ``NAME=TEXT``.

    Raises:
        InputError: for a word without a name or a text.
    """
    texts = {}
    for word in structures:
        name, sign, text = (part.strip() for part in word.partition("="))
        if not name or (sign and not text):
            raise InputError(f"--structure {word} must be NAME or NAME=TEXT.")
        texts[name] = text or name
    return texts


def _show(report: Report) -> None:
    """Print the mean Dice with its interval and the rate of false findings."""
    numbers = ("structures", "pairs", "Dice", "95 %", "absent", "found there")
    several = len({row.mode for row in report.dataset_summaries}) > 1
    table = new_table("model", "data set", "labels", *numbers, right=numbers)
    for row in report.dataset_summaries:
        table.add_row(
            f"{row.model}, {row.mode}" if several else row.model,
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


def _show_structures(report: Report) -> None:
    """Print every structure by way of asking, with calibration and what samples tell."""
    numbers = ("n", "Dice", "pooled Dice", "ECE", "uncertainty-error r", "diversity")
    table = new_table("data set", "structure", "asked by", *numbers, right=numbers)
    for row in report.structures:
        if not row.stats or row.pooled_dice is None:
            continue
        further = [row.ece, *(row.extras.get(k) for k in ("uncertainty_error", "diversity"))]
        table.add_row(
            row.dataset,
            row.structure,
            row.mode,
            str(row.n),
            f"{row.stats['dice'].mean:.3f}",
            f"{row.pooled_dice.value:.3f}",
            *("" if value is None else f"{value:.3f}" for value in further),
        )
    out().print(table)


def _interval(value: Interval | None) -> tuple[str, str]:
    if value is None:
        return "", ""
    if value.low is None or value.high is None:
        return f"{value.value:.3f}", ""
    return f"{value.value:.3f}", f"{value.low:.3f}-{value.high:.3f}"
