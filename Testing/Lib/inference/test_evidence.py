"""Whether a structure is there: what the mask looks like joins what the head says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from toy_organs import LIVER, PLACES, SPLEEN, organs
from toy_segmenter import ToySegmenter, phantom, toy_predictor

from TextPromptSegLib.inference.evidence import (
    LEVEL,
    Evidence,
    EvidenceRule,
    evidence_of,
    logit,
    rule_of,
)
from TextPromptSegLib.outcome import CheckpointError, Outcome

halves = arrays(np.float16, (4, 5, 6), elements=st.floats(0, 1, width=16))


@given(halves, st.floats(0.01, 0.99))
def test_evidence_against_a_plain_reckoning(slices: np.ndarray, presence: float) -> None:
    seen = evidence_of(slices, presence)
    mask = slices >= np.float16(LEVEL)
    if not mask.any():
        assert seen is None
        return
    assert seen is not None
    mean = float(slices[mask].astype(np.float64).mean())
    assert seen.head == logit(presence)
    assert seen.confidence == pytest.approx(logit(mean), abs=2e-3)
    assert seen.size == pytest.approx(np.log10(mask.sum((1, 2)).max() / 30))
    beside = np.pad(mask, ((1, 1), (0, 0), (0, 0)))
    shared = sum(int((a & b).sum()) for a, b in zip(beside[1:], beside[:-1], strict=True))
    sizes = sum(int(a.sum() + b.sum()) for a, b in zip(beside[1:], beside[:-1], strict=True))
    assert seen.agreement == pytest.approx(2 * shared / sizes - 0.5)


@given(halves)
def test_evidence_knows_no_direction_and_no_pixel_size(slices: np.ndarray) -> None:
    seen = evidence_of(slices, 0.7)
    turned = evidence_of(slices[::-1, :, ::-1], 0.7)
    fine = evidence_of(slices.repeat(2, 1).repeat(3, 2), 0.7)
    for other in (turned, fine):
        assert (seen is None) == (other is None)
        if seen is not None and other is not None:
            assert other.vector() == pytest.approx(seen.vector(), abs=1e-3)


def test_one_slice_agrees_with_nothing_and_disagrees_with_nothing() -> None:
    plane = np.full((1, 4, 4), 0.9, np.float16)
    alone = evidence_of(plane, 0.5)
    speck = evidence_of(np.concatenate([plane * 0, plane, plane * 0]), 0.5)
    solid = evidence_of(plane.repeat(9, 0), 0.5)
    assert alone and speck and solid
    assert alone.agreement == 0.0 and speck.agreement == -0.5 and solid.agreement > 0.35


SEEN = Evidence(1.0, 2.0, -1.5, 0.3)
RULE = EvidenceRule(0.5, 1.0, 0.7, 0.4, 2.0, 0.5)


@pytest.mark.parametrize("field", ["head", "confidence", "size", "agreement"])
def test_more_evidence_is_more_probable(field: str) -> None:
    more = replace(SEEN, **{field: getattr(SEEN, field) + 0.5})
    assert RULE.probability(more) > RULE.probability(SEEN)
    total = 0.5 + 1.0 + 1.4 - 0.6 + 0.6
    assert RULE.probability(SEEN) == pytest.approx(1 / (1 + np.exp(-total)))


def test_rules_are_read_as_they_were_written() -> None:
    assert EvidenceRule.from_dict(RULE.to_dict()) == RULE
    entry = {"evidence": {"CT": RULE.to_dict()}}
    assert rule_of(entry, "CT") == RULE
    assert rule_of(entry, "MR") is None and rule_of({}, "CT") is None


@pytest.mark.parametrize(
    "change",
    [{"gate": 0.0}, {"gate": 1.5}, {"head": "much"}, {"size": float("nan")}, {"shape": 1.0}, None],
)
def test_unusable_rules_are_refused(change: dict[str, object] | None) -> None:
    values = {**RULE.to_dict(), **change} if change is not None else {"gate": 0.5}
    with pytest.raises(CheckpointError, match="rule of evidence"):
        rule_of({"evidence": {"CT": values}}, "CT")
    with pytest.raises(CheckpointError, match="modality"):
        rule_of({"evidence": [1]}, "CT")


# -- in an answer ----------------------------------------------------------------------------------

NEVER = replace(RULE, intercept=-90.0).to_dict()
ALWAYS = replace(RULE, intercept=90.0).to_dict()


def ask(
    rules: dict[str, dict[str, float]], gate: float | None, prompt: str = "liver", **more: object
) -> list:
    entry = {"modalities": ["CT"], "threshold": 0.5, "evidence": rules, **more}
    if gate is not None:
        entry["presence_threshold"] = gate
    trained = dict.fromkeys(PLACES, entry)
    predictor = toy_predictor(PLACES, model=ToySegmenter(), trained_prompts=trained)
    predictor.set_volume(organs())
    (first,) = predictor.segment([prompt])
    return [first, predictor.rethreshold(first, 0.3)]


def test_the_rule_stands_in_for_the_heads_own_gate() -> None:
    plain, _ = ask({}, None)
    silenced, lower = ask({"CT": NEVER}, None)
    assert plain.outcome is Outcome.FOUND
    assert silenced.outcome is Outcome.NOT_FOUND and not silenced.mask.any()
    assert not lower.mask.any()  # another threshold asks nothing again
    head, _ = ask({}, 0.999999999)
    rescued, _ = ask({"CT": ALWAYS}, 0.999999999)
    assert head.outcome is Outcome.NOT_FOUND
    assert np.array_equal(rescued.mask, plain.mask)


def test_without_a_rule_for_the_modality_the_head_decides() -> None:
    assert ask({"MR": NEVER}, None)[0].outcome is Outcome.FOUND
    assert ask({"MR": ALWAYS}, 0.999999999)[0].outcome is Outcome.NOT_FOUND


def test_a_rule_finds_nothing_where_there_is_no_mask() -> None:
    answer, lower = ask({"CT": ALWAYS}, None, "pancreas")  # not in the image
    assert answer.outcome is Outcome.NOT_FOUND and not lower.mask.any()


@pytest.mark.parametrize(("left", "right", "found"), [(0, 1, True), (1, 0, True), (0, 0, False)])
def test_a_union_stays_as_long_as_one_of_it_is_there(left: int, right: int, found: bool) -> None:
    trained = {
        name: {"modalities": ["CT"], "threshold": 0.5, "evidence": {"CT": (NEVER, ALWAYS)[rule]}}
        for name, rule in (("left kidney", left), ("right kidney", right))
    }
    places = {"left kidney": LIVER, "right kidney": SPLEEN}
    predictor = toy_predictor(places, trained_prompts=trained)
    predictor.set_volume(organs())
    both, one = predictor.segment(["kidneys", "left kidney"])
    assert (both.outcome is Outcome.FOUND) is found
    assert (one.outcome is Outcome.FOUND) is bool(left)


def test_a_slice_that_is_searched_alone_has_no_neighbours_to_disagree_with() -> None:
    lonely = {**dict.fromkeys(ALWAYS, 0.0), "intercept": 0.5, "agreement": 4.0, "gate": 0.5}
    entry = {"modalities": ["CT"], "threshold": 0.5, "evidence": {"CT": lonely}}
    predictor = toy_predictor({"liver": LIVER}, trained_prompts={"liver": entry})
    predictor.set_volume(organs(), slices=(7, 8))
    assert predictor.segment(["liver"])[0].outcome is Outcome.FOUND
    predictor.set_volume(phantom({LIVER: [(slice(7, 8), slice(10, 30), slice(12, 30))]}))
    assert predictor.segment(["liver"])[0].outcome is Outcome.NOT_FOUND  # nothing above or below
