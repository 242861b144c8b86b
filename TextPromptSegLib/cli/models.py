"""`textpromptseg models`: the catalogue of checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..checkpoints import catalogue
from ..checkpoints.memory_estimate import BATCH_IMAGES, images_memory
from ..checkpoints.quality import TIERS
from ..outcome import CheckpointError
from ..systems import foreign_weights
from .clean import clean, clean_json
from .console import new_table, out, remark, run_with_bar, say
from .exits import EXIT_DONE, EXIT_ERROR

if TYPE_CHECKING:
    from ..checkpoints.model_info import ModelInfo
    from ..outcome import Progress


def list_all(as_json: bool) -> int:
    """Print the catalogue."""
    rows = catalogue.list_models()
    if as_json:
        print(clean_json([row.to_dict() for row in rows]))
        return EXIT_DONE
    if not rows:
        say("There is no checkpoint; import one with 'textpromptseg models import PATH'.")
        return EXIT_DONE
    columns = ("name", "where", "system", "MB", "licence", "images", "structures", "title")
    table = new_table(*columns, right=("MB", "structures"))
    for row in rows:
        table.add_row(
            row.name,
            row.state,
            row.system,
            _megabytes(row.bytes),
            row.licence,
            ", ".join(row.modalities),
            "any" if row.open_vocabulary else str(len(row.prompts)) if row.prompts else "",
            row.title,
        )
    out().print(table)
    for row in rows:
        if row.problem:
            remark(f"{row.name}: {row.problem}")
    return EXIT_DONE


def show(name: str, as_json: bool) -> int:
    """Print one checkpoint and its model card, or how to get one that others publish.

    Raises:
        CheckpointError: when there is no such checkpoint.
    """
    try:
        row = catalogue.show(name)
    except CheckpointError:
        if (text := foreign_weights.instructions(name)) is None or as_json:
            raise
        say(text)
        return EXIT_DONE
    card = catalogue.model_card(name) if row.folder is not None else ""
    if as_json:
        print(clean_json({**row.to_dict(), "card": card}))
        return EXIT_DONE
    say(f"{row.name}: {row.title}", "bold")
    for label, text in (
        ("where", f"{row.state}  {row.folder or ''}".strip()),
        ("system", row.system),
        ("weights", f"{_megabytes(row.bytes)} MB"),
        ("memory", _memory(row.memory_bytes)),
        ("licence", f"{row.licence}  {row.licence_line}".strip()),
        ("images", ", ".join(row.modalities)),
        ("planes", ", ".join(row.planes)),
        *_structures(row),
        ("problem", row.problem),
    ):
        if text:
            say(f"  {label:<13}{text}")
    if card:
        from rich.markdown import Markdown

        say()
        out().print(Markdown(clean(card), hyperlinks=False))
    elif row.folder is None and (how := foreign_weights.instructions(row.name)) is not None:
        say()
        say(how)
    return EXIT_DONE


def show_cost(name: str, as_json: bool, device: str) -> int:
    """Print what a checkpoint's network costs, as the papers' tables of complexity have it.

    Raises:
        TextPromptSegError: when there is no such checkpoint, or the device is not there.
    """
    from ..inference.cost import measure_cost
    from ..inference.device import resolve_device
    from ..inference.loaded_checkpoint import load

    cost = measure_cost(load(name, resolve_device(device)))
    if as_json:
        print(clean_json(cost.to_dict()))
        return EXIT_DONE
    totals = cost.measures
    say(
        f"{name}: one slice of {cost.size[0]} x {cost.size[1]} px with one prompt, on {cost.device}"
    )
    columns = ("parameters", "stored", "GMAC", "ms", "memory MB")
    table = new_table("part", *columns, right=columns)
    for part in (*cost.steps, *cost.modules):
        table.add_row(
            part.name if part in cost.steps else f"  {part.name}",
            f"{part.parameters:,}",
            f"{part.stored:,}" if part.stored else "",
            f"{part.gmac:.3f}",
            "" if part.ms is None else f"{part.ms:.1f}",
            "" if part.memory_mb is None else f"{part.memory_mb:.1f}",
        )
    out().print(table)
    say(
        f"network {totals['parameters_m']:.2f} M parameters ({totals['stored_m']:.2f} M stored), "
        f"text encoder {totals['text_encoder_m']:.2f} M; a slice {totals['slice_gmac']:.2f} GMAC = "
        f"{2 * totals['slice_gmac']:.2f} GFLOP, {totals['ms']:.1f} ms, {totals['fps']:.1f} FPS, "
        f"{totals['memory_mb']:.0f} MB with the weights"
    )
    return EXIT_DONE


def _structures(row: ModelInfo) -> list[tuple[str, str]]:
    """Return the names of what may be asked, best first where that was measured."""
    if row.open_vocabulary and not row.prompts:
        return [("structures", "any, in any English words (open vocabulary)")]
    if not row.tiers:
        return [("structures", ", ".join(row.prompts))]
    return [
        (tier, ", ".join(name for name in row.prompts if row.tiers.get(name) == tier))
        for tier in reversed(TIERS)
    ]


def write_card(name: str, reports: Sequence[Path]) -> int:
    """Write the card and the measured quality of a checkpoint.

    Raises:
        CheckpointError: when there is no such checkpoint.
        InputError: when a report cannot be read, or is not of this checkpoint.
        OutputError: when its folder cannot be written.
    """
    from ..evaluation import Report
    from ..evaluation.model_card import write_model_card

    folder = catalogue.resolve(name)
    found = [Report.read(path / "report.json" if path.is_dir() else path) for path in reports]
    say(f"wrote {write_model_card(folder, found)}")
    return EXIT_DONE


def import_path(path: Path, kind: str | None = None) -> int:
    """Import a checkpoint, or weights that others publish.

    Raises:
        CheckpointError: when it is none, is damaged, or the name is taken.
    """

    def work(tick: Progress) -> ModelInfo:
        return foreign_weights.import_path(path, progress=tick, kind=kind)

    return _arrived(run_with_bar("importing", work))


def download(name: str) -> int:
    """Download a checkpoint.

    Raises:
        CheckpointError: for an unknown name, no connection or a wrong checksum.
    """
    return _arrived(
        run_with_bar("downloading", lambda tick: foreign_weights.download(name, progress=tick))
    )


def verify(name: str | None) -> int:
    """Print whether checkpoints are whole; the exit code is 2 when one is not.

    Raises:
        CheckpointError: when ``name`` is not on this machine.
    """
    results = run_with_bar("verifying", lambda tick: catalogue.verify(name, progress=tick))
    for result in results:
        if result.ok:
            say(f"{result.name}: {result.message}", "green")
        else:
            remark(f"{result.name}: {result.message}")
    if not results:
        say("There is no checkpoint on this machine.")
    return EXIT_DONE if all(result.ok for result in results) else EXIT_ERROR


def remove(name: str) -> int:
    """Remove a checkpoint.

    Raises:
        CheckpointError: when it ships with the extension or is not there.
    """
    say(f"removed {catalogue.remove(name)}")
    return EXIT_DONE


def _arrived(row: ModelInfo) -> int:
    say(f"{row.name} is installed: {row.folder}")
    if row.licence_line:
        say(f"{row.name}: {row.licence_line}", "dim")
    return EXIT_DONE


def _memory(model_bytes: int) -> str:
    """Return what a run and a batch need for a large CT."""
    voxels = 512 * 512 * 300
    alone, many = (model_bytes + images_memory(voxels, batch) for batch in (False, True))
    return (
        f"about {model_bytes / 1e9:.1f} GB and the image: {alone / 1e9:.1f} GB with a CT of"
        f" 512 x 512 x 300, {many / 1e9:.1f} GB in a batch, which holds {BATCH_IMAGES} at once"
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}" if size else "?"
