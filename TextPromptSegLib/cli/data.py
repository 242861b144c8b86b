"""`textpromptseg data`: public data sets, made readable for `train` and `evaluate`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..outcome import Cancelled, InputError
from .cancel import Stopped
from .console import new_table, out, remark, run_with_bar, say
from .exits import EXIT_DONE

if TYPE_CHECKING:
    from ..data.layouts.index import Choices, Indexed

_CUT_NAMES = {"brats": "{name}_{sequence}", "msd": "{name}_slices"}
_CUT_LABELS = {"brats": "whole tumor"}


def data_app() -> typer.Typer:
    """Return the commands below `data`."""
    app = typer.Typer(
        help="Make public data sets readable for training and evaluation.", no_args_is_help=True
    )
    app.command("kinds")(list_kinds)
    app.command("index")(index)
    return app


def index(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="What it is; `data kinds` lists them.")
    ],
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The download, unpacked; the index goes there.")
    ],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Another name than the usual one.")
    ] = None,
    val: Annotated[
        float | None,
        typer.Option("--val", metavar="SHARE", help="Share of the patients to choose settings on."),
    ] = None,
    test: Annotated[
        float | None,
        typer.Option("--test", metavar="SHARE", help="Share of the patients kept for the test."),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Of the draw.")] = None,
    fold: Annotated[
        int | None, typer.Option("--fold", metavar="N", help="figshare: the fold that is the test.")
    ] = None,
    sequence: Annotated[
        list[str] | None,
        typer.Option("--sequence", metavar="NAME", help="Only this MR sequence; may be repeated."),
    ] = None,
    modality: Annotated[
        str | None,
        typer.Option("--modality", metavar="MODALITY", help="kaggle: what the pictures are."),
    ] = None,
    slices: Annotated[
        int | None,
        typer.Option("--slices", metavar="N", help="Also cut N axial slices of each volume."),
    ] = None,
    structure: Annotated[
        str | None, typer.Option("--structure", metavar="NAME", help="What the slices show.")
    ] = None,
    window: Annotated[
        str | None, typer.Option("--window", metavar="LOW:HIGH", help="Grey range of the slices.")
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option("--table", metavar="FILE", help="Slice names and texts: csv, tsv or xlsx."),
    ] = None,
    allow_copies: Annotated[
        bool,
        typer.Option("--allow-copies", help="Equal pictures may lie in two splits; it is noted."),
    ] = False,
) -> int:
    """Write the index of a public data set; splits are the published ones, else by patient."""
    from ..data.layouts.index import Choices

    choices = Choices(
        name, val, test, seed, fold, tuple(sequence or ()), modality, allow_copies=allow_copies
    )
    return write(
        kind, folder, choices, slices=slices, structure=structure, window=window, table=table
    )


def list_kinds() -> int:
    """List the layouts that can be read."""
    from ..data.layouts.kinds import KINDS

    table = new_table("kind", "what it reads")
    for name, kind in KINDS.items():
        table.add_row(name, kind.title)
    out().print(table)
    return EXIT_DONE


def write(
    kind: str,
    folder: Path,
    choices: Choices,
    *,
    slices: int | None = None,
    structure: str | None = None,
    window: str | None = None,
    table: Path | None = None,
) -> int:
    """Write the index of a data set, and of slices cut from its volumes; show what it holds.

    Raises:
        TextPromptSegError: when the folder is of another layout, or holds what may not be.
    """
    from ..data.layouts.kinds import index_layout

    if slices is None and (structure or window or table):
        raise InputError("--structure, --window and --table belong to --slices; add it.")
    limits = _limits(window)
    try:
        written: list[Indexed] = run_with_bar(
            "reading", lambda tick: index_layout(kind, folder, choices, tick)
        )
    except Cancelled:
        raise Stopped("cancelled; no index was written") from None
    for one in written:
        _show(one)
    if slices is not None:
        for one in written:
            _cut(kind, one, slices, structure, limits, table)
    return EXIT_DONE


def _cut(
    kind: str,
    one: Indexed,
    slices: int,
    structure: str | None,
    window: tuple[float, float] | None,
    table: Path | None,
) -> None:
    """Cut slices of an indexed data set of volumes."""
    from ..data.cut_slices import cut_slices

    if slices < 1:
        raise InputError("--slices is at least 1.")
    info = one.dataset.info
    channels = [str(name) for name in info.get("channels") or ()]
    channel = channels.index("t2") if "t2" in channels and len(channels) > 1 else 0
    groups = list(one.dataset.groups)
    label = structure or _CUT_LABELS.get(kind) or [*groups, *one.dataset.labels.values()][0]
    sequence = channels[channel].lower() if channels else "slices"
    name = _CUT_NAMES.get(kind, "{name}_slices").format(name=one.dataset.name, sequence=sequence)
    limits = window or ((-160.0, 240.0) if one.dataset.modality == "CT" else None)
    path = cut_slices(
        one.dataset,
        label,
        name,
        per_volume=slices,
        channel=channel,
        window=limits,
        table=table,
    )
    say(f"cut {slices} slices a volume with {label}: {path}")


def _show(one: Indexed) -> None:
    """Print how many cases and patients each split has, and what is to be known."""
    dataset = one.dataset
    table = new_table(dataset.name, "cases", "patients", "structures", right=("cases", "patients"))
    for split in ("train", "val", "test"):
        cases = dataset.split(split)
        patients = {case.patient for case in cases if case.patient is not None}
        counts = Counter(name for case in cases for name in case.present)
        shown = ", ".join(f"{name} {count}" for name, count in counts.items())
        table.add_row(split, str(len(cases)), str(len(patients) or "unknown"), shown)
    out().print(table)
    for note in one.notes:
        remark(note)
    say(f"wrote {one.path}; for '{dataset.name}' give train and evaluate --data {one.path.parent}")


def _limits(window: str | None) -> tuple[float, float] | None:
    """Return the two numbers of LOW:HIGH.

    Raises:
        InputError: for anything else.
    """
    if window is None:
        return None
    try:
        low, high = (float(part) for part in window.split(":"))
    except ValueError:
        low = high = 0.0
    if not low < high:
        raise InputError(f"--window {window} is not LOW:HIGH, for example -160:240.")
    return low, high
