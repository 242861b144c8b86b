"""SAM 3's tensors under two names: the original code's and those of ``transformers.Sam3Model``.

The published ``.pt`` files hold the original names, with ``detector.`` before them where the video
model was saved; the hub's ``model.safetensors`` holds those of transformers. ``#`` is a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ...outcome import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

ORIGINAL, TRANSFORMERS = "original", "transformers"

_TRUNK, _IMAGE = "backbone.vision_backbone.trunk", "vision_encoder.backbone"
_CONVS, _LEVELS = "backbone.vision_backbone.convs", "vision_encoder.neck.fpn_layers"
_WORDS, _TEXT = "backbone.language_backbone.encoder", "text_encoder.text_model"
_BLOCK, _LAYER = f"{_WORDS}.transformer.resblocks.#", f"{_TEXT}.encoder.layers.#"
_GEOMETRY, _FUSION = "geometry_encoder", "transformer.encoder.layers.#"
_QUERIES, _DECODER = "transformer.decoder", "detr_decoder"
_HEAD, _MASKS = "segmentation_head", "mask_decoder"

MODULES: tuple[tuple[str, str], ...] = (
    (f"{_TRUNK}.patch_embed.proj", f"{_IMAGE}.embeddings.patch_embeddings.projection"),
    (f"{_TRUNK}.ln_pre", f"{_IMAGE}.layer_norm"),
    (f"{_TRUNK}.blocks.#.norm1", f"{_IMAGE}.layers.#.layer_norm1"),
    (f"{_TRUNK}.blocks.#.norm2", f"{_IMAGE}.layers.#.layer_norm2"),
    (f"{_TRUNK}.blocks.#.attn.proj", f"{_IMAGE}.layers.#.attention.o_proj"),
    (f"{_TRUNK}.blocks.#.mlp.fc1", f"{_IMAGE}.layers.#.mlp.fc1"),
    (f"{_TRUNK}.blocks.#.mlp.fc2", f"{_IMAGE}.layers.#.mlp.fc2"),
    (f"{_CONVS}.0.dconv_2x2_0", f"{_LEVELS}.0.scale_layers.0"),
    (f"{_CONVS}.0.dconv_2x2_1", f"{_LEVELS}.0.scale_layers.2"),
    (f"{_CONVS}.1.dconv_2x2", f"{_LEVELS}.1.scale_layers.0"),
    (f"{_CONVS}.#.conv_1x1", f"{_LEVELS}.#.proj1"),
    (f"{_CONVS}.#.conv_3x3", f"{_LEVELS}.#.proj2"),
    (f"{_WORDS}.token_embedding", f"{_TEXT}.embeddings.token_embedding"),
    (f"{_WORDS}.ln_final", f"{_TEXT}.final_layer_norm"),
    (f"{_BLOCK}.ln_1", f"{_LAYER}.layer_norm1"),
    (f"{_BLOCK}.ln_2", f"{_LAYER}.layer_norm2"),
    (f"{_BLOCK}.mlp.c_fc", f"{_LAYER}.mlp.fc1"),
    (f"{_BLOCK}.mlp.c_proj", f"{_LAYER}.mlp.fc2"),
    ("backbone.language_backbone.resizer", "text_projection"),
    *(
        (f"{_GEOMETRY}.{name}", f"{_GEOMETRY}.{name}")
        for name in (
            *("label_embed", "cls_embed", "final_proj"),
            *("boxes_direct_project", "boxes_pool_project", "boxes_pos_enc_project"),
        )
    ),
    (f"{_GEOMETRY}.img_pre_norm", f"{_GEOMETRY}.vision_layer_norm"),
    (f"{_GEOMETRY}.norm", f"{_GEOMETRY}.prompt_layer_norm"),
    (f"{_GEOMETRY}.encode_norm", f"{_GEOMETRY}.output_layer_norm"),
    *(
        (f"{old}.{part}", f"{new}.{name}")
        for old, new in (
            (f"{_GEOMETRY}.encode.#", f"{_GEOMETRY}.layers.#"),
            (_FUSION, "detr_encoder.layers.#"),
        )
        for part, name in (
            *(("linear1", "mlp.fc1"), ("linear2", "mlp.fc2")),
            *((f"norm{n}", f"layer_norm{n}") for n in (1, 2, 3)),
        )
    ),
    (f"{_QUERIES}.layers.#.linear1", f"{_DECODER}.layers.#.mlp.fc1"),
    (f"{_QUERIES}.layers.#.linear2", f"{_DECODER}.layers.#.mlp.fc2"),
    (f"{_QUERIES}.layers.#.norm1", f"{_DECODER}.layers.#.vision_cross_attn_layer_norm"),
    (f"{_QUERIES}.layers.#.catext_norm", f"{_DECODER}.layers.#.text_cross_attn_layer_norm"),
    (f"{_QUERIES}.layers.#.norm2", f"{_DECODER}.layers.#.self_attn_layer_norm"),
    (f"{_QUERIES}.layers.#.norm3", f"{_DECODER}.layers.#.mlp_layer_norm"),
    (f"{_QUERIES}.norm", f"{_DECODER}.output_layer_norm"),
    (f"{_QUERIES}.query_embed", f"{_DECODER}.query_embed"),
    (f"{_QUERIES}.reference_points", f"{_DECODER}.reference_points"),
    (f"{_QUERIES}.presence_token", f"{_DECODER}.presence_token"),
    (f"{_QUERIES}.presence_token_out_norm", f"{_DECODER}.presence_layer_norm"),
    *(
        (f"{_QUERIES}.{old}.layers.{n}", f"{_DECODER}.{new}.layer{n + 1}")
        for old, new, count in (
            ("bbox_embed", "box_head", 3),
            ("presence_token_head", "presence_head", 3),
            ("ref_point_head", "ref_point_head", 2),
            ("boxRPB_embed_x", "box_rpb_embed_x", 2),
            ("boxRPB_embed_y", "box_rpb_embed_y", 2),
        )
        for n in range(count)
    ),
    ("dot_prod_scoring.prompt_mlp.layers.0", "dot_product_scoring.text_mlp.layer1"),
    ("dot_prod_scoring.prompt_mlp.layers.1", "dot_product_scoring.text_mlp.layer2"),
    ("dot_prod_scoring.prompt_mlp.out_norm", "dot_product_scoring.text_mlp_out_norm"),
    ("dot_prod_scoring.prompt_proj", "dot_product_scoring.text_proj"),
    ("dot_prod_scoring.hs_proj", "dot_product_scoring.query_proj"),
    (f"{_HEAD}.pixel_decoder.conv_layers.#", f"{_MASKS}.pixel_decoder.conv_layers.#"),
    (f"{_HEAD}.pixel_decoder.norms.#", f"{_MASKS}.pixel_decoder.norms.#"),
    (f"{_HEAD}.mask_predictor.mask_embed.layers.#", f"{_MASKS}.mask_embedder.layers.#"),
    (f"{_HEAD}.instance_seg_head", f"{_MASKS}.instance_projection"),
    (f"{_HEAD}.semantic_seg_head", f"{_MASKS}.semantic_projection"),
    (f"{_HEAD}.cross_attn_norm", f"{_MASKS}.prompt_cross_attn_norm"),
)
"""Modules with a ``weight`` and perhaps a ``bias``."""

ATTENTIONS: tuple[tuple[str, str], ...] = (
    (f"{_BLOCK}.attn", f"{_LAYER}.self_attn"),
    (f"{_GEOMETRY}.encode.#.self_attn", f"{_GEOMETRY}.layers.#.self_attn"),
    (f"{_GEOMETRY}.encode.#.cross_attn_image", f"{_GEOMETRY}.layers.#.cross_attn"),
    (f"{_FUSION}.self_attn", "detr_encoder.layers.#.self_attn"),
    (f"{_FUSION}.cross_attn_image", "detr_encoder.layers.#.cross_attn"),
    (f"{_QUERIES}.layers.#.self_attn", f"{_DECODER}.layers.#.self_attn"),
    (f"{_QUERIES}.layers.#.ca_text", f"{_DECODER}.layers.#.text_cross_attn"),
    (f"{_QUERIES}.layers.#.cross_attn", f"{_DECODER}.layers.#.vision_cross_attn"),
    (f"{_HEAD}.cross_attend_prompt", f"{_MASKS}.prompt_cross_attn"),
)
"""Attentions whose three projections are one tensor in the original, ``in_proj_weight``."""

_POSITIONS = (f"{_TRUNK}.pos_embed", f"{_IMAGE}.embeddings.position_embeddings")
_PLACES = (f"{_WORDS}.positional_embedding", f"{_TEXT}.embeddings.position_embedding.weight")
_SENTENCE = (f"{_WORDS}.text_projection", "text_encoder.text_projection.weight")
_QKV = (f"{_TRUNK}.blocks.#.attn.qkv", f"{_IMAGE}.layers.#.attention")

UNUSED: Mapping[str, str] = {
    r"tracker\..*": "of the tracker of videos",
    r"tracker_(model|neck)\..*": "of the tracker of videos",
    r"backbone\.vision_backbone\.sam2_convs\..*": "of the tracker of videos",
    r"geometry_encoder\.points_(direct|pool|pos_enc)_project\..*": "of points as prompts",
    r"backbone\.vision_backbone\.trunk\.blocks\.\d+\.attn\.freqs_cis": "computed, not trained",
}
"""What the published files hold and no text or box prompt needs: names of tensors and why."""


def layout_of(keys: Iterable[str]) -> str | None:
    """Return `ORIGINAL`, `TRANSFORMERS`, or None for the tensors of anything else."""
    names = set(map(_bare, keys))
    if f"{_TRUNK}.patch_embed.proj.weight" in names:
        return ORIGINAL
    if f"{_IMAGE}.embeddings.patch_embeddings.projection.weight" in names:
        return TRANSFORMERS
    return None


def _bare(key: str) -> str:
    """Return a name without what a whole video model puts before it."""
    for prefix in ("detector_model.", "detector."):
        if key.startswith(prefix):
            return key[len(prefix) :]
    return key


def without_prefix(stored: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors under their bare names, and what is left out with the reason.

    Raises:
        CheckpointError: when two tensors claim one name.
    """
    kept: dict[str, Tensor] = {}
    left: dict[str, str] = {}
    for key, value in stored.items():
        name = _bare(key)
        why = next((w for pattern, w in UNUSED.items() if re.fullmatch(pattern, name)), None)
        if why is not None:
            left[key] = why
        elif name in kept:
            raise CheckpointError(f"The weights hold {name} twice.")
        else:
            kept[name] = value
    return kept, left


