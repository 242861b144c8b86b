"""Lungs completed by their air: what was missed comes back, gas and the room never do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation, gaussian_filter
from toy_organs import dice
from toy_segmenter import toy_predictor

from TextPromptSegLib.data.datasets import Dataset
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference.lung_air import LungAir
from TextPromptSegLib.inference.postprocess import ISLAND
from TextPromptSegLib.outcome import Outcome
from TextPromptSegLib.training.export import is_ct_lung

SHAPE = (26, 90, 110)
SPACING = (8.0, 3.0, 3.0)


def ellipse(j: float, i: float, height: float, width: float) -> np.ndarray:
    rows, columns = np.indices(SHAPE[1:])
    return ((rows - j) / height) ** 2 + ((columns - i) / width) ** 2 <= 1


class Body:
    """A trunk in canonical LPS order, HU: lungs with tips and vessels, trachea, bowel, outside."""

    def __init__(self, seed: int, joined: bool = False, shift: int = 0) -> None:
        rng = np.random.default_rng(seed)
        body = ellipse(45, 55, 34, 46)
        hu = np.where(body, 40.0, -1000.0) * np.ones((SHAPE[0], 1, 1))
        self.right, self.left, self.gas = (np.zeros(SHAPE, bool) for _ in range(3))
        for k in range(8, 24):
            tip = min(1.0, (24 - k) / 6)
            self.right[k] = ellipse(45 + shift, 34, 22 * tip, 15 * tip)
            self.left[k] = ellipse(45 + shift, 76, 22 * tip, 15 * tip)
            if joined and 12 <= k < 20:  # the line between them is thinner than a pixel
                self.right[k, 30:33, 44:55] = self.left[k, 30:33, 55:68] = True
            vessels = ellipse(50, 30, 1.5, 1.5) | ellipse(40, 80, 1.5, 1.5)
            self.right[k] &= ~vessels
            self.left[k] &= ~vessels
        hu[self.right | self.left] = -850
        for k in range(10, 26):
            self.gas[k] |= ellipse(52, 55, 3, 3)  # trachea
        for k in range(1, 7):
            self.gas[k] |= ellipse(40, 72, 9, 9)  # stomach, under the left lung
            self.gas[k] |= ellipse(45, 40, 6, 12)  # colon
        hu[self.gas] = -985
        smooth = gaussian_filter(rng.normal(size=SHAPE), (0.5, 2, 2))
        hu += rng.normal(0, 12, SHAPE) + 60 * smooth / smooth.std() * (self.right | self.left)
        self.hu = hu.astype(np.float32)
        self.outside = np.broadcast_to(~body, SHAPE)


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 999), st.booleans(), st.integers(1, 5), st.integers(0, 2))
def test_what_the_network_missed_comes_back_and_nothing_else(
    seed: int, joined: bool, missed: int, wide: int
) -> None:
    body = Body(seed, joined)
    claim = body.left.copy()
    claim[24 - missed :] = False  # the tip
    claim[13:15] = False  # two slices that the gate left out
    claim = binary_dilation(claim, np.ones((1, 3, 3)), wide) if wide else claim
    claim[2:4, 38:42, 70:74] = True  # a few specks in the stomach
    claim[3, 44:46, 20:24] = True  # and in the liver
    lung = LungAir(body.hu, SPACING).complete(claim)
    assert lung is not None
    assert dice(lung, body.left) > 0.96
    assert not (lung & (body.gas | body.outside)).any()
    assert (lung & body.right).sum() < 0.01 * body.right.sum()


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 999), st.integers(1, 4), st.floats(0, 1), st.sampled_from([1, 2]))
def test_a_tip_of_which_the_network_calls_a_part_lung_comes_back_as_one_it_missed(
    seed: int, dim: int, part: float, axis: int
) -> None:
    body = Body(seed)
    claim = body.left.copy()
    for k in range(24 - dim, 24):
        places = np.nonzero(body.left[k])[axis - 1]
        line = np.quantile(places, part) if len(places) else 0
        claim[k] &= np.indices(SHAPE[1:])[axis - 1] < line
    lung = LungAir(body.hu, SPACING).complete(claim)
    assert lung is not None
    assert dice(lung[24 - dim :], body.left[24 - dim :]) > 0.9
    assert not (lung & (body.gas | body.outside)).any()
    assert not (lung & body.right).any()


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 999), st.booleans())
def test_both_lungs_at_once(seed: int, joined: bool) -> None:
    body = Body(seed, joined)
    both = body.left | body.right
    claim = both.copy()
    claim[20:] = False
    lung = LungAir(body.hu, SPACING).complete(claim)
    assert lung is not None and dice(lung, both) > 0.96 and not (lung & body.gas).any()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 999), st.floats(0.02, 1.0), st.booleans())
def test_gas_that_the_network_calls_lung_gets_no_larger(
    seed: int, share: float, with_lung: bool
) -> None:
    body = Body(seed)
    blobs = gaussian_filter(np.random.default_rng(seed).normal(size=SHAPE), (0.5, 3, 3))
    claim = body.gas & (blobs <= np.quantile(blobs, share))
    claim |= body.right & with_lung
    lung = LungAir(body.hu, SPACING).complete(claim)
    if lung is not None:
        assert not (lung & (body.gas | body.outside) & ~claim).any()
    if with_lung and share < 0.1:
        assert lung is not None and dice(lung, body.right) > 0.98


def test_a_consolidation_stays_and_the_edge_of_the_wall_goes() -> None:
    body = Body(0)
    dense = np.zeros(SHAPE, bool)
    dense[10:16, 50:66, 70:82] = True
    dense &= body.left
    body.hu[dense] = 30
    claim = binary_dilation(body.left, np.ones((1, 3, 3)))  # one pixel too wide
    lung = LungAir(body.hu, SPACING).complete(claim)
    assert lung is not None and (lung & dense).sum() > 0.95 * dense.sum()
    assert (lung & ~body.left).sum() < 0.15 * (claim & ~body.left).sum()


def test_vessels_in_the_lung_belong_to_it() -> None:
    body = Body(0)
    lung = LungAir(body.hu, SPACING).complete(body.left)
    assert lung is not None and lung[10:14, 40, 80].all() and not body.left[10:14, 40, 80].any()


def test_where_nothing_can_be_told_the_rule_stays_off() -> None:
    body = Body(0)
    claim = body.left
    clipped = np.maximum(body.hu, -125.0)  # as BTCV is stored
    assert LungAir(clipped, SPACING).complete(claim) is None
    assert LungAir(body.hu + 1024, SPACING).complete(claim) is None  # not in HU
    assert LungAir(body.hu, SPACING).complete(body.gas) is None  # thin as gas, all of it
    solid = (body.hu > 0) & ~body.outside
    assert LungAir(body.hu, SPACING).complete(solid) is None
    assert LungAir(body.hu, SPACING).complete(np.zeros(SHAPE, bool)) is None


def test_a_lung_at_the_edge_of_the_picture_is_not_thrown_away() -> None:
    body = Body(0)
    cut = np.s_[:, :, 30:]  # through the right lung
    lung = LungAir(body.hu[cut], SPACING).complete(body.right[cut])
    assert lung is not None and dice(lung, body.right[cut]) > 0.98


@pytest.mark.parametrize("fine", [(8.0, 1.0, 1.0), (8.0, 3.0, 1.0)])
def test_a_finer_grid_says_the_same(fine: tuple[float, float, float]) -> None:
    body = Body(1)
    rows, columns = (round(3.0 / mm) for mm in fine[1:])
    grow = lambda a: a.repeat(rows, 1).repeat(columns, 2)  # noqa: E731
    claim = body.left.copy()
    claim[19:] = False
    lung = LungAir(grow(body.hu), fine).complete(grow(claim))
    assert lung is not None and dice(lung, grow(body.left)) > 0.96
    assert not (lung & grow(body.gas | body.outside)).any()


# -- as part of an answer --------------------------------------------------------------------------

PLACES = {"left lung": 0.15, "right lung": 0.3, "liver": 0.99}
LUNG_AIR = {"modalities": ["CT"], "threshold": 0.5, "postprocess": {"lung_air": True}}
PLAIN = {"modalities": ["CT"], "threshold": 0.5}
SPEC = {"size": 128, "multiple": 8, "ct_windows": [[-1000, 0]], "max_upsampling": 1.0}


def chest(flip: bool = False) -> tuple[Volume, Body]:
    """A CT whose left lung the toy network knows by its HU, but for its tip."""
    body = Body(0)
    hu = np.where(body.left, -850, np.where(body.right, -700, np.round(body.hu)))
    hu = np.where(body.gas, -985, hu).astype(np.int16)
    hu[17:][body.left[17:]] = -760  # another grey: the network misses it
    matrix = np.diag([-3.0, -3.0, 8.0, 1.0])
    if flip:  # feet last, patient's left first
        hu, matrix = hu[::-1, :, ::-1], np.diag([3.0, -3.0, -8.0, 1.0])
    return Volume.from_array(hu, ijk_to_ras=matrix, modality="CT"), body


@pytest.mark.parametrize("flip", [False, True])
def test_an_answer_is_completed_where_its_name_asks_for_it(flip: bool) -> None:
    volume, body = chest(flip)
    truth = body.left[::-1, :, ::-1] if flip else body.left
    answers = []
    for entry in (PLAIN, LUNG_AIR):
        trained = {"left lung": entry, "right lung": PLAIN, "liver": PLAIN}
        predictor = toy_predictor(PLACES, input=SPEC, trained_prompts=trained)
        predictor.set_volume(volume)
        answers.append(predictor.segment(["left lung", "right lung"]))
    (rough, other), (whole, same) = answers
    assert dice(rough.mask, truth) < 0.9 and dice(whole.mask, truth) > 0.97
    assert "follow the lung's air" in whole.message and "air" not in rough.message
    assert np.array_equal(other.mask, same.mask) and other.message == same.message
    again = predictor.rethreshold(whole, 0.7)
    assert dice(again.mask, truth) > 0.97  # the image is not needed any more
    # A lung is one piece, so islands go too.
    assert whole.provenance["postprocess"] == {"lung_air": True, "min_fraction": ISLAND}


def test_what_was_not_searched_is_not_completed() -> None:
    volume, body = chest()
    trained = {"left lung": LUNG_AIR}
    predictor = toy_predictor({"left lung": 0.15}, input=SPEC, trained_prompts=trained)
    predictor.set_volume(volume, slices=(10, 21))
    (answer,) = predictor.segment(["left lung"])
    assert not answer.mask[21:].any() and not answer.mask[:10].any()
    assert dice(answer.mask[10:21], body.left[10:21]) > 0.97
    x = -3.0 * 76
    predictor.set_volume(volume, roi=(x, 0.0, -1e4, 1e4, 64.0, 184.0))
    (half,) = predictor.segment(["left lung"])
    assert half.mask.any() and not half.mask[:, :, 78:].any()


def test_an_image_that_is_clipped_is_said_to_be_rough() -> None:
    volume, _ = chest()
    array = np.maximum(volume.array, -320)
    clipped = Volume.from_array(array, ijk_to_ras=volume.ijk_to_ras, modality="CT")
    places = {"left lung": 0.68}
    predictor = toy_predictor(places, input=SPEC, trained_prompts={"left lung": LUNG_AIR})
    predictor.set_volume(clipped)
    (answer,) = predictor.segment(["left lung"])
    assert answer.outcome is Outcome.FOUND and "could not be told" in answer.message
    grey = Volume.from_array(np.where(array < 0, 170, 20), modality="CT")  # a picture, not HU
    predictor.set_volume(grey)
    assert all("air" not in s.message for s in predictor.segment(["left lung"]))


def test_trained_lungs_in_ct_ask_for_it() -> None:
    for name, modalities, expected in [
        ("left lung", {"CT", "CXR"}, True),
        ("lungs", {"CT"}, True),
        ("right lung", {"CXR"}, False),
        ("left upper lung lobe", {"CT"}, False),
        ("lung nodule", {"CT"}, False),
        ("liver", {"CT"}, False),
    ]:
        assert is_ct_lung(name, modalities) is expected


# -- real images -----------------------------------------------------------------------------------


def test_bowel_gas_in_a_real_abdomen_is_not_taken(shared_data: Path) -> None:
    dataset = Dataset.read(shared_data / "ct_abdomen_totalseg" / "dataset.json")
    case = dataset.cases[0]
    volume = case.volume()
    turn = volume.orientation("LPS").apply
    canonical = volume.canonical("LPS")
    bowel = np.zeros(canonical.shape, bool)
    for name in ("stomach", "colon", "small bowel", "duodenum"):
        bowel |= turn(case.mask(name) > 0)
    gas = bowel & (canonical.array < -400)
    assert gas.sum() > 2000
    for side in ("left lung", "right lung"):
        truth = turn(case.mask(side) > 0)
        lung = LungAir(canonical.array, canonical.spacing[::-1]).complete(truth)
        assert lung is not None and dice(lung, truth) > 0.95
        assert (lung & gas & ~truth).sum() == 0


def test_clipped_scans_leave_the_rule_off(shared_data: Path) -> None:
    dataset = Dataset.read(shared_data / "ct_abdomen_btcv" / "dataset.json")
    volume = dataset.cases[0].volume().canonical("LPS")
    dark = volume.array <= -120
    assert LungAir(volume.array, volume.spacing[::-1]).complete(dark) is None
