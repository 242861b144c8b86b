"""OMT-SAM: multi-scale SAM whose mask decoder reads boxes, points and an image-text prompt."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...outcome import CheckpointError
from ..base import Features, PromptedSegmenter
from .config import OMTSAMConfig
from .image_encoder import ImageEncoder
from .mask_decoder import attend, make_mask_decoder, presence_score, single_mask
from .objective import omt_sam_objective
from .prompting import draw_prompts
from .prompts import ImageTextPromptEncoder, PromptGroup, prompt_groups
from .weights import load_stem, start_from

if TYPE_CHECKING:
    from ...text.features import TextFeatures

logger = logging.getLogger(__name__)


class OMTSAM(PromptedSegmenter):
    """The paper's network: 96 360 240 parameters of SAM, necks and fusion, and the adapter's.

    What depends on the image alone (SAM's encoder, the fusion of scales, CLIP's patch tokens) is
    computed once and serves every prompt; a further prompt costs its text, the cross-attention and
    the mask decoder. CLIP is received, frozen, and not part of the network's weights.

    Args:
        config: sizes and switches.
    """

    takes_boxes = True
    takes_points = True

    def __init__(self, config: OMTSAMConfig) -> None:
        super().__init__()
        from segment_anything.modeling import PromptEncoder

        self.config = config
        self.takes_masks = config.masks_trained
        self.stride = config.image_size
        self.image_encoder = ImageEncoder(config)
        self.prompt_encoder = PromptEncoder(
            embed_dim=config.width,
            image_embedding_size=(config.grid, config.grid),
            input_image_size=(config.image_size, config.image_size),
            mask_in_chans=config.mask_channels,
        )
        if config.freeze_prompts:
            self.prompt_encoder.requires_grad_(False)
        self.mask_decoder = make_mask_decoder(config)
        self.image_text = ImageTextPromptEncoder(config) if config.image_text else None
        self._visual: tuple[nn.Module, ...] = ()  # in a tuple: no part of the weights
        self._places: Tensor | None = None  # position encoding, while the weights stay
        self.register_load_state_dict_post_hook(_forget_places)

    # -- what surrounds the network ------------------------------------------------------------

    def attach_text_encoder(self, encoder: Any) -> None:
        """Take over CLIP's image tower; it stays frozen and is stored nowhere.

        Raises:
            CheckpointError: when the encoder has no image tower or does not fit.
        """
        if self.image_text is None or not self.config.clip_image:
            return
        config, visual = self.config, getattr(encoder, "visual", None)
        if visual is None:
            raise CheckpointError(
                "OMT-SAM needs a CLIP encoder, which has an image tower; "
                'say "text_encoder": "clip-compact" or "biomed-clip".'
            )
        found = int(encoder.token_dim), int(encoder.patch_dim)
        if found != (config.text_dim, config.clip_dim):
            raise CheckpointError(
                f"The CLIP encoder has tokens of {found[0]} (text) and {found[1]} (image), the "
                f"network wants {config.text_dim} and {config.clip_dim}."
            )
        self._visual = (visual,)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> OMTSAM:
        """Move CLIP's image tower along with the network."""
        super()._apply(fn, recurse)
        self._places = None
        for visual in self._visual:
            visual._apply(fn)
        return self

    def start_training(self) -> None:
        """Load the weights that the configuration says a training starts from.

        Raises:
            CheckpointError: when they are named but not on this machine, or do not fit.
        """
        if self.config.stem_from:
            logger.info("stem: %s", load_stem(self, self.config.stem_from))
        if self.config.start_from:
            logger.info("start: %s", start_from(self, self.config.start_from))

    # -- image ---------------------------------------------------------------------------------

    def encode_image(self, images: Tensor) -> Features:
        """Encode ``images`` (B, C, H, W) in [0, 1].

        Returns:
            The image embedding (B, C, h, w), all scales fused, and with the image-text encoder
            CLIP's projected patch tokens (B, N, C).

        Raises:
            ValueError: when the image is not as large as the position encodings.
            CheckpointError: when no CLIP encoder is attached.
        """
        size = self.config.image_size
        if images.shape[-2:] != (size, size):
            raise ValueError(f"images must have {size} x {size} px")
        embedding = self.image_encoder(images)
        if self.image_text is None:
            return (embedding,)
        return embedding, self.image_text.project_image(self._look(images))

    def _look(self, images: Tensor) -> Tensor:
        """Return CLIP's patch tokens (B, N, Cv); without its image tower one that says nothing."""
        if not self.config.clip_image:
            return images.new_zeros(len(images), 1, self.config.clip_dim)
        if not self._visual:
            raise CheckpointError("attach_text_encoder was not called: the CLIP encoder is missing")
        with torch.no_grad():
            # the first channel is the soft-tissue window; CLIP repeats one channel itself
            return self._visual[0](images if images.shape[1] == 3 else images[:, :1]).patch_tokens

    # -- prompts -------------------------------------------------------------------------------

    def decode(
        self,
        features: Features,
        text: TextFeatures,
        boxes: Tensor | None = None,
        points: Tensor | None = None,
        masks: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Answer pairs of image and prompt.

        Args:
            features: of `encode_image`, B rows.
            text: B rows; a row without a real token (`TextFeatures.without_words`) is asked by
                geometry alone, exactly as SAM is.
            boxes: (B, 4) x0, y0, x1, y1 px of the encoded image, NaN rows = no box.
            points: (B, N, 3) x, y, label px, 1 = inside, 0 = outside, -1 = padding.
            masks: logits (B, 1, H, W) of an earlier answer, of any size; SAM reads them at a
                quarter of the image's. A row of NaN has none.

        Returns:
            Logits (B, 1, H, W) and presence logits (B,), SAM's IoU head.
        """
        answered = self._answer(features, text, boxes, points, masks)
        masked = [self._mask(states, places) for _, states, places in answered]
        scores = [presence_score(self.mask_decoder, states) for _, states, _ in answered]
        if len(answered) == 1:
            return masked[0], scores[0]
        rows = torch.cat([rows for rows, *_ in answered if rows is not None])
        back = torch.argsort(rows).to(masked[0].device)
        return torch.cat(masked)[back], torch.cat(scores)[back]

    def presence(self, features: Features, text: TextFeatures) -> Tensor:
        """Return presence logits (B,): the decoder's transformer and IoU head, no mask."""
        return self.presence_and_rest(features, text)[0]

    def presence_and_rest(
        self, features: Features, text: TextFeatures
    ) -> tuple[Tensor, Features | None]:
        """Return presence logits (B,), and the transformer's result for `decode_rest`."""
        answered = self._answer(features, text, None, None, None)
        scores = [presence_score(self.mask_decoder, states) for _, states, _ in answered]
        if len(answered) == 1:
            return scores[0], answered[0][1:]
        rows = torch.cat([rows for rows, *_ in answered if rows is not None])
        return torch.cat(scores)[torch.argsort(rows).to(scores[0].device)], None

    def decode_rest(self, rest: Features) -> Tensor:
        """Return the logits (B, 1, H, W) of what `presence_and_rest` has begun."""
        return self._mask(*rest)

    def _mask(self, states: Tensor, places: Tensor) -> Tensor:
        """Return logits (B, 1, H, W) of the transformer's result."""
        low = single_mask(self.mask_decoder, states, places, self.config.grid)
        size = (self.config.image_size,) * 2
        return F.interpolate(low, size, mode="bilinear", align_corners=False)

    def _answer(
        self,
        features: Features,
        text: TextFeatures,
        boxes: Tensor | None,
        points: Tensor | None,
        masks: Tensor | None,
    ) -> list[tuple[Tensor | None, Tensor, Tensor]]:
        """Run the decoder's transformer.

        Returns:
            For each kind of prompts: the rows (None = all), tokens (n, 2, C), places (n, h w, C).
        """
        embedding, count = features[0], len(features[0])
        words, asked = None, None if self.image_text is None else self._asked(text, boxes, points)
        if self.image_text is not None and asked is not None:
            words = self.image_text(features[1], asked)
        answered = []
        for group in prompt_groups(asked, boxes, points, count, masks):
            sparse, dense, positions = self._encode_prompts(group, count)
            if group.text:
                assert words is not None
                tokens = words if group.rows is None else words[group.rows.to(words.device)]
                sparse = torch.cat([sparse.to(tokens.dtype), tokens], dim=1)
            image = embedding
            if group.rows is not None:
                image = embedding.index_select(0, group.rows.to(embedding.device))
            found = attend(self.mask_decoder, image, positions, sparse, dense)
            answered.append((group.rows, *found))
        return answered

    def _asked(
        self, text: TextFeatures, boxes: Tensor | None, points: Tensor | None
    ) -> TextFeatures | None:
        """Return the text of the pairs that are asked by text; None when no pair is."""
        if not self.config.text_trained and not self.training:
            shown = torch.zeros(len(text), dtype=torch.bool, device=text.mask.device)
            if boxes is not None:
                shown |= torch.isfinite(boxes).all(1)
            if points is not None:
                shown |= (points[..., 2] >= 0).any(1)
            text = text.without_words(shown)
        return text if bool(text.mask.any()) else None

    def _encode_prompts(self, group: PromptGroup, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return SAM's sparse (n, T, C) and dense prompts and the position encoding (1, h w, C).

        Dense ones are (n, C, h, w) where there are masks, else the same everywhere (1, C, 1, 1).

        In float32: half precision would put points pixels beside their place.
        """
        encoder: Any = self.prompt_encoder
        rows = count if group.rows is None else len(group.rows)
        device = encoder.no_mask_embed.weight.device
        masks = group.masks
        if masks is not None and masks.shape[-2:] != tuple(encoder.mask_input_size):
            masks = F.interpolate(masks, encoder.mask_input_size, mode="area")
        with torch.autocast(device.type, enabled=False):
            sparse, dense = encoder(
                None if group.points is None else tuple(p.to(device) for p in group.points),
                None if group.boxes is None else group.boxes.to(device),
                None if masks is None else masks.to(device),
            )
        if masks is None:
            dense = dense[:1, :, :1, :1]
        return sparse.expand(rows, -1, -1), dense, self._positions()

    def _positions(self) -> Tensor:
        """Return SAM's position encoding of the image's places (1, h w, C), made once."""
        if self._places is None or self.training:
            encoder: Any = self.prompt_encoder
            device = encoder.no_mask_embed.weight.device
            with torch.autocast(device.type, enabled=False):
                self._places = encoder.get_dense_pe().flatten(2).transpose(1, 2).contiguous()
        return self._places

    # -- training ------------------------------------------------------------------------------

    def loss(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the objective's terms; boxes and points are drawn here (see `draw_prompts`).

        Further pairs in ``asked_index``, ``asked_text`` and ``asked_present`` only train the
        presence, asked by text alone as in use.
        """
        encoded = self.encode_image(batch["image"])
        features = self.index_features(encoded, batch["index"])
        prompts = draw_prompts(batch["mask"], self.config)
        text = batch["text"].without_words(prompts.silent)
        logits, presence = OMTSAM.decode(self, features, text, prompts.boxes, prompts.points)
        present = batch["present"].float()
        if self.image_text is not None and "asked_index" in batch and len(batch["asked_index"]):
            asked = self.index_features(encoded, batch["asked_index"])
            presence = torch.cat([presence, self.presence(asked, batch["asked_text"])])
            present = torch.cat([present, batch["asked_present"].float()])
        valid = batch["valid"].index_select(0, batch["index"])
        terms = omt_sam_objective(logits, batch["mask"], valid, presence, present, self.config)
        terms["logits"] = logits.detach()
        return terms


def _forget_places(module: Any, keys: object) -> None:
    """Drop a position encoding that other weights had."""
    module._places = None
