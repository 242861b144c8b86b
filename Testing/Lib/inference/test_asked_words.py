"""What a checkpoint of an open vocabulary is asked, and what is cut out of its answer."""

from __future__ import annotations

import pytest

from TextPromptSegLib.checkpoints.layout import ANYTHING
from TextPromptSegLib.inference.prospect import prospects
from TextPromptSegLib.inference.targets import Refusal, Resolver, Target
from TextPromptSegLib.prompting.clinical_text import text_of
from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.prompting.vocabulary import Vocabulary

OPEN = {ANYTHING: {"threshold": 0.4}}


def resolve(text: str) -> Target | Refusal:
    (prompt,) = parse_prompts(text)
    return Resolver(OPEN, Vocabulary.load(), "CT").resolve(prompt)


@pytest.mark.parametrize(
    ("typed", "asked", "side"),
    [
        ("liver", "liver", None),
        ("segment the left kidney", "kidney", "left"),
        ("kidneys", "kidneys", None),
        ("renal cyst", "renal cyst", None),
        ("Leber", "liver", None),
        ("linke Niere", "kidney", "left"),
        ("left ventricle", "left ventricle", None),
        ('"bright hepatic gland"', "bright hepatic gland", None),
    ],
)
def test_words_are_asked_as_typed_without_their_side(
    typed: str, asked: str, side: str | None
) -> None:
    target = resolve(typed)
    assert isinstance(target, Target)
    assert [text_of(name) for name in target.names] == [asked]
    assert target.side == side and target.threshold == 0.5


def test_thirds_and_subtraction_are_asked_too() -> None:
    target = resolve("tumor in the upper third of the liver")
    assert isinstance(target, Target) and target.thirds == ("upper",)
    assert {text_of(name) for group in target.groups() for name in group} >= {"liver"}
    target = resolve("liver without liver tumor")
    assert isinstance(target, Target) and len(target.minus) == 1


def test_a_misspelling_is_not_asked_by_itself() -> None:
    refused = resolve("livr")
    assert isinstance(refused, Refusal) and "did you mean liver" in refused.message
    everything = parse_prompts("all organs")
    assert "name what you seek" in prospects(everything, OPEN)[0].warning
    assert not prospects(parse_prompts("left kidney"), OPEN)[0].refusal
