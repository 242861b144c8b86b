"""Settings of a system that locates: from whole volumes and from the parts that lack the organ."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from toy_locator import ToyLocator
from toy_segmenter import toy_checkpoint

from TextPromptSegLib import SlicePredictor
from TextPromptSegLib.data.datasets import Dataset
from TextPromptSegLib.training.calibrate_regions import (
    THRESHOLDS,
    RegionTrials,
    Seen,
    absent_parts,
    calibrate_regions,
    choose_regions,
    measure,
    part_sizes,
)


@pytest.mark.parametrize(
    ("first", "last", "slice_mm", "expected"),
    [
        (20, 24, 5.0, [(0, 15), (29, 40)]),  # five slices are 25 mm
        (21, 24, 2.0, [(0, 8)]),  # 37..40 is too little to ask
        (14, 40, 2.0, []),
        (0, 0, 5.0, []),  # nothing drawn
    ],
)
def test_parts_without_the_structure_keep_their_distance(
    first: int, last: int, slice_mm: float, expected: list[tuple[int, int]]
) -> None:
    mask = np.zeros((40, 3, 3), np.uint8)
    mask[first:last] = 1
    assert list(absent_parts(mask, slice_mm)) == expected


def test_sizes_are_of_the_largest_part_at_each_threshold() -> None:
    probability = np.zeros((4, 8, 8), np.float16)
    probability[1, :2, :3] = 0.9
    probability[1, :2, 3:5] = 0.45  # joins the first at 0.3 and 0.4 only
    probability[3, 6:, 6:] = 0.95
    sizes = part_sizes(probability, voxel_mm3=2.0)
    assert sizes == {0.3: 20.0, 0.4: 20.0, **dict.fromkeys(THRESHOLDS[2:], 12.0)}
    assert set(part_sizes(probability * 0, 2.0).values()) == {0.0}


def trials(present: list[tuple[float, float]], absent: list[tuple[float, float]]) -> RegionTrials:
    """(score, volume of the largest part) of answers; the true volumes are 2000 mm3."""
    made = RegionTrials()
    for there, rows in ((True, present), (False, absent)):
        for score, volume in rows:
            made.seen["gland"].append(Seen(there, score, dict.fromkeys(THRESHOLDS, volume)))
    made.volumes["gland"] = [2000.0] * len(present)
    return made


GOOD = [(0.99, 1500.0)] * 6


@pytest.mark.parametrize(
    ("present", "absent", "expected"),
    [
        (GOOD, [(0.99, 0.0)] * 6, {}),  # quiet as it is
        (GOOD, [(0.65, 900.0)] * 6, {"presence_threshold": 0.7}),
        (GOOD, [(0.2, 900.0)] * 6, {"presence_threshold": 0.3}),
        ([(0.8, 1500.0)] * 6, [(0.65, 900.0)] * 6, {}),  # too near to what was found
        (GOOD, [(0.99, 70.0)] * 6, {"postprocess": {"min_mm3": 100.0}}),
        (GOOD, [(0.99, 300.0)] * 6, {}),  # more than a tenth of the organ is not thrown away
        ([(0.99, 60.0)] * 6, [(0.99, 70.0)] * 6, {}),  # nor is what was found of it
    ],
)
def test_gates_and_smallest_parts_silence_only_what_is_not_there(
    present: list[tuple[float, float]], absent: list[tuple[float, float]], expected: object
) -> None:
    made = trials(present, absent)
    for _ in present:
        made.add("gland", np.full((1, 2, 2), 0.9, np.float16), np.ones((1, 2, 2)), THRESHOLDS)
    changes = choose_regions(made)
    assert changes == ({"gland": expected} if expected else {})
    measured = measure(made, changes)
    assert measured["calibrated_dice"] == 1.0
    alarms = measured["calibrated_false_alarms"]
    assert alarms == (6 if not expected and absent[0][1] else 0)


def test_a_gate_heeds_what_was_found_not_what_was_drawn_elsewhere() -> None:
    made = trials([(0.9, 1500.0)] * 3 + [(0.25, 1500.0)], [(0.55, 900.0)] * 4)
    for dice in (0.9, 0.9, 0.9, 0.0):
        inside = np.full((1, 2, 2), 0.9 * (dice > 0), np.float16)
        made.add("gland", inside, np.ones((1, 2, 2)), THRESHOLDS)
    assert choose_regions(made)["gland"]["presence_threshold"] == 0.6


def test_one_weak_finding_of_many_does_not_open_the_gate() -> None:
    scores = [0.25, *np.linspace(0.7, 0.9, 29).tolist()]
    made = trials([(score, 1500.0) for score in scores], [(0.45, 900.0)] * 4)
    for _ in scores:
        made.add("gland", np.full((1, 2, 2), 0.9, np.float16), np.ones((1, 2, 2)), THRESHOLDS)
    assert choose_regions(made)["gland"] == {"presence_threshold": 0.5}


def test_a_structure_that_the_gate_silences_has_no_dice() -> None:
    made = trials([(0.9, 1500.0), (0.2, 1500.0)], [])
    for _ in range(2):
        made.add("gland", np.full((1, 2, 2), 0.9, np.float16), np.ones((1, 2, 2)), THRESHOLDS)
    measured = measure(made, {"gland": {"presence_threshold": 0.5}})
    assert (measured["validation_dice"], measured["calibrated_dice"]) == (1.0, 0.5)


def write_volumes(root: Path, cases: int) -> Dataset:
    """CT volumes with a liver, and the liver's grey value once more far beneath it."""
    items = []
    for number in range(cases):
        image = np.full((40, 48, 48), -1000, np.int16)
        image[:, 4:-4, 4:-4] = 20
        label = np.zeros(image.shape, np.uint8)
        label[4:12, 10 : 20 + number, 12:24] = 1
        image[label > 0] = 300
        image[30, 30:33, 30:33] = 300
        for name, array in (("image", image), ("label", label)):
            picture = sitk.GetImageFromArray(array)
            picture.SetSpacing((1.0, 1.0, 5.0))
            picture = sitk.DICOMOrient(picture, ("LPS", "RAI")[number % 2])
            sitk.WriteImage(picture, str(root / f"{name}{number}.nii.gz"))
        files = {key: f"{key}{number}.nii.gz" for key in ("image", "label")}
        items.append({"id": f"c{number}", "split": "val", "present": ["liver"], **files})
    values = {"name": "toy", "modality": "CT", "labels": {"1": "liver", "2": "spleen"}}
    (root / "dataset.json").write_text(json.dumps({**values, "cases": items}))
    return Dataset.read(root)


