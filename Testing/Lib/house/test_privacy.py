"""What Resources/Docs/privacy.md says of each output is so."""

from __future__ import annotations

import gzip
import json
import sys
import types
from pathlib import Path

import pytest
import synthetic_dicom as made
from fake_predictor import FakePredictor

from TextPromptSegLib.jobs.job import RunOptions, run_job
from TextPromptSegLib.jobs.outputs import Outputs
from TextPromptSegLib.prompting.prompts import parse_prompts

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "Resources" / "Docs" / "privacy.md").read_text(encoding="utf-8")
PATIENT = {
    "PatientName": "Mustermann^Erika",
    "PatientID": "ID4711",
    "PatientBirthDate": "19640812",
    "AccessionNumber": "ACC815",
    "ReferringPhysicianName": "Hausarzt^Hans",
    "StudyDate": "20230405",
}


@pytest.mark.parametrize("ending", [".seg.nrrd", ".nii.gz", ".dcm"])
@pytest.mark.parametrize("paths", [True, False])
def test_only_a_dicom_seg_carries_the_patient(tmp_path: Path, ending: str, paths: bool) -> None:
    folder = tmp_path / "Folder_Erika"
    made.series(folder, [(0, 0, 4.0 * n) for n in range(6)], **PATIENT)
    out = tmp_path / "results"
    outputs = Outputs(out / f"o{ending}", out / "r.json", out / "o.svg")
    predictor = FakePredictor("fake", "cpu")
    done = run_job(
        predictor, folder, parse_prompts("liver, spleen"), outputs,
        RunOptions(samples=2, heat_map=True), paths=paths,
    )  # fmt: skip
    assert len(done.files) >= 6
    for path in done.files:
        content = path.read_bytes()
        if path.name.endswith(".nii.gz"):
            content = gzip.decompress(content)
        patient = {key for key, value in PATIENT.items() if value.encode() in content}
        assert patient == (set(PATIENT) if path.suffix == ".dcm" else set()), path.name
        named = path.name == "r.json" and paths
        assert (str(folder).encode() in content) == named, path.name
        if not paths:
            assert b"Folder_Erika" not in content, path.name
    assert json.loads((out / "r.json").read_text())["input"] == (str(folder) if paths else "")


def test_a_cluster_is_reached_with_the_settings_that_dask_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from TextPromptSegLib.jobs import cluster

    asked: list[tuple[tuple, dict]] = []

    class Client:
        status = "running"

        def __init__(self, *args: object, **options: object) -> None:
            asked.append((args, options))

        def nthreads(self) -> dict[str, int]:
            return {"tls://worker:1": 1}

        def close(self) -> None:
            pass

    module = types.ModuleType("distributed")
    module.Client = Client  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "distributed", module)
    cluster.run_on_cluster("tls://head:8786", [], None, print, lambda *_: True)  # type: ignore[arg-type]
    ((address,), options) = asked[0]
    assert address == "tls://head:8786"
    assert "security" not in options, "Dask's own TLS settings would be replaced"


def test_the_page_names_every_output_and_is_found() -> None:
    for word in (
        ".dcm", ".seg.nrrd", ".nii.gz", ".labels.json", ".candidates.seg.nrrd", "overlay",
        "summary.csv", "--no-paths", "Dask", "tls://", "TEXTPROMPTSEG_FEATURE_CACHE", "scene",
    ):  # fmt: skip
        assert word in PAGE, word
    assert "(Resources/Docs/privacy.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
