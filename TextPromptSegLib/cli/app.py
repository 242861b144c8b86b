"""The commands, their options and their help; what they do is in one module each."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from ..checkpoints.model_info import DEFAULT_MODEL
from .clean import CleanFormatter
from .data import data_app
from .models_app import models_app
from .options import (
    BoxOption,
    Device,
    FrameOption,
    FreeText,
    HeatMap,
    ModalityOption,
    Model,
    NoPaths,
    PlaneOption,
    PointOptions,
    Prompts,
    Propagate,
    Roi,
    Samples,
    SeriesOption,
    Slices,
    Start,
    Threshold,
    TwoPass,
    run_options,
)

_EXIT_CODES = (
    "Exit codes: 0 done; 2 usage or input error (one line on stderr); 3 nothing found for at "
    "least one prompt (outputs are still written); 130 cancelled (nothing half-written is left)."
)


def build_app() -> typer.Typer:
    """Return the command line."""
    app = typer.Typer(
        name="textpromptseg",
        help="Segment structures in CT, MR and X-ray images by typing what to segment.",
        epilog=_EXIT_CODES,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    app.command()(segment)
    app.command()(batch)
    app.command()(train)
    app.command()(evaluate)
    app.command()(paper)
    app.add_typer(models_app(), name="models")
    app.add_typer(data_app(), name="data")
    app.command()(parse)
    app.command()(demo)
    return app


def quiet_libraries(debug: bool) -> None:
    """Keep the remarks of libraries away from the screen, unless somebody looks for a fault."""
    logging.basicConfig(level=logging.DEBUG if debug else logging.ERROR)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(CleanFormatter(logging.BASIC_FORMAT))
    if not debug:
        logging.captureWarnings(True)  # they quote headers; below the level that is shown
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "critical")


def _version(show: bool) -> None:
    if show:
        from ..resources import VERSION

        typer.echo(f"textpromptseg {VERSION}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Segment structures in CT, MR and X-ray images by typing what to segment."""


def segment(
    input: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="NIfTI, NRRD, MetaImage, DICOM file or series folder, PNG or JPEG.",
        ),
    ],
    prompt: Prompts,
    model: Model = DEFAULT_MODEL,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT.seg.nrrd|OUT.nii.gz|OUT.dcm",
            help="Where to write the segmentation; the ending chooses the kind.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="REPORT.json", help="Outcomes, volumes and seconds."),
    ] = None,
    overlay: Annotated[
        Path | None, typer.Option("--overlay", metavar="OUT.png", help="A picture of the result.")
    ] = None,
    modality: ModalityOption = None,
    series: SeriesOption = None,
    frame: FrameOption = None,
    plane: PlaneOption = None,
    slices: Slices = None,
    roi: Roi = None,
    box: BoxOption = None,
    point: PointOptions = None,
    start: Start = None,
    two_pass: TwoPass = False,
    propagate: Propagate = False,
    threshold: Threshold = None,
    samples: Samples = None,
    heat_map: HeatMap = False,
    no_paths: NoPaths = False,
    free_text: FreeText = False,
    device: Device = "auto",
) -> int:
    """Segment one image."""
    from ..jobs.outputs import Outputs
    from .segment import segment_image

    asked = threshold, samples, roi, slices, plane, box, point, two_pass, propagate, heat_map
    return segment_image(
        input,
        prompt,
        model=model,
        outputs=Outputs(segmentation=output, report=report, overlay=overlay),
        options=run_options(*asked, modality=modality, series=series, frame=frame, start=start),
        device=device,
        paths=not no_paths,
        free_text=free_text,
    )


def batch(
    input: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT_DIR_OR_LIST",
            help="A folder (searched with its subfolders) or a text file with one path per line.",
        ),
    ],
    prompt: Prompts,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUTDIR", help="Where to write the results.")
    ],
    model: Model = DEFAULT_MODEL,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep what an earlier run of the same job finished.")
    ] = False,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", metavar="ADDRESS", help="Dask scheduler to hand the cases to."),
    ] = None,
    suffix: Annotated[
        str, typer.Option("--format", metavar="seg.nrrd|nii.gz|dcm", help="Kind of result files.")
    ] = "seg.nrrd",
    overlay: Annotated[
        bool, typer.Option("--overlay", help="Also write a picture of every case.")
    ] = False,
    modality: ModalityOption = None,
    plane: PlaneOption = None,
    threshold: Threshold = None,
    samples: Samples = None,
    two_pass: TwoPass = False,
    propagate: Propagate = False,
    no_paths: NoPaths = False,
    free_text: FreeText = False,
    device: Device = "auto",
) -> int:
    """Segment many images with one loaded model; a failed one does not stop the run.

    Exit code 3 also when some cases failed and others did not; 2 when every case failed.
    """
    from .batch import segment_many

    asked: dict[str, Any] = {"two_pass": two_pass, "propagate": propagate, "modality": modality}
    return segment_many(
        input,
        prompt,
        output,
        model=model,
        resume=resume,
        scheduler=scheduler,
        suffix="." + suffix.lstrip("."),
        overlay=overlay,
        options=run_options(threshold, samples, plane=plane, **asked),
        device=device,
        paths=not no_paths,
        free_text=free_text,
    )


