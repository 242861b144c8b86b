"""What a job writes: no input is lost, nothing stale stays, no path where none is wanted."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import synthetic_dicom as made
from batch_bench import files_below as below
from batch_bench import write_image as write
from fake_predictor import FakePredictor

from TextPromptSegLib.files.checks import KnownFiles
from TextPromptSegLib.formats.members import input_files
from TextPromptSegLib.jobs.batch import run_batch
from TextPromptSegLib.jobs.cases import Case, find_cases, fingerprint, inputs_around
from TextPromptSegLib.jobs.job import RunOptions, run_job
from TextPromptSegLib.jobs.outputs import Outputs
from TextPromptSegLib.outcome import OutputError
from TextPromptSegLib.prompting.prompts import parse_prompts


def batch(inputs: Path, out: Path, prompts: str = "liver", **options):
    return run_batch(inputs, prompts, out, predictor_factory=FakePredictor, **options)


# ---- inputs are never overwritten ----


def test_every_file_of_the_input_is_safe(tmp_path: Path) -> None:
    write(tmp_path / "ct.mhd")
    made.series(tmp_path / "dicom", [(0, 0, 2.0 * n) for n in range(3)])
    slices = sorted((tmp_path / "dicom").iterdir())
    for source, outputs in (
        (tmp_path / "ct.mhd", Outputs(report=tmp_path / "ct.raw")),
        (tmp_path / "dicom", Outputs(segmentation=slices[1].rename(tmp_path / "dicom" / "b.dcm"))),
        (tmp_path / "dicom", Outputs(report=slices[0])),
    ):
        with pytest.raises(OutputError, match="overwrite the input"):
            outputs.check(KnownFiles(input_files(source)))


def test_no_result_takes_the_place_of_another_image(tmp_path: Path) -> None:
    write(tmp_path / "scan.nrrd", 1)
    write(tmp_path / "scan_layer2.nii.gz", 2)
    write(tmp_path / "other.nii.gz", 3)
    before = {name: (tmp_path / name).read_bytes() for name in below(tmp_path)}
    summary = batch(tmp_path, tmp_path, suffix=".nii.gz")
    failed = {case.id: case.error for case in summary.cases if case.status == "failed"}
    assert set(failed) == {"scan", "scan_layer2", "other"}
    assert all("overwrite the input" in sentence for sentence in failed.values())
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    assert summary.exit_code == 2
    assert batch(tmp_path, tmp_path).exit_code == 0, "another kind of file has room there"
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_far_folders_are_not_listed(tmp_path: Path) -> None:
    made.series(tmp_path / "in" / "dicom", [(0, 0, 2.0 * n) for n in range(3)])
    cases = find_cases(tmp_path / "in")
    assert inputs_around(cases, tmp_path / "out") == []
    assert len(inputs_around(cases, tmp_path / "in")) == 3
    assert len(inputs_around(cases, tmp_path / "in" / "dicom" / "out")) == 3


# ---- what belongs to an image ----


@pytest.mark.parametrize("ending", ["", ".ct", ".MR", ".img", ".dic", ".1.2.3", ".dcm"])
def test_dicom_counts_whatever_its_files_are_called(tmp_path: Path, ending: str) -> None:
    made.series(tmp_path / "in" / "p", [(0, 0, 2.0 * n) for n in range(2)])
    for path in list((tmp_path / "in" / "p").iterdir()):
        path.rename(path.with_name(path.stem + ending))
    (tmp_path / "in" / "p" / "notes.txt").write_text("a note")
    (tmp_path / "in" / "voxels.raw").write_bytes(bytes(5000))
    (case,) = find_cases(tmp_path / "in")
    assert case.id == "p" and len(input_files(case.source)) == 2


def test_images_count_whatever_they_are_called(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.nii.gz").rename(tmp_path / "in" / "packed")
    write(tmp_path / "in" / "b.nii").rename(tmp_path / "in" / "plain.image")
    write(tmp_path / "in" / "c.nrrd").rename(tmp_path / "in" / "nrrd.data")
    (tmp_path / "in" / "text.gz").write_bytes(b"\x1f\x8bnothing")
    os.mkfifo(tmp_path / "in" / "pipe")
    (tmp_path / "in" / "gone.nii").symlink_to("nowhere")
    assert [case.id for case in find_cases(tmp_path / "in")] == [
        "gone",
        "nrrd.data",
        "packed",
        "plain.image",
    ]


def test_images_below_a_listed_folder_count_for_resume(tmp_path: Path) -> None:
    inner = tmp_path / "patient" / "DICOM" / "SE1"
    made.series(inner, [(0, 0, 2.0 * n) for n in range(2)])
    case = Case("patient", tmp_path / "patient")
    first = fingerprint(case, {})
    assert fingerprint(case, {}) == first and len(input_files(case.source)) == 2
    shutil.rmtree(inner)
    made.series(inner, [(0, 0, 3.0 * n) for n in range(2)])
    assert fingerprint(case, {}) != first


# ---- one odd name does not stop the rest ----


def test_long_names_become_short_ones_of_their_own(tmp_path: Path) -> None:
    for letter in "ab":
        write(tmp_path / "in" / "x.nii.gz").rename(tmp_path / "in" / f"{'n' * 240}{letter}.nii.gz")
        write(tmp_path / "in" / "x.nii.gz").rename(tmp_path / "in" / f"{'é' * 115}{letter}.nii.gz")
    write(tmp_path / "in" / "z.nii.gz")
    summary = batch(tmp_path / "in", tmp_path / "out", suffix=".nii.gz", overlay=True)
    assert summary.exit_code == 0 and summary.count("done") == 5
    again = batch(tmp_path / "in", tmp_path / "out", suffix=".nii.gz", overlay=True, resume=True)
    assert again.count("resumed") == 5


def test_a_file_where_a_folder_should_be_costs_one_case(tmp_path: Path) -> None:
    write(tmp_path / "in" / "deep" / "a.nii.gz")
    write(tmp_path / "in" / "z.nii.gz")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "deep").write_text("in the way")
    summary = batch(tmp_path / "in", tmp_path / "out")
    assert {case.id: case.status for case in summary.cases} == {"deep/a": "failed", "z": "done"}
    (failed,) = (case for case in summary.cases if case.status == "failed")
    assert "not a folder" in failed.error


# ---- nothing of an earlier run stays ----


def one(source: Path, out: Path, prompts: str = "liver", overlay=None, report=None, **options):
    outputs = Outputs(out / "o.seg.nrrd", report and out / report, overlay and out / overlay)
    predictor = FakePredictor("fake", "cpu")
    asked = parse_prompts(prompts)
    return run_job(predictor, source, asked, outputs, RunOptions(**options))


def test_report_picture_and_maps_of_the_earlier_run_go(tmp_path: Path) -> None:
    source, out = write(tmp_path / "a.nii.gz"), tmp_path / "out"
    one(source, out, overlay="o.png", report="told.json", samples=2, heat_map=True)
    (out / "mine.json").write_text('{"prompts": [], "provenance": {}, "outputs": ["b.seg.nrrd"]}')
    (out / "list.json").write_text("[1]")
    assert {"told.json", "o.png", "o.uncertainty.nii.gz", "o.heat-map.nii.gz"} <= set(below(out))
    done = one(source, out, "spleen")
    assert below(out) == ["list.json", "mine.json", "o.seg.nrrd"]
    assert {path.name for path in done.removed} == {
        *("told.json", "o.png", "o.uncertainty.nii.gz", "o.heat-map.nii.gz"),
        "o.candidates.seg.nrrd",
    }
    one(source, out, "spleen", report="told.json")
    one(source, out, "liver", report="told.json")
    assert json.loads((out / "told.json").read_text())["outputs"] == ["o.seg.nrrd"]


def test_a_batch_leaves_no_picture_or_layer_of_an_earlier_one(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.nii.gz")
    out = tmp_path / "out"
    batch(tmp_path / "in", out, "liver, spleen", suffix=".nii.gz", overlay=True)
    (out / "a.mine.txt").write_text("not ours")
    batch(tmp_path / "in", out, "liver")
    assert "a.nii.gz" in below(out) and "a.png" not in below(out), "another kind is left alone"
    batch(tmp_path / "in", out, "liver", suffix=".nii.gz", options=RunOptions(samples=2))
    batch(tmp_path / "in", out, "liver", suffix=".nii.gz")
    assert not [name for name in below(out) if "uncertainty" in name or "candidates" in name]
    assert "a.mine.txt" in below(out)


# ---- paths ----


def test_without_paths_no_file_tells_where_the_images_lie(tmp_path: Path) -> None:
    folder = tmp_path / "Mustermann_Erika"
    write(folder / "a.nii.gz")
    (folder / "broken.nii.gz").write_text("nothing")
    (folder / "out" / "deep").parent.mkdir()
    out = tmp_path / "results"
    summary = batch(folder, out, paths=False)
    assert {case.status for case in summary.cases} == {"done", "failed"}
    texts = {name: (out / name).read_text(errors="replace") for name in below(out)}
    assert len(texts) == 4
    for name, text in texts.items():
        assert "Mustermann" not in text and str(tmp_path) not in text, name
    assert json.loads(texts["a.report.json"])["input"] == ""
    with_paths = batch(folder, out, resume=True)
    assert with_paths.count("resumed") == 0, "a report without the path is another one"
    assert str(folder) in (out / "summary.csv").read_text()
