"""Batch: a run, what survives a kill, what a failure leaves."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from batch_bench import PROMPTS, ROOT, Counting, files_below, write_image
from fake_predictor import FakePredictor

from TextPromptSegLib.jobs.batch import run_batch
from TextPromptSegLib.jobs.batch_summary import BatchSummary, CaseResult
from TextPromptSegLib.jobs.job import RunOptions
from TextPromptSegLib.outcome import Cancelled, CheckpointError, OutputError


@pytest.fixture(autouse=True)
def _fresh_counts() -> None:
    Counting.made, Counting.asked = 0, []


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
    from TextPromptSegLib.jobs import outputs
    from TextPromptSegLib.jobs.batch import run_batch

    write = outputs.write_segmentations
    def half(segmentations, volume, path, vocabulary=None):
        result = write(segmentations, volume, path, vocabulary)
        if volume.name == "b":
            with open(path, "r+b") as stream:
                stream.truncate(50)
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    outputs.write_segmentations = half
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


def test_what_is_unusual_stands_in_the_table(tmp_path: Path) -> None:
    entry = {"name": "heart", "outcome": "found", "unusual": ["it is in 2 pieces", "too low"]}
    cases = (CaseResult("a", "a.nii", "done", (entry,)), CaseResult("b", "b.nii", "failed"))
    text = BatchSummary(cases, tmp_path, "m", 2, 1.0).to_csv()
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["unusual"] for row in rows] == ["it is in 2 pieces; too low", ""]


def test_a_batch_reads_the_frame_that_its_options_name(tmp_path: Path) -> None:
    seen: list[float] = []

    class Looking(FakePredictor):
        def set_volume(self, volume, **region) -> None:
            super().set_volume(volume, **region)
            seen.append(float(volume.array.max()))

    frames = [sitk.GetImageFromArray(np.full((4, 8, 8), n, np.int16)) for n in (5, 6)]
    sitk.WriteImage(sitk.JoinSeries(frames), str(tmp_path / "two.nii.gz"))
    for frame in (0, 1):
        out = tmp_path / f"out{frame}"
        asked = {"options": RunOptions(frame=frame), "predictor_factory": Looking}
        summary = run_batch(tmp_path / "two.nii.gz", "liver", out, **asked)
        assert summary.cases[0].status == "done"
    assert seen == [5.0, 6.0]
