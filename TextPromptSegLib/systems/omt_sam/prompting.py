"""The geometric prompts of training pairs: 40 % jittered box, 30 % whole image, 30 % none."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .config import OMTSAMConfig

MOST_POINTS = 3


@dataclass(frozen=True)
class DrawnPrompts:
    """What the pairs of a batch are asked with, beside their text.

    Attributes:
        boxes: (N, 4) x0, y0, x1, y1 px; NaN = no box.
        points: (N, P, 3) x, y, label px, label -1 = no point; None = no pair has points.
        silent: (N,) bool, pairs asked without text.
    """

    boxes: Tensor
    points: Tensor | None
    silent: Tensor


def mask_boxes(masks: Tensor) -> Tensor:
    """Return the boxes (N, 4) x0, y0, x1, y1 px around masks (N, 1, H, W); NaN when empty.

    The last row and column count as in SAM: a mask of one pixel has x0 = x1.
    """
    inside = masks[:, 0] > 0
    boxes = torch.full((len(masks), 4), float("nan"), device=masks.device)
    for start, along in ((0, inside.any(1)), (1, inside.any(2))):  # columns, rows
        there = along.any(1)
        size = along.shape[1]
        first = along.float().argmax(1)
        last = size - 1 - along.flip(1).float().argmax(1)
        boxes[there, start] = first[there].float()
        boxes[there, start + 2] = last[there].float()
    return boxes


def draw_prompts(
    masks: Tensor, config: OMTSAMConfig, generator: torch.Generator | None = None
) -> DrawnPrompts:
    """Draw the prompts of a batch; the shares of boxes hold in every batch, not only on average.

    A pair whose structure is not in the slice gets the box of another pair where its turn is a
    box, so that a box alone does not say that the structure is there.

    Args:
        masks: (N, 1, H, W) in {0, 1}.
        config: shares and jitter.
        generator: source of randomness, on the CPU; None takes torch's own.
    """
    count, _, height, width = masks.shape
    device = masks.device

    def uniform(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator).to(device)

    found = mask_boxes(masks)
    there = torch.isfinite(found).all(1)
    order = torch.randperm(count, generator=generator).to(device)
    boxed = order[: round(config.box_share * count)]
    whole = order[len(boxed) : len(boxed) + round(config.whole_share * count)]
    boxes = torch.full((count, 4), float("nan"), device=device)
    side = torch.tensor([width, height, width, height], device=device, dtype=torch.float32)
    boxes[whole] = torch.tensor([0.0, 0.0, width - 1.0, height - 1.0], device=device)
    if there.any():
        donors = torch.nonzero(there).flatten()
        pick = donors[torch.randint(0, len(donors), (count,), generator=generator).to(device)]
        source = torch.where(there[:, None], found, found[pick])
        boxes[boxed] = jitter(source, side, config.box_jitter, uniform(count, 4))[boxed]
    silent = torch.zeros(count, dtype=torch.bool, device=device)
    if config.silent_share:
        own = boxed[there[boxed]]  # "no" to a box without a name has no meaning
        silent[own[: round(config.silent_share * len(own))]] = True
    points = None
    if config.point_share and float(torch.rand((), generator=generator)) < config.point_share:
        number = int(torch.randint(1, MOST_POINTS + 1, (), generator=generator))
        points = draw_points(masks, number, uniform)
        points[uniform(count) < 0.5, :, 2] = -1
    if not config.image_text:
        silent[:] = True
    return DrawnPrompts(boxes, points, silent)


def jitter(boxes: Tensor, side: Tensor, most: float, chance: Tensor) -> Tensor:
    """Move the sides of boxes (N, 4) outwards by up to ``most``, inwards by up to a quarter of it.

    Args:
        boxes: x0, y0, x1, y1 px.
        side: (4,) width, height, width, height px.
        most: share of the image side.
        chance: (N, 4) in [0, 1).
    """
    out = torch.tensor([-1.0, -1.0, 1.0, 1.0], device=boxes.device)
    moved = boxes + out * side * most * (1.25 * chance - 0.25)
    moved = torch.minimum(moved.clamp_min(0), side - 1)
    low = torch.minimum(moved[:, :2], moved[:, 2:])
    return torch.cat([low, torch.maximum(moved[:, :2], moved[:, 2:])], 1)


def draw_points(masks: Tensor, number: int, uniform: object) -> Tensor:
    """Return points (N, number, 3) x, y, label px: each inside (1) or outside (0) the mask."""
    count, _, height, width = masks.shape
    chance = uniform(count, number, height * width)  # type: ignore[operator]
    inside = masks.flatten(1)[:, None] > 0
    positive = uniform(count, number) < 0.6  # type: ignore[operator]
    positive &= inside.any(2)
    wanted = torch.where(positive[..., None], inside, ~inside)
    place = torch.where(wanted, chance, -1.0).argmax(2)
    label = positive.float()
    return torch.stack([(place % width).float(), (place // width).float(), label], 2)