def to_transformers(named: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors of the original names under those of transformers.

    A name that the original does not have keeps it, for whoever counts the tensors.
    """
    made: dict[str, Tensor] = {}
    for key, value in named.items():
        made.update(_translated(key, value))
    return made


def _translated(key: str, value: Tensor) -> dict[str, Tensor]:
    if key == _POSITIONS[0]:
        return {_POSITIONS[1]: value[:, 1:]}  # the first row belongs to a class token
    if key == _PLACES[0]:
        return {_PLACES[1]: value}
    if key == _SENTENCE[0]:
        return {_SENTENCE[1]: value.T.contiguous()}
    module, _, kind = key.rpartition(".")
    if new := _renamed(module, *_QKV):
        return _thirds(value, new, kind)
    for old, target in ATTENTIONS:
        if kind.startswith("in_proj_") and (new := _renamed(module, old, target)):
            return _thirds(value, new, kind.removeprefix("in_proj_"))
    return {f"{module_name(module)}.{kind}": value}


def _thirds(value: Tensor, module: str, kind: str) -> dict[str, Tensor]:
    parts = value.chunk(3)
    return {f"{module}.{n}_proj.{kind}": part for n, part in zip("qkv", parts, strict=True)}


def module_name(module: str) -> str:
    """Return transformers' name of a module of the original; an unknown one keeps its own."""
    for old, new in MODULES:
        if found := _renamed(module, old, new):
            return found
    for old, new in ATTENTIONS:
        out = "out_proj" if old.startswith(_WORDS) else "o_proj"
        # a LoRA names the projections one by one
        for part, name in (("out_proj", out), *((f"{n}_proj", f"{n}_proj") for n in "qkv")):
            if found := _renamed(module, f"{old}.{part}", f"{new}.{name}"):
                return found
    return module


def fused_name(module: str) -> str | None:
    """Return transformers' attention of a projection that the original fuses, else None."""
    return _renamed(module, *_QKV)


def _renamed(name: str, old: str, new: str) -> str | None:
    match = re.fullmatch(re.escape(old).replace(r"\#", r"(\d+)"), name)
    if match is None:
        return None
    return new.replace("#", match[1]) if match.groups() else new
