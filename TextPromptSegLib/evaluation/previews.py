"""Small pictures of answers: the slice that matters, kept in memory until the page is drawn."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..image.volume import Volume

LONGEST = 192  # px kept of a slice
SHOWN = 264  # px of the drawn picture
REFERENCE_RGB = (64, 210, 255)
PREDICTION_RGB = (255, 159, 28)


@dataclass(frozen=True)
class Preview:
    """One slice with its reference and prediction, packed to about 10 kB.

    Attributes:
        shape: (h, w) px.
        aspect: height of a pixel over its width.
        image: zlib of (h, w) uint8 grey values.
        masks: zlib of (h, w) uint8, bit 0 the reference, bit 1 the prediction.
        note: "slice 41 of 96", empty for a picture.
    """

    shape: tuple[int, int]
    aspect: float
    image: bytes
    masks: bytes
    note: str


def make_preview(
    volume: Volume,
    reference: np.ndarray,
    prediction: np.ndarray,
    spacing: Sequence[float] | None,
) -> Preview:
    """Keep the axial slice in which the structure (or, if absent, the false alarm) is largest.

    Args:
        volume: the image, in the file's own order.
        reference, prediction: (K, J, I) masks in the same order.
        spacing: (K, J, I) mm, or None.
    """
    axes = volume.orientation()
    image, r, p = (axes.apply(np.asarray(a)) for a in (volume.array, reference, prediction))
    target = r if r.any() else p
    areas = target.reshape(len(target), -1).astype(bool).sum(axis=1)
    k = int(areas.argmax()) if areas.any() else len(target) // 2
    # A false alarm is understood from the whole picture, a structure from its surroundings.
    either = (r[k] != 0) | (p[k] != 0) if r.any() else np.zeros(r[k].shape, bool)
    rows, columns = _window(either)
    grey = _grey(image[k], r[k].astype(bool), volume.modality)[rows, columns]
    bits = (r[k] != 0).astype(np.uint8) | ((p[k] != 0).astype(np.uint8) << 1)
    step = max(1, -(-max(grey.shape) // LONGEST))
    grey = np.ascontiguousarray(_shrink(grey, step))
    bits = np.ascontiguousarray(bits[rows, columns][::step, ::step])[
        : grey.shape[0], : grey.shape[1]
    ]
    height, width = grey.shape
    return Preview(
        shape=(height, width),
        aspect=_aspect(volume, spacing),
        image=zlib.compress(grey.tobytes(), 6),
        masks=zlib.compress(np.ascontiguousarray(bits).tobytes(), 6),
        note=f"slice {k + 1} of {len(image)}" if len(image) > 1 else "",
    )


def draw_preview(preview: Preview) -> str:
    """Return the picture as a `data:` address (PNG): reference outlined, prediction filled."""
    from PIL import Image

    h, w = preview.shape
    grey = np.frombuffer(zlib.decompress(preview.image), np.uint8).reshape(h, w)
    bits = np.frombuffer(zlib.decompress(preview.masks), np.uint8).reshape(h, w)
    scale = SHOWN / max(w, h * preview.aspect)
    size = (max(1, round(w * scale)), max(1, round(h * preview.aspect * scale)))

    def enlarge(array: np.ndarray) -> np.ndarray:
        picture = Image.fromarray(array).resize(size, Image.Resampling.BICUBIC)
        return np.asarray(picture)

    canvas = np.repeat(enlarge(grey)[..., None].astype(np.float32), 3, axis=2)
    prediction = enlarge((bits >> 1 & 1) * np.uint8(255)) >= 128
    reference = enlarge((bits & 1) * np.uint8(255)) >= 128
    canvas[prediction] = 0.72 * canvas[prediction] + 0.28 * np.array(PREDICTION_RGB)
    canvas[_outline(prediction)] = PREDICTION_RGB
    canvas[_outline(reference)] = REFERENCE_RGB
    # 64 colours are enough for grey values and two hues, and make the page a third as large.
    picture = Image.fromarray(canvas.clip(0, 255).astype(np.uint8)).quantize(
        64, dither=Image.Dither.NONE
    )
    data = io.BytesIO()
    picture.save(data, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode("ascii")


def _window(union: np.ndarray) -> tuple[slice, slice]:
    """Cut out the masks with as much around them again; small structures would be specks."""
    h, w = union.shape
    if not union.any():
        return slice(0, h), slice(0, w)
    spans = []
    side = 0
    for axis in (0, 1):
        hit = np.flatnonzero(union.any(axis=1 - axis))
        spans.append((int(hit[0]) + int(hit[-1])) // 2)
        side = max(side, int(hit[-1]) - int(hit[0]) + 1)
    side = min(max(int(side * 2), max(h, w) * 2 // 5, 32), max(h, w))
    cut = []
    for centre, n in zip(spans, (h, w), strict=True):
        start = max(0, min(centre - side // 2, n - side))
        cut.append(slice(start, min(n, start + side)))
    return cut[0], cut[1]


def _grey(pixels: np.ndarray, inside: np.ndarray, modality: str | None) -> np.ndarray:
    values = np.nan_to_num(np.asarray(pixels, dtype=np.float32))
    if modality == "CT" and values.min() < -300:
        lung = inside.any() and float(np.median(values[inside])) < -400
        low, high = (-1050.0, 450.0) if lung else (-160.0, 240.0)
    else:
        low, high = (float(v) for v in np.percentile(values, (0.5, 99.7)))
    scaled = (values - low) / max(high - low, 1e-6)
    return (scaled.clip(0, 1) * 255).astype(np.uint8)


def _shrink(grey: np.ndarray, step: int) -> np.ndarray:
    if step == 1:
        return grey
    h, w = (n // step * step for n in grey.shape)
    blocks = grey[:h, :w].reshape(h // step, step, w // step, step)
    return np.asarray(blocks.mean(axis=(1, 3)).astype(np.uint8))


def _aspect(volume: Volume, spacing: Sequence[float] | None) -> float:
    if spacing is None:
        return 1.0
    canonical = volume.canonical()
    width, height, _ = canonical.spacing
    if volume.meta.get("geometry") == "assumed":
        _, height, width = spacing
    return float(np.clip(height / width, 0.2, 5.0))


def _outline(mask: np.ndarray) -> np.ndarray:
    """Return a line of 2 px along the inside of a mask."""
    inner = mask.copy()
    for _ in range(2):
        cut = inner.copy()
        cut[1:] &= inner[:-1]
        cut[:-1] &= inner[1:]
        cut[:, 1:] &= inner[:, :-1]
        cut[:, :-1] &= inner[:, 1:]
        inner = cut
    return mask & ~inner
