"""The states of a run: the best on validation, the last one, and a log that a person reads."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Checkpoint, ModelCheckpoint, WeightAveraging
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import Tensor

from ..outcome import InputError
from .state_files import LAST, write_state

BEST, LOG = "best.ckpt", "train.log"
SCORE = "val/score"
_PREFIX = "network."

logger = logging.getLogger(__name__)


class WholeFiles(TorchCheckpointIO):
    """Writes the trainer's states with `write_state`.

    Lightning's own way goes through the system's folder for temporary files, from where a file is
    copied, not renamed, to another disk.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write a state; there are no storage options."""
        write_state(Path(path), checkpoint)


def keep_best(folder: Path, score: str = SCORE) -> ModelCheckpoint:
    """Return the callback that keeps the state with the highest score in ``best.ckpt``."""
    return ModelCheckpoint(
        dirpath=folder,
        filename=Path(BEST).stem,
        monitor=score,
        mode="max",
        enable_version_counter=False,
        save_on_train_epoch_end=False,
    )


class AveragedWeights(WeightAveraging):
    """Keeps the weights averaged over the last steps; validation and `best.ckpt` are of them.

    An exponential average, over fewer steps at the beginning: a network that has moved far cannot
    be averaged with what it was drawn as (with 0.999 from the first step on, a U-Net whose own
    weights had Dice 0.77 drew nothing at step 1800). Statistics of norms are averaged as well.

    Args:
        decay: of the average; reached after about 9 / (1 - decay) steps.
    """

    def __init__(self, decay: float) -> None:
        def average(mean: Tensor, now: Tensor, count: Tensor | int) -> Tensor:
            share = min(decay, (1 + int(count)) / (10 + int(count)))
            return share * mean + (1 - share) * now

        super().__init__(avg_fn=average)


class KeepLast(Checkpoint):
    """Keeps the state as it is now in ``last.ckpt``, whatever validation says of it.

    Saved every few steps, after each validation, at the end and when the user interrupts; the
    file is replaced as a whole, so that a kill in the middle leaves the one before.

    Args:
        folder: of the run.
        every: steps between two savings.
    """

    def __init__(self, folder: Path, every: int) -> None:
        super().__init__()
        self.path, self.every = folder / LAST, every
        self._saved = -1

    def _save(self, trainer: pl.Trainer) -> None:
        if trainer.global_step != self._saved and trainer.global_step > 0:
            trainer.save_checkpoint(self.path)
            self._saved = trainer.global_step

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        """Save every few steps, and the end before averaged weights replace what was trained."""
        if trainer.global_step % self.every == 0 or trainer.global_step == trainer.max_steps:
            self._save(trainer)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save with the callbacks' knowledge of the best."""
        self._saved = -1
        self._save(trainer)

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Save where the user interrupted; in a validation averaged weights are in its place."""
        if isinstance(exception, KeyboardInterrupt) and not trainer.validating:
            self._save(trainer)


class PlainLog(pl.Callback):
    """Writes ``train.log``: a line every few steps, and the scores of each validation.

    Args:
        folder: of the run.
        remarks: what is written at its start.
        every: steps between two lines.
    """

    def __init__(self, folder: Path, remarks: Sequence[str] = (), every: int = 50) -> None:
        self.path, self.remarks, self.every = folder / LOG, remarks, every
        self._began, self._from = 0.0, 0

    def _write(self, text: str) -> None:
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{stamp} {text}\n")

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say where the run goes on."""
        self._began, self._from = time.monotonic(), trainer.global_step
        self._write(f"step {trainer.global_step} of {trainer.max_steps}: start")
        for remark in self.remarks:
            self._write(remark)

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        """Write the speed, the time that is left and the terms of the loss."""
        step = trainer.global_step
        if step % self.every or step <= self._from:
            return
        now = time.monotonic()
        speed = (step - self._from) / max(1e-9, now - self._began)
        left = timedelta(seconds=round((trainer.max_steps - step) / speed))
        terms = {
            key.removeprefix("train/"): float(value)
            for key, value in trainer.callback_metrics.items()
            if key.startswith("train/")
        }
        words = " ".join(f"{key} {value:.3f}" for key, value in terms.items())
        self._write(f"step {step} {speed:.2f}/s left {left} {words}")
        self._began, self._from = now, step

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write every score of the validation."""
        scores = {k: float(v) for k, v in trainer.callback_metrics.items() if k.startswith("val")}
        for key in sorted(k for k in scores if "/" in k):
            self._write(f"step {trainer.global_step} {key} {scores[key]:.4f}")
        self._began, self._from = time.monotonic(), trainer.global_step


def load_network(network: torch.nn.Module, state: Mapping[str, Any]) -> None:
    """Put the weights of a state (the averaged ones, where the run averages) into a network.

    Raises:
        InputError: when they are of another network.
    """
    weights = {
        key.removeprefix(_PREFIX): value
        for key, value in state["state_dict"].items()
        if key.startswith(_PREFIX)
    }
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError("The run's state is of a network of other sizes.") from error
