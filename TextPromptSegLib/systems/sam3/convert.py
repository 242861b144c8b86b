"""A checkpoint from published weights of SAM 3's form: hub folder, original ``.pt``, or a LoRA."""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...checkpoints import catalogue
from ...checkpoints.layout import ANYTHING, CONFIG, sha256_of
from ...checkpoints.weights import save
from ...files.text import read_json
from ...outcome import CheckpointError
from ..registry import outline
from ..stored_tensors import read_tensors, weights_file
from .config import SAM3Config
from .key_map import ORIGINAL, layout_of, to_transformers, without_prefix
from .lora import is_lora, merged
from .text import SPEC

if TYPE_CHECKING:
    from torch import Tensor

KINDS = {
    "sam3": "SAM 3 (Meta)",
    "medical-sam3": "Medical-SAM3 (AIM-Research-Lab)",
    "medsam3": "MedSAM3's LoRA (Joey-S-Liu)",
}
"""What `--as` takes; every kind has a row in ``Resources/Models.json``."""

DTYPE = "float32"
"""Of the stored matrices: as published. In float16 the masks' logits moved by up to 0.03."""

HOW_TO_GET = """SAM 3 and its medical fine-tunes: weights that others publish; none is here.

Medical-SAM3 (MIT), asked for by words alone, a GPU with 8 GB or more:
  textpromptseg models download medical-sam3
or, from a file that you have:
  textpromptseg models import checkpoint.pt --as medical-sam3
SAM 3 itself (SAM License; the repository facebook/sam3 asks for an account and its terms):
  textpromptseg models download sam3          or: models import FOLDER --as sam3
MedSAM3, a LoRA that is added to SAM 3, which has to be there first:
  textpromptseg models download medsam3       or: models import lora.pt --as medsam3

Step by step, and what to expect: Resources/Docs/gpu.md."""


def is_sam3(names: Collection[str]) -> bool:
    """Return whether tensors of these names are SAM 3's, or a LoRA's on it."""
    return layout_of(names) is not None or is_lora(names)


def convert_sam3(
    source: str | os.PathLike[str], folder: str | os.PathLike[str], kind: str | None
) -> Path:
    """Make a checkpoint folder of published weights.

    Args:
        source: ``.pt`` or ``.safetensors`` file, or a folder of the hub.
        folder: where the checkpoint is written.
        kind: of `KINDS`; None is enough for a LoRA, which can only be MedSAM3's.

    Raises:
        CheckpointError: when the file is damaged or no SAM 3, when nobody said whose weights it
            holds, or when SAM 3 itself is not there for a LoRA.
    """
    path = Path(source)
    file = weights_file(path)
    if file is None:
        raise CheckpointError(f"'{path}' holds no weights.")
    stored = read_tensors(file)
    kind = _kind(kind, stored, file.name)
    row = catalogue.entry(kind)
    if is_lora(stored):
        config, tensors, left = merged(stored, float(row["lora_scale"]), file.name)
        layout = "LoRA on SAM 3, merged"
    else:
        config, tensors, left, layout = _whole(stored, file)
    net: Any = outline("sam3", asdict(config))
    _check(net.sam.state_dict(), tensors, file.name)
    net.sam.load_state_dict(tensors, assign=True)
    values = _values(kind, row, config, file)
    return save(folder, net, values, DTYPE, _card(values, layout, left))


def _kind(kind: str | None, stored: Mapping[str, Tensor], name: str) -> str:
    """Return whose weights a file holds, as it was said or as only one kind can be.

    Raises:
        CheckpointError: when it was not said, or cannot be.
    """
    lora = is_lora(stored)
    if not lora and layout_of(stored) is None:
        raise CheckpointError(f"'{name}' does not hold SAM 3's weights.")
    if lora and kind in (None, "medsam3"):
        return "medsam3"
    if lora:
        raise CheckpointError(f"'{name}' holds a LoRA, an addition to SAM 3: --as medsam3.")
    if kind is None:
        raise CheckpointError(
            f"'{name}' holds weights of SAM 3's form, which its fine-tunes share; say whose they "
            "are: --as sam3 or --as medical-sam3."
        )
    if kind == "medsam3":
        raise CheckpointError(
            f"'{name}' holds a whole network, and MedSAM3 is a LoRA: --as sam3 or medical-sam3."
        )
    return kind


def _whole(
    stored: Mapping[str, Tensor], file: Path
) -> tuple[SAM3Config, dict[str, Tensor], dict[str, str], str]:
    """Return sizes, tensors under transformers' names, what is left out and why, and the layout."""
    named, left = without_prefix(stored)
    if layout_of(named) == ORIGINAL:
        return sizes_of(stored), to_transformers(named), left, "original code"
    return _sizes_beside(file), named, left, "transformers"


def _sizes_beside(file: Path) -> SAM3Config:
    """Return the sizes of a hub folder's config.json; without one, the published model's.

    Raises:
        CheckpointError: when it is damaged, or not SAM 3's.
    """
    path = file.parent / CONFIG
    if not path.is_file():
        return SAM3Config()
    from transformers import Sam3Config

    try:
        found = read_json(path)
        found = found.get("detector_config") or found  # SAM 3's folder holds the video model
        if found.get("model_type") != "sam3":
            raise ValueError(f"its model_type is {found.get('model_type')!r}")
        return SAM3Config.from_transformers(Sam3Config.from_dict(found).to_dict())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"'{path.name}' beside the weights is not SAM 3's: {error}."
        ) from error


