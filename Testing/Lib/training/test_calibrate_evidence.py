"""Rules of evidence are taken where they pay on patients that they were not fitted on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from toy_segmenter import ToySegmenter, toy_checkpoint

from TextPromptSegLib import SlicePredictor
from TextPromptSegLib.data.datasets import Dataset
from TextPromptSegLib.data.sampling import ForeignNames
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference import loaded_checkpoint
from TextPromptSegLib.inference.evidence import Evidence, EvidenceRule
from TextPromptSegLib.outcome import Outcome
from TextPromptSegLib.training.calibrate import Attempt, calibrate, choose_decode_gate
from TextPromptSegLib.training.calibrate_evidence import (
    HEAD_ALONE,
    PRIOR,
    WHOLE,
    Sight,
    Sights,
    agreed,
    choose_rules,
    fit,
    passed_slices,
    predicted,
    sights_of,
)

KEY = ("glioma", "MR")


def sights(count: int, tell: str, seed: int = 0, per_patient: int = 1) -> Sights:
    """Answers, half of them true, in which one number tells which are."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        there = number % 2 == 0
        values = dict(zip(("head", "confidence", "size"), rng.normal(0, 1, 3), strict=True))
        if tell != "nothing":
            values[tell] += 2.0 if there else -2.0
        made.append(Sight(f"p{number // per_patient}", there, Evidence(**values, agreement=0.0)))
    return {KEY: made}


@pytest.mark.parametrize(
    ("count", "tell", "chosen"),
    [
        (60, "confidence", True),
        (60, "size", True),
        (60, "head", False),  # the head does it alone
        (60, "nothing", False),
        (12, "confidence", False),  # six absent ones are too few
    ],
)
def test_a_rule_is_taken_where_it_beats_the_head(count: int, tell: str, chosen: bool) -> None:
    made = sights(count, tell)
    rules = choose_rules(made)
    assert bool(rules) is chosen
    if chosen:
        rule = EvidenceRule.from_dict(rules["glioma"]["MR"])
        weight = getattr(rule, tell)
        assert weight > 0.5 and 0 < rule.gate < 1
        counts = agreed(rules, made)
        assert counts["there"] == counts["absent"] == count // 2
        assert counts["found"] > 0.9 * count / 2 and counts["alarms"] < 0.1 * count / 2


def test_one_patient_alone_teaches_no_rule() -> None:
    assert choose_rules(sights(60, "confidence", per_patient=60)) == {}
    assert choose_rules(sights(60, "confidence", per_patient=10)) != {}


def test_nobody_is_predicted_by_a_rule_that_saw_the_patient() -> None:
    rng = np.random.default_rng(0)
    patients = [f"p{n // 2}" for n in range(80)]
    there = np.repeat(rng.random(40) < 0.5, 2)
    features = np.repeat(rng.normal(0, 1, (40, 4)), 2, axis=0)  # a fingerprint of the patient
    probability = predicted(features, there, patients, WHOLE)
    assert np.array_equal(probability[::2], probability[1::2])
    assert abs(np.corrcoef(probability, there)[0, 1]) < 0.5
    known = fit(features, there, WHOLE)
    seen = 1 / (1 + np.exp(-(known[0] + features @ known[1:])))
    assert np.corrcoef(seen, there)[0, 1] > np.corrcoef(probability, there)[0, 1]


def test_fits_start_from_the_head_and_follow_the_cases() -> None:
    assert np.array_equal(fit(np.zeros((0, 4)), np.zeros(0, bool), WHOLE), PRIOR)
    features = np.array([s.evidence.vector() for s in sights(200, "size")[KEY] if s.evidence])
    there = np.arange(200) % 2 == 0
    weights = fit(features, there, WHOLE)
    assert weights[3] > 1.0 and abs(weights[1]) < 0.6
    alone = fit(features, there, HEAD_ALONE)
    assert np.array_equal(alone[2:], PRIOR[2:]) and alone[1] < 0.5
    few = fit(features[:4], there[:4], WHOLE)
    assert np.abs(few - PRIOR).sum() < np.abs(weights - PRIOR).sum()


def test_slices_beside_one_over_the_gate_pass() -> None:
    presence = np.array([0.1, 0.1, 0.6, 0.1, 0.1, 0.1, 0.5])
    assert passed_slices(presence, 0.5).tolist() == [0, 1, 1, 1, 0, 1, 1]
    assert not passed_slices(presence, 0.7).any()


