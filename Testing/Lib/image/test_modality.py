"""What an image is taken for is decided by more than a few voxels, said, and can be corrected."""

from __future__ import annotations

import numpy as np
import pytest

from TextPromptSegLib.image.intensity import InputSpec, scale_parameters
from TextPromptSegLib.image.modality import taken_for, with_modality
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.outcome import InputError

SPEC = InputSpec(in_channels=1, ct_windows=((-160.0, 240.0),))
RNG = np.random.default_rng(0)


def magnitude(shape=(8, 64, 64)) -> np.ndarray:
    """Stands in for MR: no negative number, dark outside."""
    values = RNG.gamma(2.0, 20.0, shape)
    values[:, 12:52, 12:52] += RNG.normal(400, 80, (shape[0], 40, 40))
    return np.maximum(values, 0).astype(np.int16)


def hounsfield(shape=(8, 64, 64), air=-1000.0) -> np.ndarray:
    """Stands in for CT: air, a body of fat and soft tissue, lungs."""
    values = RNG.normal(air, 15, shape)
    values[:, 8:56, 8:56] = RNG.normal(-100, 15, (shape[0], 48, 48))
    values[:, 12:52, 12:52] = RNG.normal(40, 15, (shape[0], 40, 40))
    values[:, 20:30, 20:30] = RNG.normal(-850, 30, (shape[0], 10, 10))
    return values.astype(np.int16)


def bordered(values: np.ndarray, border: float, width: int = 6) -> np.ndarray:
    result = values.copy()
    result[:, :width], result[:, -width:] = border, border
    result[:, :, :width], result[:, :, -width:] = border, border
    return result


def scale(volume: Volume) -> tuple[float, float]:
    taken = taken_for(volume)
    return scale_parameters(
        volume.array, taken.modality, SPEC, in_hu=taken.in_hu, padding=taken.padding
    )[0]


@pytest.mark.parametrize("border", [-100, -1000, -1024, -2000, -32768])
def test_border_around_an_mr_does_not_make_it_a_ct(border):
    plain = Volume(magnitude())
    padded = Volume(bordered(plain.array, border))
    taken = taken_for(padded)
    assert taken.modality is None and taken.guessed
    expected = scale(plain)
    assert scale(padded) == pytest.approx(expected, abs=0.15 * expected[1])


def test_border_that_was_interpolated_does_not_either():
    values = bordered(magnitude((40, 64, 64)).astype(np.float32), -1024)
    values[:, 6, 6:-6] = values[:, 6, 6:-6] / 2 - 512  # a few voxels between border and picture
    assert taken_for(Volume(values)).modality is None


@pytest.mark.parametrize("border", [-1000, -1024, -2000, -3024])
@pytest.mark.parametrize("clipped", [False, True])
def test_border_around_a_ct_leaves_it_one(border, clipped):
    values = np.maximum(hounsfield(), -1000) if clipped else hounsfield()
    taken = taken_for(Volume(bordered(values, border)))
    assert taken.modality == "CT" and taken.in_hu and taken.source == "values"
    assert scale(Volume(bordered(values, border))) == (-160.0, 240.0)


@pytest.mark.parametrize("low", [-125, -160, -200, -1024])
def test_clipped_ct_stays_a_ct(low):
    assert taken_for(Volume(np.clip(hounsfield(), low, 400))).modality == "CT"


def test_other_pictures_are_no_ct():
    scores = (magnitude() - 150.0) / 150
    for values in (magnitude(), magnitude() // 4, scores, -scores, np.zeros((1, 4, 4))):
        assert taken_for(Volume(values)).modality is None


def test_stated_padding_is_left_out():
    plain = Volume(magnitude())
    padded = Volume(bordered(plain.array, -32768), modality="MR", meta={"padding": -32768.0})
    taken = taken_for(padded)
    assert taken.padding == -32768 and not taken.guessed
    expected = scale(plain)
    assert scale(padded) == pytest.approx(expected, abs=0.15 * expected[1])
    # A value that no voxel has, and one that all voxels have, are none.
    assert taken_for(Volume(plain.array, meta={"padding": -7.0})).padding is None
    assert taken_for(Volume(np.full((1, 4, 4), 9), meta={"padding": 9.0})).padding is None


def test_who_says_it_is_told():
    sentences = [
        taken_for(Volume(hounsfield())).sentence,
        taken_for(Volume(hounsfield(), modality="CT")).sentence,
        taken_for(with_modality(Volume(magnitude()), "MR")).sentence,
        taken_for(Volume(magnitude())).sentence,
        taken_for(Volume(bordered(magnitude(), -100), modality="MR")).sentence,
    ]
    words = ["by its grey values", "as the file says", "MR, as you said", "neither the file",
             "the value -100 are left out"]  # fmt: skip
    for sentence, word in zip(sentences, words, strict=True):
        assert word in sentence and sentence.endswith(".") and "\n" not in sentence


def test_kind_that_nothing_was_trained_on_is_named():
    for named in ("PT", "US", "MG"):
        taken = taken_for(Volume(magnitude(), meta={"dicom_modality": named}))
        assert taken.modality is None and f"this is {named}, which no" in taken.sentence
        said = with_modality(Volume(magnitude(), meta={"dicom_modality": named}), "MR")
        assert "MR, as you said" in taken_for(said).sentence


def test_user_corrects_a_soft_tissue_crop_of_a_ct():
    crop = Volume(hounsfield()[:, 34:50, 34:50])
    assert scale(crop) != (-160.0, 240.0)
    assert scale(with_modality(crop, "ct")) == (-160.0, 240.0)
    known = Volume(crop.array, modality="CT", meta={"unit": "HU"})
    assert scale(known) == (-160.0, 240.0)


def test_user_corrects_an_mr_that_looks_like_a_ct():
    odd = Volume(hounsfield())
    assert scale(with_modality(odd, "MR")) != (-160.0, 240.0)
    assert taken_for(with_modality(odd, "MR")).source == "user"


def test_eight_bit_export_of_a_ct_is_not_in_hu():
    export = Volume(np.clip(hounsfield() / 8 + 128, 0, 255).astype(np.uint8))
    for volume in (with_modality(export, "CT"), Volume(export.array, modality="CT")):
        assert not taken_for(volume).in_hu and "not in Hounsfield" in taken_for(volume).sentence


@pytest.mark.parametrize(("word", "meant"), [("mr", "MR"), (" CT ", "CT"), ("X-ray", "CXR")])
def test_ways_to_write_a_modality(word, meant):
    assert with_modality(Volume(magnitude()), word).modality == meant


@pytest.mark.parametrize("word", ["", "PET", "MRCT", "x" * 1000])
def test_unknown_modality_is_refused(word):
    with pytest.raises(InputError, match="use CT, MR or CXR"):
        with_modality(Volume(magnitude()), word)


def test_read_takes_the_modality(tmp_path):
    pytest.importorskip("PIL.Image").fromarray(magnitude()[0].astype(np.uint8)).save(
        tmp_path / "a.png"
    )
    assert Volume.read(tmp_path / "a.png").modality is None
    volume = Volume.read(tmp_path / "a.png", modality="CXR")
    assert volume.modality == "CXR" and taken_for(volume).source == "user"
