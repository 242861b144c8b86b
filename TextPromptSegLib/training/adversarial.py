"""Training with a critic on patches: two optimisers, synthetic patches, a study of their ratio.

Reached from `training.train` for systems whose `trainer` names `train_patches`. One recipe trains
every ratio of synthetic to real patches with every seed, writes the paper's tables and figures,
and exports the checkpoint that the validation split prefers.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from ..data.augment import AugmentConfig
from ..data.patches import PatchPlan, PatchSampler, Place, augmented, cut
from ..outcome import Cancelled, InputError
from .recipe import Recipe

if TYPE_CHECKING:
    from ..data.phrases import PhraseBook
    from ..systems.patch_unet_vae.system import PatchUNetVAE
    from .material import Material

logger = logging.getLogger(__name__)

BEST, DONE = "best.safetensors", "done.json"


@dataclass(frozen=True)
class AdversarialPlan:
    """The ``trainer`` values of a recipe.

    Attributes:
        ratios: synthetic patches per real patch; more than one makes a study.
        seeds: of weights and batches; None = the recipe's.
        warmup: steps before the critic counts and the first synthetic patches come.
        critic_lr: learning rate of the critic.
        betas: of both Adam optimisers.
        temperature: of the synthetic patches' noise.
        schedule: ``constant`` (the paper names none) or ``cosine`` down to the recipe's
            ``min_lr``, after the recipe's ``warmup`` steps.
        patches: `PatchPlan` values.
        checks: most validation patches.
        figures: rows of the figure of test patches.
    """

    ratios: tuple[float, ...] = (0.0,)
    seeds: tuple[int, ...] | None = None
    warmup: int = 500
    critic_lr: float = 1e-4
    betas: tuple[float, float] = (0.5, 0.999)
    temperature: float = 1.0
    schedule: str = "constant"
    patches: Mapping[str, Any] = field(default_factory=dict)
    checks: int = 400
    figures: int = 4

    @classmethod
    def of(cls, recipe: Recipe) -> AdversarialPlan:
        """Read a recipe's ``trainer``.

        Raises:
            InputError: for unknown keys or impossible values.
        """
        try:
            plan = cls(**recipe.trainer)
            PatchPlan(**plan.patches)
        except TypeError as error:
            raise InputError(f"The recipe's trainer cannot be used: {error}.") from error
        if not plan.ratios or any(not 0.0 <= r <= 4.0 for r in plan.ratios):
            raise InputError("The recipe's ratios lie between 0 and 4 synthetic per real patch.")
        if plan.schedule not in ("constant", "cosine"):
            raise InputError("The recipe's schedule is constant or cosine.")
        return plan

    def runs(self, recipe: Recipe) -> list[tuple[float, int]]:
        """Return (ratio, seed) of every run."""
        seeds = self.seeds or (recipe.seed,)
        return [(float(ratio), int(seed)) for ratio in self.ratios for seed in seeds]


class PatchStream(IterableDataset):
    """An endless stream of batches of real patches for `PatchUNetVAE.loss`.

    Args:
        sampler: draws patches.
        phrases: wording of the prompts.
        encode: texts -> features (cached by the encoder).
        augment: ranges, or None for none.
        seed: of the first batch.
        skip: batches already used.
    """

    def __init__(
        self,
        sampler: PatchSampler,
        phrases: PhraseBook,
        encode: Any,
        augment: AugmentConfig | None,
        seed: int,
        skip: int = 0,
    ) -> None:
        self.sampler, self.phrases, self.encode = sampler, phrases, encode
        self.augment, self.seed, self.skip = augment, seed, skip

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield batches; the stream depends on seed and skip only."""
        number = self.skip
        plan = self.sampler.plan
        while True:
            rng = np.random.default_rng((self.seed, number))
            places = self.sampler.draw(plan.batch, rng)
            images, masks = augmented(places, plan, self.augment, rng)
            words = [self.phrases.draw(place.name, rng) for place in places]
            yield patch_batch(images, masks, self.encode(words))
            number += 1


def patch_batch(images: Tensor, masks: Tensor, text: Any) -> dict[str, Any]:
    """Return a batch of patches, one pair each."""
    return {
        "image": images.contiguous(memory_format=torch.channels_last),
        "index": torch.arange(len(images)),
        "text": text,
        "mask": masks,
        "present": masks.flatten(1).any(1).float(),
    }


def fixed_batches(places: Sequence[Place], encode: Any, size: int) -> list[dict[str, Any]]:
    """Return centred patches in batches; ``names`` and ``datasets`` say what each one is."""
    result = []
    for start in range(0, len(places), 32):
        chunk = places[start : start + 32]
        images, masks = cut(chunk, size)
        batch = patch_batch(images, masks, encode([place.name for place in chunk]))
        batch["names"] = [place.name for place in chunk]
        batch["datasets"] = [place.item.dataset for place in chunk]
        result.append(batch)
    return result