def test_single_slices_of_a_volume_are_sights_of_their_own() -> None:
    slices = np.zeros((20, 4, 4), np.float16)
    slices[5:12, 1:3, 1:3] = 0.9
    truth = (slices > 0).astype(np.uint8)
    presence = np.where(truth.any((1, 2)), 0.9, 0.1)
    whole, *single = sights_of(slices, truth, presence, 0.5, "p")
    assert whole.there and whole.evidence and whole.evidence.agreement > 0
    assert len(single) == 8 and {s.patient for s in single} == {"p"}
    assert all(s.there == (s.evidence is not None) for s in single)
    assert 2 <= sum(s.there for s in single) <= 4
    (only,) = sights_of(slices[:1], None, presence[:1], 0.5, "p")
    assert not only.there and only.evidence is None


def test_a_lower_decode_gate_has_to_pay() -> None:
    attempts = {0.5: Attempt(), 0.2: Attempt()}
    for gate, dice in ((0.5, 0.8), (0.2, 0.803)):
        attempts[gate].trials.dice["liver"][0.5, False] = [dice]
    assert choose_decode_gate(attempts) == 0.5
    attempts[0.2].trials.dice["liver"][0.5, False] = [0.9]
    assert choose_decode_gate(attempts) == 0.2


class Flatterer(ToySegmenter):
    """Says of every structure that it is there, a little more of some."""

    def presence(self, features, text):  # type: ignore[no-untyped-def]
        return 0.5 + 0.01 * features[1].flatten(1).mean(1)


def write_slices(root: Path, count: int) -> Dataset:
    """CT slices: every other one shows a liver, the others a speck of the liver's grey."""
    items = []
    for number in range(count):
        there = number % 2 == 0
        image = np.full((1, 48, 48), -1000, np.int16)
        image[:, 4:-4, 4:-4] = 20
        label = np.zeros(image.shape, np.uint8)
        place = np.s_[0, 10 : 24 + number % 5, 12:28] if there else np.s_[0, 30:34, 20:24]
        image[place] = 300
        label[place] = there
        for name, array in (("image", image), ("label", label)):
            sitk.WriteImage(sitk.GetImageFromArray(array), str(root / f"{name}{number}.nii.gz"))
        files = {key: f"{key}{number}.nii.gz" for key in ("image", "label")}
        present = ["liver"] if there else []
        items.append({"id": f"c{number}", "split": "val", "present": present, **files})
    values = {"name": "toy", "modality": "CT", "labels": {"1": "liver"}, "cases": items}
    (root / "dataset.json").write_text(json.dumps(values))
    return Dataset.read(root)


def test_a_checkpoint_learns_what_its_head_does_not_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = write_slices(tmp_path, 40)
    checkpoint = toy_checkpoint({"liver": 0.3, "brain tumor": 0.02}, model=Flatterer())
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(checkpoint.config))

    def load(name: object, device: str) -> SlicePredictor:
        checkpoint.config.update(json.loads((folder / "config.json").read_text()))
        return SlicePredictor(checkpoint, "cpu", "float32", batch=8)

    monkeypatch.setattr(SlicePredictor, "from_pretrained", load)
    monkeypatch.setattr(loaded_checkpoint, "load", lambda *_: checkpoint)
    # two cases that taught a name are too few for it to be believed: here it is one name's choice
    monkeypatch.setattr("TextPromptSegLib.training.calibrate.LEAST_PATIENTS", 0)
    regions = {"liver": frozenset({"abdomen"}), "brain tumor": frozenset({"brain"})}
    foreign = ForeignNames(regions, {"toy": "abdomen"}, frozenset({("abdomen", "brain")}))
    summary = calibrate(folder, [dataset], most_cases=40, foreign=foreign)
    # the head can only be quiet about everything
    assert (summary["absent_questions"], summary["false_alarms"]) == (20, 0)
    assert summary["validation_dice"] > 0.9
    counts = summary["evidence"]
    assert counts == {"rules": 1, "found": 20, "there": 20, "alarms": 0, "absent": 20}
    config = json.loads((folder / "config.json").read_text())
    assert config["presence_threshold"] == 0.5
    assert config["trained_prompts"]["liver"]["presence_threshold"] > 0.65
    assert set(config["trained_prompts"]["liver"]["evidence"]) == {"CT"}

    predictor = load(folder, "cpu")
    for there in (True, False):
        image = np.full((1, 48, 48), -1000, np.int16)
        image[:, 4:-4, 4:-4] = 20
        image[0, 8:30, 8:22] = 300 if there else 20
        image[0, 36:40, 36:40] = 300
        predictor.set_volume(Volume.from_array(image, modality="CT"))
        (answer,) = predictor.segment(["liver"])
        assert (answer.outcome is Outcome.FOUND) is there
    again = calibrate(folder, [dataset], most_cases=40, foreign=foreign)
    assert again == summary  # nothing of the first calibration is left in the second
