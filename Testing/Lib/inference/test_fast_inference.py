"""The network as a CPU likes it: the same numbers as the network that was trained."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from toy_segmenter import ToySegmenter

from TextPromptSegLib.inference.engines import fast_inference
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
        monkeypatch.setattr(fast_inference, "onednn_fuses", lambda dtype: False)
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
    fast_inference.onednn_fuses.cache_clear()
    fast_inference.onednn_fuses(torch.float32)
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


class Norms(torch.nn.Module):
    """Both ways in which a norm follows a convolution, and one that follows none."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = torch.nn.Conv2d(2, 3, 3, bias=False), torch.nn.BatchNorm2d(3)
        self.bn2 = torch.nn.BatchNorm2d(3)
        pair = torch.nn.Conv2d(3, 4, 1), torch.nn.BatchNorm2d(4)
        self.rest = torch.nn.Sequential(*pair, torch.nn.ReLU())
        for norm in (self.bn1, self.bn2, pair[1]):
            norm.running_mean.uniform_(-1, 1)  # type: ignore[union-attr]
            norm.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.rest(self.bn2(torch.relu(self.bn1(self.conv1(x)))))


@torch.inference_mode()
def test_norms_behind_convolutions_become_part_of_them() -> None:
    model, x = Norms().eval(), torch.rand(2, 2, 6, 5)
    before = model(x)
    quick = folded(model)
    assert torch.allclose(quick(x), before, atol=1e-5)
    assert sum(isinstance(m, torch.nn.BatchNorm2d) for m in quick.modules()) == 1
    assert torch.equal(model(x), before)  # the loaded network is left alone
    assert folded(quick) is quick
    training = Norms()
    assert folded(training) is training
