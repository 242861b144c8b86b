"""Where the localiser would cut training patches: the peaks of similarity in each slice.

The paper trains on what its patch localiser extracts, not on patches around the reference.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from ..data.patches import PeakKey, PeakPlaces, peak_key
from ..outcome import InputError
from ..systems.patch_unet_vae.localiser import Localiser, LocaliserSpec

if TYPE_CHECKING:
    from ..data.slices import TrainingSlice

logger = logging.getLogger(__name__)


@torch.inference_mode()
def find_peaks(
    slices: Sequence[TrainingSlice],
    names: Sequence[str],
    encoder: Any,
    localiser: Mapping[str, Any],
    size: int = 64,
) -> PeakPlaces:
    """Return the centres of the windows that resemble each structure, in the slices that hold it.

    Args:
        slices: at the localiser's pixel size.
        names: the structures, asked as prompts.
        encoder: the CLIP that is the recipe's text encoder.
        localiser: values of `LocaliserSpec`.
        size: side of a patch, px: how many of the places hold the structure goes to the log.

    Raises:
        InputError: when the text encoder has no image tower to compare with.
    """
    if getattr(encoder, "visual", None) is None:
        raise InputError(
            f"The text encoder '{encoder.id}' has no image tower, so there are no peaks to cut "
            'patches at; set "peaks" to 0 or take a CLIP.'
        )
    look = Localiser(encoder, LocaliserSpec(**localiser))
    text = encoder.encode(list(names)).pooled
    found: dict[PeakKey, tuple[tuple[int, int], ...]] = {}
    held = count = 0
    for item in slices:
        asked = [row for row, name in enumerate(names) if name in item.masks]
        if not asked:
            continue
        windows = look.embed(torch.from_numpy(item.image).float().div(255)[None])
        for row, centres in zip(asked, look.peaks(windows, text[asked])[0].tolist(), strict=True):
            places = tuple((round(y), round(x)) for y, x in centres if y >= 0)
            found[peak_key(item, names[row])] = places
            mask, half = item.unpack(names[row]), size // 2
            count += len(places)
            held += sum(
                bool(mask[max(y - half, 0) : y + half, max(x - half, 0) : x + half].any())
                for y, x in places
            )
    logger.info("%d of %d patches at the localiser's peaks hold the structure", held, count)
    return found
