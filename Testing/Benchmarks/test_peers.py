"""The same networks through this project and through what others keep, in one run each.

Both sides compute with the same weights, threads and number format. The others get the easier
half: their slices are prepared and as large as the network wants them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from bench_setup import PROFILE, best_of, ct, give_presence, plain_loop, stand_in
from omt_bench import NAMES, paper_size

from TextPromptSegLib.image.intensity import InputSpec
from TextPromptSegLib.image.slice_stack import SliceStack
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference.device import keep_freed_memory, native_bfloat16_cpu
from TextPromptSegLib.inference.loaded_checkpoint import LoadedCheckpoint
from TextPromptSegLib.inference.predictor import SlicePredictor

NAME = next(iter(PROFILE))
SLICES = 16
MONAI = {"float32": 1.2, "bfloat16": 1.0}
LOOP = 3.0
SAM_FIRST, SAM_FURTHER = 1.1, 0.5


@pytest.fixture(autouse=True)
def as_the_command_line_runs() -> None:
    keep_freed_memory()


def with_monai(
    checkpoint: LoadedCheckpoint, volume: Volume, dtype: torch.dtype
) -> Callable[[], Any]:
    """Return what segments one structure in prepared slices with MONAI's `SliceInferer`."""
    from monai.inferers import SliceInferer

    spec = InputSpec.from_dict(checkpoint.config["input"])
    stack = SliceStack(volume, "axial", spec, volume.modality)
    images = stack.images(0, len(stack)).permute(1, 2, 3, 0)[None].contiguous()
    text = checkpoint.text_encoder.encode([NAME])
    model = checkpoint.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    infer = SliceInferer(roi_size=tuple(images.shape[2:4]), sw_batch_size=4, spatial_dim=2)

    def network(slices: torch.Tensor) -> torch.Tensor:
        slices = slices.contiguous(memory_format=torch.channels_last)
        rows = text.index(torch.zeros(len(slices), dtype=torch.long))
        return model.decode(model.encode_image(slices), rows)[0].float()

    def run() -> np.ndarray:
        reduced = dtype is not torch.float32
        with torch.inference_mode(), torch.autocast("cpu", dtype=dtype, enabled=reduced):
            return (infer(images, network) > 0).numpy()

    return run


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_film_unet_beside_monais_slice_inferer(
    monkeypatch: pytest.MonkeyPatch, table_row: Any, precision: str
) -> None:
    if precision == "bfloat16" and not native_bfloat16_cpu():
        pytest.skip("this CPU has no bfloat16")
    give_presence(monkeypatch)
    volume = ct((SLICES, 512, 512))
    predictor = SlicePredictor(stand_in(), "cpu", precision, cache_bytes=0)
    predictor.set_volume(volume)
    theirs = with_monai(stand_in(), volume, getattr(torch, precision))
    theirs()  # warm
    predictor.segment([NAME])
    other = best_of(theirs, rounds=2)
    ours = best_of(lambda: predictor.segment([NAME]), rounds=2)
    what = f"film-unet-compact, one prompt, {SLICES} slices, {precision}"
    table_row(what, ours, "MONAI SliceInferer", other, "s")
    assert other >= MONAI[precision] * ours, f"{other / ours:.2f} x"


def test_film_unet_beside_a_plain_loop(monkeypatch: pytest.MonkeyPatch, table_row: Any) -> None:
    give_presence(monkeypatch)
    volume = ct((SLICES, 512, 512))
    predictor = SlicePredictor(stand_in(), "cpu", cache_bytes=0)
    predictor.set_volume(volume)
    predictor.segment([NAME])
    other = best_of(lambda: plain_loop(stand_in(), volume, NAME), rounds=2)
    ours = best_of(lambda: predictor.segment([NAME]), rounds=2)
    what = f"film-unet-compact, one prompt, {SLICES} slices, as `segment` runs"
    table_row(what, ours, "loop over slices in PyTorch", other, "s")
    assert other >= (LOOP if native_bfloat16_cpu() else 1.0) * ours, f"{other / ours:.2f} x"


def test_omt_sam_beside_sam_predictor(table_row: Any) -> None:
    """The paper's size, float32, one slice of 512 x 512; SAM has neither text nor its towers."""
    from segment_anything import SamPredictor, sam_model_registry

    torch.manual_seed(0)
    sam = SamPredictor(sam_model_registry["vit_b"]().eval())
    picture = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    box = np.array([100.0, 120.0, 300.0, 330.0])
    volume, predictor = ct((1, 512, 512)), SlicePredictor(paper_size(), "cpu", "float32")

    def theirs() -> None:
        sam.predict(box=box, multimask_output=False)

    def first() -> None:
        predictor._cache.clear()
        predictor._volume = None
        predictor.set_volume(volume)
        predictor.segment(NAMES[0])

    def their_first() -> None:
        sam.set_image(picture)
        theirs()

    other, ours = best_of(their_first, rounds=2), best_of(first, rounds=2)
    table_row("omt-sam, paper's size, image and first prompt", ours, "SamPredictor", other, "s")
    further, their_further = best_of(lambda: predictor.segment(NAMES[0])), best_of(theirs)
    what = "omt-sam, paper's size, a further prompt"
    table_row(what, further, "SamPredictor", their_further, "s")
    assert ours <= SAM_FIRST * other, f"{ours / other:.2f} x"
    assert further <= SAM_FURTHER * their_further, f"{further / their_further:.2f} x"
