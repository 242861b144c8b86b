"""What a network costs: operations counted by hand, parts that add up, text counted apart."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from TextPromptSegLib.inference.cost import count_gmac, measure_cost
from TextPromptSegLib.systems.film_unet import FiLMUNet, FiLMUNetConfig
from TextPromptSegLib.text.features import TextFeatures


class Two(nn.Module):
    """A convolution in a list, a linear layer, and attention that fuses in one operation."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList([nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(3, 3, 1)])
        self.layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
        self.idle = nn.Linear(2, 2)


def test_operations_by_hand() -> None:
    net = Two().eval()

    def run() -> Any:
        x = net.stages[1](net.stages[0](torch.rand(1, 2, 8, 8)))
        return x, net.layer(torch.rand(1, 5, 4))

    with torch.no_grad():
        total, shares = count_gmac(net, run)
    convolutions = 64 * (2 * 3 * 9 + 3 * 3)
    # projections in and out, scores and values, and the MLP, for five tokens
    attention = 5 * 4 * 12 + 5 * 4 * 4 + 2 * 5 * 5 * 4 + 2 * 5 * 4 * 8
    assert shares["stages"] * 1e9 == pytest.approx(convolutions)
    assert shares["layer"] * 1e9 == pytest.approx(attention)
    assert total * 1e9 == pytest.approx(convolutions + attention)
    assert "idle" not in shares


class Encoder:
    """A linear layer that must be run anew for every measuring."""

    def __init__(self) -> None:
        self.model, self.known = nn.Linear(4, 12), False

    def forget(self) -> None:
        self.known = False

    def encode(self, prompts: list[str]) -> TextFeatures:
        assert not self.known, "a cached prompt costs nothing"
        self.known = True
        vectors = self.model(torch.ones(len(prompts), 4))
        return TextFeatures(vectors[:, None], torch.ones(len(prompts), 1).bool(), vectors)


def test_a_checkpoint_part_by_part() -> None:
    net = FiLMUNet(FiLMUNetConfig(channels=(4, 4, 8), text_dim=12)).eval()
    config = {"input": {"size": 30, "in_channels": 1}}
    loaded: Any = SimpleNamespace(model=net, text_encoder=Encoder(), config=config)
    cost = measure_cost(loaded, repeats=1)
    assert cost.size == (32, 32), "a multiple of the stride"
    text, image, decoder = cost.steps
    assert text.parameters == 4 * 12 + 12 and text.gmac == pytest.approx(48e-9)
    modules = {part.name: part for part in cost.modules}
    count = sum(p.numel() for p in net.parameters())
    assert sum(part.parameters for part in cost.modules) == count
    assert all(part.stored == part.parameters for part in cost.modules)
    assert image.gmac == pytest.approx(modules["encoder"].gmac)
    rest = modules["fusion"].gmac + modules["decoder"].gmac + modules["head"].gmac
    assert decoder.gmac == pytest.approx(rest) and decoder.gmac > 0
    measures = cost.measures
    assert measures["parameters_m"] == pytest.approx(count / 1e6)
    assert measures["slice_gflop"] == pytest.approx(2 * (image.gmac + decoder.gmac))
    assert measures["fps"] == pytest.approx(1000 / measures["ms"])
    one_map = 4 * 4 * 32 * 32 / 1e6
    assert image.memory_mb is not None and image.memory_mb > one_map
    assert set(cost.to_dict()) == {"size", "device", "steps", "modules", "measures"}