def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.json", help="What to train, and how.")],
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="DIR", help="Data sets; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where the checkpoint goes.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after a kill.")] = False,
    export_only: Annotated[
        bool,
        typer.Option("--export-only", help="Make the checkpoint of a run as it stands; no steps."),
    ] = False,
    row: Annotated[
        str | None,
        typer.Option(
            "--row",
            metavar="TABLE/ROW",
            help='Row of a paper\'s table, for example "table 6/+CBN": trains and measures it.',
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", metavar="N", help="Train it N times, each run measured."),
    ] = None,
    measure: Annotated[
        str,
        typer.Option(
            "--measure", metavar="SPLIT", help="Split that --row and --seeds measure on, or none."
        ),
    ] = "test",
) -> int:
    """Train a checkpoint, or a row of a paper's table with several seeds."""
    from .training import train_recipe, train_rows_of_paper

    if row is not None or seeds is not None:
        return train_rows_of_paper(
            recipe, data or [], out, row, seeds or 1, resume, export_only, measure
        )
    return train_recipe(recipe, data or [], out, resume, export_only)


def paper(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="System whose paper, for example film-unet.")
    ],
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="RUNS...", help="Folders that `train --row` wrote; none: the paper's."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where tables, numbers and plots go."),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="DIR", help="The runs' data, to draw maps of test cases."),
    ] = None,
    cost: Annotated[
        bool, typer.Option("--cost", help="Measure what the runs' networks cost, too.")
    ] = False,
    device: Device = "auto",
) -> int:
    """Print every table of a paper beside what runs measured."""
    from .paper import show_paper

    return show_paper(name, runs or [], out, data or [], cost, device)


def evaluate(
    model: Annotated[
        list[str],
        typer.Option("--model", "-m", metavar="MODEL", help="Checkpoints; may be repeated."),
    ],
    data: Annotated[
        list[Path],
        typer.Option("--data", metavar="DATASET.json", help="Data sets; may be repeated."),
    ],
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="DIR", help="Where CSV, JSON and the HTML page go."),
    ] = None,
    split: Annotated[str, typer.Option("--split", help="test, val or train.")] = "test",
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", help="At most N cases of each data set.")
    ] = None,
    ask: Annotated[
        list[str] | None,
        typer.Option(
            "--ask",
            metavar="HOW",
            help="name, own (the case's report text), shuffled (another case's), described "
            "(a report from the reference), unseen (words no training saw) or elsewhere (what "
            "cannot be in the image); may be repeated.",
        ),
    ] = None,
    structure: Annotated[
        list[str] | None,
        typer.Option(
            "--structure",
            metavar="NAME[=TEXT]",
            help="Ask for these structures only, with this text in place of their name.",
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option("--samples", metavar="K", help="Ask for K samples too; measures uncertainty."),
    ] = None,
    pixels: Annotated[bool, typer.Option("--pixels", help="Distances in px too.")] = False,
    mode: Annotated[
        list[str] | None,
        typer.Option(
            "--mode",
            metavar="MODE",
            help="text, text+box, box, text+point, point (the reference's box or inner point on "
            "each slice) or text+3d-box (one box around it all); may be repeated.",
        ),
    ] = None,
    device: Device = "auto",
) -> int:
    """Measure checkpoints on labelled data sets."""
    from .training import evaluate_models

    return evaluate_models(
        model,
        data,
        report,
        split=split,
        limit=limit,
        device=device,
        ask=ask or (),
        structures=structure or (),
        samples=samples,
        pixels=pixels,
        boxes=mode or (),
    )


def parse(
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="What you would type.")],
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="MODEL", help="Checkpoint whose quality is told."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    free_text: FreeText = False,
) -> int:
    """Show how a prompt is understood, without running anything."""
    from .parse import parse_prompt

    return parse_prompt(prompt, as_json, model, DEFAULT_MODEL, free_text)


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write.")] = Path(
        "demo"
    ),
    model: Model = DEFAULT_MODEL,
    device: Device = "auto",
) -> int:
    """Segment the chest CT that the package slicerio carries."""
    from .demo import run_demo

    return run_demo(out, model=model, device=device)
