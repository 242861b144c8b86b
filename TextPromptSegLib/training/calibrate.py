"""Settings of a finished checkpoint, chosen on the validation split only.

Three things are chosen per structure or for the whole checkpoint: the probability threshold,
whether only the largest part is kept, and the gate of the presence head; for a system that takes
boxes also the threshold beside a box (`calibrate_boxes`). A setting departs from its plain value
only where that pays by more than noise.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checkpoints.layout import read_config
from ..image.intensity import InputSpec
from ..inference.device import autocast_dtype
from .calibrate_boxes import calibrate_boxes
from .trials import (
    GATES,
    Trials,
    asked_cases,
    asked_of,
    choose,
    choose_gates,
    spread_cases,
    uncalibrated,
    validation_cases,
    write_calibration,
    write_config,
)

if TYPE_CHECKING:
    from ..data.datasets import Case, Dataset
    from ..inference.loaded_checkpoint import LoadedCheckpoint
    from ..inference.predictor import SlicePredictor

logger = logging.getLogger(__name__)

LEAST_PATIENTS = 3
STRICT_GATE = 0.97
"""Gate of names that fewer than `LEAST_PATIENTS` patients taught: what was seen so rarely must be
very certain in a new image."""


def support(
    datasets: Iterable[Dataset], names_of: Mapping[str, str]
) -> dict[str, set[tuple[str, str]]]:
    """Return the (data set, patient) pairs whose training cases hold each trained name."""
    result: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for dataset in datasets:
        for case in dataset.split("train"):
            for label in case.known_names():
                if case.is_present(label):
                    result[names_of[label]].add((dataset.name, str(case.patient or case.id)))
    return result


def presence_scores(
    checkpoint: LoadedCheckpoint, cases: Iterable[Case], names_of: Mapping[str, str]
) -> dict[str, list[tuple[float, bool]]]:
    """Return the largest presence of each known structure over the slices of each case."""
    import torch

    from ..data.slices import NameRules, case_slices

    model, trained = checkpoint.model, checkpoint.config["trained_prompts"]
    spec = InputSpec.from_dict(checkpoint.config["input"])
    dtype = autocast_dtype(torch.device("cpu"), "auto")
    scores: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for case in cases:
        known = asked_of(case, names_of, trained)
        if not known:
            continue
        text = checkpoint.text_encoder.encode(list(known))
        best = np.zeros(len(known))
        slices = case_slices(case, spec, NameRules(), channels=[0])
        for start in range(0, len(slices), 8):
            images = np.stack([s.channels() for s in slices[start : start + 8]])
            with (
                torch.inference_mode(),
                torch.autocast("cpu", dtype=dtype, enabled=dtype is not None),
            ):
                features = model.encode_image(torch.from_numpy(images).float() / 255)
                for row in range(len(known)):
                    asked = text.index(torch.full((len(images),), row))
                    seen = torch.sigmoid(model.presence(features, asked).float()).max()
                    best[row] = max(best[row], float(seen))
        for (name, label), score in zip(known.items(), best.tolist(), strict=True):
            scores[name].append((score, case.is_present(label)))
    return scores


def try_settings(
    predictor: SlicePredictor, cases: Iterable[Case], names_of: Mapping[str, str]
) -> Trials:
    """Ask every known structure of the validation cases at every setting.

    Args:
        predictor: with the gate to try.
        cases: validation cases.
        names_of: label name -> trained name.
    """
    trials = Trials()
    for case, known, _ in asked_cases(predictor, cases, names_of):
        for name, answer in zip(known, predictor.segment(list(known)), strict=True):
            if answer.probability is None:
                continue
            if not case.is_present(known[name]):
                trials.absent += 1
                trials.alarms += answer.outcome.value == "found"
                continue
            trials.add(name, answer.probability, case.mask(known[name]))
    return trials


def calibrate(folder: Path, datasets: Sequence[Dataset], most_cases: int = 25) -> dict[str, Any]:
    """Choose the settings of a checkpoint folder on its validation cases and write them.

    Args:
        folder: the checkpoint; its ``config.json`` is rewritten, the weights stay.
        datasets: data sets of the recipe.
        most_cases: validation cases per data set for the thresholds, evenly spread; the presence
            gates are chosen on all.

    Returns:
        What was chosen and measured, as it stands in the configuration.
    """
    from ..inference.loaded_checkpoint import load
    from ..inference.predictor import SlicePredictor

    config = read_config(folder)
    cases, names_of = validation_cases(datasets)
    if not cases:
        return {}
    scores = presence_scores(load(folder, "cpu"), cases, names_of)
    trained = config["trained_prompts"]
    trained.update({name: uncalibrated(entry) for name, entry in trained.items()})
    config["presence_threshold"] = GATES[0]
    for name, gate in choose_gates(scores).items():
        trained[name]["presence_threshold"] = gate
    for name, patients in support(datasets, names_of).items():
        if name in trained and len(patients) < LEAST_PATIENTS:
            trained[name]["presence_threshold"] = STRICT_GATE
    write_config(folder, config)
    predictor = SlicePredictor.from_pretrained(str(folder), device="cpu")
    trials = try_settings(predictor, spread_cases(cases, most_cases), names_of)
    summary = trials.summary()
    write_calibration(folder, config, choose(trials), summary)
    if "box" in config.get("takes", ()):
        calibrate_boxes(folder, spread_cases(cases, most_cases), names_of)
    return summary
