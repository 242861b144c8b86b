"""Report sentences as prompts: read whole, and compared with what was found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from toy_segmenter import HALF_WIDTH, ToySegmenter, phantom, toy_predictor

from TextPromptSegLib import parse_prompts
from TextPromptSegLib.inference.agreement import disagreements
from TextPromptSegLib.inference.targets import Resolver, Target
from TextPromptSegLib.prompting.clinical_text import name_of, query, text_of
from TextPromptSegLib.prompting.vocabulary import Vocabulary

REPORT = "Bilateral pulmonary infection, two infected areas, upper left lung and lower right lung."
SHAPE = (1, 60, 100)


def boxes(*places: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    for top, bottom, first, last in places:
        mask[0, top:bottom, first:last] = 1
    return mask


LUNGS = {"left": boxes((0, 60, 60, 90)), "right": boxes((0, 60, 10, 40))}
BODY = boxes((0, 60, 0, 100)).astype(np.float32) * 100
UPPER_LEFT, LOWER_LEFT = (2, 15, 65, 80), (45, 58, 65, 80)
LOWER_RIGHT, UPPER_RIGHT = (45, 58, 15, 30), (2, 15, 15, 30)


def said_of(text: str, mask: np.ndarray, lungs: Any = LUNGS) -> tuple[str, ...]:
    (prompt,) = parse_prompts(text)
    return disagreements(prompt, mask, BODY, "CXR", lungs, np.diag([-1.0, -1, 1, 1]), True)


def test_a_report_keeps_its_words_and_plain_names_have_none() -> None:
    (prompt,) = parse_prompts(REPORT)
    assert prompt.report == REPORT
    assert prompt.attributes["number"] == "two" and len(prompt.zones) == 2
    assert prompt.to_dict()["report"] == REPORT
    assert parse_prompts("pulmonary infection")[0].report == ""
    assert parse_prompts("left kidney, spleen")[0].report == ""
    # two findings: each gets its own sentence
    first, second = parse_prompts("Bilateral infection, left lung. Unilateral opacity, left lung.")
    assert first.report == "Bilateral infection, left lung"
    assert second.report == "Unilateral opacity, left lung"


@pytest.mark.parametrize("lungs", [LUNGS, None])
def test_a_mask_that_agrees_gets_no_note(lungs: Any) -> None:
    assert said_of(REPORT, boxes(UPPER_LEFT, LOWER_RIGHT), lungs) == ()
    assert said_of(REPORT, boxes(), lungs) == ()


@pytest.mark.parametrize(
    ("text", "mask", "expected"),
    [
        (
            "Unilateral pulmonary infection, one infected area, left lung.",
            boxes(UPPER_RIGHT),
            ["the text says left, the mask lies right"],
        ),
        (
            "Unilateral pulmonary infection, one infected area, left lung.",
            boxes(UPPER_LEFT, LOWER_RIGHT),
            [
                "the text says left only, 50 % of the mask lies right",
                "the text says one, the mask has 2 parts",
            ],
        ),
        (
            REPORT,
            boxes(UPPER_LEFT),
            [
                "the text says both sides, the mask lies left only",
                "the text says two, the mask has 1 part",
            ],
        ),
        (
            REPORT,
            boxes(LOWER_LEFT, LOWER_RIGHT),
            ["the text says upper left, 100 % of the mask there lies elsewhere"],
        ),
        (
            "Unilateral pulmonary infection.",
            boxes(UPPER_LEFT, UPPER_RIGHT),
            ["the text says one side, the mask lies on both"],
        ),
        (
            "Multiple bilateral lung opacities.",
            boxes(UPPER_LEFT, UPPER_RIGHT),
            [],
        ),
    ],
)
def test_what_does_not_agree_is_said(text: str, mask: np.ndarray, expected: list[str]) -> None:
    assert list(said_of(text, mask)) == expected


def test_only_checkpoints_that_learned_reports_are_asked_with_them() -> None:
    vocabulary = Vocabulary.load()
    (prompt,) = parse_prompts("Unilateral pulmonary infection, one infected area, left lung.")
    trained: dict[str, Any] = {"pulmonary infection": {}, "left lung": {}, "right lung": {}}
    plain = Resolver(trained, vocabulary, "CXR").resolve(prompt)
    assert isinstance(plain, Target) and plain.side == "left" and not plain.check
    trained["pulmonary infection"] = {"reports": True, "threshold": 0.4}
    target = Resolver(trained, vocabulary, "CXR").resolve(prompt)
    assert isinstance(target, Target) and target.check and target.side is None
    assert target.names == (query("pulmonary infection", prompt.report),)
    assert name_of(target.names[0]) == "pulmonary infection" and target.threshold == 0.4
    assert text_of(target.names[0], "find {x}") == prompt.report
    assert text_of("liver", "find {x}") == "find liver"
    assert target.groups() == {target.names, ("left lung",), ("right lung",)}
    (bare,) = parse_prompts("pulmonary infection")
    assert Resolver(trained, vocabulary, "CXR").resolve(bare).names == ("pulmonary infection",)  # type: ignore[union-attr]


class Listener(ToySegmenter):
    """Finds its structure whatever the words are, and keeps the words."""


def test_the_encoder_gets_the_whole_text_and_the_answer_says_what_disagrees() -> None:
    level = 0.3
    left, right = (
        (slice(4, 14), slice(8, 20), slice(40, 56)),
        (slice(4, 14), slice(8, 20), slice(4, 20)),
    )
    predictor = toy_predictor(
        {"pulmonary infection": level, "Unilateral infection, left lung": level}, model=Listener()
    )
    predictor.config["trained_prompts"]["pulmonary infection"]["reports"] = True  # type: ignore[index]
    heard: list[str] = []
    encode = predictor._text_encoder.encode

    def listen(texts: Any) -> Any:
        heard.extend(texts)
        return encode(texts)

    predictor._text_encoder.encode = listen
    predictor._text_encoder.max_length = 3
    predictor._text_encoder.truncated = lambda text: len(text.split()) > 3
    predictor.set_volume(phantom({level: [right], level + 3 * HALF_WIDTH: [left]}))
    (answer,) = predictor.segment("Unilateral infection, left lung")
    assert heard == ["Unilateral infection, left lung"]
    assert answer.mask[right].all() and answer.outcome.value == "found"
    assert "the text says left, the mask lies right" in answer.message
    assert "more than the 3 tokens" in answer.message
    assert answer.provenance["trained_prompts"] == ["pulmonary infection"]
    heard.clear()
    (bare,) = predictor.segment("pulmonary infection")
    assert heard == ["pulmonary infection"] and "the text says" not in bare.message
