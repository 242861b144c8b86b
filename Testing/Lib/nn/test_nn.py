"""The papers' building blocks: identity at the start, shapes, what they attend to."""

from __future__ import annotations

import pytest
import torch

from TextPromptSegLib.nn import (
    AttentiveResidualBlock,
    ChannelAttention,
    ChannelSELayer,
    ConditionalBatchNorm2d,
    FiLM,
    L2Normalise,
    SpatialAttention,
    TextGuidedUp,
    Whitening,
    halve,
    repeat_rows,
)
from TextPromptSegLib.nn.cross_attention import attend


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_film_is_the_identity_before_training() -> None:
    x, text = torch.randn(3, 5, 4, 4), torch.randn(3, 7)
    assert torch.equal(FiLM(7, 5)(x, text), x)


def test_film_scales_and_shifts_each_channel() -> None:
    film = FiLM(2, 3)
    with torch.no_grad():
        film.gamma.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]))
        film.beta.bias.copy_(torch.tensor([0.0, 0.0, 5.0]))
    x = torch.ones(1, 3, 2, 2)
    out = film(x, torch.tensor([[2.0, -1.0]]))
    assert out[0, :, 0, 0].tolist() == [3.0, 0.0, 6.0]


def test_conditional_batch_norm_starts_as_plain_batch_norm() -> None:
    cbn, plain = ConditionalBatchNorm2d(4, 6), torch.nn.BatchNorm2d(6)
    x, text = torch.randn(4, 6, 5, 5), torch.randn(4, 4)
    assert torch.allclose(cbn(x, text), plain(x), atol=1e-6)
    assert cbn.norm.weight is None


def test_conditional_batch_norm_in_eval_does_not_mix_samples() -> None:
    cbn = ConditionalBatchNorm2d(4, 6)
    torch.nn.init.normal_(cbn.film.gamma.weight)
    for _ in range(3):
        cbn(torch.randn(8, 6, 5, 5) * 3 + 1, torch.randn(8, 4))
    cbn.eval()
    x, text = torch.randn(4, 6, 5, 5), torch.randn(4, 4)
    assert torch.allclose(cbn(x, text)[1:2], cbn(x[1:2], text[1:2]), atol=1e-6)


def test_l2_normalise_keeps_the_signal_as_loud_as_the_skips() -> None:
    out = L2Normalise(64)(torch.randn(2, 64, 3, 3) * 17)
    assert torch.allclose(out.pow(2).mean().sqrt(), torch.tensor(1.0), atol=1e-3)
    assert torch.allclose(out.norm(dim=1), torch.full((2, 3, 3), 8.0), atol=1e-3)


def test_spatial_attention_has_98_weights_and_sees_the_maximum() -> None:
    attention = SpatialAttention(7)
    assert sum(p.numel() for p in attention.parameters()) == 98
    with torch.no_grad():
        attention.conv.weight.zero_()
        attention.conv.weight[0, 1, 3, 3] = 100.0
    x = torch.full((1, 2, 5, 5), -1.0)
    x[0, 0, 2, 2] = 1.0
    out = attention(x).detach()
    assert out[0, 0, 2, 2] == pytest.approx(1.0)
    assert out[0, 0, 0, 0].abs() < 1e-6


@pytest.mark.parametrize(("channels", "ratio"), [(32, 16), (24, 5), (4, 4)])
def test_squeeze_and_excitation_is_monais(channels: int, ratio: int) -> None:
    from monai.networks.blocks import ChannelSELayer as Theirs

    layers: list[torch.nn.Module] = []
    for make in (ChannelSELayer, lambda c, r: Theirs(2, c, r)):
        torch.manual_seed(3)
        layers.append(make(channels, ratio))
    ours, theirs = layers
    x = torch.randn(2, channels, 5, 7)
    assert torch.equal(ours(x), theirs(x))  # the same start from the same seed
    theirs.load_state_dict(ours.state_dict())
    with pytest.raises(ValueError, match="leaves none"):
        ChannelSELayer(4, 8)


def test_channel_attention_weighs_channels_not_places() -> None:
    x = torch.rand(2, 8, 4, 4) + 0.1
    weight = ChannelAttention(8, 2)(x) / x
    assert torch.allclose(weight, weight[:, :, :1, :1].expand_as(weight), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({"se": False}, "ChannelSELayer"),
        ({"cbam": False}, "SpatialAttention"),
        ({"dropout": 0.0}, "Dropout2d"),
    ],
)
def test_block_switches_take_the_part_out(options: dict[str, object], missing: str) -> None:
    def parts(block: torch.nn.Module) -> set[str]:
        return {type(m).__name__ for m in block.modules()}

    assert missing in parts(AttentiveResidualBlock(3, 16))
    assert missing not in parts(AttentiveResidualBlock(3, 16, **options))  # type: ignore[arg-type]


