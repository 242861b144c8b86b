"""Settings chosen on validation cases: only what pays, and few false alarms first."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_data import write_dataset

from TextPromptSegLib.data.datasets import Dataset
from TextPromptSegLib.prompting.vocabulary import Vocabulary
from TextPromptSegLib.resources import resource_path
from TextPromptSegLib.training.calibrate import support
from TextPromptSegLib.training.trials import (
    Trials,
    choose,
    choose_gates,
    dice_of_settings,
    largest_part,
    uncalibrated,
    write_calibration,
)


def trials(gain: float, cases: int, noise: float = 0.0, alarms: int = 0) -> Trials:
    result = Trials(alarms=alarms, absent=100)
    rng = np.random.default_rng(0)
    plain = np.full(cases, 0.8)
    result.dice["liver"][0.5, False] = plain.tolist()
    result.dice["liver"][0.4, True] = (plain + gain + rng.normal(0, noise, cases)).tolist()
    return result


@pytest.mark.parametrize(
    ("gain", "cases", "noise", "changed"),
    [
        (0.02, 20, 0.001, True),
        (0.002, 20, 0.0, False),  # too small to matter
        (0.02, 2, 0.0, False),  # too few cases to say
        (0.02, 6, 0.3, False),  # noise
        (-0.1, 20, 0.0, False),
    ],
)
def test_a_setting_changes_only_where_it_pays(
    gain: float, cases: int, noise: float, changed: bool
) -> None:
    chosen = choose(trials(gain, cases, noise))
    expected = {"threshold": 0.4, "postprocess": {"keep_components": 1}}
    assert chosen == ({"liver": expected} if changed else {})


@pytest.mark.parametrize(
    ("name", "one_piece"),
    [
        ("right kidney", True),
        ("kidneys", False),
        ("COVID-19 infection", False),
        ("glioma", False),
        ("a name nobody knows", False),
    ],
)
def test_only_what_is_one_piece_by_anatomy_is_cut_to_its_largest_part(
    name: str, one_piece: bool
) -> None:
    made = Trials()
    made.dice[name][0.5, False] = [0.5] * 9
    made.dice[name][0.4, False] = [0.6] * 9
    made.dice[name][0.4, True] = [0.9] * 9
    rule = {"postprocess": {"keep_components": 1}} if one_piece else {}
    assert choose(made) == {name: {"threshold": 0.4, **rule}}


def test_a_second_calibration_starts_from_nothing_that_the_first_one_chose(tmp_path: Path) -> None:
    other = {"fill_holes": True}
    plain = {"modalities": ["CT"], "threshold": 0.5, "quality": {"dice": 0.9}}
    first = {
        **plain,
        "threshold": 0.3,
        "presence_threshold": 0.9,
        "min_mm3": 4.0,
        "postprocess": {"keep_components": 1, "min_mm3": 50.0, **other},
    }
    assert uncalibrated(first) == {**plain, "postprocess": other}
    bare = {**plain, "threshold": 0.3, "postprocess": {"keep_components": 1}}
    assert uncalibrated(bare) == plain
    config = {"trained_prompts": {"liver": uncalibrated(first)}}
    change = {"threshold": 0.4, "postprocess": {"keep_components": 1}}
    write_calibration(tmp_path, config, {"liver": change}, {})
    written = json.loads((tmp_path / "config.json").read_text())["trained_prompts"]["liver"]
    assert written == {**plain, "threshold": 0.4, "postprocess": {**other, "keep_components": 1}}


def test_shipped_checkpoints_keep_every_part_of_a_finding() -> None:
    vocabulary = Vocabulary.load()
    findings = set(vocabulary.names("finding"))
    for path in resource_path("Checkpoints").glob("*/config.json"):
        trained = json.loads(path.read_text(encoding="utf-8"))["trained_prompts"]
        for name in findings & set(trained):
            assert "keep_components" not in trained[name].get("postprocess", {}), (path, name)


def test_gates_keep_the_promise_at_the_least_cost() -> None:
    clear = [(0.9, True)] * 10 + [(0.55, False)] * 10  # a gate above 0.55 costs nothing
    mixed = [(0.65, True)] * 10 + [(0.99, True)] * 2 + [(0.66, False)] * 3  # costs ten for three
    never = [(0.6, True)] * 5  # nothing is known to be absent: no gate of its own
    seldom = [(0.98, True)] * 9 + [(0.97, False)]  # one case says too little
    values = {"clear": clear, "mixed": mixed, "never": never, "seldom": seldom}
    assert choose_gates(values, most_alarms=0.25) == {"clear": 0.6, "mixed": 0.5}
    # ten structures for three alarms is more than an alarm may cost
    strict = choose_gates({"clear": clear, "mixed": mixed}, most_alarms=0.0)
    assert strict["clear"] == 0.6 and strict["mixed"] == 0.5
    fair = [(0.65, True)] * 4 + [(0.99, True)] * 2 + [(0.66, False)] * 3  # four for three
    assert choose_gates({"fair": fair}, most_alarms=0.0)["fair"] == 0.7


def test_largest_part() -> None:
    mask = np.zeros((1, 6, 6), np.uint8)
    mask[0, 0, 0] = mask[0, 3:5, 3:5] = 1
    assert largest_part(mask).sum() == 4
    assert not largest_part(np.zeros((1, 3, 3), np.uint8)).any()


def test_the_dice_of_every_setting_is_that_of_the_whole_volume() -> None:
    rng = np.random.default_rng(0)
    probability = np.zeros((6, 20, 20), np.float16)
    probability[2:4, 5:12, 5:12] = rng.uniform(0.2, 1.0, (2, 7, 7))
    probability[5, 16:19, 16:19] = 0.66
    truth = np.zeros(probability.shape, np.uint8)
    truth[2:4, 6:12, 4:12] = 1
    for (threshold, one), dice in dice_of_settings(probability, truth).items():
        mask = (probability >= np.float16(threshold)).astype(np.uint8)
        mask = largest_part(mask) if one else mask
        assert dice == pytest.approx(2 * (mask & truth).sum() / (mask.sum() + truth.sum()))
    assert set(dice_of_settings(probability * 0, truth).values()) == {0.0}


def test_support_counts_patients_not_pictures(tmp_path: Path) -> None:
    dataset = Dataset.read(write_dataset(tmp_path, cases=8))
    names = {n: n for n in (*dataset.labels.values(), *dataset.groups)}
    found = support([dataset], names)
    assert len(found["liver"]) == len(dataset.split("train")) == 6
    assert "spleen" not in found
    for case in dataset.cases:
        object.__setattr__(case, "patient", "one")
    assert found["liver"] != support([dataset], names)["liver"] == {("tiny", "one")}
