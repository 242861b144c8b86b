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


def sam_of(size: int) -> Any:
    """Return SAM with its ViT-B, random weights, for pictures of ``size`` px; 1024 is its own."""
    from segment_anything import sam_model_registry
    from segment_anything.modeling import ImageEncoderViT, PromptEncoder

    torch.manual_seed(0)
    sam = sam_model_registry["vit_b"]()
    if size != sam.image_encoder.img_size:
        sam.image_encoder = ImageEncoderViT(
            img_size=size,
            use_rel_pos=True,
            window_size=14,
            global_attn_indexes=[2, 5, 8, 11],
            out_chans=256,
        )
        tokens = (size // 16, size // 16)
        sam.prompt_encoder = PromptEncoder(256, tokens, (size, size), 16)
    return sam.eval()


@pytest.mark.parametrize("size", [512, 1024])
def test_omt_sam_beside_sam_predictor(table_row: Any, size: int) -> None:
    """The paper's network, float32, one slice; SAM has neither text nor its towers.

    At 1024 px, SAM's own size, one look takes seconds, so both are looked at once after 512 px.
    """
    from segment_anything import SamPredictor

    rounds = 2 if size < 1024 else 1
    sam = SamPredictor(sam_of(size))
    picture = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    box = np.array([100.0, 120.0, 300.0, 330.0])
    predictor = SlicePredictor(paper_size(size), "cpu", "float32")
    volume = ct((1, 512, 512))

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

    predictor._encode([NAMES[0]])  # the words are read once in a session
    other, ours = best_of(their_first, rounds), best_of(first, rounds)
    about = f"omt-sam, paper's size at {size} px"
    table_row(f"{about}, image and first prompt", ours, "SamPredictor", other, "s")
    further, their_further = best_of(lambda: predictor.segment(NAMES[0])), best_of(theirs)
    table_row(f"{about}, a further prompt", further, "SamPredictor", their_further, "s")
    assert ours <= SAM_FIRST * other, f"{ours / other:.2f} x"
    assert further <= SAM_FURTHER * their_further, f"{further / their_further:.2f} x"
