"""Everything, all organs, all: what the checkpoint knows well, written out before the run."""

from __future__ import annotations

from typing import Any

import pytest
from toy_segmenter import phantom, toy_predictor

from TextPromptSegLib.inference.everything import expand, known_well, sentence
from TextPromptSegLib.inference.prospect import prospects
from TextPromptSegLib.outcome import Outcome
from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.prompting.vocabulary import Vocabulary

VOCABULARY = Vocabulary.load()
TRAINED: dict[str, dict[str, Any]] = {
    "liver": {"modalities": ["CT", "MR"]},
    "kidneys": {"modalities": ["CT"]},
    "left kidney": {"modalities": ["CT"]},
    "right kidney": {"modalities": ["CT"]},
    "lungs": {"modalities": ["CXR"]},
    "lung nodule": {"modalities": ["CT"]},
    "aorta": {"modalities": ["CT"]},
    "hippocampus": {"modalities": ["MR"]},
}


def names(text: str, modality: str | None = "CT", trained: Any = TRAINED) -> list[str]:
    """Return the names of what a text means for a checkpoint."""
    return [p.name for p in expand(parse_prompts(text), trained, VOCABULARY, modality)]


@pytest.mark.parametrize("text", ["everything", "all", "segment everything", "every structure"])
def test_everything_is_what_was_trained_for_such_images(text: str) -> None:
    assert names(text) == ["liver", "left kidney", "right kidney", "lung nodule", "aorta"]
    assert names(text, "MR") == ["liver", "hippocampus"]


def test_organs_leave_findings_out_and_regions_limit() -> None:
    assert names("all organs") == ["liver", "left kidney", "right kidney", "aorta"]
    assert names("everything in the chest") == ["lung nodule", "aorta"]
    assert names("all organs in the head", "MR") == ["hippocampus"]
    assert names("alle Organe, lung nodule")[-1] == "lung nodule"
    assert names("liver, everything").count("liver") == 1


def test_only_what_is_known_well_where_that_was_measured() -> None:
    trained = {name: dict(entry, tier="fair") for name, entry in TRAINED.items()}
    trained["liver"]["tier"] = "good"
    (prompt,) = parse_prompts("everything")
    assert known_well(prompt, trained, VOCABULARY, "CT") == (["liver"], 5)
    said = sentence(prompt, trained, VOCABULARY, "CT")
    assert said == (
        "'everything' means 1 structures: liver; 5 that it knows less well are left out"
    )
    (prospect,) = prospects([prompt], trained)
    assert "liver" in prospect.warning and not prospect.refusal


def test_a_part_of_it_is_not_everything() -> None:
    for text, name in (("all left lung", "left lung"), ("all kidneys", "kidneys")):
        (prompt,) = parse_prompts(text)
        assert prompt.name == name and not prompt.everything
    (prompt,) = parse_prompts("everything in the chest")
    assert prompt.answerable and not prompt.known
    assert parse_prompts(prompt.phrase())[0].everything == "chest"


def test_the_predictor_answers_each_of_them() -> None:
    made = toy_predictor({"liver": 0.3, "spleen": 0.6})
    made.set_volume(phantom({0.3: [(slice(4, 9), slice(8, 20), slice(8, 20))]}))
    found = made.segment("everything")
    assert [s.prompt.name for s in found] == ["liver", "spleen"]
    assert [s.outcome is Outcome.FOUND for s in found] == [True, False]
    (nothing,) = made.segment("all organs in the head")
    assert nothing.outcome is Outcome.UNKNOWN_PROMPT and "known well here" in nothing.message
