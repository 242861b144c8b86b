"""Frozen sentence encoders: BERT, MiniLM and their kin, read from a folder of the usual layout."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ..files.text import read_json
from ..outcome import CheckpointError
from .bert import BertSizes, bert_from_tensors
from .features import TextFeatures, masked_mean
from .sources import find_encoder_weights
from .tensor_files import read_weights
from .words import load_words


def normalise_prompt(text: str) -> str:
    """Return the text as it is encoded and cached: lower case, single blanks, no final stop."""
    return " ".join(text.lower().split()).rstrip(".;, ")


class TextEncoder:
    """A frozen transformer and its tokenizer, with a cache of encoded prompts.

    Args:
        model: a `Bert`; subclasses take others.
        tokenizer: `BertWords`; subclasses take others.
        spec: id, revision, sha256, max_length.
        cache_size: prompts remembered.
    """

    def __init__(
        self, model: Any, tokenizer: Any, spec: Mapping[str, Any], cache_size: int = 2048
    ) -> None:
        self.model = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.spec = dict(spec)
        self.max_length = int(spec.get("max_length", 32))
        self.depths: tuple[int, ...] = ()
        self._cache: OrderedDict[str, tuple[torch.Tensor, ...]] = OrderedDict()
        self._cache_size = cache_size

    @property
    def id(self) -> str:
        """Return the encoder's hub id."""
        return str(self.spec["id"])

    @property
    def revision(self) -> str | None:
        """Return the pinned revision."""
        return self.spec.get("revision")

    @property
    def sha256(self) -> str | None:
        """Return the sha256 of its weights."""
        return self.spec.get("sha256")

    @property
    def dim(self) -> int:
        """Return the size of a pooled sentence vector."""
        return int(self.model.config.hidden_size)

    @property
    def token_dim(self) -> int:
        """Return C, the size of a token state."""
        return self.dim

    def return_depths(self, depths: Sequence[int]) -> None:
        """Make `encode` return these hidden states too, in this order (0 = the embeddings).

        For systems that read the text at several depths, or train its last layers further.

        Raises:
            ValueError: for a depth that the model does not have.
        """
        layers = int(self.model.config.num_hidden_layers)
        if any(not 0 <= depth <= layers for depth in depths):
            raise ValueError(f"the text encoder has the depths 0 to {layers}, not {list(depths)}")
        if tuple(depths) != self.depths:
            self.depths = tuple(int(depth) for depth in depths)
            self._cache.clear()

    def forget(self) -> None:
        """Encode every prompt anew from here on; for measuring what that costs."""
        self._cache.clear()

    def truncated(self, text: str) -> bool:
        """Return whether the token limit cuts this prompt."""
        return self.tokenizer.count(normalise_prompt(text)) > self.max_length

    def encode(self, prompts: Sequence[str]) -> TextFeatures:
        """Encode prompts: tokens (P, L, C), mask (P, L), pooled (P, C), float32 on the CPU.

        Each distinct prompt is encoded once in the life of the encoder; the length of the
        padding does not change the result.
        """
        keys = [normalise_prompt(p) for p in prompts]
        missing = list(OrderedDict.fromkeys(k for k in keys if k not in self._cache))
        for start in range(0, len(missing), 64):
            self._encode_batch(missing[start : start + 64])
        rows = [self._cache[k] for k in keys]
        for key in keys:
            self._cache.move_to_end(key)
        while len(self._cache) > self._cache_size:
            self._cache.popitem(last=False)
        length = max((row[0].shape[0] for row in rows), default=1)
        tokens = torch.zeros(len(rows), length, self.token_dim)
        mask = torch.zeros(len(rows), length, dtype=torch.bool)
        pooled = torch.zeros(len(rows), self.dim)
        depths, wide = len(self.depths), self.token_dim
        deep = torch.zeros(len(rows), depths, length, wide) if depths else None
        for row, (states, mean, *more) in enumerate(rows):
            count = states.shape[0]
            tokens[row, :count] = states
            mask[row, :count] = True
            pooled[row] = mean
            if deep is not None:
                deep[row, :, :count] = more[0]
        return TextFeatures(tokens, mask, pooled, deep)

    @torch.inference_mode()
    def _encode_batch(self, texts: list[str]) -> None:
        ids, mask = self.tokenizer(texts, self.max_length)
        output = self.model(input_ids=ids, attention_mask=mask)
        states = output.last_hidden_state.float()
        pooled = masked_mean(states, mask)
        for row, text in enumerate(texts):
            # clone: an inference tensor cannot be saved for a backward pass
            entry: tuple[torch.Tensor, ...] = (states[row][mask[row]].clone(), pooled[row].clone())
            if self.depths:
                deep = [output.hidden_states[d][row][mask[row]].float() for d in self.depths]
                entry = (*entry, torch.stack(deep))
            self._cache[text] = entry


def load_bert(
    spec: Mapping[str, Any], *, folder: str | Path | None = None, cache_size: int = 2048
) -> TextEncoder:
    """Load a frozen BERT-like encoder; see `TextPromptSegLib.text.loading`."""
    weights = find_encoder_weights(spec, folder)
    path = weights.parent
    tokenizer = load_words(path)
    tensors = read_weights(weights)
    try:
        model = bert_from_tensors(tensors, BertSizes.from_dict(read_json(path / "config.json")))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"The text encoder in '{path}' cannot be read ({error}); install it again."
        ) from error
    return TextEncoder(model, tokenizer, spec, cache_size)
