"""What an image is taken for: CT in Hounsfield units, MR, X-ray; who says so, how to correct it.

The grey scale of the network depends on it, so it is always said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..outcome import InputError

if TYPE_CHECKING:
    from .volume import Volume

MODALITIES = ("CT", "MR", "CXR")
NAMES = {"CT": "CT", "MR": "MR", "CXR": "X-ray"}
HU_AIR = -80.0
"""A picture whose lowest half percent lies below this many units can only be CT in HU: MR and
X-ray values are not negative and z-scores stay within a few tens."""
_LOW_PERCENT = 0.5
# One value that so many voxels have may be padding; then so many of the others have to be low,
# more than a border leaves behind where it was interpolated.
_CONSTANT = 0.005
_CT_SHARE = 0.02
_GAP = 0.1  # between padding and the rest, part of the range of the rest


@dataclass(frozen=True)
class TakenFor:
    """What an image is taken for.

    Attributes:
        modality: "CT", "MR", "CXR", or None when nobody knows: grey values without a unit.
        source: who says so: "user", "file", "values", or "" for nobody.
        in_hu: whether the values are Hounsfield units.
        padding: the value of voxels outside the picture, None without any.
        named: the DICOM modality that the file names, "" where it names none.
    """

    modality: str | None
    source: str
    in_hu: bool
    padding: float | None
    named: str = ""

    @property
    def guessed(self) -> bool:
        """Whether neither the file nor the user says it."""
        return self.source not in ("user", "file")

    @property
    def sentence(self) -> str:
        """What is told to the user."""
        why = {
            "user": "as you said",
            "file": "as the file says",
            "values": "by its grey values",
        }.get(self.source, "")
        if self.modality is None and self.named:
            text = f"The file says that this is {self.named}, which no checkpoint was trained on; "
            text += "its grey values are taken like those of MR or an X-ray"
        elif self.modality is None:
            text = "The image is taken for MR or an X-ray, grey values without a unit: neither the "
            text += "file nor its values say what it is"
        elif self.modality == "CT":
            unit = "in Hounsfield units" if self.in_hu else "not in Hounsfield units"
            text = f"The image is taken for CT {unit}, {why}"
        else:
            text = f"The image is taken for {NAMES[self.modality]}, {why}"
        if self.padding is not None:
            text += f"; voxels of the value {self.padding:g} are left out as padding"
        return f"{text}."


def check_modality(modality: str | None) -> str | None:
    """Return "CT", "MR", "CXR" or None of what a user wrote.

    Raises:
        InputError: for anything else.
    """
    if modality is None:
        return None
    found = {"X-RAY": "CXR", "XRAY": "CXR"}.get(modality.strip().upper(), modality.strip().upper())
    if found not in MODALITIES:
        raise InputError(f"The modality {modality[:20]!r} is not known; use CT, MR or CXR.")
    return found


def with_modality(volume: Volume, modality: str | None) -> Volume:
    """Return an image that counts as the modality that the user names; None leaves it as it is.

    Raises:
        InputError: for a modality that is not known.
    """
    found = check_modality(modality)
    if found is None or (volume.modality == found and volume.meta.get("modality_by") == "user"):
        return volume
    return replace(volume, modality=found, meta={**volume.meta, "modality_by": "user"})


def taken_for(volume: Volume) -> TakenFor:
    """Return what an image is taken for."""
    sample = finite_sample(volume.array)
    stated = volume.meta.get("padding")
    padding, rest = without_padding(sample, None if stated is None else float(stated))
    if volume.modality is None:
        found = "CT" if _can_only_be_hu(sample if stated is None else rest) else None
        named = str(volume.meta.get("dicom_modality") or "")[:16]
        return TakenFor(found, "values" if found else "", found == "CT", padding, named)
    source = str(volume.meta.get("modality_by", "file"))
    in_hu = volume.modality == "CT" and (
        volume.meta.get("unit") == "HU"
        or (source == "user" and volume.array.dtype != np.uint8)
        or is_in_hu(sample)
    )
    return TakenFor(volume.modality, source, in_hu, padding)


def guess_modality(array: np.ndarray) -> str | None:
    """Return "CT" when the values can only be HU, else None (take percentiles).

    A border of one low value, as resampling leaves it around an MR, does not count.

    Args:
        array: (K, J, I) voxel values, any real type.
    """
    return "CT" if _can_only_be_hu(finite_sample(array)) else None


def is_in_hu(sample: np.ndarray) -> bool:
    """Return whether values of a CT are Hounsfield units, not those of an 8-bit export."""
    return bool(sample.size) and float(np.percentile(sample, _LOW_PERCENT)) < HU_AIR


def without_padding(
    sample: np.ndarray, stated: float | None = None
) -> tuple[float | None, np.ndarray]:
    """Return the value of padding, None without any, and the other values.

    Args:
        sample: finite values.
        stated: what the file names as padding; else one low value counts that many voxels have
            and that lies far below all others.
    """
    if stated is not None:
        rest = sample[sample != np.float32(stated)]
        if 0 < rest.size < sample.size:
            return stated, rest
    if not sample.size:
        return None, sample
    low = sample.min()
    rest = sample[sample > low]
    if low >= 0 or not rest.size or sample.size - rest.size < _CONSTANT * sample.size:
        return None, sample
    bottom, top = np.percentile(rest, [_LOW_PERCENT, 100 - _LOW_PERCENT])
    if _share_below(rest) >= _CT_SHARE or bottom - low <= _GAP * max(float(top - bottom), 1e-6):
        return None, sample
    return float(low), rest


def finite_sample(array: np.ndarray, most: int = 2_000_000) -> np.ndarray:
    """Return finite values as float32, a regular subset of large volumes."""
    flat = np.asarray(array).reshape(-1)
    step = max(1, flat.size // most)
    sample = flat[::step].astype(np.float32)
    return sample[np.isfinite(sample)]


def _can_only_be_hu(sample: np.ndarray) -> bool:
    if not is_in_hu(sample):
        return False
    others = sample[sample > sample.min()]
    may_be_padding = sample.size - others.size >= _CONSTANT * sample.size and others.size > 0
    return not may_be_padding or _share_below(others) >= _CT_SHARE


def _share_below(values: np.ndarray) -> float:
    return float(np.count_nonzero(values < HU_AIR)) / max(1, values.size)
