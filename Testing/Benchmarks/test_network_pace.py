"""What the network itself gives: arithmetic a second beside a U-Net of plain convolutions.

The plain one has the same sizes of maps and channels and nothing else: two convolutions a level,
ReLU, pooling, transposed convolutions; no norms, attention, text or shortcuts.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from bench_setup import best_of, stand_in, trained
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from TextPromptSegLib.inference.device import keep_freed_memory, native_bfloat16_cpu
from TextPromptSegLib.inference.loaded_checkpoint import LoadedCheckpoint
from TextPromptSegLib.inference.predictor import SlicePredictor

SLICES = 8
LEAST = 0.4  # of the plain one's pace


def double(before: int, width: int) -> nn.Sequential:
    """Return two convolutions with ReLU."""
    first, second = (nn.Conv2d(n, width, 3, padding=1) for n in (before, width))
    return nn.Sequential(first, nn.ReLU(True), second, nn.ReLU(True))


class PlainUNet(nn.Module):
    """A U-Net of the same widths as a FiLM U-Net's configuration."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        widths, ups = config.channels, config.up_channels
        before = (config.in_channels * config.patch**2, *widths[:-1])
        self.down = nn.ModuleList(double(a, b) for a, b in zip(before, widths, strict=True))
        below = (widths[-1], *ups[:-1])
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 2, 2) for a, b in zip(below, ups, strict=True)
        )
        skips = widths[-2::-1]
        self.up = nn.ModuleList(double(b + s, b) for b, s in zip(ups, skips, strict=False))

    def encode(self, x: Tensor) -> list[Tensor]:
        """Return the maps of every level, finest first."""
        maps = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else F.max_pool2d(x, 2))
            maps.append(x)
        return maps

    def decode(self, maps: list[Tensor]) -> Tensor:
        """Return the finest map of the decoder."""
        x = maps[-1]
        for level, (grow, block) in enumerate(zip(self.ups, self.up, strict=True)):
            x = block(torch.cat([grow(x), maps[-2 - level]], 1))
        return x


def flops(run: Any) -> int:
    """Return the operations of a run, two for each multiplication with its sum."""
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


def loaded(size: str) -> LoadedCheckpoint:
    """Return the shipped network, or the one that its recipe makes."""
    return trained() if size == "shipped" else stand_in()


@pytest.mark.parametrize("size", ["shipped", "recipe"])
@torch.inference_mode()
def test_arithmetic_beside_plain_convolutions(size: str, table_row: Any) -> None:
    if not native_bfloat16_cpu():
        pytest.skip("this CPU has no bfloat16")
    keep_freed_memory()
    checkpoint = loaded(size)
    config = checkpoint.model.config
    predictor = SlicePredictor(checkpoint, "cpu", "bfloat16")
    network: Any = predictor._model
    text = checkpoint.text_encoder.encode(["liver"])
    rows = text.index(torch.zeros(SLICES, dtype=torch.long))
    channels = config.in_channels
    images = torch.rand(SLICES, channels, 256, 256).contiguous(memory_format=torch.channels_last)
    plain: Any = PlainUNet(config).to(torch.bfloat16).to(memory_format=torch.channels_last).eval()
    small = F.pixel_unshuffle(images, config.patch).to(torch.bfloat16)
    small = small.contiguous(memory_format=torch.channels_last)
    trained_one: Any = checkpoint.model.eval()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        maps, plain_maps = network.encode_image(images), plain.encode(small)
        before = trained_one.encode_image(images)
        pairs = {
            "encoder": (
                lambda: network.encode_image(images),
                lambda: trained_one.encode_image(images),
                lambda: plain.encode(small),
            ),
            "decoder": (
                lambda: network.decode(maps, rows),
                lambda: trained_one.decode(before, rows),
                lambda: plain.decode(plain_maps),
            ),
        }
        ratios = {}
        for part, (ours, as_trained, simple) in pairs.items():
            paces = []
            for run, counted in ((ours, as_trained), (simple, simple)):
                run()  # warm
                paces.append(flops(counted) / best_of(run, rounds=10) / 1e9)
            what = f"{part} of film-unet-compact ({size}), bfloat16"
            table_row(what, paces[0], "plain convolutions of these sizes", paces[1], "GFLOP/s")
            spent = [best_of(run, rounds=10) * 1000 / SLICES for run in (ours, as_trained)]
            what = f"{part}, a slice of 256 px ({size}), bfloat16"
            table_row(what, spent[0], "the network as it was trained", spent[1], "ms")
            ratios[part] = paces[0] / paces[1]
    assert min(ratios.values()) >= LEAST, ratios
