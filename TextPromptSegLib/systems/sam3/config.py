"""Sizes and switches of SAM 3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..settings import check_choices, make_tuples

INSTANCES, BEST, SEMANTIC = "instances", "best", "semantic"


@dataclass(frozen=True)
class SAM3Config:
    """Everything that shapes the network and its answer; the defaults are the published model's.

    Attributes:
        image_size: side of the square image, px; a multiple of ``patch``.
        patch: px per token.
        pretrain_size: side of the picture that the position embeddings cover, px; they are tiled.
        embed_dim: width of the image encoder.
        depth: its blocks.
        heads: its attention heads.
        mlp: width of its blocks' MLPs.
        window: side of the attention windows, tokens.
        global_blocks: blocks that see the whole image.
        width: channels of everything behind the image encoder.
        width_heads: attention heads there.
        width_mlp: width of the MLPs there.
        geometry_layers: layers that read boxes.
        encoder_layers: layers that fuse image and prompt.
        decoder_layers: layers of the instance queries.
        queries: most instances of a slice.
        roi: side of what is pooled inside a box.
        upsampling: stages of the mask decoder.
        text_dim: width of the text encoder.
        text_depth: its layers.
        text_heads: its attention heads.
        text_mlp: width of its MLPs.
        text_projection: size of CLIP's sentence vector, unused here.
        text_length: most tokens of a prompt.
        words: entries of CLIP's word list.
        answer: ``instances`` (every instance, weighted by its score against the best one's),
            ``best`` (the best instance alone) or ``semantic`` (the semantic head).
        least_score: an instance counts from this score on, presence times its own.
        drawn: instances that are drawn at most, the best ones.
        geometry_token: what reads boxes says its token without a box too, as in the original code
            and in the trainings; transformers leaves it out.
        overlap_weight: of the Dice term of the objective.
        pixel_weight: of its cross entropy.
        presence_weight: of its presence term.
    """

    image_size: int = 1008
    patch: int = 14
    pretrain_size: int = 336
    embed_dim: int = 1024
    depth: int = 32
    heads: int = 16
    mlp: int = 4736
    window: int = 24
    global_blocks: tuple[int, ...] = (7, 15, 23, 31)
    width: int = 256
    width_heads: int = 8
    width_mlp: int = 2048
    geometry_layers: int = 3
    encoder_layers: int = 6
    decoder_layers: int = 6
    queries: int = 200
    roi: int = 7
    upsampling: int = 3
    text_dim: int = 1024
    text_depth: int = 24
    text_heads: int = 16
    text_mlp: int = 4096
    text_projection: int = 512
    text_length: int = 32
    words: int = 49408
    answer: str = INSTANCES
    least_score: float = 0.1
    drawn: int = 32
    geometry_token: bool = True
    overlap_weight: float = 1.0
    pixel_weight: float = 1.0
    presence_weight: float = 1.0

    def __post_init__(self) -> None:
        """Make tuples of JSON lists and refuse what cannot be built.

        Raises:
            ValueError: for a size or a switch that the network does not have.
        """
        make_tuples(self, "global_blocks")
        check_choices(self, {"answer": (INSTANCES, BEST, SEMANTIC)})
        if self.image_size % self.patch or self.pretrain_size % self.patch:
            raise ValueError("image_size and pretrain_size must be multiples of patch")
        if any(not 0 <= block < self.depth for block in self.global_blocks):
            raise ValueError("global_blocks are numbers of blocks, from 0")
        parts = {
            "embed_dim": 4 * self.heads,
            "width": self.width_heads,
            "text_dim": self.text_heads,
        }
        for name, part in parts.items():
            if part < 1 or getattr(self, name) % part:
                raise ValueError(f"{name} must be a multiple of {part}")
        if self.width % 8:
            raise ValueError("width must be a multiple of 8")
        if not 0 < self.least_score < 1 or self.drawn < 1:
            raise ValueError("least_score lies between 0 and 1, and drawn is at least 1")

    @property
    def grid(self) -> int:
        """Tokens a side."""
        return self.image_size // self.patch

    def for_transformers(self) -> dict[str, Any]:
        """Return the arguments of transformers' ``Sam3Config``."""
        behind = {
            "hidden_size": self.width,
            "num_attention_heads": self.width_heads,
            "intermediate_size": self.width_mlp,
        }
        return {
            "vision_config": {
                "backbone_config": {
                    "model_type": "sam3_vit_model",
                    "hidden_size": self.embed_dim,
                    "intermediate_size": self.mlp,
                    "num_hidden_layers": self.depth,
                    "num_attention_heads": self.heads,
                    "image_size": self.image_size,
                    "patch_size": self.patch,
                    "window_size": self.window,
                    "global_attn_indexes": list(self.global_blocks),
                    "pretrain_image_size": self.pretrain_size,
                },
                "fpn_hidden_size": self.width,
                "backbone_feature_sizes": [[n * self.grid] * 2 for n in (4, 2, 1)],
            },
            "text_config": {
                "model_type": "clip_text_model",
                "vocab_size": self.words,
                "hidden_size": self.text_dim,
                "intermediate_size": self.text_mlp,
                "projection_dim": self.text_projection,
                "num_hidden_layers": self.text_depth,
                "num_attention_heads": self.text_heads,
                "max_position_embeddings": self.text_length,
                "hidden_act": "gelu",
            },
            "geometry_encoder_config": {
                **behind,
                "num_layers": self.geometry_layers,
                "roi_size": self.roi,
            },
            "detr_encoder_config": {**behind, "num_layers": self.encoder_layers},
            "detr_decoder_config": {
                **behind,
                "num_layers": self.decoder_layers,
                "num_queries": self.queries,
            },
            "mask_decoder_config": {
                "hidden_size": self.width,
                "num_attention_heads": self.width_heads,
                "num_upsampling_stages": self.upsampling,
            },
        }

    @classmethod
    def from_transformers(cls, values: dict[str, Any], **switches: Any) -> SAM3Config:
        """Return the configuration that fits a hub folder's ``config.json``.

        Args:
            values: ``Sam3Config`` as a mapping with every size.
            switches: further fields.

        Raises:
            KeyError: when a size is missing.
            ValueError: when the sizes fit no network.
        """
        image = values["vision_config"]["backbone_config"]
        text, geometry = values["text_config"], values["geometry_encoder_config"]
        encoder, decoder = values["detr_encoder_config"], values["detr_decoder_config"]
        return cls(
            image_size=image["image_size"],
            patch=image["patch_size"],
            pretrain_size=image["pretrain_image_size"],
            embed_dim=image["hidden_size"],
            depth=image["num_hidden_layers"],
            heads=image["num_attention_heads"],
            mlp=image["intermediate_size"],
            window=image["window_size"],
            global_blocks=tuple(image["global_attn_indexes"]),
            width=encoder["hidden_size"],
            width_heads=encoder["num_attention_heads"],
            width_mlp=encoder["intermediate_size"],
            geometry_layers=geometry["num_layers"],
            encoder_layers=encoder["num_layers"],
            decoder_layers=decoder["num_layers"],
            queries=decoder["num_queries"],
            roi=geometry["roi_size"],
            upsampling=values["mask_decoder_config"]["num_upsampling_stages"],
            text_dim=text["hidden_size"],
            text_depth=text["num_hidden_layers"],
            text_heads=text["num_attention_heads"],
            text_mlp=text["intermediate_size"],
            text_projection=text["projection_dim"],
            text_length=text["max_position_embeddings"],
            words=text["vocab_size"],
            **switches,
        )
