"""SAM's two-way transformer, computed so that little is done for each place of the image.

A prompt is a handful of tokens, an image a thousand and more. segment_anything projects every
place of the image to keys, queries and values and back, for every prompt anew. The projections
are linear and so is what follows them up to the softmax: here they are applied to the few tokens
instead. The weights are segment_anything's, the answers equal to rounding (1e-5 in float32).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def two_way(
    transformer: Any, image: Tensor, positions: Tensor, prompts: Tensor, read: int
) -> tuple[Tensor, Tensor]:
    """Return what segment_anything's ``TwoWayTransformer.forward`` returns.

    Args:
        transformer: its modules.
        image: places of the image (B, N, C).
        positions: their position encoding (1, N, C).
        prompts: tokens (B, T, C).
        read: only the first ``read`` tokens are read afterwards.

    Returns:
        Tokens (B, read, C) and places (B, N, C).
    """
    positions = positions.to(image.dtype)
    tokens, placed = prompts, image + positions
    for layer in transformer.layers:
        if layer.skip_first_layer_pe:
            tokens = layer.self_attn(q=tokens, k=tokens, v=tokens)
        else:
            asking = tokens + prompts
            tokens = tokens + layer.self_attn(q=asking, k=asking, v=tokens)
        tokens = layer.norm1(tokens)
        asking = tokens + prompts
        tokens = layer.norm2(
            tokens + tokens_read_image(layer.cross_attn_token_to_image, asking, placed, image)
        )
        tokens = layer.norm3(tokens + layer.mlp(tokens))
        asking = tokens + prompts
        image = layer.norm4(
            image_reads_tokens(layer.cross_attn_image_to_token, image, placed, asking, tokens)
        )
        placed = image + positions
    tokens, prompts = tokens[:, :read], prompts[:, :read]
    found = tokens_read_image(
        transformer.final_attn_token_to_image, tokens + prompts, placed, image
    )
    return transformer.norm_final_attn(tokens + found), image


def tokens_read_image(attention: Any, asking: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Return ``attention(q=asking, k=keys, v=values)`` for few queries (B, T, C), many keys.

    ``q (W k + b)`` is ``(q W) k`` and a number that is the same for every key, which the softmax
    does not see; ``sum w (W v + b)`` is ``W (sum w v) + b``, as the weights add up to one.
    """
    heads = attention.num_heads
    if heads * asking.shape[1] > attention.internal_dim:  # many points: nothing to gain
        return attention(q=asking, k=keys, v=values)
    queries = split_heads(attention.q_proj(asking), heads)
    moved = through_heads(queries * queries.shape[-1] ** -0.5, attention.k_proj.weight)
    weights = torch.softmax(moved @ keys.transpose(1, 2), dim=-1)
    read = (weights @ values).unflatten(1, (heads, -1))  # (B, heads, T, C)
    project = attention.v_proj.weight.unflatten(0, (heads, -1)).transpose(1, 2)  # (heads, C, d)
    found = read @ project.to(read.dtype)
    return attention.out_proj(found.transpose(1, 2).flatten(2) + attention.v_proj.bias)


def image_reads_tokens(
    attention: Any, image: Tensor, asking: Tensor, keys: Tensor, values: Tensor
) -> Tensor:
    """Return ``image + attention(q=asking, k=keys, v=values)`` for many queries (B, N, C)."""
    heads = attention.num_heads
    if heads * keys.shape[1] > attention.internal_dim:
        return image + attention(q=asking, k=keys, v=values)
    return image + many_read_few(
        asking,
        split_heads(attention.k_proj(keys), heads),
        split_heads(attention.v_proj(values), heads),
        (attention.q_proj.weight, attention.q_proj.bias),
        (attention.out_proj.weight, attention.out_proj.bias),
    )


def many_read_few(
    asking: Tensor,
    keys: Tensor,
    values: Tensor,
    query: tuple[Tensor, Tensor],
    out: tuple[Tensor, Tensor],
    hidden: Tensor | None = None,
) -> Tensor:
    """Attend from many places to few tokens.

    Args:
        asking: places (B, N, C), before the projection to queries.
        keys: (B, heads, T, d).
        values: (B, heads, T, d).
        query: weight (heads d, C) and bias of the queries' projection.
        out: weight (C, heads d) and bias of the output's projection.
        hidden: (B, T) bool, tokens that nobody may read.
    """
    heads, count = keys.shape[1:3]
    keys = keys * keys.shape[-1] ** -0.5
    moved = through_heads(keys, query[0])  # (B, heads T, C)
    shift = (keys * query[1].view(heads, 1, -1)).sum(-1)  # (B, heads, T)
    scores = (moved @ asking.transpose(1, 2)).unflatten(1, (heads, count)) + shift[..., None]
    if hidden is not None:
        scores = scores.masked_fill(hidden[:, None, :, None], float("-inf"))
    weights = torch.softmax(scores, dim=2).flatten(1, 2)
    # the weights of a head add up to one: each carries its part of the bias
    answers = through_heads(values, out[0].t()) + out[1] / heads
    return weights.transpose(1, 2) @ answers.to(weights.dtype)


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Return (B, T, heads d) as (B, heads, T, d)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def through_heads(x: Tensor, weight: Tensor) -> Tensor:
    """Return (B, heads T, C): each head's rows (B, heads, T, d) through its weight (heads d, C)."""
    heads = x.shape[1]
    return (x @ weight.unflatten(0, (heads, -1)).to(x.dtype)).flatten(1, 2)
