"""What a whole CT costs a system that locates: one look serves all prompts, patches are cheap.

Ratios within one run; the one number in seconds is the project's promise and a wide one. Where the
structures lie is given (cost depends on it, and the CT is made up); the localiser looks all the
same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from bench_setup import ct

from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference.device import keep_freed_memory
from TextPromptSegLib.inference.loaded_checkpoint import load
from TextPromptSegLib.inference.predictor import SlicePredictor
from TextPromptSegLib.outcome import TextPromptSegError
from TextPromptSegLib.systems.base import VolumeRegion
from TextPromptSegLib.systems.patch_unet_vae import PatchUNetVAE

NAMES = ("left adrenal gland", "right adrenal gland", "pancreas")
BOXES = ((280.0, 230.0, 380.0, 320.0), (130.0, 230.0, 230.0, 320.0), (140.0, 180.0, 380.0, 320.0))
HEIGHT_MM = (60.0, 60.0, 120.0)
SLICES = 199
WHOLE_CT = 15.0  # s on two cores that nothing else uses


@pytest.fixture
def predictor(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlicePredictor]:
    """The shipped checkpoint with regions as large as those of organs."""
    keep_freed_memory()
    try:
        checkpoint = load("patch-unet-vae-compact")
    except TextPromptSegError as error:
        pytest.skip(f"needs the trained checkpoint: {error}")

    def regions(
        network: PatchUNetVAE, logits: torch.Tensor, slice_mm: float, canvas: tuple[int, int]
    ) -> list[VolumeRegion]:
        count = len(logits)
        first = [count // 4] * len(NAMES)
        last = [min(count, count // 4 + round(mm / slice_mm)) for mm in HEIGHT_MM]
        rows = zip(BOXES, first, last, strict=True)
        return [VolumeRegion(1.0, box, (a, b)) for box, a, b in rows][: logits.shape[1]]

    monkeypatch.setattr(PatchUNetVAE, "regions", regions)
    yield SlicePredictor(checkpoint, "cpu")


def spent(predictor: SlicePredictor, volume: Volume, *names: str) -> dict[str, float]:
    """Return the seconds of a run's stages on a new image."""
    predictor._cache.clear()
    predictor.set_volume(volume)
    predictor.segment(list(names))
    return {**predictor.seconds, "all": predictor.seconds["image"] + predictor.seconds["decode"]}


def test_a_whole_ct_takes_less_than_promised(predictor: SlicePredictor, table_row: Any) -> None:
    """And three prompts hardly more than one, a second call hardly anything."""
    volume = Volume.from_array(ct((SLICES, 512, 512)).array, (0.8, 0.8, 3.0), modality="CT")
    spent(predictor, ct((8, 512, 512)), NAMES[0])  # warm
    one = spent(predictor, volume, NAMES[0])
    predictor.segment([NAMES[0]])
    again = dict(predictor.seconds)
    three = spent(predictor, volume, *NAMES)
    about = f"patch-unet-vae, CT of {SLICES} slices of 3 mm"
    table_row(f"{about}, three prompts", three["all"], "promised", WHOLE_CT, "s")
    table_row(f"{about}, three prompts instead of one", three["all"], "one prompt", one["all"], "s")
    table_row(f"{about}, looking", three["image"], "its patches", three["decode"], "s")
    second = again["image"] + again["decode"]
    table_row(f"{about}, the same prompt again", second, "the first time", one["all"], "s")
    assert three["all"] < WHOLE_CT
    assert three["all"] < 1.8 * one["all"]


def test_thin_slices_cost_less_than_thick_ones(predictor: SlicePredictor, table_row: Any) -> None:
    """As many slices of 1 mm hold less of the body: only every sixth is looked at."""
    thick, thin = (
        Volume.from_array(ct((24, 512, 512)).array, (0.8, 0.8, mm), modality="CT")
        for mm in (6.0, 1.0)
    )
    spent(predictor, thin, NAMES[0])  # warm
    few = spent(predictor, thin, NAMES[0])["image"]
    many = spent(predictor, thick, NAMES[0])["image"]
    table_row("patch-unet-vae, looking at 24 slices of 1 mm", few, "of 6 mm", many, "s")
    assert few < 0.6 * many
