"""A checkpoint from SAM's or MedSAM's published weights: their sizes are read from the tensors."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...checkpoints.layout import sha256_of
from ...checkpoints.weights import save
from ...outcome import CheckpointError
from ...text import BIOMED_CLIP, MINILM, load_text_encoder
from ...text.sources import MissingEncoder
from ..registry import create
from ..stored_tensors import read_tensors, weights_file
from .config import OMTSAMConfig
from .weights import apply_sam_weights, layout_of, to_segment_anything

if TYPE_CHECKING:
    from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
ORGANS = ("liver", "left kidney", "right kidney", "kidneys", "spleen", "pancreas")
"""The paper's four organs, with sides."""

HOW_TO_GET = """OMT-SAM in the paper's size needs weights that others publish; none is here.

1. MedSAM (Apache-2.0): the file medsam_vit_b.pth (375 MB), linked from
   github.com/bowang-lab/MedSAM, or the folder of huggingface.co/wanglab/medsam-vit-base.
   SAM's own sam_vit_b_01ec64.pth (Apache-2.0, github.com/facebookresearch/segment-anything)
   or the folder of facebook/sam-vit-base fits as well.
2. BiomedCLIP (MIT): the folder of huggingface.co/microsoft/
   BiomedCLIP-PubMedBERT_256-vit_base_patch16_224, put under the folder that the variable
   TEXTPROMPTSEG_ENCODERS names. Only text needs it.
3. textpromptseg models import medsam_vit_b.pth --as medsam      (SAM's own: --as sam)
   makes the checkpoint 'omt-sam'. With a box or points it answers as MedSAM does. Its text prompts
   are untrained: train them with TextPromptSegLib/systems/omt_sam/recipe_large_btcv.json (a GPU).

omt-sam-compact is small, trained, ships with the extension and needs none of this."""


KINDS = {"sam": "SAM (Meta)", "medsam": "MedSAM (bowang-lab)"}
"""What `--as` takes. The tensors of both look alike, so one of them has to be said."""


def is_sam(names: Collection[str]) -> bool:
    """Return whether tensors of these names are SAM's."""
    return layout_of(names) is not None


