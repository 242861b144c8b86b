"""CLIP through open_clip: one frozen encoder of text and pictures in a shared space.

Radford et al. 2021, https://arxiv.org/abs/2103.00020; BiomedCLIP, https://arxiv.org/abs/2303.00915.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..files.text import read_json
from ..outcome import CheckpointError, DependencyError
from ..torchvision_operators import declare_torchvision_operators
from .clip_layout import (
    WEIGHTS,
    bert_config,
    build_model,
    fill_model,
    fill_text_tower,
    read_config,
)
from .clip_visual import ClipImage, ClipVisual
from .encoder import TextEncoder, normalise_prompt
from .features import TextFeatures
from .sources import find_encoder_weights, weights_sha256
from .tensor_files import read_weights
from .words import load_words

__all__ = ["ClipEncoder", "ClipImage", "ClipVisual", "TextFeatures", "load_clip_encoder"]

GREY_MEAN = (0.48145466, 0.4578275, 0.40821073)
GREY_STD = (0.26862954, 0.26130258, 0.27577711)
"""Channel statistics of OpenAI's CLIP, which open_clip's models and BiomedCLIP keep."""


class ClipEncoder(TextEncoder):
    """A frozen CLIP with the interface of `TextEncoder` and an image tower, `visual`.

    `encode` gives the token states of the text tower (P, L, `token_dim`) and, as ``pooled``, the
    unit vectors (P, `dim`) in the space shared with the pictures.

    Args:
        model: open_clip's CLIP or CustomTextCLIP.
        tokenizer: `BertWords` for a BERT tower, else open_clip's.
        spec: id, revision, sha256, max_length.
        config: content of ``open_clip_config.json``.
        cache_size: prompts remembered.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        spec: Mapping[str, Any],
        config: Mapping[str, Any],
        cache_size: int = 2048,
    ) -> None:
        super().__init__(model, tokenizer, spec, cache_size)
        self.config = dict(config)
        values = config["model_cfg"]
        size = values["vision_cfg"].get("image_size", 224)
        height, width = (size, size) if isinstance(size, int) else size
        prepared = config.get("preprocess_cfg") or {}
        self.image_mean = tuple(float(v) for v in prepared.get("mean", GREY_MEAN))
        self.image_std = tuple(float(v) for v in prepared.get("std", GREY_STD))
        self.visual = ClipVisual(
            model.visual, (int(height), int(width)), self.image_mean, self.image_std
        )
        self._bert = bool(values["text_cfg"].get("hf_model_name"))
        longest = int(values["text_cfg"].get("context_length", 77))
        self.max_length = min(int(spec.get("max_length", longest)), longest)
        self._patch_dim: int | None = None

    @property
    def dim(self) -> int:
        """Return D, the size of the shared space."""
        return int(self.config["model_cfg"]["embed_dim"])

    @property
    def token_dim(self) -> int:
        """Return Ct, the size of a token state of the text tower."""
        if self._bert:
            return int(self.model.text.config.hidden_size)
        return int(self.config["model_cfg"]["text_cfg"]["width"])

    @property
    def image_size(self) -> tuple[int, int]:
        """Return (height, width) of the image tower's input, px."""
        return self.visual.image_size

    @property
    def patch_dim(self) -> int:
        """Return Cv, the size of a token of the image tower."""
        if self._patch_dim is None:
            place = self.visual.mean.device
            with torch.no_grad():
                seen = self.visual(torch.zeros(1, 1, *self.image_size, device=place))
            self._patch_dim = int(seen.patch_tokens.shape[-1])
        return self._patch_dim

    @property
    def logit_scale(self) -> float:
        """Return the factor of the cosine in CLIP's logits."""
        return float(self.model.logit_scale.exp())

    @property
    def logit_bias(self) -> float | None:
        """Return the offset of the logits of a model with a sigmoid loss, else None."""
        bias = self.model.logit_bias
        return None if bias is None else float(bias)

    def return_depths(self, depths: Sequence[int]) -> None:
        """Refuse hidden states of further depths: CLIP's text is read at its end.

        Raises:
            ValueError: when any depth is asked for.
        """
        if tuple(depths):
            raise ValueError("a CLIP encoder gives no hidden states of further depths")

    def truncated(self, text: str) -> bool:
        """Return whether the token limit cuts this prompt."""
        if self._bert:
            return super().truncated(text)
        return len(self.tokenizer.encode(normalise_prompt(text))) + 2 > self.max_length

    @torch.inference_mode()
    def _encode_batch(self, texts: list[str]) -> None:
        states, mask, pooled = self._bert_text(texts) if self._bert else self._native_text(texts)
        pooled = F.normalize(pooled.float(), dim=-1)
        for row, text in enumerate(texts):
            # clone: an inference tensor cannot be saved for a backward pass
            self._cache[text] = (states[row][mask[row]].float().clone(), pooled[row].clone())

    def _bert_text(self, texts: list[str]) -> tuple[Tensor, Tensor, Tensor]:
        ids, mask = self.tokenizer(texts, self.max_length)
        tower, real = self.model.text, mask.long()
        found = tower.transformer(input_ids=ids, attention_mask=real)
        return found.last_hidden_state, mask, tower.proj(tower.pooler(found, real))

    def _native_text(self, texts: list[str]) -> tuple[Tensor, Tensor, Tensor]:
        """Encode with open_clip's own transformer; what follows the end mark is padding."""
        longest = int(self.model.context_length)
        ids = torch.zeros(len(texts), longest, dtype=torch.long)
        limited = self.tokenizer(texts, context_length=self.max_length)
        ids[:, : limited.shape[1]] = limited
        found = self.model.forward_intermediates(
            text=ids, text_indices=1, normalize_intermediates=True, normalize=False
        )
        return found["text_intermediates"][0], ids > 0, found["text_features"]


