"""`textpromptseg data`: layouts listed, an index and slices written, refusals in one line."""

from __future__ import annotations

from pathlib import Path

import fake_layouts
import pytest
from cli_bench import run

from TextPromptSegLib.data.datasets import Dataset


def test_an_index_is_shown_with_what_has_to_be_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = fake_layouts.mosmed(tmp_path / "MosMedDataPlus")
    assert run("data", "index", "mosmed", root, "--name", "mine") == 0
    shown = capsys.readouterr()
    assert "train" in shown.out and "infection 6" in shown.out and "'mine'" in shown.out
    assert "in more than one split, as published: 1" in shown.err
    assert Dataset.read(root).name == "mine"
    assert run("data", "kinds") == 0
    assert "figshare" in capsys.readouterr().out


def test_slices_are_cut_with_the_names_of_the_recipes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = fake_layouts.brats(tmp_path, 4)
    assert run("data", "index", "brats", root, "--slices", 1, "--seed", 3, "--val", 0.3) == 0
    assert "with whole tumor" in capsys.readouterr().out
    dataset = Dataset.read(root / "brats2021_t2")
    assert len(dataset.cases) == 4 and dataset.cases[0].id.startswith("BraTS2021_00000-")
    task = fake_layouts.msd(tmp_path / "msd", 4)
    words = ("--slices", 2, "--window", "-160:240")
    assert run("data", "index", "msd", task, *words) == 0
    assert set(Dataset.read(task / "msd_liver_slices").labels.values()) == {"liver"}


REFUSED = [
    (("btcv", "."), "holds no folders img and label"),
    (("cats", "."), "no layout 'cats'"),
    (("btcv", "nowhere"), "There is no folder"),
    (("btcv", ".", "--val", "0.6", "--test", "0.5"), "together below 1"),
    (("btcv", ".", "--window", "1:2"), "belong to --slices"),
    (("btcv", ".", "--slices", "1", "--window", "5"), "LOW:HIGH"),
]


@pytest.mark.parametrize(("words", "why"), REFUSED)
def test_what_cannot_be_indexed_is_one_line(
    words: tuple[str, ...],
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("data", "index", *words) == 2
    err = capsys.readouterr().err.strip()
    assert why in err and "\n" not in err
