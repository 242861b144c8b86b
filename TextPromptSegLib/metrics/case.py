"""All measures of one case: one mask against its reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .overlap import overlap_counts
from .surface import surface_distances


@dataclass(frozen=True)
class CaseMetrics:
    """Overlap and surface measures of one case.

    Attributes:
        dice, iou, precision, recall: in [0, 1]; both masks empty 1, only one of them empty 0.
        hd, hd95, asd, assd: in `unit`; both masks empty 0, only one of them the image diagonal.
        nsd: in [0, 1], at `tolerance`; both masks empty 1, only one of them empty 0.
        tp, fp, fn: voxel counts, for pooling.
        unit: "mm" where the spacing is known, else "px".
        tolerance: of the NSD, in `unit`.
    """

    dice: float
    iou: float
    precision: float
    recall: float
    hd: float
    hd95: float
    asd: float
    assd: float
    nsd: float
    tp: int
    fp: int
    fn: int
    unit: str
    tolerance: float


def case_metrics(
    prediction: np.ndarray,
    reference: np.ndarray,
    spacing: Sequence[float] | None = None,
    tolerance: float = 2.0,
) -> CaseMetrics:
    """Compare one mask with its reference.

    Args:
        prediction: (H, W) or (K, J, I); everything but 0 is inside.
        reference: the same shape.
        spacing: voxel size in mm in the order of the array's axes (K, J, I); None measures in px.
        tolerance: of the NSD, mm (px without a spacing).

    Raises:
        ValueError: when the shapes differ or the spacing does not fit them.
    """
    counts = overlap_counts(prediction, reference)
    distances = surface_distances(prediction, reference, spacing, tolerance)
    return CaseMetrics(
        dice=counts.dice,
        iou=counts.iou,
        precision=counts.precision,
        recall=counts.recall,
        hd=distances.hd,
        hd95=distances.hd95,
        asd=distances.asd,
        assd=distances.assd,
        nsd=distances.nsd,
        tp=counts.tp,
        fp=counts.fp,
        fn=counts.fn,
        unit="px" if spacing is None else "mm",
        tolerance=float(tolerance),
    )


def pixel_distances(prediction: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """Return HD, HD95, ASD and ASSD in px, for papers that print px although the spacing is known.

    Args:
        prediction: (H, W) or (K, J, I); everything but 0 is inside.
        reference: the same shape.
    """
    d = surface_distances(prediction, reference)
    return {"hd_px": d.hd, "hd95_px": d.hd95, "asd_px": d.asd, "assd_px": d.assd}
