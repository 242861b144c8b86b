"""The baseline of the papers' tables: a channel a structure, picked by the prompt, and learning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from TextPromptSegLib.outcome import CheckpointError
from TextPromptSegLib.systems import monai_unet
from TextPromptSegLib.systems.monai_unet import MonaiUNet, MonaiUNetConfig
from TextPromptSegLib.systems.registry import create, make_config
from TextPromptSegLib.text.features import TextFeatures
from TextPromptSegLib.training.recipe import Recipe
from TextPromptSegLib.training.rows import recipe_of_row, rows_of

FOLDER = Path(monai_unet.__file__).parent
TINY: dict[str, Any] = {"names": ("liver", "spleen"), "channels": (4, 8, 8), "text_dim": 3}
VECTORS = {"liver": [1.0, 0.0, 0.2], "spleen": [0.0, 1.0, 0.2]}


class Encoder:
    """Knows two names."""

    def encode(self, prompts: list[str]) -> TextFeatures:
        vectors = torch.tensor([VECTORS[p.split()[-1]] for p in prompts])
        vectors = vectors * (1 + len(prompts[0]))  # the length says nothing
        return TextFeatures(vectors[:, None], torch.ones(len(vectors), 1).bool(), vectors)


def tiny(**changes: Any) -> MonaiUNet:
    torch.manual_seed(0)
    net = MonaiUNet(MonaiUNetConfig(**{**TINY, **changes}))
    net.attach_text_encoder(Encoder())
    return net


def test_a_prompt_reads_its_own_channel_and_nothing_else() -> None:
    net = tiny().eval()
    features = net.encode_image(torch.rand(1, 1, 16, 16))
    assert features[0].shape == (1, 2, 16, 16)
    pairs = net.index_features(features, torch.zeros(3, dtype=torch.long))
    text = Encoder().encode(["segment the spleen", "liver", "the liver"])
    logits, presence = net.decode(pairs, text)
    for index, channel in enumerate((1, 0, 0)):
        assert torch.equal(logits[index, 0], features[0][0, channel])
        assert presence[index] == features[0][0, channel].max()


def test_every_weight_learns_and_a_structure_teaches_its_channel_only() -> None:
    net = tiny()
    batch = {
        "image": torch.rand(2, 1, 16, 16),
        "index": torch.tensor([0, 1]),
        "text": Encoder().encode(["liver", "liver"]),
        "mask": torch.ones(2, 1, 16, 16),
        "present": torch.ones(2),
        "valid": torch.ones(2, 1, 16, 16),
    }
    terms = net.loss(batch)
    terms["loss"].backward()
    weights = dict(net.named_parameters())
    last = [p for p in weights.values() if p.shape[:1] == (2,) and p.ndim == 4][-1]
    assert last.grad is not None and not last.grad[1].any() and last.grad[0].any()
    assert all(p.grad is not None for p in weights.values())
    batch["valid"][:, :, 8:] = 0  # what the padding shows does not count
    batch["mask"][:, :, 8:] = 0
    assert float(net.loss(batch)["loss"].detach()) > 0


def test_configuration_is_checked() -> None:
    assert isinstance(create("monai-unet", {**TINY, "names": ["liver", "spleen"]}), MonaiUNet)
    for wrong in ({"names": []}, {"names": ["liver", "liver"]}, {"channels": [4]}):
        with pytest.raises(CheckpointError, match="cannot be used"):
            make_config("monai-unet", {**TINY, **wrong})


def test_every_row_has_a_recipe_that_can_be_built() -> None:
    recipes = {file.name: Recipe.read(file) for file in FOLDER.glob("recipe_*.json")}
    assert len(recipes) == 3
    for recipe in recipes.values():
        config = make_config(recipe.system, recipe.config)
        assert recipe.input["in_channels"] == config.in_channels
        assert recipe.input["size"] % config.stride == 0
    for row in rows_of("monai-unet").values():
        assert row.paper in ("omt-sam", "svp-cvae")
        plan = recipe_of_row(recipes["recipe_paper_flare.json"], row, 3)
        assert plan.seed == 3 and row.name in plan.title
