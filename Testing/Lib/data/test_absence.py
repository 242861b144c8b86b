"""What is known to be absent: by the case's words, by the data set, by other structures."""

from __future__ import annotations

import numpy as np
import pytest

from TextPromptSegLib.data.absence import AbsenceRules, add_absences
from TextPromptSegLib.data.sampling import ForeignNames, SliceSampler
from TextPromptSegLib.data.slices import TrainingSlice
from TextPromptSegLib.outcome import InputError

FINDINGS = ("pulmonary infection", "lung nodule")


def _slice(
    *names: str, key: str = "a/axial0", absent: tuple[str, ...] = (), modality: str = "CT"
) -> TrainingSlice:
    mask = np.packbits(np.ones((8, 8), bool), axis=1)
    return TrainingSlice(
        image=np.full((1, 8, 8), 200, np.uint8),
        valid=(0, 0, 8, 8),
        masks=dict.fromkeys(names, mask),
        absent=absent,
        dataset="set",
        modality=modality,
        key=key,
    )


def test_a_cases_words_say_what_is_absent() -> None:
    rules = AbsenceRules(
        absent_where={"no nodule": ("lung nodule",), "normal lungs": ("findings",)},
        regions={"findings": FINDINGS},
    )
    item = _slice("heart")
    add_absences([item], "chest X-ray of a 59-year-old male, malignant nodule", rules)
    assert item.absent == ()
    add_absences([item], "Chest X-ray of a 59-year-old male, No nodule", rules)
    assert item.absent == ("lung nodule",)
    add_absences([item], "chest X-ray, normal lungs", rules)
    assert item.absent == ("lung nodule", "pulmonary infection")


def test_a_structure_rules_out_far_ones_in_its_own_axial_slice_only() -> None:
    rules = AbsenceRules(apart={"left adrenal gland": ("pelvis",)}, regions={"pelvis": ("femur",)})
    here = _slice("left adrenal gland", key="a/axial3")
    below = _slice("liver", key="a/axial1")
    coronal = _slice("left adrenal gland", key="a/coronal3")
    picture = _slice("left adrenal gland", key="a/axial0", modality="CXR")
    odd = _slice("left adrenal gland", "femur", key="a/axial4")
    add_absences([here, below, coronal, picture, odd], "", rules)
    assert here.absent == ("femur",)
    assert below.absent == coronal.absent == picture.absent == odd.absent == ()


def test_upper_slices_of_a_volume_are_above_a_low_structure() -> None:
    rules = AbsenceRules(absent_above={"hippocampus": 0.75})
    volume = [_slice(key=f"a/axial{k}/c1") for k in range(9)]
    add_absences(volume, "", rules)
    assert [bool(s.absent) for s in volume] == [False] * 7 + [True] * 2
    picture = _slice("liver")
    add_absences([picture], "", rules)
    assert picture.absent == ()


@pytest.mark.parametrize(
    "rules",
    [
        AbsenceRules(absent=("findings",), regions={"findings": FINDINGS}),
        AbsenceRules(absent_where={"normal": ("lung nodule",)}),
    ],
)
def test_a_rule_that_contradicts_a_label_is_refused(rules: AbsenceRules) -> None:
    with pytest.raises(InputError, match="'lung nodule' absent in set, but a/axial0 shows it"):
        add_absences([_slice("lung nodule")], "normal", rules)


def test_questions_are_half_absent_and_half_of_those_foreign() -> None:
    items = [_slice("liver", "spleen", absent=("aorta",)), _slice("glioma")]
    items[1].dataset = "heads"
    foreign = ForeignNames(
        {"glioma": frozenset({"brain"})}, {"set": "abdomen"}, frozenset({("abdomen", "brain")})
    )
    sampler = SliceSampler(items, {}, foreign=foreign)
    asked = sampler.questions(items, 400, np.random.default_rng(0))
    assert len(asked) == 800
    of_first = [p for p in asked if p.row == 0]
    gone = [p.name for p in of_first if not p.present]
    assert 0.4 < len(gone) / len(of_first) < 0.6
    assert 0.4 < gone.count("aorta") / len(gone) < 0.6 and set(gone) == {"aorta", "glioma"}
    names = [p.name for p in of_first if p.present]
    assert abs(names.count("liver") - names.count("spleen")) <= 1
    # nothing is known to be absent from the second one: it is asked for what it shows
    assert {(p.name, p.present) for p in asked if p.row == 1} == {("glioma", True)}
    assert sampler.questions(items, 0, np.random.default_rng(0)) == []


def test_a_frequent_structure_is_asked_as_absent_more_often_than_a_rare_one() -> None:
    shown = [_slice("liver") for _ in range(99)] + [_slice("spleen")]
    item = _slice(absent=("liver", "spleen"))
    sampler = SliceSampler([*shown, item], {}, rarity=0.0, empty_weight=1.0)
    asked = sampler.questions([item], 1000, np.random.default_rng(0))
    names = [p.name for p in asked]
    assert 0.05 < names.count("spleen") / 1000 < 0.2


def test_a_slice_of_which_nothing_is_known_asks_nothing() -> None:
    items = [_slice("liver"), _slice()]
    sampler = SliceSampler(items, {})
    asked = sampler.questions(items, 3, np.random.default_rng(0))
    assert {p.row for p in asked} == {0} and len(asked) == 6
    with pytest.raises(ValueError, match="no structure is known"):
        sampler.questions(items[1:], 3, np.random.default_rng(0))
