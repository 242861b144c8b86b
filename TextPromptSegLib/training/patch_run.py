"""Training on patches with a critic: one recipe, every ratio of synthetic patches, every seed.

Reached from `training.train` for systems whose `trainer` names `train_patches`. It writes the
paper's tables and figures and exports the checkpoint that the validation split prefers.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning.pytorch as pl
import numpy as np
import torch
from torch.utils.data import DataLoader

from ..data.artefacts import AugmentConfig
from ..data.patches import (
    PatchPlan,
    PatchSampler,
    PatchStream,
    PeakPlaces,
    Place,
    fixed_batches,
)
from ..outcome import Cancelled, InputError
from ..systems.patch_unet_vae.objective import make_critic
from ..systems.patch_unet_vae.perceptual import VGGFeatureLoss, vgg16_features
from ..systems.patch_unet_vae.system import sentence_vectors
from ..systems.registry import create
from ..text import load_text_encoder
from .adversarial import AdversarialModule, AdversarialPlan, load_state, save_state
from .calibrate import calibrate
from .calibrate_regions import calibrate_regions
from .curves import draw_curves
from .export import export, precision_of, whitening_texts
from .material import gather, phrase_book
from .patch_peaks import find_peaks
from .patch_study import write_study
from .recipe import Recipe
from .state_files import LAST, read_state
from .states import WholeFiles

if TYPE_CHECKING:
    from ..systems.patch_unet_vae.system import PatchUNetVAE
    from .material import Material

logger = logging.getLogger(__name__)

BEST, DONE = "best.safetensors", "done.json"


@dataclass
class _Run:
    """What the runs of a study share."""

    recipe: Recipe
    plan: AdversarialPlan
    material: Material
    encoder: Any
    names: list[str]
    perceptual: torch.nn.Module | None
    progress_bar: bool
    peaks: PeakPlaces | None = None


def train_patches(
    recipe: Recipe,
    data: Sequence[str | Path] = (),
    out: str | Path | None = None,
    *,
    resume: bool = False,
    progress_bar: bool = True,
) -> Path:
    """Train every (ratio, seed) of a recipe, measure, export the best (see `training.train`).

    Writes to ``out``: ``recipe.json``, a folder ``ratio_R-seed_S`` for each run with its logs and
    `last.ckpt`, the tables and figures of `training.patch_study`, and the checkpoint folder.
    An interrupted study goes on with ``resume``: finished runs stay, the last one continues.

    Returns:
        The checkpoint folder of the run with the best validation Dice.

    Raises:
        InputError: for a recipe, data set or run folder that cannot be used.
        Cancelled: when the user interrupted.
    """
    plan = AdversarialPlan.of(recipe)
    out = Path(out) if out is not None else Path("runs") / recipe.name
    if resume != (out / "recipe.json").is_file():
        raise InputError(
            f"There is no run to resume in '{out}'; leave out --resume."
            if resume
            else f"'{out}' already holds a run; use --resume or another --out folder."
        )
    encoder = load_text_encoder(recipe.text_spec(), cache_size=20_000)
    material = gather(recipe, [Path(folder) for folder in data])
    names = sorted(material.modalities)
    out.mkdir(parents=True, exist_ok=True)
    (out / "recipe.json").write_text(json.dumps(recipe.to_dict(), indent=1), encoding="utf-8")
    perceptual = None
    if recipe.config.get("perceptual", "vgg16") == "vgg16":
        perceptual = VGGFeatureLoss(vgg16_features())
    patches = PatchPlan(**plan.patches)
    peaks = None
    if patches.peaks:
        where = recipe.config.get("localiser", {})
        peaks = find_peaks(material.train, names, encoder, where, patches.size)
    shared = _Run(recipe, plan, material, encoder, names, perceptual, progress_bar, peaks)
    networks = {}
    for ratio, seed in plan.runs(recipe):
        logger.info("ratio %g, seed %d", ratio, seed)
        networks[ratio, seed] = train_one(shared, ratio, seed, out / run_name(ratio, seed))

    best, metrics = write_study(out, recipe, plan, networks, encoder, [Path(d) for d in data])
    folder = export(recipe, networks[best], material, out / recipe.name, metrics)
    if recipe.calibrate:
        if networks[best].locates:
            summary = calibrate_regions(folder, material.datasets)
        else:
            summary = calibrate(folder, material.datasets, foreign=material.foreign)
        logger.info("calibrated: %s", summary)
    return folder


def run_name(ratio: float, seed: int) -> str:
    """Return the folder's name of one run."""
    return f"ratio_{ratio:g}-seed_{seed}"


