"""An image is read in a process of its own, and what crashes there is one failed case."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import synthetic_dicom as made
from fake_predictor import FakePredictor

from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.jobs import job, reading_apart
from TextPromptSegLib.jobs.batch import run_batch
from TextPromptSegLib.jobs.reading_apart import ReaderProcess
from TextPromptSegLib.outcome import Cancelled, InputError, OutputError

# Reads as the real one does, but for some names of files.
ODD = """
import os, sys, time
from TextPromptSegLib.jobs import reader_process

read = reader_process.answer

def answer(request):
    name = os.path.basename(request["path"])
    if name.startswith("crash"):
        os.kill(os.getpid(), 6)
    if name.startswith("endless"):
        time.sleep(600)
    if name.startswith("bug"):
        raise SystemExit(3)
    return read(request)

reader_process.answer = answer
reader_process.main()
"""


@pytest.fixture
def reader():
    process = ReaderProcess([sys.executable, "-c", ODD])
    yield process
    process.close()


def write(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.random.default_rng(seed).integers(-99, 200, (6, 20, 24)).astype(np.int16)
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((2.0, 2.0, 5.0))
    sitk.WriteImage(image, str(path))
    return path


def test_it_reads_as_it_would_here(tmp_path: Path, reader: ReaderProcess) -> None:
    write(tmp_path / "a.nii.gz")
    made.series(tmp_path / "dicom", [(0, 0, 2.0 * n) for n in range(3)])
    for source in (tmp_path / "a.nii.gz", tmp_path / "dicom"):
        here, there = Volume.read(source), reader.read(source)
        assert np.array_equal(here.array, there.array) and here.array.dtype == there.array.dtype
        assert np.array_equal(here.ijk_to_ras, there.ijk_to_ras)
        assert (here.name, here.modality) == (there.name, there.modality)
        assert dict(here.meta) == dict(there.meta)
        there.array[0, 0, 0] = 1  # an array of its own, like any other


def test_errors_keep_their_kind_and_sentence(tmp_path: Path, reader: ReaderProcess) -> None:
    (tmp_path / "x.nii").write_text("nothing")
    for source in (tmp_path / "x.nii", tmp_path / "missing.nii"):
        with pytest.raises(InputError) as here:
            Volume.read(source)
        with pytest.raises(InputError) as there:
            reader.read(source)
        assert str(here.value) == str(there.value)


@pytest.mark.parametrize("name", ["crash.nii.gz", "bug.nii.gz"])
def test_a_crash_is_an_error_and_the_next_image_is_read(
    tmp_path: Path, reader: ReaderProcess, name: str
) -> None:
    write(tmp_path / name)
    for _ in range(2):
        with pytest.raises(InputError, match=f"crashed on {name}"):
            reader.read(tmp_path / name)
    assert reader.read(write(tmp_path / "good.nii.gz")).shape == (6, 20, 24)


def test_what_never_ends_is_given_up_or_cancelled(tmp_path: Path, reader: ReaderProcess) -> None:
    write(tmp_path / "endless.nii.gz")
    with pytest.raises(InputError, match="given up"):
        reader.read(tmp_path / "endless.nii.gz", longest=0.5)
    until = time.monotonic() + 0.5
    with pytest.raises(Cancelled):
        reader.read(tmp_path / "endless.nii.gz", lambda *_: time.monotonic() < until)
    assert reader.read(write(tmp_path / "good.nii.gz")).shape == (6, 20, 24)


def test_a_reader_that_died_while_idle_is_started_again(
    tmp_path: Path, reader: ReaderProcess
) -> None:
    good = write(tmp_path / "good.nii.gz")
    reader.read(good)
    assert reader._process is not None
    reader._process.kill()
    reader._process.popen.wait(5)
    assert reader.read(good).shape == (6, 20, 24)


def test_nothing_is_left(tmp_path: Path, reader: ReaderProcess, monkeypatch) -> None:
    monkeypatch.setattr(reading_apart.tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    reader.read(write(tmp_path / "good.nii.gz"))
    (folder,) = (tmp_path / "temporary").iterdir()
    assert not list(folder.iterdir())
    reader.close()
    assert not list((tmp_path / "temporary").iterdir())
    monkeypatch.setattr(reading_apart.tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(OutputError, match="TMPDIR"):
        reader.read(tmp_path / "good.nii.gz")


def test_a_batch_goes_on_after_a_crash(
    tmp_path: Path, reader: ReaderProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "shared_reader", lambda: reader)
    for name in ("a.nii.gz", "crash.nii.gz", "z.nii.gz"):
        write(tmp_path / "in" / name)
    with open(os.fsencode(tmp_path / "in") + b"/M\xfcller.nii.gz", "wb") as stream:
        stream.write((tmp_path / "in" / "a.nii.gz").read_bytes())
    summary = run_batch(tmp_path / "in", "liver", tmp_path / "out", predictor_factory=FakePredictor)
    states = {case.id: case.status for case in summary.cases}
    assert states.pop(os.fsdecode(b"M\xfcller")) in ("done", "failed")
    assert states == {"a": "done", "crash": "failed", "z": "done"}
    assert "crashed" in (tmp_path / "out" / "summary.csv").read_text(encoding="utf-8")
