"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from ..job import RunOptions
from ..outcome import InputError


class Plane(str, Enum):
    """Slice planes."""

    axial = "axial"
    coronal = "coronal"
    sagittal = "sagittal"


Prompts = Annotated[
    list[str],
    typer.Option(
        "--prompt",
        "-p",
        metavar="PROMPT",
        help="What to segment; may be repeated, and may be a list: 'left kidney and liver'.",
    ),
]
Model = Annotated[
    str,
    typer.Option("--model", "-m", metavar="MODEL", help="Checkpoint: name, folder or hub id."),
]
Device = Annotated[str, typer.Option("--device", metavar="auto|cpu|cuda:N", help="Where to run.")]
Threshold = Annotated[
    float | None,
    typer.Option("--threshold", metavar="T", help="Probability from which a voxel counts, 0 to 1."),
]
Samples = Annotated[
    int | None,
    typer.Option("--samples", metavar="K", help="Samples of a generative system."),
]
PlaneOption = Annotated[
    Plane | None, typer.Option("--plane", help="Plane of the slices; else the checkpoint's own.")
]
Slices = Annotated[
    str | None,
    typer.Option("--slices", metavar="A:B", help="Only slices A to B-1 (counted from 0)."),
]
Roi = Annotated[
    str | None,
    typer.Option("--roi", metavar="x0,x1,y0,y1,z0,z1", help="Only this box (RAS, mm)."),
]


def run_options(
    threshold: float | None = None,
    samples: int | None = None,
    roi: str | None = None,
    slices: str | None = None,
    plane: Plane | None = None,
) -> RunOptions:
    """Return the options of a run from their texts.

    Raises:
        InputError: when one of them cannot be used.
    """
    return RunOptions(
        threshold=threshold,
        samples=samples,
        roi=None if roi is None else parse_roi(roi),
        slices=None if slices is None else parse_slices(slices),
        plane=None if plane is None else plane.value,
    )


def parse_slices(text: str) -> tuple[int, int]:
    """Read "A:B": first slice and the one after the last.

    Raises:
        InputError: when it is not that.
    """
    first, colon, last = text.partition(":")
    try:
        start, stop = int(first), int(last)
    except ValueError:
        start, stop = 0, -1
    if not colon or not 0 <= start < stop:
        raise InputError(f"--slices {text} must be A:B with 0 <= A < B, for example 20:60.")
    return start, stop


def parse_roi(text: str) -> tuple[float, float, float, float, float, float]:
    """Read "x0,x1,y0,y1,z0,z1" in RAS mm.

    Raises:
        InputError: when it is not six numbers.
    """
    try:
        x0, x1, y0, y1, z0, z1 = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(
            f"--roi {text} must be six numbers x0,x1,y0,y1,z0,z1 (RAS, mm) without spaces."
        ) from None
    return x0, x1, y0, y1, z0, z1
