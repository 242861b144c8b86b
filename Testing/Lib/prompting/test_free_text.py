"""Prompts in a person's own words: what the rules take out, and what is left to be asked."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from TextPromptSegLib.outcome import PromptError
from TextPromptSegLib.prompting.free_text import NOTE
from TextPromptSegLib.prompting.prompts import Prompt, parse_prompts
from TextPromptSegLib.prompting.vocabulary import Vocabulary


def free(text: str) -> list[Prompt]:
    """Parse with own words allowed."""
    return parse_prompts(text, free_text=True)


@pytest.mark.parametrize(
    ("text", "words", "side", "thirds"),
    [
        ("hepatic blob", "hepatic blob", None, ()),
        ("please segment the spongy thing", "spongy thing", None, ()),
        ("left blobby renal thing", "blobby renal thing", "left", ()),
        ("blobby thing on the right side", "blobby thing", "right", ()),
        ("upper third of the wobbly organ", "wobbly organ", None, ("upper",)),
        ("the organ that stores gall", "organ that stores gall", None, ()),
        ("central zone of the thing", "central zone of the thing", None, ()),
        ("middle bronchial vein", "middle bronchial vein", None, ()),
    ],
)
def test_side_and_third_are_taken_out(
    text: str, words: str, side: str | None, thirds: tuple[str, ...]
) -> None:
    (prompt,) = free(text)
    assert (prompt.free_text, prompt.side, prompt.thirds) == (words, side, thirds)
    assert prompt.answerable and not prompt.known and NOTE in prompt.notes
    assert prompt.half == side
    (again,) = parse_prompts(prompt.phrase())  # the quotation marks allow it
    assert (again.free_text, again.side, again.thirds) == (words, side, thirds)
    (plain,) = parse_prompts(text)
    assert not plain.answerable and not plain.free_text


def test_known_names_are_not_asked_in_other_words() -> None:
    for text in ("left kidney", '"left kidney"', '"liver" and "spleen"', '"liver and spleen"'):
        for prompt in free(text):
            assert prompt.known and not prompt.free_text and NOTE not in prompt.notes


def test_lists_and_denials_stay_with_the_rules() -> None:
    liver, thing = free("liver without strange stuff, spongy thing")
    assert [item.free_text for item in liver.minus] == ["strange stuff"] and liver.answerable
    assert thing.free_text == "spongy thing"
    (liver,) = free('no "strange stuff".\nliver')
    assert liver.attributes["absent"] == "strange stuff"
    with pytest.raises(PromptError, match="leave out"):
        free("not the spongy thing")
    assert not free("left")[0].answerable


def test_quotation_marks_allow_it_for_one_piece() -> None:
    first, second = parse_prompts('left "spongy thing", wobbly organ')
    assert (first.free_text, first.side) == ("spongy thing", "left") and not second.answerable
    assert parse_prompts("“Spongy  thing”")[0].free_text == "Spongy thing"
    values = json.loads(json.dumps(first.to_dict()))
    assert values["free_text"] == "spongy thing" and values["answerable"] and not values["known"]
    assert first.describe() == f'"spongy thing" on the left side [note: {NOTE}]'


_PARTS = st.sampled_from(
    [*Vocabulary.load().names()[:60], "thing", "spongy", '"', "left", "on the right", "and", "no",
     "without", "upper third of the", ",", ".", ":", "in the", "quotedwordsa0", "“", "of"]
)  # fmt: skip


@settings(max_examples=150)
@given(st.lists(_PARTS, min_size=1, max_size=9).map(" ".join), st.booleans())
def test_any_text_reads_back_the_same(text: str, allowed: bool) -> None:
    try:
        prompts = parse_prompts(text, free_text=allowed)
    except PromptError:
        return
    for prompt in prompts:
        if allowed and not prompt.minus and prompt.structure is None and not prompt.free_text:
            words = set(prompt.name.split())
            assert words <= {"left", "right", "upper", "third", "of", "the", "on", "in", "and"}
        if prompt.free_text and not prompt.minus:
            (again,) = parse_prompts(prompt.phrase())
            assert (again.free_text, again.side) == (prompt.free_text, prompt.side)
