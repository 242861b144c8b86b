"""The fuzz harness starts from inputs that are whole, and sees what goes wrong."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from TextPromptSegLib.outcome import TextPromptSegError

FUZZ = Path(__file__).resolve().parents[2] / "Fuzz"
sys.path.append(str(FUZZ))

import run  # noqa: E402
import seeds  # noqa: E402
from readers import IMAGES  # noqa: E402
from readers_json import OTHERS  # noqa: E402

WHOLE = {
    "nifti": seeds.nifti,
    "nifti-gz": seeds.packed_nifti,
    "nrrd": seeds.nrrd,
    "mha": seeds.metaimage,
    "dicom": seeds.dicom,
    "picture": seeds.pictures,
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_damaged_was_whole(name: str, tmp_path: Path) -> None:
    made, read = WHOLE[name](), 0
    for data in made:
        try:
            IMAGES[name].read(data, tmp_path)
            read += 1
        except Exception as error:  # several frames: one has to be named
            assert "frame" in str(error) or "several" in str(error), error
    assert read >= len(made) - 1, f"{read} of {len(made)}"


@pytest.mark.parametrize("name", OTHERS)
def test_readers_that_are_no_images_meet_the_code_of_today(name: str, tmp_path: Path) -> None:
    @settings(max_examples=3, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(OTHERS[name].inputs())
    def read(data: bytes) -> None:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        with contextlib.suppress(TextPromptSegError):
            OTHERS[name].read(data, folder)

    read()


def test_every_reader_is_run() -> None:
    assert set(run.READERS) == {*IMAGES, *OTHERS}


def test_a_finding_is_seen_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(run, "HERE", tmp_path)
    (tmp_path / "child.py").write_text(
        "import json, os, sys\n"
        "current = sys.argv[sys.argv.index('--current') + 1]\n"
        "open(current, 'w').write('hurts')\n"
        "facts = dict(kind='finding', finding='X in y', text='why', seconds=30, mb=3000)\n"
        "print(json.dumps({'start': True})); print(json.dumps(facts)); sys.stdout.flush()\n"
        "print(json.dumps({'start': True})); sys.stdout.flush(); os.kill(os.getpid(), 6)\n"
    )
    tally = run.fuzz("any", 3, 60.0, 0)
    assert set(tally.findings) == {
        "X in y",
        "more than 20 s of CPU",
        "more than 2048 MB",
        "crash, exit code -6",
    }
    assert sum(tally.count.values()) >= 3, "it goes on after a crash"
    kept = sorted(path.name for path in (tmp_path / "kept").iterdir())
    assert len(kept) == 8 and (tmp_path / "kept" / kept[0]).read_text() == "hurts"
