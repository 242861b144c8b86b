"""What prompts must not be taken for: denials, figures of speech, ends, places, pictures, parts."""

from __future__ import annotations

import sys
import time
from collections import Counter
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from TextPromptSegLib.outcome import PromptError
from TextPromptSegLib.prompting.prompt_list import LONGEST_TEXT
from TextPromptSegLib.prompting.prompts import Prompt, parse_prompts
from TextPromptSegLib.prompting.vocabulary import Vocabulary

VOCABULARY = Vocabulary.load()
FINDINGS = [e.name for e in VOCABULARY if e.kind == "finding" and not e.parts]
ORGANS = [e.name for e in VOCABULARY if e.kind == "anatomy"]
PAIRED = [e.name for e in VOCABULARY if e.paired and e.unsided == e.plural]


def asked(text: str) -> list[Prompt]:
    """Return what a text asks for; nothing where it only says what is not there."""
    try:
        return parse_prompts(text)
    except PromptError as error:
        assert "leave out" in str(error)
        return []


# ---- what is denied ----

DENIED = [
    ("No focal mass, pleural effusion or pneumothorax.", []),
    ("There is no effusion, pneumothorax, or nodule. The heart is enlarged.", ["heart"]),
    ("no nodule, mass or consolidation in the left lung", []),
    ("Pleural effusion and pneumothorax are not seen.", []),
    ("Mass, effusion and pneumothorax are absent.", []),
    ("Pneumothorax: none. Nodule in the right lung.", ["lung nodule"]),
    ("pneumothorax not identified, nodule in the right upper lobe", ["lung nodule"]),
    ("neither effusion nor pneumothorax", []),
    ("negative for pneumothorax or effusion", []),
    ("free of consolidation", []),
    ("absence of effusion and pneumothorax", []),
    ("effusion has resolved", []),
    ("without evidence of effusion, pneumothorax or mass", []),
    ("no effusion and no pneumothorax, lungs", ["lungs"]),
    ("No effusion but consolidation in the left lung", ["consolidation"]),
    ("no mass, however a nodule is seen in the right lung", ["lung nodule"]),
    ("No pneumothorax, there is a left pleural effusion", ["pleural effusion"]),
    ("No lesion in the liver, spleen, or kidneys.", []),
    ("not the spleen, kidneys, or liver; only the pancreas", ["pancreas"]),
    ("no effusion, liver", ["liver"]),
    ("no effusion and liver", ["liver"]),
    ("lungs show no consolidation", ["lungs"]),
    ("pneumothorax cannot be excluded", ["pneumothorax"]),
    ("Kein Pleuraerguss, Pneumothorax oder Knoten", []),
    ("pas d'épanchement pleural ni de pneumothorax", []),
]


@pytest.mark.parametrize(("text", "names"), DENIED)
def test_what_is_denied_is_not_asked_for(text: str, names: list[str]) -> None:
    assert [prompt.name for prompt in asked(text)] == names


@settings(max_examples=80)
@given(
    st.lists(st.sampled_from(FINDINGS), min_size=1, max_size=4, unique=True),
    st.sampled_from(["No {}.", "There is no {}.", "no evidence of {}", "{} not seen", "{} absent"]),
    st.sampled_from(["or", "and"]),
    st.booleans(),
)
def test_any_list_of_findings_is_denied_as_a_whole(
    names: list[str], frame: str, link: str, oxford: bool
) -> None:
    listed = names[0]
    if len(names) > 1:
        comma = "," if oxford and len(names) > 2 else ""
        listed = f"{', '.join(names[:-1])}{comma} {link} {names[-1]}"
    assert asked(frame.format(listed)) == []
    (liver,) = asked(f"{frame.format(listed)}\nliver")
    assert liver.name == "liver" and not liver.minus


def test_a_denied_finding_is_not_taken_away_from_another_thing() -> None:
    for text in ("consolidation, no effusion", "heart normal, no effusion"):
        (prompt,) = asked(text)
        assert not prompt.minus and prompt.attributes["absent"] == "pleural effusion"
    (lungs,) = asked("lungs without consolidation, effusion or nodule")
    assert {item.name for item in lungs.minus} >= {"consolidation"}


def test_leaving_out_after_a_bare_and_is_an_error_with_a_sentence() -> None:
    for text in ("und without abdominal aorta", "and without liver", "or no spleen"):
        with pytest.raises(PromptError, match="leave out"):
            parse_prompts(text)


# ---- ends and heights ----


