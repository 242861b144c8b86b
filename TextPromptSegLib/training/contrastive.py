"""Contrastive training of a small CLIP on windows of slices and the names of structures.

Loss: the pairwise sigmoid loss of SigLIP (https://arxiv.org/abs/2303.15343), which takes any
number of positives, plus, for each name, a softmax over the windows of the batch (CLIP's
text-to-image direction with several positives, https://arxiv.org/abs/2004.11362). Several windows
of a batch come from one slice, so that the softmax has to tell places apart, not pictures.
"""

from __future__ import annotations

import csv
import json
import logging
import math
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..data.artefacts import AugmentConfig
from ..data.sampling import SliceSampler
from ..data.slices import TrainingSlice, case_slices
from ..data.windows import GONE, HERE, UNKNOWN, WindowBatch, WindowPlan, WindowSampler, metric_spec
from ..files.text import read_json
from ..image.intensity import InputSpec
from ..outcome import InputError
from ..prompting.vocabulary import Vocabulary
from ..text import MINILM, load_text_encoder
from ..text.clip_layout import build_model, fill_text_tower
from ..text.sources import find_encoder_weights
from .clip_export import export_clip
from .material import Material, _foreign, _rules, find_dataset, phrase_book
from .recipe import Recipe
from .retrieval import retrieval_scores
from .state_files import read_state, write_state

logger = logging.getLogger(__name__)

SYSTEM = "clip"
"""Value of a recipe's ``system`` that asks for this training."""


