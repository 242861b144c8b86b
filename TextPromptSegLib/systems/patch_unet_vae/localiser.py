"""From a prompt to a place: windows, cosine similarity, heat map, region (paper's section 2).

The paper compares one text vector with image vectors of a vision-language model and hands the most
similar places on ("ROI selector", "patch localizer"). A CLIP gives one vector per picture, so the
pictures are windows that slide over the slice (SPEC 1.2). The windows' vectors know nothing of the
prompt: they are computed once per slice. Nothing here is trained; the CLIP is frozen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...nn.windows import cut_windows

if TYPE_CHECKING:
    from ...text.clip import ClipEncoder

AIR = 0.04
"""Grey value below which a pixel is air or background, of [0, 1]."""


@dataclass(frozen=True)
class LocaliserSpec:
    """How slices are looked at; belongs to the weights of the CLIP and of the system.

    Attributes:
        window: side of a window, px of the slice.
        stride: distance of windows, px; the side of a cell of the maps.
        pixel_mm: pixel size of the slices, mm.
        views: channels of the CLIP: the window and its surroundings at multiples of its field;
            (1,) for a CLIP of grey pictures.
        temperature: of the softmax over a slice's windows, in units of the cosine.
        top_k: peaks of a slice.
        channel: channel of the slices that is shown.
        even_cosine: cosine that counts as even odds, for a CLIP without an offset of its own (one
            trained by softmax); to be set on validation data.
        filled: smallest share of a window that is not air.
    """

    window: int = 96
    stride: int = 32
    pixel_mm: float = 0.8
    views: tuple[int, ...] = (1, 2, 4)
    temperature: float = 0.07
    top_k: int = 4
    channel: int = 0
    even_cosine: float = 0.35
    filled: float = 0.05

    def __post_init__(self) -> None:
        """Make a tuple of a JSON list.

        Raises:
            ValueError: for sizes that cannot be.
        """
        object.__setattr__(self, "views", tuple(int(view) for view in self.views))
        if len(self.views) not in (1, 3) or self.views[0] != 1 or min(self.views) < 1:
            raise ValueError("views are 1, or 1 and two multiples: CLIP has three channels")
        if not 0 < self.stride <= self.window or self.pixel_mm <= 0 or self.temperature <= 0:
            raise ValueError("stride lies between 1 and window; sizes are positive")


@dataclass(frozen=True)
class SliceWindows:
    """What the CLIP saw in slices; knows nothing of any prompt.

    Attributes:
        embeddings: (B, h, w, D) unit vectors, one per cell, 0 where the window is air.
        filled: (B, h, w) bool, whether the window holds something.
    """

    embeddings: Tensor
    filled: Tensor


@dataclass(frozen=True)
class Region:
    """Where a prompt's structure lies in a volume.

    Attributes:
        box: z0, z1, y0, y1, x0, x1 in mm from the corner of the first voxel; None = not found.
        score: evidence of the best place, in [0, 1].
    """

    box: tuple[float, float, float, float, float, float] | None
    score: float


class Localiser(nn.Module):
    """Compares windows of slices with prompts.

    Args:
        clip: the encoder that also encodes the prompts; its image tower stays frozen.
        spec: windows.
    """

    def __init__(self, clip: ClipEncoder, spec: LocaliserSpec | None = None) -> None:
        super().__init__()
        self.spec = spec or LocaliserSpec()
        self.visual = clip.visual
        self.dim = clip.dim
        self.scale, self.bias = clip.logit_scale, clip.logit_bias

    @torch.no_grad()
    def embed(self, images: Tensor, batch: int = 128) -> SliceWindows:
        """Encode the windows of slices (B, C, H, W) in [0, 1].

        A window sits around the middle of each cell of ``stride`` px; outside of a slice is air.

        Args:
            images: at the spec's pixel size.
            batch: windows of one pass.
        """
        slices = images[:, self.spec.channel].float()
        rows, columns = (-(-side // self.spec.stride) for side in slices.shape[1:])
        filled = self._filled(slices, rows, columns)
        result = torch.zeros(*filled.shape, self.dim, device=images.device)
        if filled.any():
            cut = torch.cat(
                [self._windows(s, f.nonzero()) for s, f in zip(slices, filled, strict=True)]
            )
            seen = [self.visual(chunk).pooled.float() for chunk in cut.split(batch)]
            result[filled] = torch.cat(seen)
        return SliceWindows(result, filled)

    def _filled(self, slices: Tensor, rows: int, columns: int) -> Tensor:
        """Return (B, rows, columns) bool: enough of the window is not air."""
        step, window = self.spec.stride, self.spec.window
        edge = (window - step) // 2
        grown = (
            edge,
            columns * step - slices.shape[2] + window - step - edge,
            edge,
            rows * step - slices.shape[1] + window - step - edge,
        )
        something = F.pad((slices > AIR).float(), grown)[:, None]
        return F.avg_pool2d(something, window, step)[:, 0] >= self.spec.filled

    def _windows(self, image: Tensor, cells: Tensor) -> Tensor:
        """Return windows (N, V, s, s) around cells (N, 2) of a slice (H, W)."""
        centres = (cells.float() + 0.5) * self.spec.stride
        side = min(self.spec.window, *self.visual.image_size)
        if side < self.spec.window:  # the slice once at the CLIP's pixel size, not each window
            shape = [max(1, round(n * side / self.spec.window)) for n in image.shape]
            centres = centres * torch.tensor(shape, device=image.device)
            centres = centres / torch.tensor(image.shape, device=image.device)
            image = F.interpolate(
                image[None, None], shape, mode="bilinear", align_corners=False, antialias=True
            )[0, 0]
        return cut_windows(image, centres, side, self.spec.views)

    def similarity(self, windows: SliceWindows, text: Tensor) -> Tensor:
        """Return logits (B, P, h, w) of "this window shows the prompt's structure".

        Args:
            windows: of `embed`.
            text: (P, D) unit vectors, `TextFeatures.pooled` of the same CLIP.
        """
        cosine = torch.einsum("bhwd,pd->bphw", windows.embeddings.float(), text.float())
        logits = self.scale * cosine + self._offset
        return logits.masked_fill(~windows.filled[:, None], float("-inf"))

    @property
    def _offset(self) -> float:
        return -self.scale * self.spec.even_cosine if self.bias is None else self.bias

    def cosine(self, logits: Tensor) -> Tensor:
        """Return the cosines that belong to logits of `similarity`."""
        return (logits - self._offset) / self.scale

    def attention(self, windows: SliceWindows, text: Tensor) -> Tensor:
        """Return the share (B, P, h, w) of each window: a softmax of the cosines over the slice."""
        cosine = self.cosine(self.similarity(windows, text))
        shape = cosine.shape
        share = (cosine.flatten(2) / self.spec.temperature).softmax(-1)
        return share.nan_to_num(0.0).view(shape)  # a slice of nothing but air

    def heat_map(self, windows: SliceWindows, text: Tensor, size: tuple[int, int]) -> Tensor:
        """Return heat maps (B, P, H, W) in [0, 1], the explanation of where it looked.

        The windows' shares are added over the pixels that each window covers; the largest sum of
        a slice is 1.

        Args:
            windows: of `embed`.
            text: (P, D).
            size: (H, W) of the slices.
        """
        share = self.attention(windows, text)
        step, window = self.spec.stride, self.spec.window
        edge = (window - step) // 2
        kernel = share.new_ones(1, 1, window, window)
        spread = F.conv_transpose2d(share.flatten(0, 1)[:, None], kernel, stride=step)
        spread = spread[..., edge : edge + size[0], edge : edge + size[1]]
        heat = spread.reshape(*share.shape[:2], *size)
        return heat / heat.flatten(2).amax(-1).clamp_min(1e-12)[..., None, None]

    def peaks(self, windows: SliceWindows, text: Tensor) -> Tensor:
        """Return centres (B, P, top_k, 2) of the most similar windows, row and column in px.

        Windows closer than half a window to a better one are suppressed; missing peaks are -1.
        """
        logits = self.similarity(windows, text)
        batch, prompts, rows, columns = logits.shape
        radius = self.spec.window / 2 / self.spec.stride
        scores = logits.flatten(0, 1).clone()
        grid = torch.stack(
            torch.meshgrid(
                torch.arange(rows, device=logits.device),
                torch.arange(columns, device=logits.device),
                indexing="ij",
            )
        )
        found = logits.new_full((len(scores), self.spec.top_k, 2), -1.0)
        for turn in range(self.spec.top_k):
            best, index = scores.flatten(1).max(1)
            place = torch.stack([index // columns, index % columns], 1)
            centre = (place.float() + 0.5) * self.spec.stride
            found[:, turn] = torch.where(torch.isfinite(best)[:, None], centre, found[:, turn])
            apart = (grid[None] - place[:, :, None, None]).abs().amax(1)
            scores = scores.masked_fill(apart < radius, float("-inf"))
        return found.view(batch, prompts, self.spec.top_k, 2)


def regions(
    logits: Tensor,
    *,
    cell_mm: float,
    slice_mm: float,
    threshold: float = 0.2,
    extent: float = 0.3,
    keep: float = 0.5,
    smooth_mm: float = 8.0,
) -> list[Region]:
    """Return each prompt's region in a volume: where its windows agree over several slices.

    The windows' probabilities are smoothed along the slices; a part is a set of connected cells
    that reach a share of the volume's largest. The part with the largest sum is the region, not the
    one with the highest peak: a look-alike in two slices is no organ. Other parts (the other kidney
    of "kidneys") belong to it when their sums are comparable. The defaults were chosen on the
    validation volumes of BTCV.

    Args:
        logits: (K, P, h, w) of all slices in order, see `Localiser.similarity`.
        cell_mm: side of a cell, mm.
        slice_mm: distance of the slices, mm.
        threshold: smallest (smoothed) probability of a finding.
        extent: a cell belongs to a part when it reaches this share of the largest.
        keep: a part belongs to the region when its sum reaches this share of the largest sum.
        smooth_mm: standard deviation of the smoothing along the slices.
    """
    from scipy import ndimage

    probability = torch.sigmoid(logits.float()).permute(1, 0, 2, 3).cpu().numpy()
    sizes = (slice_mm, cell_mm, cell_mm)
    result = []
    for volume in probability:
        smooth = ndimage.gaussian_filter1d(volume, smooth_mm / slice_mm, axis=0, mode="nearest")
        score = float(smooth.max()) if smooth.size else 0.0
        if score < threshold:
            result.append(Region(None, score))
            continue
        parts, count = ndimage.label(smooth >= extent * score, structure=_CONNECTED)
        sums = ndimage.sum(smooth, parts, range(1, count + 1))
        boxes = ndimage.find_objects(parts)
        inside = [boxes[part] for part in range(count) if sums[part] >= keep * max(sums)]
        low = [min(box[axis].start for box in inside) * sizes[axis] for axis in range(3)]
        high = [max(box[axis].stop for box in inside) * sizes[axis] for axis in range(3)]
        box = (low[0], high[0], low[1], high[1], low[2], high[2])
        result.append(Region(box, score))
    return result


_CONNECTED = [[[1] * 3] * 3] * 3
