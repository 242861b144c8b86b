"""What every kind of training shares: the checkpoint it makes, and the facts that go into it."""

from __future__ import annotations

import subprocess
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..checkpoints.weights import save
from ..image.intensity import InputSpec
from ..prompting.vocabulary import Vocabulary
from ..resources import VERSION
from .recipe import Recipe

if TYPE_CHECKING:
    from ..systems.base import PromptedSegmenter
    from .material import Material


def export(
    recipe: Recipe,
    network: PromptedSegmenter,
    material: Material,
    folder: Path,
    metrics: dict[str, Any],
) -> Path:
    """Write the checkpoint folder of a trained network (see `checkpoint.save`)."""
    config: dict[str, Any] = {
        "name": recipe.name,
        "title": recipe.title or recipe.name,
        "system": recipe.system,
        "config": asdict(network.config),  # type: ignore[call-overload]
        "input": InputSpec.from_dict(recipe.input).to_dict(),
        "text_encoder": recipe.text_spec(),
        "planes": list(recipe.planes),
        "takes": list(network.takes()),
        "modalities": sorted({m for found in material.modalities.values() for m in found}),
        "trained_prompts": {
            name: {
                "modalities": sorted(found),
                "threshold": 0.5,
                **({"reports": True} if name in material.reports else {}),
                **({"divides": recipe.divides[name]} if name in recipe.divides else {}),
                **({"postprocess": {"lung_air": True}} if is_ct_lung(name, found) else {}),
            }
            for name, found in sorted(material.modalities.items())
        },
        "presence_threshold": 0.5,
        "templates": list(recipe.templates),
        "metrics": metrics,
        "training": {
            "data": [
                {**d.training_facts(), "redistributable": bool(d.info.get("redistributable"))}
                for d in material.datasets
            ],
            "seed": recipe.seed,
            "steps": recipe.steps,
            "commit": commit(),
            "version": VERSION,
        },
        "licence": dict(recipe.licence) or {"spdx": None, "line": "", "permissive": False},
    }
    return save(folder, network.float(), config, dtype=recipe.store)


def is_ct_lung(name: str, modalities: Collection[str]) -> bool:
    """Return whether a trained name is a whole lung, or both, that is asked in CT too."""
    match = Vocabulary.load().find(name)
    return match is not None and match.structure == "lung" and "CT" in modalities


def fit_whitening(network: Any, encoder: Any) -> None:
    """Fit the fixed change of text coordinates to the whole vocabulary.

    Not to the recipe's own names: a checkpoint that starts from another one keeps the same
    coordinates, and names that nobody trained on have their place too.
    """
    from ..nn import Whitening

    whiten = getattr(network, "whiten", None)
    if isinstance(whiten, Whitening):
        whiten.fit(encoder.encode(whitening_texts()).pooled)


def whitening_texts() -> list[str]:
    """Return every name of the vocabulary, alone and in a sentence."""
    names: list[str] = []
    for entry in Vocabulary.load():
        names.append(entry.unsided)
        if entry.paired:
            names += [entry.sided("left"), entry.sided("right")]
    return [*names, *(f"segment the {name}" for name in names)]


def precision_of(name: str) -> Any:
    """Return the precision that this machine has for a recipe's."""
    import torch

    if name == "16-mixed" and not torch.cuda.is_available():
        return "bf16-mixed"
    return name


def commit() -> str | None:
    """Return the commit of the checkout that trained, None outside of one."""
    try:
        done = subprocess.run(
            ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