def build(recipe: Recipe, encoder: Any, seed: int) -> PatchUNetVAE:
    """Return the recipe's network with random weights that depend on the seed only."""
    pl.seed_everything(seed, verbose=False)
    dim = getattr(encoder, "token_dim", encoder.dim)
    network: Any = create(recipe.system, {"text_dim": dim, **recipe.config})
    for plane in recipe.planes:
        network.check_plane(plane)
    network.attach_text_encoder(encoder)
    if network.config.text != "none":
        network.whiten.fit(sentence_vectors(encoder.encode(whitening_texts())))
    return network.to(memory_format=torch.channels_last)


def train_one(shared: _Run, ratio: float, seed: int, folder: Path) -> PatchUNetVAE:
    """Train one network, or go on with it, or read it where it is finished.

    Returns:
        The network with the weights of the best validation.
    """
    from lightning.pytorch import callbacks
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

    recipe, plan, material = shared.recipe, shared.plan, shared.material
    network = build(recipe, shared.encoder, seed)
    best, done, last = folder / BEST, folder / DONE, folder / LAST
    if done.is_file():
        load_state(network, best)
        return network.eval()
    patches = PatchPlan(**plan.patches)
    weights = {Path(e.name).name: e.weight for e in recipe.data}
    sampler = PatchSampler(
        material.train, shared.names, weights, patches, recipe.name_weights, shared.peaks
    )
    checks: list[Place] = []
    if any(set(item.masks) & set(shared.names) for item in material.validation):
        fixed = PatchSampler(material.validation, shared.names, weights, patches).fixed()
        spread = np.linspace(0, len(fixed) - 1, min(len(fixed), plan.checks))
        checks = [fixed[i] for i in spread.astype(int)]
    skip = 0
    if last.is_file():
        skip = int(read_state(last)["patch_steps"])
    stream = PatchStream(
        sampler,
        phrase_book(recipe),
        shared.encoder.encode,
        None if recipe.augment is None else AugmentConfig(**recipe.augment),
        seed,
        skip,
    )
    module = AdversarialModule(
        network, make_critic(network.config), recipe, plan, ratio, shared.perceptual, best
    )
    module.critic.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    version = len(list((folder / "logs").glob("version_*")))
    trainer = pl.Trainer(
        max_epochs=1,
        limit_train_batches=recipe.steps,
        precision=precision_of(recipe.precision),
        logger=[CSVLogger(folder, "logs", version), TensorBoardLogger(folder, "logs", version)],
        callbacks=[
            callbacks.ModelCheckpoint(
                dirpath=folder, save_top_k=0, save_last=True, every_n_train_steps=300
            )
        ],
        plugins=[WholeFiles()],
        enable_progress_bar=shared.progress_bar,
        enable_model_summary=False,
        val_check_interval=min(recipe.validate_every, recipe.steps) if checks else None,
        limit_val_batches=1.0 if checks else 0,
        num_sanity_val_steps=0,
        log_every_n_steps=min(20, recipe.steps),
        accelerator="auto",
        devices=1,
    )
    loaders = {
        "train_dataloaders": DataLoader(stream, batch_size=None, num_workers=recipe.workers),
        "val_dataloaders": DataLoader(
            fixed_batches(checks, shared.encoder.encode, patches.size),  # type: ignore[arg-type]
            batch_size=None,
            collate_fn=None,
        ),
    }
    trainer.fit(
        module, **loaders, ckpt_path=str(last) if last.is_file() else None, weights_only=True
    )
    if trainer.interrupted:
        raise Cancelled("training")
    if not best.is_file():  # without validation cases the last weights are the best known
        save_state(network, best)
    load_state(network, best)
    draw_curves(folder / "logs", folder / "curves.png")
    done.write_text(json.dumps({"ratio": ratio, "seed": seed, "steps": recipe.steps}))
    return network.eval()
