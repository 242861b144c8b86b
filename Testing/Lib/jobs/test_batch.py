"""Batch: what is found, what survives a kill, what a failure leaves, and a cluster with a death."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import fake_predictor
import numpy as np
import pytest
import SimpleITK as sitk
from fake_predictor import FakePredictor

from TextPromptSegLib.files.checks import KnownFiles, check_outputs
from TextPromptSegLib.files.staged import StagedOutputs
from TextPromptSegLib.files.text import write_json
from TextPromptSegLib.jobs.batch import BatchJob, run_batch, run_case
from TextPromptSegLib.jobs.batch_summary import BatchSummary, CaseResult
from TextPromptSegLib.jobs.cases import Case, find_cases, fingerprint
from TextPromptSegLib.jobs.job import Outputs, RunOptions
from TextPromptSegLib.outcome import (
    Cancelled,
    CheckpointError,
    DeviceError,
    InputError,
    OutputError,
)

ROOT = Path(__file__).resolve().parents[3]
PROMPTS = ["liver", "spleen"]


def write_image(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.random.default_rng(seed).integers(-100, 200, (12, 24, 24)).astype(np.int16)
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((3.0, 3.0, 5.0))
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    for n, name in enumerate(("a.nii.gz", "b.nrrd", "deep/c.mha")):
        write_image(folder / name, n)
    return folder


class Counting(FakePredictor):
    """Counts its cases over all instances."""

    made = 0
    asked: list[str] = []

    def __init__(self, model: str, device: str) -> None:
        super().__init__(model, device)
        Counting.made += 1

    def set_volume(self, volume, **region) -> None:
        super().set_volume(volume, **region)
        Counting.asked.append(volume.name)


@pytest.fixture(autouse=True)
def _fresh_counts() -> None:
    Counting.made, Counting.asked = 0, []


def files_below(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


# ---- which images ----


def test_a_folder_is_walked_and_results_are_passed_over(tmp_path: Path, images: Path) -> None:
    write_image(images / "a.seg.nrrd")
    write_image(images / ".hidden" / "x.nii.gz")
    write_image(images / "out" / "old.nii.gz")
    (images / "notes.txt").write_text("nothing")
    (images / "empty").mkdir()
    os.symlink(images, images / "deep" / "loop")
    cases = find_cases(images, images / "out")
    assert [case.id for case in cases] == ["a", "b", "deep/c"]
    assert all(case.source.is_file() for case in cases)


def test_names_stay_apart(tmp_path: Path) -> None:
    for name in ("x/ct.nii.gz", "y/ct.nii.gz", "y/ct.nrrd", "summary.png", "y/.nii"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    ids = [case.id for case in find_cases(tmp_path)]
    assert ids == ["summary-2", "x/ct", "y/ct_nii_gz", "y/ct_nrrd"]
    listed = find_cases(
        [tmp_path / "x/ct.nii.gz", tmp_path / "x/ct.nii.gz", tmp_path / "y/ct.nrrd"]
    )
    assert [case.id for case in listed] == ["x/ct", "y/ct"]
    (one,) = find_cases(tmp_path / "x" / "ct.nii.gz")
    assert one.id == "ct"


def test_a_list_is_relative_to_itself(tmp_path: Path, images: Path) -> None:
    (tmp_path / "list.txt").write_text('# all of them\n\nimages/a.nii.gz\n"images/missing.nii"\n')
    cases = find_cases(tmp_path / "list.txt")
    assert [case.source.name for case in cases] == ["a.nii.gz", "missing.nii"]
    for content in ("", "# nothing\n"):
        (tmp_path / "list.txt").write_text(content)
        with pytest.raises(InputError, match="one path per line"):
            find_cases(tmp_path / "list.txt")
    with pytest.raises(InputError, match="no readable image"):
        find_cases(_made(tmp_path / "void"))
    with pytest.raises(InputError, match="no file or folder"):
        find_cases(tmp_path / "nowhere")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def write_dicom(path: Path, series: str, number: int, modality: str = "CT") -> None:
    import pydicom
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    path.parent.mkdir(parents=True, exist_ok=True)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = f"{series}.{number}"
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, f"{series}.{number}"
    data.SeriesInstanceUID, data.Modality = series, modality
    data.Rows = data.Columns = 16
    data.PixelSpacing, data.SliceThickness = [3, 3], 5
    data.ImagePositionPatient = [0, 0, 5 * number]
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation, data.SamplesPerPixel = 15, 1, 1
    data.PhotometricInterpretation, data.InstanceNumber = "MONOCHROME2", number
    data.RescaleSlope, data.RescaleIntercept = 1, 0
    data.PixelData = np.full((16, 16), number, np.int16).tobytes()
    assert isinstance(data, pydicom.Dataset)
    data.save_as(path, enforce_file_format=True)


def test_every_dicom_series_is_a_case(tmp_path: Path) -> None:
    for n in range(3):
        write_dicom(tmp_path / "one" / f"IM{n}", "1.2.3", n)
        write_dicom(tmp_path / "two" / f"a{n}.dcm", "1.2.4", n)
        write_dicom(tmp_path / "two" / f"b{n}.dcm", "1.2.5", n)
    write_dicom(tmp_path / "two" / "seg.dcm", "1.2.6", 0, modality="SEG")
    cases = find_cases(tmp_path)
    assert [(case.id, case.series) for case in cases] == [
        ("one", None),
        ("two-series1", "1.2.4"),
        ("two-series2", "1.2.5"),
    ]
    summary = run_batch(tmp_path, "liver", tmp_path / "out", predictor_factory=FakePredictor)
    assert [case.status for case in summary.cases] == ["done"] * 3, [
        case.error for case in summary.cases
    ]


def test_the_fingerprint_knows_the_image_and_the_job(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.mhd")
    case = Case("a", path)
    first = fingerprint(case, {"threshold": 0.5})
    assert fingerprint(case, {"threshold": 0.5}) == first
    assert fingerprint(case, {"threshold": 0.4}) != first
    with (tmp_path / "a.raw").open("ab") as stream:  # the voxels lie beside the header
        stream.write(b"x")
    assert fingerprint(case, {"threshold": 0.5}) != first
    with pytest.raises(InputError):
        fingerprint(Case("b", tmp_path / "b.nii"), {})


# ---- a run ----


def test_a_run_writes_results_records_and_summaries(tmp_path: Path, images: Path) -> None:
    seen = []
    out = tmp_path / "out"
    summary = run_batch(
        images,
        ["liver, spleen", "urinary bladder"],
        out,
        model="tiny",
        predictor_factory=Counting,
        overlay=True,
        progress=lambda done, total, message: seen.append((done, total, message)) or True,
    )
    assert Counting.made == 1, "the model is loaded once"
    assert (summary.count("done"), summary.count("failed"), summary.exit_code) == (3, 0, 3)
    expected = [
        f"{n}{e}" for n in ("a", "b", "deep/c") for e in (".png", ".report.json", ".seg.nrrd")
    ]
    assert files_below(out) == sorted([*expected, "summary.csv", "summary.json"])
    record = json.loads((out / "deep/c.report.json").read_text())
    assert record["status"] == "done" and record["model"] == "tiny"
    assert [p["outcome"] for p in record["prompts"]] == ["found", "found", "not_found"]
    assert set(record["seconds"]) >= {"load", "text", "image", "decode", "write"}
    rows = list(csv.DictReader((out / "summary.csv").open()))
    assert [(r["case"], r["prompt"], r["outcome"]) for r in rows][:3] == [
        ("a", "liver", "found"),
        ("a", "spleen", "found"),
        ("a", "urinary bladder", "not_found"),
    ]
    assert rows[0]["output"] == "a.seg.nrrd" and float(rows[0]["volume_ml"]) > 0
    whole = json.loads((out / "summary.json").read_text())
    assert (whole["total"], whole["done"], whole["exit_code"]) == (3, 3, 3)
    labels = sitk.ReadImage(str(out / "a.seg.nrrd"))
    assert labels.GetSize()[:3] == (24, 24, 12)
    dones = [done for done, _, _ in seen]
    assert dones == sorted(dones) and {total for _, total, _ in seen} == {3000}
    assert dones[-1] == 3000


def test_results_beside_the_images_are_no_new_images(tmp_path: Path, images: Path) -> None:
    for suffix in (".seg.nrrd", ".nii"):
        for _ in range(2):
            summary = run_batch(
                images,
                "liver",
                images,
                suffix=suffix,
                overlay=suffix == ".nii",
                resume=True,
                predictor_factory=Counting,
            )
            assert [case.id for case in summary.cases] == ["a", "b", "deep/c"]
            assert summary.count("failed") == 0
    assert summary.count("resumed") == 3 and (images / "a.png").is_file()


def test_one_bad_case_does_not_stop_the_run(tmp_path: Path, images: Path) -> None:
    (images / "b.nrrd").write_bytes((images / "b.nrrd").read_bytes()[:200])
    (images / "broken.png").write_bytes(b"")
    summary = run_batch(images, "liver", tmp_path / "out", predictor_factory=FakePredictor)
    status = {case.id: case.status for case in summary.cases}
    assert status == {"a": "done", "b": "failed", "broken": "failed", "deep/c": "done"}
    errors = {case.id: case.error for case in summary.cases}
    assert "b.nrrd" in errors["b"] and "\n" not in errors["b"]
    assert summary.exit_code == 3
    assert not (tmp_path / "out" / "b.seg.nrrd").exists()
    rows = list(csv.DictReader((tmp_path / "out" / "summary.csv").open()))
    assert [r["error"] for r in rows if r["case"] == "b"] == [errors["b"]]


def test_a_fault_of_the_predictor_is_one_sentence(tmp_path: Path, images: Path) -> None:
    # "bug", "memory" make the fake predictor raise; they must be known to the vocabulary first.
    class Faulty(FakePredictor):
        def segment(self, prompts, **options):
            if self.volume.name == "a":
                raise ZeroDivisionError("a mistake")
            if self.volume.name == "b":
                raise MemoryError
            return super().segment(prompts, **options)

    summary = run_batch(images, "liver", tmp_path / "out", predictor_factory=Faulty)
    errors = {case.id: case.error for case in summary.cases}
    assert "ZeroDivisionError" in errors["a"] and "memory" in errors["b"] and not errors["deep/c"]


def test_exit_codes_and_refusals(tmp_path: Path, images: Path) -> None:
    assert (
        run_batch(images, "liver", tmp_path / "o", predictor_factory=FakePredictor).exit_code == 0
    )
    for path in images.rglob("*.*"):
        path.write_bytes(b"no image") if path.is_file() else None
    assert (
        run_batch(images, "liver", tmp_path / "p", predictor_factory=FakePredictor).exit_code == 2
    )
    with pytest.raises(CheckpointError):
        run_batch(images, "liver", tmp_path / "q", model="no-such-model")
    assert not (tmp_path / "q").exists()
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="not a folder"):
        run_batch(images, "liver", tmp_path / "file" / "out", predictor_factory=FakePredictor)
    with pytest.raises(OutputError, match="tiff"):
        run_batch(images, "liver", tmp_path, suffix=".tiff", predictor_factory=FakePredictor)


def test_cancel_keeps_what_is_done_and_nothing_half(tmp_path: Path, images: Path) -> None:
    out = tmp_path / "out"

    def stop(done: int, total: int, message: str) -> bool:
        return not (done >= 1000 and "spleen" in message)

    with pytest.raises(Cancelled):
        run_batch(images, PROMPTS, out, predictor_factory=FakePredictor, progress=stop)
    assert files_below(out) == ["a.report.json", "a.seg.nrrd", "summary.csv", "summary.json"]
    assert json.loads((out / "summary.json").read_text())["exit_code"] is None
    assert not [p for p in out.rglob("*") if p.name.startswith(".")]


# ---- resume ----


def test_resume_redoes_only_what_changed_or_is_broken(tmp_path: Path, images: Path) -> None:
    out = tmp_path / "out"

    def run(prompts=PROMPTS, **options) -> list[str]:
        Counting.asked.clear()
        summary = run_batch(
            images, prompts, out, resume=True, predictor_factory=Counting, **options
        )
        assert [case.status == "failed" for case in summary.cases] == [False] * 3
        assert all(len(case.prompts) == len(prompts) for case in summary.cases)
        return sorted(Counting.asked)

    assert run() == ["a", "b", "c"]
    assert run() == [], "nothing is redone"
    made = Counting.made
    run()
    assert Counting.made == made, "the model is not even loaded"

    result, record = out / "a.seg.nrrd", out / "a.report.json"
    result.write_bytes(result.read_bytes()[:-40])
    assert run() == ["a"], "a truncated result"
    data = bytearray(result.read_bytes())
    data[-30] ^= 1
    result.write_bytes(data)
    assert run() == ["a"], "a result with another content"
    record.write_text(record.read_text()[:100])
    assert run() == ["a"], "half a record"
    record.write_text("[]")
    assert run() == ["a"]
    result.unlink()
    assert run() == ["a"]
    write_image(images / "b.nrrd", seed=9)
    assert run() == ["b"], "another image"
    os.utime(images / "b.nrrd", ns=(1, 1))
    assert run() == ["b"], "another time of change"
    assert run(["liver"]) == ["a", "b", "c"], "other prompts"
    assert run(["liver"], options=RunOptions(threshold=0.3)) == ["a", "b", "c"]
    assert run(["liver"], options=RunOptions(threshold=0.3), model="other") == ["a", "b", "c"]
    assert run(["liver"], options=RunOptions(threshold=0.3), model="other") == []
    Counting.asked.clear()
    run_batch(images, ["liver"], out, predictor_factory=Counting)
    assert sorted(Counting.asked) == ["a", "b", "c"], "without --resume everything is done again"


KILLED = """
    import os, signal, sys
    sys.path[:0] = {paths!r}
    from fake_predictor import FakePredictor
    from TextPromptSegLib.jobs import job
    from TextPromptSegLib.jobs.batch import run_batch
    import TextPromptSegLib.formats.writing as writing

    write = writing.write_segmentations
    def half(segmentations, volume, path, vocabulary=None):
        result = write(segmentations, volume, path, vocabulary)
        if volume.name == "b":
            with open(path, "r+b") as stream:
                stream.truncate(50)
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    writing.write_segmentations = half
    run_batch({images!r}, ["liver", "spleen"], {out!r}, predictor_factory=FakePredictor)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_kill_in_the_middle_of_writing_costs_one_case(tmp_path: Path, images: Path) -> None:
    out = tmp_path / "out"
    code = KILLED.format(
        paths=[str(ROOT), str(ROOT / "Testing" / "Lib" / "support")],
        images=str(images),
        out=str(out),
    )
    result = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert result.returncode == -signal.SIGKILL
    assert (out / "a.report.json").exists() and not (out / "b.seg.nrrd").exists()
    hidden = [p for p in out.rglob("*") if p.name.startswith(".")]
    before = (out / "a.seg.nrrd").stat().st_mtime_ns
    summary = run_batch(images, PROMPTS, out, resume=True, predictor_factory=Counting)
    assert sorted(Counting.asked) == ["b", "c"]
    assert [case.status for case in summary.cases] == ["resumed", "done", "done"]
    assert (out / "a.seg.nrrd").stat().st_mtime_ns == before
    left = [p for p in out.rglob("*") if p.name.startswith(".")]
    assert hidden and not left, "what the killed run left out of sight is swept by the next one"


