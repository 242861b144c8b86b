"""`textpromptseg demo`: a real chest CT that is nobody's training data."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..inference import loading
from ..jobs import job
from ..jobs.job import RunOptions
from ..jobs.outputs import Outputs, write_results
from ..jobs.report import build_report
from ..outcome import DependencyError, InputError, Outcome, OutputError
from .console import run_with_bar, say, show_results
from .exits import EXIT_DONE, EXIT_NOT_FOUND
from .segment import show_request

PRESENT = ("right lung", "left lung")
ABSENT = ("urinary bladder",)
IMAGE, LABELS = "CTChest4.nrrd", "Segmentation.seg.nrrd"


def run_demo(folder: Path, *, model: str, device: str) -> int:
    """Segment the CT, write the three files, print outcome, volume, Dice and seconds.

    The exit code is 0 when both lungs are found and the bladder, which is not in the picture, is
    not; else 3.

    Raises:
        DependencyError: when the package slicerio, which carries the image, is not installed.
        TextPromptSegError: with one sentence that says what to do.
    """
    data = sample_folder()
    outputs = Outputs(
        segmentation=folder / "CTChest4.seg.nrrd",
        report=folder / "report.json",
        overlay=folder / "overlay.png",
    )
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; choose another folder with --out.")
    outputs.check()
    prompts = job.known_prompts([*PRESENT, *ABSENT])
    say(f"{IMAGE}, a chest CT of the package slicerio that no checkpoint was trained on")
    show_request(prompts, model)

    def work(progress: Any) -> tuple[Any, ...]:
        progress(0, 0, "reading the image")
        volume = job.read_image(data / IMAGE, outputs)
        progress(0, 0, f"loading {model}")
        predictor = loading.load_predictor(model, device)
        answers = job.answer(predictor, volume, prompts, RunOptions(), progress)
        report = build_report(predictor, Path(IMAGE), volume, answers, {})
        dice = {
            s.prompt.name: dice_score(s.mask, read_label(data / LABELS, s.prompt.name))
            for s in answers
            if s.prompt.name in PRESENT
        }
        for entry in report["prompts"]:
            entry["dice"] = dice.get(entry["name"])
        files = write_results(outputs, volume, answers, report, progress).files
        return volume, answers, dice, files

    volume, answers, dice, files = run_with_bar("starting", work)
    column = [f"{dice[s.prompt.name]:.3f}" if s.prompt.name in dice else "–" for s in answers]
    show_results(answers, volume, {"Dice": column})
    for path in files:
        say(f"wrote {path}")
    right = all((s.outcome is Outcome.FOUND) == (s.prompt.name in PRESENT) for s in answers)
    return EXIT_DONE if right else EXIT_NOT_FOUND


def sample_folder() -> Path:
    """Return the folder with the sample CT, without importing the package that carries it.

    Raises:
        DependencyError: when the package is not installed.
    """
    spec = find_spec("slicerio")
    for place in (spec.submodule_search_locations if spec else None) or ():
        folder = Path(place) / "data"
        if (folder / IMAGE).is_file() and (folder / LABELS).is_file():
            return folder
    raise DependencyError(
        "The demo needs the package slicerio, which carries the image; run pip install slicerio."
    )


def read_label(path: Path, name: str) -> np.ndarray:
    """Return the mask (K, J, I) bool of one segment of a .seg.nrrd file.

    Raises:
        InputError: when there is no such segment.
    """
    import SimpleITK as sitk

    image = sitk.ReadImage(str(path))
    values = sitk.GetArrayFromImage(image)
    for key in image.GetMetaDataKeys():
        if key.endswith("_Name") and image.GetMetaData(key) == name:
            segment = key.removesuffix("_Name")
            layer = int(image.GetMetaData(f"{segment}_Layer"))
            label = int(image.GetMetaData(f"{segment}_LabelValue"))
            return np.asarray((values if values.ndim == 3 else values[..., layer]) == label)
    raise InputError(f"{path.name} has no segment {name!r}.")


def dice_score(mask: np.ndarray, reference: np.ndarray) -> float:
    """Return the Dice overlap of two masks of one shape; 1 when both are empty."""
    first, second = np.asarray(mask) > 0, np.asarray(reference) > 0
    total = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / total if total else 1.0
