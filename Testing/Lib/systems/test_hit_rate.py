"""Hit rates of the localiser: voxels inside the region, in every orientation of the file."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from brightness_tower import Brightness

from TextPromptSegLib.data.datasets import Dataset
from TextPromptSegLib.evaluation.hit_rate import SeenCase, judge, look, summary
from TextPromptSegLib.image.intensity import InputSpec
from TextPromptSegLib.systems.patch_unet_vae.localiser import Localiser, LocaliserSpec

BRIGHT = SimpleNamespace(
    encode=lambda names: SimpleNamespace(pooled=torch.tensor([[0.0, 1.0]]).repeat(len(names), 1))
)


def seen_case(voxels: np.ndarray) -> SeenCase:
    """A volume of 30 x 60 x 80 mm whose evidence lies in the cell z 9..18, y 20..30, x 50..60."""
    logits = torch.full((10, 1, 6, 8), -9.0)
    logits[3:6, 0, 2, 5] = 6.0
    return SeenCase("a", logits, 10.0, 3.0, (30.0, 60.0, 80.0), {"organ": voxels})


ROWS = [
    ["inside", [[13.0, 25, 55]], 1.0, True],
    ["outside", [[13.0, 25, 15]], 0.0, False],
    ["half of it", [[13.0, 25, 55], [13, 25, 72]], 0.5, False],
    ["within the margin", [[13.0, 18, 62]], 1.0, True],
]


@pytest.mark.parametrize(("_title", "voxels", "inside", "centre"), ROWS)
def test_the_share_of_voxels_inside(
    _title: str, voxels: list[list[float]], inside: float, centre: bool
) -> None:
    case = seen_case(np.array(voxels))
    (hit,) = judge(case, ["organ"], margin_mm=3.0, slack_mm=0.0, smooth_mm=0.1)
    assert hit.found and hit.inside == inside and hit.centre == centre
    assert hit.size == pytest.approx((9 * 16 * 16) / (30 * 60 * 80))
    table = summary([hit, hit])["organ"]
    assert table["cases"] == 2 and table["hit_rate"] == float(inside >= 0.9)


def test_no_region_is_no_hit() -> None:
    case = seen_case(np.array([[13.0, 25, 55]]))
    (hit,) = judge(case, ["organ"], threshold=0.9999)
    assert not hit.found and hit.inside == 0.0 and hit.size == 0.0


@pytest.mark.parametrize("direction", ["LPS", "RAI", "PIR"])
def test_a_case_is_looked_at_in_any_orientation(direction: str, tmp_path: Path) -> None:
    array = np.full((12, 40, 60), 0.0, np.float32)
    mask = np.zeros(array.shape, np.uint8)
    mask[4:8, 8:16, 40:48] = 1
    array[:, :, 4:56] = -60.0
    array[mask > 0] = 240.0
    for name, values in (("image", array), ("label", mask)):
        picture = sitk.GetImageFromArray(values)
        picture.SetSpacing((1.6, 1.6, 4.0))
        sitk.WriteImage(sitk.DICOMOrient(picture, direction), str(tmp_path / f"{name}.nii.gz"))
    case = {"id": "a", "split": "test", "image": "image.nii.gz", "label": "label.nii.gz"}
    dataset = {"name": "toy", "modality": "CT", "labels": {"1": "organ"}}
    dataset["cases"] = [{**case, "present": ["organ"]}]
    (tmp_path / "dataset.json").write_text(json.dumps(dataset))
    clip: Any = SimpleNamespace(visual=Brightness(), dim=2, logit_scale=20.0, logit_bias=-18.0)
    localiser = Localiser(clip, LocaliserSpec(window=24, stride=8, views=(1,)))
    (found,) = Dataset.read(tmp_path).cases
    seen = look(localiser, BRIGHT, found, ["organ"], InputSpec(), slice_mm=4.0)
    assert seen.size_mm == pytest.approx((48.0, 64.0, 96.0)) and seen.slice_mm == 4.0
    (hit,) = judge(seen, ["organ"], margin_mm=0.0, slack_mm=0.0, smooth_mm=1.0)
    assert hit.inside == 1.0 and hit.centre and hit.size < 0.1
