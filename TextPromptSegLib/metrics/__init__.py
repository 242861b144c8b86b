"""Agreement of a mask with a reference: overlap, surface distances, intervals, calibration."""

from __future__ import annotations

from .agreement import AGREEMENT, average_precision, pixel_agreement
from .calibration import Calibration, calibration_counts, pooled_calibration, uncertainty_error
from .case import CaseMetrics, case_metrics, pixel_distances
from .intervals import (
    Interval,
    mean_interval,
    mean_of_means_interval,
    pooled_interval,
    rate_interval,
)
from .overlap import Overlap, overlap_counts, pooled
from .surface import SurfaceDistances, image_diagonal, surface_distances

__all__ = [
    "AGREEMENT",
    "Calibration",
    "CaseMetrics",
    "Interval",
    "Overlap",
    "SurfaceDistances",
    "average_precision",
    "calibration_counts",
    "case_metrics",
    "image_diagonal",
    "mean_interval",
    "mean_of_means_interval",
    "overlap_counts",
    "pixel_agreement",
    "pixel_distances",
    "pooled",
    "pooled_calibration",
    "pooled_interval",
    "rate_interval",
    "surface_distances",
    "uncertainty_error",
]
