"""A trained CLIP as an encoder folder in open_clip's layout."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ..checkpoints.layout import CARD, write_atomically
from ..text import MINILM
from ..text.clip_layout import CONFIG, FROZEN_TEXT, WEIGHTS
from .export import commit
from .material import Material
from .recipe import Recipe


def export_clip(
    recipe: Recipe, model: Any, material: Material, folder: Path, scores: dict[str, Any]
) -> Path:
    """Write ``open_clip_config.json``, ``open_clip_model.safetensors`` and the card.

    Matrices are stored as float16; the text tower is named (``text_tower``), not copied.
    """
    import torch
    from safetensors.torch import save

    tensors = {}
    for key, value in model.state_dict().items():
        if not key.startswith(FROZEN_TEXT):
            small = value.is_floating_point() and value.ndim > 1
            tensors[key] = (value.to(torch.float16) if small else value).clone().contiguous()
    weights = save(tensors, metadata={"format": "pt"})
    config = {
        "name": recipe.name,
        "title": recipe.title,
        "model_cfg": recipe.config["model_cfg"],
        "preprocess_cfg": recipe.config["preprocess_cfg"],
        "text_tower": MINILM,
        "windows": recipe.config["windows"],
        "input": dict(recipe.input),
        "trained_names": sorted(material.modalities),
        "metrics": {"validation": scores},
        "training": {
            "data": [d.training_facts() for d in material.datasets],
            "seed": recipe.seed,
            "steps": recipe.steps,
            "commit": commit(),
        },
        "licence": dict(recipe.licence),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(config, indent=1, ensure_ascii=False) + "\n"
    write_atomically(folder / WEIGHTS[0], weights)
    write_atomically(folder / CONFIG, text.encode())
    write_atomically(folder / CARD, clip_card(config).encode())
    return folder


def clip_card(config: dict[str, Any]) -> str:
    """Return the card of an encoder folder from its configuration."""
    scores, training = config["metrics"]["validation"], config["training"]
    vision, plan = config["model_cfg"]["vision_cfg"], config["windows"]
    lines = [
        f"# {config['name']}",
        "",
        f"{config['title']}. An encoder, not a segmenter: other checkpoints name it.",
        "",
        f"- Image tower: open_clip's ResNet, layers {vision['layers']}, width {vision['width']}, "
        f"{vision['image_size']} px; joint space of {config['model_cfg']['embed_dim']} numbers.",
        f"- Text tower: {config['text_tower']['id']}, frozen and not copied (sha256 "
        f"`{config['text_tower']['sha256'][:12]}...`), with a trained projection.",
        f"- A picture: a window of {plan['size']} px of {plan['pixel_mm']} mm; its three channels "
        f"show {', '.join(str(v) for v in plan['views'])} times that field around the same centre. "
        "One grey picture in all channels (a whole slice) is understood too.",
        f"- Trained {training['steps']} steps from random weights, seed {training['seed']}, commit "
        f"{training['commit']}, on one CPU core; recipe `TextPromptSegLib/text/"
        "recipe_clip_compact.json`.",
        f"- Licence: {config['licence'].get('spdx')}. {config['licence'].get('line')}",
        f"- sha256 of the weights: `{config['weights_sha256']}`",
        "",
        "## Validation",
        "",
    ]
    if scores:
        there, back = scores["window_to_structure"], scores["structure_to_window"]
        lines += [
            f"{scores['windows']} windows that show a named structure, of the validation splits "
            "(the network was not chosen on them: it is the last step's). Only pairs whose truth "
            "is known count.",
            "",
            "| | recall at 1 | recall at 5 | mean average precision |",
            "|---|---|---|---|",
            f"| window to structure | {there['recall_at_1']:.3f} | {there['recall_at_5']:.3f} | |",
            f"| structure to window | {back['recall_at_1']:.3f} | {back['recall_at_5']:.3f} | "
            f"{back['mean_average_precision']:.3f} |",
            "",
            "Area under the ROC curve of 'the window's centre holds the structure' "
            f"(mean {scores['mean_auc']:.3f}):",
            "",
            "| structure | windows with it | AUC |",
            "|---|---|---|",
            *(
                f"| {name} | {scores['positives'][name]} | {area:.3f} |"
                for name, area in sorted(scores["auc"].items())
            ),
            "",
        ]
    lines += ["## Data (train splits)", "", "| set | licence | labels |", "|---|---|---|"]
    lines += [f"| {d['name']} | {d['licence']} | {d['label_quality']} |" for d in training["data"]]
    return "\n".join(lines) + "\n"
