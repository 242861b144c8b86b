"""The text encoder inside SAM 3, with the interface of every other one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ...outcome import DependencyError
from ...text import TextEncoder, masked_mean, normalise_prompt

SPEC: dict[str, Any] = {"kind": "own", "id": "sam3"}
"""What a checkpoint says of its text encoder: it is a part of the network."""


class SAM3Text(TextEncoder):
    """SAM 3's CLIP, whose token states are projected to the width of the network.

    Args:
        model: transformers' ``Sam3Model``; its weights stay where they are and move with it.
        length: most tokens of a prompt.
        spec: see `SPEC`.
    """

    def __init__(self, model: Any, length: int, spec: Mapping[str, Any] = SPEC) -> None:
        try:
            import open_clip
        except ImportError as error:
            raise DependencyError(
                "The Python package open_clip_torch is missing; install it "
                "(pip install open_clip_torch)."
            ) from error
        words: Any = open_clip.tokenizer.SimpleTokenizer(context_length=length)
        super().__init__(model, words, {**spec, "max_length": length})

    @property
    def dim(self) -> int:
        """Return C, the width of the network."""
        return int(self.model.text_projection.out_features)

    def return_depths(self, depths: Sequence[int]) -> None:
        """Refuse hidden states of further depths: the text is read at its end.

        Raises:
            ValueError: when any depth is asked for.
        """
        if tuple(depths):
            raise ValueError("SAM 3's text encoder gives no hidden states of further depths")

    def truncated(self, text: str) -> bool:
        """Return whether the token limit cuts this prompt."""
        return len(self.tokenizer.encode(normalise_prompt(text))) + 2 > self.max_length

    @torch.inference_mode()
    def _encode_batch(self, texts: list[str]) -> None:
        ids = self.tokenizer(texts, context_length=self.max_length)
        end = (ids == self.tokenizer.eot_token_id).int().argmax(1, keepdim=True)
        mask = torch.arange(ids.shape[1])[None] <= end
        place = self.model.text_projection.weight.device
        # what follows the end mark is seen by nothing before it, and left out below
        found = self.model.get_text_features(
            input_ids=ids.to(place), attention_mask=mask.long().to(place), return_dict=True
        )
        states = found.pooler_output.float().cpu()
        pooled = masked_mean(states, mask)
        for row, text in enumerate(texts):
            # clone: an inference tensor cannot be saved for a backward pass
            self._cache[text] = (states[row][mask[row]].clone(), pooled[row].clone())
