"""The commands below `textpromptseg models`, their options and their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Device


def models_app() -> typer.Typer:
    """Return the commands below `models`."""
    app = typer.Typer(
        help="List, show, import, download, verify, describe and remove checkpoints.",
        no_args_is_help=True,
    )
    app.command("list")(models_list)
    app.command("show")(models_show)
    app.command("import")(models_import)
    app.command("download")(models_download)
    app.command("verify")(models_verify)
    app.command("card")(models_card)
    app.command("remove")(models_remove)
    return app


Name = Annotated[str, typer.Argument(metavar="NAME")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def models_list(as_json: AsJson = False) -> int:
    """List the checkpoints that ship, were imported, or can be downloaded."""
    from . import models

    return models.list_all(as_json)


def models_show(
    name: Name,
    as_json: AsJson = False,
    cost: Annotated[
        bool,
        typer.Option(
            "--cost",
            help="Measure it instead: parameters, GMAC, ms a slice, FPS and memory, part by part.",
        ),
    ] = False,
    device: Device = "auto",
) -> int:
    """Show one checkpoint: licence, structures, training data, model card; or what it costs."""
    from . import models

    return models.show_cost(name, as_json, device) if cost else models.show(name, as_json)


def models_import(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="Folder or zip, or weights that others publish.")
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="KIND",
            help="Whose weights these are: sam, medsam, sam3, medical-sam3, medsam3. Nothing is "
            "guessed from a file's name.",
        ),
    ] = None,
) -> int:
    """Import a checkpoint from a folder or a zip file, or weights that others publish."""
    from . import models

    return models.import_path(path, kind)


def models_download(name: Name) -> int:
    """Download a checkpoint of the catalogue or of the hub; resumes a broken download."""
    from . import models

    return models.download(name)


def models_verify(name: Annotated[str | None, typer.Argument(metavar="NAME")] = None) -> int:
    """Compare the sha256 of one checkpoint, or of all, with what it should be."""
    from . import models

    return models.verify(name)


def models_card(
    name: Name,
    report: Annotated[
        list[Path],
        typer.Argument(
            metavar="REPORT.json...", help="What `evaluate` wrote, one of each split: test, val."
        ),
    ],
) -> int:
    """Write a checkpoint's card, and how good it is at each structure, from its evaluations."""
    from . import models

    return models.write_card(name, report)


def models_remove(name: Name) -> int:
    """Remove an imported or downloaded checkpoint."""
    from . import models

    return models.remove(name)
