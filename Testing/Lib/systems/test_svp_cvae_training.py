"""The SVP-CVAE's objective, the paper's ablations, and learning."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_bert import tiny_encoder, write_tiny_bert
from tiny_data import picture, write_dataset
from tiny_svp_cvae import TEXTS, TINY, tiny
from two_organs import ablation_rows, batch_of

from TextPromptSegLib.checkpoints.layout import read_config
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference.predictor import SlicePredictor
from TextPromptSegLib.outcome import InputError
from TextPromptSegLib.systems import svp_cvae
from TextPromptSegLib.systems.svp_cvae import SVPCVAEConfig
from TextPromptSegLib.systems.svp_cvae.objective import (
    beta,
    same_texts,
    segmentation_loss,
    semantic_alignment_loss,
)
from TextPromptSegLib.training import train
from TextPromptSegLib.training.recipe import Recipe

FOLDER = Path(svp_cvae.__file__).parent
ABLATIONS = json.loads((FOLDER / "ablations.json").read_text())
ROWS = ablation_rows(ABLATIONS)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tiny_encoder(write_tiny_bert(tmp_path_factory.mktemp("bert")))


# -- objective -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("epoch", "expected"),
    [(0, 0.0), (15, 0.0), (30, 0.005), (45, 0.01), (150, 0.01)],
)
def test_beta_warms_up_in_two_stages(epoch: float, expected: float) -> None:
    assert beta(epoch) == pytest.approx(expected)


def test_beta_follows_the_steps_and_survives_a_restart(encoder: Any) -> None:
    net = tiny(encoder, kl_start=1, kl_end=3, steps_per_epoch=2)
    weights = [float(net.loss(batch_of(encoder))["beta"]) for _ in range(7)]
    assert weights == pytest.approx([0, 0, 0, 0.0025, 0.005, 0.0075, 0.01])
    other = tiny(encoder, kl_start=1, kl_end=3, steps_per_epoch=2)
    other.load_state_dict(net.state_dict())
    assert float(other.loss(batch_of(encoder))["beta"]) == pytest.approx(0.01)
    other.eval()
    steps = int(other.steps)
    other.loss(batch_of(encoder))
    assert int(other.steps) == steps


def test_alignment_loss_by_hand_and_with_repeated_texts() -> None:
    eye = torch.eye(3)
    own = torch.eye(3, dtype=torch.bool)
    by_hand = -torch.log_softmax(torch.tensor([1.0, 0.0, 0.0]), 0)[0]
    assert torch.allclose(semantic_alignment_loss(2 * eye, 5 * eye, own), by_hand)
    assert semantic_alignment_loss(eye, eye.roll(1, 0), own) > by_hand
    everything = torch.ones(3, 3, dtype=torch.bool)
    repeated = eye[:1].expand(3, -1)
    assert semantic_alignment_loss(eye, repeated, everything) == pytest.approx(0, abs=1e-6)
    assert float(semantic_alignment_loss(eye[:1], eye[:1], own[:1, :1])) == 0
    pooled = torch.tensor([[1.0, 2.0], [1.0, 2.0], [1.0, 2.1]])
    assert same_texts(pooled).tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]


def test_segmentation_loss_ignores_padding_and_teaches_absence() -> None:
    logits = torch.full((1, 1, 8, 8), -9.0)
    mask, valid = torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8)
    valid[..., 4:] = 0
    quiet = sum(segmentation_loss(logits, mask, valid, torch.zeros(1)))
    logits[..., 4:] = 9.0
    on_padding = sum(segmentation_loss(logits, mask, valid, torch.zeros(1)))
    logits[..., :4] = 9.0
    alarm = sum(segmentation_loss(logits, mask, valid, torch.zeros(1)))
    assert float(quiet) < 0.01 and float(on_padding) == pytest.approx(float(quiet))
    assert float(alarm) > 5
    mask[..., :4] = 1
    dice, bce = segmentation_loss(logits, mask, valid, torch.ones(1))
    assert float(dice) < 0.01 and float(bce) < 0.01


# -- ablations -------------------------------------------------------------------------------------


def test_every_row_of_the_papers_tables_and_the_lambda_sweep_is_there() -> None:
    assert {table: len(rows) for table, rows in ABLATIONS.items()} == {
        "table 3 on BraTS": 1,
        "table 3 on MSD liver": 1,
        "table 4": 6,
        "table 5": 4,
        "table 6": 4,
        "table 7": 5,
        "figure 6": 5,
    }
    for table, best in (("table 4", "+SAL"), ("table 5", "full"), ("table 6", "SSGM + CBSM")):
        assert SVPCVAEConfig(**ABLATIONS[table][best]) == SVPCVAEConfig()
    assert SVPCVAEConfig(**ABLATIONS["table 7"]["multi-scale, learned fusion"]) == SVPCVAEConfig()


@pytest.mark.parametrize("changes", ROWS)
def test_ablation_rows_can_be_trained_and_used(encoder: Any, changes: dict[str, Any]) -> None:
    net = tiny(encoder, **changes)
    config = net.config
    assert (net.marl is None) == (not config.ssgm and not config.cbsm)
    assert (net.latent is None) == (config.latent == "none")
    assert (net.mtf is None) == (config.text_levels == "none" or config.fusion == "none")
    terms = net.loss(batch_of(encoder))
    assert ("kl" in terms) == (config.latent == "full")
    assert ("sal" in terms) == (config.sal_weight > 0 and config.text_levels != "none")
    terms["loss"].backward()
    unused = {n for n, p in net.named_parameters() if p.requires_grad and p.grad is None}
    # without KL nobody teaches the prior
    assert all(n.startswith("latent.prior") for n in unused), unused
    assert not unused or config.latent == "no_kl"
    for name, parameter in net.cate.named_parameters():  # projections of all levels, and LoRA
        if parameter.requires_grad:
            assert parameter.grad is not None and parameter.grad.abs().max() > 0, name
    net.eval()
    features = net.index_features(net.encode_image(torch.rand(1, 1, 64, 64)), torch.zeros(2).long())
    with torch.no_grad():
        logits = net.decode(features, encoder.encode(TEXTS[:2]))[0]
    assert logits.shape == (2, 1, 64, 64)
    without_text = config.text_levels == "none"
    assert bool(torch.allclose(logits[0], logits[1], atol=1e-6)) == without_text


def test_the_row_without_learned_fusion_pools_every_level(encoder: Any) -> None:
    net = tiny(encoder, **ABLATIONS["table 7"]["multi-scale, MLP"]).eval()
    images = batch_of(encoder)["image"]
    with torch.no_grad():
        features, read = net.encode_image(images), net.encode_text(encoder.encode(TEXTS[:2]))
        plain = net.decode(features, read)[0]
        for level in range(3):
            states = read.states.clone()
            states[:, level] += torch.randn(states.shape[-1])
            assert (net.decode(features, replace(read, states=states))[0] - plain).abs().max() > 0


@pytest.mark.parametrize(
    ("place", "layers", "numbers"),
    [
        ("last", 4, (8, 9, 10, 11)),
        ("spread", 4, (3, 7, 10, 11)),
        ("spread", 3, (3, 7, 11)),
        ("spread", 12, tuple(range(12))),
        ("last", 0, ()),
    ],
)
def test_lora_lies_in_the_last_layers_or_below_each_level(
    place: str, layers: int, numbers: tuple[int, ...]
) -> None:
    config = SVPCVAEConfig(lora_place=place, lora_layers=layers)
    assert config.lora_numbers == numbers
    assert SVPCVAEConfig(text_levels="low", lora_place=place).lora_numbers == (
        () if place == "last" else (0, 1, 2, 3)
    )


def test_spread_lora_adapts_every_level(encoder: Any) -> None:
    changed = {}
    for place in ("last", "spread"):
        net = tiny(encoder, lora_place=place, lora_layers=3).eval()
        with torch.no_grad():
            read = net.encode_text(encoder.encode(TEXTS[:2])).states
            for update in net.cate.lora.values():
                update.b.zero_()
            plain = net.encode_text(encoder.encode(TEXTS[:2])).states
        changed[place] = [bool((read - plain)[:, n].abs().max() > 1e-4) for n in range(3)]
    assert changed == {"last": [False, True, True], "spread": [True, True, True]}


# -- learning and refusals -------------------------------------------------------------------------


def test_it_learns_to_follow_the_text(encoder: Any) -> None:
    net = tiny(encoder, decoder_norm="group", presence=True)
    batch = batch_of(encoder)
    batch["asked_index"] = torch.tensor([0, 1])
    batch["asked_text"] = encoder.encode(["spleen", "liver"])
    batch["asked_present"] = torch.zeros(2)
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=5e-3)
    for _ in range(60):
        optimizer.zero_grad()
        net.loss(batch)["loss"].backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        features = net.index_features(net.encode_image(batch["image"]), batch["index"])
        logits, presence = net.decode(features, batch["text"])
    predicted, truth = logits > 0, batch["mask"] > 0
    overlap = 2 * (predicted & truth).flatten(1).sum(1)
    dice = overlap / (predicted.flatten(1).sum(1) + truth.flatten(1).sum(1))
    assert float(dice.min()) > 0.8
    assert bool((presence > 0).all())


def test_a_recipe_trains_a_checkpoint_that_finds_its_text_encoder_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tiny_bert(tmp_path / "encoders" / "tiny")
    monkeypatch.setenv("TEXTPROMPTSEG_ENCODERS", str(tmp_path / "encoders"))
    folder = write_dataset(tmp_path, groups={})
    values = json.loads((folder / "dataset.json").read_text())
    for case in values["cases"]:
        case["text"] = "Unilateral infection, one infected area, right kidney."
    (folder / "dataset.json").write_text(json.dumps(values))
    recipe = Recipe.from_dict(
        {
            "name": "tiny-svp",
            "system": "svp-cvae",
            "config": {key: value for key, value in TINY.items() if key != "text_dim"},
            "input": {"size": 64, "multiple": 32},
            "text_encoder": {"id": "test/tiny", "max_length": 24},
            "data": [{"name": "tiny", "text_for": ["right kidney"]}],
            "steps": 4,
            "batch": {"slices": 2, "pairs": 4, "questions": 1, "texts": 1.0},
            "precision": "32-true",
            "validate_every": 2,
        }
    )
    made = train(recipe, [tmp_path], tmp_path / "run", progress_bar=False)
    predictor = SlicePredictor.from_pretrained(str(made), device="cpu")
    # the buffers are those of the state that was exported, the best one
    assert int(predictor._model.steps) == read_config(made)["metrics"]["validation"]["step"]
    predictor.set_volume(Volume.from_array(picture(3)[0], modality="MR"))
    (answer,) = predictor.segment(["right kidney"], samples=2)
    assert len(answer.candidates) == 2
    with pytest.raises(InputError, match="use axial or coronal slices"):
        train(replace(recipe, planes=("sagittal",)), [tmp_path], tmp_path / "other")
