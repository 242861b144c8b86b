"""Settings chosen on validation cases: only what pays, and few false alarms first."""

from __future__ import annotations

import numpy as np
import pytest

from TextPromptSegLib.training.calibrate import Trials, _largest, choose, choose_gate


def trials(gain: float, cases: int, noise: float = 0.0, alarms: int = 0) -> Trials:
    result = Trials(alarms=alarms, absent=100)
    rng = np.random.default_rng(0)
    plain = np.full(cases, 0.8)
    result.dice["liver"][0.5, False] = plain.tolist()
    result.dice["liver"][0.4, True] = (plain + gain + rng.normal(0, noise, cases)).tolist()
    return result


@pytest.mark.parametrize(
    ("gain", "cases", "noise", "changed"),
    [
        (0.02, 20, 0.001, True),
        (0.002, 20, 0.0, False),  # too small to matter
        (0.02, 2, 0.0, False),  # too few cases to say
        (0.02, 6, 0.3, False),  # noise
        (-0.1, 20, 0.0, False),
    ],
)
def test_a_setting_changes_only_where_it_pays(
    gain: float, cases: int, noise: float, changed: bool
) -> None:
    chosen = choose(trials(gain, cases, noise))
    expected = {"threshold": 0.4, "postprocess": {"keep_components": 1}}
    assert chosen == ({"liver": expected} if changed else {})


def test_the_gate_keeps_the_promise_first_and_then_the_dice() -> None:
    good, better, loud = trials(0, 5), trials(0, 5), trials(0, 5, alarms=9)
    better.dice["liver"][0.5, False] = [0.9] * 5
    loud.dice["liver"][0.5, False] = [0.99] * 5
    assert choose_gate({0.5: loud, 0.7: better, 0.85: good}) == 0.7
    assert choose_gate({0.5: trials(0, 5, alarms=50), 0.7: trials(0, 5, alarms=9)}) == 0.7


def test_largest_part() -> None:
    mask = np.zeros((1, 6, 6), bool)
    mask[0, 0, 0] = mask[0, 3:5, 3:5] = True
    assert _largest(mask).sum() == 4
    assert not _largest(np.zeros((1, 3, 3), bool)).any()