def contrastive_loss(logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Return the losses of logits (B, T) of windows and names.

    Args:
        logits: scaled cosines with offset.
        labels: (B, T) `HERE`, `GONE` or `UNKNOWN`; unknown pairs have no part in it.
    """
    here, gone = labels == HERE, labels == GONE
    sign = here.float() - gone.float()
    pairs = F.softplus(-sign * logits)[here | gone].sum() / len(logits)
    columns = here.any(0) & gone.any(0)
    logits, here, gone = logits[:, columns], here[:, columns], gone[:, columns]
    # each window that shows the name against all that do not
    others = logits.masked_fill(~gone, float("-inf")).logsumexp(0)
    ranked = torch.logaddexp(logits, others[None]) - logits
    softmax = ((ranked * here).sum(0) / here.sum(0)).mean() if columns.any() else logits.sum() * 0
    return {"loss": pairs + softmax, "pairs": pairs.detach(), "softmax": softmax.detach()}


def gather_windows(recipe: Recipe, roots: Sequence[Path], plan: WindowPlan) -> Material:
    """Read the axial slices of the recipe's data sets at the plan's pixel size.

    Raises:
        InputError: when a data set is missing.
    """
    vocabulary, base, material = Vocabulary.load(), InputSpec.from_dict(recipe.input), Material()
    for entry in recipe.data:
        dataset = find_dataset(entry.name, roots)
        material.datasets.append(dataset)
        rules = _rules(entry, dataset, vocabulary)
        for split, target in (("train", material.train), ("val", material.validation)):
            for case in dataset.split(split):
                target += case_slices(
                    case,
                    base,
                    rules,
                    channels=entry.channels,
                    resize=partial(metric_spec, plan.pixel_mm, entry.field_mm, base),
                )
        logger.info("%s: %d slices to train on", dataset.name, len(material.train))
    for item in material.train:
        for name in item.masks:
            material.modalities.setdefault(name, set()).add(item.modality or "any")
    if not material.modalities:
        raise InputError("None of the recipe's data sets has a labelled slice to train on.")
    material.foreign = _foreign(recipe, material)
    return material


def new_clip(config: Mapping[str, Any], names: Sequence[str]) -> tuple[nn.Module, Any]:
    """Return a CLIP to train and its frozen text encoder (MiniLM, named and not trained).

    The first layer of the text projection starts as a whitening of the vocabulary's sentence
    vectors: in MiniLM's own space left and right kidney have a cosine of 0.87.
    """
    encoder = load_text_encoder(MINILM, cache_size=20_000)
    weights = find_encoder_weights(MINILM)
    bert = read_json(weights.parent / "config.json")
    model: Any = build_model(config["model_cfg"], bert)
    fill_text_tower(model, weights, "clip")
    model.text.transformer.requires_grad_(False).eval()
    vectors = encoder.encode([*names, *(f"segment the {name}" for name in names)]).pooled
    common = F.normalize(vectors.mean(0), dim=0)
    centred = vectors - vectors.mean(0)
    centred = centred - (centred @ common)[:, None] * common
    _, strength, axes = torch.linalg.svd(centred, full_matrices=False)
    first = model.text.proj[0].weight
    count = min(len(first), len(axes))
    with torch.no_grad():
        floor = strength[0] * 0.03
        scale = math.sqrt(len(vectors)) / strength[:count].clamp_min(floor)
        first[:count] = axes[:count] * scale[:, None]
    return model, encoder


def train_clip(
    recipe: Recipe, data: Sequence[str | Path], out: Path, *, resume: bool, progress_bar: bool
) -> Path:
    """Train a CLIP; writes ``last.pt``, ``log.csv`` and the encoder folder ``<name>/``.

    Raises:
        InputError: for data that cannot be used.
    """
    from rich.progress import track

    torch.manual_seed(recipe.seed)
    plan = WindowPlan(**recipe.config["windows"])
    material = gather_windows(recipe, [Path(d) for d in data], plan)
    names = sorted(material.modalities)
    model, encoder = new_clip(recipe.config, names)
    trained: Any = model
    trained.visual.to(memory_format=torch.channels_last)
    groups = _parameter_groups(model, recipe.weight_decay)
    optimiser = torch.optim.AdamW(groups, lr=recipe.lr, betas=(0.9, 0.98))
    out.mkdir(parents=True, exist_ok=True)
    (out / "recipe.json").write_text(json.dumps(recipe.to_dict(), indent=1), encoding="utf-8")
    start = 0
    if resume:
        saved = read_state(out / "last.pt")
        model.load_state_dict(saved["model"])
        optimiser.load_state_dict(saved["optimiser"])
        start = int(saved["step"])
    stream = iter(window_sampler(recipe, material, names, plan, skip=start))
    phrases = phrase_book(recipe)
    mean, std = (
        torch.tensor(recipe.config["preprocess_cfg"][k]).view(1, -1, 1, 1) for k in ("mean", "std")
    )
    rows: list[dict[str, float]] = []
    began = time.monotonic()
    for step in track(range(start, recipe.steps), "training", disable=not progress_bar):
        for group in optimiser.param_groups:
            group["lr"] = _rate(step, recipe)
        batch = next(stream)
        rng = np.random.default_rng((recipe.seed, step, 1))
        texts = encoder.encode([phrases.draw(name, rng) for name in names]).pooled
        trained.visual.train()
        images = ((batch.images - mean) / std).to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision != "32-true"):
            seen = trained.visual(images)
        logits = pair_logits(trained, seen.float(), texts)
        losses = contrastive_loss(logits, batch.labels)
        optimiser.zero_grad(set_to_none=True)
        losses["loss"].backward()
        nn.utils.clip_grad_norm_([p for g in groups for p in g["params"]], 1.0)
        optimiser.step()
        with torch.no_grad():
            trained.logit_scale.clamp_(0, math.log(100))
        rows.append({"step": step, **{k: float(v.detach()) for k, v in losses.items()}})
        if (step + 1) % recipe.validate_every == 0 or step + 1 == recipe.steps:
            recent = rows[-recipe.validate_every :]
            line = {k: float(np.mean([r[k] for r in recent])) for k in losses}
            minutes = (time.monotonic() - began) / 60
            logger.info("step %d, %.1f min: %s", step + 1, minutes, line)
            saved = {"model": model.state_dict(), "optimiser": optimiser.state_dict()}
            write_state(out / "last.pt", {**saved, "step": step + 1})
            with (out / "log.csv").open("a", newline="", encoding="utf-8") as stream_out:
                csv.writer(stream_out).writerow([step + 1, round(minutes, 2), *line.values()])
    scores = validate(model, encoder, recipe, material, names, plan)
    return export_clip(recipe, model, material, out / recipe.name, scores)


def pair_logits(model: Any, seen: Tensor, texts: Tensor) -> Tensor:
    """Return (B, T) logits of image vectors (B, D) and MiniLM's sentence vectors (T, C)."""
    words = F.normalize(model.text.proj(texts), dim=-1)
    return model.logit_scale.exp() * F.normalize(seen, dim=-1) @ words.T + model.logit_bias


def window_sampler(
    recipe: Recipe, material: Material, names: Sequence[str], plan: WindowPlan, *, skip: int = 0
) -> WindowSampler:
    """Return the stream of training batches."""
    weights = {Path(e.name).name: e.weight for e in recipe.data}
    return WindowSampler(
        material.train,
        _slices(recipe, material, material.train, weights),
        names,
        plan,
        mirror=[Path(e.name).name for e in recipe.data if e.mirror],
        augment=None if recipe.augment is None else AugmentConfig(**recipe.augment),
        name_weights=recipe.name_weights,
        seed=recipe.seed,
        skip=skip,
    )


def _slices(
    recipe: Recipe,
    material: Material,
    slices: Sequence[TrainingSlice],
    weights: Mapping[str, float],
) -> SliceSampler:
    return SliceSampler(
        slices,
        weights,
        foreign=material.foreign,
        empty_weight=recipe.empty_weight,
        rarity=recipe.rarity,
        name_weights=recipe.name_weights,
    )


def validation_batches(
    recipe: Recipe, material: Material, names: Sequence[str], plan: WindowPlan, count: int = 40
) -> list[WindowBatch]:
    """Return fixed batches of windows of the validation slices, unchanged and upright."""
    if not material.validation:
        return []
    weights = {Path(e.name).name: e.weight for e in recipe.data}
    slices = _slices(recipe, material, material.validation, weights)
    sampler = WindowSampler(material.validation, slices, names, plan, seed=1)
    return [sampler.batch(np.random.default_rng((1, number))) for number in range(count)]


@torch.inference_mode()
def validate(
    model: nn.Module,
    encoder: Any,
    recipe: Recipe,
    material: Material,
    names: Sequence[str],
    plan: WindowPlan,
) -> dict[str, Any]:
    """Return retrieval scores and the area under the ROC curve of each name on validation."""
    trained: Any = model.eval()
    mean, std = (
        torch.tensor(recipe.config["preprocess_cfg"][k]).view(1, -1, 1, 1) for k in ("mean", "std")
    )
    texts = encoder.encode(list(names)).pooled
    logits, labels = [], []
    for batch in validation_batches(recipe, material, names, plan):
        images = ((batch.images - mean) / std).to(memory_format=torch.channels_last)
        logits.append(pair_logits(trained, trained.visual(images), texts))
        labels.append(batch.labels)
    if not logits:
        return {}
    truth = torch.cat(labels).numpy()
    return retrieval_scores(torch.cat(logits).numpy(), truth == HERE, truth != UNKNOWN, names)


def _rate(step: int, recipe: Recipe) -> float:
    """Return the learning rate: linear warm-up, then a cosine to ``min_lr``."""
    if step < recipe.warmup:
        return recipe.lr * (step + 1) / recipe.warmup
    done = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return recipe.min_lr + (recipe.lr - recipe.min_lr) * 0.5 * (1 + math.cos(math.pi * done))


def _parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
