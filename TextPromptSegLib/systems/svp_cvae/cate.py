"""CATE, the clinical attribute text encoder: a frozen BERT read at three depths, with LoRA."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ...nn.lora import adapt, bert_layer, bert_updates
from ...text.features import TextFeatures
from .config import SVPCVAEConfig

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class AttributeText(TextFeatures):
    """Prompts as CATE returns them: ``states`` are the projected levels (P, levels, L, C)."""

    def level(self, number: int) -> Tensor:
        """Return one level (P, L, C)."""
        assert self.states is not None
        return self.states[:, number]

    def mean(self, number: int) -> Tensor:
        """Return the mean (P, C) of one level over the real tokens."""
        weight = self.mask.to(self.level(number).dtype)[..., None]
        return (self.level(number) * weight).sum(1) / weight.sum(1).clamp_min(1.0)


class ClinicalAttributeTextEncoder(nn.Module):
    """Runs the layers from the first LoRA on, on cached states of those before; projects depths.

    The layers before the first LoRA never change, so their output is computed once per prompt by
    `TextEncoder` and cached. The frozen weights of the others, up to the deepest level in use, are
    copied from the encoder by `attach` and stored nowhere; only updates and projections are.

    Args:
        config: sizes and switches.
    """

    def __init__(self, config: SVPCVAEConfig) -> None:
        super().__init__()
        self.config = config
        self.lora = nn.ModuleDict()
        for number in config.lora_numbers:
            for name, update in bert_updates(
                config.text_dim,
                config.text_ffn,
                config.lora_rank,
                config.lora_alpha,
                config.lora_dropout,
            ):
                self.lora[f"{number}/{name}".replace(".", "-")] = update
        self.project = nn.ModuleList(
            nn.Linear(config.text_dim, config.width) for _ in config.levels
        )
        self.layers = nn.ModuleList()
        self.attached = not config.lora_numbers

    @property
    def first(self) -> int:
        """The hidden state from which on this module runs the layers itself."""
        return min(self.config.lora_numbers, default=self.config.text_depth)

    @property
    def frozen_depths(self) -> tuple[int, ...]:
        """Hidden states that come from the frozen encoder; the last one feeds the LoRA layers."""
        wanted = {self.config.text_depths[n] for n in self.config.levels}
        return tuple(sorted({depth for depth in wanted if depth <= self.first} | {self.first}))

    def attach(self, encoder: Any) -> None:
        """Take over the layers from the first LoRA on and ask for the depths before them.

        Args:
            encoder: `TextEncoder`; its own weights are not touched.

        Raises:
            ValueError: when its sizes are not those of the configuration.
        """
        config, sizes = self.config, encoder.model.config
        found = (sizes.hidden_size, sizes.intermediate_size, sizes.num_hidden_layers)
        if found != (config.text_dim, config.text_ffn, config.text_layers):
            raise ValueError(f"a text encoder of the sizes {found} does not fit the network")
        if config.text_length < encoder.max_length:
            raise ValueError(
                f"the text encoder allows {encoder.max_length} tokens, the network "
                f"{config.text_length}"
            )
        encoder.return_depths(self.frozen_depths)
        first = self.first
        layers = list(encoder.model.encoder.layer)[first : config.text_depth]
        self.layers = nn.ModuleList(copy.deepcopy(layers))
        self.layers.requires_grad_(False)
        for key, update in self.lora.items():
            number, _, name = key.replace("-", ".").partition("/")
            adapt(self.layers[int(number) - first], name, update)  # type: ignore[arg-type]
        self.attached = True
        self.train(self.training)

    def train(self, mode: bool = True) -> ClinicalAttributeTextEncoder:
        """Switch dropout of the updates; the frozen layers stay as they are in use."""
        super().train(mode)
        self.layers.eval()
        self.lora.train(mode)
        return self

    def forward(self, text: TextFeatures) -> AttributeText:
        """Return the projected levels, zero on the padding.

        Args:
            text: with ``states`` at `frozen_depths`.

        Raises:
            ValueError: when no text encoder is attached, or the states are missing.
        """
        depths = self.frozen_depths
        if not self.attached:
            raise ValueError("attach_text_encoder was not called: the text encoder is missing")
        if text.states is None or text.states.shape[1] != len(depths):
            raise ValueError(f"the text encoder must return the depths {list(depths)}")
        states = {depth: text.states[:, row] for row, depth in enumerate(depths)}
        hidden = states[depths[-1]]
        for number, layer in enumerate(self.layers, depths[-1] + 1):
            hidden = bert_layer(layer, hidden, text.mask)
            states[number] = hidden
        levels = self._project([states[self.config.text_depths[n]] for n in self.config.levels])
        if levels:
            stacked = torch.stack(levels, 1) * text.mask[:, None, :, None].to(levels[0].dtype)
        else:
            stacked = text.pooled.new_zeros(len(text), 0, text.mask.shape[1], self.config.width)
        return AttributeText(text.tokens, text.mask, text.pooled, stacked)

    def _project(self, states: Sequence[Tensor]) -> list[Tensor]:
        return [layer(state) for layer, state in zip(self.project, states, strict=True)]
