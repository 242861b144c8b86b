"""The command line with bad input, full disks and Ctrl-C: one line, the exit code, nothing left."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import textwrap
import time
import zipfile
from pathlib import Path

import pytest
from cli_bench import ENVIRONMENT, Asked, files_below, run, write_image

from TextPromptSegLib.cli.options import parse_roi, parse_slices
from TextPromptSegLib.outcome import InputError

# ---- bad input: one line, exit code 2, nothing left ----


def make_bad(folder: Path) -> dict[str, Path]:
    good = write_image(folder / "good.nii.gz")
    data = good.read_bytes()
    files = {
        "truncated.nii.gz": data[: len(data) // 2],
        "empty.nii.gz": b"",
        "text.nii": b"this is not an image\n" * 40,
        "locked.nii.gz": b"Salted__" + bytes(range(256)) * 4,
        "short.png": b"\x89PNG\r\n\x1a\n" + b"\0" * 20,
        "short.nrrd": b"NRRD0004\ntype: short\ndimension: 3\nsizes: 9 9 9\nencoding: raw\n\nxx",
        "cut.dcm": b"\0" * 128 + b"DICM" + b"\x02\0",
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    with zipfile.ZipFile(folder / "packed.zip", "w") as archive:
        archive.write(good, "x.nii.gz")
    (folder / "four.nii").write_bytes(gzip.decompress(data)[:300])
    (folder / "void").mkdir()
    return {p.name: p for p in folder.iterdir() if p.name != "good.nii.gz"}


def check_refused(
    code: int, text: object, words: str, before: list[str], folder: Path, label: str
) -> None:
    err = text.err  # type: ignore[attr-defined]
    assert code == 2, label
    assert len(err.splitlines()) == 1, f"{label}: {err!r}"
    assert err.startswith("textpromptseg: ") and words in err, f"{label}: {err!r}"
    assert "Traceback" not in err + text.out  # type: ignore[attr-defined]
    assert files_below(folder) == before, label


def test_bad_images_are_refused_in_one_line(
    tmp_path: Path, tiny: str, fake: type[Asked], capfd: pytest.CaptureFixture[str]
) -> None:
    bad = make_bad(tmp_path / "in")
    bad["missing.nii.gz"] = tmp_path / "in" / "missing.nii.gz"
    before = files_below(tmp_path)
    for name, path in bad.items():
        code = run(
            *("segment", path, "-p", "liver", "-m", tiny, "-o", tmp_path / "out" / "x.seg.nrrd"),
            *("--report", tmp_path / "r.json", "--overlay", tmp_path / "o.png"),
        )
        check_refused(code, capfd.readouterr(), name, before, tmp_path, name)
        assert not (tmp_path / "out").exists()


BAD_OPTIONS = [
    (["-p", "flux capacitor"], "'flux capacitor'"),
    (["-p", "livr"], "did you mean 'liver'"),
    (["-p", ""], ""),
    (["-p", "liver", "--roi", "1,2,3"], "six numbers"),
    (["-p", "liver", "--roi", "a,b,c,d,e,f"], "six numbers"),
    (["-p", "liver", "--roi", "0,nan,0,1,0,1"], "finite"),
    (["-p", "liver", "--roi", "900,990,0,1,0,1"], "outside"),
    (["-p", "liver", "--slices", "7"], "A:B"),
    (["-p", "liver", "--slices", "9:2"], "A:B"),
    (["-p", "liver", "--threshold", "1.5"], "between 0 and 1"),
    (["-p", "liver", "--threshold", "much"], "threshold"),
    (["-p", "liver", "--samples", "0"], "samples"),
    (["-p", "liver", "--plane", "oblique"], "plane"),
    (["-p", "liver", "-m", "no-such-model"], "no-such-model"),
    (["-p", "liver", "-o", "{tmp}/x.tiff"], ".seg.nrrd"),
    (["-p", "liver", "-o", "{tmp}/x.dcm"], "DICOM"),
    (["-p", "liver", "-o", "{tmp}/ct.nii.gz"], "overwrite"),
    (["-p", "liver", "-o", "{tmp}/ct.nii.gz/x.nii.gz"], "not a folder"),
    (["-p", "liver", "-o", "/proc/nobody/x.nii.gz"], "cannot be written"),
    (["-p", "liver", "--overlay", "{tmp}/x.txt"], ".png"),
    (["-p", "liver", "--report", "{tmp}"], "folder"),
    (["-p", "liver", "--report", "{tmp}/x.png", "--overlay", "{tmp}/x.png"], "each its own"),
    (["-p", "liver", "--nonsense"], "--help"),
    ([], "--prompt"),
]


@pytest.mark.parametrize(("options", "words"), BAD_OPTIONS)
def test_bad_options_are_refused_in_one_line(
    options: list[str],
    words: str,
    tmp_path: Path,
    image: Path,
    tiny: str,
    fake: type[Asked],
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = [option.format(tmp=tmp_path) for option in options]
    if "-m" not in options:
        options += ["-m", tiny]
    before = files_below(tmp_path)
    code = run("segment", image, *options)
    check_refused(code, capsys.readouterr(), words, before, tmp_path, str(options))


def test_a_damaged_checkpoint_is_refused(
    tmp_path: Path, image: Path, tiny: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    weights = Path(tiny) / "model.safetensors"
    weights.write_bytes(weights.read_bytes() + b"!")
    before = files_below(tmp_path)
    code = run("segment", image, "-p", "liver", "-m", tiny, "-o", tmp_path / "x.seg.nrrd")
    check_refused(code, capsys.readouterr(), "sha256", before, tmp_path, "checkpoint")


def test_a_full_disk_leaves_nothing(
    tmp_path: Path, image: Path, tiny: str, fake, monkeypatch, capsys
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("TextPromptSegLib.jobs.outputs.render_overlay", full)
    before = files_below(tmp_path)
    code = run(
        *("segment", image, "-p", "liver", "-m", tiny, "-o", tmp_path / "new" / "x.seg.nrrd"),
        *("--overlay", tmp_path / "o.png"),
    )
    check_refused(code, capsys.readouterr(), "No space left", before, tmp_path, "disk")
    assert not (tmp_path / "new").exists()


def test_a_fault_of_the_program_is_no_traceback(
    image: Path, tiny: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Faulty(Asked):
        def segment(self, *_: object, **__: object):
            raise ZeroDivisionError("a mistake")

    monkeypatch.setattr("TextPromptSegLib.inference.loading.load_predictor", Faulty)
    assert run("segment", image, "-p", "liver", "-m", tiny) == 1
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1 and "a mistake" in err and "TEXTPROMPTSEG_DEBUG" in err
    monkeypatch.setenv("TEXTPROMPTSEG_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run("segment", image, "-p", "liver", "-m", tiny)


@pytest.mark.parametrize("text", ["0:1", "3:40"])
def test_slices_are_read(text: str) -> None:
    assert ":".join(map(str, parse_slices(text))) == text


@pytest.mark.parametrize("text", ["", ":", "1:", ":4", "-1:4", "4:4", "1:2:3", "a:b", "1.5:3"])
def test_wrong_slices_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="A:B"):
        parse_slices(text)


def test_roi_is_read() -> None:
    assert parse_roi("-1.5,2,3,4e1,-5,6") == (-1.5, 2, 3, 40, -5, 6)
    for text in ("", "1", "1,2,3,4,5", "1,2,3,4,5,6,7", "1 2 3 4 5 6"):
        with pytest.raises(InputError, match="six numbers"):
            parse_roi(text)


# ---- Ctrl-C, in a real process ----

SLOW = """
    import sys, time
    from pathlib import Path
    from fake_predictor import FakePredictor
    from TextPromptSegLib import cli
    from TextPromptSegLib.inference import loading
    from TextPromptSegLib.outcome import Cancelled

    class Slow(FakePredictor):
        def segment(self, prompts, threshold=None, samples=None, progress=None):
            if {when!r} in ("segment", "swallowed"):
                Path({ready!r}).touch()
                for step in range(200):
                    try:
                        time.sleep(0.05)
                    except KeyboardInterrupt:
                        if {when!r} == "segment":
                            raise
                    if not progress(step, 200, "slices"):
                        raise Cancelled
            return super().segment(prompts, threshold, samples, progress)

    def writer(*args, **kwargs):
        path = args[2]
        Path(path).write_bytes(b"half")
        Path({ready!r}).touch()
        time.sleep(10)

    if {when!r} == "write":
        import TextPromptSegLib.formats.writing as writing
        writing.write_segmentations = writer
    loading.load_predictor = Slow
    sys.exit(cli.main())
