"""Thresholds beside a box: chosen where they pay, tried with the reference's boxes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from box_segmenter import LIVER, NEAR, predictor
from toy_segmenter import phantom

from TextPromptSegLib.training.calibrate_boxes import (
    THRESHOLDS,
    choose_box_thresholds,
    try_box_thresholds,
)


@pytest.mark.parametrize(
    ("usual", "gain", "cases", "noise", "chosen"),
    [
        (0.5, 0.02, 20, 0.001, {"liver": 0.2}),
        (0.5, 0.002, 20, 0.0, {}),  # too small to matter
        (0.5, 0.02, 2, 0.0, {}),  # too few cases to say
        (0.5, 0.02, 6, 0.3, {}),  # noise
        (0.2, 0.02, 20, 0.0, {}),  # what text alone has already
        (0.5, -0.1, 20, 0.0, {}),
    ],
)
def test_a_threshold_changes_only_where_it_pays(
    usual: float, gain: float, cases: int, noise: float, chosen: dict[str, float]
) -> None:
    rng = np.random.default_rng(0)
    settings = {t: np.full(cases, 0.7 if t != 0.5 else 0.8).tolist() for t in THRESHOLDS}
    settings[0.2] = (0.8 + gain + rng.normal(0, noise, cases)).tolist()
    assert choose_box_thresholds({"liver": settings}, {"liver": {"threshold": usual}}) == chosen


def test_both_kinds_of_boxes_are_tried_on_what_is_there() -> None:
    volume = phantom({LIVER: [NEAR]})
    truth = np.zeros(volume.shape, np.uint8)
    truth[NEAR] = 1
    case: Any = SimpleNamespace(
        known_names=lambda: ("the liver", "spleen"),
        is_present=lambda name: name == "the liver",
        volume=lambda: volume,
        mask=lambda name: truth,
    )
    asked = predictor(presence=0.9999999)  # boxes are answered whatever presence says
    asked._model.sharpness.data.fill_(60.0)
    names = {"the liver": "liver", "spleen": "spleen"}
    trials = try_box_thresholds(asked, [case, case], names)
    assert set(trials) == {"liver"} and set(trials["liver"]) == set(THRESHOLDS)
    assert len(trials["liver"][0.5]) == 2 and min(trials["liver"][0.5]) > 0.8
    boxes = [b for b, _ in asked._model.seen if b is not None]
    assert len(np.concatenate(boxes)) == 2 * 2 * (NEAR[0].stop - NEAR[0].start)
