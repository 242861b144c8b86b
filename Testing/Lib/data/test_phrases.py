"""Wordings for training: they mean the name, keep its side, and never use what is held out."""

from __future__ import annotations

import numpy as np
import pytest

from TextPromptSegLib.data.phrases import (
    FINDING_TEMPLATES,
    TEMPLATES,
    UNSEEN,
    UNSEEN_FINDING_TEMPLATES,
    UNSEEN_TEMPLATES,
    PhraseBook,
    canonical_name,
    synonyms,
    unseen_synonyms,
    unseen_wordings,
)
from TextPromptSegLib.outcome import InputError
from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.prompting.vocabulary import Vocabulary
from TextPromptSegLib.training.material import phrase_book
from TextPromptSegLib.training.recipe import Recipe

VOCABULARY = Vocabulary.load()


@pytest.mark.parametrize("name", VOCABULARY.names())
def test_every_synonym_means_its_name(name: str) -> None:
    for phrase in synonyms(name, VOCABULARY):
        found = parse_prompts(phrase)
        assert {p.name for p in found} in ({name}, {f"left {name}", f"right {name}"}) or (
            len(found) == 2 and found[0].structure == found[1].structure
        ), (name, phrase)
    for phrase in unseen_synonyms(name, VOCABULARY):
        match = VOCABULARY.find(phrase)
        assert match is not None and match.name == name, (name, phrase)


def test_there_are_many_wordings() -> None:
    book = PhraseBook(VOCABULARY, plain=0.2)
    drawn = {book.draw("spleen", np.random.default_rng(i)) for i in range(60)}
    assert "spleen" in drawn and len(drawn) > 30
    words, frames = book.wordings("consolidation")
    assert len(words) * len(frames) > 400 and set(FINDING_TEMPLATES) < set(frames)
    assert not set(FINDING_TEMPLATES) & set(book.wordings("liver")[1])
    assert "hepatic neoplasm" in synonyms("liver tumor", VOCABULARY)
    assert "renal organs" in synonyms("kidneys", VOCABULARY)
    assert "os coxaes" not in synonyms("hip bones", VOCABULARY)
    assert canonical_name("kidney", VOCABULARY) == "kidneys"
    assert canonical_name("Something Else", VOCABULARY) == "something else"


def test_no_training_sees_the_held_out_words() -> None:
    book = PhraseBook(VOCABULARY, plain=0)
    seen = {w.casefold() for n in VOCABULARY.names() for w in book.wordings(n)[0]}
    unseen = {w.casefold() for n in VOCABULARY.names() for w in unseen_synonyms(n, VOCABULARY)}
    assert len(unseen) > 250 and not seen & unseen
    assert not UNSEEN & {*TEMPLATES, *FINDING_TEMPLATES}
    assert len(UNSEEN) == len(UNSEEN_TEMPLATES) + len(UNSEEN_FINDING_TEMPLATES)
    for name in ("liver", "left kidney", "consolidation"):
        kept = set(unseen_wordings(name, VOCABULARY, 20))
        drawn = {book.draw(name, np.random.default_rng(i)) for i in range(400)}
        assert not kept & drawn and len(kept) > 8


def test_a_recipe_cannot_train_on_a_held_out_template() -> None:
    values = {"name": "x", "system": "film-unet", "data": [], "config": {}, "input": {}}
    recipe = Recipe.from_dict({**values, "templates": [UNSEEN_TEMPLATES[0]]})
    with pytest.raises(InputError, match="is kept to measure unseen words with"):
        phrase_book(recipe, VOCABULARY)


def test_unseen_wordings_are_stable_and_keep_the_side() -> None:
    words = unseen_wordings("left kidney", VOCABULARY)
    assert words == unseen_wordings("left kidney", VOCABULARY) and len(words) == 4
    assert words[0] == "left renal gland" and all("left" in text for text in words)
    assert any(
        text != word
        for text, word in zip(words, unseen_wordings("right kidney", VOCABULARY), strict=True)
    )
    plain = unseen_wordings("something else", VOCABULARY, 2)
    assert len(plain) == 2 and all("something else" in text for text in plain)
