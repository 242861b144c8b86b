"""Batch: volumes of the scene and images of a folder; a failed case does not stop the rest."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from conftest import pump
from helpers import add_ct, mask_of, segment_names


@pytest.fixture
def batch(panel):
    panel.type("liver, spleen")
    return panel


def run(bench, seconds: float = 60.0) -> str:
    bench.find("BatchApply").click()
    assert pump(
        seconds,
        until=lambda: bench.find("BatchApply").text == "Apply" and not bench.panel.session.busy,
    ), bench.find("BatchOutcome").text
    return bench.find("BatchOutcome").text


def test_every_volume_of_the_scene(batch, slicer, tmp_path: Path) -> None:
    volumes = [add_ct(slicer, f"case {n}", shape=(6, 32, 32)) for n in range(3)]
    labels = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    slicer.util.updateVolumeFromArray(labels, np.zeros((6, 32, 32), np.uint8))
    batch.find("BatchOutput").text = str(tmp_path / "out")
    said = run(batch)
    assert "3 of 3 images done, 0 failed" in said
    rows = batch.rows("BatchTable")
    assert [row[:3] for row in rows[:2]] == [
        ["case 0", "liver", "found"],
        ["case 0", "spleen", "found"],
    ]
    assert len(rows) == 6
    nodes = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    assert [n.GetName() for n in nodes] == [f"case {n} segmentation" for n in range(3)]
    assert all(segment_names(n) == ["liver", "spleen"] for n in nodes)
    assert mask_of(slicer, nodes[2], "liver", volumes[2]).any()
    table = list(csv.DictReader((tmp_path / "out" / "summary.csv").open()))
    assert len(table) == 6 and table[0]["outcome"] == "found" and float(table[0]["volume_ml"]) > 0


def test_failed_volume_does_not_stop_the_rest(batch, slicer, tmp_path: Path) -> None:
    add_ct(slicer, "good", shape=(6, 32, 32))
    bad = add_ct(slicer, "bad", shape=(6, 32, 32))
    # Four values per voxel of which none is a colour.
    slicer.util.updateVolumeFromArray(bad, np.zeros((6, 32, 32), np.int16))
    bad.GetImageData().AllocateScalars(4, 5)
    add_ct(slicer, "also good", shape=(6, 32, 32))
    batch.find("Volume").setCurrentNode(slicer.util.getNode("good"))
    said = run(batch)
    assert "2 of 3 images done, 1 failed" in said
    rows = {row[0]: row for row in batch.rows("BatchTable")}
    assert rows["bad"][2] == "failed" and "values per voxel" in rows["bad"][4]
    assert rows["also good"][2] == "found"


def test_crash_in_a_batch_fails_one_case(batch, slicer) -> None:
    add_ct(slicer, "a", shape=(6, 32, 32))
    batch.type("crash now")
    assert "0 of 1 images done, 1 failed" in run(batch)
    assert "stopped unexpectedly" in batch.rows("BatchTable")[0][4]


def test_cancel_of_a_scene_batch(batch, slicer) -> None:
    for n in range(3):
        add_ct(slicer, f"case {n}", shape=(6, 32, 32))
    batch.type("slow liver")
    batch.find("BatchApply").click()
    assert pump(60, until=lambda: batch.find("BatchProgress").value > 10)
    batch.find("BatchApply").click()
    assert batch.find("BatchApply").text == "Apply"
    assert "Cancelled" in batch.find("BatchOutcome").text
    assert not slicer.util.getNodesByClass("vtkMRMLSegmentationNode")


def test_folder_of_images(batch, slicer, tmp_path: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in ("one", "two"):
        image = sitk.GetImageFromArray(np.zeros((6, 24, 24), np.int16))
        sitk.WriteImage(image, str(source / f"{name}.nrrd"))
    (source / "broken.nrrd").write_bytes(b"not an image")
    add_ct(slicer)
    box = batch.find("BatchSource")
    box.currentIndex = box.findData("folder")
    assert "Choose the folders" in run(batch)
    batch.find("BatchInput").text, batch.find("BatchOutput").text = str(source), str(target)
    said = run(batch, 60)
    assert "2 of 3 images done, 1 failed" in said
    assert (target / "one.seg.nrrd").stat().st_size > 100 and (target / "summary.csv").exists()
    states = {row[0]: row[2] for row in batch.rows("BatchTable")}
    assert states["broken"] == "failed" and states["two"] == "found"
    # Finished cases are not done again.
    said = run(batch, 60)
    assert {row[4] for row in batch.rows("BatchTable") if row[0] == "one"} == {"done before"}


def test_browse_buttons(batch, slicer, tmp_path: Path) -> None:
    from bed import qt_module

    qt_module.answers.append(str(tmp_path))
    batch.find("BatchBrowseOutput").click()
    assert batch.find("BatchOutput").text == str(tmp_path)
    batch.find("BatchBrowseOutput").click()  # cancelled
    assert batch.find("BatchOutput").text == str(tmp_path)
