"""BERT (Devlin et al. 2018, https://arxiv.org/abs/1810.04805), frozen: tokens in, states out.

Names of the weights and results are those of ``transformers.BertModel`` without its pooler
(tested). It is here because importing transformers' was two thirds of the time until the first
answer, and 200 MB.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

ACTIVATIONS = {
    "gelu": F.gelu,
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_pytorch_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
    "silu": F.silu,
}


@dataclass(frozen=True)
class BertSizes:
    """What a BERT's ``config.json`` says; the defaults are those of ``bert-base-uncased``."""

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    hidden_act: str = "gelu"
    position_embedding_type: str = "absolute"

    def __post_init__(self) -> None:
        sizes = [getattr(self, f.name) for f in fields(self) if f.type == "int"]
        if any(not isinstance(size, int) or size < 1 for size in sizes):
            raise ValueError("a BERT's sizes are whole numbers from 1")
        if self.hidden_size % self.num_attention_heads:
            raise ValueError("a BERT's width is a multiple of its heads")
        if self.hidden_act not in ACTIVATIONS:
            raise ValueError(f"a BERT with the activation {self.hidden_act!r} is not known here")
        if self.position_embedding_type != "absolute":
            raise ValueError("a BERT with relative positions is not known here")

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> BertSizes:
        """Read the content of ``config.json``; what else it says is left out.

        Raises:
            ValueError: for sizes that no BERT has.
        """
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in config.items() if key in known})


class BertStates(NamedTuple):
    """Token states (P, L, C) of the last layer, and of all depths (0 = the embeddings)."""

    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...]


class _Linear(nn.Linear):
    """A linear layer that is filled from a file: no random weights are drawn for it."""

    def reset_parameters(self) -> None:
        pass


class _Embedding(nn.Embedding):
    def reset_parameters(self) -> None:
        pass


class _Embeddings(nn.Module):
    def __init__(self, sizes: BertSizes) -> None:
        super().__init__()
        width = sizes.hidden_size
        self.word_embeddings = _Embedding(sizes.vocab_size, width)
        self.position_embeddings = _Embedding(sizes.max_position_embeddings, width)
        self.token_type_embeddings = _Embedding(sizes.type_vocab_size, width)
        self.LayerNorm = nn.LayerNorm(width, eps=sizes.layer_norm_eps)

    def forward(self, ids: Tensor) -> Tensor:
        places = self.position_embeddings.weight[: ids.shape[1]]
        kinds = self.token_type_embeddings.weight[0]  # one sentence: all of the first kind
        return self.LayerNorm(self.word_embeddings(ids) + kinds + places)


class _SelfAttention(nn.Module):
    def __init__(self, sizes: BertSizes) -> None:
        super().__init__()
        self.num_attention_heads = sizes.num_attention_heads
        self.query, self.key, self.value = (
            _Linear(sizes.hidden_size, sizes.hidden_size) for _ in range(3)
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        query, key, value = (
            part(x).unflatten(-1, (self.num_attention_heads, -1)).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None, None, :])
        return mixed.transpose(1, 2).flatten(2)


class _Joined(nn.Module):
    """A linear layer whose result is added to what was there before, and normalised."""

    def __init__(self, inside: int, sizes: BertSizes) -> None:
        super().__init__()
        self.dense = _Linear(inside, sizes.hidden_size)
        self.LayerNorm = nn.LayerNorm(sizes.hidden_size, eps=sizes.layer_norm_eps)

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        return self.LayerNorm(self.dense(x) + before)


class _Attention(nn.Module):
    def __init__(self, sizes: BertSizes) -> None:
        super().__init__()
        self.self = _SelfAttention(sizes)
        self.output = _Joined(sizes.hidden_size, sizes)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.output(self.self(x, mask), x)


class _Intermediate(nn.Module):
    def __init__(self, sizes: BertSizes) -> None:
        super().__init__()
        self.dense = _Linear(sizes.hidden_size, sizes.intermediate_size)
        self.activation = sizes.hidden_act

    def forward(self, x: Tensor) -> Tensor:
        return ACTIVATIONS[self.activation](self.dense(x))


class _Layer(nn.Module):
    def __init__(self, sizes: BertSizes) -> None:
        super().__init__()
        self.attention = _Attention(sizes)
        self.intermediate = _Intermediate(sizes)
        self.output = _Joined(sizes.intermediate_size, sizes)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.attention(x, mask)
        return self.output(self.intermediate(x), x)


class _Layers(nn.Module):
    def __init__(self, sizes: BertSizes) -> None:
        super().__init__()
        self.layer = nn.ModuleList(_Layer(sizes) for _ in range(sizes.num_hidden_layers))


class Bert(nn.Module):
    """The transformer without pooler and heads, not filled; its parts are named as in BERT files.

    Args:
        sizes: of its ``config.json``.
    """

    def __init__(self, sizes: BertSizes) -> None:
        super().__init__()
        self.config = sizes
        self.embeddings = _Embeddings(sizes)
        self.encoder = _Layers(sizes)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> BertStates:
        """Return the token states of sentences.

        Args:
            input_ids: (P, L) numbers of tokens.
            attention_mask: (P, L), True or 1 on real tokens; the states of others mean nothing.
        """
        states = [self.embeddings(input_ids)]
        mask = attention_mask.bool()
        for layer in self.encoder.layer:
            states.append(layer(states[-1], mask))
        return BertStates(states[-1], tuple(states))


def bert_from_tensors(tensors: Mapping[str, Tensor], sizes: BertSizes) -> Bert:
    """Return a BERT with the weights of a file.

    Args:
        tensors: of the file. A prefix ``bert.``, other heads and names of older files are known.
        sizes: of the ``config.json`` beside it.

    Raises:
        ValueError: when tensors are missing or of other sizes.
    """
    prefix = "bert." if any(key.startswith("bert.") for key in tensors) else ""
    found = {}
    for key, value in tensors.items():
        name = key.removeprefix(prefix).replace("LayerNorm.gamma", "LayerNorm.weight")
        found[name.replace("LayerNorm.beta", "LayerNorm.bias")] = value
    model = Bert(sizes)
    wanted = model.state_dict()
    for key, value in wanted.items():
        if key not in found:
            raise ValueError(f"the weights lack {key}")
        if found[key].shape != value.shape:
            raise ValueError(f"{key} is of another size than the configuration says")
    model.load_state_dict({key: found[key].float() for key in wanted}, assign=True)
    return model.eval().requires_grad_(False)
