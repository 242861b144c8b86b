"""Outputs appear together or not at all, and are checked before the run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from batch_bench import files_below, write_image

from TextPromptSegLib.files.checks import KnownFiles, check_outputs
from TextPromptSegLib.files.staged import StagedOutputs
from TextPromptSegLib.files.text import write_json
from TextPromptSegLib.jobs.job import Outputs
from TextPromptSegLib.outcome import OutputError

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
