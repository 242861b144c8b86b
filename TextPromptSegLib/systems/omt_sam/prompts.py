"""The image-text prompt encoder (the paper, 3.3), and which prompts a pair is asked with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...text.features import TextFeatures
from .config import OMTSAMConfig
from .two_way import many_read_few, split_heads


class ImageTextPromptEncoder(nn.Module):
    """Cross-attention of CLIP's image and text tokens, pooled to K prompt tokens.

    Queries are the image's patch tokens, keys and values the text's token states, each pair for
    itself and without the padding. (The paper's public code attends between the pooled vectors
    of different samples of a batch instead; see the README.)

    Args:
        config: ``clip_dim``, ``text_dim``, ``width``, ``fusion_heads``, ``prompt_tokens``.
    """

    def __init__(self, config: OMTSAMConfig) -> None:
        super().__init__()
        self.image_projection = nn.Linear(config.clip_dim, config.width)
        self.text_projection = nn.Linear(config.text_dim, config.width)
        self.attention = nn.MultiheadAttention(config.width, config.fusion_heads, batch_first=True)
        self.norm = nn.LayerNorm(config.width)
        self.queries = nn.Parameter(torch.randn(config.prompt_tokens, config.width) * 0.02)

    def project_image(self, patch_tokens: Tensor) -> Tensor:
        """Return the queries (B, N, C) of CLIP's patch tokens (B, N, Cv); they know no text."""
        return self.image_projection(patch_tokens)

    def forward(self, image_tokens: Tensor, text: TextFeatures) -> Tensor:
        """Return prompt tokens (B, K, C).

        Args:
            image_tokens: (B, N, C) of `project_image`.
            text: B rows; a row without a real token gives tokens that mean nothing.
        """
        words = self.text_projection(text.tokens)
        padding = ~text.mask
        padding = padding & text.mask.any(1, keepdim=True)  # attention over nothing is NaN
        fused = self.norm(image_tokens + self._attend(image_tokens, words, padding))
        scores = fused @ self.queries.to(fused.dtype).t() / fused.shape[-1] ** 0.5
        return torch.softmax(scores, dim=1).transpose(1, 2) @ fused

    def _attend(self, image_tokens: Tensor, words: Tensor, padding: Tensor) -> Tensor:
        """Return ``attention(image_tokens, words, words)``, with little done for each place."""
        attention, width = self.attention, words.shape[-1]
        weight, bias = attention.in_proj_weight, attention.in_proj_bias
        keys, values = F.linear(words, weight[width:], bias[width:]).chunk(2, dim=-1)
        return many_read_few(
            image_tokens,
            split_heads(keys, attention.num_heads),
            split_heads(values, attention.num_heads),
            (weight[:width], bias[:width]),
            (attention.out_proj.weight, attention.out_proj.bias),
            padding,
        )


@dataclass(frozen=True)
class PromptGroup:
    """Pairs asked with prompts of the same kinds: their decoder tokens have one length.

    Attributes:
        rows: (n,) index of the pairs, None = all of them in order.
        text: whether they have text.
        boxes: (n, 4) px or None.
        points: coordinates (n, N, 2) px and labels (n, N), or None.
        masks: logits (n, 1, H, W), or None.
    """

    rows: Tensor | None
    text: bool
    boxes: Tensor | None
    points: tuple[Tensor, Tensor] | None
    masks: Tensor | None = None


def prompt_groups(
    text: TextFeatures | None,
    boxes: Tensor | None,
    points: Tensor | None,
    count: int,
    masks: Tensor | None = None,
) -> Iterator[PromptGroup]:
    """Split pairs by the kinds of their prompts.

    SAM has no mask in its attention: a token of padding would change the answer. Pairs with and
    without box, and with different numbers of points, therefore pass the decoder separately; so
    no pair's answer depends on the prompts of another.

    Args:
        text: B rows or None; a row without a real token has no text.
        boxes: (B, 4) x0, y0, x1, y1 px, NaN rows = no box; or None.
        points: (B, N, 3) x, y, label px, label -1 = padding; or None.
        count: B.
        masks: logits (B, 1, H, W), a row with NaN = no mask; or None.
    """
    kinds = torch.zeros(count, 4, dtype=torch.long)
    if text is not None:
        kinds[:, 0] = text.mask.any(1).long().cpu()
    if boxes is not None:
        kinds[:, 1] = torch.isfinite(boxes).all(1).long().cpu()
    if points is not None and points.shape[1]:
        kinds[:, 2] = (points[..., 2] >= 0).sum(1).cpu()
    if masks is not None:
        kinds[:, 3] = torch.isfinite(masks).flatten(1).all(1).long().cpu()
    for kind in torch.unique(kinds, dim=0).tolist():
        same = (kinds == torch.tensor(kind)).all(1)
        rows = None if bool(same.all()) else torch.nonzero(same).flatten()
        yield PromptGroup(
            rows,
            bool(kind[0]),
            _rows(boxes, rows).float() if boxes is not None and kind[1] else None,
            _points(_rows(points, rows), kind[2]) if points is not None and kind[2] else None,
            _rows(masks, rows).float() if masks is not None and kind[3] else None,
        )


def _rows(values: Tensor, rows: Tensor | None) -> Tensor:
    return values if rows is None else values[rows.to(values.device)]


def _points(values: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """Return the real points of rows that all have ``number`` of them, in their order."""
    order = torch.sort((values[..., 2] < 0).long(), dim=1, stable=True).indices[:, :number]
    kept = torch.gather(values.float(), 1, order[..., None].expand(-1, -1, 3))
    return kept[..., :2], kept[..., 2]
