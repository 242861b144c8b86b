"""Writing results: the ending of the name chooses .seg.nrrd, NIfTI label map or DICOM SEG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..files.staged import StagedOutputs
from ..image.volume import Volume
from ..outcome import Outcome, OutputError
from ..prompting.segmentation import Segmentation
from ..prompting.vocabulary import Vocabulary
from .dicom_seg import check_dicom_seg, try_dicom_seg, write_dicom_seg
from .inputs import check_not_input
from .label_map import write_label_map
from .seg_nrrd import write_seg_nrrd
from .segments import describe
from .side_files import ENDINGS, divided, stale_files
from .verify import verify_files

__all__ = ["ENDINGS", "check_output", "try_output", "write_segmentations"]


def check_output(path: str | Path, volume: Volume | None = None) -> str:
    """Make sure, before anything runs, that results can be written under this name.

    Args:
        path: the name of the output.
        volume: the input, where it is known already.

    Returns:
        The ending, one of `ENDINGS`.

    Raises:
        OutputError: for another ending, or DICOM SEG of an input that was not DICOM.
    """
    path = Path(path)
    base, written = divided(path.name)
    ending = written.lower()
    if not ending:
        raise OutputError(
            f"{path.name} has an ending that is not known; use .seg.nrrd (3D Slicer), .nii.gz "
            "(label map) or .dcm (DICOM SEG)."
        )
    if not base:
        raise OutputError(f"{path.name} is only an ending; put a name before it.")
    if ending == ".dcm" and volume is not None:
        check_dicom_seg(volume)
    return ending


def try_output(path: str | Path, volume: Volume) -> list[str]:
    """Find out, once the image is read and before anything runs, whether results can be written.

    Returns:
        Sentences about values of the image's header that are repaired in the output.

    Raises:
        OutputError: when they cannot.
        DependencyError: when a package that writes them is not installed.
    """
    if check_output(path, volume) != ".dcm":
        return []

    return try_dicom_seg(volume)


def write_segmentations(
    segmentations: Sequence[Segmentation],
    volume: Volume,
    path: str | Path,
    vocabulary: Vocabulary | None = None,
) -> list[Path]:
    """Write results as whole files: all are there complete, or none.

    Every prompt that was understood becomes a segment, empty where nothing was found. Structures
    that overlap stay complete: in layers (.seg.nrrd), further files (NIfTI) or frames (DICOM SEG).

    Args:
        segmentations: results; masks (K, J, I) in the order of ``volume``.
        volume: the image as it was read.
        path: ends in .seg.nrrd, .nii, .nii.gz or .dcm.
        vocabulary: names, codes and colours; the one that ships by default.

    Returns:
        The files that were written, ``path`` first.

    Raises:
        OutputError: when they cannot be written.
    """
    path = Path(path)
    ending = check_output(path, volume)
    check_not_input(volume, [path])
    for result in segmentations:
        if result.shape != volume.shape:
            raise ValueError(f"mask {result.shape} does not fit the volume {volume.shape}")
    if vocabulary is None:
        vocabulary = Vocabulary.load()
    segments, layers = describe(segmentations, volume.shape, vocabulary)
    unknown = [s for s in segmentations if s.outcome == Outcome.UNKNOWN_PROMPT]
    try:
        with StagedOutputs([path]) as staged:
            target = staged.path(path)
            if ending == ".seg.nrrd":
                write_seg_nrrd(target, segments, layers, volume)
            elif ending == ".dcm":
                write_dicom_seg(target, segments, layers, volume)
            else:
                write_label_map(target, segments, layers, volume, unknown)
            verify_files(staged.staged().values())
            check_not_input(volume, staged.staged())
            written = staged.commit(stale=stale_files(path, staged.staged()))
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "the disk may be full"
        raise OutputError(f"{path} cannot be written ({reason}); choose another place.") from None
    return [path, *(file for file in written if file != path)]
