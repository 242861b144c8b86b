"""NIfTI label maps with a JSON file of names; overlapping structures in further files."""

from __future__ import annotations

import gzip
import json
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..image.volume import Volume
from ..outcome import Outcome
from ..prompting.segmentation import Segmentation
from .segments import Segment, provenance_tags
from .side_files import divided

_RULE = (
    "Every structure is complete in the file named with it. Structures that overlap earlier ones "
    "are in further files (..._layer2, ...), never cut; a label stands for the same structure in "
    "all files."
)


def write_label_map(
    path: Path,
    segments: Sequence[Segment],
    layers: Sequence[np.ndarray],
    volume: Volume,
    unknown: Sequence[Segmentation] = (),
) -> list[Path]:
    """Write ``NAME.nii.gz``, one more file per overlapping layer, and ``NAME.labels.json``.

    Args:
        path: ends in .nii or .nii.gz.
        segments: what is in the layers.
        layers: label maps (K, J, I), the order of the volume.
        volume: the image that was segmented.
        unknown: prompts without a segment, named in the JSON as well.

    Returns:
        The files written.
    """
    base, ending = divided(path.name)
    files = [path]
    files += [path.with_name(f"{base}_layer{n}{ending}") for n in range(2, len(layers) + 1)]
    for file, layer in zip(files, layers, strict=True):
        write_nifti(file, layer, volume)
    names = path.with_name(f"{base}.labels.json")
    table = {
        "labels": {str(segment.label): segment.name for segment in segments},
        "files": [file.name for file in files],
        "overlaps": _RULE if len(layers) > 1 else "No structures overlap.",
        "structures": [_facts(s, files[s.layer].name, volume) for s in segments],
        "not_understood": [s.prompt.text for s in unknown],
        "notes": list(volume.notes),
    }
    text = json.dumps(table, indent=2, ensure_ascii=False, default=str)
    names.write_bytes((text + "\n").encode("utf-8", errors="backslashreplace"))
    return [*files, names]


def _facts(segment: Segment, file: str, volume: Volume) -> dict[str, Any]:
    result = segment.segmentation
    return {
        "label": segment.label,
        "name": segment.name,
        "file": file,
        "prompt": result.prompt.text,
        "outcome": Outcome(result.outcome).value,
        "voxels": int(result.voxels),
        "volume_ml": round(int(result.voxels) * volume.voxel_ml, 4),
        "colour": list(segment.colour),
        "category": list(segment.category),
        "type": list(segment.type),
        "modifier": list(segment.modifier) if segment.modifier else None,
        "region": list(segment.region) if segment.region else None,
        "provenance": provenance_tags(result),
    }


def write_nifti(path: Path, values: np.ndarray, volume: Volume) -> None:
    """Write an array (K, J, I) in the order of ``volume`` as NIfTI with its geometry, sheared too.

    Args:
        path: ends in .nii or .nii.gz, in small letters or capitals.
        values: what to write.
        volume: the image that was segmented; gives the geometry.

    Raises:
        RuntimeError: when ITK cannot write.
        OSError: when the disk refuses.
    """
    import SimpleITK as sitk

    image = volume.with_array(values).to_sitk()
    is_gz = path.name.lower().endswith(".gz")
    if volume.shear_degrees < 1e-3:
        # ITK knows the ending only in small letters.
        plain = path.with_name("plain.nii.gz" if is_gz else "plain.nii")
        sitk.WriteImage(image, str(plain), is_gz)
        os.replace(plain, path)
        return
    # ITK straightens sheared axes when it writes NIfTI; the s-form can hold them as they are.
    direction = np.array(image.GetDirection()).reshape(3, 3)
    u, _, vt = np.linalg.svd(direction)
    image.SetDirection((u @ vt).ravel().tolist())
    plain = path.with_name("plain.nii")
    sitk.WriteImage(image, str(plain), False)
    content = bytearray(plain.read_bytes())
    plain.unlink()
    struct.pack_into("<2h", content, 252, 0, 1)  # qform_code, sform_code
    struct.pack_into("<12f", content, 280, *volume.ijk_to_ras[:3].ravel())
    path.write_bytes(gzip.compress(bytes(content), mtime=0) if is_gz else bytes(content))
