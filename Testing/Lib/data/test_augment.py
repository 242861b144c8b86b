"""Augmentation: what stays true, and what each fault does to a picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from TextPromptSegLib.data.artefacts import (
    AugmentConfig,
    as_jpeg,
    blurred,
    coarser,
    degrade,
    shading,
)
from TextPromptSegLib.data.augment import random_affine, retone, share_in_view, warp
from TextPromptSegLib.data.batches import still_asked
from TextPromptSegLib.data.sampling import Pair
from TextPromptSegLib.data.slices import TrainingSlice

STILL = AugmentConfig(
    gamma=(1, 1), contrast=0, brightness=0, noise=0, single_window=0, probability=1
)


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _levels(count: int = 6, channels: int = 2, side: int = 48) -> torch.Tensor:
    values = torch.randint(1, 256, (count, channels, side, side), generator=_generator(7))
    values[..., :8, :] = 0
    return values.to(torch.uint8)


def test_grey_values_stay_when_every_range_is_empty() -> None:
    levels = _levels()
    assert torch.allclose(retone(levels, [True] * 6, STILL, _generator()), levels / 255, atol=1e-4)


def test_black_stays_black_through_everything() -> None:
    config = AugmentConfig(
        window=0.4, invert=1, bias=1, coarse=1, blur=1, blocks=1, noise=0.2, probability=1
    )
    levels = _levels()
    is_ct = [True, False] * 3
    changed = degrade(retone(levels, is_ct, config, _generator()), is_ct, config, _generator())
    assert (changed[levels == 0] == 0).all()
    assert changed.min() >= 0 and changed.max() <= 1
    assert (changed - levels / 255).abs().mean() > 0.1


def test_only_an_mr_is_inverted_and_only_a_ct_gets_another_window() -> None:
    levels = _levels(2, 1)
    inverted = retone(levels, [True, False], replace(STILL, invert=1.0), _generator())
    plain = levels / 255
    assert torch.allclose(inverted[0], plain[0], atol=1e-4)
    shown = levels[1] > 31
    assert torch.allclose(inverted[1][shown], 1 - plain[1][shown], atol=2e-4)
    assert inverted[1][levels[1] < 5].max() < 0.2
    windowed = retone(levels, [True, False], replace(STILL, window=0.5), _generator(1))
    assert not torch.allclose(windowed[0], plain[0], atol=1e-2)
    assert torch.allclose(windowed[1], plain[1], atol=1e-4)


def test_one_window_for_all_channels_never_shows_a_neighbour() -> None:
    levels = torch.stack([torch.full((16, 16), v) for v in (50, 100, 150, 200)]).to(torch.uint8)
    batch = levels[None].expand(40, 4, 16, 16).contiguous()
    shown = retone(batch, [True] * 40, replace(STILL, single_window=1.0), _generator(), 2)
    values = {round(float(v) * 255) for v in shown.unique()}
    assert values == {50, 100}
    assert all(len(picture.unique()) == 1 for picture in shown)


def test_the_same_seed_gives_the_same_picture() -> None:
    config = AugmentConfig(bias=1, coarse=1, blur=1, blocks=1)
    pair = [degrade(_levels() / 255, [False] * 6, config, _generator(seed)) for seed in (3, 3, 4)]
    assert torch.equal(pair[0], pair[1]) and not torch.equal(pair[0], pair[2])


def test_each_fault_is_what_it_is_called() -> None:
    rng = np.random.default_rng(0)
    noisy = torch.from_numpy(rng.random((2, 64, 64))).float()
    assert blurred(noisy, 1.0).std() < 0.5 * noisy.std()
    low = coarser(noisy, 1.0, 4.0)
    assert low.shape == noisy.shape
    step_across = (low[:, :, 1:] - low[:, :, :-1]).abs().mean()
    step_along = (low[:, 1:] - low[:, :-1]).abs().mean()
    assert step_along > 2 * step_across
    field = shading((64, 64), 0.3, _generator())
    assert field.min() > 0 and (field[1:] - field[:-1]).abs().max() < 0.1 < field.std()
    packed = as_jpeg(noisy, 20)
    assert 0.02 < (packed - noisy).abs().mean() < 0.3


def test_channels_that_are_alike_stay_alike() -> None:
    """A single picture fills all channels; noise of its own in each would give it away."""
    config = AugmentConfig(bias=1, coarse=1, blur=1, blocks=1, noise=0.2, probability=1)
    one, two = (_levels(1, 1) / 255)[0, 0], (_levels(1, 1) / 255)[0, 0].flip(0)
    batch = torch.stack([one, two, one, one])[None].clone()
    changed = degrade(batch, [False], config, _generator())[0]
    assert torch.equal(changed[0], changed[2]) and torch.equal(changed[0], changed[3])
    assert (changed[0] - one).abs().mean() > 0.02
    assert not torch.equal(changed[1], changed[0].flip(0))


@given(st.integers(0, 10_000))
def test_the_share_in_view_is_that_of_the_warped_mask(seed: int) -> None:
    config = AugmentConfig(scale=(1.0, 2.0), crop=1.0, stretch=0.2, probability=1.0)
    matrix = random_affine(1, config, [bool(seed % 2)], _generator(seed), [bool(seed % 3)])
    rng = np.random.default_rng(seed)
    mask = np.zeros((64, 64), np.uint8)
    top, left = rng.integers(0, 52, 2)
    mask[top : top + 12, left : left + 12] = 1
    kept = warp(torch.from_numpy(mask)[None, None].float(), matrix, nearest=True).sum()
    zoom = 1 / abs(float(torch.det(matrix[0, :, :2])))
    assert share_in_view(mask, matrix[0].numpy(), most=1000) == pytest.approx(
        float(kept) / (144 * zoom), abs=0.16
    )


def test_an_upturned_picture_is_upside_down() -> None:
    config = AugmentConfig(rotation=0, scale=(1, 1), shift=0)
    picture = torch.arange(64.0).reshape(1, 1, 8, 8)
    turned = warp(picture, random_affine(1, config, [False], _generator(), [True]))
    assert torch.allclose(turned, picture.flip(2), atol=1e-4)


def test_a_zoomed_field_stays_inside_the_picture() -> None:
    config = AugmentConfig(rotation=0, scale=(1.7, 1.7), shift=0, crop=1.0, probability=1)
    fields = random_affine(200, config, [False] * 200, _generator())
    edge = fields[:, :, 2].abs() + 1 / 1.7
    assert edge.max() <= 1 + 1e-5 and fields[:, :, 2].std() > 0.15


def test_a_structure_out_of_sight_is_asked_as_absent_and_a_rim_is_not_asked() -> None:
    def mask(left: int) -> np.ndarray:
        full = np.zeros((32, 32), bool)
        full[12:20, left : left + 8] = True
        return np.packbits(full, axis=1)

    rim = mask(16) | np.packbits(np.eye(32, k=-1, dtype=bool) & (np.arange(32) == 15), axis=1)
    item = TrainingSlice(
        image=np.zeros((1, 32, 32), np.uint8),
        valid=(0, 0, 32, 32),
        masks={"in": mask(2), "out": mask(20), "rim": rim},
        absent=("gone",),
        dataset="set",
        modality="CT",
        key="a/axial0",
    )
    left_half = torch.tensor([[[0.5, 0.0, -0.5], [0.0, 1.0, 0.0]]])
    asked = [Pair(0, "in", True), Pair(0, "out", True), Pair(0, "gone", False)]
    kept, present = still_asked([item], [*asked, Pair(0, "rim", True)], left_half)
    assert kept[:3] == asked and present[:3] == [1.0, 0.0, 0.0]
    # one pixel of the third is left: a certain question stands in
    assert kept[3] == asked[0] and present[3] == 1.0
