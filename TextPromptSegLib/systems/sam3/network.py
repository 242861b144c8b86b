"""SAM 3 as one of the systems: transformers' ``Sam3Model``, part by part.

Carion et al. 2025, SAM 3: Segment Anything with Concepts. The image encoder runs once a slice; a
prompt is fused with its features, 200 queries look for instances and a token of their own says
whether there is any. The masks are drawn last, so that presence costs none.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ...outcome import DependencyError
from ...torchvision_operators import declare_torchvision_operators
from ..base import Features, PromptedSegmenter
from .config import BEST, SEMANTIC, SAM3Config
from .geometry import encode_boxes, upsample
from .objective import sam3_objective
from .text import SAM3Text

if TYPE_CHECKING:
    from ...text.features import TextFeatures

UNSURE = 0.5
"""Most that a pixel of an instance below `SAM3Config.least_score` reaches."""
NOTHING = -30.0
"""Logit of an instance that is not there."""
_NEAR_ONE = 1.0 - 1e-6


class SAM3(PromptedSegmenter):
    """SAM 3 of the sizes of a configuration.

    Args:
        config: sizes and switches.

    Raises:
        DependencyError: when transformers is missing or too old, or torchvision is missing.
    """

    takes_boxes = True
    shows_instances = True

    def __init__(self, config: SAM3Config) -> None:
        super().__init__()
        self.config = config
        self.stride = config.image_size
        declare_torchvision_operators()  # transformers' module wants torchvision to be importable
        try:
            from transformers import Sam3Config, Sam3Model

            self.sam: Any = Sam3Model(Sam3Config(**config.for_transformers()))
        except ImportError as error:
            raise DependencyError(
                "SAM 3 needs the Python packages transformers, 5 or newer, and torchvision; "
                "install them (pip install -U transformers torchvision)."
            ) from error
        self._side = config.image_size

    def own_text_encoder(self, spec: Mapping[str, Any]) -> SAM3Text:
        """Return the text encoder, which is a part of the network."""
        return SAM3Text(self.sam, self.config.text_length, spec)

    def work_smaller(self) -> int | None:
        """See every picture at half its side from now on; None when it is so already."""
        half = self.config.image_size // 2
        if self._side == half or half % self.config.patch:
            return None
        self._side = half
        for layer in self.sam.vision_encoder.backbone.layers:
            if layer.window_size == 0:  # positions over the whole image, not trained
                sizes = copy.copy(layer.config)
                sizes.image_size = half
                layer.position_ids = layer.precompute_positions(sizes, 0).to(layer.position_ids)
        return half

    # -- image ---------------------------------------------------------------------------------

    def encode_image(self, images: Tensor) -> Features:
        """Encode ``images`` (B, 3, H, W) in [0, 1].

        Returns:
            The image encoder's tokens (B, N, C). The maps of several sizes that the decoder reads
            are twenty times as large and quickly made of them.
        """
        self.check_sides(images)
        if images.shape[-1] != self._side:
            size = (self._side, self._side)
            images = F.interpolate(images, size=size, mode="bilinear", antialias=True)
        tokens = self.sam.vision_encoder.backbone(2 * images - 1).last_hidden_state
        kind = tokens.device.type
        if torch.is_autocast_enabled(kind):  # what reads them would round them anyway
            tokens = tokens.to(torch.get_autocast_dtype(kind))
        return (tokens,)

    def _level(self, tokens: Tensor, number: int) -> Tensor:
        """Return the image features (B, C, h, w) of one size: 0 the finest, 2 the tokens' own."""
        side = round(tokens.shape[1] ** 0.5)
        maps = tokens.transpose(1, 2).unflatten(2, (side, side))
        return self.sam.vision_encoder.neck.fpn_layers[number](maps)

    # -- prompt --------------------------------------------------------------------------------

    def _look(self, tokens: Tensor, text: TextFeatures, boxes: Tensor | None) -> Features:
        """Look for a prompt on slices, row by row.

        Returns:
            Presence logits (B,), logits of the best instances (B, K), their queries (B, K, C), the
            fused image (B, N, C), the prompt (B, T, C) and which of its tokens count (B, T).
        """
        sam, maps = self.sam, self._level(tokens, 2)
        places = sam.vision_encoder.neck.position_encoding(maps.shape, maps.device, maps.dtype)
        places = places.expand(len(maps), -1, -1, -1)
        prompt, mask = text.tokens.to(maps.dtype), text.mask
        if boxes is not None or self.config.geometry_token:
            side = self.config.image_size
            more, counts = encode_boxes(sam.geometry_encoder, maps, places, boxes, side)
            prompt, mask = torch.cat([prompt, more.to(prompt)], 1), torch.cat([mask, counts], 1)
        fused = sam.detr_encoder(
            vision_features=[maps],
            text_features=prompt,
            vision_pos_embeds=[places],
            text_mask=mask,
        )
        found = sam.detr_decoder(
            vision_features=fused.last_hidden_state,
            text_features=prompt,
            vision_pos_encoding=fused.pos_embeds_flattened,
            text_mask=mask,
            spatial_shapes=fused.spatial_shapes,
        )
        queries = found.intermediate_hidden_states[-1]
        logits = sam.dot_product_scoring(queries[None], prompt, mask)[-1].squeeze(-1)
        drawn = 1 if self.config.answer == BEST else min(self.config.drawn, queries.shape[1])
        logits, best = logits.float().topk(drawn, dim=1)
        queries = queries.gather(1, best[..., None].expand(-1, -1, queries.shape[2]))
        presence = found.presence_logits[-1][:, 0].float()
        return presence, logits, queries, fused.last_hidden_state, prompt, mask

    def _masks(self, tokens: Tensor, seen: Features) -> tuple[Tensor, Tensor]:
        """Return mask logits of the best instances (B, K, h, w) and of the semantic head."""
        _, _, queries, fused, prompt, mask = seen
        side = round(fused.shape[1] ** 0.5)
        own = fused.transpose(1, 2).unflatten(2, (side, side))
        drawn = self.sam.mask_decoder(
            decoder_queries=queries,
            backbone_features=[self._level(tokens, 0), self._level(tokens, 1), own],
            encoder_hidden_states=fused,
            prompt_features=prompt,
            prompt_mask=mask,
        )
        return drawn.pred_masks.float(), drawn.semantic_seg.float()

    def _answer(self, tokens: Tensor, seen: Features) -> Tensor:
        """Return the logits (B, 1, H, W) of an answer."""
        masks, semantic = self._masks(tokens, seen)
        if self.config.answer != SEMANTIC:
            semantic = self._weighted(masks, seen).amax(1, keepdim=True)
        return upsample(semantic, self.config.image_size)

    def _weighted(self, masks: Tensor, seen: Features) -> Tensor:
        """Return the logits (B, K, h, w) of each instance's probability times its weight."""
        weight = self.weights(seen[0], seen[1])[:, :, None, None]
        return weight.log() - torch.logaddexp(torch.log1p(-weight), -masks)

    def weights(self, presence: Tensor, logits: Tensor) -> Tensor:
        """Return what each instance's probability is multiplied by, (B, K).

        The public evaluation of Medical-SAM3 takes the mask of the best instance whose score,
        presence times its own, is over 0.1, and no mask where there is none. So the best one
        counts in full, the others as far as they come near it, and what stays below that score
        never reaches one half.

        Args:
            presence: logits (B,).
            logits: of the instances, best first (B, K).
        """
        scores = presence.sigmoid()[:, None] * logits.sigmoid()
        best, least = scores[:, :1], self.config.least_score
        near = torch.where(best >= least, scores / best, UNSURE * scores / least)
        return near.clamp(1e-12, _NEAR_ONE)

    # -- the shape of every system ---------------------------------------------------------------

    def decode(
        self,
        features: Features,
        text: TextFeatures,
        boxes: Tensor | None = None,
        points: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Answer pairs of image and prompt, see `PromptedSegmenter.decode`."""
        seen = self._look(features[0], text, boxes)
        return self._answer(features[0], seen), seen[0]

    def presence(self, features: Features, text: TextFeatures) -> Tensor:
        """Return the presence token's logits (B,); no mask is drawn."""
        return self._look(features[0], text, None)[0]

    def presence_and_rest(
        self, features: Features, text: TextFeatures
    ) -> tuple[Tensor, Features | None]:
        """Return `presence` (B,) and everything that the masks are drawn from."""
        seen = self._look(features[0], text, None)
        return seen[0], (features[0], *seen)

    def decode_rest(self, rest: Features) -> Tensor:
        """Return the logits (B, 1, H, W) that `decode` gives for the text alone."""
        return self._answer(rest[0], rest[1:])

    def instances(
        self, features: Features, text: TextFeatures, count: int, boxes: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the best instances of pairs one by one, see `PromptedSegmenter.instances`."""
        seen = self._look(features[0], text, boxes)
        logits = self._weighted(self._masks(features[0], seen)[0], seen)[:, :count]
        logits = F.pad(logits, (0, 0, 0, 0, 0, count - logits.shape[1]), value=NOTHING)
        return upsample(logits, self.config.image_size), seen[0]

    def loss(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the terms of the objective, see `objective`."""
        index = batch["index"]
        features = self.index_features(self.encode_image(batch["image"]), index)
        logits, presence = self.decode(features, batch["text"])
        valid = batch["valid"][index]
        return sam3_objective(logits, batch["mask"], valid, presence, batch["present"], self.config)
