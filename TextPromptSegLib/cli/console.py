"""What the command line prints: results on stdout, progress and remarks on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from ..checkpoints.quality import EXPERIMENTAL
from ..outcome import Outcome
from .cancel import cancelled
from .clean import clean

if TYPE_CHECKING:
    from ..checkpoints.quality import Quality
    from ..image.volume import Volume
    from ..prompting.prompt import Prompt
    from ..prompting.segmentation import Segmentation

_PLAIN_WIDTH = 140  # columns where the output is no terminal
_PLAIN_EVERY = 15.0  # s between progress lines where stderr is no terminal
_STYLES = {
    Outcome.FOUND: "green",
    Outcome.BELOW_THRESHOLD: "yellow",
    Outcome.NOT_FOUND: "yellow",
    Outcome.UNKNOWN_PROMPT: "red",
}

TIER_STYLES = {"good": "green", "fair": "", "experimental": "yellow"}


def out() -> Console:
    """Return the console for results."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PLAIN_WIDTH)


def err() -> Console:
    """Return the console for progress and remarks."""
    return Console(stderr=True, highlight=False)


def remark(text: str) -> None:
    """Print one remark on stderr, in one line."""
    err().print(Text(clean(" ".join(text.split())), style="dim"), soft_wrap=True)


def say(text: str = "", style: str = "") -> None:
    """Print one line of the result."""
    out().print(Text(clean(text), style=style), soft_wrap=True)


def show_parse(prompts: Sequence[Prompt], qualities: Sequence[Quality | None] = ()) -> None:
    """Print how every prompt was understood, one line each.

    Args:
        prompts: what was typed.
        qualities: how good a checkpoint is at each, as far as it was measured.
    """
    console = out()
    for prompt, quality in zip_longest(prompts, qualities):
        line = Text()
        line.append(clean(prompt.text), style="bold")
        line.append("  →  ")
        line.append(clean(prompt.describe()), style="" if prompt.answerable else "red")
        if quality is not None:
            line.append(f"  [{quality}]", style=TIER_STYLES[quality.tier])
        console.print(line, soft_wrap=True)


class PlainTable(Table):
    """A table that takes texts as they are: no markup, and nothing that a terminal would obey."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        """Add a row of texts."""
        plain = (Text(clean(cell)) if isinstance(cell, str) else cell for cell in cells)
        super().add_row(*plain, **options)


def new_table(*columns: str, right: Iterable[str] = ()) -> Table:
    """Return an empty table; the columns named in ``right`` hold numbers."""
    from rich import box

    table = PlainTable(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def show_results(
    segmentations: Sequence[Segmentation], volume: Volume, extra: dict[str, list[str]] | None = None
) -> None:
    """Print the table of results, and the sentences of what was not found.

    Args:
        segmentations: the answers.
        volume: the image; one without known geometry is measured in pixels.
        extra: further columns, one text per answer.
    """
    extra = extra or {}
    pixels = volume.meta.get("geometry") == "assumed"
    size = "pixels" if pixels else "ml"
    numbers = (size, "max p", "seconds", *extra)
    table = new_table("prompt", "outcome", size, *extra, "max p", "seconds", right=numbers)
    for row, s in enumerate(segmentations):
        asked = s.outcome is not Outcome.UNKNOWN_PROMPT
        quality = s.provenance.get("quality") or {}
        unproven = ", experimental" if quality.get("tier") == EXPERIMENTAL else ""
        amount = f"{s.voxels:,}" if pixels else millilitres(s.volume_ml)
        table.add_row(
            s.prompt.name,
            Text(
                s.outcome.value.replace("_", " ") + (", unusual" if s.unusual else "") + unproven,
                style="yellow" if s.unusual else _STYLES[s.outcome],
            ),
            amount if asked else "–",
            *(column[row] for column in extra.values()),
            f"{s.max_probability:.2f}" if asked else "–",
            f"{s.seconds:.2f}",
        )
    out().print(table)
    for s in segmentations:
        if (s.outcome is not Outcome.FOUND or s.unusual) and s.message:
            say(f"{s.prompt.name}: {s.message}", "yellow")
    notes = [
        str(note)
        for s in segmentations
        if s.outcome is Outcome.FOUND
        for note in s.provenance.get("notes", ())
    ]
    for note in dict.fromkeys(notes):
        remark(f"note: {note}")


def millilitres(value: float) -> str:
    """Write a volume with as many digits as mean something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.3f}"


class ProgressBar:
    """A bar with the time that is left, on stderr; a few plain lines where that is no terminal.

    Use it as a context manager; ``update`` is the callback ``progress(done, total, message)``.
    """

    def __init__(self, message: str = "") -> None:
        self._console = err()
        self._last_line = time.monotonic()
        self._stage = message
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(message, total=None)

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def update(self, done: int, total: int, message: str) -> bool:
        """Show the state of a run; False when the user has asked to stop."""
        message = clean(message)
        if self._console.is_terminal:
            self._bar.update(
                self._task, completed=done, total=total or None, description=_short(message)
            )
        elif time.monotonic() - self._last_line >= _PLAIN_EVERY:
            self._last_line = time.monotonic()
            part = f" ({100 * done // total} %)" if total else ""
            remark(f"{message}{part}")
        return not cancelled()


def run_with_bar(message: str, work: Callable[[Callable[[int, int, str], bool]], Any]) -> Any:
    """Call ``work(progress)`` under a progress bar and return its result."""
    with ProgressBar(message) as bar:
        return work(bar.update)


def _short(message: str, longest: int = 48) -> str:
    return message if len(message) <= longest else message[: longest - 1] + "…"