def load_clip_encoder(
    spec: Mapping[str, Any], *, folder: str | Path | None = None, cache_size: int = 2048
) -> ClipEncoder:
    """Load a frozen CLIP in open_clip's layout, see `TextPromptSegLib.text.clip_layout`.

    Order: explicit folder, ``TEXTPROMPTSEG_ENCODERS``, installed package, shipped, hub (only when
    allowed). A spec without sha256 takes what is found and records its sha256.

    Args:
        spec: ``id``, ``revision``, ``sha256``, ``max_length``; ``model`` names an architecture of
            open_clip for folders without ``open_clip_config.json``.
        folder: a folder with the files.
        cache_size: prompts remembered.

    Raises:
        CheckpointError: when it cannot be found, read or filled, or has another sha256.
        DependencyError: when open_clip is not installed.
    """
    path = find_encoder_weights(spec, folder, WEIGHTS)
    spec = {**spec, "sha256": spec.get("sha256") or weights_sha256(path)}
    declare_torchvision_operators()
    try:
        import open_clip
    except ImportError as error:
        raise DependencyError(
            "The Python package open_clip_torch is missing; install it "
            "(pip install open_clip_torch)."
        ) from error
    name = str(spec["id"])
    config = read_config(path.parent, spec)
    text_cfg = config["model_cfg"].get("text_cfg") or {}
    stored = read_weights(path)
    if not text_cfg.get("hf_model_name"):
        model = build_model(config["model_cfg"])
        fill_model(model, stored, name)
        words: Any = open_clip.tokenizer.SimpleTokenizer(context_length=model.context_length)
        return ClipEncoder(model, words, spec, config, cache_size)
    named = config.get("text_tower")
    if named:
        tower = find_encoder_weights(named)
        model = build_model(config["model_cfg"], _read_json(tower.parent / "config.json"))
        fill_model(model, stored, name, named_text=True)
        fill_text_tower(model, tower, name)
        return ClipEncoder(model, load_words(tower.parent), spec, config, cache_size)
    beside = _read_json(path.parent / "config.json")
    bert = beside if beside.get("model_type") == "bert" else bert_config(stored)
    model = build_model(config["model_cfg"], bert)
    fill_model(model, stored, name)
    return ClipEncoder(model, load_words(path.parent), spec, config, cache_size)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path) if path.is_file() else {}
        if not isinstance(content, dict):
            raise ValueError("it is no JSON object")
        return content
    except (OSError, ValueError) as error:
        raise CheckpointError(f"'{path}' is damaged; install the encoder again.") from error
