"""Asking in a person's own words: text as typed, geometry by the rules, a stricter presence."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from toy_segmenter import phantom, toy_checkpoint, toy_predictor

from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference.composition import FREE_PRESENCE
from TextPromptSegLib.inference.own_words import nearest
from TextPromptSegLib.inference.predictor import SlicePredictor
from TextPromptSegLib.inference.targets import Refusal, Target
from TextPromptSegLib.outcome import Outcome
from TextPromptSegLib.text.features import TextFeatures

PLACES = {"liver": 0.3, "spleen": 0.6}
LEFT, RIGHT = (
    (slice(4, 14), slice(8, 20), slice(40, 54)),
    (slice(4, 14), slice(8, 20), slice(10, 24)),
)


class Directions:
    """An encoder whose texts are directions in a plane, so that some are alike."""

    def encode(self, texts: list[str]) -> TextFeatures:
        angles = {"hepatic gland": 0.1, "liver": 0.0, "spleen": 0.8, "bladder": 3.0}
        angle = torch.tensor([angles[text] for text in texts])
        pooled = torch.stack([angle.cos(), angle.sin()], 1)
        return TextFeatures(pooled[:, None], torch.ones(len(texts), 1, dtype=torch.bool), pooled)


def predictor(words: str = "spongy thing", place: float = 0.3) -> SlicePredictor:
    made = toy_predictor(PLACES)
    made._text_encoder.places[words] = place
    return made


def image() -> Volume:
    return phantom({0.3: [LEFT, RIGHT], 0.6: [(slice(16, 22), slice(30, 40), slice(30, 40))]})


def test_unknown_words_are_asked_as_they_were_typed() -> None:
    made = predictor()
    made.set_volume(image())
    (refused,) = made.segment("spongy thing")
    assert refused.outcome is Outcome.UNKNOWN_PROMPT
    (answer,) = made.segment("spongy thing", free_text=True)
    assert "spongy thing" in made._text_encoder.encoded
    assert answer.outcome is Outcome.FOUND and answer.mask[LEFT].all() and answer.mask[RIGHT].all()
    assert 'not in the vocabulary, asked in your words: "spongy thing"' in answer.message
    assert "nearest known names: liver 1.00, spleen 1.00" in answer.message
    assert answer.provenance["trained_prompts"] == []
    assert answer.provenance["free_text"]["words"] == "spongy thing"
    assert [n["name"] for n in answer.provenance["free_text"]["nearest"]] == ["liver", "spleen"]
    (quoted,) = made.segment('"spongy thing"')
    assert (quoted.mask == answer.mask).all()


def test_sides_thirds_and_subtraction_are_cut_by_geometry() -> None:
    made = predictor()
    made.set_volume(image())
    left, top, rest = made.segment(
        [
            'left "spongy thing"',
            'upper third of the "spongy thing"',
            'spleen without "spongy thing"',
        ]
    )
    assert left.mask[LEFT].all() and not left.mask[RIGHT].any()
    assert top.mask.any(axis=(1, 2)).sum() == pytest.approx(10 / 3, abs=1)
    assert rest.outcome is Outcome.FOUND and "your words" in rest.message


def test_a_stricter_presence_decides() -> None:
    for presence, found in ((FREE_PRESENCE - 0.1, False), (FREE_PRESENCE + 0.1, True)):
        checkpoint = toy_checkpoint(PLACES)
        checkpoint.text_encoder.places["spongy thing"] = 0.3
        logit = float(torch.logit(torch.tensor(presence)))

        def steady(features: Any, text: Any, value: float = logit) -> torch.Tensor:
            return torch.full((len(features[0]),), value)

        checkpoint.model.presence = steady  # type: ignore[method-assign]
        made = SlicePredictor(checkpoint, "cpu", "float32", batch=4)
        made.set_volume(image())
        liver, thing = made.segment(["liver", '"spongy thing"'])
        assert liver.outcome is Outcome.FOUND
        assert (thing.outcome is Outcome.FOUND) == found


def test_it_is_told_before_the_run() -> None:
    made = predictor()
    (target,) = made.resolve("spongy thing", free_text=True)
    assert isinstance(target, Target) and target.threshold == 0.5
    assert [name for name, _alike in target.alike] == ["liver", "spleen"]
    (plain,) = made.resolve("spongy thing")
    assert isinstance(plain, Refusal)
    assert "nearest in meaning: liver 1.00, spleen 1.00" in plain.message
    assert 'write "spongy thing" in quotation marks' in plain.message


def test_the_nearest_names_are_by_meaning() -> None:
    found = nearest(Directions(), "hepatic gland", ["bladder", "spleen", "liver"])
    assert [name for name, _alike in found] == ["liver", "spleen", "bladder"]
    assert found[0][1] == pytest.approx(0.995, abs=0.001)
    assert nearest(Directions(), "liver", []) == []
