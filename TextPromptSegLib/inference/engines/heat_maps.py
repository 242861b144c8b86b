"""Where a system looked: its heat maps, slice by slice, in the file's voxel order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from ...image.slice_stack import Block, SliceStack

if TYPE_CHECKING:
    from ...text.features import TextFeatures
    from .slice_engine import SliceEngine


def heat_map_of(
    engine: SliceEngine, stack: SliceStack, block: Block, text: TextFeatures
) -> np.ndarray:
    """Return (K, J, I) float16 in [0, 1]: the highest of the prompts' heat maps at each voxel.

    Args:
        engine: with a network that `shows_heat_map`; its cached features are used.
        stack: the image.
        block: what was searched; zero elsewhere.
        text: encoded prompts, P rows, on the network's device.
    """
    array, view = stack.empty()
    (top, left), (h, w) = stack.offset, stack.inner
    size = stack.slices.shape[1:]
    position = block.slices.start
    with torch.inference_mode():
        while position < block.slices.stop:
            batch = engine.features(stack, position, block.slices.stop)
            place = view[position : position + batch.count, block.rows, block.columns]
            for prompt in range(len(text)):
                heat = engine.heat_map(batch, text, prompt).float().cpu()
                whole = F.interpolate(heat, stack.canvas, mode="bilinear", align_corners=False)
                inner = whole[:, :, top : top + h, left : left + w]
                inner = F.interpolate(inner, size, mode="bilinear", align_corners=False)
                part = inner[:, 0].clamp(0, 1).numpy().astype(np.float16)
                np.maximum(place, part[:, block.rows, block.columns], out=place)
            position += batch.count
    return array
