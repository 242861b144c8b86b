"""The localiser: where windows lie, what they show, heat maps, peaks, regions in mm."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiny_clip
import torch
from brightness_tower import Brightness
from torch import Tensor, nn

from TextPromptSegLib.nn.windows import cut_windows
from TextPromptSegLib.systems.patch_unet_vae.localiser import (
    Localiser,
    LocaliserSpec,
    Region,
    regions,
)

SPEC = LocaliserSpec(window=24, stride=8, views=(1,), top_k=3)


@pytest.fixture
def localiser() -> Localiser:
    clip: Any = SimpleNamespace(visual=Brightness(), dim=2, logit_scale=10.0, logit_bias=-5.0)
    return Localiser(clip, SPEC)


BRIGHT = torch.tensor([[0.0, 1.0]])


def picture() -> Tensor:
    """A grey body of 48 x 56 px on air, with a bright square in the cell of row 2, column 5."""
    image = torch.zeros(1, 1, 48, 64)
    image[..., :56] = 0.2
    image[..., 16:24, 40:48] = 1.0
    return image


# ---- windows ----


def test_a_window_is_the_part_of_the_slice_around_its_centre() -> None:
    image = torch.rand(40, 50)
    centres = torch.tensor([[20.0, 30.0], [4.0, 4.0]])
    seen = cut_windows(image, centres, 8)
    assert torch.allclose(seen[0, 0], image[16:24, 26:34], atol=1e-5)
    assert torch.allclose(seen[1, 0], image[0:8, 0:8], atol=1e-5)
    outside = cut_windows(image, torch.tensor([[0.0, 0.0]]), 8)[0, 0]
    assert float(outside[:4].max()) < 1e-5
    assert torch.allclose(outside[4:, 4:], image[:4, :4], atol=1e-5)


def test_further_views_show_the_surroundings_of_the_same_centre() -> None:
    image = torch.rand(64, 64)
    seen = cut_windows(image, torch.tensor([[32.0, 32.0]]), 8, (1, 2, 4))
    assert seen.shape == (1, 3, 8, 8)
    for channel, view in enumerate((1, 2, 4)):
        field = image[32 - 4 * view : 32 + 4 * view, 32 - 4 * view : 32 + 4 * view]
        mean = nn.functional.avg_pool2d(field[None, None], view)[0, 0]
        assert torch.allclose(seen[0, channel], mean, atol=1e-5)


def test_crops_are_the_windows_of_the_sampling_grid() -> None:
    image = torch.rand(37, 50)
    centres = torch.rand(30, 2) * torch.tensor([45.0, 60.0]) - 4
    seen = cut_windows(image, centres, 9, (1, 2, 4))
    by_grid = cut_windows(image, centres, 9, (1, 2, 4), torch.eye(2).expand(30, 2, 2))
    assert torch.allclose(seen, by_grid, atol=1e-4)


def test_matrices_turn_and_mirror_windows() -> None:
    image = torch.rand(40, 40)
    centre = torch.tensor([[20.0, 20.0]])
    plain = cut_windows(image, centre, 8, (1, 2))
    mirror = cut_windows(image, centre, 8, (1, 2), torch.tensor([[[1.0, 0.0], [0.0, -1.0]]]))
    assert torch.allclose(mirror, plain.flip(-1), atol=1e-5)
    turned = cut_windows(image, centre, 8, (1,), torch.tensor([[[0.0, 1.0], [-1.0, 0.0]]]))
    assert torch.allclose(turned[0, 0], torch.rot90(plain[0, 0]), atol=1e-5)


# ---- embeddings, similarity, heat map ----


def test_the_cell_with_the_structure_is_the_most_similar(localiser: Localiser) -> None:
    windows = localiser.embed(picture())
    assert windows.embeddings.shape == (1, 6, 8, 2)
    logits = localiser.similarity(windows, BRIGHT)
    assert logits.shape == (1, 1, 6, 8)
    assert int(logits.flatten().argmax()) == 2 * 8 + 5
    assert float(logits.max()) == pytest.approx(10.0 - 5.0, abs=1e-3)
    assert float(localiser.cosine(logits).max()) == pytest.approx(1.0, abs=1e-4)


def test_air_is_not_looked_at(localiser: Localiser) -> None:
    image = picture()
    image[..., 8:] = 0
    windows = localiser.embed(image)
    # windows of 24 px: those around the first two columns of cells reach the body
    assert windows.filled[0].any(0).tolist() == [True, True] + [False] * 6
    tower: Any = localiser.visual
    assert tower.seen == int(windows.filled.sum())
    logits = localiser.similarity(windows, BRIGHT)
    assert torch.isinf(logits[~windows.filled[:, None]]).all()
    nothing = localiser.embed(torch.zeros(2, 1, 16, 16))
    assert not nothing.filled.any()
    assert not localiser.heat_map(nothing, BRIGHT, (16, 16)).any()
    assert (localiser.peaks(nothing, BRIGHT) == -1).all()


def test_slices_do_not_influence_each_other(localiser: Localiser) -> None:
    images = torch.cat([picture(), torch.rand(1, 1, 48, 64), picture().flip(-1)])
    together = localiser.embed(images, batch=7)
    for row in range(3):
        alone = localiser.embed(images[row : row + 1])
        assert torch.allclose(alone.embeddings[0], together.embeddings[row], atol=1e-5)


def test_the_heat_map_covers_the_structure(localiser: Localiser) -> None:
    windows = localiser.embed(picture())
    text = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    heat = localiser.heat_map(windows, text, (48, 64))
    assert heat.shape == (1, 2, 48, 64)
    assert float(heat.min()) >= 0 and float(heat.max()) == pytest.approx(1.0)
    assert float(heat[0, 0, 16:24, 40:48].min()) == pytest.approx(1.0, abs=1e-5)
    assert float(heat[0, 0, 30:, :20].max()) < 0.2
    assert float(heat[0, 1, 16:24, 40:48].max()) < float(heat[0, 1, 16:24, 8:16].min())
    share = localiser.attention(windows, text)
    assert torch.allclose(share.flatten(2).sum(-1), torch.ones(1, 2), atol=1e-5)


def test_peaks_keep_their_distance(localiser: Localiser) -> None:
    peaks = localiser.peaks(localiser.embed(picture()), BRIGHT)[0, 0]
    assert peaks[0].tolist() == [20.0, 44.0]
    apart = torch.cdist(peaks, peaks, p=float("inf")) + 1e3 * torch.eye(3)
    assert float(apart.min()) >= SPEC.window / 2


def test_a_clip_without_offset_takes_the_cosine_of_even_odds() -> None:
    clip: Any = SimpleNamespace(visual=Brightness(), dim=2, logit_scale=50.0, logit_bias=None)
    localiser = Localiser(clip, LocaliserSpec(window=24, stride=8, views=(1,), even_cosine=0.8))
    logits = localiser.similarity(localiser.embed(picture()), BRIGHT)
    assert float(logits.max()) == pytest.approx(50 * 0.2, abs=1e-3)


def test_with_a_real_clip_of_another_input_size(tmp_path: Path) -> None:
    clip = tiny_clip.tiny_clip(tmp_path / "clip")
    localiser = Localiser(clip, LocaliserSpec(window=48, stride=16))
    image = torch.rand(2, 1, 70, 90)
    windows = localiser.embed(image)
    assert windows.embeddings.shape == (2, 5, 6, clip.dim)
    assert torch.allclose(windows.embeddings.norm(dim=-1), torch.ones(2, 5, 6), atol=1e-5)
    text = clip.encode(["left kidney", "liver"]).pooled
    logits = localiser.similarity(windows, text)
    small = nn.functional.interpolate(
        image, (47, 60), mode="bilinear", align_corners=False, antialias=True
    )
    centre = torch.tensor([[2.5 * 16 * 47 / 70, 1.5 * 16 * 60 / 90]])
    seen = clip.visual(cut_windows(small[1, 0], centre, 32, (1, 2, 4))).pooled
    expected = clip.logit_scale * (seen @ text.T)[0] - clip.logit_scale * 0.35
    assert torch.allclose(logits[1, :, 2, 1], expected, atol=1e-3)
    assert not any(p.requires_grad for p in localiser.parameters())


@pytest.mark.parametrize(
    "wrong", [{"views": (2,)}, {"views": (1, 2)}, {"stride": 200}, {"temperature": 0}]
)
def test_impossible_windows_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="views|stride"):
        LocaliserSpec(**wrong)


# ---- regions ----


def evidence(*places: tuple[int, int, int, float]) -> Tensor:
    """Return logits (10, 1, 6, 7): low, but for three slices around each (k, y, x, logit)."""
    logits = torch.full((10, 1, 6, 7), -8.0)
    for k, y, x, value in places:
        logits[k - 1 : k + 2, 0, y, x] = value
    return logits


def region(logits: Tensor, **options: Any) -> Region:
    sizes: dict[str, Any] = {"cell_mm": 25.6, "slice_mm": 3.0, "smooth_mm": 0.1}
    return regions(logits, **{**sizes, **options})[0]


def test_a_region_is_a_box_in_mm() -> None:
    found = region(evidence((4, 2, 3, 6.0), (4, 2, 4, 5.0)))
    expected = (9.0, 18.0, 2 * 25.6, 3 * 25.6, 3 * 25.6, 5 * 25.6)
    assert found.box == pytest.approx(expected)
    assert found.score == pytest.approx(0.9975, abs=1e-3)


def test_a_second_part_belongs_to_it_when_it_is_as_large() -> None:
    pair = region(evidence((4, 2, 1, 6.0), (5, 2, 5, 5.0)))
    assert pair.box == pytest.approx((9.0, 21.0, 2 * 25.6, 3 * 25.6, 25.6, 6 * 25.6))
    weak = region(evidence((4, 2, 1, 6.0), (5, 2, 5, -0.5)))
    assert weak.box == pytest.approx((9.0, 18.0, 2 * 25.6, 3 * 25.6, 25.6, 2 * 25.6))


def test_many_probable_windows_beat_one_that_is_more_so() -> None:
    logits = evidence((3, 1, 1, 1.0), (6, 1, 1, 1.0), (4, 1, 2, 1.0))
    logits[8, 0, 4, 5] = 9.0
    assert region(logits).box == pytest.approx((6.0, 24.0, 25.6, 2 * 25.6, 25.6, 3 * 25.6))


def test_nothing_is_found_where_nothing_is_probable() -> None:
    assert region(evidence((4, 2, 1, -2.0))).box is None
    assert region(torch.full((4, 1, 3, 3), float("-inf"))) == Region(None, 0.0)


def test_one_bright_window_in_one_slice_is_smoothed_away() -> None:
    logits = evidence()
    logits[4, 0, 2, 2] = 6.0
    assert region(logits, smooth_mm=8.0).box is None
    assert region(evidence((4, 2, 2, 6.0)), smooth_mm=8.0).box is not None


def test_each_prompt_has_its_own_region() -> None:
    both = torch.cat([evidence((4, 2, 3, 6.0)), evidence()], dim=1)
    first, second = regions(both, cell_mm=10.0, slice_mm=3.0)
    assert first.box is not None and second.box is None