# ---- files ----


def test_staged_outputs_appear_together_or_not_at_all(tmp_path: Path) -> None:
    first, second = tmp_path / "new" / "deep" / "a.txt", tmp_path / "b.txt"
    second.write_text("old")
    with pytest.raises(RuntimeError), StagedOutputs([first, second]) as staged:
        staged.path(first).write_text("a")
        staged.path(second).write_text("b")
        raise RuntimeError
    assert files_below(tmp_path) == ["b.txt"] and second.read_text() == "old"
    assert not (tmp_path / "new").exists(), "a folder made for nothing goes again"
    with StagedOutputs([first, second]) as staged:
        staged.path(first).write_text("a")
        staged.path(second).write_text("b")
        (staged.path(second).parent / "b.names.json").write_text("{}")
        assert second.read_text() == "old"
        assert staged.commit(last=first)[-1] == first
    assert files_below(tmp_path) == ["b.names.json", "b.txt", "new/deep/a.txt"]
    assert second.read_text() == "b"
    assert oct(first.stat().st_mode & 0o777) == oct(0o666 & ~_umask())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_outputs_are_checked_before_the_run(tmp_path: Path) -> None:
    image = write_image(tmp_path / "a.nii.gz")
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.png").mkdir()
    bad = {
        "overwrite the input": Outputs(segmentation=image),
        "an ending that is not known": Outputs(segmentation=tmp_path / "x.jpg"),
        "endings .png": Outputs(overlay=tmp_path / "x.txt"),
        "not a folder": Outputs(report=tmp_path / "file" / "r.json"),
        "names the folder": Outputs(overlay=tmp_path / "folder.png"),
        "both name": Outputs(overlay=tmp_path / "x.png", report=tmp_path / "x.png"),
        "only an ending": Outputs(segmentation=tmp_path / ".seg.nrrd"),
    }
    for words, outputs in bad.items():
        with pytest.raises(OutputError, match=words):
            outputs.check(KnownFiles([image]))
    good = Outputs(tmp_path / "x" / "y.seg.nrrd", tmp_path / "r.json", tmp_path / "o.png")
    good.check(KnownFiles([image]))
    assert files_below(tmp_path) == ["a.nii.gz", "file"], "checking leaves nothing"
    with pytest.raises(OutputError, match="cannot be written"):
        check_outputs({"-o": Path("/proc/nobody/x.seg.nrrd")})
    with pytest.raises(OutputError, match="cannot be written"):
        write_json(tmp_path / "file" / "r.json", {})