@pytest.mark.parametrize(
    ("text", "third"),
    [
        ("apex of the heart", "lower"),
        ("heart base", "upper"),
        ("apical left ventricle", "lower"),
        ("base of the prostate", "upper"),
        ("apex of the sacrum", "lower"),
        ("left lung apex", "upper"),
        ("basal right lung", "lower"),
        ("apical pneumothorax", "upper"),
        ("nodule at the apex of the heart", "lower"),
        ("consolidation at the left base", "lower"),
    ],
)
def test_which_end_is_up_depends_on_the_organ(text: str, third: str) -> None:
    (prompt,) = parse_prompts(text)
    assert prompt.known and prompt.thirds == (third,)
    told = any("apex" in note or "base" in note for note in prompt.notes)
    assert told == (
        {"heart", "prostate", "sacrum", "left ventricle of heart"} >= {prompt.container}
    )


@pytest.mark.parametrize(
    "text",
    [
        "apex of the tongue",
        "base of the bladder",
        "skull base",
        "third portion of the stomach",
        "peripheral zone of the liver",
        "part of the liver",
        "middle iliac vein",
        "inferior renal artery",
        "superior masseter muscle",
        "what is left of the liver",
        "liver left after resection",
    ],
)
def test_words_that_name_another_thing_are_not_dropped(text: str) -> None:
    (prompt,) = parse_prompts(text)
    assert not prompt.known and prompt.suggestions and not prompt.side


# ---- sides ----


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("kidney and adrenal gland on the left", ["left kidney", "left adrenal gland"]),
        ("femur, tibia and fibula right", ["right femur", "right tibia", "right fibula"]),
        ("liver and kidney on the left", ["liver", "left kidney"]),
        ("lungs, femur and tibia left", ["lungs", "left femur", "left tibia"]),
        ("left: kidney, right: lung", ["left kidney", "right lung"]),
        ("Left:\nkidney\nlung\nRight:\nkidney", ["left kidney", "left lung", "right kidney"]),
        ("L: kidney and femur; R: lung", ["left kidney", "left femur", "right lung"]),
        ("kidney: left, lung: right", ["left kidney", "right lung"]),
        ("kidney lt. Spleen", ["left kidney", "spleen"]),
        ("lt. kidney. rt. lung", ["left kidney", "right lung"]),
        ("kidneys, the left one", ["left kidney"]),
        ("sup. mesenteric artery", ["superior mesenteric artery"]),
        ("segment the liver right now", ["liver"]),
        ("all right, segment the liver", ["liver"]),
        ("Right, now the spleen", ["spleen"]),
        ("that's right, the liver", ["liver"]),
        ("liver, right?", ["liver"]),
        ("mass right above the kidney", ["mass"]),
        ("nodule to the left of the aorta", ["nodule"]),
    ],
)
def test_sides_of_lists_and_figures_of_speech(text: str, names: list[str]) -> None:
    prompts = parse_prompts(text)
    assert [prompt.name for prompt in prompts] == names
    assert all(p.side in (None, p.name.split()[0]) for p in prompts)


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(PAIRED), min_size=2, max_size=4, unique=True),
    st.sampled_from(["left", "right"]),
    st.sampled_from(["{} {}", "{} on the {}", "{} on the {} side", "{1}: {0}"]),
)
def test_one_side_said_for_a_list_holds_for_all_of_it(
    names: list[str], side: str, frame: str
) -> None:
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    text = frame.format(listed, side)
    if len({VOCABULARY.entry(name).name for name in parse_names(listed)}) < len(names):
        return  # "portal and splenic vein": some lists are one name
    for prompt in parse_prompts(text):
        assert prompt.side == side or any("both are meant" in note for note in prompt.notes), text


def parse_names(text: str) -> list[str]:
    """Return the structures of a plain list."""
    return [str(prompt.structure) for prompt in parse_prompts(text) if prompt.known]


def test_a_side_said_for_one_of_a_list_is_noted_for_the_others() -> None:
    for text in ("right femur, hip and tibia", "femur and left tibia"):
        for prompt in parse_prompts(text):
            assert prompt.side or any("both are meant" in note for note in prompt.notes)


# ---- places that are none, pictures, numbered lists ----


@pytest.mark.parametrize(
    "place",
    ["near", "above", "behind", "below", "next to", "adjacent to", "in front of", "anterior to"],
)
def test_beside_is_not_in(place: str) -> None:
    (prompt,) = parse_prompts(f"nodule {place} the aorta")
    assert prompt.name == "nodule" and prompt.container is None
    assert any("does not limit the result" in note for note in prompt.notes)
    (between,) = parse_prompts("mass between liver and kidney")
    assert between.name == "mass" and between.notes


