"""The commands around the papers: `train --row`, `paper`, `models show --cost`."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cli_bench import run

from TextPromptSegLib.evaluation.papers import runs as papers_runs
from TextPromptSegLib.inference.cost import Cost, Part


def test_train_hands_rows_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[Any] = []

    def train_rows(recipe: Any, row: Any, seeds: int, data: Any, out: Any, **more: Any) -> Any:
        calls.append((recipe.name, row, seeds, data, out, more["split"], more["resume"]))
        return [out / "table_6_plus_cbn" / "seed_0"]

    monkeypatch.setattr(papers_runs, "train_rows", train_rows)
    plan = {"name": "r", "system": "film-unet", "config": {}, "input": {}, "data": []}
    (tmp_path / "r.json").write_text(json.dumps(plan))
    asked = ["train", tmp_path / "r.json", "--data", "a", "--out", tmp_path / "out"]
    assert run(*asked, "--row", "table 6/+CBN", "--seeds", "10") == 0
    assert "seed_0" in capsys.readouterr().out
    assert run(*asked, "--seeds", "2", "--measure", "none", "--resume") == 0
    out = tmp_path / "out"
    assert calls == [
        ("r", "table 6/+CBN", 10, [Path("a")], out, "test", False),
        ("r", None, 2, [Path("a")], out, None, True),
    ]
    capsys.readouterr()
    assert run(*asked, "--seeds", "2", "--measure", "all") == 2
    assert run(*asked, "--seeds", "2", "--export-only") == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_paper_prints_every_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("paper", "patch-unet-vae", "--out", tmp_path / "out") == 0
    text = capsys.readouterr().out
    for word in ("Prompt-Guided Patch UNet-VAE", "table 1", "0.001578", "table 2", "24.36"):
        assert word in text
    made = (tmp_path / "out" / "tables.md").read_text(encoding="utf-8")
    assert "page 5" in made and "Here: not run." in made
    assert run("paper", "nobody") == 2
    assert run("paper", "film-unet", tmp_path / "nowhere") == 2
    assert run("paper", "film-unet", tmp_path) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 3 and "--row" in errors[2]


def test_models_show_cost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = tuple(Part(name, 1000, 0, 0.5, 10.0, 3.0) for name in ("text", "image", "decoder"))
    cost = Cost((64, 64), "cpu", steps, (Part("encoder", 2_000_000, 1_000_000, 1.0),))
    monkeypatch.setattr(
        "TextPromptSegLib.inference.loaded_checkpoint.load", lambda *a: SimpleNamespace()
    )
    monkeypatch.setattr("TextPromptSegLib.inference.cost.measure_cost", lambda loaded: cost)
    assert run("models", "show", "x", "--cost", "--device", "cpu") == 0
    text = capsys.readouterr().out
    assert "2,000,000" in text and "1.00 GMAC = 2.00 GFLOP, 20.0 ms, 50.0 FPS, 11 MB" in text
    assert run("models", "show", "x", "--cost", "--json") == 0
    assert json.loads(capsys.readouterr().out)["measures"]["fps"] == 50.0


def test_a_structure_may_be_asked_by_another_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Zero-shot tables ask a data set's label in words that the run was trained on."""
    asked: list[Any] = []

    def evaluate(models: Any, sets: Any, **more: Any) -> Any:
        asked.append(more["prompts"])
        return SimpleNamespace(rows=[], dataset_summaries=[], structures=[], failures=[])

    monkeypatch.setattr("TextPromptSegLib.evaluation.evaluate", evaluate)
    monkeypatch.setattr("TextPromptSegLib.cli.training.show_licence", lambda model: None)
    words = ("--structure", "whole tumor = glioma", "--structure", "edema")
    assert run("evaluate", "-m", "x", "--data", tmp_path, *words) == 2, "no case was asked"
    assert asked == [{"whole tumor": "glioma", "edema": "edema"}]
    capsys.readouterr()
    assert run("evaluate", "-m", "x", "--data", tmp_path, "--structure", "=glioma") == 2
    assert "NAME=TEXT" in capsys.readouterr().err