"""


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT for one process there")
@pytest.mark.parametrize(
    ("command", "when", "number"),
    [
        ("segment", "segment", signal.SIGINT),
        ("segment", "swallowed", signal.SIGINT),
        ("segment", "write", signal.SIGINT),
        ("segment", "segment", signal.SIGTERM),
        ("batch", "write", signal.SIGINT),
    ],
)
def test_cancel_leaves_nothing(
    command: str, when: str, number: int, tmp_path: Path, image: Path, tiny: str
) -> None:
    ready = tmp_path / "ready"
    script = tmp_path / "slow.py"
    script.write_text(textwrap.dedent(SLOW.format(when=when, ready=str(ready))))
    target = ["-o", str(tmp_path / "new" / "x.seg.nrrd"), "--report", str(tmp_path / "r.json")]
    if command == "batch":
        target = ["-o", str(tmp_path / "new")]
    before = files_below(tmp_path)
    process = subprocess.Popen(
        [sys.executable, str(script), command, str(image), "-p", "liver", "-m", tiny, *target],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 60
    while not ready.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    assert ready.exists(), process.communicate()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in err and len(err.splitlines()) == 1 and "cancelled" in err
    assert files_below(tmp_path) == sorted([*before, "ready"])
    assert not list(tmp_path.rglob(".*"))
    assert not (tmp_path / "new" / "x.seg.nrrd").exists()
