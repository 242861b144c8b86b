"""An image of two boxes, bright and brighter, with the places a toy network knows."""

from __future__ import annotations

import numpy as np
from toy_segmenter import phantom

from TextPromptSegLib.image.volume import Volume

LIVER, SPLEEN = 0.3, 0.7
PLACES = {"liver": LIVER, "spleen": SPLEEN, "aorta": 0.5, "pancreas": 0.9}
LIVER_BOX = (slice(4, 14), slice(10, 30), slice(12, 30))
SPLEEN_BOX = (slice(9, 18), slice(20, 34), slice(40, 52))


def organs() -> Volume:
    return phantom({LIVER: [LIVER_BOX], SPLEEN: [SPLEEN_BOX]})


def dice(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a != 0, b != 0
    return 2 * float((a & b).sum()) / max(1.0, float(a.sum() + b.sum()))
