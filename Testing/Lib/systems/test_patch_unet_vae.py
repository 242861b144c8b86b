"""The patch UNet-VAE against SPEC section 9: sizes, code, skips, objective, scanning."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny_patch_unet_vae import batch_of, text_of, tiny
from torch import nn

from TextPromptSegLib.systems.patch_unet_vae import PatchUNetVAE, PatchUNetVAEConfig
from TextPromptSegLib.systems.patch_unet_vae import objective as terms
from TextPromptSegLib.systems.patch_unet_vae.network import Code, PatchVAE
from TextPromptSegLib.systems.patch_unet_vae.scan import OUTSIDE, importance, scan, starts, tiles
from TextPromptSegLib.systems.registry import create, systems, trainer_of


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize(
    ("channels", "expected"), [((32, 64, 128, 256), 1_939_042), ((64, 128, 256, 512), 7_724_194)]
)
def test_network_has_the_derived_number_of_parameters(
    channels: tuple[int, ...], expected: int
) -> None:
    net = create("patch-unet-vae", {"channels": channels})
    assert isinstance(net, PatchUNetVAE) and count(net) == expected


@pytest.mark.parametrize(
    ("layers", "expected", "side", "field"),
    [(1, None, None, 16), (2, 661_313, 14, 34), (3, 2_763_585, 6, 70), (4, None, None, 142)],
)
def test_critic_has_the_derived_size_and_receptive_field(
    layers: int, expected: int | None, side: int | None, field: int
) -> None:
    assert terms.receptive_field(layers) == field
    if expected is None:
        return
    critic = terms.make_critic(PatchUNetVAEConfig(critic_layers=layers))
    patch = torch.zeros(1, 1, 64, 64, requires_grad=True)
    opinion = critic(patch)[-1]
    assert count(critic) == expected and opinion.shape == (1, 1, side, side)


def test_one_opinion_of_the_critic_sees_its_receptive_field_only() -> None:
    # without instance norm, whose statistics reach over the whole patch
    critic = terms.make_critic(PatchUNetVAEConfig(critic_channels=4))
    for parent in critic.modules():
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.InstanceNorm2d):
                setattr(parent, name, nn.Identity())
    patch = torch.rand(1, 1, 64, 64, requires_grad=True)
    critic(patch)[-1][0, 0, 7, 7].backward()
    assert patch.grad is not None
    seen = patch.grad[0, 0].abs() > 0
    assert int(seen.any(0).sum()) == int(seen.any(1).sum()) == terms.receptive_field(2) == 34


def test_code_is_spatial_and_a_reconstruction_lies_in_the_range_of_tanh() -> None:
    net = PatchVAE(PatchUNetVAEConfig()).eval()
    with torch.no_grad():
        code = net.encode(torch.rand(2, 1, 64, 64) * 2 - 1)
        made, logits = net.decode(code.sample(), code.skips)
    assert code.mean.shape == code.log_variance.shape == (2, 16, 8, 8)
    assert [s.shape[1:] for s in code.skips] == [(32, 64, 64), (64, 32, 32), (128, 16, 16)]
    assert made.shape == logits.shape == (2, 1, 64, 64) and made.abs().max() <= 1


def test_log_variance_is_clamped() -> None:
    net = tiny().net
    with torch.no_grad():
        net.to_log_variance.bias += 1e4
        assert net.encode(torch.zeros(1, 1, 16, 16)).log_variance.max() == 20
        net.to_log_variance.bias -= 2e4
        assert net.encode(torch.zeros(1, 1, 16, 16)).log_variance.min() == -30


def test_synthetic_patches_differ_from_the_reconstruction_by_their_noise_alone() -> None:
    net = tiny().net.train()
    patches, sentence = torch.rand(3, 1, 16, 16) * 2 - 1, torch.randn(3, 6)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    first, second = (net.synthesise(patches, sentence) for _ in range(2))
    calm = net.synthesise(patches, sentence, temperature=0.0)
    assert net.training and not first.requires_grad
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())  # no statistics
    assert not torch.allclose(first, second)
    net.eval()
    code = net.encode(patches)
    assert torch.allclose(calm, net.decode(code.mean, code.skips, sentence)[0], atol=1e-5)


def test_skip_dropout_drops_whole_skips_in_training_only() -> None:
    net = tiny(skips="dropout").net
    skips = (torch.ones(400, 4, 2, 2), torch.ones(400, 8, 1, 1))
    dropped = net.train().drop_skips(skips)
    for skip in dropped:
        kept = skip.flatten(1)
        assert ((kept == 0).all(1) | (kept == 1).all(1)).all()
        assert 0.4 < float(kept[:, 0].mean()) < 0.6
    assert not torch.equal(dropped[0][:, 0, 0, 0], dropped[1][:, 0, 0, 0])
    assert net.eval().drop_skips(skips) is skips
    assert tiny().net.train().drop_skips(skips) is skips
    picture, logits = net.imagine(2, torch.zeros(2, 6))
    assert picture.shape == logits.shape == (2, 1, 16, 16) and float(picture.abs().max()) <= 1


@pytest.mark.parametrize(("false_positives", "false_negatives"), [(0, 0), (3, 0), (0, 2), (3, 2)])
def test_focal_tversky_by_hand(false_positives: int, false_negatives: int) -> None:
    mask = torch.zeros(1, 1, 1, 16)
    mask[..., :4] = 1
    guess = mask.clone()
    guess[..., 4 : 4 + false_positives] = 1
    guess[..., :false_negatives] = 0
    tp = 4 - false_negatives
    index = (tp + 1) / (tp + 0.3 * false_positives + 0.7 * false_negatives + 1)
    loss = terms.focal_tversky((guess * 2 - 1) * 50, mask)
    assert float(loss) == pytest.approx(max(1e-6, 1 - index) ** 0.75, abs=1e-4)


def test_kl_is_zero_for_the_prior_and_as_torch_says_elsewhere() -> None:
    zero = torch.zeros(1, 2, 3, 3)
    assert float(terms.kl_to_standard_normal(Code((), zero, zero))) == 0
    mean, spread = torch.randn(1, 2, 3, 3), torch.randn(1, 2, 3, 3)
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(
        normal(mean, (0.5 * spread).exp()), normal(zero, torch.ones_like(zero))
    ).mean()
    assert torch.allclose(terms.kl_to_standard_normal(Code((), mean, spread)), expected)


def test_adversarial_terms_are_least_squares_and_reach_the_right_network() -> None:
    class Opinion(nn.Module):
        def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
            return [x.mean((1, 2, 3), keepdim=True)]

    made = torch.full((2, 1, 4, 4), 0.25, requires_grad=True)
    real = torch.full((2, 1, 4, 4), 0.9)
    generator = terms.adversarial_loss(Opinion(), made)
    assert float(generator.detach()) == pytest.approx(0.75**2)
    critic = terms.critic_loss(Opinion(), real, made)
    assert float(critic) == pytest.approx(0.5 * (0.1**2 + 0.25**2))
    assert not critic.requires_grad and generator.requires_grad


def test_perceptual_loss_compares_frozen_features() -> None:
    from TextPromptSegLib.systems.patch_unet_vae.perceptual import VGGFeatureLoss

    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.ReLU())
    loss = VGGFeatureLoss(layers, layers=(1, 3)).train()
    assert len(loss.backbone) == 4 and not any(p.requires_grad for p in loss.parameters())
    assert not loss.training
    patches = torch.rand(2, 1, 12, 12) * 2 - 1
    assert float(loss(patches, patches)) == 0
    other = (patches * 0.5).requires_grad_()
    value = loss(other, patches)
    value.backward()
    assert float(value.detach()) > 0 and other.grad is not None and other.grad.abs().sum() > 0
    grey = (torch.cat([other.detach(), patches]).expand(-1, 3, -1, -1) + 1) / 2
    grey = (grey - loss.mean) / loss.std
    first, second = layers[:2](grey), layers[:4](grey)
    expected = sum(((f[:2] - f[2:]) ** 2).mean() for f in (first, second))
    assert torch.allclose(value, expected, rtol=1e-4)


def test_vgg_weights_are_refused_when_missing_or_not_torchvisions(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from TextPromptSegLib.outcome import CheckpointError
    from TextPromptSegLib.systems.patch_unet_vae.perceptual import VGG16_FILE, vgg16_features

    monkeypatch.setenv("TEXTPROMPTSEG_ENCODERS", str(tmp_path))
    monkeypatch.delenv("TEXTPROMPTSEG_ALLOW_DOWNLOAD", raising=False)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    with pytest.raises(CheckpointError, match='"perceptual": "none"'):
        vgg16_features()
    (tmp_path / VGG16_FILE).write_bytes(b"something else")
    with pytest.raises(CheckpointError, match="sha256"):
        vgg16_features()


def test_objective_learns_both_heads_and_obeys_the_text() -> None:
    net = tiny().train()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    batch = batch_of(net)
    values = []
    for _ in range(60):
        optimizer.zero_grad()
        found = net.loss(batch)
        found["loss"].backward()
        optimizer.step()
        values.append((float(found["mse"]), float(found["tversky"])))
    assert values[-1][0] < 0.3 * values[0][0] and values[-1][1] < 0.6 * values[0][1]
    net.eval()
    with torch.no_grad():
        same = {**batch, "image": batch["image"][:1].expand(6, -1, -1, -1)}
        logits = net.loss(same)["logits"]
    assert (logits[0] - logits[1]).abs().max() > 1e-3


def test_critic_only_counts_real_patches_and_absent_ones_are_taught_by_cross_entropy() -> None:
    net = tiny().eval()
    batch = batch_of(net)
    critic = terms.make_critic(net.config)
    few = net.loss({**batch, "critic": critic, "real": 2})
    alone = {k: v[:2] for k, v in batch.items() if isinstance(v, torch.Tensor)}
    alone["text"] = batch["text"].index(torch.arange(2))
    assert torch.allclose(
        few["adversarial"], net.loss({**alone, "critic": critic, "real": 2})["adversarial"]
    )
    logits = torch.full((2, 1, 4, 4), -9.0)
    mask, present = torch.zeros(2, 1, 4, 4), torch.tensor([0.0, 0.0])
    quiet = terms.segmentation_loss(logits, mask, present, net.config)
    alarm = terms.segmentation_loss(-logits, mask, present, net.config)
    assert float(quiet[0]) == float(alarm[0]) == 0
    assert float(quiet[1]) < 0.01 and float(alarm[1]) > 5


def test_a_patch_does_not_depend_on_its_batch() -> None:
    net = tiny().train()
    for _ in range(3):
        net.loss(batch_of(net))
    net.eval()
    images, text = torch.rand(3, 1, 32, 48), text_of(torch.randn(3, 6))
    with torch.no_grad():
        logits, presence = net.decode(net.encode_image(images), text)
        alone = net.decode(net.encode_image(images[1:2]), text.index(torch.tensor([1])))
    assert torch.allclose(alone[0][0], logits[1], atol=1e-5)
    assert torch.allclose(alone[1][0], presence[1], atol=1e-5)


# ---- scanning ----


@pytest.mark.parametrize(
    ("low", "high", "length", "expected"),
    [
        (0, 64, 100, [0]),
        (10, 40, 100, [0]),
        (70, 90, 100, [36]),
        (0, 128, 128, [0, 32, 64]),
        (5, 110, 200, [5, 37, 46]),
    ],
)
def test_patches_cover_a_span(low: int, high: int, length: int, expected: list[int]) -> None:
    assert starts(low, high, 64, 32, length) == expected


def test_scan_equals_monais_sliding_window_over_the_region() -> None:
    from monai.inferers import SlidingWindowInferer

    torch.manual_seed(0)
    layer = nn.Conv2d(1, 1, 5, padding=2)
    images = torch.rand(2, 1, 40, 56)
    with torch.no_grad():
        whole = scan(images, [(0, 0, 40, 56)] * 2, 16, 0.5, lambda p, rows: layer(p), most=7)
        theirs = SlidingWindowInferer((16, 16), overlap=0.5, mode="gaussian")(images, layer)
        part = scan(images, [(8, 12, 33, 50), None], 16, 0.5, lambda p, rows: layer(p))
        inner = SlidingWindowInferer((16, 16), overlap=0.5, mode="gaussian")(
            images[:1, :, 8:33, 12:50], layer
        )
    assert torch.allclose(whole, theirs, atol=1e-4)
    assert torch.allclose(part[:1, :, 8:33, 12:50], inner, atol=1e-4)
    assert (part[1] == OUTSIDE).all() and (part[0, 0, :8] == OUTSIDE).all()
    assert len(tiles((8, 12, 33, 50), 16, 0.5, (40, 56))) == 3 * 4


def test_boxes_replace_the_localiser_and_everything_outside_is_quiet() -> None:
    net = tiny().eval()
    images, text = torch.rand(2, 1, 64, 64), text_of(torch.randn(2, 6))
    nan = float("nan")
    boxes = torch.tensor([[20.0, 30.0, 50.0, 50.0], [nan] * 4])
    with torch.no_grad():
        logits = net.decode(net.encode_image(images), text, boxes)[0]
        whole = net.decode(net.encode_image(images), text)[0]
    assert (logits[0, 0, :30] == OUTSIDE).all() and (logits[0, 0, :, 52:] == OUTSIDE).all()
    assert (logits[0, 0, 30:50, 20:50] > OUTSIDE).all()
    assert torch.allclose(logits[1], whole[1], atol=1e-5)  # no box, no localiser: all of it


def test_registry_knows_its_trainer() -> None:
    assert "patch-unet-vae" in systems()
    assert trainer_of("film-unet") is None
    trainer = trainer_of("patch-unet-vae")
    assert trainer is not None and trainer.__name__ == "train_patches"


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"patch": 20}, "multiple of"), ({"skips": "no"}, "skips"), ({"overlap": 1.0}, "overlap")],
)
def test_refuses_what_cannot_be_built(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PatchUNetVAEConfig(**{"channels": (8, 8, 8, 8), **changes})


@pytest.mark.parametrize("size", [16, 97])
def test_patches_count_as_monai_weighs_them(size: int) -> None:
    """Written again because importing MONAI would take seconds of the first answer."""
    from monai.data.utils import compute_importance_map

    theirs = compute_importance_map((size, size), mode="gaussian", sigma_scale=0.125)
    assert torch.equal(importance(size), theirs.clamp_min(1e-3))
