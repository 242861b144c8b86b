"""What lies beside a segmentation that was made of several samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import toy_locator
from doubtful_segmenter import CORE, LIVER, RIM, Doubtful, organ
from toy_segmenter import toy_predictor

from TextPromptSegLib.formats.samples import sample_files
from TextPromptSegLib.jobs import job
from TextPromptSegLib.jobs.job import Outputs, RunOptions
from TextPromptSegLib.prompting.prompts import parse_prompts

sitk = pytest.importorskip("SimpleITK")


@pytest.fixture
def made(tmp_path: Path) -> Any:
    predictor = toy_predictor({"liver": LIVER, "spleen": 0.9}, model=Doubtful())

    def run(prompts: str, samples: int | None, name: str = "out.seg.nrrd") -> Any:
        outputs = Outputs(segmentation=tmp_path / "results" / name)
        return job.run_job(
            predictor,
            Path("image"),
            parse_prompts(prompts),
            outputs,
            RunOptions(samples=samples),
            volume=organ(),
        )

    return run


def test_candidates_and_uncertainty_lie_beside_the_segmentation(made: Any) -> None:
    done = made("liver", 4)
    files = {path.name: str(path) for path in done.files}
    assert set(files) == {"out.seg.nrrd", "out.candidates.seg.nrrd", "out.uncertainty.nii.gz"}
    image = sitk.ReadImage(files["out.uncertainty.nii.gz"])
    read = sitk.GetArrayFromImage(image)
    (answer,) = done.segmentations
    np.testing.assert_allclose(read, answer.uncertainty.astype(np.float32), atol=1e-4)
    assert read[RIM].min() > 0.1 > read[CORE].max()
    segmentation = sitk.ReadImage(files["out.seg.nrrd"])
    assert image.GetSpacing() == pytest.approx(segmentation.GetSpacing())
    assert image.GetOrigin() == pytest.approx(segmentation.GetOrigin())
    candidates = sitk.ReadImage(files["out.candidates.seg.nrrd"])
    keys = [k for k in candidates.GetMetaDataKeys() if k.endswith("_Name")]
    found = sorted(candidates.GetMetaData(k) for k in keys)
    assert found == [f"liver, candidate {n} of 4" for n in (1, 2, 3, 4)]
    layers = sitk.GetArrayFromImage(candidates)
    layers = layers[..., None] if layers.ndim == 3 else layers
    for number, mask in enumerate(answer.candidates, 1):
        assert np.array_equal((layers == number).any(-1), mask != 0)


def test_several_structures_have_a_file_each_and_without_samples_there_is_none(made: Any) -> None:
    done = made("liver, spleen", 2, "case.nii.gz")
    assert {path.name for path in done.files} >= {
        "case.nii.gz",
        "case.candidates.seg.nrrd",
        "case.uncertainty-1-liver.nii.gz",
        "case.uncertainty-2-spleen.nii.gz",
    }
    assert [p.name for p in made("liver", None, "plain.seg.nrrd").files] == ["plain.seg.nrrd"]
    assert sample_files(Path("a.seg.nrrd"), []) == []


def test_heat_maps_lie_beside_the_segmentation(tmp_path: Path) -> None:
    located, image = toy_locator.predictor()[0], toy_locator.volume()
    outputs = Outputs(segmentation=tmp_path / "out.nii.gz")
    arguments = (located, Path("image"), parse_prompts("liver, spleen"), outputs)
    done = job.run_job(*arguments, RunOptions(heat_map=True), volume=image)
    names = ["out.heat-map-1-liver.nii.gz", "out.heat-map-2-spleen.nii.gz"]
    assert {path.name for path in done.files} >= {"out.nii.gz", *names}
    for name, answer in zip(names, done.segmentations, strict=True):
        read = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / name)))
        np.testing.assert_allclose(read, answer.heat_map.astype(np.float32), atol=1e-4)
        assert (read.max() > 0.9) == (answer.prompt.name == "liver")
    done = job.run_job(*arguments, RunOptions(), volume=image)
    assert not any("heat-map" in path.name for path in done.files)
