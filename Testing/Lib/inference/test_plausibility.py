"""A found structure is compared with what is known of it; partial views never cry wolf."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from TextPromptSegLib.image.slice_stack import Block
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference.answers import answer, related, rethreshold
from TextPromptSegLib.inference.plausibility import Neighbours, place_of
from TextPromptSegLib.inference.postprocess import PostprocessRule, without_islands
from TextPromptSegLib.outcome import Outcome
from TextPromptSegLib.prompting.expected import RELATIONS, Expected, expected
from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.prompting.segmentation import Segmentation
from TextPromptSegLib.prompting.vocabulary import Vocabulary

SHAPE = (60, 40, 50)  # 600 x 400 x 500 mm: the voxels are 10 mm, a ml each


def body(flip: bool = False) -> Volume:
    """Return an image whose k grows to the head and i to the patient's left (or neither)."""
    signs = np.array([-1, -1, 1]) * (-1 if flip else 1)
    matrix = np.eye(4)
    matrix[:3, :3] = np.diag(10.0 * signs)
    matrix[:3, 3] = -5.0 * signs * np.array(SHAPE[::-1])
    return Volume(array=np.zeros(SHAPE, np.int16), ijk_to_ras=matrix, modality="CT")


def in_the_files_order(slices: range, rows: slice, columns: slice) -> tuple[slice, slice, slice]:
    """Return where a part of a stack lies that is the file's array."""
    return slice(slices.start, slices.stop), rows, columns


def found(
    text: str,
    *boxes: tuple[slice, slice, slice],
    volume: Volume | None = None,
    slices: range | None = None,
) -> Segmentation:
    """Return the answer to a prompt that found boxes (k, j, i) of an image."""
    volume = volume or body()
    depth, height, width = volume.shape
    stack: Any = SimpleNamespace(volume=volume, file_box=in_the_files_order)
    part = Block(slices or range(depth), slice(0, height), slice(0, width))
    facts = {
        "spacing_mm": [10.0] * 3,
        "voxel_ml": 1.0,
        "slice_axis": 0,
        "postprocess": {},
        "place": place_of(stack, part),
    }
    probability = np.zeros(volume.shape, np.float16)
    for box in boxes:
        probability[box] = 0.9
    (prompt,) = parse_prompts(text)
    return answer(prompt, probability, 0.5, 0.0, facts)


def block(k: slice, i: slice, j: slice = slice(10, 20)) -> tuple[slice, slice, slice]:
    return k, j, i


LIVER = block(slice(20, 34), slice(10, 22))


def test_an_ordinary_liver_is_simply_found() -> None:
    made = found("liver", LIVER)
    assert made.outcome is Outcome.FOUND and made.unusual == ()
    assert made.message == "found 1,680 ml, max p 0.90"


@pytest.mark.parametrize(
    ("text", "boxes", "words"),
    [
        (
            "liver",
            [block(slice(5, 35), slice(2, 42), slice(5, 25))],
            "24,000 ml is more than 6,000",
        ),
        ("liver", [block(slice(20, 22), slice(10, 13), slice(10, 13))], "18 ml is less than 60 ml"),
        ("trachea", [block(slice(20, 55), slice(24, 26), slice(10, 12))], "350 mm along the body"),
        ("spleen", [LIVER, block(slice(40, 50), slice(30, 42))], "it is in 2 pieces"),
    ],
)
def test_what_can_hardly_be_the_structure_is_said(text: str, boxes: Any, words: str) -> None:
    made = found(text, *boxes)
    assert made.outcome is Outcome.FOUND and words in made.message
    assert made.message.startswith("found, but unusual: ") and made.unusual


def test_another_threshold_is_checked_again() -> None:
    made = found("liver", LIVER)
    probability = made.probability
    assert probability is not None
    probability[5:45, 2:38, 2:46] = np.maximum(probability[5:45, 2:38, 2:46], 0.3)
    assert rethreshold(made, 0.2).unusual and not rethreshold(made, 0.6).unusual


@pytest.mark.parametrize(
    "part",
    [
        {"boxes": [block(slice(0, 1), slice(10, 16))]},
        {"boxes": [block(slice(0, 3), slice(4, 6)), block(slice(0, 3), slice(20, 26))]},
        {"boxes": [block(slice(29, 31), slice(10, 13))], "slices": range(20, 31)},
    ],
)
def test_what_the_image_or_the_searched_part_cuts_off_is_not_too_small(part: Any) -> None:
    assert not found("liver", *part.pop("boxes"), **part).unusual


def test_a_pair_may_be_twice_as_large_and_in_two_parts() -> None:
    lungs = [block(slice(10, 40), x, slice(5, 30)) for x in (slice(2, 20), slice(28, 44))]
    made = found("lungs", *lungs)
    assert made.volume_ml > expected().sizes["lung"].most_ml * 0.8
    assert not [said for said in made.unusual if "pieces" in said]


@pytest.mark.parametrize("text", ["upper liver", "liver tumor", "liver without tumor", '"a thing"'])
def test_parts_findings_and_own_words_have_no_size(text: str) -> None:
    assert not found(text, block(slice(20, 21), slice(10, 11), slice(5, 6))).unusual


@pytest.mark.parametrize(
    "facts", [{"meta": {"geometry": "assumed"}}, {"array": np.zeros((1, 9, 9))}]
)
def test_pictures_are_not_measured(facts: Any) -> None:
    volume = replace(body(), **facts)
    depth, height, width = volume.shape
    stack: Any = SimpleNamespace(volume=volume, file_box=in_the_files_order)
    part = Block(range(depth), slice(0, height), slice(0, width))
    assert place_of(stack, part) is None


