"""The tutorial's image in Sample Data: registered at start-up, whole, a chest CT."""

from __future__ import annotations

import hashlib
import struct
import sys
from pathlib import Path

import numpy as np


def source(slicer):
    (found,) = slicer.modules.sampleDataSources["TextPromptSeg"]
    return found


def test_registered_once_at_start_up_with_thumbnail_and_checksum(slicer) -> None:
    slicer.modules.TextPromptSegInstance.registerSampleData()  # a second time changes nothing
    found = source(slicer)
    width, height = struct.unpack(">II", Path(found.thumbnailFileName).read_bytes()[16:24])
    assert (width, height) == (260, 280)
    file = Path(found.uris[0].removeprefix("file://"))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert found.checksums == [f"SHA256:{digest}"]
    assert file.stat().st_size < 1_000_000
    licence = file.with_name(f"{file.stem}-LICENSE.txt").read_text()
    assert "MIT License" in licence and "Copyright" in licence


def test_the_image_loads_with_its_geometry(slicer) -> None:
    import SampleData

    from TextPromptSegMRML.volumes import volume_from_node

    node = SampleData.downloadSample("TextPromptSegChestCT")
    assert node.GetName() == "TextPromptSegChestCT"
    voxels = slicer.util.arrayFromVolume(node)
    assert voxels.shape == (34, 128, 128) and voxels.dtype == np.int16
    assert voxels.min() <= -1000 and voxels.max() > 1000  # air and bone, HU
    volume = volume_from_node(node)
    assert np.allclose(volume.spacing, (3.047, 3.047, 10.0), atol=0.001)
    # Lungs: most of what is dark inside the body, on both of the patient's sides.
    inside = voxels[18, 40:90, 20:108]
    assert (inside[:, :44] < -600).sum() > 300 and (inside[:, 44:] < -600).sum() > 300


def test_a_slicer_without_sample_data_still_starts(slicer, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "SampleData", None)
    slicer.modules.TextPromptSegInstance.registerSampleData()


def test_the_readme_tutorial_names_it(slicer) -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    assert source(slicer).sampleName in readme.split("## Tutorial")[1].split("\n## ")[0]
