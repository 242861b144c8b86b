"""LoRA: trainable low-rank additions to frozen layers (Hu et al. 2021).

https://arxiv.org/abs/2106.09685
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BERT_TARGETS = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "intermediate.dense",
    "output.dense",
)
"""Query, key, value and both feed-forward projections of a BERT layer; ``attention.output.dense``
is none of them although its name ends alike."""


class LowRankUpdate(nn.Module):
    """The trained part, ``alpha / r * B A x``; zero until it is trained because B starts at zero.

    Args:
        in_features: size of the layer's input.
        out_features: size of its output.
        rank: r.
        alpha: scale; the update is multiplied by ``alpha / r``.
        dropout: of the input of A, in training.
    """

    def __init__(
        self, in_features: int, out_features: int, rank: int, alpha: float, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.empty(rank, in_features))
        self.b = nn.Parameter(torch.zeros(out_features, rank))
        nn.init.kaiming_uniform_(self.a, a=math.sqrt(5))
        self.scale = alpha / rank
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        """Return what is added to the frozen layer's output for inputs (..., in_features)."""
        x = F.dropout(x, self.dropout, self.training)
        return F.linear(F.linear(x, self.a), self.b) * self.scale

    def matrix(self) -> Tensor:
        """Return the update as one matrix (out_features, in_features)."""
        return self.b @ self.a * self.scale


class LoRALinear(nn.Module):
    """A frozen linear layer plus its low-rank update.

    Args:
        base: the layer; frozen here.
        update: of the same sizes; may be owned by another module too.
    """

    def __init__(self, base: nn.Linear, update: LowRankUpdate) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.update = update

    def forward(self, x: Tensor) -> Tensor:
        """Return ``W x + b + alpha / r * B A x``."""
        return self.base(x) + self.update(x)


def bert_updates(
    hidden: int, intermediate: int, rank: int, alpha: float, dropout: float
) -> Iterator[tuple[str, LowRankUpdate]]:
    """Yield (name, update) for every module of `BERT_TARGETS` of one BERT layer.

    Args:
        hidden: size of a token state.
        intermediate: size inside the feed-forward part.
        rank: r.
        alpha: scale.
        dropout: of the input of A.
    """
    for name in BERT_TARGETS:
        wide_out, wide_in = name == "intermediate.dense", name == "output.dense"
        sizes = (intermediate if wide_in else hidden, intermediate if wide_out else hidden)
        yield name, LowRankUpdate(*sizes, rank, alpha, dropout)


def adapt(layer: nn.Module, name: str, update: LowRankUpdate) -> None:
    """Put a `LoRALinear` in place of the linear layer called ``name`` inside ``layer``.

    Raises:
        ValueError: when there is no linear layer of that name, or it has other sizes.
    """
    base = layer.get_submodule(name)
    if not isinstance(base, nn.Linear):
        raise ValueError(f"'{name}' is no linear layer")
    if (base.out_features, base.in_features) != (update.b.shape[0], update.a.shape[1]):
        raise ValueError(f"the update of '{name}' does not fit a layer of other sizes")
    parent, _, last = name.rpartition(".")
    setattr(layer.get_submodule(parent), last, LoRALinear(base, update))


def bert_layer(layer: nn.Module, x: Tensor, mask: Tensor) -> Tensor:
    """Run one BERT layer of the transformers library (any version) on its parts by name.

    Args:
        layer: with ``attention.self``, ``attention.output``, ``intermediate`` and ``output``.
        x: token states (P, L, C).
        mask: (P, L) bool, True on real tokens.

    Returns:
        Token states (P, L, C); those of the padding mean nothing.
    """
    attention = layer.get_submodule("attention.self")
    heads = int(attention.num_attention_heads)  # type: ignore[arg-type]

    def split(y: Tensor) -> Tensor:
        return y.unflatten(-1, (heads, -1)).transpose(1, 2)

    query, key, value = (split(getattr(attention, part)(x)) for part in ("query", "key", "value"))
    mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None, None, :])
    x = layer.get_submodule("attention.output")(mixed.transpose(1, 2).flatten(2), x)
    return layer.get_submodule("output")(layer.get_submodule("intermediate")(x), x)
