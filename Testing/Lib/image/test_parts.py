"""Connected parts by runs against SciPy's labels."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label

from TextPromptSegLib.image.parts import parts_of


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(*[st.integers(1, 7)] * 3),
    st.sampled_from([0.0, 0.05, 0.2, 0.5, 1.0]),
    st.integers(0, 2**32 - 1),
)
def test_parts_are_those_of_scipy_in_its_order(
    shape: tuple[int, int, int], share: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    mask = (rng.random(shape) < share).astype(np.uint8)
    turned = mask.transpose(2, 0, 1)[:, ::-1]  # any strides
    for array, corners in itertools.product((mask, turned), (True, False)):
        labels, count = label(array, np.ones((3, 3, 3)) if corners else None)
        parts = parts_of(array, corners)
        assert np.array_equal(parts.sizes, np.bincount(labels.ravel(), minlength=1)[1:])
        keep = rng.random(count) < 0.5
        expected = np.append(False, keep)[labels].astype(np.uint8)
        assert np.array_equal(parts.mask(keep), expected)
