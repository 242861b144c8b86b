"""What a prompt is put together from: unions, sides, thirds, subtraction, refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from toy_segmenter import phantom, toy_predictor

from TextPromptSegLib.image.volume import AxisMap, Volume
from TextPromptSegLib.inference.targets import Refusal, Resolver, Target
from TextPromptSegLib.inference.wholes import WHOLES
from TextPromptSegLib.outcome import Outcome
from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.prompting.segmentation import Segmentation
from TextPromptSegLib.prompting.vocabulary import Vocabulary


def resolve(text: str, *names: str, **options: Any) -> Target | Refusal:
    trained = {n: {"modalities": ["CT"], "threshold": 0.5} for n in names}
    (prompt,) = parse_prompts(text)
    return Resolver(trained, Vocabulary.load(), **options).resolve(prompt)


def test_a_kind_that_stands_for_a_general_word_is_told() -> None:
    target = resolve("find the tumor margins", "kidney tumor", "liver", modality="CT")
    assert isinstance(target, Target) and target.names == ("kidney tumor",)
    assert "'tumor' was taken for kidney tumor: no other is known here" in target.notes
    plain = resolve("kidney tumor", "kidney tumor")
    assert isinstance(plain, Target) and not plain.notes


@pytest.mark.parametrize(
    ("text", "trained", "names"),
    [
        ("liver", ["liver"], ["liver"]),
        ("hepatic parenchyma", ["liver"], ["liver"]),
        ("LIVER", ["Liver"], ["Liver"]),
        ("kidneys", ["kidneys", "left kidney", "right kidney"], ["kidneys"]),
        ("kidneys", ["left kidney", "right kidney"], ["left kidney", "right kidney"]),
        ("both kidneys", ["left kidney", "right kidney"], ["left kidney", "right kidney"]),
        ("kidney", ["kidney"], ["kidney"]),
        ("hippocampus", ["hippocampus"], ["hippocampus"]),
        (
            "hippocampus",
            ["anterior hippocampus", "posterior hippocampus"],
            ["anterior hippocampus", "posterior hippocampus"],
        ),
        (
            "left lung",
            ["left upper lung lobe", "left lower lung lobe"],
            ["left upper lung lobe", "left lower lung lobe"],
        ),
        (
            "right lung",
            ["right upper lung lobe", "right middle lung lobe", "right lower lung lobe"],
            ["right upper lung lobe", "right lower lung lobe", "right middle lung lobe"],
        ),
        ("brain tumor", ["glioma", "meningioma"], ["glioma", "meningioma"]),
        ("my own widget", ["my own widget"], ["my own widget"]),
    ],
)
def test_names(text: str, trained: list[str], names: list[str]) -> None:
    target = resolve(text, *trained)
    assert isinstance(target, Target)
    assert list(target.names) == names and target.is_plain
    assert bool(target.notes) == (len(names) > 1)


@pytest.mark.parametrize(
    ("text", "trained"),
    [
        ("patella", ["liver"]),
        ("kidneys", ["left kidney"]),
        ("left lung", ["left upper lung lobe"]),
        ("liver", ["liver tumor", "liver vessels"]),
        ("sacrum", ["S1 vertebra"]),
        ("brain", ["hippocampus", "cerebellum"]),
        ("thoracic spine", [f"T{n} vertebra" for n in range(1, 12)]),
    ],
)
def test_less_than_the_whole_is_refused(text: str, trained: list[str]) -> None:
    refusal = resolve(text, *trained)
    assert isinstance(refusal, Refusal)
    assert refusal.message.startswith(f"this checkpoint was not trained on '{text}'")


def test_what_is_close_is_offered_and_never_taken() -> None:
    refusal = resolve("femoral head", "left femur", "right femur", "liver")
    assert isinstance(refusal, Refusal) and "close: " in refusal.message
    assert "left femur" in refusal.message and "liver" not in refusal.message
    typo = resolve("livr", "liver")
    assert isinstance(typo, Refusal)
    assert typo.message == "'livr' is not known, and this checkpoint was not trained on it; " + (
        "close: liver"
    )


def test_like_letters_are_not_close_for_a_known_structure() -> None:
    refusal = resolve("left kidney", "left lung", "right lung")
    assert isinstance(refusal, Refusal) and "close" not in refusal.message
    typo = resolve("splean", "left lung")
    assert isinstance(typo, Refusal) and typo.message.endswith("did you mean spleen?")


def test_wholes_are_names_of_the_vocabulary() -> None:
    vocabulary = Vocabulary.load()
    for whole, parts in WHOLES.items():
        assert vocabulary.entry(whole).name == whole
        assert [vocabulary.entry(part).name for part in parts] == list(parts)


def test_threshold_of_a_union_is_the_lowest() -> None:
    trained = {"left kidney": {"threshold": 0.6}, "right kidney": {"threshold": 0.4}}
    (prompt,) = parse_prompts("kidneys")
    target = Resolver(trained, Vocabulary.load()).resolve(prompt)
    assert isinstance(target, Target) and target.threshold == 0.4


# -- modality ------------------------------------------------------------------------------------


def test_a_prompt_of_another_modality_is_refused_or_noted() -> None:
    (prompt,) = parse_prompts("clavicles")
    trained = {"clavicles": {"modalities": ["CXR"]}, "liver": {"modalities": ["CT"]}}

    def ask(modality: str | None, guessed: bool) -> Target | Refusal:
        return Resolver(trained, Vocabulary.load(), modality, guessed).resolve(prompt)

    known = ask("CT", False)
    assert isinstance(known, Refusal)
    assert known.message == (
        "this checkpoint learned 'clavicles' on CXR only, and this image is CT"
    )
    guessed = ask("CT", True)
    assert isinstance(guessed, Target) and "looks like CT" in guessed.notes[-1]
    assert isinstance(ask(None, True), Target)
    assert ask("CXR", False).notes == ()  # type: ignore[union-attr]


def test_sided_prompt_of_another_modality_is_put_together_from_this_one() -> None:
    trained = {
        "left lung": {"modalities": ["CXR"]},
        "right lung": {"modalities": ["CXR"]},
        "lungs": {"modalities": ["CT"]},
    }
    (prompt,) = parse_prompts("left lung")
    target = Resolver(trained, Vocabulary.load(), "CT").resolve(prompt)
    assert isinstance(target, Target)
    assert target.names == ("lungs",) and target.side == "left" and target.left == ()


# -- sides, thirds, subtraction on a phantom ------------------------------------------------------

PLACES = {
    "lungs": 0.2,
    "left lung": 0.3,
    "right lung": 0.4,
    "pulmonary infection": 0.5,
    "liver": 0.6,
    "liver tumor": 0.7,
    "kidney tumor": 0.8,
}
LEFT_LUNG = (slice(6, 18), slice(12, 36), slice(40, 54))
RIGHT_LUNG = (slice(6, 18), slice(12, 36), slice(10, 24))


def chest(*, infections: bool = True, lungs: bool = True) -> Volume:
    boxes: dict[float, list] = {0.6: [(slice(0, 4), slice(10, 30), slice(10, 40))]}
    boxes[0.7] = [(slice(1, 3), slice(14, 20), slice(12, 20))]
    boxes[0.8] = [(slice(20, 23), slice(14, 20), x) for x in (slice(12, 18), slice(44, 50))]
    if lungs:
        boxes |= {0.3: [LEFT_LUNG], 0.4: [RIGHT_LUNG]}
    if infections:
        long = (slice(8, 10), slice(16, 20), slice(33, 44))
        left = [long, (slice(15, 17), slice(16, 20), slice(42, 46))]
        right = [(slice(8, 10), slice(24, 30), slice(12, 16))]
        boxes[0.5] = left + right
    return phantom(boxes)


def turned(volume: Volume, axis_map: AxisMap) -> Volume:
    """Return the same patient with voxels in another order."""
    matrix = volume.ijk_to_ras @ axis_map.index_matrix(volume.shape)
    return replace(volume, array=axis_map.apply(volume.array).copy(), ijk_to_ras=matrix)


def ask(text: str, volume: Volume, *names: str, **options: Any) -> Segmentation:
    places = {n: PLACES[n] for n in names}
    predictor = toy_predictor(places, **options)
    predictor.set_volume(volume)
    (answer,) = predictor.segment([text])
    return answer


def columns(answer: Segmentation) -> list[int]:
    return np.flatnonzero(answer.mask.any(axis=(0, 1))).tolist()


def test_side_of_a_finding_is_that_of_the_nearer_container() -> None:
    names = ("pulmonary infection", "left lung", "right lung")
    left = ask("left pulmonary infection", chest(), *names)
    right = ask("right pulmonary infection", chest(), *names)
    assert columns(left) == list(range(33, 46)) and columns(right) == list(range(12, 16))
    assert left.voxels == 2 * 4 * 11 + 2 * 4 * 4
    assert "nearer to left lung" in left.message


@pytest.mark.parametrize("mirrored", [False, True])
def test_side_without_containers_is_the_half_of_the_body(mirrored: bool) -> None:
    volume = chest()
    if mirrored:  # the array mirrored together with its matrix is the same patient
        volume = turned(volume, AxisMap((0, 1, 2), (False, False, True)))
    answer = ask("right kidney tumor", volume, "kidney tumor")
    assert answer.outcome is Outcome.FOUND and answer.voxels == 3 * 6 * 6
    ras = volume.index_to_ras(np.argwhere(answer.mask)[:, ::-1])
    assert ras[:, 0].mean() > -31.5  # patient right is +R; the body's middle lies at R = -31.5
    assert "middle of the body" in answer.message


def test_body_middle_not_image_middle() -> None:
    volume = phantom({0.8: [(slice(4, 8), slice(14, 20), slice(30, 34))]}, body=False)
    volume.array[:, 6:-6, 4:40] = np.maximum(volume.array[:, 6:-6, 4:40], 20)  # middle at i = 21.5
    assert ask("left kidney tumor", volume, "kidney tumor").voxels > 0
    assert ask("right kidney tumor", volume, "kidney tumor").outcome is Outcome.NOT_FOUND


def test_side_of_a_paired_structure_trained_without_side() -> None:
    boxes = {0.2: [LEFT_LUNG, RIGHT_LUNG]}
    answer = ask("left lung", phantom(boxes), "lungs")
    assert columns(answer) == list(range(40, 54))


def test_empty_containers_fall_back_to_the_half() -> None:
    names = ("pulmonary infection", "left lung", "right lung")
    answer = ask("right pulmonary infection", chest(lungs=False), *names)
    assert "middle of the body" in answer.message and answer.voxels > 0


@pytest.mark.parametrize(
    ("text", "slices"),
    [
        ("upper left lung", range(14, 18)),
        ("middle left lung", range(10, 14)),
        ("lower left lung", range(6, 10)),
    ],
)
@pytest.mark.parametrize("upside_down", [False, True])
def test_thirds_follow_the_patient(text: str, slices: range, upside_down: bool) -> None:
    volume = chest(infections=False)
    if upside_down:
        volume = turned(volume, AxisMap((0, 1, 2), (True, False, False)))
    answer = ask(text, volume, "left lung")
    mask = answer.mask[::-1] if upside_down else answer.mask
    assert np.flatnonzero(mask.any(axis=(1, 2))).tolist() == list(slices)


@pytest.mark.parametrize(
    "part",
    [
        {"slices": (8, 16)},
        {"slices": (7, 8)},
        {"roi": (-60, -40, -40, 0, 10, 24)},
        {"slices": (9, 17), "plane": "coronal"},
    ],
)
def test_a_third_is_one_of_the_whole_structure_whatever_part_is_asked_for(part: Any) -> None:
    prompts = ["upper left lung", "left lung", "lungs without upper left lung"]
    predictor = toy_predictor({"left lung": 0.3, "right lung": 0.4}, planes=("axial", "coronal"))
    volume = chest(infections=False)
    predictor.set_volume(volume)
    whole = predictor.segment(prompts)
    predictor.set_volume(volume, **part)
    predictor.segment(["left lung"])
    for alone, all_of_it in zip(predictor.segment(prompts), whole, strict=True):
        asked = np.zeros(volume.shape, np.float16)
        predictor._stack.view(asked)[...] = 1
        predictor._block.cut(predictor._stack.view(asked))
        assert 0 < np.count_nonzero(asked) < asked.size
        assert np.array_equal(alone.mask, all_of_it.mask * (asked != 0))


def test_third_of_a_container_for_a_finding() -> None:
    names = ("pulmonary infection", "left lung", "right lung")
    answer = ask("upper left pulmonary infection", chest(), *names)
    assert np.flatnonzero(answer.mask.any(axis=(1, 2))).tolist() == [15, 16]
    refused = ask("upper left pulmonary infection", chest(), "pulmonary infection")
    assert refused.outcome is Outcome.UNKNOWN_PROMPT
    assert "not trained on 'left lung'" in refused.message


def test_thirds_of_pictures() -> None:
    array = np.zeros((1, 48, 64), np.uint8)
    array[:, 10:40, 20:40] = 75  # 0.3 of the range
    array[:, :, :2] = 250
    one_slice = Volume.from_array(array)
    anything: Any = {"trained_prompts": {"left lung": {}}}
    axial = ask("upper left lung", one_slice, "left lung", **anything)
    assert axial.outcome is Outcome.UNKNOWN_PROMPT and "single axial slice" in axial.message
    for facts in ({"modality": "CXR"}, {"meta": {"geometry": "assumed"}}):
        answer = ask("upper left lung", replace(one_slice, **facts), "left lung", **anything)
        assert np.flatnonzero(answer.mask.any(axis=(0, 2))).tolist() == list(range(10, 20))


def test_subtraction() -> None:
    names = ("liver", "liver tumor")
    plain = ask("liver", chest(), *names)
    boxes = {0.6: [(slice(0, 4), slice(10, 30), slice(10, 40))]}
    whole = phantom(boxes)
    assert plain.voxels == int((chest().array == 600).sum())
    # the toy's masks do not overlap, so let the tumor lie where the liver is found too
    both = ask("liver without tumor", whole, "liver", "liver tumor")
    assert both.voxels == int((whole.array == 600).sum())
    overlapping = toy_predictor({"liver": 0.6, "liver tumor": 0.6})
    overlapping.set_volume(whole)
    (gone,) = overlapping.segment(["liver without tumor"])
    assert gone.voxels == 0 and gone.outcome is Outcome.NOT_FOUND
    refused = ask("liver without tumor", whole, "liver")
    assert refused.outcome is Outcome.UNKNOWN_PROMPT
    assert "'tumor' cannot be taken away" in refused.message


def test_lungs_minus_left_lung() -> None:
    predictor = toy_predictor({"left lung": 0.3, "right lung": 0.4})
    predictor.set_volume(chest(infections=False))
    minus, lungs, upper = predictor.segment(["lungs minus left lung", "lungs", "upper lungs"])
    assert columns(minus) == list(range(10, 24))
    assert columns(lungs) == [*range(10, 24), *range(40, 54)]
    assert np.flatnonzero(upper.mask.any(axis=(1, 2))).tolist() == list(range(14, 18))
    # answers that were made from the same network output must not share memory
    assert minus.probability is not None and lungs.probability is not None
    assert not np.shares_memory(minus.probability, lungs.probability)


def test_resolve_tells_before_anything_runs() -> None:
    predictor = toy_predictor({"left kidney": 0.3, "right kidney": 0.4})
    target, refusal = predictor.resolve("kidneys, patella")
    assert isinstance(target, Target) and isinstance(refusal, Refusal)
