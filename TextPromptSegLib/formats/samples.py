"""Files beside a segmentation that was made of several samples: uncertainty and candidates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..outcome import Segmentation
from .writing import ENDINGS, write_segmentations

if TYPE_CHECKING:
    from ..vocabulary import Vocabulary
    from ..volume import Volume


def sample_files(segmentation: Path, results: Sequence[Segmentation]) -> list[Path]:
    """Return the files that samples add to a segmentation file; none without samples.

    ``out.seg.nrrd`` gets ``out.candidates.seg.nrrd`` with every candidate as a segment, and
    ``out.uncertainty.nii.gz`` (with several structures ``out.uncertainty-1-liver.nii.gz`` and so
    on): the standard deviation of the probability, in [0, 0.5].

    Args:
        segmentation: where the segmentation goes.
        results: the answers.
    """
    drawn = [r for r in results if r.candidates]
    if not drawn:
        return []
    name = segmentation.name
    ending = next((e for e in ENDINGS if name.lower().endswith(e)), "")
    base = name[: len(name) - len(ending)]
    files = [segmentation.with_name(f"{base}.candidates.seg.nrrd")]
    for number, result in enumerate(drawn, 1):
        word = re.sub(r"[^a-z0-9]+", "-", result.prompt.name.lower()).strip("-")[:40]
        which = f"-{number}-{word}" if len(drawn) > 1 else ""
        files.append(segmentation.with_name(f"{base}.uncertainty{which}.nii.gz"))
    return files


def write_samples(
    results: Sequence[Segmentation],
    volume: Volume,
    paths: Sequence[Path],
    vocabulary: Vocabulary | None = None,
) -> None:
    """Write the files that `sample_files` named, in its order.

    Args:
        results: the answers; candidates and uncertainty (K, J, I) in the order of ``volume``.
        volume: the image as it was read.
        paths: where to write, one candidates file and one uncertainty for each structure.
        vocabulary: names, codes and colours.

    Raises:
        OutputError: when the candidates cannot be written.
    """
    import SimpleITK as sitk

    drawn = [r for r in results if r.candidates]
    every = [candidate for r in drawn for candidate in candidates_of(r)]
    write_segmentations(every, volume, paths[0], vocabulary)
    for result, path in zip(drawn, paths[1:], strict=True):
        assert result.uncertainty is not None
        image = volume.with_array(np.asarray(result.uncertainty, np.float32)).to_sitk()
        sitk.WriteImage(image, str(path), useCompression=True)


def candidates_of(result: Segmentation) -> list[Segmentation]:
    """Return an answer's candidates as answers of their own, numbered in their provenance."""
    return [
        replace(
            result,
            provenance={**result.provenance, "candidate": f"{number} of {len(result.candidates)}"},
            mask=mask,
            voxels=int(np.count_nonzero(mask)),
            candidates=(),
            uncertainty=None,
        )
        for number, mask in enumerate(result.candidates, 1)
    ]
