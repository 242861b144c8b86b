"""Codes of the vocabulary are real, used once, and written as Slicer and DICOM write them."""

from __future__ import annotations

import re

import pytest

from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.prompting.vocabulary import Vocabulary

VOCABULARY = Vocabulary.load()
ENTRIES = list(VOCABULARY)


def verhoeff(number: str) -> bool:
    """Tell whether a SNOMED CT identifier has its right check digit (Verhoeff)."""

    def times(a: int, b: int) -> int:  # the group of symmetries of a pentagon
        if a < 5:
            return (a + b) % 5 if b < 5 else 5 + (a + b - 5) % 5
        return 5 + (a - 5 - b) % 5 if b < 5 else (a - b) % 5

    turn = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    check = 0
    for position, digit in enumerate(reversed(number)):
        value = int(digit)
        for _ in range(position % 8):
            value = turn[value]
        check = times(check, value)
    return check == 0


def test_codes_are_snomed_ct_identifiers() -> None:
    for entry in ENTRIES:
        for code in filter(None, entry.snomed.values()):
            scheme, value, meaning = code
            assert scheme == "SCT" and meaning
            assert re.fullmatch(r"[1-9]\d{5,17}", value), value
            assert verhoeff(value), f"{value} has a wrong check digit"
        assert entry.category[1] in {
            "85756007", "123037004", "49755003", "91720002", "260787004",
        }  # fmt: skip


def test_check_digit_finds_a_mistyped_code() -> None:
    assert verhoeff("10200004") and verhoeff("24028007") and verhoeff("7771000")
    assert not verhoeff("10200005") and not verhoeff("10020004") and not verhoeff("24082007")


def test_exact_codes_are_used_once() -> None:
    seen: dict[tuple, str] = {}
    for entry in ENTRIES:
        if entry.exact_code:
            key = (entry.type[1], entry.modifier, entry.container)
            assert key not in seen, f"{entry.name} and {seen[key]} have one code"
            seen[key] = entry.name
    assert len(seen) >= 150


def test_codes_mean_what_dicom_says_they_mean() -> None:
    concepts = pytest.importorskip("pydicom.sr._concepts_dict").concepts["SCT"]
    meanings = {code: m[0] for values in concepts.values() for code, m in values.items()}
    same = {  # the two words for one thing where ours and DICOM's share none
        "15825003": "aortic", "80891009": "cardiac", "12738006": "brain", "78961009": "splenic",
        "57850000": "truncus", "23451007": "adrenal", "62413002": "radius", "85759000": "",
    }  # fmt: skip
    checked = 0
    for entry in ENTRIES:
        if not entry.exact_code or entry.type[1] not in meanings:
            continue
        official = meanings[entry.type[1]].lower()
        ours = f"{entry.name} {' '.join(entry.synonyms)} {entry.type[2]}".lower()
        stems = {word[:4] for word in re.findall(r"[a-z]{3,}|\d+", ours)}
        words = {word[:4] for word in re.findall(r"[a-z]{3,}|\d+", official)}
        assert stems & words or same.get(entry.type[1], "?") in official, (entry.name, official)
        checked += 1
    assert checked >= 120


# ---- terminology ----


def test_terminology_of_a_side_is_a_type_modifier() -> None:
    left, right = VOCABULARY.terminology("left kidney"), VOCABULARY.terminology("right kidney")
    assert left.type == right.type == ("SCT", "64033007", "Kidney")
    assert left.modifier == ("SCT", "7771000", "Left")
    assert right.modifier == ("SCT", "24028007", "Right")
    assert VOCABULARY.terminology("kidneys").modifier == ("SCT", "51440002", "Right and left")
    assert VOCABULARY.terminology("liver").modifier is None
    assert VOCABULARY.terminology("left ventricle").modifier is None


def test_terminology_of_a_finding_names_its_organ() -> None:
    (prompt,) = parse_prompts("tumor in the left kidney")
    terminology = VOCABULARY.terminology(prompt)
    assert terminology.category[1] == "49755003" and terminology.type[2] == "Neoplasm"
    assert terminology.region == ("SCT", "64033007", "Kidney")
    assert terminology.region_modifier == ("SCT", "7771000", "Left")
    covid = VOCABULARY.terminology("COVID-19 infection")
    assert covid.modifier == ("SCT", "840539006", "COVID-19") and covid.region[2] == "Lung"
    assert VOCABULARY.terminology("flux capacitor") is None
    assert VOCABULARY.terminology(parse_prompts("flux capacitor")[0]) is None


def test_slicer_tag_has_the_seven_fields_of_slicer() -> None:
    fields = VOCABULARY.terminology("left kidney").slicer_tag().split("~")
    assert len(fields) == 7
    assert fields[1] == "SCT^123037004^Anatomical Structure"
    assert fields[2:4] == ["SCT^64033007^Kidney", "SCT^7771000^Left"]
    assert fields[5:] == ["^^", "^^"]
    region = VOCABULARY.terminology("liver tumor").slicer_tag().split("~")
    assert region[5] == "SCT^10200004^Liver" and all(len(f.split("^")) == 3 for f in region[1:4])
