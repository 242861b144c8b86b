"""The FiLM U-Net against the paper: sizes, identity, independence, switches, losses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from two_organs import ablation_rows

from TextPromptSegLib.nn.attention import ChannelSELayer
from TextPromptSegLib.outcome import CheckpointError
from TextPromptSegLib.systems import film_unet
from TextPromptSegLib.systems.film_unet import FiLMUNet, FiLMUNetConfig
from TextPromptSegLib.systems.film_unet.objective import film_unet_objective, region_loss
from TextPromptSegLib.systems.registry import create, make_config, systems
from TextPromptSegLib.text.features import TextFeatures

ABLATIONS = json.loads((Path(film_unet.__file__).parent / "ablations.json").read_text())
TINY: dict[str, Any] = {"channels": (8, 8, 16, 16), "text_dim": 12, "dropout": 0.0}


def text_of(vectors: torch.Tensor) -> TextFeatures:
    return TextFeatures(vectors[:, None], torch.ones(len(vectors), 1, dtype=torch.bool), vectors)


def tiny(**changes: Any) -> FiLMUNet:
    torch.manual_seed(0)
    return FiLMUNet(FiLMUNetConfig(**{**TINY, **changes}))


def batch_of(net: FiLMUNet, pairs: int = 4, size: int = 32) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(1)
    mask = torch.zeros(pairs, 1, size, size)
    mask[::2, :, 8:20, 8:20] = 1
    return {
        "image": torch.rand(2, net.config.in_channels, size, size, generator=generator),
        "index": torch.arange(pairs) // 2,
        "text": text_of(torch.randn(pairs, net.config.text_dim, generator=generator)),
        "mask": mask,
        "present": mask.flatten(1).any(1).float(),
        "valid": torch.ones(2, 1, size, size),
    }


def count(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, 9_907_495 + 1),
        ({"in_channels": 3}, 9_908_775 + 1),
        ({"l2_norm": False}, 9_907_495),
    ],
)
def test_paper_size_has_the_derived_number_of_parameters(
    config: dict[str, Any], expected: int
) -> None:
    assert count(FiLMUNet(FiLMUNetConfig(**config))) == expected


def test_text_has_no_influence_before_training_and_has_after_one_step() -> None:
    net = tiny()
    image = torch.rand(1, 1, 32, 32).expand(2, -1, -1, -1)
    text = text_of(torch.randn(2, 12))
    net.eval()
    features = net.encode_image(image)
    first, second = net.decode(features, text)[0]
    assert torch.allclose(first, second, atol=1e-6)
    net.train()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    net.loss(batch_of(net))["loss"].backward()
    optimizer.step()
    net.eval()
    first, second = net.decode(net.encode_image(image), text)[0]
    assert (first - second).abs().max() > 1e-4


def trained_a_little(**changes: Any) -> FiLMUNet:
    net = tiny(**changes)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(4):
        optimizer.zero_grad()
        net.loss(batch_of(net))["loss"].backward()
        optimizer.step()
    return net.eval()


@pytest.mark.parametrize("patch", [1, 2])
def test_a_sample_does_not_depend_on_its_batch(patch: int) -> None:
    net = trained_a_little(presence=True, patch=patch, decoder_cbn="all", text_whitening=True)
    images, text = torch.rand(4, 1, 32, 32), text_of(torch.randn(4, 12))
    with torch.no_grad():
        logits, presence = net.decode(net.encode_image(images), text)
        for row in (0, 3):
            alone = net.decode(
                net.encode_image(images[row : row + 1]), text.index(torch.tensor([row]))
            )
            assert torch.allclose(alone[0][0], logits[row], atol=1e-5)
            assert torch.allclose(alone[1][0], presence[row], atol=1e-5)
        order = torch.tensor([2, 0, 3, 1])
        mixed = net.decode(net.encode_image(images[order]), text.index(order))[0]
    assert torch.allclose(mixed, logits[order], atol=1e-5)


@pytest.mark.parametrize("hidden", [0, 6])
def test_presence_without_the_decoder_is_the_presence_of_decode(hidden: int) -> None:
    net = trained_a_little(presence=True, presence_hidden=hidden)
    features, text = net.encode_image(torch.rand(2, 1, 32, 32)), text_of(torch.randn(2, 12))
    assert torch.allclose(net.presence(features, text), net.decode(features, text)[1], atol=1e-6)


@pytest.mark.parametrize("changes", ablation_rows(ABLATIONS))
def test_every_row_of_the_tables_learns(changes: dict[str, Any]) -> None:
    net = tiny(**changes)
    concat = net.config.fusion == "concat"
    assert (net.fusion.mix is not None, net.fusion.film is not None) == (concat, not concat)
    kinds = {type(m).__name__ for m in net.modules()}
    assert ("ConditionalBatchNorm2d" in kinds) == net.config.cbn
    assert ("ChannelSELayer" in kinds) == net.config.se
    assert ("SpatialAttention" in kinds) == net.config.cbam
    for module in net.modules():
        if isinstance(module, ChannelSELayer):  # its few units may start deaf to this picture
            torch.nn.init.ones_(module.fc[0].bias)
    loss = net.loss(batch_of(net))["loss"]
    loss.backward()
    assert torch.isfinite(loss)
    still = [n for n, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not still, "no gradient arrives there"


def test_the_rows_of_table_6_are_six_networks_and_the_last_one_is_the_papers() -> None:
    for table in ("table 6", "table 6 on CHAOS"):
        made = [FiLMUNetConfig(**changes) for changes in ABLATIONS[table].values()]
        assert len(set(made)) == len(made) == 6
        assert made[-1] == FiLMUNetConfig()
    for table in ("table 3", "table 4", "table 5"):
        losses = [changes["loss"] for changes in ABLATIONS[table].values()]
        assert losses == ["jaccard", "tversky", "dice", "dice_bce"]


@pytest.mark.parametrize(
    "loss",
    [
        "dice",
        "jaccard",
        "tversky",
        "dice_bce",
        "dice_focal",
        "hausdorff",
        "dice_hausdorff",
    ],
)
def test_every_loss_of_the_paper_learns(loss: str) -> None:
    net = tiny(loss=loss)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    values = []
    for _ in range(12):
        optimizer.zero_grad()
        value = net.loss(batch_of(net))["loss"]
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert values[-1] < 0.9 * values[0]


@pytest.mark.parametrize(
    ("name", "false_positives", "false_negatives", "expected"),
    [  # 4 true pixels; smoothing of 1 px in numerator and denominator
        ("dice", 2, 0, 1 - (2 * 4 + 1) / (6 + 4 + 1)),
        ("jaccard", 2, 0, 1 - (2 * 4 + 1) / (2 * 6 + 1)),
        ("tversky", 2, 0, 1 - (4 + 1) / (4 + 0.7 * 2 + 1)),
        ("tversky", 0, 2, 1 - (2 + 1) / (2 + 0.3 * 2 + 1)),
    ],
)
def test_region_losses_by_hand(
    name: str, false_positives: int, false_negatives: int, expected: float
) -> None:
    mask = torch.zeros(1, 1, 1, 16)
    mask[..., :4] = 1
    guess = mask.clone()
    guess[..., 4 : 4 + false_positives] = 1
    guess[..., :false_negatives] = 0
    assert float(region_loss(name, guess, mask)) == pytest.approx(expected, abs=1e-5)


def test_the_hausdorff_loss_grows_with_the_distance_of_an_error() -> None:
    mask = torch.zeros(2, 1, 16, 16)
    mask[:, :, 2:6, 2:6] = 1
    guess = mask.clone()
    guess[0, :, 6, 2], guess[1, :, 15, 15] = 1, 1  # one wrong pixel near, one far
    near, far = region_loss("hausdorff", guess, mask).tolist()
    assert 0 < near < far
    assert region_loss("hausdorff", mask, mask).tolist() == [0, 0]
    assert torch.allclose(*region_loss("dice", guess, mask))  # an overlap cannot tell them apart


def test_objective_ignores_padding_and_teaches_absence() -> None:
    config = FiLMUNetConfig(**TINY, loss="dice_bce")
    logits = torch.full((1, 1, 8, 8), -9.0)
    mask, valid = torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8)
    valid[..., 4:] = 0
    absent = torch.zeros(1)
    quiet = film_unet_objective(logits, mask, valid, absent, absent, config)["loss"]
    logits[..., 4:] = 9.0
    on_padding = film_unet_objective(logits, mask, valid, absent, absent, config)["loss"]
    logits[..., :4] = 9.0
    alarm = film_unet_objective(logits, mask, valid, absent, absent, config)["loss"]
    assert float(quiet) < 0.01 and torch.allclose(quiet, on_padding)
    assert float(alarm) > 5


def test_refuses_sizes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="multiples of 8"):
        tiny().encode_image(torch.rand(1, 1, 30, 32))
    assert tiny(patch=2).stride == 16


def test_registry_builds_it_from_json_values_and_refuses_nonsense() -> None:
    assert "film-unet" in systems()
    net = create("film-unet", {"channels": [4, 8], "text_dim": 6})
    assert isinstance(net, FiLMUNet) and net.config.channels == (4, 8)
    with pytest.raises(CheckpointError, match="unknown keys: colour"):
        make_config("film-unet", {"colour": 1})
    with pytest.raises(CheckpointError, match="fusion"):
        make_config("film-unet", {"fusion": "magic"})
    with pytest.raises(CheckpointError, match="no system 'u-net-9'"):
        create("u-net-9", {})
