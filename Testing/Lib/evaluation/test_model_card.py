"""The model card says what the configuration and the report hold."""

from __future__ import annotations

from typing import Any

from TextPromptSegLib.evaluation.model_card import card_text

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