@pytest.mark.parametrize(
    ("text", "name", "container"),
    [
        ("liver on T2", "liver", None),
        ("spleen in T2", "spleen", None),
        ("liver in this T2 image", "liver", None),
        ("T2-weighted liver", "liver", None),
        ("liver T1", "liver", None),
        ("kidneys on T1 vibe", "kidneys", None),
        ("white matter lesions on FLAIR", "white matter lesion", None),
        ("lesion on T2", "lesion", None),
        ("fracture in T2", "fracture", "T2 vertebra"),
        ("metastasis at T1", "metastasis", "T1 vertebra"),
    ],
)
def test_the_kind_of_a_picture_is_no_vertebra(text: str, name: str, container: str | None) -> None:
    (prompt,) = parse_prompts(text)
    assert (prompt.name, prompt.container) == (name, container)


def test_a_name_with_several_meanings_says_how_it_was_taken() -> None:
    for text, name in (
        ("T2", "T2 vertebra"),
        ("infection", "pulmonary infection"),
        ("ventricles", "ventricles of brain"),
        ("hip", "hip bones"),
        ("mass in T1", "mass"),
    ):
        (prompt,) = parse_prompts(text)
        assert prompt.name == name and any("is taken as" in note for note in prompt.notes)


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from(ORGANS), min_size=2, max_size=5, unique=True),
    st.sampled_from(["{n}) ", "{n}. ", "({n}) ", "{a}) "]),
    st.sampled_from([" ", ", ", "\n"]),
)
def test_a_numbered_list_is_a_list(names: list[str], mark: str, between: str) -> None:
    items = [mark.format(n=i + 1, a="abcdefgh"[i]) + name for i, name in enumerate(names)]
    prompts = parse_prompts(between.join(items))
    assert [prompt.name for prompt in prompts] == [VOCABULARY.entry(n).unsided for n in names]


def test_numbers_of_names_are_no_list() -> None:
    assert len(parse_prompts("liver segment 2. liver segment 3.")) == 2
    assert [p.name for p in parse_prompts("rib 1. rib 2")] == ["rib 1", "rib 2"]
    assert parse_prompts("L4/5 disc")[0].name == "L4-L5 disc"
    names = [p.name for p in parse_prompts("discs L3-L5, T9-L1")]
    assert names[:3] == ["L3-L4 disc", "L4-L5 disc", "T9 vertebra"] and len(names) == 7


# ---- cost ----

LONG = [
    "liver ", "please ", "liver and ", "nodule in the lung and ", "left and ", "no ",
    "liver without ", "nodule near ", "1) ", ". ", "in ct ", "on t2 ", "what is left of ",
    "has been ", "disc L1-L2 ", "the lungs show some evidence of focal consolidation in the right ",
    "xqz jkv, ", "xqz jkv and ", "(", "a", "there is no effusion, mass or ",
    "liver, no zqxj, ",
]  # fmt: skip


MOST_CALLS = 250
"""Calls of Python functions for each character; a square of the length would be thousands."""


def check_cost(text: str, seconds: float) -> None:
    """Parse a text, understood or refused: few calls, and few seconds of the processor.

    Calls tell of loops in loops on any machine; a pattern that goes back and forth is one call.
    """
    calls = Counter[str]()

    def count(frame: FrameType, event: str, _: object) -> None:
        calls[event] += 1

    def parse() -> None:
        try:
            parse_prompts(text)
        except PromptError as error:
            assert str(error).endswith((".", '".')) or "e.g." in str(error)

    start = time.process_time()
    parse()
    assert time.process_time() - start < seconds
    sys.setprofile(count)
    try:
        parse()
    finally:
        sys.setprofile(None)
    assert calls["call"] < MOST_CALLS * LONGEST_TEXT


@pytest.mark.parametrize("part", LONG)
def test_the_cost_of_a_long_text_is_small(part: str) -> None:
    parse_prompts("liver, xqzjkv")  # the vocabulary is read once
    check_cost((part * LONGEST_TEXT)[:LONGEST_TEXT], 1.5)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from([*ORGANS, *FINDINGS, *LONG]), min_size=1, max_size=12),
    st.integers(1, 60),
)
def test_no_mixture_is_slow(parts: list[str], times: int) -> None:
    check_cost((" ".join(parts) * times)[:LONGEST_TEXT], 2.5)


def test_too_many_things_are_refused_with_a_sentence() -> None:
    with pytest.raises(PromptError, match="give at most 100 at a time"):
        parse_prompts(", ".join(f"thing{n}" for n in range(120)))
    long = "a word and no comma so that nobody can say what is meant by it at all " * 6
    (prompt,) = parse_prompts(long.replace(" and ", " then "))
    assert not prompt.known
