"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ..jobs.job import RunOptions
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
    typer.Option(
        "--samples",
        metavar="K",
        help="Samples of a generative system, or the best instances of SAM 3; candidates and "
        "uncertainty lie beside the output.",
    ),
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
BoxOption = Annotated[
    str | None,
    typer.Option(
        "--box",
        metavar="x0,x1,y0,y1,z0,z1",
        help="A box around the structure (RAS, mm), for models that take boxes; nothing outside.",
    ),
]
PointOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--point",
        metavar="x,y,z[,0]",
        help="A point on the structure (RAS, mm); with ',0' a point beside it; may be repeated.",
    ),
]
Start = Annotated[
    Path | None,
    typer.Option(
        "--start",
        metavar="MASK",
        help="Start from this segmentation of the same grid, and make it better with points; "
        "models without mask prompts start from the box around it on each slice.",
    ),
]
TwoPass = Annotated[
    bool, typer.Option("--two-pass", help="Find a box by the text first, then ask with it again.")
]
Propagate = Annotated[
    bool, typer.Option("--propagate", help="Hand the box of each slice on to the next one.")
]

HeatMap = Annotated[
    bool,
    typer.Option(
        "--heat-map", help="Where the system looked; lies beside the output as .heat-map.nii.gz."
    ),
]
FreeText = Annotated[
    bool,
    typer.Option("--free-text", help="Ask what is not in the vocabulary in the words you typed."),
]
ModalityOption = Annotated[
    str | None,
    typer.Option(
        "--modality",
        metavar="CT|MR|CXR",
        help="What the image is, where the file does not say it or says it wrongly.",
    ),
]
SeriesOption = Annotated[
    str | None,
    typer.Option(
        "--series",
        metavar="NUMBER|UID",
        help="Which DICOM series, where the folder holds several.",
    ),
]
FrameOption = Annotated[
    int | None,
    typer.Option(
        "--frame", metavar="N", help="Which time point, echo or channel (counted from 0)."
    ),
]
NoPaths = Annotated[
    bool, typer.Option("--no-paths", help="Leave the paths of images out of reports and summaries.")
]


def run_options(
    threshold: float | None = None,
    samples: int | None = None,
    roi: str | None = None,
    slices: str | None = None,
    plane: Plane | None = None,
    box: str | None = None,
    points: list[str] | None = None,
    two_pass: bool = False,
    propagate: bool = False,
    heat_map: bool = False,
    modality: str | None = None,
    series: str | None = None,
    frame: int | None = None,
    start: Path | None = None,
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
        box=None if box is None else parse_roi(box, "--box"),
        points=tuple(parse_point(point) for point in points or ()),
        two_pass=two_pass,
        propagate=propagate,
        heat_map=heat_map,
        modality=modality,
        series=series,
        frame=frame,
        start=start,
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


def parse_point(text: str) -> tuple[float, float, float, int]:
    """Read "x,y,z" or "x,y,z,label" in RAS mm.

    Raises:
        InputError: when it is not that.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
        if len(numbers) not in (3, 4) or numbers[3:] not in ([], [0.0], [1.0]):
            raise ValueError
    except ValueError:
        raise InputError(
            f"--point {text} must be three numbers x,y,z (RAS, mm) without spaces; "
            "add ,0 for a point beside the structure."
        ) from None
    x, y, z = numbers[:3]
    return x, y, z, int(numbers[3]) if len(numbers) == 4 else 1


def parse_roi(text: str, option: str = "--roi") -> tuple[float, float, float, float, float, float]:
    """Read "x0,x1,y0,y1,z0,z1" in RAS mm.

    Raises:
        InputError: when it is not six numbers.
    """
    try:
        x0, x1, y0, y1, z0, z1 = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(
            f"{option} {text} must be six numbers x0,x1,y0,y1,z0,z1 (RAS, mm) without spaces."
        ) from None
    return x0, x1, y0, y1, z0, z1
