"""SAM's and MedSAM's published weights: two layouts, one key mapping each, strict.

The layout of ``sam_vit_b_01ec64.pth`` and ``medsam_vit_b.pth`` is that of segment_anything's own
modules; the Hugging Face hub has the same tensors under the names of ``transformers.SamModel``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...checkpoints.catalogue import resolve
from ...checkpoints.layout import CONFIG, read_config, sha256_of, verify_weights
from ...checkpoints.stored_weights import unpack
from ...outcome import CheckpointError
from ...text.sources import FOLDER_VARIABLE
from ..stored_tensors import read_tensors

if TYPE_CHECKING:
    from torch import Tensor


NEW_PARTS = ("image_encoder.fusion.conv.", "image_text.")
"""Prefixes of what the paper adds to SAM; no published file holds them."""

_NECK = "image_encoder.neck."

# transformers' names -> segment_anything's, tried in this order
_HUGGING_FACE: tuple[tuple[str, str], ...] = (
    (r"^shared_image_embedding\.positional_embedding$", "prompt_encoder.@pe"),
    (r"^prompt_encoder\.shared_embedding\.positional_embedding$", "prompt_encoder.@pe"),
    (r"@pe$", "pe_layer.positional_encoding_gaussian_matrix"),
    (r"^vision_encoder\.patch_embed\.projection\.", "image_encoder.patch_embed.proj."),
    (r"^vision_encoder\.layers\.(\d+)\.layer_norm(\d)\.", r"image_encoder.blocks.\1.norm\2."),
    (r"^vision_encoder\.layers\.", "image_encoder.blocks."),
    (r"^vision_encoder\.neck\.conv1\.", "image_encoder.neck.0."),
    (r"^vision_encoder\.neck\.layer_norm1\.", "image_encoder.neck.1."),
    (r"^vision_encoder\.neck\.conv2\.", "image_encoder.neck.2."),
    (r"^vision_encoder\.neck\.layer_norm2\.", "image_encoder.neck.3."),
    (r"^vision_encoder\.pos_embed$", "image_encoder.pos_embed"),
    (r"^prompt_encoder\.mask_embed\.conv1\.", "prompt_encoder.mask_downscaling.0."),
    (r"^prompt_encoder\.mask_embed\.layer_norm1\.", "prompt_encoder.mask_downscaling.1."),
    (r"^prompt_encoder\.mask_embed\.conv2\.", "prompt_encoder.mask_downscaling.3."),
    (r"^prompt_encoder\.mask_embed\.layer_norm2\.", "prompt_encoder.mask_downscaling.4."),
    (r"^prompt_encoder\.mask_embed\.conv3\.", "prompt_encoder.mask_downscaling.6."),
    (r"^prompt_encoder\.point_embed\.", "prompt_encoder.point_embeddings."),
    (r"^mask_decoder\.upscale_conv1\.", "mask_decoder.output_upscaling.0."),
    (r"^mask_decoder\.upscale_layer_norm\.", "mask_decoder.output_upscaling.1."),
    (r"^mask_decoder\.upscale_conv2\.", "mask_decoder.output_upscaling.3."),
    (r"\.layer_norm_final_attn\.", ".norm_final_attn."),
    (r"^(mask_decoder\.transformer\.layers\.\d+)\.layer_norm(\d)\.", r"\1.norm\2."),
)
# the MLPs of the mask decoder: first, middle ones, last
_MLP = re.compile(
    r"^(mask_decoder\.(?:output_hypernetworks_mlps\.\d+|iou_prediction_head))"
    r"\.(proj_in|layers\.(\d+)|proj_out)\."
)


@dataclass(frozen=True)
class Source:
    """Where a network's SAM part came from.

    Attributes:
        file: its name.
        sha256: of the file.
        layout: ``segment_anything`` or ``transformers``.
        tensors: how many it holds.
    """

    file: str
    sha256: str
    layout: str
    tensors: int


def layout_of(keys: Collection[str]) -> str | None:
    """Return ``segment_anything``, ``transformers``, or None for anything else."""
    if any(key.startswith("vision_encoder.patch_embed.") for key in keys):
        return "transformers"
    if any(key.startswith("image_encoder.") for key in keys):
        return "segment_anything"
    return None


def from_transformers(key: str, score_depth: int = 3) -> str:
    """Return segment_anything's name of a tensor of ``transformers.SamModel``.

    Args:
        key: for example ``mask_decoder.iou_prediction_head.proj_out.weight``.
        score_depth: layers of the IoU head (the other MLPs have three).
    """
    if match := _MLP.match(key):
        depth = score_depth if "iou_prediction_head" in match[1] else 3
        number = {"proj_in": 0, "proj_out": depth - 1}.get(match[2])
        if number is None:
            number = int(match[3]) + 1
        return f"{match[1]}.layers.{number}.{key[match.end() :]}"
    for pattern, name in _HUGGING_FACE:
        key = re.sub(pattern, name, key)
    return key


def to_segment_anything(
    stored: Mapping[str, Tensor], layout: str, score_depth: int = 3
) -> dict[str, Tensor]:
    """Return the tensors under segment_anything's names.

    Raises:
        CheckpointError: when two tensors claim one name and differ.
    """
    if layout == "segment_anything":
        return dict(stored)
    result: dict[str, Tensor] = {}
    for key, value in stored.items():
        name = from_transformers(key, score_depth)
        if name in result and not result[name].equal(value):
            raise CheckpointError(f"The weights hold {name} twice, with different numbers.")
        result[name] = value
    return result


def sam_targets(model: Any) -> dict[str, tuple[str, ...]]:
    """Return, for each of segment_anything's names, the tensors of a network that take it.

    SAM's single neck goes to every neck of the multi-scale fusion.
    """
    targets: dict[str, list[str]] = {}
    for key in model.state_dict():
        if key.startswith(NEW_PARTS):
            continue
        name = re.sub(r"^image_encoder\.fusion\.necks\.\d+\.", _NECK, key)
        targets.setdefault(name, []).append(key)
    return {name: tuple(keys) for name, keys in targets.items()}


def apply_sam_weights(model: Any, stored: Mapping[str, Tensor], file: str) -> str:
    """Copy SAM's tensors into a network; every tensor of both sides is accounted for.

    What the paper adds keeps its start: the fusion picks the last scale, the image-text prompt
    encoder is untrained.

    Returns:
        The layout.

    Raises:
        CheckpointError: when the file is of another model or another size.
    """
    layout = layout_of(stored)
    if layout is None:
        raise CheckpointError(
            f"'{file}' is neither in segment_anything's nor in transformers' layout of SAM."
        )
    named = to_segment_anything(stored, layout, model.config.score_depth)
    targets = sam_targets(model)
    missing, extra = sorted(set(targets) - set(named)), sorted(set(named) - set(targets))
    own = model.state_dict()
    wrong = sorted(
        name
        for name in targets.keys() & named.keys()
        if any(own[key].shape != named[name].shape for key in targets[name])
    )
    for what, names in (("missing", missing), ("unknown", extra), ("of another size", wrong)):
        if names:
            raise CheckpointError(
                f"'{file}' does not fit the network: {len(names)} tensors are {what}, the first "
                f"is {names[0]}."
            )
    values = {key: named[name] for name, keys in targets.items() for key in keys}
    model.load_state_dict(values, strict=False)
    model.image_encoder.fusion.pick_last()
    return layout


def find_weights(name: str | os.PathLike[str]) -> Path:
    """Return a file of weights by path, or by name in the folders of TEXTPROMPTSEG_ENCODERS.

    Raises:
        CheckpointError: when it is not on this machine.
    """
    roots = [r for r in os.environ.get(FOLDER_VARIABLE, "").split(os.pathsep) if r]
    for candidate in (Path(name), *(Path(root) / name for root in roots)):
        if candidate.is_file():
            return candidate
    raise CheckpointError(
        f"The weights '{Path(name).name}' are not on this machine; put the file into a folder and "
        f"set {FOLDER_VARIABLE} to it (the system's README says where the file comes from)."
    )


def load_sam_weights(model: Any, name: str | os.PathLike[str]) -> Source:
    """Load SAM's or MedSAM's file into a network, see `apply_sam_weights`.

    Raises:
        CheckpointError: when it is missing, damaged or does not fit.
    """
    path = find_weights(name)
    digest = sha256_of(path)
    stored = read_tensors(path)
    layout = apply_sam_weights(model, stored, path.name)
    return Source(path.name, digest, layout, len(stored))


def start_from(model: Any, name: str | os.PathLike[str]) -> str:
    """Start a training from SAM's weights or from a first stage; returns what it was.

    A first stage is a checkpoint of this system that was trained before CLIP's image tower took
    part (``clip_image`` false). The projection of the image tokens starts at zero, so that the
    network first answers as the first stage did, and learns what CLIP sees from there.

    Raises:
        CheckpointError: when it is missing, damaged or does not fit.
    """
    if not (Path(name) / CONFIG).is_file():
        return str(load_sam_weights(model, name))
    config = read_config(name)
    stored = unpack(verify_weights(name, config), str(config["name"]))
    own, fresh = model.state_dict(), "image_text.image_projection.weight"
    wrong = set(own) ^ set(stored)
    wrong |= {k for k in set(own) & set(stored) if own[k].shape != stored[k].shape} - {fresh}
    if wrong:
        raise CheckpointError(
            f"The checkpoint '{config['name']}' does not fit the network, first in "
            f"{sorted(wrong)[0]}."
        )
    stored[fresh] = own[fresh].new_zeros(own[fresh].shape)
    model.load_state_dict(stored)
    return f"{config['name']} (sha256 {config['weights_sha256']})"


def load_stem(model: Any, name: str) -> str:
    """Start the convolutional stem from the encoder of a FiLM U-Net checkpoint.

    Returns:
        Its name and the sha256 of its weights.

    Raises:
        CheckpointError: when it is missing, damaged or of other sizes.
    """
    folder = resolve(name)
    config = read_config(folder)
    path = verify_weights(folder, config)
    prefix = "image_encoder.patch_embed.stages."
    stored = {
        prefix + key.removeprefix("encoder."): value
        for key, value in unpack(path, name).items()
        if key.startswith("encoder.")
    }
    own = {k: v for k, v in model.state_dict().items() if k.startswith(prefix)}
    same = set(own) == set(stored) and all(own[k].shape == stored[k].shape for k in own)
    sizes = config["config"]
    if not same or int(sizes.get("patch", 1)) != model.config.stem_patch:
        raise CheckpointError(
            f"The encoder of '{config['name']}' does not fit the stem: it has the channels "
            f"{list(sizes.get('channels', []))}, the stem {list(model.config.stem_channels)}."
        )
    model.load_state_dict(stored, strict=False)
    return f"{config['name']} (sha256 {config['weights_sha256']})"
