"""SSGM, CBSM, MARL and the axis of symmetry, also of rotated heads."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from TextPromptSegLib.data.datasets import Dataset
from TextPromptSegLib.nn.symmetry import (
    CrossBilateralSymmetry,
    MorphologyAware,
    estimate_axis,
    reflect,
)


def head(side: int = 96, lesion: bool = True) -> torch.Tensor:
    """A head seen from below: an ellipse with two symmetric dark parts and a bright lesion."""
    y, x = torch.meshgrid(*(torch.linspace(-1, 1, side),) * 2, indexing="ij")
    picture = ((x / 0.55) ** 2 + (y / 0.75) ** 2 < 1).float() * 0.6
    for sign in (-1, 1):
        picture[((x - 0.18 * sign) / 0.09) ** 2 + ((y + 0.1) / 0.3) ** 2 < 1] = 0.2
        picture[((x - 0.28 * sign) / 0.1) ** 2 + ((y - 0.4) / 0.08) ** 2 < 1] = 0.45
    picture[(x.abs() < 0.04) & (y < -0.3) & (y > -0.7)] = 0.9
    if lesion:
        picture[(x - 0.3) ** 2 + (y - 0.1) ** 2 < 0.01] = 1.0
    return picture[None, None]


def turned(image: torch.Tensor, degrees: float, shift: float = 0.0) -> torch.Tensor:
    """Rotate by ``degrees`` (clockwise as displayed) and shift to the right, in half heights."""
    angle, aspect = math.radians(degrees), image.shape[-1] / image.shape[-2]
    c, s = math.cos(angle), math.sin(angle)
    matrix = torch.tensor([[c, s / aspect, -shift * c / aspect], [-s * aspect, c, shift * s]])
    grid = F.affine_grid(matrix[None].float(), list(image.shape), align_corners=False)
    return F.grid_sample(image, grid, align_corners=False)


def test_symmetric_maps_have_no_difference_and_a_flip_changes_nothing() -> None:
    x = torch.randn(2, 4, 6, 8)
    difference = CrossBilateralSymmetry.difference
    assert difference(x + x.flip(-1)).abs().max() < 1e-6
    assert torch.equal(difference(x.flip(-1)), difference(x))
    assert torch.equal(difference(x), difference(x).flip(-1))
    assert difference(x).max() > 0.5
    # up and down is no symmetry of a body
    assert difference(x + x.flip(-2)).max() > 0.5


@pytest.mark.parametrize("size", [(8, 8), (8, 12), (7, 5)])
def test_the_middle_axis_is_the_plain_flip(size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size)
    assert torch.allclose(reflect(x, torch.zeros(2, 2)), x.flip(-1), atol=1e-5)


@pytest.mark.parametrize("width", [96, 128])
def test_reflecting_twice_is_the_identity_inside(width: int) -> None:
    image = F.pad(head(), ((width - 96) // 2,) * 2)
    image = F.avg_pool2d(image, 5, 1, 2)
    axis = torch.tensor([[0.3, 0.1]])
    again = reflect(reflect(image, axis), axis)
    assert (again - image)[..., 24:-24, 24:-24].abs().mean() < 0.02


@pytest.mark.parametrize(
    ("degrees", "shift", "width"),
    [(0, 0.0, 96), (12, 0.0, 96), (-20, 0.0, 96), (8, 0.12, 96), (-15, -0.1, 128), (25, 0.0, 128)],
)
def test_the_axis_of_a_rotated_head_is_found(degrees: float, shift: float, width: int) -> None:
    image = turned(F.pad(head(), ((width - 96) // 2,) * 2), degrees, shift)
    axis = estimate_axis(image)
    found = math.degrees(float(axis[0, 0]))
    assert found == pytest.approx(degrees, abs=2.5)
    expected = shift * math.cos(math.radians(degrees))
    assert float(axis[0, 1]) == pytest.approx(expected, abs=0.04)

    # only the lesion is left of the difference; with the plain flip the whole head is
    def total(used: torch.Tensor | None) -> float:
        return float(CrossBilateralSymmetry.difference(image, used).mean())

    assert total(axis) < 0.03
    if degrees or shift:
        assert total(axis) < 0.5 * total(None)


def test_pictures_are_treated_alone_and_those_without_symmetry_keep_the_middle() -> None:
    images = torch.cat([turned(head(), 15), torch.zeros(1, 1, 96, 96), head()])
    axes = estimate_axis(images)
    assert torch.allclose(axes[:1], estimate_axis(images[:1]), atol=1e-6)
    assert not axes[1].any()
    assert axes[2].abs().max() < 0.03
    half = torch.zeros(1, 1, 96, 96)
    half[..., :, :40] = 1
    assert torch.isfinite(estimate_axis(half)).all()


def test_marl_has_the_derived_number_of_parameters_and_its_ablations_their_parts() -> None:
    def count(**switches: bool) -> int:
        with torch.device("meta"):
            return sum(p.numel() for p in MorphologyAware(768, **switches).parameters())

    assert count() == 1_784_064
    assert count(cbsm=False) == 768 * 10 + 2 * 768 * 768 + 768
    assert count(ssgm=False) == 768 * 8 + 2 * 768 * 768 + 768


def test_marl_sees_only_asymmetry_through_cbsm() -> None:
    torch.manual_seed(0)
    marl = MorphologyAware(4, ssgm=False)
    assert marl.cbsm is not None
    with torch.no_grad():
        marl.fuse.weight[:, :4] = 0  # not the map itself
    symmetric = torch.randn(1, 4, 6, 7)
    symmetric = symmetric + symmetric.flip(-1)
    silent = marl(torch.zeros_like(symmetric))
    assert torch.allclose(marl(symmetric), silent, atol=1e-5)
    symmetric[..., 2, 1] += 1
    assert not torch.allclose(marl(symmetric), silent, atol=1e-3)


def test_the_axis_of_real_heads_follows_a_rotation(shared_data: Path) -> None:
    dataset = Dataset.read(shared_data / "mr_brain_tumor_lgg")
    errors = []
    for case in dataset.split("test")[:24:6]:
        image = torch.from_numpy(case.volume().array.astype("float32"))[None] / 255
        straight = estimate_axis(image)[0, 0]
        for degrees in (-18, 10, 22):
            rotated = turned(image, degrees)
            axis = estimate_axis(rotated)
            errors.append(abs(math.degrees(float(axis[0, 0] - straight)) - degrees))
            difference = CrossBilateralSymmetry.difference
            assert difference(rotated, axis).mean() < 0.9 * difference(rotated).mean()
    assert sum(errors) / len(errors) < 1.5
