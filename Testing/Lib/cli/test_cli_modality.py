"""What an image is taken for is said by `segment` and `batch`, and corrected with --modality."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_bench import Asked, run


def provenance(path: Path) -> dict:
    return json.loads(path.read_text())["provenance"]


def test_segment_says_what_the_image_was_taken_for(
    tmp_path: Path, image: Path, tiny: str, fake: type[Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "r.json"
    run("segment", image, "-p", "liver", "-m", tiny, "--report", report)
    said = capsys.readouterr().out
    facts = provenance(report)
    assert facts["taken_for"] in said and facts["modality_guessed"]
    assert facts["taken_for"].startswith("The image is taken for ")


@pytest.mark.parametrize("modality", ["CT", "MR", "CXR", "mr"])
def test_modality_reaches_the_predictor_the_report_and_the_screen(
    tmp_path: Path,
    image: Path,
    tiny: str,
    fake: type[Asked],
    capsys: pytest.CaptureFixture[str],
    modality: str,
) -> None:
    report, result = tmp_path / "r.json", tmp_path / "r.seg.nrrd"
    words = ("segment", image, "-p", "liver", "-m", tiny, "--report", report, "-o", result)
    assert run(*words, "--modality", modality) in (0, 3)
    assert b"TextPromptSeg.TakenFor:The image is taken for" in result.read_bytes()
    assert fake.last.volume.modality == modality.upper()
    assert "as you said" in capsys.readouterr().out
    facts = provenance(report)
    assert facts["modality"] == modality.upper() and not facts["modality_guessed"]
    assert facts["options"]["modality"] == modality.upper()


def test_modality_in_a_batch(tmp_path: Path, image: Path, tiny: str, fake: type[Asked]) -> None:
    out = tmp_path / "out"
    assert run("batch", image, "-p", "liver", "-m", tiny, "-o", out, "--modality", "MR") in (0, 3)
    (report,) = out.glob("*.report.json")
    assert provenance(report)["modality"] == "MR"
    assert "taken for MR, as you said" in (out / "summary.csv").read_text()
    before = provenance(report)["created"]
    # Another word for the same image is another job.
    again = ("batch", image, "-p", "liver", "-m", tiny, "-o", out, "--resume")
    assert run(*again, "--modality", "CT") in (0, 3)
    assert provenance(report)["modality"] == "CT" and provenance(report)["created"] >= before


def test_unknown_modality_is_a_sentence(
    image: Path, tiny: str, fake: type[Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("segment", image, "-p", "liver", "-m", tiny, "--modality", "PET") == 2
    error = capsys.readouterr().err
    assert "use CT, MR or CXR" in error and len(error.splitlines()) == 1