def test_block_shortcut_only_where_channels_change() -> None:
    assert isinstance(AttentiveResidualBlock(8, 8).shortcut, torch.nn.Identity)
    assert AttentiveResidualBlock(4, 8)(torch.randn(1, 4, 6, 6)).shape == (1, 8, 6, 6)


def test_whitening_is_the_identity_until_fitted_and_then_separates_sides() -> None:
    whiten = Whitening(16)
    common = torch.randn(16) * 10
    side = torch.randn(16) * 0.1
    noise = torch.randn(200, 16)
    noise[:, 4:] *= 0.05
    sign = torch.tensor([1.0, -1.0]).repeat(100)[:, None]
    vectors = common + noise + sign * side
    left, right = common + side, common - side
    assert torch.equal(whiten(left[None])[0], left)
    before = torch.cosine_similarity(left, right, dim=0)
    whiten.fit(vectors)
    after = torch.cosine_similarity(whiten(left[None])[0], whiten(right[None])[0], dim=0)
    assert before > 0.99 and after < 0.0
    out = whiten(vectors)
    assert out.mean(0).abs().max() < 1e-4
    assert out.var(0).max() < 1.5


@pytest.mark.parametrize("norm", ["batch", "group"])
def test_a_text_guided_stage_in_two_parts_is_monais_block(norm: str) -> None:
    torch.manual_seed(0)
    stage = TextGuidedUp(8, 6, 4, None, norm).eval()
    x, skip = torch.randn(2, 8, 5, 6), torch.randn(2, 6, 10, 12)
    with torch.no_grad():
        expected = stage.up(x, stage.skip(skip))
        found = stage(x, stage.prepare(skip), None)
    assert torch.allclose(found, expected, atol=1e-5)


def test_attend_is_torchs_multi_head_attention() -> None:
    torch.manual_seed(0)
    attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    torch.nn.init.normal_(attention.in_proj_bias)
    query, key, value = torch.randn(3, 5, 8), torch.randn(3, 4, 8), torch.randn(3, 4, 8)
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]], dtype=torch.bool)
    expected = attention(query, key, value, key_padding_mask=~mask, need_weights=False)[0]
    assert torch.allclose(attend(attention, query, key, value, mask), expected, atol=1e-6)
    expected = attention(query, key, value, need_weights=False)[0]
    assert torch.allclose(attend(attention, query, key, value), expected, atol=1e-6)


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("index", [[0, 0, 1, 2, 2, 2], [2, 0, 2], [1]])
def test_repeated_rows_are_selected_ones_with_the_same_gradient(
    layout: torch.memory_format, index: list[int]
) -> None:
    rows = torch.tensor(index)
    x = torch.randn(3, 4, 5, 6).contiguous(memory_format=layout).requires_grad_()
    weight = torch.randn(len(index), 4, 5, 6).contiguous(memory_format=layout)
    (expected,) = torch.autograd.grad((x.index_select(0, rows) * weight).sum(), x)
    out = repeat_rows(x, rows)
    (found,) = torch.autograd.grad((out * weight).sum(), x)
    assert torch.equal(out, x.index_select(0, rows))
    assert torch.allclose(found, expected, atol=1e-6)
    assert found.is_contiguous(memory_format=layout)


def test_rows_are_repeated_of_what_is_no_picture_too() -> None:
    x = torch.randn(3, 4).requires_grad_()
    repeat_rows(x, torch.tensor([0, 0, 2])).sum().backward()
    assert x.grad is not None
    assert x.grad[:, 0].tolist() == [2.0, 0.0, 1.0]


def test_halving_in_a_compiled_network_is_max_pooling_with_its_gradient(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    x = torch.randn(2, 3, 7, 6).requires_grad_()
    pooled = torch.nn.functional.max_pool2d(x, 2)
    weight = torch.randn_like(pooled)
    (expected,) = torch.autograd.grad((pooled * weight).sum(), x)
    out = halve(x)
    assert torch.equal(out, pooled)
    assert torch.equal(torch.autograd.grad((out * weight).sum(), x)[0], expected)
