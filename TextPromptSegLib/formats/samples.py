"""Files beside a segmentation: candidates and uncertainty of samples, and heat maps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..prompting.boxed import all_kept
from ..prompting.segmentation import Segmentation
from .label_map import write_nifti
from .side_files import divided
from .verify import verify_files
from .writing import write_segmentations

if TYPE_CHECKING:
    from ..image.volume import Volume
    from ..prompting.vocabulary import Vocabulary


def sample_files(segmentation: Path, results: Sequence[Segmentation]) -> list[Path]:
    """Return the files that samples and heat maps add to a segmentation file.

    ``out.seg.nrrd`` gets ``out.candidates.seg.nrrd`` with every candidate as a segment,
    ``out.uncertainty.nii.gz`` (with several structures ``out.uncertainty-1-liver.nii.gz`` and so
    on), the standard deviation of the probability in [0, 0.5], and ``out.heat-map.nii.gz``, where
    the system looked, in [0, 1].

    Args:
        segmentation: where the segmentation goes.
        results: the answers.
    """
    base, _ = divided(segmentation.name)
    files = []
    if any(r.candidates for r in results):
        files.append(segmentation.with_name(f"{base}.candidates.seg.nrrd"))
    for kind, found in _maps(results).items():
        for number, (result, _) in enumerate(found, 1):
            word = re.sub(r"[^a-z0-9]+", "-", result.prompt.name.lower()).strip("-")[:40]
            which = f"-{number}-{word}" if len(found) > 1 else ""
            files.append(segmentation.with_name(f"{base}.{kind}{which}.nii.gz"))
    return files


def _maps(results: Sequence[Segmentation]) -> dict[str, list[tuple[Segmentation, np.ndarray]]]:
    """Return kind -> answers with their map (K, J, I)."""
    return {
        "uncertainty": [
            (r, r.uncertainty) for r in results if r.candidates and r.uncertainty is not None
        ],
        "heat-map": [(r, r.heat_map) for r in results if r.heat_map is not None],
    }


def write_samples(
    results: Sequence[Segmentation],
    volume: Volume,
    paths: Sequence[Path],
    vocabulary: Vocabulary | None = None,
) -> None:
    """Write the files that `sample_files` named, in its order.

    Args:
        results: the answers; candidates and maps (K, J, I) in the order of ``volume``.
        volume: the image as it was read.
        paths: where to write.
        vocabulary: names, codes and colours.

    Raises:
        OutputError: when they cannot be written, or not to the end.
        RuntimeError: when ITK cannot write.
    """
    places = list(paths)
    if every := [candidate for r in results if r.candidates for candidate in candidates_of(r)]:
        write_segmentations(every, volume, places.pop(0), vocabulary)
    maps = [values for found in _maps(results).values() for _, values in found]
    for values, path in zip(maps, places, strict=True):
        write_nifti(path, np.asarray(values, np.float32), volume)
    verify_files(places)


def candidates_of(result: Segmentation) -> list[Segmentation]:
    """Return an answer's candidates as answers of their own, numbered in their provenance."""
    return [
        replace(
            result,
            provenance={**result.provenance, "candidate": f"{number} of {len(result.candidates)}"},
            mask=mask.unless_small(),
            voxels=int(np.count_nonzero(mask.values)),
            candidates=(),
            uncertainty=None,
        )
        for number, mask in enumerate(all_kept(result.candidates), 1)
    ]
