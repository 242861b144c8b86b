"""One of several series or time points is chosen with --series and --frame; none is guessed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import synthetic_dicom as made
from cli_bench import Asked, run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    here = tmp_path / "study"
    for count, number, modality in ((5, "4", "CT"), (3, "7", "MR")):
        places = [(-10.0, -20.0, 2.5 * n) for n in range(count)]
        made.series(here, places, uid=f"1.2.3.{number}", prefix=number, modality=modality)
    return here


@pytest.mark.parametrize("word", ["7", "1.2.3.7"])
def test_a_series_is_chosen_by_number_or_uid(
    tmp_path: Path, folder: Path, tiny: str, fake: type[Asked], word: str
) -> None:
    report = tmp_path / "r.json"
    asked = ("segment", folder, "-p", "liver", "-m", tiny, "--report", report)
    assert run(*asked, "--series", word) in (0, 3)
    assert fake.last.volume.modality == "MR" and fake.last.volume.shape[0] == 3
    facts = json.loads(report.read_text())["provenance"]
    assert facts["options"]["series"] == word and facts["series"]["number"] == "7"


def test_several_series_are_listed_with_the_way_out(
    folder: Path, tiny: str, fake: type[Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("segment", folder, "-p", "liver", "-m", tiny) == 2
    error = capsys.readouterr().err
    assert "--series NUMBER" in error and "4: " in error and "7: " in error
    assert run("segment", folder, "-p", "liver", "-m", tiny, "--series", "9") == 2
    assert "no one series 9" in capsys.readouterr().err


def test_a_time_point_is_chosen(
    tmp_path: Path, tiny: str, fake: type[Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    path, report = tmp_path / "four.nii.gz", tmp_path / "r.json"
    frames = [sitk.GetImageFromArray(np.full((3, 8, 8), n, np.int16)) for n in (5, 6)]
    sitk.WriteImage(sitk.JoinSeries(frames), str(path))
    asked = ("segment", path, "-p", "liver", "-m", tiny, "--report", report)
    assert run(*asked) == 2 and "--frame 0..1" in capsys.readouterr().err
    for frame in (0, 1):
        assert run(*asked, "--frame", frame) in (0, 3)
        assert float(fake.last.volume.array.max()) == 5 + frame
        assert json.loads(report.read_text())["provenance"]["options"]["frame"] == frame
    assert run(*asked, "--frame", "2") == 2 and "has no frame 2" in capsys.readouterr().err
