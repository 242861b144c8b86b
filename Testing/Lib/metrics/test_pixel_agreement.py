"""Agreement over all voxels against torchmetrics and scripted cases."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from TextPromptSegLib.metrics import AGREEMENT, average_precision, pixel_agreement

EMPTY, FULL = np.zeros((4, 4)), np.ones((4, 4))


@pytest.mark.parametrize("seed", range(4))
def test_torchmetrics_agrees(seed: int) -> None:
    functional = pytest.importorskip("torchmetrics.functional.classification")
    rng = np.random.default_rng(seed)
    reference = rng.random((6, 9, 8)) < 0.2
    probability = np.clip(rng.random(reference.shape) * 0.6 + 0.4 * reference, 0, 1)
    probability[rng.random(reference.shape) < 0.5] = 0  # as beyond the box that was decoded
    probability = np.round(probability, 1).astype(np.float16)  # ties
    mask = probability > 0.5
    p, m, r = (
        torch.from_numpy(x.astype(np.float32)).flatten() for x in (probability, mask, reference)
    )
    expected = [
        float(functional.binary_f1_score(m, r.long())),
        float(functional.binary_accuracy(m, r.long())),
        float(functional.binary_cohen_kappa(m, r.long())),
        float(functional.binary_average_precision(p, r.long())),
    ]
    found = pixel_agreement(mask, reference, probability)
    assert tuple(found) == AGREEMENT
    assert list(found.values()) == pytest.approx(expected, abs=1e-5)


def test_the_ends_of_the_scale() -> None:
    half = np.arange(16).reshape(4, 4) % 2
    assert pixel_agreement(half, half, half) == dict.fromkeys(AGREEMENT, 1.0)
    assert pixel_agreement(1 - half, half) == {"f1": 0.0, "pixel_accuracy": 0.0, "kappa": -1.0}
    assert pixel_agreement(EMPTY, EMPTY) == {"f1": 1.0, "pixel_accuracy": 1.0, "kappa": 1.0}
    assert pixel_agreement(FULL, EMPTY, FULL) == dict.fromkeys(AGREEMENT, 0.0)
    assert average_precision(EMPTY, half) == 0.5  # an answer that says nothing: the prevalence
    with pytest.raises(ValueError, match="shapes"):
        pixel_agreement(EMPTY, np.zeros(16))
