"""Outcomes of a run and their sentences, thresholds, gates, provenance."""

from __future__ import annotations

import json

import numpy as np
import pytest
from toy_organs import LIVER, LIVER_BOX, PLACES, organs
from toy_segmenter import ToySegmenter, phantom, toy_predictor

from TextPromptSegLib.jobs.report import build_report
from TextPromptSegLib.outcome import (
    CheckpointError,
    DeviceError,
    InputError,
    Outcome,
    PromptError,
)

# -- outcomes ------------------------------------------------------------------------------------


def test_outcomes_and_their_sentences() -> None:
    predictor = toy_predictor(PLACES)
    predictor.set_volume(organs())
    found, absent, unknown = predictor.segment(["liver", "pancreas", "patella"])
    assert (found.outcome, absent.outcome) == (Outcome.FOUND, Outcome.NOT_FOUND)
    small = "found, but unusual: 7.2 ml is less than 60 ml; 7.20 ml, max p 1.00"
    assert found.message == small  # the toy's liver is a few voxels
    assert absent.message.startswith("not found: max p 0.0") and absent.voxels == 0
    assert unknown.outcome is Outcome.UNKNOWN_PROMPT and unknown.probability is None
    assert unknown.message.startswith("this checkpoint was not trained on 'patella'")
    assert unknown.mask.shape == predictor._volume.shape and not unknown.mask.any()


def test_what_falls_short_of_the_threshold_is_told_apart() -> None:
    predictor = toy_predictor(PLACES, model=ToySegmenter(100.0))
    predictor.set_volume(phantom({LIVER + 0.045: [LIVER_BOX]}))  # sigmoid(-0.5) = 0.38
    (answer,) = predictor.segment(["liver"])
    assert answer.outcome is Outcome.BELOW_THRESHOLD
    assert "present but below threshold (max p 0." in answer.message
    assert 0.25 <= answer.max_probability < 0.5
    assert not answer.mask.any()
    lower = predictor.rethreshold(answer, 0.1)
    assert lower.outcome is Outcome.FOUND and lower.voxels > 0


def test_a_slice_without_presence_cannot_be_found() -> None:
    class Doubter(ToySegmenter):
        def presence(self, features, text):  # type: ignore[no-untyped-def]
            return super().presence(features, text).clamp(-9.0, -0.2)  # at most 0.45

    predictor = toy_predictor(PLACES, model=Doubter())
    predictor.set_volume(organs())
    (answer,) = predictor.segment(["liver"])
    assert answer.outcome is Outcome.BELOW_THRESHOLD
    assert answer.max_probability == pytest.approx(0.45, abs=0.02)


def test_a_structures_own_gate_judges_the_best_slice_and_spares_the_others() -> None:
    class Doubter(ToySegmenter):
        def presence(self, features, text):  # type: ignore[no-untyped-def]
            return super().presence(features, text).clamp(-9.0, 1.4)  # at most 0.80

    answers = {}
    for own in (None, 0.75, 0.9):
        entry = {"modalities": ["CT"], "threshold": 0.5}
        if own is not None:
            entry["presence_threshold"] = own
        predictor = toy_predictor(PLACES, model=Doubter(), trained_prompts={"liver": entry})
        predictor.set_volume(organs())
        (answers[own],) = predictor.segment(["liver"])
    assert answers[0.75].voxels == answers[None].voxels > 0
    assert not answers[0.9].mask.any() and answers[0.9].outcome is Outcome.NOT_FOUND
    assert 0.1 < answers[0.9].max_probability < 0.25


@pytest.mark.parametrize("threshold", [0.05, 0.5, 0.93])
def test_rethreshold_equals_a_new_run(threshold: float) -> None:
    predictor = toy_predictor(PLACES, model=ToySegmenter(30.0))
    predictor.set_volume(organs())
    (first,) = predictor.segment(["liver"])
    (again,) = predictor.segment(["liver"], threshold=threshold)
    cheap = predictor.rethreshold(first, threshold)
    assert np.array_equal(cheap.mask, again.mask)
    assert (cheap.outcome, cheap.voxels, cheap.threshold) == (
        again.outcome,
        again.voxels,
        threshold,
    )


def test_threshold_of_the_checkpoint_is_used() -> None:
    trained = {"liver": {"modalities": ["CT"], "threshold": 0.9}}
    predictor = toy_predictor(PLACES, trained_prompts=trained)
    predictor.set_volume(organs())
    assert predictor.segment(["liver"])[0].threshold == 0.9
    assert predictor.segment(["liver"], threshold=0.3)[0].threshold == 0.3


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1, 7, float("nan")])
def test_impossible_thresholds(threshold: float) -> None:
    predictor = toy_predictor(PLACES)
    predictor.set_volume(organs())
    with pytest.raises(InputError, match="between 0 and 1"):
        predictor.segment(["liver"], threshold=threshold)


def test_wrong_use_is_refused_with_a_sentence() -> None:
    predictor = toy_predictor(PLACES)
    with pytest.raises(InputError, match="set_volume"):
        predictor.segment(["liver"])
    predictor.set_volume(organs())
    with pytest.raises(CheckpointError, match="draws no samples"):
        predictor.segment(["liver"], samples=4)
    for empty in ("", [], [" "]):
        with pytest.raises(PromptError):
            predictor.segment(empty)
    predictor.unload()
    with pytest.raises(DeviceError, match="load it again"):
        predictor.segment(["liver"])


def test_provenance_is_json_and_names_the_run() -> None:
    predictor = toy_predictor(PLACES)
    predictor.set_volume(organs(), roi=(-60, 0, -60, 0, 0, 40))
    (answer,) = predictor.segment(["spleen"])
    facts = json.loads(json.dumps(answer.provenance))
    assert facts["model"] == "toy" and facts["device"] == "cpu" and facts["plane"] == "axial"
    assert facts["trained_prompts"] == ["spleen"] and facts["modality"] == "CT"
    assert facts["threshold"] == 0.5 and facts["roi_ras_mm"] == [-60, 0, -60, 0, 0, 40]
    assert set(predictor.seconds) >= {"load", "text", "image", "decode"}


def test_an_experimental_structure_says_so_in_its_outcome_and_in_the_report() -> None:
    measured = {"test": {"CT": {"dice": 0.31, "n": 12}}}
    trained = {
        "liver": {"tier": "experimental", "measured": measured},
        "spleen": {"tier": "good", "measured": {"test": {"CT": {"dice": 0.9, "n": 3}}}},
        "aorta": {},
    }
    predictor = toy_predictor(PLACES, trained_prompts=trained)
    predictor.set_volume(organs())
    liver, spleen, aorta = predictor.segment(["liver", "spleen", "aorta"])
    sentence = "'liver' is experimental: Dice 0.31 in 12 test cases; check every slice"
    assert liver.message.endswith(sentence) and liver.message.startswith("found")
    assert "experimental" not in spleen.message + aorta.message
    again = predictor.rethreshold(liver, 0.9)
    assert again.message.endswith(sentence)
    entries = build_report(predictor, None, organs(), [liver, spleen, aorta], {})["prompts"]
    assert entries[0]["quality"]["tier"] == "experimental" and entries[0]["quality"]["n"] == 12
    assert entries[1]["quality"] == {
        "tier": "good",
        "dice": 0.9,
        "n": 3,
        "labels": "expert",
        "split": "test",
    }
    assert entries[2]["quality"] is None
    one = build_report(predictor, None, organs(), [spleen], {})
    assert one["prompts"][0]["quality"]["tier"] == "good" and "quality" not in one["provenance"]
