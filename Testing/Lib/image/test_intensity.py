"""Voxel values to network input: windows, percentiles, bad values, sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from TextPromptSegLib.image.intensity import (
    InputSpec,
    canvas_offset,
    fit_slice_size,
    scale_intensity,
    scale_parameters,
)
from TextPromptSegLib.image.modality import guess_modality

TWO = InputSpec(in_channels=2, ct_windows=((-160, 240), (-1000, 400)))


def test_ct_in_hu_gets_one_window_per_channel() -> None:
    ct = np.array([[[-1024, -160, 40, 240, 3000]]], np.int16)
    out = scale_intensity(ct, "CT", TWO)
    assert out.shape == (2, 1, 1, 5) and out.dtype == np.float32
    assert out[0, 0, 0].tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert out[1, 0, 0] == pytest.approx([0, 0.6, 1040 / 1400, 1240 / 1400, 1])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.linspace(-1024, 1500, 500), "CT"),
        (np.linspace(-125, 275, 500), "CT"),
        (np.linspace(0, 255, 500), None),
        (np.random.default_rng(0).normal(size=500), None),
        (np.full(10, np.nan), None),
    ],
)
def test_only_hu_looks_like_ct(values: np.ndarray, expected: str | None) -> None:
    assert guess_modality(values.reshape(1, 1, -1)) == expected


def test_an_8_bit_export_of_a_ct_is_scaled_by_percentiles() -> None:
    picture = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    parameters = scale_parameters(picture, "CT", TWO)
    assert parameters[0] == parameters[1]
    assert parameters[0] == pytest.approx(np.percentile(picture, (0.5, 99.5)))


def test_mr_is_never_windowed_as_ct() -> None:
    odd = np.linspace(-500, 500, 100).reshape(1, 10, 10)
    assert scale_parameters(odd, "MR", TWO)[0] != TWO.ct_windows[0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_bad_values_stay_in_range(bad: float) -> None:
    values = np.linspace(0, 100, 100).reshape(1, 10, 10)
    values[0, 0, 0] = bad
    out = scale_intensity(values, None, TWO)
    assert np.isfinite(out).all() and out.min() >= 0 and out.max() <= 1
    assert out[0, 0, 0, 0] == (1.0 if bad == np.inf else 0.0)


@pytest.mark.parametrize("value", [0, 7, -3, np.nan])
def test_constant_pictures_do_not_divide_by_zero(value: float) -> None:
    out = scale_intensity(np.full((1, 4, 4), value), None, TWO)
    assert np.isfinite(out).all() and np.ptp(out) == 0


@given(
    height=st.integers(1, 2000), width=st.integers(1, 2000), size=st.sampled_from([64, 224, 256])
)
def test_slices_keep_their_aspect_and_fit_the_canvas(height: int, width: int, size: int) -> None:
    spec = InputSpec(size=size, multiple=32)
    (h, w), (canvas_h, canvas_w) = fit_slice_size(height, width, spec)
    assert 1 <= h <= canvas_h <= size and 1 <= w <= canvas_w <= size
    assert canvas_h % 32 == 0 and canvas_w % 32 == 0 and canvas_h - h < 32
    scale = min(size / max(height, width), 2.0)
    assert abs(h - height * scale) <= 1 and abs(w - width * scale) <= 1
    top, left = canvas_offset((h, w), (canvas_h, canvas_w))
    assert 0 <= top <= canvas_h - h and 0 <= left <= canvas_w - w


def test_spec_round_trip_and_refusals() -> None:
    assert InputSpec.from_dict(TWO.to_dict()) == TWO
    with pytest.raises(ValueError, match="unknown input keys: colour"):
        InputSpec.from_dict({"colour": 1})
    with pytest.raises(ValueError, match="pair per input channel"):
        InputSpec(in_channels=2)
    with pytest.raises(ValueError, match="multiple"):
        InputSpec(size=100, multiple=32)