def test_summary_of_every_mixture() -> None:
    def summary(*cases: CaseResult) -> BatchSummary:
        return BatchSummary(cases, Path("out"), "m", len(cases), 1.0)

    found = CaseResult("a", "a", "done", ({"outcome": "found"},))
    resumed = CaseResult("b", "b", "resumed", ({"outcome": "found"},))
    missing = CaseResult("c", "c", "done", ({"outcome": "below_threshold"},))
    failed = CaseResult("d", "d", "failed", error='x, "y"')
    assert summary(found, resumed).exit_code == 0
    assert summary(found, missing).exit_code == 3
    assert summary(found, failed).exit_code == 3
    assert summary(failed, failed).exit_code == 2
    assert list(csv.DictReader(summary(failed).to_csv().splitlines()))[0]["error"] == 'x, "y"'


# ---- cluster ----


def test_a_cluster_survives_the_death_of_a_worker(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    import cloudpickle

    for n in range(6):
        write_image(tmp_path / "images" / f"{n}.nrrd", n)
    # The workers have no path to this folder's modules; the class travels as it is.
    cloudpickle.register_pickle_by_value(fake_predictor)
    marks = tmp_path / "marks"
    marks.mkdir()

    def factory(model: str, device: str):
        class Slow(FakePredictor):
            def set_volume(self, volume, **region) -> None:
                super().set_volume(volume, **region)
                (marks / f"case-{volume.name}-{os.getpid()}").touch()
                time.sleep(0.4)

        (marks / f"load-{os.getpid()}-{time.time_ns()}").touch()
        return Slow(model, device)

    killed: list[int] = []

    def progress(done: int, total: int, message: str) -> bool:
        if done >= 1000 and not killed:
            pid = int(
                sorted(marks.glob("case-*"), key=lambda p: p.stat().st_mtime_ns)[-1].name.split(
                    "-"
                )[2]
            )
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
        return True

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        summary = run_batch(
            tmp_path / "images",
            PROMPTS,
            tmp_path / "out",
            scheduler=cluster.scheduler_address,
            predictor_factory=factory,
            progress=progress,
        )
    assert killed
    assert [case.status for case in summary.cases] == ["done"] * 6, [c.error for c in summary.cases]
    assert [case.id for case in summary.cases] == [str(n) for n in range(6)]
    asked = [path.name.split("-") for path in marks.glob("case-*")]
    assert len({pid for _, _, pid in asked}) >= 2, "both workers worked"
    loads = [path.name.split("-")[1] for path in marks.glob("load-*")]
    assert len(loads) == len(set(loads)), "one model per worker"
    assert not [p for p in (tmp_path / "out").rglob(".*") if p.suffix]
    again = run_batch(
        tmp_path / "images", PROMPTS, tmp_path / "out", resume=True, predictor_factory=factory
    )
    assert again.count("resumed") == 6, "what the cluster did is done for everybody"


def test_no_scheduler_no_run(tmp_path: Path, images: Path, monkeypatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("TextPromptSegLib.jobs.cluster.CONNECT_SECONDS", 0.5)
    for address in ("tcp://127.0.0.1:1", "nonsense", "tcp://:x"):
        with pytest.raises(DeviceError, match="No Dask scheduler"):
            run_batch(
                images,
                PROMPTS,
                tmp_path / "out",
                scheduler=address,
                predictor_factory=FakePredictor,
            )


def test_a_worker_with_another_checkpoint_refuses(tmp_path: Path, images: Path) -> None:
    from TextPromptSegLib.jobs import cluster
    from TextPromptSegLib.prompting.prompts import parse_prompts

    job = BatchJob(
        prompts=tuple(parse_prompts("liver")),
        output_dir=tmp_path / "out",
        model_digest="0" * 64,
        factory=FakePredictor,
    )
    (case, *_) = find_cases(images)
    result = cluster.run_case_on_worker(case, job)
    assert result.status == "failed" and "another version" in result.error
    assert not (tmp_path / "out").exists()
    assert run_case(FakePredictor("m", "cpu"), case, job).status == "done"
