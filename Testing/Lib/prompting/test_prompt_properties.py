"""The prompt parser: taking away, unknown words, the prompt itself, and what holds for any text."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from TextPromptSegLib.outcome import PromptError
from TextPromptSegLib.prompting import prompt_grammar
from TextPromptSegLib.prompting.prompt import Prompt
from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.prompting.vocabulary import Vocabulary

VOCABULARY = Vocabulary.load()
PAIRED = [entry for entry in VOCABULARY if entry.paired]
FINDINGS = [entry for entry in VOCABULARY if entry.kind == "finding"]


def one(text: str) -> Prompt:
    """Parse a text that must be a single prompt."""
    prompts = parse_prompts(text)
    assert len(prompts) == 1, [prompt.name for prompt in prompts]
    return prompts[0]


# ---- taking away ----

MINUS = [
    ("liver without tumor", "liver", ["liver tumor"]),
    ("kidney excluding cyst", "kidneys", ["kidney cyst"]),
    ("left kidney without cyst and tumor", "left kidney", ["kidney cyst", "kidney tumor"]),
    ("liver but not the vessels", "liver", ["liver vessels"]),
    ("liver except segment 4", "liver", ["liver segment 4"]),
    ("liver, no spleen", "liver", ["spleen"]),
    ("pneumonia other than COVID-19", "pulmonary infection", ["COVID-19 infection"]),
    ("mediastinum without heart and aorta", "mediastinum", ["heart", "aorta"]),
    ("whole tumor minus edema", "whole tumor", ["edema"]),
    ("Leber ohne Tumor", "liver", ["liver tumor"]),
    ("upper left lung without nodule", "left lung", ["lung nodule"]),
]


@pytest.mark.parametrize(("text", "name", "minus"), MINUS)
def test_taking_away(text: str, name: str, minus: list[str]) -> None:
    prompt = one(text)
    assert prompt.name == name and prompt.known
    assert [item.name for item in prompt.minus] == minus


def test_a_further_organ_after_a_subtraction_is_a_prompt_of_its_own() -> None:
    liver, spleen = parse_prompts("liver without tumor and spleen")
    assert [item.name for item in liver.minus] == ["liver tumor"]
    assert spleen.name == "spleen" and spleen.notes and not spleen.minus
    assert [len(p.minus) for p in parse_prompts("left kidney and spleen without tumor")] == [0, 1]


def test_unknown_things_are_not_taken_away_silently() -> None:
    prompt = one("liver without tumr")
    assert not prompt.known
    assert prompt.suggestions == ("liver without tumor",)
    assert "tumr" in prompt.describe()


def test_what_a_report_denies_is_not_segmented() -> None:
    prompt = one("No pleural effusion. Focal consolidation in the right lung.")
    assert prompt.name == "consolidation" and prompt.attributes["absent"] == "pleural effusion"


@pytest.mark.parametrize("text", ["no spleen", "not the liver", "without tumor"])
def test_only_leaving_out_is_an_error(text: str) -> None:
    with pytest.raises(PromptError, match="leave out"):
        parse_prompts(text)


# ---- unknown words ----


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("livr", "liver"),
        ("left kidny", "left kidney"),
        ("segmnet the liver", "liver"),
        ("tumr in left kidny", "kidney tumor in the left kidney"),
        ("consolidatoin in the right lung", "consolidation in the right lung"),
        ("splen", "spleen"),
        ("liver thingamajig", "liver"),
    ],
)
def test_typing_errors_are_offered_never_taken(text: str, suggestion: str) -> None:
    prompt = one(text)
    assert not prompt.known and prompt.structure is None
    assert prompt.suggestions[0] == suggestion
    assert suggestion in prompt.describe()
    assert one(suggestion).known


def test_unknown_words_stay_what_was_typed() -> None:
    known, unknown = parse_prompts("liver, flux capacitor")
    assert known.known and not unknown.known
    assert (unknown.name, unknown.text) == ("flux capacitor", "flux capacitor")
    assert one("宇宙船").name == "宇宙船" and not one("宇宙船").known
    assert "only where" in one("left").describe()


@pytest.mark.parametrize("text", ["", "  \n", "...", "please segment the", "and", "🫁", "\x00"])
def test_nothing_to_segment_is_an_error(text: str) -> None:
    with pytest.raises(PromptError):
        parse_prompts(text)


def test_limits_and_wrong_types_are_errors() -> None:
    with pytest.raises(PromptError, match="characters"):
        parse_prompts("liver " * 1000)
    with pytest.raises(PromptError, match="at most 100"):
        parse_prompts([f"thing{n}" for n in range(101)])
    with pytest.raises(PromptError):
        parse_prompts([])
    with pytest.raises(PromptError, match="text"):
        parse_prompts([3])  # type: ignore[list-item]


# ---- the prompt itself ----


def test_several_texts_and_ready_prompts_are_taken_in_order() -> None:
    spleen = one("spleen")
    names = [p.name for p in parse_prompts(["left kidney, liver", spleen, "liver"])]
    assert names == ["left kidney", "liver", "spleen"]
    assert parse_prompts(spleen) == [spleen]


def test_to_dict_is_json_and_complete() -> None:
    prompt = one("unilateral infection, middle left lung")
    values = json.loads(json.dumps(prompt.to_dict()))
    assert values["name"] == "pulmonary infection" and values["known"] is True
    assert values["zones"] == [["left lung", ["middle"]]]
    assert values["line"] == prompt.describe()
    assert json.loads(json.dumps(one("liver without tumor").to_dict()))["minus"][0]["known"]


def test_prompts_are_values() -> None:
    first, second = one("upper left lung"), one("upper left lung")
    assert first == second and hash(first) == hash(second)
    assert pickle.loads(pickle.dumps(first)) == first  # noqa: S301 - between worker processes
    with pytest.raises(AttributeError):
        first.name = "liver"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("left kidney", "left kidney"),
        ("both kidneys", "bilateral kidneys"),
        ("nodule in the left upper lobe", "lung nodule in the left upper lung lobe"),
        ("liver without tumor", "liver without liver tumor"),
    ],
)
def test_describe_is_one_plain_line(text: str, line: str) -> None:
    assert one(text).describe() == line
    assert "\n" not in one("middle\nleft lung".replace("\n", " ")).describe()


# ---- properties ----


def meaning(prompt: Prompt) -> tuple:
    """Return what decides the result of a prompt."""
    minus = tuple(item.name for item in prompt.minus)
    return prompt.name, prompt.side, prompt.container, prompt.thirds, minus


def swapped(text: str) -> str:
    """Exchange the words left and right."""
    return text.replace("left", "\0").replace("right", "left").replace("\0", "right")


def test_every_canonical_name_is_read_as_itself() -> None:
    for name in VOCABULARY.names():
        prompt = one(name)
        assert prompt.known and prompt.name == name
        assert prompt.describe() == name
        assert not prompt.notes and not prompt.suggestions


SENTENCES = [
    "{side} {name}",
    "{name}, {side}",
    "please segment the {side} {name} in this CT",
    "where is the {name} on the {side} side?",
    "upper {side} {name}",
    "{side} {name} without tumor",
    "tumor in the {side} {name}",
    "liver and {side} {name}",
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_swapping_left_and_right_swaps_the_side(sentence: str) -> None:
    for entry in PAIRED:
        text = sentence.format(side="left", name=entry.name)
        left, right = parse_prompts(text)[-1], parse_prompts(swapped(text))[-1]
        assert (left.side, right.side) == ("left", "right"), text
        assert left.structure == right.structure
        assert right.name == swapped(left.name)
        assert right.container == (left.container and swapped(left.container))
        assert right.thirds == left.thirds
        assert "right" not in left.phrase() and "left" not in right.phrase(), text


def test_swapping_sides_of_findings_swaps_their_place() -> None:
    for entry in FINDINGS:
        left, right = one(f"left {entry.name}"), one(f"right {entry.name}")
        assert (left.name, left.side) == (entry.unsided, "left")
        assert (right.name, right.side) == (entry.unsided, "right")
        assert right.container == (left.container and swapped(left.container))
        assert left.half == ("left" if left.container is None else None)


_WORDS = st.sampled_from(
    sorted(
        prompt_grammar.LEAD | prompt_grammar.TRAIL | prompt_grammar.PLACE | prompt_grammar.AND
        | prompt_grammar.EXTENT | prompt_grammar.SIDE_WORDS | prompt_grammar.ZONE_NOUNS
        | prompt_grammar.WHOLE | prompt_grammar.NEGATIONS | prompt_grammar.DIRECTIONS
        | set(prompt_grammar.VERTICAL) | set(prompt_grammar.NUMBERS) | set(prompt_grammar.ENDS)
        | prompt_grammar.BESIDE | prompt_grammar.ABSENT | prompt_grammar.BUT | prompt_grammar.OR
        | prompt_grammar.SEQUENCES | prompt_grammar.COPULA
    )
    + [",", ";", ".", "without", "other than", "with", "7-9", "T9-L1", "lt.", "(", ")", "-", "/"]
    + [":", "1)", "not seen", "no evidence of", "thing"]
)  # fmt: skip
_TEXTS = st.lists(st.one_of(st.sampled_from(VOCABULARY.names()), _WORDS), max_size=9).map(" ".join)


@settings(max_examples=150)
@given(st.one_of(_TEXTS, st.text(max_size=80)))
@example("left and right and heart")
@example("no no no")
@example("with with with")
@example("thing, no effusion")
@example("left: and no kidney")
@example("without without tumor")
@example("[note: left]")
@example("İstanbul ǅ ﬁ ß \u0300 \u202e")
def test_any_text_is_parsed_or_refused_and_reads_back_the_same(text: str) -> None:
    try:
        prompts = parse_prompts(text)
    except PromptError as error:
        assert str(error)
        return
    assert prompts
    for prompt in prompts:
        assert prompt.name and prompt.side in (None, "left", "right", "both")
        assert "\n" not in prompt.describe()
        assert one(prompt.name).name == prompt.name
        if prompt.known:
            assert meaning(one(prompt.phrase())) == meaning(prompt)
            assert meaning(one(prompt.describe())) == meaning(prompt)
        for suggestion in prompt.suggestions:
            assert one(suggestion).known
        json.dumps(prompt.to_dict())
