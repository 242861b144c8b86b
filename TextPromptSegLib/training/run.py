"""`train`: recipe in, checkpoint folder out, with logs, curves and resume."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..checkpoints.layout import WEIGHTS, read_config, verify_weights
from ..checkpoints.weights import load_weights
from ..outcome import Cancelled, DependencyError, InputError
from ..systems.registry import create, trainer_of
from ..torchvision_operators import declare_torchvision_operators
from .calibrate import calibrate
from .curves import draw_curves
from .export import export, fit_whitening, precision_of
from .recipe import Recipe

if TYPE_CHECKING:
    from ..systems.base import PromptedSegmenter
    from .material import Material

logger = logging.getLogger(__name__)


def train(
    recipe: Recipe | str | Path,
    data: Sequence[str | Path] = (),
    out: str | Path | None = None,
    *,
    resume: bool = False,
    export_only: bool = False,
    progress_bar: bool = True,
) -> Path:
    """Train a checkpoint from a recipe.

    Writes to ``out``: ``recipe.json``, ``train.log``, ``last.ckpt`` (where it stands) and
    ``best.ckpt`` (highest score on val), ``logs/version_N`` (CSV and TensorBoard), ``curves.png``
    and the checkpoint folder ``<name>/``, made of the best state.

    Args:
        recipe: the recipe or its file.
        data: folders below which the recipe's data sets lie.
        out: folder of the run; default ``runs/<name>``.
        resume: go on from ``last.ckpt`` of the same run.
        export_only: make the checkpoint folder of a run that stopped or still goes on.
        progress_bar: show a bar with the remaining time.

    Returns:
        The checkpoint folder.

    Raises:
        InputError: for a recipe, data set or run folder that cannot be used.
        DependencyError: when Lightning is not installed.
        Cancelled: when the user interrupted; the run can be resumed.
    """
    declare_torchvision_operators()

    if not isinstance(recipe, Recipe):
        recipe = Recipe.read(recipe)
    out = Path(out) if out is not None else Path("runs") / recipe.name
    if export_only and (recipe.system == "clip" or trainer_of(recipe.system)):
        raise InputError(f"A run of '{recipe.system}' is exported by --resume; leave that option.")
    if recipe.epochs and (recipe.system == "clip" or trainer_of(recipe.system)):
        raise InputError(f"A run of '{recipe.system}' counts steps; leave out epochs.")
    if recipe.system == "clip":
        from .contrastive import train_clip

        _check_run(out, out / "last.pt", resume)
        return train_clip(recipe, data, out, resume=resume, progress_bar=progress_bar)
    try:
        import lightning.pytorch as pl
        from lightning.pytorch import callbacks
        from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
    except ImportError as error:
        raise DependencyError(
            "Training needs Lightning; install the extra: pip install 'textpromptseg[train]'."
        ) from error
    import torch
    from torch.utils.data import DataLoader

    from ..data.batches import BatchStream, validation_batches
    from ..text import load_text_encoder
    from .material import batch_plan, gather, in_steps, phrase_book, samplers, stream_options
    from .module import SegmenterModule
    from .state_files import LAST, read_state
    from .states import AveragedWeights, KeepLast, PlainLog, WholeFiles

    if own := trainer_of(recipe.system):
        return own(recipe, data, out, resume=resume, progress_bar=progress_bar)
    last = out / LAST
    _check_run(out, last, resume or export_only)
    done = int(read_state(last)["global_step"]) if resume else 0
    changes = _compare(recipe, out / "recipe.json", done) if resume else []
    pl.seed_everything(recipe.seed, verbose=False)
    # every wording of every name fits, so that each is encoded once
    encoder = load_text_encoder(recipe.text_spec(), cache_size=20_000)
    material = gather(recipe, [Path(d) for d in data])
    given, recipe = recipe, in_steps(recipe, material)
    network = create(recipe.system, {"text_dim": encoder.dim, **recipe.config})
    for plane in recipe.planes:
        network.check_plane(plane)
    network.attach_text_encoder(encoder)
    fit_whitening(network, encoder)
    if export_only:
        return _finish(recipe, network, material, out)
    if recipe.initial:
        _start_from(network, Path(recipe.initial))
    elif not resume:
        network.start_training()
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    module = SegmenterModule(network, recipe)
    # a resumed run logs into a folder of its own: the loggers empty the one they are given
    version = len(list((out / "logs").glob("version_*")))
    stream = BatchStream(
        samplers(recipe, material),
        phrase_book(recipe),
        encoder.encode,
        batch_plan(recipe),
        **stream_options(recipe),
        seed=recipe.seed,
        skip=done,
    )
    checks: Any = validation_batches(
        material.validation, encoder.encode, texts=batch_plan(recipe).texts >= 1
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / "recipe.json").write_text(json.dumps(given.to_dict(), indent=1), encoding="utf-8")
    extras: list[Any] = [
        callbacks.LearningRateMonitor(),
        PlainLog(out, changes),
        KeepLast(out, recipe.save_every),
        *(_choosing(recipe, out) if checks else ()),
    ]
    if recipe.ema:
        extras.append(AveragedWeights(recipe.ema))
    trainer = pl.Trainer(
        max_steps=recipe.steps,
        precision=precision_of(recipe.precision),
        logger=[CSVLogger(out, "logs", version), TensorBoardLogger(out, "logs", version)],
        callbacks=extras,
        plugins=[WholeFiles()],
        enable_progress_bar=progress_bar,
        enable_model_summary=False,
        enable_checkpointing=True,
        val_check_interval=min(recipe.validate_every, recipe.steps) if checks else None,
        check_val_every_n_epoch=None,
        limit_val_batches=1.0 if checks else 0,
        num_sanity_val_steps=0,
        log_every_n_steps=min(20, recipe.steps),
        gradient_clip_val=recipe.clip or None,
        accelerator="auto",
        devices=1,
    )
    loaders = {
        # one process makes batches while this one computes
        "train_dataloaders": DataLoader(
            stream,
            batch_size=None,
            num_workers=recipe.workers,
            prefetch_factor=3 if recipe.workers else None,
            persistent_workers=bool(recipe.workers),
        ),
        "val_dataloaders": DataLoader(checks, batch_size=None, collate_fn=None) if checks else None,
    }
    try:
        trainer.fit(module, **loaders, ckpt_path=str(last) if resume else None, weights_only=True)
    except SystemExit as end:  # Lightning's answer to Ctrl-C
        if not trainer.interrupted:
            raise
        raise Cancelled("training") from end
    draw_curves(out / "logs", out / "curves.png")
    if trainer.interrupted:
        raise Cancelled("training")
    return _finish(recipe, module.network, material, out)


def _choosing(recipe: Recipe, out: Path) -> list[Any]:
    """Return the callbacks that keep the best state and stop early, by what the recipe watches."""
    from lightning.pytorch.callbacks import EarlyStopping

    from .states import SCORE, keep_best

    if recipe.watch == "last":
        return []
    best, stop, least = (SCORE, "val/dice", 1e-4)
    if recipe.watch == "miou":
        best, stop, least = ("val/miou", "val/miou", 0.0)
    stopping = EarlyStopping(stop, mode="max", patience=recipe.patience, min_delta=least)
    return [keep_best(out, best), *([stopping] if recipe.patience else [])]


def _finish(recipe: Recipe, network: PromptedSegmenter, material: Material, out: Path) -> Path:
    """Export the best state of a run, or the last one where nothing was validated."""
    from .module import VALIDATION
    from .state_files import LAST, read_state
    from .states import BEST, load_network

    best = out / BEST
    state = read_state(best if best.is_file() else out / LAST)
    load_network(network, state)
    facts = {"step": int(state["global_step"]), **state.get(VALIDATION, {})}
    folder = export(recipe, network, material, out / recipe.name, {"validation": facts})
    if recipe.calibrate:
        logger.info(
            "calibrated: %s", calibrate(folder, material.datasets, foreign=material.foreign)
        )
    return folder


def _compare(recipe: Recipe, file: Path, done: int) -> list[str]:
    """Return what has changed since a run was begun, a sentence each.

    Args:
        recipe: how it shall go on.
        file: the recipe that it was begun with, or resumed with the last time.
        done: steps that are behind it.

    Raises:
        InputError: when system, sizes, input or text encoder are others, or the number of steps
            after the rate of a trapezoid began to go down.
    """
    if not file.is_file():
        return []
    begun = Recipe.read(file)
    before, now = (json.loads(json.dumps(r.to_dict())) for r in (begun, recipe))
    changed = [key for key in now if now[key] != before[key]]
    fixed = {"system", "config", "input", "text_encoder"} & set(changed)
    if fixed:
        raise InputError(
            f"The run has another {' and '.join(sorted(fixed))} than the recipe; use another "
            "--out folder."
        )
    top = round((1 - begun.decay) * begun.steps)
    if begun.schedule == "trapezoid" and done > top and {"steps", "decay"} & set(changed):
        raise InputError(
            f"The run's learning rate goes down since step {top}, so that its steps and decay "
            "cannot be changed any more; start another run with 'initial' from its checkpoint."
        )
    return [f"{key} is now {now[key]!s:.60}, was {before[key]!s:.60}" for key in changed]


def _check_run(out: Path, last: Path, resume: bool) -> None:
    """Refuse to resume nothing, and to write over a run."""
    if resume and not last.is_file():
        raise InputError(
            f"There is no run to resume in '{out}' (no {last.name}); leave out --resume."
        )
    if not resume and last.is_file():
        raise InputError(f"'{out}' already holds a run; use --resume or another --out folder.")


def _start_from(network: Any, folder: Path) -> None:
    """Copy the weights of another checkpoint of the same sizes."""
    config = read_config(folder)
    verify_weights(folder, config)
    load_weights(network, folder / WEIGHTS, str(config["name"]))
