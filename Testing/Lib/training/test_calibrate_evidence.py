"""Rules of evidence are taken where they pay on patients that they were not fitted on."""

from __future__ import annotations

import json
from dataclasses import replace
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
from TextPromptSegLib.inference.evidence import Evidence, EvidenceRule, logit
from TextPromptSegLib.outcome import Outcome
from TextPromptSegLib.training.calibrate import Attempt, calibrate, choose_decode_gate
from TextPromptSegLib.training.calibrate_evidence import (
    HEAD_ALONE,
    MOST_LOST,
    PRIOR,
    Offer,
    Sight,
    Sights,
    agreed,
    choose_offers,
    choose_rules,
    fit,
    fit_names,
    log_losses,
    passed_slices,
    predict,
    probability_of,
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


def joins(rules: dict[str, dict[str, dict[str, float]]]) -> bool:
    """Return whether the mask has a say in the rule."""
    if "glioma" not in rules:
        return False  # the plain gate of the head
    rule = rules["glioma"]["MR"]
    return rule["confidence"] + rule["size"] + rule["agreement"] > 0


@pytest.mark.parametrize(
    ("tell", "expected"),
    [("confidence", True), ("size", True), ("head", False), ("nothing", False)],
)
def test_the_mask_has_a_say_where_it_tells_more_than_the_head(tell: str, expected: bool) -> None:
    chosen = [choose_rules(sights(60, tell, seed)) for seed in range(5)]
    assert sum(map(joins, chosen)) >= 4 if expected else sum(map(joins, chosen)) <= 1
    for rules in filter(None, chosen):
        rule = EvidenceRule.from_dict(rules["glioma"]["MR"])
        assert 0 < rule.gate < 1 and min(rule.head, rule.confidence, rule.size) >= 0
    if expected:
        made = sights(60, tell)
        counts = agreed(choose_rules(made), made)
        assert counts["there"] == counts["absent"] == 30
        assert counts["found"] > 27 and counts["alarms"] < 3


def volumes(count: int, seed: int) -> list[Sight]:
    """Volumes that all hold a small structure; most of their slices do not, and look alike."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        told = rng.normal((3.0, 0.0, -3.0, 0.2), 0.3, (9, 4)).tolist()
        made.append(Sight(f"p{number}", True, Evidence(*told[0])))
        made += [
            Sight(f"p{number}", k == 1, Evidence(*told[k]), share=1 / 8, whole=False)
            for k in range(1, 9)
        ]
    return made


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("count", [2, 5, 12])
def test_a_rule_loses_hardly_an_answer_that_the_plain_gate_lets_pass(count: int, seed: int) -> None:
    made = sights(60, "confidence", seed)
    made["lung nodule", "MR"] = volumes(count, seed)
    rules = choose_rules(made, {"glioma": 0.6})
    for (name, modality), seen in made.items():
        there = [s for s in seen if s.whole and s.there]
        plain = 0.6 if name == "glioma" else 0.5
        before = sum(s.evidence is not None and s.evidence.head >= logit(plain) for s in there)
        after = before
        if name in rules:
            rule = EvidenceRule.from_dict(rules[name][modality])
            after = sum(
                bool(s.evidence and rule.probability(s.evidence) >= rule.gate) for s in there
            )
        assert after >= before - MOST_LOST * len(there), name


def test_the_price_of_an_alarm_rises_until_few_are_left() -> None:
    offers: dict[str, Offer] = {
        "liver": {None: (20.0, 3.0), 0.2: (20.0, 2.0), 0.7: (19.0, 0.0)},
        "spleen": {None: (10.0, 0.0), 0.3: (10.0, 0.0), 0.9: (8.0, 0.0)},
    }
    assert choose_offers(offers, 100.0) == {"liver": 0.2, "spleen": None}
    assert choose_offers(offers, 40.0) == {"liver": 0.7, "spleen": None}


def test_few_cases_make_no_rule() -> None:
    assert choose_rules(sights(12, "confidence")) == {}  # six absent ones
    assert choose_rules(sights(60, "confidence", per_patient=60)) == {}  # of one patient
    assert choose_rules(sights(60, "confidence", per_patient=20)) == {}  # of three
    assert choose_rules(sights(60, "confidence", per_patient=10)) != {}
    made = sights(60, "confidence")
    made["edema", "MR"] = [s for s in made[KEY][:4] if not s.there]  # never there
    made["spleen", "MR"] = [s for s in made[KEY] if s.there]  # never absent
    assert set(choose_rules(made)) == {"glioma"}


def test_a_rare_name_follows_its_modality() -> None:
    made = sights(80, "confidence")
    rare = sights(12, "confidence", seed=5)[KEY]
    alone = fit_names({"edema": rare})["edema"]
    led = fit_names({"glioma": made[KEY], "edema": rare})
    assert np.abs(led["edema"] - led["glioma"])[2] < np.abs(alone - led["glioma"])[2]
    larger = [  # the same structure, ten times larger
        replace(s, evidence=replace(s.evidence, size=s.evidence.size + 1.0))
        for s in rare
        if s.evidence
    ]
    big = fit_names({"glioma": made[KEY], "edema": larger})["edema"]
    for before, after in zip(rare, larger, strict=True):
        assert before.evidence and after.evidence
        assert probability_of(big, after.evidence) == pytest.approx(
            probability_of(led["edema"], before.evidence), abs=0.02
        )


def test_nobody_is_predicted_by_a_rule_that_saw_the_patient() -> None:
    rng = np.random.default_rng(0)
    made = []
    for number in range(40):
        fingerprint = Evidence(*rng.normal(0, 1, 4).tolist())
        made += [Sight(f"p{number}", bool(rng.random() < 0.5), fingerprint)] * 2
    there = np.array([s.there for s in made])
    guess = predict({"glioma": made})["glioma"]
    weights = fit_names({"glioma": made})["glioma"]
    seen = np.array([probability_of(weights, s.evidence) for s in made if s.evidence])
    assert np.array_equal(guess[::2], guess[1::2])
    assert log_losses(seen, there).mean() < log_losses(guess, there).mean()
    assert log_losses(guess, there).mean() > 0.65  # there is nothing to know
    nothing = predict({"glioma": [*made, Sight("p0", True, None)], "edema": made[:2]})
    assert nothing["glioma"][-1] == 0.0 and np.isnan(nothing["edema"]).all()


def test_fits_start_from_the_head_and_follow_the_cases() -> None:
    assert np.array_equal(fit(np.zeros((0, 4)), np.zeros(0, bool)), PRIOR)
    features = np.array([s.evidence.vector() for s in sights(200, "size")[KEY] if s.evidence])
    there = np.arange(200) % 2 == 0
    weights = fit(features, there)
    assert weights[3] > 1.0 and abs(weights[1]) < 0.6
    alone = fit(features, there, HEAD_ALONE)
    assert np.array_equal(alone[2:], PRIOR[2:]) and alone[1] < 0.5
    few = fit(features[:4], there[:4])
    assert np.abs(few - PRIOR).sum() < np.abs(weights - PRIOR).sum()
    assert (fit(-features, there) >= [-np.inf, 0, 0, 0, 0]).all()  # more never speaks against


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
    assert whole.whole and not any(s.whole for s in single)
    assert whole.share == sum(s.share for s in single) == 1.0
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
