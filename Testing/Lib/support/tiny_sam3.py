"""A SAM 3 of a few thousand weights, as transformers and the original code write it; for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from TextPromptSegLib.systems.registry import create
from TextPromptSegLib.systems.sam3.config import SAM3Config

SIZES: dict[str, Any] = {
    "image_size": 56,
    "patch": 7,
    "pretrain_size": 28,
    "embed_dim": 16,
    "depth": 3,
    "heads": 2,
    "mlp": 24,
    "window": 4,
    "global_blocks": [1],
    "width": 16,
    "width_heads": 2,
    "width_mlp": 24,
    "geometry_layers": 1,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "queries": 6,
    "roi": 2,
    "text_dim": 16,
    "text_depth": 1,
    "text_heads": 1,
    "text_mlp": 16,
    "text_projection": 8,
}
"""SAM 3's form in small: windows, a block that sees the whole image, several layers of a kind."""


def tiny_sam3(**changes: Any) -> Any:
    """Return the system with lively random weights, all of which have a say."""
    torch.manual_seed(5)
    net: Any = create("sam3", {**SIZES, **changes}).eval()
    with torch.no_grad():
        for name, value in net.named_parameters():
            if value.ndim > 1 and "token_embedding" not in name:
                value.normal_(std=1.0 / value[0].numel() ** 0.5)
            elif name.endswith("bias"):
                value.normal_(std=0.1)
    return net


def write_hub_folder(folder: Path, net: Any, video: bool = False) -> Path:
    """Write what the hub has of it: config.json and model.safetensors, as transformers saves it.

    Args:
        folder: where to.
        net: of `tiny_sam3`.
        video: as in the published folder, where it is the detector of a video model.
    """
    from safetensors.torch import load_file, save_file

    net.sam.save_pretrained(folder)
    if video:
        path, config = folder / "model.safetensors", folder / "config.json"
        stored = {f"detector_model.{key}": value for key, value in load_file(path).items()}
        stored["tracker_model.memory.weight"] = torch.zeros(2, 2)
        save_file(stored, path)
        inner = json.loads(config.read_text())
        config.write_text(json.dumps({"model_type": "sam3_video", "detector_config": inner}))
    return folder