def test_a_checkpoint_is_calibrated_from_one_look_at_every_slice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = write_volumes(tmp_path, 4)
    model = ToyLocator()
    checkpoint = toy_checkpoint({"liver": 0.3, "spleen": 0.6}, model=model)
    entry = checkpoint.config["trained_prompts"]["liver"]
    entry.update({"presence_threshold": 0.95, "threshold": 0.8})  # of an earlier calibration
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(checkpoint.config))

    def load(name: str, device: str) -> SlicePredictor:
        written = json.loads((Path(name) / "config.json").read_text())
        assert written["trained_prompts"]["liver"]["threshold"] == 0.5
        assert "presence_threshold" not in written["trained_prompts"]["liver"]
        checkpoint.config.update(written)
        return SlicePredictor(checkpoint, device, "float32", batch=8)

    monkeypatch.setattr(SlicePredictor, "from_pretrained", load)
    summary = calibrate_regions(folder, [dataset])
    assert model.encoded_slices == 4 * 40
    # the liver's grey beneath it, in each of four volumes; the spleen is nowhere, and not "found"
    assert summary["absent_questions"] == 8 and summary["false_alarms"] == 4
    assert summary["calibrated_false_alarms"] == 0
    assert summary["calibrated_dice"] >= summary["validation_dice"] > 0.9
    config = json.loads((folder / "config.json").read_text())
    assert config["metrics"]["calibration"] == summary
    rule = config["trained_prompts"]["liver"]["postprocess"]
    assert rule["min_mm3"] == 50.0  # a speck of 45 mm3
    assert set(config["trained_prompts"]["spleen"]) == {"modalities", "threshold"}
