"""Generator and critic in turn: two optimisers, synthetic patches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning.pytorch as pl
import torch

from ..checkpoints.layout import write_atomically
from ..checkpoints.weights import load_weights
from ..data.patches import PatchPlan
from ..outcome import InputError
from ..systems.patch_unet_vae.objective import critic_loss
from .recipe import Recipe

if TYPE_CHECKING:
    from ..systems.patch_unet_vae.system import PatchUNetVAE


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
        synthetic: where synthetic patches come from. ``posterior``: a real patch's code is drawn
            anew between its own skips, its mask stays; that is little more than its
            reconstruction. ``prior``: code from the prior, skips dropped, picture and mask as the
            two heads draw them; needs a network with ``skips: dropout``. ``both``: half of each.
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
    synthetic: str = "posterior"
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
        if plan.synthetic not in ("posterior", "prior", "both"):
            raise InputError("The recipe's synthetic patches are posterior, prior or both.")
        if plan.synthetic != "posterior" and recipe.config.get("skips") != "dropout":
            raise InputError(
                "Patches drawn from the prior have no skips: a network that is to make them is "
                'trained with "skips": "dropout" in the recipe\'s config.'
            )
        return plan

    def runs(self, recipe: Recipe) -> list[tuple[float, int]]:
        """Return (ratio, seed) of every run."""
        seeds = self.seeds or (recipe.seed,)
        return [(float(ratio), int(seed)) for ratio in self.ratios for seed in seeds]


def with_synthetic(
    batch: Mapping[str, Any],
    network: PatchUNetVAE,
    ratio: float,
    temperature: float,
    synthetic: str = "posterior",
) -> dict[str, Any]:
    """Return the batch with synthetic patches of some of its real ones behind them.

    Args:
        batch: real patches.
        network: makes them, as it is now: they are new in every epoch.
        ratio: synthetic per real patch.
        temperature: of the noise.
        synthetic: see `AdversarialPlan`.
    """
    real = len(batch["image"])
    count = round(ratio * real)
    if not count:
        return {**batch, "real": real}
    rows = torch.cat([torch.randperm(real) for _ in range(math.ceil(ratio))])[:count]
    rows = rows.to(batch["image"].device)
    drawn = {"posterior": 0, "prior": count, "both": count // 2}[synthetic]
    redrawn, imagined = rows[drawn:], rows[:drawn]  # the real patch lends the latter its text only
    masks, pictures = [], []
    if drawn:
        sentence = network.sentence(batch["text"].index(imagined))
        picture, logits = network.net.imagine(drawn, sentence, temperature)
        pictures.append(picture)
        masks.append((logits > 0).to(batch["mask"].dtype))
    if len(redrawn):
        patches = batch["image"][redrawn] * 2.0 - 1.0
        sentence = network.sentence(batch["text"].index(redrawn))
        pictures.append(network.net.synthesise(patches, sentence, temperature))
        masks.append(batch["mask"][redrawn])
    made, mask = torch.cat(pictures), torch.cat([batch["mask"], *masks])
    both = torch.cat([torch.arange(real, device=rows.device), rows])
    image = torch.cat([batch["image"], (made + 1.0) / 2.0])
    return {
        **batch,
        "image": image.contiguous(memory_format=torch.channels_last),
        "index": torch.arange(real + count, device=rows.device),
        "text": batch["text"].index(both),
        "mask": mask,
        "present": mask.flatten(1).any(1).to(batch["present"].dtype),
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
        warm = self._steps >= self.plan.warmup
        ratio, plan = self.ratio if warm else 0.0, self.plan
        batch = with_synthetic(batch, self.network, ratio, plan.temperature, plan.synthetic)
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


def save_state(network: torch.nn.Module, path: Path) -> None:
    """Write all tensors of a network, without those of named encoders."""
    from safetensors.torch import save

    frozen = tuple(getattr(network, "frozen_prefixes", ())) or ("\0",)
    state = {
        key: value.detach().cpu().contiguous().clone()
        for key, value in network.state_dict().items()
        if not key.startswith(frozen)
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, save(state))


def load_state(network: torch.nn.Module, path: Path) -> None:
    """Read what `save_state` wrote; every tensor is accounted for."""
    load_weights(network, path, path.parent.name)
