"""A real, untrained FiLM U-Net of a few thousand numbers as a checkpoint folder; for tests only."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

try:
    import torch
except ImportError:
    if __name__ != "__main__":
        raise
    sys.exit(3)  # the self tests in Slicer skip

from TextPromptSegLib.checkpoints import weights
from TextPromptSegLib.systems.registry import create

SIZES = {
    "in_channels": 1,
    "channels": [8, 16],
    "text_dim": 1,
    "dropout": 0.0,
    "se_ratio": 4,
    "presence": True,
}


def tiny_model(seed: int = 0) -> Any:
    """Return the network with random weights."""
    torch.manual_seed(seed)
    return create("film-unet", SIZES).eval()


def tiny_config(**changes: Any) -> dict[str, Any]:
    """Return what its config.json holds besides format and sha256."""
    config = {
        "name": "tiny",
        "title": "Tiny FiLM U-Net",
        "system": "film-unet",
        "config": SIZES,
        "input": {"size": 32, "multiple": 8, "in_channels": 1, "ct_windows": [[-160, 240]]},
        "text_encoder": {"id": "toy"},
        "planes": ["axial"],
        "trained_prompts": {"liver": {"modalities": ["CT"], "threshold": 0.5}},
        "modalities": ["CT"],
        "presence_threshold": 0.5,
        "licence": {"spdx": "CC0-1.0", "line": "Free for every use.", "permissive": True},
    }
    return {**config, **changes}


def save_tiny(folder: Path, **changes: Any) -> Path:
    """Write it."""
    card = "# Tiny\n\nFor tests.\n"
    return weights.save(folder, tiny_model(), tiny_config(**changes), card=card)


def write_home(home: Path) -> None:
    """Write a user's folder: the text encoder "tiny" and a checkpoint that finds something."""
    from TextPromptSegLib.torchvision_operators import declare_torchvision_operators

    declare_torchvision_operators()  # before transformers looks for torchvision
    from tiny_bert import SIZES as TEXT
    from tiny_bert import write_tiny_bert

    write_tiny_bert(home / "encoders" / "tiny")
    sizes = {**SIZES, "text_dim": TEXT["text_dim"], "presence": False}
    config = tiny_config(config=sizes, text_encoder={"id": "tiny", "max_length": 24})
    torch.manual_seed(0)
    model = create("film-unet", sizes).eval()
    weights.save(home / "checkpoints" / "tiny", model, config, card="# Tiny\n\nFor tests.\n")


if __name__ == "__main__":
    write_home(Path(sys.argv[1]))
