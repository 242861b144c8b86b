"""The network as a CPU likes it: the same numbers as the network that was trained."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from toy_segmenter import ToySegmenter

from TextPromptSegLib.inference.engines import fused_convolutions
from TextPromptSegLib.inference.engines.fast_inference import faster_on_cpu
from TextPromptSegLib.inference.engines.folded_norms import folded
from TextPromptSegLib.nn import halve
from TextPromptSegLib.systems.registry import create
from TextPromptSegLib.text.features import TextFeatures

SIZES = {"in_channels": 2, "channels": (8, 12, 16), "text_dim": 6, "dropout": 0.1, "se_ratio": 4}
VARIANTS: list[dict[str, Any]] = [
    {},
    {"presence": True, "decoder_cbn": "all", "patch": 2},
    {"norm": "group"},
    {"se": False, "cbam_channel": True},
    {"cbam": False, "cbn": False, "l2_norm": False},
    {"fusion": "concat", "decoder_channels": (8, 4)},
]


def shaken(variant: dict[str, Any]) -> Any:
    """Return a network whose weights and statistics are all away from where they start."""
    torch.manual_seed(1)
    model = create("film-unet", {**SIZES, **variant}).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_(0.0, 0.3)
            elif name.endswith("running_var"):
                buffer.uniform_(0.4, 2.0)
    return model


def pairs(rows: int, same: bool) -> TextFeatures:
    pooled = torch.randn(1 if same else rows, 6).expand(rows, -1).contiguous()
    return TextFeatures(pooled[:, None], torch.ones(rows, 1, dtype=torch.bool), pooled)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("fuses", [True, False], ids=["oneDNN fuses", "plain"])
@torch.inference_mode()
def test_same_numbers(
    variant: dict[str, Any], same: bool, fuses: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not fuses:
        monkeypatch.setattr(fused_convolutions, "onednn_fuses", lambda dtype: False)
    model = shaken(variant)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    fast = faster_on_cpu(model)
    assert fast is not model
    images, text = torch.rand(3, 2, 32, 24), pairs(3, same)
    expected = model.decode(model.encode_image(images), text)
    found = fast.decode(fast.encode_image(images), text)
    assert expected[0].std() > 1e-3
    for a, b in zip(expected, found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        model.presence(model.encode_image(images), text),
        fast.presence(fast.encode_image(images), text),
        rtol=1e-4,
        atol=1e-4,
    )
    for key, value in model.state_dict().items():  # the loaded network is left alone
        assert torch.equal(value, before[key])


@pytest.mark.parametrize("once", [True, False], ids=["weights rounded once", "in every call"])
@torch.inference_mode()
def test_half_precision_loses_no_more_than_before(once: bool) -> None:
    model = shaken({"presence": True, "decoder_cbn": "all"})
    fast = faster_on_cpu(model, torch.bfloat16 if once else None)
    fast.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    wide = {m.weight.dtype for m in fast.modules() if isinstance(m, torch.nn.Conv2d)}
    assert wide == {torch.bfloat16 if once else torch.float32}
    images, text = torch.rand(8, 2, 32, 32), pairs(8, True)
    exact = model.decode(model.encode_image(images), text)
    errors = []
    for network in (model, fast):
        with torch.autocast("cpu", torch.bfloat16):
            found = network.decode(network.encode_image(images), text)
        errors.append(
            [float((a.float() - b).abs().mean()) for a, b in zip(found, exact, strict=True)]
        )
    for before, now in zip(*errors, strict=True):
        assert 0 < now < 1.3 * before


def test_trying_out_what_is_there_draws_no_numbers() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fused_convolutions.onednn_fuses.cache_clear()
    fused_convolutions.onednn_fuses(torch.float32)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("size", [(6, 8), (7, 5), (2, 2)])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_halving_is_max_pooling(size: tuple[int, int], layout: torch.memory_format) -> None:
    x = torch.randn(3, 4, *size).contiguous(memory_format=layout)
    expected = torch.nn.functional.max_pool2d(x, 2)
    assert torch.equal(halve(x), expected)
    with torch.inference_mode():
        assert torch.equal(halve(x), expected)


def test_batch_norms_are_gone() -> None:
    fast = faster_on_cpu(shaken({"decoder_cbn": "all"}))
    assert not [m for m in fast.modules() if isinstance(m, torch.nn.BatchNorm2d)]


def test_other_networks_and_training_are_left_alone() -> None:
    toy = ToySegmenter().eval()
    assert faster_on_cpu(toy) is toy
    model = shaken({}).train()
    assert faster_on_cpu(model) is model


@pytest.mark.parametrize("same", [True, False], ids=["one prompt", "several"])
@torch.inference_mode()
def test_patches_are_answered_the_same(same: bool) -> None:
    sizes = {"in_channels": 1, "patch": 16, "channels": (4, 6, 8), "latent_channels": 3}
    torch.manual_seed(2)
    model: Any = create("patch-unet-vae", {**sizes, "text_dim": 6}).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    fast = faster_on_cpu(folded(model), torch.bfloat16)
    fast.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    features, text = model.keep(torch.rand(3, 1, 24, 20)), pairs(3, same)
    expected = model.decode(features, text)[0]
    errors = []
    for network in (model, fast):
        with torch.autocast("cpu", torch.bfloat16):
            found = network.decode(features, text)[0]
        errors.append(float((found - expected).abs().mean()))
    assert expected.std() > 1e-2 and 0 < errors[1] < 1.3 * errors[0]
    assert torch.allclose(folded(model).decode(features, text)[0], expected, atol=1e-4)


@pytest.mark.parametrize("fuses", [True, False], ids=["oneDNN fuses", "plain"])
@torch.inference_mode()
def test_a_clips_resnet_sees_the_same(fuses: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from open_clip.modified_resnet import AttentionPool2d, ModifiedResNet

    if not fuses:
        monkeypatch.setattr(fused_convolutions, "onednn_fuses", lambda dtype: False)
    torch.manual_seed(3)
    tower = ModifiedResNet((1, 2, 1, 1), 6, heads=2, image_size=64, width=8).eval()
    for part in tower.modules():
        if isinstance(part, torch.nn.BatchNorm2d):  # the last norms of blocks start at zero
            part.weight.uniform_(0.5, 1.5)
            part.running_mean.uniform_(-0.3, 0.3)  # type: ignore[union-attr]
            part.running_var.uniform_(0.5, 2.0)  # type: ignore[union-attr]
    images = torch.rand(3, 3, 64, 64)
    expected = tower(images)
    quick: Any = folded(tower)
    quick.rounds_all_weights = True
    for dtype, tolerance in ((None, 1e-4), (torch.bfloat16, 0.1)):
        fast: Any = faster_on_cpu(quick, dtype or torch.float32)
        assert not [m for m in fast.modules() if isinstance(m, AttentionPool2d)]
        kinds = {type(m).__name__ for m in fast.modules()}
        assert "FastBottleneck" in kinds and "Bottleneck" not in kinds
        with torch.autocast("cpu", dtype, enabled=dtype is not None):
            found = fast(images)
        assert (found - expected).abs().max() < tolerance * expected.abs().max()


class Norms(torch.nn.Module):
    """Both ways in which a norm follows a convolution, and one that follows none."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = torch.nn.Conv2d(2, 3, 3, bias=False), torch.nn.BatchNorm2d(3)
        self.bn2 = torch.nn.BatchNorm2d(3)
        self.act1 = torch.nn.ReLU()
        pair = torch.nn.Conv2d(3, 4, 1), torch.nn.BatchNorm2d(4)
        self.rest = torch.nn.Sequential(*pair, torch.nn.LeakyReLU(0.3))
        for norm in (self.bn1, self.bn2, pair[1]):
            norm.running_mean.uniform_(-1, 1)  # type: ignore[union-attr]
            norm.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.rest(self.bn2(self.act1(self.bn1(self.conv1(x)))))


@pytest.mark.parametrize("fuses", [True, False], ids=["oneDNN fuses", "plain"])
@torch.inference_mode()
def test_norms_and_activations_behind_convolutions_become_part_of_them(
    fuses: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not fuses:
        monkeypatch.setattr(fused_convolutions, "onednn_fuses", lambda dtype: False)
    model, x = Norms().eval(), torch.rand(2, 2, 6, 5)
    before = model(x)
    quick = folded(model)
    assert torch.allclose(quick(x), before, atol=1e-5)
    assert sum(isinstance(m, torch.nn.BatchNorm2d) for m in quick.modules()) == 1
    assert not [m for m in quick.modules() if isinstance(m, torch.nn.ReLU | torch.nn.LeakyReLU)]
    assert torch.equal(model(x), before)  # the loaded network is left alone
    assert folded(quick) is quick
    training = Norms()
    assert folded(training) is training
