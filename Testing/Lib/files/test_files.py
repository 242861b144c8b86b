"""Whole files, checks of outputs, left-overs of killed runs, JSON that is meant to hurt."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from TextPromptSegLib.files import staged as staging
from TextPromptSegLib.files.checks import KnownFiles, check_outputs
from TextPromptSegLib.files.leftovers import owned_prefix, sweep
from TextPromptSegLib.files.staged import StagedOutputs
from TextPromptSegLib.files.text import STAGING_PREFIX, parse_json, read_json, write_json
from TextPromptSegLib.outcome import OutputError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ---- checks ----


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    (folder / "ct.nii.gz").write_text("voxels")
    (tmp_path / "work").symlink_to("store")
    (tmp_path / "link.nii.gz").symlink_to("store/ct.nii.gz")
    os.link(folder / "ct.nii.gz", tmp_path / "hard.nii.gz")
    return folder


@pytest.mark.parametrize("source", ["store/ct.nii.gz", "work/ct.nii.gz", "link.nii.gz"])
@pytest.mark.parametrize("target", ["store/ct.nii.gz", "work/ct.nii.gz", "hard.nii.gz"])
def test_a_file_is_itself_under_every_name(
    tmp_path: Path, store: Path, source: str, target: str
) -> None:
    known = KnownFiles([tmp_path / source])
    with pytest.raises(OutputError, match="overwrite the input"):
        check_outputs({"-o": tmp_path / target}, known)
    check_outputs({"-o": tmp_path / "work" / "new.nii.gz"}, known)


def test_two_outputs_are_one_file_through_a_linked_folder(tmp_path: Path, store: Path) -> None:
    one, other = tmp_path / "work" / "x.json", store / "x.json"
    with pytest.raises(OutputError, match="both name"):
        check_outputs({"-o": one, "--report": other})


def test_files_beside_an_output_count(tmp_path: Path, store: Path) -> None:
    sides = {"-o": re.compile(r"out(_layer\d+\.nii|\.labels\.json)")}
    (store / "out_layer2.nii").write_text("an input")
    with pytest.raises(OutputError, match="overwrite the input out_layer2.nii"):
        check_outputs(
            {"-o": tmp_path / "work" / "out.nii"}, KnownFiles([store / "out_layer2.nii"]), sides
        )
    with pytest.raises(OutputError, match="needs for the files beside it"):
        check_outputs({"-o": store / "out.nii", "--report": store / "out.labels.json"}, None, sides)
    check_outputs({"-o": store / "out.nii"}, KnownFiles([store / "ct.nii.gz"]), sides)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    for target, words in (
        (tmp_path / "pipe.json", "no ordinary file"),
        (Path("/dev/null"), "no ordinary file"),
        (tmp_path, "the folder"),
        (tmp_path / ("n" * 300), "bytes in its name"),
        (tmp_path / ("n" * 300) / "x", "choose another"),
    ):
        with pytest.raises(OutputError, match=words):
            check_outputs({"--report": target})
    assert names(tmp_path) == ["pipe.json"]


# ---- staged ----


def test_a_failed_move_brings_the_earlier_files_back(tmp_path: Path, monkeypatch) -> None:
    for name in ("a.txt", "b.txt", "report.json"):
        (tmp_path / name).write_text("old")
    move = os.replace

    def refuse(source, target, **options):
        if Path(target).name == "b.txt" and ".old" not in Path(source).parts:
            raise PermissionError(errno.EACCES, "opened elsewhere", str(target))
        return move(source, target, **options)

    monkeypatch.setattr(staging.os, "replace", refuse)
    files = [tmp_path / name for name in ("a.txt", "b.txt", "report.json")]
    with pytest.raises(OutputError, match="opened elsewhere"), StagedOutputs(files) as staged:
        for file in files:
            staged.path(file).write_text("new")
        staged.commit(last=files[-1])
    assert [file.read_text() for file in files] == ["old"] * 3
    assert names(tmp_path) == ["a.txt", "b.txt", "report.json"]


def test_stale_files_go_when_the_new_ones_come(tmp_path: Path) -> None:
    out, stale = tmp_path / "a.txt", tmp_path / "a_layer2.txt"
    stale.write_text("old")
    with pytest.raises(RuntimeError), StagedOutputs([out]) as staged:
        staged.path(out).write_text("new")
        raise RuntimeError
    assert names(tmp_path) == [stale.name]
    with StagedOutputs([out]) as staged:
        staged.path(out).write_text("new")
        staged.commit(stale=[stale])
    assert names(tmp_path) == [out.name]


def test_a_disk_that_fails_to_keep_a_file_is_told(tmp_path: Path, monkeypatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(staging.os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"), StagedOutputs([tmp_path / "a"]) as s:
        s.path(tmp_path / "a").write_text("new")
        s.commit()
    assert names(tmp_path) == []


# ---- left-overs ----


def _dead_prefix(prefix: str) -> str:
    """A hidden name of a process that has ended."""
    code = f"from TextPromptSegLib.files.leftovers import owned_prefix as p; print(p({prefix!r}))"
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_only_what_nobody_works_with_is_swept(tmp_path: Path) -> None:
    dead = tmp_path / f"{_dead_prefix('.x-')}1"
    mine, foreign, old = (tmp_path / n for n in (owned_prefix(".x-") + "1", ".x-far", ".x-old"))
    for folder in (dead, mine, foreign, old):
        folder.mkdir()
        (folder / "half").write_text("x")
    day = time.time() - 86400
    os.utime(old, (day, day))
    os.utime(mine, (day, day))
    assert set(sweep(tmp_path, ".x-")) == {dead, old}
    assert set(names(tmp_path)) == {mine.name, foreign.name}


def test_the_next_result_sweeps_what_a_killed_one_left(tmp_path: Path) -> None:
    (tmp_path / f"{_dead_prefix(STAGING_PREFIX)}1").mkdir()
    with StagedOutputs([tmp_path / "a"]) as staged:
        staged.path(tmp_path / "a").write_text("x")
        staged.commit()
    assert names(tmp_path) == ["a"]


# ---- JSON ----


def test_json_that_nests_too_deeply_is_an_error_like_any_other(tmp_path: Path) -> None:
    deep = "[" * 200_000
    for text in (deep, '{"a":' * 200_000, "{", "\ufeff{", ""):
        with pytest.raises(ValueError):
            parse_json(text)
    (tmp_path / "x.json").write_text(deep)
    with pytest.raises(ValueError, match="nested"):
        read_json(tmp_path / "x.json")
    (tmp_path / "x.json").write_bytes(b"\xef\xbb\xbf[1]")
    assert read_json(tmp_path / "x.json") == [1]


def test_names_that_are_no_utf8_can_be_told(tmp_path: Path) -> None:
    name = os.fsdecode(b"M\xfcller")
    write_json(tmp_path / "x.json", {"input": name})
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))["input"] == name
