"""The Lightning module that trains any `PromptedSegmenter`."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from ..systems.base import PromptedSegmenter
from .recipe import Recipe

ALARM_COST = 0.25
"""What a validation in which every absent structure is found loses of its mean Dice."""
VALIDATION = "validation"
"""Key of a saved state that holds the scores of the last validation before it."""


class SegmenterModule(pl.LightningModule):
    """Optimises a system's own objective; scores the validation pairs by Dice.

    Args:
        network: the system.
        recipe: learning rates, steps, whether to compile.
    """

    def __init__(self, network: PromptedSegmenter, recipe: Recipe) -> None:
        super().__init__()
        self.network = network
        self.recipe = recipe
        self._scores: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._present: list[tuple[float, float]] = []
        self._alarms: dict[str, list[float]] = defaultdict(list)
        self._pooled: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._validation: dict[str, float] = {}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Let a state say how good it was."""
        checkpoint[VALIDATION] = dict(self._validation)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Know the scores of before."""
        self._validation = dict(checkpoint.get(VALIDATION, {}))

    def on_fit_start(self) -> None:
        """Compile the two halves of the network once, where the recipe asks for it."""
        if self.recipe.compile:
            net = self.network
            net.encode_image = torch.compile(net.encode_image, dynamic=False)  # type: ignore[method-assign]
            net.decode = torch.compile(net.decode, dynamic=False)  # type: ignore[method-assign]

    def on_train_start(self) -> None:
        """Learn at the recipe's rate, also where a state was saved with another one."""
        optimizer: Any = self.optimizers(use_pl_optimizer=False)
        schedule: Any = self.lr_schedulers()
        rate = self.recipe.lr * rate_factor(self.recipe, self.global_step)
        for group in optimizer.param_groups:
            group.update(lr=rate, initial_lr=self.recipe.lr)
        optimizer.param_groups[0]["weight_decay"] = self.recipe.weight_decay
        schedule.base_lrs = [self.recipe.lr] * len(schedule.base_lrs)

    def training_step(self, batch: Mapping[str, Any], index: int) -> Tensor:
        """Return the loss of one batch and log its terms."""
        terms = self.network.loss(batch)
        terms.pop("logits", None)
        for name, value in terms.items():
            self.log(
                f"train/{name}", value.detach(), prog_bar=name == "loss", batch_size=len(batch)
            )
        return terms["loss"]

    def validation_step(self, batch: Mapping[str, Any], index: int) -> None:
        """Score every pair: Dice where present, alarms where absent."""
        # the plain methods: validation batches have many shapes, compiling each would not pay
        net, cls = self.network, type(self.network)
        images = batch["image"].float().div(255).contiguous(memory_format=torch.channels_last)
        features = cls.encode_image(net, images)
        for start in range(0, len(batch["index"]), 16):
            rows = slice(start, start + 16)
            part = net.index_features(features, batch["index"][rows])
            logits, presence = cls.decode(net, part, batch["text"].index(rows))
            inside = batch["valid"].index_select(0, batch["index"][rows]) > 0
            predicted = (logits.float() > 0) & inside
            seen = presence.float().sigmoid()
            truth = batch["mask"][rows] > 0
            overlap = (predicted & truth).flatten(1).sum(1)
            size = predicted.flatten(1).sum(1) + truth.flatten(1).sum(1)
            for row, there in enumerate(batch["present"][rows].tolist()):
                key = (batch["dataset"][start + row], batch["names"][start + row])
                self._present.append((float(seen[row]), there))
                both = float(overlap[row])
                self._pooled[key][0] += both
                self._pooled[key][1] += float(size[row]) - both
                if there:
                    self._scores[key].append(float(2 * overlap[row] / size[row].clamp_min(1)))
                else:
                    self._alarms[key[0]].append(float(predicted[row].any() and seen[row] > 0.5))

    def on_validation_epoch_end(self) -> None:
        """Log the mean over structures, each structure, and the answers to absent prompts."""
        if not self._scores:
            return
        means = {key: sum(v) / len(v) for key, v in self._scores.items()}
        by_set: dict[str, list[float]] = defaultdict(list)
        for (dataset, _), value in means.items():
            by_set[dataset].append(value)
        sets = {name: sum(v) / len(v) for name, v in by_set.items()}
        dice = sum(sets.values()) / len(sets)
        answers = [answer for found in self._alarms.values() for answer in found]
        alarms = sum(answers) / max(1, len(answers))
        right = [float((p > 0.5) == (t > 0.5)) for p, t in self._present]
        pooled = [both / union for key, (both, union) in self._pooled.items() if key in means]
        scores = {
            "val/dice": dice,
            "val/miou": sum(pooled) / len(pooled),
            "val/score": dice - ALARM_COST * alarms,
            "val/presence_accuracy": sum(right) / len(right),
            "val/false_alarms": alarms,
            **{f"val_set/{dataset}": value for dataset, value in sets.items()},
            **{f"val_alarms/{name}": sum(v) / len(v) for name, v in self._alarms.items()},
            **{f"val_dice/{dataset}/{name}": value for (dataset, name), value in means.items()},
        }
        self._validation = {key: round(value, 4) for key, value in scores.items()}
        for key, value in scores.items():
            self.log(key, value, prog_bar=key == "val/dice")
        self._scores.clear()
        self._pooled.clear()
        self._present.clear()
        self._alarms.clear()

    def configure_optimizers(self) -> Any:
        """AdamW or Adam, and the recipe's schedule (`rate_factor`).

        There is no decay on norms, biases and gains, unless the recipe wants it.
        """
        recipe = self.recipe
        decay: list[torch.nn.Parameter] = []
        plain: list[torch.nn.Parameter] = []
        for parameter in self.network.parameters():
            (decay if recipe.decay_all or parameter.ndim > 1 else plain).append(parameter)
        kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
        optimizer = kind(
            [
                {"params": decay, "weight_decay": recipe.weight_decay},
                {"params": plain, "weight_decay": 0.0},
            ],
            lr=recipe.lr,
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: rate_factor(recipe, step)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def rate_factor(recipe: Recipe, step: int) -> float:
    """Return what the peak learning rate is multiplied by at a step."""
    floor = recipe.min_lr / recipe.lr
    if step < recipe.warmup:
        return (step + 1) / recipe.warmup
    if recipe.schedule == "trapezoid":
        left = (recipe.steps - step) / max(1.0, recipe.decay * recipe.steps)
        return floor + (1 - floor) * min(1.0, max(0.0, left))
    done = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