def original(net: Any) -> dict[str, torch.Tensor]:
    """Return its tensors under the names of the original code, those that nobody needs included.

    Written from the list of names of the original video model, independently of the key map.
    """
    config: SAM3Config = net.config
    state = net.sam.state_dict()
    made: dict[str, torch.Tensor] = {}

    def take(new: str, old: str) -> None:
        for kind in ("weight", "bias"):
            if f"{old}.{kind}" in state:
                made[f"{new}.{kind}"] = state.pop(f"{old}.{kind}")

    def attention(new: str, old: str, out: str = "o_proj") -> None:
        for kind in ("weight", "bias"):
            parts = [state.pop(f"{old}.{n}_proj.{kind}") for n in "qkv"]
            made[f"{new}.in_proj_{kind}"] = torch.cat(parts)
        take(f"{new}.out_proj", f"{old}.{out}")

    trunk, image = "backbone.vision_backbone.trunk.", "vision_encoder.backbone."
    places = state.pop(f"{image}embeddings.position_embeddings")
    made[f"{trunk}pos_embed"] = torch.cat([torch.ones_like(places[:, :1]), places], 1)
    take(f"{trunk}patch_embed.proj", f"{image}embeddings.patch_embeddings.projection")
    take(f"{trunk}ln_pre", f"{image}layer_norm")
    for n in range(config.depth):
        new, old = f"{trunk}blocks.{n}.", f"{image}layers.{n}."
        for kind in ("weight", "bias"):
            parts = [state.pop(f"{old}attention.{p}_proj.{kind}") for p in "qkv"]
            made[f"{new}attn.qkv.{kind}"] = torch.cat(parts)
        take(f"{new}attn.proj", f"{old}attention.o_proj")
        tokens = config.grid if n in config.global_blocks else config.window
        half = config.embed_dim // config.heads // 2
        made[f"{new}attn.freqs_cis"] = torch.zeros(tokens**2, half, dtype=torch.complex64)
        for part in ("1", "2"):
            take(f"{new}norm{part}", f"{old}layer_norm{part}")
            take(f"{new}mlp.fc{part}", f"{old}mlp.fc{part}")
    convs, levels = "backbone.vision_backbone.convs.", "vision_encoder.neck.fpn_layers."
    for name, part in (
        ("0.dconv_2x2_0", "0.scale_layers.0"),
        ("0.dconv_2x2_1", "0.scale_layers.2"),
    ):
        take(convs + name, levels + part)
    take(f"{convs}1.dconv_2x2", f"{levels}1.scale_layers.0")
    for n in range(4):
        take(f"{convs}{n}.conv_1x1", f"{levels}{n}.proj1")
        take(f"{convs}{n}.conv_3x3", f"{levels}{n}.proj2")
        made[f"backbone.vision_backbone.sam2_convs.{n}.conv_1x1.weight"] = torch.zeros(2, 2, 1, 1)
    words, text = "backbone.language_backbone.encoder.", "text_encoder.text_model."
    take(f"{words}token_embedding", f"{text}embeddings.token_embedding")
    made[f"{words}positional_embedding"] = state.pop(f"{text}embeddings.position_embedding.weight")
    take(f"{words}ln_final", f"{text}final_layer_norm")
    made[f"{words}text_projection"] = state.pop("text_encoder.text_projection.weight").T.clone()
    take("backbone.language_backbone.resizer", "text_projection")
    for n in range(config.text_depth):
        new, old = f"{words}transformer.resblocks.{n}.", f"{text}encoder.layers.{n}."
        attention(f"{new}attn", f"{old}self_attn", "out_proj")
        for a, b in (("ln_1", "layer_norm1"), ("ln_2", "layer_norm2")):
            take(new + a, old + b)
        for a, b in (("mlp.c_fc", "mlp.fc1"), ("mlp.c_proj", "mlp.fc2")):
            take(new + a, old + b)
    box = "geometry_encoder."
    for name in ("label_embed", "cls_embed", "final_proj", "boxes_direct_project"):
        take(box + name, box + name)
    for name in ("boxes_pool_project", "boxes_pos_enc_project"):
        take(box + name, box + name)
    for a, b in (("img_pre_norm", "vision"), ("norm", "prompt"), ("encode_norm", "output")):
        take(box + a, f"{box}{b}_layer_norm")
    for name in ("direct", "pool", "pos_enc"):
        made[f"{box}points_{name}_project.weight"] = torch.zeros(2, 2)
    for count, new_layers, old_layers in (
        (config.geometry_layers, f"{box}encode", f"{box}layers"),
        (config.encoder_layers, "transformer.encoder.layers", "detr_encoder.layers"),
    ):
        for n in range(count):
            new, old = f"{new_layers}.{n}.", f"{old_layers}.{n}."
            attention(f"{new}self_attn", f"{old}self_attn")
            attention(f"{new}cross_attn_image", f"{old}cross_attn")
            for part in ("1", "2"):
                take(f"{new}linear{part}", f"{old}mlp.fc{part}")
            for part in ("1", "2", "3"):
                take(f"{new}norm{part}", f"{old}layer_norm{part}")
    queries, decoder = "transformer.decoder.", "detr_decoder."
    for n in range(config.decoder_layers):
        new, old = f"{queries}layers.{n}.", f"{decoder}layers.{n}."
        attention(f"{new}self_attn", f"{old}self_attn")
        attention(f"{new}ca_text", f"{old}text_cross_attn")
        attention(f"{new}cross_attn", f"{old}vision_cross_attn")
        norms = {"norm1": "vision_cross_attn", "catext_norm": "text_cross_attn"}
        norms |= {"norm2": "self_attn", "norm3": "mlp"}
        for a, b in norms.items():
            take(new + a, f"{old}{b}_layer_norm")
        for part in ("1", "2"):
            take(f"{new}linear{part}", f"{old}mlp.fc{part}")
    take(f"{queries}norm", f"{decoder}output_layer_norm")
    take(f"{queries}presence_token_out_norm", f"{decoder}presence_layer_norm")
    for name in ("query_embed", "reference_points", "presence_token"):
        take(queries + name, decoder + name)
    heads = {"bbox_embed": "box_head", "presence_token_head": "presence_head"}
    heads |= {"ref_point_head": "ref_point_head"}
    heads |= {f"boxRPB_embed_{axis}": f"box_rpb_embed_{axis}" for axis in "xy"}
    for a, b in heads.items():
        for n in range(3):
            take(f"{queries}{a}.layers.{n}", f"{decoder}{b}.layer{n + 1}")
    score, scoring = "dot_prod_scoring.", "dot_product_scoring."
    for n in range(2):
        take(f"{score}prompt_mlp.layers.{n}", f"{scoring}text_mlp.layer{n + 1}")
    take(f"{score}prompt_mlp.out_norm", f"{scoring}text_mlp_out_norm")
    take(f"{score}prompt_proj", f"{scoring}text_proj")
    take(f"{score}hs_proj", f"{scoring}query_proj")
    head, masks = "segmentation_head.", "mask_decoder."
    for n in range(config.upsampling):
        for part in ("conv_layers", "norms"):
            take(f"{head}pixel_decoder.{part}.{n}", f"{masks}pixel_decoder.{part}.{n}")
    for n in range(3):
        take(f"{head}mask_predictor.mask_embed.layers.{n}", f"{masks}mask_embedder.layers.{n}")
    attention(f"{head}cross_attend_prompt", f"{masks}prompt_cross_attn")
    take(f"{head}cross_attn_norm", f"{masks}prompt_cross_attn_norm")
    take(f"{head}semantic_seg_head", f"{masks}semantic_projection")
    take(f"{head}instance_seg_head", f"{masks}instance_projection")
    assert not state, sorted(state)
    return {key: value.clone() for key, value in made.items()}


def install_tiny_sam3(scratch: Path, kind: str = "medical-sam3") -> Path:
    """Import one that finds something on every slice into the user's folder; returns its folder.

    Args:
        scratch: an empty folder for the weights as they are published.
        kind: whose weights they are said to be.
    """
    from TextPromptSegLib.systems.foreign_weights import import_path

    net = tiny_sam3()
    with torch.no_grad():
        net.sam.detr_decoder.presence_head.layer3.bias.fill_(9.0)
    folder = import_path(write_hub_folder(scratch / "hub", net), kind=kind).folder
    assert folder is not None
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["config"]["least_score"] = 1e-6  # the scores of random weights mean nothing
    path.write_text(json.dumps(config))
    return folder
