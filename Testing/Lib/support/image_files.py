"""Image files that nibabel writes, and the one clear sentence of a refusal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.outcome import InputError

nib = pytest.importorskip("nibabel")
SHAPE = (3, 4, 5)


def numbered(dtype="int16", shape=SHAPE) -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def oblique() -> np.ndarray:
    angle = 0.3
    matrix = np.diag([-0.7, -0.8, 2.0, 1.0])
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix = turn @ matrix
    matrix[:3, 3] = (10, -20, 30)
    return matrix


def nifti(path: Path, array: np.ndarray, affine=None, **header) -> Path:
    """Write (..., K, J, I) values with nibabel."""
    written = nib.Nifti1Image(array.T, oblique() if affine is None else affine, dtype=array.dtype)
    for key, value in header.items():
        written.header[key] = value
    nib.save(written, path)
    return path


def refused(path: Path, words: str, **how) -> str:
    """The one clear sentence of a refusal; no noise of C libraries beside it."""
    with pytest.raises(InputError, match=words) as caught:
        Volume.read(path, **how)
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith(".") and len(sentence) < 300
    assert "0x" not in sentence and "Traceback" not in sentence
    return sentence
