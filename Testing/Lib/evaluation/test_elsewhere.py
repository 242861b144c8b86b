"""Names of other regions of the body: which they are, that they are asked, what the card says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from TextPromptSegLib.evaluation import evaluate
from TextPromptSegLib.evaluation.card import card_table, metrics_block
from TextPromptSegLib.evaluation.elsewhere import ASKED, ELSEWHERE, SEEN, elsewhere
from TextPromptSegLib.evaluation.ways import ways_of_asking
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference import answers
from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.prompting.segmentation import Segmentation
from TextPromptSegLib.prompting.vocabulary import Vocabulary

FACTS = {"spacing_mm": [1.0, 1.0, 1.0], "voxel_ml": 0.001, "slice_axis": 0, "postprocess": {}}
BOTH = {"modalities": ["CT", "MR"]}
TRAINED: dict[str, Any] = {
    "liver": BOTH,
    "left hippocampus": {"modalities": ["MR"]},
    "intracranial hemorrhage": {"modalities": ["CT"]},
    "glioma": BOTH,
    "edema": BOTH,
    "aorta": BOTH,
    "prostate": BOTH,
    "heart": BOTH,
    "own words": BOTH,
}


@pytest.mark.parametrize(
    ("region", "modality", "names"),
    [
        ("abdomen", "CT", ["glioma", "intracranial hemorrhage"]),
        ("abdomen", "MR", ["glioma", "left hippocampus"]),
        ("brain", "MR", ["aorta", "heart", "liver", "prostate"]),
        ("chest", "CT", ["glioma", "intracranial hemorrhage", "prostate"]),
        ("chest, abdomen, pelvis", "CT", ["glioma", "intracranial hemorrhage"]),
        ("hand", "CT", []),
        ("", "CT", []),
    ],
)
def test_only_what_cannot_be_seen_is_asked(region: str, modality: str, names: list[str]) -> None:
    assert elsewhere(TRAINED, region, modality) == names


@pytest.mark.parametrize("region", SEEN)
def test_a_structure_of_the_region_itself_is_never_elsewhere(region: str) -> None:
    vocabulary = Vocabulary.load()
    here = {s.name: BOTH for s in vocabulary if region in vocabulary.regions(s.name)}
    assert not elsewhere(here, region, "CT")


class Inventor:
    """Finds the liver, and gliomas everywhere."""

    config = {"trained_prompts": TRAINED}

    def set_volume(self, volume: Volume) -> None:
        self.shape = volume.shape

    def segment(self, prompts: list[str]) -> list[Segmentation]:
        found = []
        for prompt in prompts:
            probability = np.full(self.shape, 0.02, np.float16)
            if prompt in ("liver", "glioma"):
                probability[:, 2:6, 2:6] = 0.9
            found.append(answers.answer(parse_prompts(prompt)[0], probability, 0.5, 0.0, FACTS))
        return found


def test_what_is_invented_is_counted_apart(tmp_path: Path) -> None:
    label = np.zeros((8, 8), np.uint8)
    label[2:6, 2:6] = 1
    cases = []
    for name in ("one", "two", "three"):
        for kind, picture in (("image", label * 99), ("label", label)):
            Image.fromarray(picture).save(tmp_path / f"{name}_{kind}.png")
        files = {"image": f"{name}_image.png", "label": f"{name}_label.png"}
        cases.append({"id": name, "patient": name, "split": "test", "present": ["liver"], **files})
    facts = {"name": "belly", "modality": "CT", "body_region": "abdomen", "labels": {"1": "liver"}}
    (tmp_path / "dataset.json").write_text(json.dumps({**facts, "cases": cases}))
    report = evaluate(
        ["any"],
        [tmp_path],
        predictor_factory=lambda _: Inventor(),
        modes=ways_of_asking(["name", "elsewhere"]),
    )
    asked = [row for row in report.rows if row.mode == ELSEWHERE]
    assert len(asked) == 3 * min(ASKED, 2) and not any(row.present for row in asked)
    assert {row.structure for row in asked if row.false_alarm} == {"glioma"}
    table = card_table(report, "any")
    assert f'Asked for {ELSEWHERE}: 50.0 % (3 of 6) answered "found".' in table
    plain = metrics_block(report, "any")["datasets"]["belly"]
    assert plain["absent"]["pairs"] == 0 and set(plain["structures"]) == {"liver"}
