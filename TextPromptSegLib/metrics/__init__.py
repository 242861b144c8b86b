"""Agreement of a mask with a reference: overlap, surface distances, intervals, calibration."""

from __future__ import annotations

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
    "Calibration",
    "CaseMetrics",
    "Interval",
    "Overlap",
    "SurfaceDistances",
    "calibration_counts",
    "case_metrics",
    "image_diagonal",
    "mean_interval",
    "mean_of_means_interval",
    "overlap_counts",
    "pixel_distances",
    "pooled",
    "pooled_calibration",
    "pooled_interval",
    "rate_interval",
    "surface_distances",
    "uncertainty_error",
]
