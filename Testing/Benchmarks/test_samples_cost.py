"""What several candidates cost beside the usual answer, in the SVP-CVAE's compact size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from bench_setup import ROOT, best_of, ct

from TextPromptSegLib.inference.device import keep_freed_memory
from TextPromptSegLib.inference.loaded_checkpoint import LoadedCheckpoint
from TextPromptSegLib.inference.predictor import SlicePredictor
from TextPromptSegLib.outcome import TextPromptSegError
from TextPromptSegLib.systems.registry import create
from TextPromptSegLib.text import load_text_encoder

RECIPE = ROOT / "TextPromptSegLib" / "systems" / "svp_cvae" / "recipe_compact.json"
SLICES = 24
EIGHT_SAMPLES, IN_THE_NETWORK = 4.0, 2.0
ONE_SLICE = 0.5  # s, on two cores


@pytest.fixture
def predictor() -> Iterator[SlicePredictor]:
    keep_freed_memory()
    recipe = json.loads(RECIPE.read_text(encoding="utf-8"))
    try:
        encoder = load_text_encoder(recipe["text_encoder"])
    except TextPromptSegError as error:
        pytest.skip(str(error))
    torch.manual_seed(0)
    model = create(recipe["system"], {**recipe["config"], "text_dim": encoder.dim})
    model.attach_text_encoder(encoder)
    config = {
        "name": "stand-in",
        "system": recipe["system"],
        "config": {},
        "input": recipe["input"],
        "text_encoder": {"id": "minilm"},
        "planes": ["axial"],
        "trained_prompts": {"liver": {"modalities": ["CT"]}},
        "presence_threshold": None,
        "licence": {},
    }
    checkpoint = LoadedCheckpoint(model.eval(), config, encoder, ROOT)
    yield SlicePredictor(checkpoint, "cpu", cache_bytes=0)


@pytest.mark.parametrize("side", [224, 512])
def test_eight_candidates_cost_at_most_four_usual_answers(
    predictor: SlicePredictor, table_row: Any, side: int
) -> None:
    """Everything before z is computed once, and all candidates in one pass over the slices."""
    predictor.set_volume(ct((SLICES, side, side)))
    predictor.segment(["liver"], samples=2)  # warm
    eight = best_of(lambda: predictor.segment(["liver"], samples=8), rounds=2)
    network = predictor.seconds["network"]
    one = best_of(lambda: predictor.segment(["liver"]), rounds=2)
    what = f"svp-cvae, eight samples, {SLICES} slices of {side} px"
    table_row(what, eight, "one answer", one, "s")
    assert eight <= EIGHT_SAMPLES * one, f"{eight / one:.2f} x"
    assert network <= IN_THE_NETWORK * predictor.seconds["network"]


def test_one_prompt_on_a_slice_is_quick(predictor: SlicePredictor, table_row: Any) -> None:
    predictor.set_volume(ct((1, 512, 512)))
    predictor.segment(["liver"])
    spent = best_of(lambda: predictor.segment(["liver"]))
    table_row("svp-cvae, one prompt on a slice of 512 px", spent, "promised", ONE_SLICE, "s")
    assert spent < ONE_SLICE
