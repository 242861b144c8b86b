"""What a terminal gets to see: no escape sequence of others, and a sentence at every end."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from cli_bench import ENVIRONMENT, Asked, run, write_image
from tiny_checkpoint import save_tiny

from TextPromptSegLib import cli
from TextPromptSegLib.cli.clean import clean, clean_json

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202ereversed\r[/bold][red]"
UNSAFE = {"\x1b", "\x07", "\x9b", "\u202e", "\r", "\x7f", "\x08"}


def unsafe(text: str) -> set[str]:
    return {c for c in text if c in UNSAFE or "\ud800" <= c <= "\udfff"}


def test_texts_are_shown_not_obeyed() -> None:
    assert clean("liver, Ä 山 \t👍🏽\nspleen") == "liver, Ä 山 \t👍🏽\nspleen"
    assert not unsafe(clean(EVIL)) and "\\x1b]0;owned\\x07" in clean(EVIL)
    assert clean(os.fsdecode(b"M\xfcller")) == "M\\udcfcller"
    data = {"a": EVIL, EVIL: [os.fsdecode(b"\xff")]}
    assert not unsafe(clean_json(data)) and json.loads(clean_json(data)) == data


@pytest.mark.parametrize("command", ["segment", "batch", "train", "import", "parse", "usage"])
def test_no_escape_reaches_the_terminal(
    command: str, tmp_path: Path, tiny: str, fake: type[Asked], capfd: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / EVIL.replace("/", "")
    write_image(tmp_path / "a.nii.gz").rename(Path(f"{odd}.nii.gz"))
    words: dict[str, tuple[object, ...]] = {
        "segment": ("segment", f"{odd}.nii.gz", "-p", f"liver, {EVIL}", "-m", tiny, "-o",
                    f"{odd}.seg.nrrd", "--report", f"{odd}.json"),
        "batch": ("batch", tmp_path, "-p", "liver", "-m", tiny, "-o", odd / "out"),
        "train": ("train", f"{odd}.json", "--data", odd),
        "import": ("models", "import", odd),
        "parse": ("parse", f"liver, {EVIL}", "--json"),
        "usage": ("segment", EVIL, f"--{EVIL}"),
    }  # fmt: skip
    (tmp_path / "broken.nii.gz").write_text(EVIL)
    code = run(*words[command])
    said = capfd.readouterr()
    assert code in (0, 2, 3) and said.out + said.err
    assert not unsafe(said.out + said.err)


def test_no_escape_of_a_checkpoint_reaches_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TEXTPROMPTSEG_HOME", str(tmp_path))
    licence = {"spdx": EVIL, "line": EVIL, "permissive": True}
    folder = save_tiny(tmp_path / "checkpoints" / "odd", name="odd", title=EVIL, licence=licence)
    (folder / "README.md").write_text(f"# {EVIL}\n\n[a link]({EVIL})\n", encoding="utf-8")
    for words in (["list"], ["list", "--json"], ["show", "odd"], ["show", "odd", "--json"]):
        assert run("models", *words) == 0
        said = capfd.readouterr()
        assert not unsafe(said.out + said.err) and "owned" in said.out


def test_a_file_that_cannot_be_used_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from TextPromptSegLib.cli import parse

    for error, words in (
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found in [...]"), "TMPDIR"),
        (OSError("Matplotlib requires access to a writable cache directory"), "Matplotlib"),
        (OSError("set the MPLCONFIGDIR environment variable"), "TMPDIR"),
        (PermissionError(errno.EACCES, "Permission denied", "/x/y"), "/x/y cannot be used"),
    ):

        def fail(*_: object, error: OSError = error) -> int:
            raise error

        monkeypatch.setattr(parse, "parse_prompt", fail)
        assert cli.main(["parse", "liver"]) == 2
        err = capsys.readouterr().err
        assert words in err and "(OSError)" not in err and len(err.splitlines()) == 1


TRAINING = """
    import sys, time
    from pathlib import Path
    from types import SimpleNamespace
    import TextPromptSegLib.training as training
    from TextPromptSegLib import cli
    from TextPromptSegLib.training.recipe import Recipe

    def train(*_, **__):
        Path({ready!r}).touch()
        try:
            time.sleep(30)
        except KeyboardInterrupt:
            sys.exit(1)  # as Lightning does

    training.train = train
    Recipe.read = classmethod(lambda *_: SimpleNamespace(notes=()))
    sys.exit(cli.main(["train", "recipe.json"]))
"""


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT for one process there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_in_train_says_how_to_go_on(tmp_path: Path, number: int) -> None:
    ready = tmp_path / "ready"
    code = textwrap.dedent(TRAINING.format(ready=str(ready)))
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 60
    while not ready.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130 and "--resume" in err and len(err.splitlines()) == 1, err
