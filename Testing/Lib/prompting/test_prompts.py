"""The prompt parser: tables of what people type: names, lists, sides, places, reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from TextPromptSegLib.outcome import PromptError
from TextPromptSegLib.prompting.prompt import Prompt
from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.prompting.vocabulary import Vocabulary

VOCABULARY = Vocabulary.load()
SINGLE = [e for e in VOCABULARY if not e.paired and e.kind == "anatomy"]


def one(text: str) -> Prompt:
    """Parse a text that must be a single prompt."""
    prompts = parse_prompts(text)
    assert len(prompts) == 1, [prompt.name for prompt in prompts]
    return prompts[0]


# ---- names, commands, lists ----

NAMES = [
    ("liver", ["liver"]),
    ("Liver", ["liver"]),
    ("the liver.", ["liver"]),
    ("please segment the liver", ["liver"]),
    ("Please, could you segment the left kidney?", ["left kidney"]),
    ("where is the spleen?", ["spleen"]),
    ("Where are the kidneys", ["kidneys"]),
    ("show me the aorta", ["aorta"]),
    ("find the liver margins", ["liver"]),
    ("Segment the pancreas region", ["pancreas"]),
    ("Identify the glioma tissue", ["glioma"]),
    ("Your goal is to spot the glioma", ["glioma"]),
    ("Delineate the gall bladder", ["gallbladder"]),
    ("I would like to see the patient's left lung", ["left lung"]),
    ("is there a pleural effusion?", ["pleural effusion"]),
    ("segmentation of the stomach", ["stomach"]),
    ("make a mask of the heart", ["heart"]),
    ("right adrenal gland in this CT scan", ["right adrenal gland"]),
    ("CT scan of the liver", ["liver"]),
    ("aorta in the contrast enhanced CT image", ["aorta"]),
    ("chest X-ray, COVID-19 pneumonia", ["COVID-19 infection"]),
    ("wo ist die Leber?", ["liver"]),
    ("montre-moi le foie", ["liver"]),
    ("left kidney, spleen and liver", ["left kidney", "spleen", "liver"]),
    ("left kidney; spleen\nliver", ["left kidney", "spleen", "liver"]),
    ("1. liver\n2. spleen\n- aorta", ["liver", "spleen", "aorta"]),
    ("liver/spleen & pancreas + aorta", ["liver", "spleen", "pancreas", "aorta"]),
    ("spleen - liver", ["spleen", "liver"]),
    ("please segment: liver, spleen", ["liver", "spleen"]),
    ("Segment the liver. Then the spleen.", ["liver", "spleen"]),
    ("liver, liver", ["liver"]),
    ("liver as well as spleen", ["liver", "spleen"]),
    ("lungs and heart", ["lungs", "heart"]),
    ("heart and lungs", ["heart", "lungs"]),
    ("portal and splenic vein", ["portal and splenic vein"]),
    ("portal vein and splenic vein", ["portal and splenic vein"]),
    (
        "liver, spleen and portal and splenic vein and aorta",
        ["liver", "spleen", "portal and splenic vein", "aorta"],
    ),
    ("hepatic and portal veins", ["hepatic veins", "portal vein"]),
    ("left gluteus maximus and medius", ["left gluteus maximus", "left gluteus medius"]),
    ("left atrium and ventricle", ["left atrium of heart", "left ventricle of heart"]),
    ("T9 and T10 vertebrae", ["T9 vertebra", "T10 vertebra"]),
    ("T11-L1", ["T11 vertebra", "T12 vertebra", "L1 vertebra"]),
    ("left ribs 7-9", ["left rib 7", "left rib 8", "left rib 9"]),
    ("ribs 7 and 8", ["rib 7", "rib 8"]),
    ("tumor core and edema", ["tumor core", "edema"]),
    ("WT, TC, ET", ["whole tumor", "tumor core", "enhancing tumor"]),
    ("non-enhancing tumor", ["non-enhancing tumor"]),
    ("linke Niere, Leber und Milz", ["left kidney", "liver", "spleen"]),
    ("rein gauche et foie", ["left kidney", "liver"]),
    ("hepatic parenchyma", ["liver"]),
    ("suprarenal gland", ["adrenal glands"]),
    ("GGO", ["ground-glass opacity"]),
    ("IVC, LV", ["inferior vena cava", "left ventricle of heart"]),
    ("infection", ["pulmonary infection"]),
    ("vessels in the liver", ["liver vessels"]),
    ("segment 4 of the liver", ["liver segment 4"]),
    ("non-small-bowel, small bowel", None),
]


@pytest.mark.parametrize(("text", "names"), NAMES)
def test_names_and_lists(text: str, names: list[str] | None) -> None:
    prompts = parse_prompts(text)
    if names is None:
        assert prompts[-1].name == "small bowel"
        return
    assert [prompt.name for prompt in prompts] == names
    assert all(prompt.known and not prompt.minus for prompt in prompts)


SIDES = [
    ("left kidney", [("left kidney", "left")]),
    ("kidney, left", [("left kidney", "left")]),
    ("kidney (left)", [("left kidney", "left")]),
    ("L kidney", [("left kidney", "left")]),
    ("rt. lung", [("right lung", "right")]),
    ("lt lung", [("left lung", "left")]),
    ("l. kidney and r. lung", [("left kidney", "left"), ("right lung", "right")]),
    ("kidney on the left side", [("left kidney", "left")]),
    ("left-sided kidney", [("left kidney", "left")]),
    ("kidney", [("kidneys", None)]),
    ("kidneys", [("kidneys", None)]),
    ("both kidneys", [("kidneys", "both")]),
    ("bilateral kidneys", [("kidneys", "both")]),
    ("kidneys, both", [("kidneys", "both")]),
    ("left and right kidney", [("left kidney", "left"), ("right kidney", "right")]),
    ("left kidney and right kidney", [("left kidney", "left"), ("right kidney", "right")]),
    ("kidney, left and right", [("left kidney", "left"), ("right kidney", "right")]),
    ("kidneys left and right", [("left kidney", "left"), ("right kidney", "right")]),
    ("left upper lobe", [("left upper lung lobe", "left")]),
    ("upper left lobe", [("left upper lung lobe", "left")]),
    ("LUL and RLL", [("left upper lung lobe", "left"), ("right lower lung lobe", "right")]),
    (
        "left upper and lower lobe",
        [("left upper lung lobe", "left"), ("left lower lung lobe", "left")],
    ),
    (
        "upper and lower lobes of the right lung",
        [("right upper lung lobe", "right"), ("right lower lung lobe", "right")],
    ),
    ("right middle lobe", [("right middle lung lobe", None)]),
    ("left ventricle", [("left ventricle of heart", None)]),
    ("right atrium of the heart", [("right atrium of heart", None)]),
    ("left rib 7", [("left rib 7", "left")]),
    ("left kidney and adrenal gland", [("left kidney", "left"), ("adrenal glands", None)]),
]


@pytest.mark.parametrize(("text", "expected"), SIDES)
def test_sides(text: str, expected: list[tuple[str, str | None]]) -> None:
    assert [(prompt.name, prompt.side) for prompt in parse_prompts(text)] == expected


def test_a_side_that_is_not_repeated_is_noted() -> None:
    assert "both are meant" in parse_prompts("left kidney and adrenal gland")[1].describe()


# ---- single structures with a side ----


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_side_of_a_single_structure_limits_it_to_half_of_the_body(side: str) -> None:
    for entry in SINGLE:
        if {"left", "right"} & set(entry.name.split()):
            continue  # "left pulmonary artery" has its side in its name
        prompt = one(f"{side} {entry.name}")
        if prompt.structure != entry.name:  # "left" + "pulmonary artery" is such a name
            assert side in prompt.name.split() and prompt.side is None
            continue
        assert (prompt.name, prompt.side, prompt.half) == (entry.name, side, side)
        assert prompt.notes and side in prompt.describe()


def test_left_liver_offers_the_left_lobe() -> None:
    prompt = one("left liver")
    assert (prompt.name, prompt.half) == ("liver", "left")
    assert "left liver lobe" in prompt.suggestions
    assert "normally lies on the right" in prompt.describe()
    assert one("left brain").suggestions == ("left cerebral hemisphere",)
    assert one("both livers").side is None
    assert one("liver").half is None and one("left kidney").half is None


def test_contradicting_sides_are_not_understood() -> None:
    prompt = one("right left kidney")
    assert not prompt.known
    assert {"left kidney", "right kidney"} <= set(prompt.suggestions)


# ---- height and place ----

PLACES = [
    # text, name, side, container, thirds
    ("upper left lung", "left lung", "left", "left lung", ("upper",)),
    ("upper third of the left lung", "left lung", "left", "left lung", ("upper",)),
    ("lower zone of right lung", "right lung", "right", "right lung", ("lower",)),
    ("middle left lung", "left lung", "left", "left lung", ("middle",)),
    ("middle lobe of the left lung", "left lung", "left", "left lung", ("middle",)),
    ("lung, upper left", "left lung", "left", "left lung", ("upper",)),
    ("upper pole of the left kidney", "left kidney", "left", "left kidney", ("upper",)),
    ("superior liver", "liver", None, "liver", ("upper",)),
    ("superior vena cava", "superior vena cava", None, None, ()),
    ("upper and middle right lung", "right lung", "right", "right lung", ("upper",)),
    ("lymph nodes in the mediastinum", "lymph nodes", None, "mediastinum", ()),
    ("tumor in the left kidney", "kidney tumor", "left", "left kidney", ()),
    ("left kidney tumor", "kidney tumor", "left", "left kidney", ()),
    ("tumor in the liver", "liver tumor", None, None, ()),
    ("tumor in the tail of the pancreas", "pancreas tumor", None, "tail of pancreas", ()),
    ("spleen cyst", "cyst", None, "spleen", ()),
    ("nodule in the upper left lung", "lung nodule", "left", "left lung", ("upper",)),
    ("left upper lobe nodule", "lung nodule", "left", "left upper lung lobe", ()),
    ("right middle lobe consolidation", "consolidation", "right", "right middle lung lobe", ()),
    ("RLL consolidation", "consolidation", "right", "right lower lung lobe", ()),
    ("glioma in the left frontal lobe", "glioma", "left", "left frontal lobe", ()),
    ("pneumothorax on the right side", "pneumothorax", "right", "right pleural cavity", ()),
    ("consolidation in the right lower zone", "consolidation", "right", "right lung", ("lower",)),
    ("bibasal infiltrates", "lung opacity", "both", "lungs", ("lower",)),
    ("left mid zone opacity", "lung opacity", "left", "left lung", ("middle",)),
    ("opacities in both lower lobes", "lung opacity", "both", "lower lung lobes", ()),
    ("COVID-19 in the lungs", "COVID-19 infection", None, "lungs", ()),
    ("left glioma", "glioma", "left", None, ()),
    ("bilateral tumor in the spleen", "spleen tumor", None, "spleen", ()),
]


@pytest.mark.parametrize(("text", "name", "side", "container", "thirds"), PLACES)
def test_places(text: str, name: str, side: str, container: str, thirds: tuple[str, ...]) -> None:
    prompt = parse_prompts(text)[0]
    assert (prompt.name, prompt.side, prompt.container) == (name, side, container)
    assert prompt.thirds == thirds and prompt.known
    if container is not None:
        assert (container, thirds) in prompt.zones


def test_the_left_lung_has_no_middle_lobe() -> None:
    for text in ("middle left lung", "left middle lobe", "infection in the left middle lobe"):
        prompt = one(text)
        assert (prompt.container, prompt.thirds) == ("left lung", ("middle",))
        assert "no middle lobe" in prompt.describe()
    right = one("middle right lung")
    assert "no middle lobe" not in right.describe()
    assert right.suggestions == ("right middle lung lobe",)


def test_words_that_limit_nothing_are_said() -> None:
    for text, word in (("anterior liver", "anterior"), ("large spleen", "large")):
        prompt = one(text)
        assert prompt.known and any(word in note for note in prompt.notes)


# ---- reports ----


def test_report_with_one_zone() -> None:
    prompt = one("unilateral pulmonary infection, middle left lung")
    assert (prompt.name, prompt.side) == ("pulmonary infection", "left")
    assert (prompt.container, prompt.thirds) == ("left lung", ("middle",))
    assert prompt.attributes["laterality"] == "unilateral"
    assert "no middle lobe" in prompt.describe()


def test_report_with_several_zones_is_one_prompt() -> None:
    text = (
        "Bilateral pulmonary infection, two infected areas, "
        "all left lung and middle lower right lung."
    )
    prompt = one(text)
    assert (prompt.name, prompt.side, prompt.container) == ("pulmonary infection", "both", "lungs")
    assert prompt.thirds == ()
    assert prompt.zones == (("left lung", ()), ("right lung", ("middle", "lower")))
    assert prompt.attributes == {
        "laterality": "bilateral",
        "number": "two",
        "zones": "left lung; middle lower right lung",
    }


REPORTS = [
    (
        "Bilateral pulmonary infection, two infected areas, upper left lung and lower right lung",
        (("left lung", ("upper",)), ("right lung", ("lower",))),
    ),
    (
        "Bilateral pulmonary infection, seven infected areas, upper middle lower left lung and "
        "middle lower right lung.",
        (("left lung", ()), ("right lung", ("middle", "lower"))),
    ),
    (
        "Unilateral pulmonary infection, one infected area, middle lower right lung.",
        (("right lung", ("middle", "lower")),),
    ),
    (
        "Bilateral COVID-19 infection, lower left lung and lower right lung",
        (("left lung", ("lower",)), ("right lung", ("lower",))),
    ),
    (
        "Patchy consolidation in left middle to lower lung zones.",
        (("left lung", ("middle", "lower")),),
    ),
    ("Opacities in the left lower and right upper lobes.", None),
]


@pytest.mark.parametrize(("text", "zones"), REPORTS)
def test_zones_of_reports(text: str, zones: tuple | None) -> None:
    lobes = (("left lower lung lobe", ()), ("right upper lung lobe", ()))
    assert one(text).zones == (lobes if zones is None else zones)


def test_reports_that_contradict_themselves_say_so() -> None:
    assert "names only the left side" in one("bilateral infection, all left lung").describe()
    assert "names both sides" in one("unilateral infection, left and right lung").describe()


def test_a_plain_list_of_finding_and_organ_stays_a_list() -> None:
    prompts = parse_prompts("infection, left lung, heart")
    assert [prompt.name for prompt in prompts] == ["pulmonary infection", "left lung", "heart"]
    assert "infection in left lung" in prompts[0].describe()
    assert one("pulmonary infection in left lung").container == "left lung"


def test_report_of_several_findings() -> None:
    prompts = parse_prompts(
        "Patchy ground-glass opacities in right upper and lower lung zones and patchy "
        "consolidation in left middle to lower lung zones."
    )
    assert [(p.name, p.container, p.thirds) for p in prompts] == [
        ("ground-glass opacity", "right lung", ("upper", "lower")),
        ("consolidation", "left lung", ("middle", "lower")),
    ]
    assert prompts[0].attributes["extent"] == "patchy"


def test_notes_of_the_real_radiographs_are_read_without_an_error(shared_data: Path) -> None:
    texts = set()
    for folder in ("cxr_covid_gb", "cxr_covid_qu_ex", "cxr_montgomery_shenzhen"):
        cases = json.loads((shared_data / folder / "dataset.json").read_text())["cases"]
        texts |= {case["text"] for case in cases if case.get("text")}
    known = 0
    for text in sorted(texts):
        try:
            known += any(prompt.known for prompt in parse_prompts(text))
        except PromptError:  # "chest X-ray, no tuberculosis" asks for nothing
            continue
    assert known >= 0.6 * len(texts)
