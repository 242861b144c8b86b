"""Boxes as prompts, without torchvision's operators.

transformers pools the image inside a box by ``torchvision.ops.roi_align``. Its compiled operator
does not load beside every torch (Slicer's among them), so the pooling is done here: bilinear
samples and their mean are linear in rows and in columns, two small matrices a box.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def relative_boxes(boxes: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Return boxes as SAM 3 reads them, (B, 1, 4) cx, cy, w, h in [0, 1], and which there are.

    Args:
        boxes: (B, 4) x0, y0, x1, y1 px, pixel centres at whole numbers; a row of NaN has no box.
        side: of the image, px.

    Returns:
        Boxes, the whole image where there is none, and (B, 1) bool.
    """
    there = torch.isfinite(boxes).all(1)
    low, high = boxes[:, :2], boxes[:, 2:]
    middle, size = (low + high + 1) / (2 * side), (high - low) / side
    found = torch.cat([middle, size.clamp_min(1 / side)], 1)
    whole = found.new_tensor([0.5, 0.5, 1.0, 1.0])
    return torch.where(there[:, None], found, whole)[:, None], there[:, None]


def sampling(low: float, high: float, size: int, bins: int) -> Tensor:
    """Return the matrix (bins, size) that samples a row of pixels inside a range and averages.

    Args:
        low: start of the range, px, the first pixel at 0.
        high: its end; a range is at least one pixel long.
        size: pixels.
        bins: parts of the range, each the mean of as many samples as it has pixels, rounded up.
    """
    length = max(high - low, 1.0)
    per_bin = max(1, math.ceil(length / bins))
    steps = (torch.arange(bins * per_bin, dtype=torch.float64) + 0.5) / per_bin
    place = low + steps * (length / bins)
    inside = (place >= -1) & (place <= size)
    place = place.clamp(0, size - 1)
    first = place.floor().long()
    share = place - first
    rows = torch.arange(len(place))
    matrix = torch.zeros(len(place), size, dtype=torch.float64)
    matrix[rows, first] += 1 - share
    matrix[rows, (first + 1).clamp_max(size - 1)] += share
    matrix *= inside[:, None]
    return matrix.view(bins, per_bin, size).mean(1)


def pool(maps: Tensor, boxes: Tensor, bins: int) -> Tensor:
    """Return what lies inside one box of each map, (B, C, bins, bins).

    Args:
        maps: (B, C, H, W).
        boxes: (B, 4) x0, y0, x1, y1 px of the map, the first pixel from 0 to 1.
        bins: side of the result.
    """
    height, width = maps.shape[-2:]
    sides = boxes.float().cpu().tolist()  # Apple's GPU knows no float64
    rows = torch.stack([sampling(y0, y1, height, bins) for _, y0, _, y1 in sides]).to(maps)
    columns = torch.stack([sampling(x0, x1, width, bins) for x0, _, x1, _ in sides]).to(maps)
    return torch.einsum("bph,bchw,bqw->bcpq", rows, maps, columns)


def encode_boxes(
    geometry: Any, maps: Tensor, places: Tensor, boxes: Tensor | None, side: int
) -> Any:
    """Return the tokens of a box prompt and which of them count, (B, T, C) and (B, T) bool.

    The last token is the encoder's own and always counts.

    Args:
        geometry: transformers' ``Sam3GeometryEncoder``.
        maps: image features (B, C, h, w).
        places: their position encodings, of the same shape.
        boxes: (B, 4) px, rows of NaN without one; None = no box at all.
        side: of the image, px.
    """
    count = len(maps)
    own = geometry.cls_embed.weight[None].expand(count, -1, -1)
    mask = torch.ones(count, 1, dtype=torch.bool, device=maps.device)
    if boxes is not None:
        where, there = relative_boxes(boxes.float(), side)
        own = torch.cat([_box_tokens(geometry, maps, where), own], 1)
        mask = torch.cat([there, mask], 1)
    tokens = geometry.prompt_layer_norm(geometry.final_proj(own))
    seen, spots = (part.flatten(2).transpose(1, 2) for part in (maps, places))
    hidden = tokens.new_zeros(mask.shape).masked_fill(~mask, float("-inf"))[:, None, None]
    among = None if bool(mask.all()) else hidden.expand(-1, 1, mask.shape[1], -1)
    for layer in geometry.layers:
        tokens = layer(tokens, vision_feats=seen, vision_pos_encoding=spots, prompt_mask=among)
    return geometry.output_layer_norm(tokens), mask


def _box_tokens(geometry: Any, maps: Tensor, where: Tensor) -> Tensor:
    """Return the token (B, 1, C) of each box ``where`` (B, 1, 4) cx, cy, w, h."""
    height, width = maps.shape[-2:]
    normal = geometry.vision_layer_norm(maps.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
    middle, half = where[:, 0, :2], where[:, 0, 2:] / 2
    scale = where.new_tensor([width, height] * 2)
    inside = pool(normal, torch.cat([middle - half, middle + half], 1) * scale, geometry.roi_size)
    pooled = geometry.boxes_pool_project(inside).flatten(1)[:, None]
    x, y, w, h = where[:, 0].unbind(1)
    spot = geometry._encode_box_coordinates(x, y, w, h)[:, None]
    label = geometry.label_embed(torch.ones_like(x, dtype=torch.long))[:, None]
    direct = geometry.boxes_direct_project(where)
    return label + direct + pooled + geometry.boxes_pos_enc_project(spot)


def upsample(logits: Tensor, side: int) -> Tensor:
    """Return logits (B, K, h, w) at the image's size, (B, K, side, side) float32."""
    return F.interpolate(logits.float(), size=(side, side), mode="bilinear", align_corners=False)
