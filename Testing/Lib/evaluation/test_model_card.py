"""The model card says what the configuration and the report hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from TextPromptSegLib.evaluation.model_card import card_text, write_model_card
from TextPromptSegLib.evaluation.report import Report
from TextPromptSegLib.evaluation.rows import CaseRow, DatasetInfo
from TextPromptSegLib.evaluation.worst import in_words, kind_of, worst_cases
from TextPromptSegLib.metrics import Calibration

CONFIG: dict[str, Any] = {
    "name": "tiny",
    "title": "A tiny checkpoint",
    "system": "film-unet",
    "input": {"size": 64, "planes": ["axial"]},
    "text_encoder": {"id": "somewhere/encoder"},
    "trained_prompts": {"liver": {"modalities": ["CT", "MR"]}, "heart": {"modalities": ["CXR"]}},
    "licence": {"spdx": "CC-BY-4.0", "line": "Free with credit.", "permissive": True},
    "training": {
        "data": [
            {"name": "a", "licence": "x | y", "label_quality": "expert", "non_commercial": True}
        ],
        "steps": 7,
        "seed": 3,
        "commit": "abc",
    },
    "metrics": {"calibration": {"validation_dice": 0.7}},
}


def test_card_holds_licence_data_prompts_results_and_failures() -> None:
    text = card_text(CONFIG, "| results |", {"Known failures": "Small things."})
    for part in (
        "CC-BY-4.0",
        "Free with credit.",
        '-p "liver" -m tiny',
        "* **CT**: liver",
        "* **CXR**: heart",
        "| `a` | expert | x / y | yes |",
        "Steps 7, seed 3, commit `abc`",
        "presence gates, thresholds",
        "## Known failures\n\nSmall things.",
        "## Results\n\n| results |",
        "not for diagnosis",
    ):
        assert part in text, part


def test_card_names_synthetic_training_images() -> None:
    entry = {**CONFIG["training"]["data"][0], "synthetic": True}
    text = card_text({**CONFIG, "training": {"data": [entry]}}, "| results |", {})
    assert "| `a` | expert (the images are synthetic) |" in text


def _row(structure: str, case: str, dice: float | None, tp: int, fp: int, fn: int) -> CaseRow:
    names = ("iou", "precision", "recall", "hd", "hd95", "asd", "assd", "nsd")
    measures = dict.fromkeys(names, None if dice is None else 0.5)
    known: dict[str, Any] = {"model": "tiny", "mode": "text only", "dataset": "set", "unit": "mm"}
    return CaseRow(
        **known,
        **measures,
        case=case,
        structure=structure,
        prompt=structure,
        group=case,
        present=tp + fn > 0,
        outcome="found" if tp + fp else "not_found",
        dice=dice,
        tp=tp,
        fp=fp,
        fn=fn,
        reference_ml=(tp + fn) / 10,
        predicted_ml=None,
        max_probability=0.9 if tp + fp else 0.2,
        seconds=0.0,
    )


def _report(rows: list[CaseRow], unions: tuple[str, ...] = ()) -> Report:
    info = DatasetInfo("set", "Set", "CT", "expert", "expert", True, 4, 4, unions=unions)
    facts: dict[str, dict[str, Any]] = {"tiny": {}}
    return Report("test", "2026-01-01T00:00:00+00:00", "1", 2.0, facts, [info], rows)


@pytest.mark.parametrize(
    ("counts", "dice", "kind", "words"),
    [
        ((90, 10, 10), 0.9, None, "good"),
        ((0, 0, 50), 0.0, "missed", '"not found" although it is there (5 ml)'),
        ((2, 98, 98), 0.02, "elsewhere", "drawn in another place (10 ml)"),
        ((40, 0, 60), 0.57, "small", "covers 40 % of it (10 ml), 100 % of what is drawn is right"),
        ((95, 100, 5), 0.64, "large", "51 % of what is drawn lies outside (10 ml)"),
        (
            (50, 50, 50),
            0.5,
            "both",
            "covers 50 % of it (10 ml), 50 % of what is drawn lies outside",
        ),
    ],
)
def test_what_went_wrong_is_said_in_words(
    counts: tuple[int, int, int], dice: float, kind: str | None, words: str
) -> None:
    row = _row("liver", "a", dice, *counts)
    assert (kind_of(row), in_words(row)) == (kind, words)


def test_the_worst_case_is_the_one_furthest_below_its_structures_median() -> None:
    rows = [
        *(_row("liver", case, 0.9, 90, 10, 10) for case in "abc"),
        _row("liver", "d", 0.3, 30, 70, 70),
        *(_row("gland", case, 0.0, 0, 0, 50) for case in "abcd"),
        _row("both", "a", 0.0, 0, 0, 50),
    ]
    text = worst_cases(_report(rows, unions=("both",)), "tiny")
    table = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(table) == 1 and table[0].startswith(
        "| `set` | d | liver | 0.90 | 0.30 | covers 30 %"
    )
    assert "Of 8 structures that are there, 38 % reach a Dice of 0.8; 50 % " in text
    assert worst_cases(_report(rows[:3]), "tiny").count("| `set`") == 0
    assert worst_cases(_report([]), "tiny") == ""


def test_the_card_shows_a_plot_of_its_calibration_and_drops_an_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    values = {**CONFIG, "format": 1, "config": {}, "metrics": {}}
    (folder / "config.json").write_text(json.dumps(values))
    report = _report([_row("liver", "a", 0.9, 90, 10, 10), _row("liver", "b", None, 0, 0, 0)])
    counts = Calibration(np.full(10, 5), np.linspace(0, 5, 10), np.linspace(0, 4, 10))
    report.add_calibration(("tiny", "text only", "set", "liver"), counts)
    card = write_model_card(folder, [report]).read_text()
    assert "![Calibration of voxels and of answers](calibration.png)" in card
    with Image.open(folder / "calibration.png") as picture:
        assert min(picture.size) > 400
    report.calibration.clear()
    assert "calibration.png" not in write_model_card(folder, [report]).read_text()
    assert not (folder / "calibration.png").exists()
