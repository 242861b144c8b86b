"""DICOM SEG: segments in the study of the DICOM images they were made from, through highdicom."""

from __future__ import annotations

import io
import logging
import struct
import unicodedata
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..image.volume import Volume
from ..outcome import DependencyError, Outcome, OutputError
from ..prompting.prompt import Prompt
from ..prompting.segmentation import Segmentation
from ..resources import VERSION
from .dicom_sources import series_number, source_images
from .segments import Code, Segment, algorithm_name, describe

_LOG = logging.getLogger(__name__)
# What pydicom and highdicom raise for headers that they cannot use.
_REFUSALS = (
    ValueError, TypeError, AttributeError, KeyError, IndexError, OverflowError, RecursionError,
    NotImplementedError, struct.error,
)  # fmt: skip
_ELSE = "write .seg.nrrd or .nii.gz instead"


def check_dicom_seg(volume: Volume) -> None:
    """Make sure that a volume comes from DICOM files that are still there.

    Raises:
        OutputError: when it does not.
    """
    files = volume.meta.get("dicom_files")
    if not files:
        raise OutputError(
            f"DICOM SEG needs DICOM images as input, because it belongs to their study; {_ELSE}."
        )
    missing = [file for file in files if not Path(file).is_file()]
    if missing:
        raise OutputError(f"{Path(missing[0]).name}, one of the images, is gone; {_ELSE}.")


def write_dicom_seg(
    path: Path, segments: Sequence[Segment], layers: Sequence[np.ndarray], volume: Volume
) -> None:
    """Write a binary DICOM SEG with one segment per prompt.

    Args:
        path: where to write.
        segments: what to write; their masks lie in the order of ``volume``.
        layers: label maps (K, J, I) of the segments.
        volume: the DICOM images that were segmented.

    Raises:
        OutputError: when the input was not DICOM, or its headers lack what a SEG needs.
        DependencyError: when highdicom is not installed.
    """
    check_dicom_seg(volume)
    if not segments:
        raise OutputError(f"There is no segment to write as DICOM SEG; {_ELSE}.")
    _made(segments, layers, volume)[0].save_as(path)


def try_dicom_seg(volume: Volume) -> list[str]:
    """Make a SEG of one voxel, before anything runs, so that what is wrong shows now.

    Args:
        volume: the image that will be segmented.

    Returns:
        Sentences about values of the images that are repaired in the SEG.

    Raises:
        OutputError: when the input was not DICOM, or its headers lack what a SEG needs.
        DependencyError: when highdicom is not installed.
    """
    check_dicom_seg(volume)
    layer = np.zeros(volume.shape, np.uint8)
    layer[round(float(volume.meta["dicom_slices"][0])), 0, 0] = 1
    seg, notes = _made([_sample(layer)], [layer], volume)
    try:
        seg.save_as(io.BytesIO())
    except _REFUSALS as error:
        raise _refusal(error) from None
    return notes


def _sample(layer: np.ndarray) -> Segment:
    """Return a segment of one voxel."""
    prompt = Prompt(text="tissue", name="tissue", structure=None)
    found = Segmentation(prompt, Outcome.FOUND, layer, None, 0.0, 1.0, 1, 0.0, 0.5)
    return describe([found], layer.shape, None)[0][0]


def _refusal(error: Exception) -> OutputError:
    _LOG.debug("highdicom refuses: %s", error)
    reason = " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
    return OutputError(
        f"The headers of the DICOM images do not suffice for a DICOM SEG ({reason}); {_ELSE}."
    )


def _made(
    segments: Sequence[Segment], layers: Sequence[np.ndarray], volume: Volume
) -> tuple[Any, list[str]]:
    """Return the SEG and what was repaired in the headers that it takes over."""
    try:
        import highdicom
    except ImportError:
        raise DependencyError("DICOM SEG needs the Python package highdicom: install it.") from None
    from pydicom.uid import generate_uid

    provenance = segments[0].segmentation.provenance
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old headers of the source images
            sources, places, notes = source_images(volume)
            seg = highdicom.seg.Segmentation(
                source_images=sources,
                pixel_array=_pixels(segments, layers, places),
                segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
                # highdicom complains when it is to leave out every frame.
                omit_empty_frames=any(layer.any() for layer in layers),
                segment_descriptions=[_description(segment) for segment in segments],
                series_instance_uid=generate_uid(),
                series_number=series_number(sources[0]),
                sop_instance_uid=generate_uid(),
                instance_number=1,
                manufacturer="TextPromptSeg",
                manufacturer_model_name=algorithm_name(provenance),
                software_versions=VERSION,
                device_serial_number=str(provenance.get("weights_sha256") or "0")[:64],
                content_description="Segmentation by text prompt",
                content_label="SEGMENTATION",
                series_description=_plain("TextPromptSeg: " + ", ".join(s.name for s in segments)),
            )
            return seg, notes
    except _REFUSALS as error:
        raise _refusal(error) from None


def _pixels(
    segments: Sequence[Segment], layers: Sequence[np.ndarray], places: list[int]
) -> np.ndarray:
    """Return the frames: labels (N, J, I) without overlap, else masks (N, J, I, S)."""
    if len(layers) == 1:
        return np.ascontiguousarray(layers[0][places])
    stacked = np.zeros((len(places), *layers[0].shape[1:], len(segments)), np.uint8)
    for number, segment in enumerate(segments):
        stacked[..., number] = layers[segment.layer][places] == segment.label
    return stacked


def _description(segment: Segment) -> Any:
    import highdicom
    from pydicom.sr.codedict import codes

    def coded(code: Code) -> Any:
        scheme, value, meaning = code
        return highdicom.sr.CodedConcept(value, scheme, meaning[:64] or value)

    def modified(code: Code, modifier: Code | None, keyword: str) -> Any:
        concept = coded(code)
        if modifier is not None:
            setattr(concept, keyword, [coded(modifier)])
        return concept

    provenance = segment.segmentation.provenance
    description = highdicom.seg.SegmentDescription(
        segment_number=segment.label,
        segment_label=_plain(segment.name),
        segmented_property_category=coded(segment.category),
        segmented_property_type=modified(
            segment.type, segment.modifier, "SegmentedPropertyTypeModifierCodeSequence"
        ),
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name=algorithm_name(provenance),
            family=codes.DCM.ArtificialIntelligence,
            version=str(provenance.get("version") or "1")[:64],
        ),
        tracking_uid=highdicom.UID(),
        tracking_id=_plain(segment.name),
        anatomic_regions=None
        if segment.region is None
        else [modified(segment.region, segment.region_modifier, "AnatomicRegionModifierSequence")],
        display_color=highdicom.color.CIELabColor(*_lab(segment.colour)),
    )
    return description


def _plain(text: str) -> str:
    """Return text that fits into a DICOM string of any character set."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return ascii_text.strip()[:64].strip() or "segment"


def _lab(colour: tuple[int, int, int]) -> tuple[float, float, float]:
    """Return CIE L*a*b* (D65) of an sRGB colour 0..255, https://www.w3.org/TR/css-color-4/."""
    rgb = np.array(colour) / 255.0
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
         [0.0193339, 0.1191920, 0.9503041]]
    )  # fmt: skip
    xyz = to_xyz @ linear / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    lab = (116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2]))
    return float(np.clip(lab[0], 0, 100)), float(lab[1]), float(lab[2])