def sizes_of(stored: Mapping[str, Tensor]) -> SAM3Config:
    """Return the sizes that tensors of the original layout have.

    Heads and windows are read from the rotations that the file keeps for its attentions; without
    them they are the published model's. The text encoder has 64 channels a head, as CLIP has.

    Raises:
        CheckpointError: when a tensor that tells a size is missing, or the sizes fit no network.
    """
    shape = {re.sub(r"^detector\.", "", key): tuple(v.shape) for key, v in stored.items()}
    trunk, text = "backbone.vision_backbone.trunk.", "backbone.language_backbone.encoder."

    def layers(prefix: str) -> int:
        found = (re.match(re.escape(prefix) + r"(\d+)\.", key) for key in shape)
        return 1 + max(int(m[1]) for m in found if m)

    try:
        width, patch = shape[f"{trunk}patch_embed.proj.weight"][0::3][:2]
        depth, across = layers(f"{trunk}blocks."), math.isqrt(shape[f"{trunk}pos_embed"][1] - 1)
        turns = [shape.get(f"{trunk}blocks.{n}.attn.freqs_cis") for n in range(depth)]
        rope = [turn for turn in turns if turn is not None]
        sizes: dict[str, Any] = {}
        if len(rope) == depth:
            window, grid = (math.isqrt(pick(rope)[0]) for pick in (min, max))
            sizes = {
                "heads": width // (2 * rope[0][1]),
                "window": window,
                "image_size": grid * patch,
                "global_blocks": tuple(n for n, turn in enumerate(rope) if turn[0] > window**2),
            }
        wide = shape[f"{text}token_embedding.weight"]
        return SAM3Config(
            patch=patch,
            pretrain_size=across * patch,
            embed_dim=width,
            depth=depth,
            mlp=shape[f"{trunk}blocks.0.mlp.fc1.weight"][0],
            **sizes,
            width=shape["backbone.language_backbone.resizer.weight"][0],
            width_heads=shape["transformer.decoder.boxRPB_embed_x.layers.1.weight"][0],
            width_mlp=shape["transformer.decoder.layers.0.linear1.weight"][0],
            geometry_layers=layers("geometry_encoder.encode."),
            encoder_layers=layers("transformer.encoder.layers."),
            decoder_layers=layers("transformer.decoder.layers."),
            queries=shape["transformer.decoder.query_embed.weight"][0],
            roi=shape["geometry_encoder.boxes_pool_project.weight"][-1],
            upsampling=layers("segmentation_head.pixel_decoder.conv_layers."),
            text_dim=wide[1],
            text_depth=layers(f"{text}transformer.resblocks."),
            text_heads=max(1, wide[1] // 64),
            text_mlp=shape[f"{text}transformer.resblocks.0.mlp.c_fc.weight"][0],
            text_projection=shape[f"{text}text_projection"][1],
            text_length=shape[f"{text}positional_embedding"][0],
            words=wide[0],
        )
    except (KeyError, IndexError, ValueError) as error:
        raise CheckpointError(f"The weights are not SAM 3's: {error}.") from error


def _check(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor], name: str) -> None:
    """Refuse tensors that are not exactly those of the network.

    Raises:
        CheckpointError: naming the first one that is missing, unknown or of another size.
    """
    missing, extra = sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))
    wrong = sorted(k for k in wanted.keys() & found.keys() if wanted[k].shape != found[k].shape)
    for what, keys in (("missing", missing), ("unknown", extra), ("of another size", wrong)):
        if keys:
            raise CheckpointError(
                f"'{name}' does not fit SAM 3: {len(keys)} tensors are {what}, the first is "
                f"{keys[0]}."
            )


def _values(kind: str, row: Mapping[str, Any], config: SAM3Config, file: Path) -> dict[str, Any]:
    """Return the content of config.json."""
    side = config.image_size
    published = config == SAM3Config()
    return {
        "name": kind,
        "title": row["title"],
        "system": "sam3",
        "config": asdict(config),
        "input": {
            "size": side,
            "multiple": side,
            "canvases": [side],
            "max_upsampling": 16.0,
            "in_channels": 3,
            "ct_windows": [[-160, 240]] * 3,
        },
        "text_encoder": dict(SPEC),
        "planes": row["planes"],
        "takes": row["takes"],
        "modalities": row["modalities"],
        "trained_prompts": {ANYTHING: {"threshold": 0.5, "presence_threshold": 0.5}},
        "presence_threshold": 0.5,
        **({"memory_mb": row["memory_mb"]} if published else {}),
        "metrics": {},
        "training": {"data": [], "start": {"file": file.name, "sha256": sha256_of(file)}},
        "licence": dict(row["licence"]),
    }


def _card(values: Mapping[str, Any], layout: str, left: Mapping[str, str]) -> str:
    """Return the text of the model card."""
    start = values["training"]["start"]
    reasons = Counter(left.values())
    said = "; ".join(f"{count} {why}" for why, count in sorted(reasons.items())) or "none"
    return (
        f"# {values['title']}\n\n{values['licence']['spdx']}: {values['licence']['line']}\n\n"
        f"Made from `{start['file']}` (sha256 `{start['sha256']}`, layout: {layout}). Tensors left "
        f"out: {said}; every other one is in the network.\n\n"
        "**Any words may be asked** (in English, as its training was): names that the vocabulary "
        "knows go to its text encoder as they were typed or, typed in another language, by their "
        "English name; other words in quotation marks. Left and right are cut by geometry.\n\n"
        "A slice's presence is SAM 3's presence token. A pixel's probability is the largest over "
        "the instances, each weighted by its score (presence times its own) against the best "
        "one's; an instance under a score of "
        f"{values['config']['least_score']} never makes a mask. For one instance this is the mask "
        "that the public evaluation of Medical-SAM3 scores.\n\n"
        "**Not verified here on its weights**: no figure of quality is ours.\n\n"
        "Research software: not a medical device, not for diagnosis or treatment.\n"
    )
