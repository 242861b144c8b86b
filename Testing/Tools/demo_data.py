#!/usr/bin/env python3
"""Write the demo's chest CT as a data set that ``textpromptseg evaluate`` takes.

No other whole chest CT in HU with both lungs is left for testing. Give it beside the other data:
``textpromptseg evaluate --data DATA --data FOLDER …``. The scan was never trained on, but the rule
that completes lungs was looked at on it while it was written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from TextPromptSegLib.cli.demo import IMAGE, LABELS, PRESENT, read_label, sample_folder

FACTS = {
    "name": "ct_chest_demo",
    "title": "CTChest4, the demo's chest CT (package slicerio)",
    "modality": "CT",
    "body_region": "chest",
    "dimension": 3,
    "licence": "that of the package slicerio",
    "redistributable": False,
    "non_commercial": True,
    "label_quality": "automatic: the segmentation that the package carries",
    "intensity": "HU",
    "caution": "One scan in slices of 10 mm; looked at while the rule for lungs was written.",
    "labels": {str(value): name for value, name in enumerate(PRESENT, 1)},
    "groups": {"lungs": list(PRESENT)},
}


def write(folder: Path) -> Path:
    """Write image, label and dataset.json; return the folder of the data set."""
    made = folder / str(FACTS["name"])
    data = sample_folder()
    image = sitk.ReadImage(str(data / IMAGE))
    values = np.zeros(sitk.GetArrayFromImage(image).shape, np.uint8)
    for value, name in enumerate(PRESENT, 1):
        values[read_label(data / LABELS, name)] = value
    label = sitk.GetImageFromArray(values)
    label.CopyInformation(image)
    for kind, picture in (("images", image), ("labels", label)):
        (made / kind).mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(picture, str(made / kind / "ctchest4.nii.gz"), useCompression=True)
    case = {
        "id": "ctchest4",
        "patient": "ctchest4",
        "image": "images/ctchest4.nii.gz",
        "label": "labels/ctchest4.nii.gz",
        "present": list(PRESENT),
        "split": "test",
    }
    text = json.dumps({**FACTS, "cases": [case]}, indent=1)
    (made / "dataset.json").write_text(text, encoding="utf-8")
    return made


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: demo_data.py FOLDER")
    print(write(Path(sys.argv[1])))