def sizes_of(named: Mapping[str, Tensor]) -> OMTSAMConfig:
    """Return the configuration that SAM's tensors fit, under segment_anything's names.

    What no tensor tells is as published: eight heads in the mask decoder. A block whose relative
    positions reach over the whole image sees the whole image.

    Raises:
        CheckpointError: when a tensor that tells a size is missing.
    """
    try:
        embed = named["image_encoder.patch_embed.proj.weight"]
        grid = named["image_encoder.pos_embed"].shape[1]
        reach = {
            int(m[1]): (len(value) + 1) // 2
            for key, value in named.items()
            if (m := re.fullmatch(r"image_encoder\.blocks\.(\d+)\.attn\.rel_pos_h", key))
        }
        head = named["image_encoder.blocks.0.attn.rel_pos_h"].shape[1]
        blocks = 1 + max(reach)
        scores = sum(
            key.startswith("mask_decoder.iou_prediction_head.layers.") and key.endswith(".weight")
            for key in named
        )
        layers = "mask_decoder.transformer.layers."
        return OMTSAMConfig(
            image_size=grid * embed.shape[-1],
            in_channels=embed.shape[1],
            patch=embed.shape[-1],
            embed_dim=embed.shape[0],
            depth=blocks,
            heads=embed.shape[0] // head,
            mlp_ratio=len(named["image_encoder.blocks.0.mlp.lin1.weight"]) / embed.shape[0],
            window=min([n for n in reach.values() if n != grid], default=0),
            global_blocks=tuple(sorted(n for n, size in reach.items() if size == grid)),
            scales=min(4, blocks),
            width=len(named["image_encoder.neck.0.weight"]),
            mask_channels=len(named["prompt_encoder.mask_downscaling.3.weight"]),
            decoder_depth=len({k[len(layers)] for k in named if k.startswith(layers)}),
            decoder_heads=math.gcd(8, len(named["image_encoder.neck.0.weight"]) // 2),
            decoder_mlp=len(named[layers + "0.mlp.lin1.weight"]),
            multimask=len(named["mask_decoder.mask_tokens.weight"]) - 1,
            score_depth=scores,
            score_hidden=len(named["mask_decoder.iou_prediction_head.layers.0.weight"]),
            image_text=False,
        )
    except (KeyError, IndexError, ValueError) as error:
        raise CheckpointError(f"The weights are not SAM's: {error}.") from error


def convert_sam(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    kind: str | None,
    name: str = "omt-sam",
) -> Path:
    """Make a checkpoint folder of SAM's or MedSAM's published weights.

    The text part is added where BiomedCLIP is on this machine, else the checkpoint takes boxes and
    points only. MedSAM gets no normalisation, as it was trained; SAM gets ImageNet's, as it was.

    Args:
        source: ``.pth`` or ``.safetensors`` file, or a folder of the Hugging Face hub.
        folder: where the checkpoint is written.
        kind: of `KINDS`.
        name: of the checkpoint.

    Raises:
        CheckpointError: when the file is damaged or no SAM, or nobody said whose weights it holds.
    """
    path = Path(source)
    file = weights_file(path)
    if file is None:
        raise CheckpointError(f"'{path}' holds no weights.")
    stored = read_tensors(file)
    layout = layout_of(stored)
    if layout is None:
        raise CheckpointError(f"'{file.name}' does not hold SAM's weights.")
    if kind is None:
        raise CheckpointError(
            f"'{path.name}' holds weights of SAM's form, which SAM and MedSAM share; say whose "
            "they are: --as sam or --as medsam."
        )
    named = to_segment_anything(stored, layout, _score_depth(stored))
    plain = kind == "medsam"
    config = sizes_of(named)
    if not plain:
        config = replace(config, pixel_mean=IMAGENET_MEAN, pixel_std=IMAGENET_STD)
        config = replace(config, masks_trained=True)
    encoder, config = _text_part(config)
    model: Any = create("omt-sam", config)
    apply_sam_weights(model, stored, file.name)
    origin = "MedSAM" if plain else "SAM"
    values = {
        "name": name,
        "title": f"OMT-SAM started from {origin}: boxes and points"
        + ("; its text is untrained" if config.image_text else ", no text"),
        "system": "omt-sam",
        "config": asdict(config),
        "input": {
            "size": config.image_size,
            "multiple": config.image_size,
            "canvases": [config.image_size],
            "max_upsampling": 8.0,
            "in_channels": config.in_channels,
            "ct_windows": [[-160, 240]] * config.in_channels,
        },
        "text_encoder": encoder or dict(MINILM),
        "planes": ["axial"],
        "takes": list(model.takes()),
        "modalities": ["CT", "MR"],
        "trained_prompts": {
            organ: {"modalities": ["CT", "MR"], "threshold": 0.5} for organ in ORGANS
        },
        "presence_threshold": None,
        "metrics": {},
        "training": {"data": [], "start": {"file": file.name, "sha256": sha256_of(file)}},
        "licence": {"spdx": "Apache-2.0", "line": f"{origin}'s weights.", "permissive": True},
    }
    return save(folder, model, values, dtype="float16", card=_card(values, layout, config))


def _score_depth(stored: Mapping[str, Any]) -> int:
    """Return the layers of the IoU head in transformers' layout."""
    middle = {
        m[1] for k in stored if (m := re.match(r"mask_decoder\.iou_pred\w+\.layers\.(\d+)\.", k))
    }
    return len(middle) + 2


def _text_part(config: OMTSAMConfig) -> tuple[dict[str, Any] | None, OMTSAMConfig]:
    """Return BiomedCLIP's spec and the configuration with the text part, where it is here."""
    try:
        encoder: Any = load_text_encoder(BIOMED_CLIP)
    except MissingEncoder:  # one with another checksum is here, and that is said
        return None, config
    sizes = {"text_dim": encoder.token_dim, "clip_dim": encoder.patch_dim}
    return dict(BIOMED_CLIP), replace(config, image_text=True, text_trained=False, **sizes)


def _card(values: Mapping[str, Any], layout: str, config: OMTSAMConfig) -> str:
    start = values["training"]["start"]
    text = (
        "The image-text prompt encoder is **untrained**: text alone finds nothing of use, and "
        "beside a box or points the text is left out. Train it with `recipe_large_btcv.json`."
        if config.image_text
        else "It has **no text part** (BiomedCLIP was not on this machine when it was made): a box "
        "or points say what is meant, the prompt only names the result."
    )
    return (
        f"# {values['title']}\n\n{values['licence']['spdx']}: {values['licence']['line']}\n\n"
        f"Made from `{start['file']}` (sha256 `{start['sha256']}`, layout of {layout}). With a box "
        "or points it answers as those weights do; the new parts (three further necks, the fusion "
        "of scales) start so that they change nothing.\n\n"
        f"{text}\n\nEvery slice is searched: the presence score is not trained either.\n\n"
        "Research software: not a medical device, not for diagnosis or treatment.\n"
    )