def with_synthetic(
    batch: Mapping[str, Any], network: PatchUNetVAE, ratio: float, temperature: float
) -> dict[str, Any]:
    """Return the batch with synthetic patches of some of its real ones behind them.

    Args:
        batch: real patches.
        network: makes them, as it is now: they are new in every epoch.
        ratio: synthetic per real patch.
        temperature: of the noise.
    """
    real = len(batch["image"])
    count = round(ratio * real)
    if not count:
        return {**batch, "real": real}
    rows = torch.cat([torch.randperm(real) for _ in range(math.ceil(ratio))])[:count]
    rows = rows.to(batch["image"].device)
    text = batch["text"].index(rows)
    patches = batch["image"][rows] * 2.0 - 1.0
    made = network.net.synthesise(patches, network.sentence(text), temperature)
    both = torch.cat([torch.arange(real, device=rows.device), rows])
    image = torch.cat([batch["image"], (made + 1.0) / 2.0])
    return {
        **batch,
        "image": image.contiguous(memory_format=torch.channels_last),
        "index": torch.arange(real + count, device=rows.device),
        "text": batch["text"].index(both),
        "mask": batch["mask"][both],
        "present": batch["present"][both],
        "real": real,
    }


class AdversarialModule(pl.LightningModule):
    """Generator and critic in turn; scores the validation patches by Dice and PSNR.

    Args:
        network: the generator.
        critic: the discriminator.
        recipe: learning rates and steps.
        plan: warm-up and the like.
        ratio: synthetic per real patch.
        perceptual: compares two batches of patches, or None.
        keep: where the weights of the best validation are written.
    """

    def __init__(
        self,
        network: PatchUNetVAE,
        critic: torch.nn.Module,
        recipe: Recipe,
        plan: AdversarialPlan,
        ratio: float,
        perceptual: torch.nn.Module | None = None,
        keep: Path | None = None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network, self.critic, self.perceptual = network, critic, perceptual
        self.recipe, self.plan, self.ratio = recipe, plan, ratio
        self._scores: dict[tuple[str, str], list[float]] = {}
        self._squared: list[float] = []
        self._steps = 0
        self._keep, self._best = keep, -1.0

    def training_step(self, batch: dict[str, Any], index: int) -> None:
        """One step of the generator and, after the warm-up, one of the critic."""
        from ..systems.patch_unet_vae.objective import critic_loss

        warm = self._steps >= self.plan.warmup
        batch = with_synthetic(
            batch, self.network, self.ratio if warm else 0.0, self.plan.temperature
        )
        optimizers: Any = self.optimizers()
        generator, critic = optimizers
        self._set_rates(optimizers)
        adversarial = warm and self.network.config.adversarial_weight > 0
        self.critic.requires_grad_(False)
        terms = self.network.loss(
            {**batch, "critic": self.critic if adversarial else None, "perceptual": self.perceptual}
        )
        made = terms.pop("reconstruction")[: batch["real"]].detach()
        terms.pop("logits")
        generator.zero_grad()
        self.manual_backward(terms["loss"])
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        generator.step()
        if adversarial:
            self.critic.requires_grad_(True)
            real = batch["image"][: batch["real"]] * 2.0 - 1.0
            terms["critic"] = critic_loss(self.critic, real, made)
            critic.zero_grad()
            self.manual_backward(terms["critic"])
            critic.step()
        self._steps += 1
        for name, value in terms.items():
            self.log(f"train/{name}", value.detach(), prog_bar=name == "loss", batch_size=1)

    def validation_step(self, batch: dict[str, Any], index: int) -> None:
        """Score every patch."""
        terms = self.network.loss(batch)
        wrong = (terms["reconstruction"] - (batch["image"] * 2.0 - 1.0)).square()
        self._squared += wrong.flatten(1).mean(1).tolist()
        found, truth = terms["logits"] > 0, batch["mask"] > 0
        both = (found & truth).flatten(1).sum(1)
        size = found.flatten(1).sum(1) + truth.flatten(1).sum(1)
        dice = (2 * both / size.clamp_min(1)).tolist()
        for row, key in enumerate(zip(batch["datasets"], batch["names"], strict=True)):
            if batch["present"][row]:  # jitter may have moved a tiny part out of the patch
                self._scores.setdefault(key, []).append(dice[row])

    def on_validation_epoch_end(self) -> None:
        """Log the mean Dice over structures and the mean PSNR."""
        means = {key: sum(v) / len(v) for key, v in self._scores.items() if v}
        if means:
            score = sum(means.values()) / len(means)
            self.log("val/dice", score, prog_bar=True)
            if self._keep is not None and score > self._best:
                self._best = score
                save_state(self.network, self._keep)
            psnr = [10 * math.log10(4.0 / max(value, 1e-12)) for value in self._squared]
            self.log("val_psnr", sum(psnr) / len(psnr))
        for (dataset, name), value in means.items():
            self.log(f"val_dice/{dataset}/{name}", value)
        self._scores.clear()
        self._squared.clear()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Remember the batches that were used (Lightning counts the steps of both optimisers)."""
        checkpoint["patch_steps"], checkpoint["patch_best"] = self._steps, self._best

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on after them."""
        self._steps, self._best = int(checkpoint["patch_steps"]), float(checkpoint["patch_best"])

    def configure_optimizers(self) -> Any:
        """Two Adam optimisers; their rates follow in `_set_rates`."""
        recipe, plan = self.recipe, self.plan
        pairs = ((self.network, recipe.lr), (self.critic, plan.critic_lr))
        optimizers = [
            torch.optim.Adam([*m.parameters()], lr=rate, betas=tuple(plan.betas))  # type: ignore[arg-type]
            for m, rate in pairs
        ]
        return optimizers

    def _set_rates(self, optimizers: Sequence[Any]) -> None:
        """Set both learning rates for this step."""
        recipe, plan, step = self.recipe, self.plan, self._steps
        factor = 1.0
        if plan.schedule == "cosine" and step < recipe.warmup:
            factor = (step + 1) / recipe.warmup
        elif plan.schedule == "cosine":
            done = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
            floor = recipe.min_lr / recipe.lr
            factor = floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        for optimizer, rate in zip(optimizers, (recipe.lr, plan.critic_lr), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor


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
    `last.ckpt`, the tables and figures of `evaluation.patch_study`, and the checkpoint folder.
    An interrupted study goes on with ``resume``: finished runs stay, the last one continues.

    Returns:
        The checkpoint folder of the run with the best validation Dice.

    Raises:
        InputError: for a recipe, data set or run folder that cannot be used.
        Cancelled: when the user interrupted.
    """
    from ..text import load_text_encoder
    from .calibrate import calibrate
    from .material import gather
    from .run import export

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
        from ..systems.patch_unet_vae.perceptual import VGGFeatureLoss, vgg16_features

        perceptual = VGGFeatureLoss(vgg16_features())
    shared = _Run(recipe, plan, material, encoder, names, perceptual, progress_bar)
    networks = {}
    for ratio, seed in plan.runs(recipe):
        logger.info("ratio %g, seed %d", ratio, seed)
        networks[ratio, seed] = train_one(shared, ratio, seed, out / run_name(ratio, seed))
    from ..evaluation.patch_study import write_study

    best, metrics = write_study(out, recipe, plan, networks, encoder, [Path(d) for d in data])
    folder = export(recipe, networks[best], material, out / recipe.name, metrics)
    if recipe.calibrate:
        logger.info("calibrated: %s", calibrate(folder, material.datasets))
    return folder


def run_name(ratio: float, seed: int) -> str:
    """Return the folder's name of one run."""
    return f"ratio_{ratio:g}-seed_{seed}"


def build(recipe: Recipe, encoder: Any, seed: int) -> PatchUNetVAE:
    """Return the recipe's network with random weights that depend on the seed only."""
    from ..registry import create
    from ..systems.patch_unet_vae.system import sentence_vectors
    from .run import whitening_texts

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

    from ..systems.patch_unet_vae.objective import make_critic
    from .curves import draw_curves
    from .material import phrase_book
    from .run import _precision

    recipe, plan, material = shared.recipe, shared.plan, shared.material
    network = build(recipe, shared.encoder, seed)
    best, done, last = folder / BEST, folder / DONE, folder / "last.ckpt"
    if done.is_file():
        load_state(network, best)
        return network.eval()
    patches = PatchPlan(**plan.patches)
    weights = {Path(e.name).name: e.weight for e in recipe.data}
    sampler = PatchSampler(material.train, shared.names, weights, patches, recipe.name_weights)
    checks: list[Place] = []
    if any(set(item.masks) & set(shared.names) for item in material.validation):
        fixed = PatchSampler(material.validation, shared.names, weights, patches).fixed()
        spread = np.linspace(0, len(fixed) - 1, min(len(fixed), plan.checks))
        checks = [fixed[i] for i in spread.astype(int)]
    skip = 0
    if last.is_file():
        skip = int(torch.load(last, map_location="cpu", weights_only=False)["patch_steps"])
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
        precision=_precision(recipe.precision),
        logger=[CSVLogger(folder, "logs", version), TensorBoardLogger(folder, "logs", version)],
        callbacks=[
            callbacks.ModelCheckpoint(
                dirpath=folder, save_top_k=0, save_last=True, every_n_train_steps=300
            )
        ],
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
        module, **loaders, ckpt_path=str(last) if last.is_file() else None, weights_only=False
    )
    if trainer.interrupted:
        raise Cancelled("training")
    if not best.is_file():  # without validation cases the last weights are the best known
        save_state(network, best)
    load_state(network, best)
    draw_curves(folder / "logs", folder / "curves.png")
    done.write_text(json.dumps({"ratio": ratio, "seed": seed, "steps": recipe.steps}))
    return network.eval()


def save_state(network: torch.nn.Module, path: Path) -> None:
    """Write all tensors of a network."""
    from safetensors.torch import save_file

    state = {k: v.detach().cpu().contiguous().clone() for k, v in network.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, str(path))


def load_state(network: torch.nn.Module, path: Path) -> None:
    """Read what `save_state` wrote."""
    from safetensors.torch import load_file

    network.load_state_dict(load_file(str(path)))
