"""From reports to tiers: what counts, what does not, and the card that tells it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from evaluation_bench import Fake, write_case, write_set
from tiny_checkpoint import save_tiny

from TextPromptSegLib import cli
from TextPromptSegLib.checkpoints.layout import CARD, read_config
from TextPromptSegLib.evaluation import Report, evaluate
from TextPromptSegLib.evaluation.measured import measured_of, with_quality
from TextPromptSegLib.evaluation.model_card import own_sections, write_model_card
from TextPromptSegLib.evaluation.report_files import write_report
from TextPromptSegLib.outcome import InputError

NAMES = ("liver", "spleen", "left kidney", "right kidney", "pancreas")
TRAINED = {name: {"modalities": ["CT", "MR"], "threshold": 0.5} for name in NAMES}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_tiny(tmp_path / "tiny", trained_prompts=TRAINED)


def report_of(folder: Path, paths: list[Path], split: str = "test", **fake: Any) -> Report:
    made = Fake(**fake)
    made.config |= {"weights_sha256": read_config(folder)["weights_sha256"]}
    return evaluate([str(folder)], paths, split=split, predictor_factory=lambda _: made)


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Two liver cases, one of which the fake misses; one spleen; both kidneys."""
    cases = [
        write_case(tmp_path / "a", "one", ["liver", "spleen"], ["liver", "spleen"]),
        write_case(tmp_path / "a", "two", [], ["liver"]),
        write_case(tmp_path / "a", "three", *[["left kidney", "right kidney"]] * 2),
    ]
    return write_set(tmp_path / "a", cases)


def test_the_mean_over_the_cases_that_show_it(folder: Path, scans: Path) -> None:
    found = measured_of(report_of(folder, [scans]), read_config(folder))
    assert found["liver"] == {"MR": {"dice": 0.5, "n": 2, "labels": "expert"}}
    assert found["spleen"] == {"MR": {"dice": 1.0, "n": 1, "labels": "expert"}}
    assert set(found) == {"liver", "spleen", "left kidney", "right kidney"}  # no union, no absent


def test_expert_labels_count_before_others_and_synthetic_images_never(
    tmp_path: Path, folder: Path, scans: Path
) -> None:
    more = [write_case(tmp_path / "b", "b", ["liver", "spleen"], ["liver", "spleen"])]
    other = write_set(tmp_path / "b", more, "set_b", label_quality="automatic", modality="CT")
    missed = [write_case(tmp_path / "c", "c", [], ["liver"])]
    rough = write_set(tmp_path / "c", missed, "set_c", label_quality="automatic")
    drawn = [write_case(tmp_path / "d", "d", ["left kidney"], ["right kidney"])]
    fake = write_set(tmp_path / "d", drawn, "set_d", caution="The images are SYNTHETIC: drawn.")
    found = measured_of(report_of(folder, [scans, other, rough, fake]), read_config(folder))
    assert found["liver"]["MR"] == {"dice": 0.5, "n": 2, "labels": "expert"}
    assert found["liver"]["CT"] == {"dice": 1.0, "n": 1, "labels": "automatic"}
    assert found["right kidney"]["MR"]["dice"] == 1.0


def test_every_trained_prompt_gets_a_tier(folder: Path, scans: Path) -> None:
    config = with_quality(read_config(folder), [report_of(folder, [scans])])
    tiers = {name: entry["tier"] for name, entry in config["trained_prompts"].items()}
    assert tiers == {
        "liver": "fair", "spleen": "good", "left kidney": "good", "right kidney": "good",
        "pancreas": "experimental",
    }  # fmt: skip
    assert config["trained_prompts"]["liver"]["threshold"] == 0.5


def test_other_weights_other_models_and_no_test_split_are_refused(
    tmp_path: Path, folder: Path, scans: Path
) -> None:
    config = read_config(folder)
    report = report_of(folder, [scans])
    with pytest.raises(InputError, match="other weights"):
        with_quality({**config, "weights_sha256": "0" * 64}, [report])
    with pytest.raises(InputError, match="holds nothing of other"):
        with_quality({**config, "name": "other"}, [report])
    case = {**write_case(tmp_path / "v", "v", ["liver"], ["liver"]), "split": "val"}
    val = report_of(folder, [write_set(tmp_path / "v", [case])], "val")
    with pytest.raises(InputError, match="None of the reports is of the test split"):
        with_quality(config, [val])
    with pytest.raises(InputError, match="of one split"):
        write_model_card(folder, [report, report])
    once = with_quality(config, [report])
    both = with_quality(once, [val])["trained_prompts"]["liver"]  # the test split stays
    assert both["tier"] == "fair" and both["measured"]["test"] == {
        "MR": {"dice": 0.5, "n": 2, "labels": "expert"}
    }
    assert list(both["measured"]) == ["val", "test"]


def test_the_command_writes_tiers_and_a_card_with_the_splits_side_by_side(
    tmp_path: Path, folder: Path, scans: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = folder / CARD
    card.write_text(card.read_text() + "\n## What it is\n\nOld.\n\n## Known failures\n\nSpecks.\n")
    case = {**write_case(tmp_path / "v", "v", ["liver"], ["liver"]), "split": "val"}
    val = report_of(folder, [write_set(tmp_path / "v", [case])], "val")
    files = []
    for report in (report_of(folder, [scans]), val):
        write_report(report, tmp_path / report.split)
        files.append(str(tmp_path / report.split / "report.json"))
    assert cli.main(["models", "card", str(folder), *files]) == 0
    assert str(card) in capsys.readouterr().out.replace("\n", "")
    text = card.read_text(encoding="utf-8")
    assert "| MR | liver | fair | – | 1.000 (1) | 0.500 (2) |" in text
    assert "| MR | pancreas | experimental | – | – | – |" in text
    assert text.index("| MR | spleen |") < text.index("| MR | liver |")  # the best come first
    assert "## Known failures\n\nSpecks." in text and "Old." not in text and "## Results" in text
    config = read_config(folder)
    assert config["trained_prompts"]["spleen"]["tier"] == "good"
    assert config["metrics"]["test"]["datasets"]["set_a"]["structures"]["liver"]["n"] == 2
    assert cli.main(["models", "show", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tiers"]["liver"] == "fair"
    assert cli.main(["models", "show", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "experimental pancreas" in shown.replace("  ", " ")
    assert cli.main(["models", "card", str(folder), str(tmp_path / "none.json")]) == 2


def test_sections_of_a_card() -> None:
    text = (
        "# T\n\nintro\n\n## What may be asked (3 structures)\n\nx\n\n## Limits\n\na\n\n### b\n\nc\n"
    )
    assert own_sections(text) == {"Limits": "a\n\n### b\n\nc"}