# -- how structures lie to each other -----------------------------------------------------------

LUNG = block(slice(34, 54), slice(28, 44))
HEART = block(slice(36, 44), slice(22, 32))
HEART_IN_THE_BELLY = block(slice(10, 18), slice(22, 32))


def said(*answers: Segmentation, known: Neighbours | None = None) -> dict[str, tuple[str, ...]]:
    return {a.prompt.name: a.unusual for a in related(answers, known or Neighbours())}


@pytest.mark.parametrize("flip", [False, True])
def test_a_heart_in_the_belly_is_doubted_and_its_neighbours_are_not(flip: bool) -> None:
    def turn(box: Any) -> Any:
        return tuple(slice(n - s.stop, n - s.start) for s, n in zip(box, SHAPE, strict=True))

    volume = body(flip)
    places = {"heart": HEART_IN_THE_BELLY, "liver": LIVER, "left lung": LUNG}
    answers = [
        found(name, turn(box) if flip else box, volume=volume) for name, box in places.items()
    ]
    doubts = said(*answers)
    assert doubts["liver"] == doubts["left lung"] == ()
    assert doubts["heart"] == (
        "it should lie above liver",
        "it should lie no deeper than left lung",
    )
    healthy = [found(name, box) for name, box in {**places, "heart": HEART}.items()]
    assert not any(said(*healthy).values())


def test_a_trachea_in_the_belly_is_doubted() -> None:
    trachea = found("trachea", block(slice(30, 46), slice(24, 26), slice(10, 12)))
    lungs = found("lungs", LUNG, block(slice(34, 54), slice(6, 20)))
    assert said(trachea, lungs)["trachea"] == ("it should lie no deeper than lung",)


def test_left_and_right_are_the_patients() -> None:
    left, right = block(slice(16, 28), slice(30, 36)), block(slice(16, 28), slice(4, 10))
    assert not any(said(found("left kidney", left), found("right kidney", right)).values())
    swapped = said(found("left kidney", right), found("right kidney", left), found("liver", LIVER))
    assert swapped["left kidney"] == (
        "it should lie left of right kidney",
        "it should lie left of liver",
    )


def test_a_cut_structure_is_not_compared_by_its_centre() -> None:
    """The heart ends above the image, or the liver below it: their centres mean nothing."""
    heart = block(slice(44, 60), slice(22, 32))
    liver = found("liver", block(slice(52, 58), slice(10, 22)))
    assert not any(said(found("heart", heart), liver).values())
    assert any(said(found("heart", block(slice(44, 59), slice(22, 32))), liver).values())
    heart = block(slice(6, 14), slice(22, 32))
    for first, doubted in ((0, False), (1, True)):
        liver = found("liver", block(slice(first, 26), slice(10, 14), slice(10, 14)))
        assert any(said(found("heart", heart), liver).values()) is doubted


def test_later_answers_are_compared_with_earlier_ones_of_the_same_image() -> None:
    known = Neighbours()
    known.use("one image")
    said(found("liver", LIVER), found("left lung", LUNG), known=known)
    known.use("one image")
    assert said(found("heart", HEART_IN_THE_BELLY), known=known)["heart"]
    known.use("another image")
    assert not said(found("heart", HEART_IN_THE_BELLY), known=known)["heart"]


def test_what_was_doubted_makes_nothing_doubtful_that_is_asked_later() -> None:
    """A heart in the belly of the tutorial's image made the right lung unusual."""
    known = Neighbours()
    heart = found("heart", HEART_IN_THE_BELLY)
    trachea = found("trachea", block(slice(4, 46), slice(24, 26), slice(10, 12)))
    assert all(said(heart, trachea, known=known).values())
    lung = found("right lung", block(slice(34, 54), slice(6, 20)))
    assert said(lung, known=known) == {"right lung": ()}
    doubts = said(heart, known=known)["heart"]
    assert "it should lie no deeper than right lung" in doubts, "asked again it is doubted again"
    assert said(found("heart", HEART), known=known) == {"heart": ()}


# -- what is known --------------------------------------------------------------------------------


def test_all_that_is_expected_is_in_the_vocabulary_with_its_source() -> None:
    vocabulary, rules = Vocabulary.load(), expected()
    assert len(rules.sizes) > 50 and all(rules.sources.values())
    assert all(vocabulary.entry(name).name == name for name in rules.sizes)
    for kind in RELATIONS:
        for one, others in getattr(rules, kind).items():
            for name in (one, *others):
                match = vocabulary.find(name)
                assert match is not None and name in (match.structure, match.name), name


def test_a_range_without_a_source_or_upside_down_is_refused() -> None:
    item = {"ml": [1, 2], "source": "Gray"}
    document: dict[str, Any] = {"size": {"liver": item}, "sources": {}}
    document |= {kind: {} for kind in RELATIONS}
    with pytest.raises(ValueError, match="without a source"):
        Expected.read(document)
    item["ml"] = [2, 1]
    with pytest.raises(ValueError, match="no range"):
        Expected.read({**document, "sources": {"Gray": "a book"}})


# -- islands ---------------------------------------------------------------------------------------


def test_islands_go_where_anatomy_knows_one_piece() -> None:
    plain = PostprocessRule()
    assert without_islands(plain, ("heart",)).min_fraction > 0
    for names in (("lungs",), ("liver tumor",), ("left lung", "right lung"), ()):
        assert without_islands(plain, names) == plain
    chosen = PostprocessRule(keep_components=2)
    assert without_islands(chosen, ("heart",)) == chosen, "the checkpoint's own rule stays"
