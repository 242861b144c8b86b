"""Evaluation beyond the name: report texts, samples, calibration, uncertainty against error."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from TextPromptSegLib.data.phrases import unseen_wordings
from TextPromptSegLib.evaluation import evaluate
from TextPromptSegLib.evaluation.card import card_table
from TextPromptSegLib.evaluation.report import Report
from TextPromptSegLib.evaluation.ways import measure_pixels, measure_samples, ways_of_asking
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference import answers
from TextPromptSegLib.inference.targets import Resolver, Target
from TextPromptSegLib.metrics import AGREEMENT, calibration_counts, uncertainty_error
from TextPromptSegLib.outcome import InputError
from TextPromptSegLib.prompting.clinical_text import query
from TextPromptSegLib.prompting.prompt import Prompt
from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.prompting.segmentation import Segmentation
from TextPromptSegLib.prompting.vocabulary import Vocabulary

FACTS = {"spacing_mm": [1.0, 1.0, 1.0], "voxel_ml": 0.001, "slice_axis": 0, "postprocess": {}}
TEXTS = ["Infection in the left lung.", "Infection in the right lung.", None]
LEFT, RIGHT = (slice(0, 1), slice(4, 20), slice(22, 36)), (slice(0, 1), slice(4, 20), slice(4, 18))


class Reader:
    """Finds the infection where the text says, on the left without a text."""

    def __init__(self, reports: bool = True) -> None:
        entry = {"reports": True} if reports else {}
        self.config = {"trained_prompts": {"pulmonary infection": entry}}
        self.heard: list[str] = []

    def set_volume(self, volume: Volume) -> None:
        self.shape = volume.shape

    def segment(self, prompts: list[Any], samples: int | None = None) -> list[Segmentation]:
        return [self._one(p, samples) for p in prompts]

    def _one(self, asked: Any, samples: int | None) -> Segmentation:
        prompt = asked if isinstance(asked, Prompt) else parse_prompts(asked)[0]
        said = prompt.report or prompt.free_text or prompt.name
        self.heard.append(said)
        probability = np.full(self.shape, 0.02, np.float16)
        place = RIGHT if "right" in said else LEFT
        probability[place] = 0.8
        if samples:
            probability[0, 4:20, 18:22] = 0.3
        found = answers.answer(prompt, probability, 0.5, 0.0, FACTS)
        if not samples:
            return found
        spread = np.zeros(self.shape, np.float16)
        spread[0, 4:20, 18:22] = 0.4
        return replace(found, uncertainty=spread, candidates=(found.mask,) * samples)


@pytest.fixture
def chest(tmp_path: Path) -> Path:
    folder = tmp_path / "chest"
    folder.mkdir()
    Image.fromarray(np.full((24, 40), 90, np.uint8)).save(folder / "image.png")
    cases = []
    for number, text in enumerate(TEXTS):
        label = np.zeros((1, 24, 40), np.uint8)
        label[RIGHT if text and "right" in text else LEFT] = 1
        Image.fromarray(label[0]).save(folder / f"{number}.png")
        case = {"id": str(number), "image": "image.png", "label": f"{number}.png"}
        case |= {"split": "test", "present": ["infection"], **({"text": text} if text else {})}
        cases.append(case)
    values = {"name": "chest", "modality": "CXR", "labels": {"1": "infection"}, "cases": cases}
    (folder / "dataset.json").write_text(json.dumps(values))
    return folder


def run(folder: Path, reader: Reader, **options: Any) -> Report:
    return evaluate(["m"], [folder], predictor_factory=lambda name: reader, **options)


def test_own_text_is_compared_with_that_of_another_case(chest: Path) -> None:
    reader = Reader()
    modes = ways_of_asking(["name", "own", "shuffled"])
    report = run(chest, reader, modes=modes, with_text=True)
    assert {r.case for r in report.rows} == {"0", "1"}
    dice = {(r.mode, r.case): r.dice for r in report.rows}
    assert dice["own report text", "0"] == dice["own report text", "1"] == 1
    assert dice["another case's text", "0"] == dice["another case's text", "1"] == 0
    assert dice["text only", "0"] == 1 and dice["text only", "1"] == 0
    assert set(reader.heard) == {"pulmonary infection", *TEXTS[:2]}
    deaf = Reader(reports=False)
    run(chest, deaf, modes=modes, with_text=True)
    assert set(deaf.heard) == {"pulmonary infection"}


def test_a_text_made_from_the_reference_says_where_it_is(chest: Path) -> None:
    reader = Reader()
    report = run(chest, reader, modes=ways_of_asking(["described"]))
    assert [r.dice for r in report.rows] == [1, 1, 1]
    assert reader.heard[1] == "unilateral pulmonary infection, one infected area, right lung."


def test_unseen_words_reach_the_network_and_the_card(chest: Path) -> None:
    reader = Reader()
    report = run(chest, reader, modes=ways_of_asking(["name", "unseen"]))
    words = unseen_wordings("pulmonary infection", Vocabulary.load())
    assert len(set(reader.heard)) >= 3 and set(reader.heard) <= {"pulmonary infection", *words}
    titles = {row.mode for row in report.rows}
    assert titles == {"text only", "same structure in unseen words"}
    table = card_table(report, report.rows[0].model)
    assert "The same structure in unseen words: Mean Dice over 1 structure" in table
    (prompt,) = parse_prompts("pulmonary infection")
    trained = {"pulmonary infection": {"threshold": 0.4, "modalities": ["CXR"]}}
    target = Resolver(trained, Vocabulary.load()).resolve(replace(prompt, free_text=words[0]))
    assert isinstance(target, Target) and target.threshold == 0.4
    assert target.names == (query("pulmonary infection", words[0]),)


def test_samples_are_measured_and_written(chest: Path, tmp_path: Path) -> None:
    modes = ways_of_asking([], 3)
    extras = [measure_samples, measure_pixels]
    report = run(chest, Reader(), modes=modes, extras=extras, report_dir=tmp_path / "out")
    plain, drawn = report.structures
    assert (plain.mode, drawn.mode) == ("text only", "3 samples")
    assert "uncertainty_error" not in plain.extras
    assert drawn.extras["diversity"] == 0 and "hd_px" in plain.extras
    assert set(drawn.extras) >= {"uncertainty_error", "ged2", "best_candidate", "asd_px"}
    assert drawn.record()["uncertainty_error"] == drawn.extras["uncertainty_error"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Can the probabilities be trusted?" in page
    assert "uncertainty–error correlation" in page and "ECE" in page
    again = Report.read(tmp_path / "out" / "report.json")
    assert again.structures[0].ece == pytest.approx(plain.ece, abs=1e-4)
    assert plain.ece == pytest.approx(_ece_by_hand(), abs=2e-3)


def test_a_system_whose_paper_reports_agreement_is_measured_by_it(
    chest: Path, tmp_path: Path
) -> None:
    plain, film = Reader(), Reader()
    film.config["system"] = "film-unet"
    assert "kappa" not in run(chest, plain).structures[0].extras
    report = run(chest, film, report_dir=tmp_path / "out")
    extras = report.structures[0].extras
    assert set(extras) == set(AGREEMENT)
    assert extras["f1"] == pytest.approx(report.structures[0].stats["dice"].mean)
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Agreement over all pixels" in page and f"{extras['kappa']:.4f}" in page
    assert "average_precision" in (tmp_path / "out" / "cases.csv").read_text().split("\n")[0]


def _ece_by_hand() -> float:
    """Two answers are right with 0.8 inside; the third says 0.8 outside and 0.02 inside."""
    return (3 * abs(0.8 - 2 / 3) + 0.98) / 4


def test_the_words_of_the_option_are_checked() -> None:
    with pytest.raises(InputError, match="--ask loudly must be one of name, own, shuffled"):
        ways_of_asking(["loudly"])
    with pytest.raises(InputError, match="1 or more"):
        ways_of_asking([], 0)
    assert list(ways_of_asking([])) == ["text only"]


def test_uncertainty_error_by_hand() -> None:
    truth = np.array([1, 1, 0, 0, 0])
    p = np.array([0.9, 0.5, 0.5, 0.1, 0.0], np.float32)
    error = np.array([0.1, 0.5, 0.5, 0.1])
    spread = np.array([0.02, 0.3, 0.2, 0.05, 0.0])
    expected = np.corrcoef(spread[:4], error)[0, 1]
    assert uncertainty_error(spread, p, truth) == pytest.approx(expected, abs=1e-6)
    assert uncertainty_error(spread, p, truth) == pytest.approx(
        uncertainty_error(np.append(spread, 0), np.append(p, 0), np.append(truth, 0))  # type: ignore[arg-type]
    )
    assert uncertainty_error(np.zeros(5), p, truth) is None
    assert uncertainty_error(spread, np.zeros(5), np.zeros(5)) is None
    counts = calibration_counts(p, truth, above=0.05)
    assert counts.counts.sum() == 4
