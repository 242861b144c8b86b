"""Report sentences made from masks: laterality, number, zones."""

from __future__ import annotations

import numpy as np
import pytest

from TextPromptSegLib import parse_prompts
from TextPromptSegLib.data.reports import infection_report


def lungs() -> dict[str, np.ndarray]:
    """Two upright lungs of 60 rows; the patient's right on the left of the picture."""
    right, left = np.zeros((80, 100), bool), np.zeros((80, 100), bool)
    right[10:70, 10:40] = True
    left[10:70, 60:90] = True
    return {"left": left, "right": right}


def boxes(*places: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros((80, 100), bool)
    for top, bottom, first, last in places:
        mask[top:bottom, first:last] = True
    return mask


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (
            boxes((12, 25, 65, 80)),
            "unilateral pulmonary infection, one infected area, upper left lung.",
        ),
        (
            boxes((12, 25, 65, 80), (55, 68, 15, 30)),
            "bilateral pulmonary infection, two infected areas, upper left lung and lower right "
            "lung.",
        ),
        (
            boxes((35, 69, 15, 30), (10, 70, 65, 80)),
            "bilateral pulmonary infection, two infected areas, all left lung and middle lower "
            "right lung.",
        ),
        # a speck on the other side is neither a side nor an area
        (
            boxes((12, 40, 65, 85), (60, 61, 15, 16)),
            "unilateral pulmonary infection, one infected area, upper middle left lung.",
        ),
    ],
)
def test_a_mask_is_described_as_a_report_does(mask: np.ndarray, expected: str) -> None:
    found = infection_report(mask, lungs())
    assert found == expected
    (prompt,) = parse_prompts(found)
    assert prompt.name == "pulmonary infection"
    assert prompt.attributes["laterality"] == expected.split()[0]
    assert prompt.attributes["number"] == expected.split()[3]


def test_without_lungs_only_the_sides_are_named_and_nothing_is_no_sentence() -> None:
    mask = boxes((12, 25, 65, 80), (55, 68, 15, 30))
    assert infection_report(mask) == (
        "bilateral pulmonary infection, two infected areas, left lung and right lung."
    )
    assert infection_report(boxes()) is None
    mirrored = infection_report(boxes((12, 25, 65, 80))[:, ::-1], lungs())
    assert mirrored == "unilateral pulmonary infection, one infected area, upper right lung."
