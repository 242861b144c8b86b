"""Tiers: from measured Dice, by modality, the worst part decides; nothing measured says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tiny_checkpoint import save_tiny

from TextPromptSegLib.checkpoints import catalogue, layout
from TextPromptSegLib.checkpoints.quality import Quality, check_entry, quality_of, tier_of, warning
from TextPromptSegLib.outcome import CheckpointError


def entry(tier: str, **test: Any) -> dict[str, Any]:
    return {"tier": tier, "measured": {"test": test} if test else {}}


TRAINED = {
    "liver": entry("good", CT={"dice": 0.95, "n": 10}, MR={"dice": 0.6, "n": 5}),
    "left kidney": entry("good", CT={"dice": 0.9, "n": 1}),
    "right kidney": entry("fair", CT={"dice": 0.7, "n": 4, "labels": "automatic"}),
    "rib 3": entry("experimental"),
    "left lung": {
        "tier": "good",
        "measured": {
            "test": {"CXR": {"dice": 0.9, "n": 9}},
            "val": {"CT": {"dice": 0.96, "n": 2}, "CXR": {"dice": 0.1, "n": 1}},
        },
    },
    "trachea": {"tier": "fair", "measured": {"val": {"CT": {"dice": 0.3, "n": 1}}}},
    "heart": {},
}


@pytest.mark.parametrize(
    ("dice", "tier"),
    [(None, "experimental"), (0.0, "experimental"), (0.4999, "experimental"), (0.5, "fair")]
    + [(0.7999, "fair"), (0.8, "good"), (1.0, "good")],
)
def test_tiers_begin_where_they_should(dice: float | None, tier: str) -> None:
    assert tier_of(dice) == tier


@pytest.mark.parametrize(
    ("names", "modality", "words"),
    [
        (["liver"], "CT", "good: Dice 0.95 in 10 test cases"),
        (["liver"], "MR", "fair: Dice 0.60 in 5 test cases"),
        (["liver"], None, "good: Dice 0.83 in 15 test cases"),  # all cases count alike
        (["liver"], "CXR", "experimental: no test case"),
        (["left kidney"], "CT", "good: Dice 0.90 in 1 test case"),
        (
            ["left kidney", "right kidney"],
            "CT",
            "fair: Dice 0.70 in 4 test cases, labels automatic",
        ),
        (["left lung"], "CXR", "good: Dice 0.90 in 9 test cases"),
        (["left lung"], "CT", "fair: Dice 0.96 in 2 validation cases"),  # settings chosen on them
        (["left lung"], None, "good: Dice 0.90 in 9 test cases"),
        (["trachea"], "CT", "experimental: Dice 0.30 in 1 validation case"),
        (["left lung"], "MR", "experimental: no test case"),
        (["own words"], "CT", "experimental: no test case"),
        (["liver", "rib 3"], "CT", "experimental: no test case"),
    ],
)
def test_the_worst_part_in_this_kind_of_image_decides(
    names: list[str], modality: str | None, words: str
) -> None:
    assert str(quality_of(names, TRAINED, modality)) == words


@pytest.mark.parametrize("names", [[], ["heart"], ["liver", "heart"]])
def test_what_nobody_measured_is_not_judged(names: list[str]) -> None:
    assert quality_of(names, TRAINED, "CT") is None and warning(names, None) == ()
    assert quality_of(["own words"], {"liver": {}}, "CT") is None


def test_only_experimental_structures_warn() -> None:
    assert warning(["liver"], Quality("fair", 0.6, 3)) == ()
    (sentence,) = warning(["rib 3"], Quality("experimental", 0.31, 12))
    assert sentence == "'rib 3' is experimental: Dice 0.31 in 12 test cases; check every slice"


@pytest.mark.parametrize(
    ("damaged", "words"),
    [
        ([], "not a table"),
        ({"tier": 5}, "tier"),
        ({"tier": "excellent"}, "tier"),
        ({"measured": 3}, "not a table"),
        ({"measured": {"test": []}}, "not a table"),
        ({"measured": {"test": {"CT": 0.9}}}, "not a Dice"),
        ({"measured": {"test": {"CT": {"dice": "high", "n": 3}}}}, "not a Dice"),
        ({"measured": {"test": {"CT": {"dice": 1.5, "n": 3}}}}, "not a Dice"),
        ({"measured": {"test": {"CT": {"dice": float("nan"), "n": 3}}}}, "not a Dice"),
        ({"measured": {"test": {"CT": {"dice": 0.5, "n": 0}}}}, "not a Dice"),
    ],
)
def test_a_damaged_entry_costs_the_checkpoint_not_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: Any, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        check_entry(damaged)
    monkeypatch.setenv("TEXTPROMPTSEG_HOME", str(tmp_path))
    folder = save_tiny(tmp_path / "checkpoints" / "tiny")
    config = layout.read_config(folder)
    with pytest.raises(CheckpointError, match="'liver'"):
        layout.check_config({**config, "trained_prompts": {"liver": damaged}}, "config.json")


def test_the_catalogue_knows_the_tiers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTPROMPTSEG_HOME", str(tmp_path))
    save_tiny(tmp_path / "checkpoints" / "tiny", trained_prompts=TRAINED)
    row = catalogue.show("tiny")
    assert row.tiers == {
        "liver": "good", "left kidney": "good", "right kidney": "fair", "rib 3": "experimental",
        "left lung": "good", "trachea": "fair",
    }  # fmt: skip
    assert row.to_dict()["tiers"]["rib 3"] == "experimental"
