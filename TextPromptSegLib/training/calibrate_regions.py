"""Settings of a checkpoint that locates, chosen on the validation split only.

Whole volumes are asked by text alone. A volume that lacks the structure is made of each case
itself: the slices that lie well beyond the structure. Chosen for each structure are the
probability threshold, whether only the largest part is kept, the smallest volume that counts and
the presence gate, on what the decoder answers inside the region.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .calibrate import GATES, LEAST_CASES, Trials, choose, choose_gates

if TYPE_CHECKING:
    from ..data.datasets import Case, Dataset
    from ..predictor import SlicePredictor

logger = logging.getLogger(__name__)

AWAY_MM = 25.0
"""A part of a volume lacks a structure when it lies so far beyond its last slice."""
LEAST_SLICES = 8
SHARE_OF_SMALLEST = 0.25
"""A finding of less than this share of the smallest true one is none."""
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


@dataclass
class RegionTrials(Trials):
    """`Trials`, and what gates and volumes are chosen from.

    Attributes:
        scores: name -> (largest probability inside the region, is it there).
        volumes: name -> true volumes, mm3.
    """

    scores: dict[str, list[tuple[float, bool]]] = field(default_factory=lambda: defaultdict(list))
    volumes: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def absent_parts(mask: np.ndarray, slice_mm: float) -> Iterator[tuple[int, int]]:
    """Yield ranges of slices (first, one after the last) that lack a structure.

    Args:
        mask: (K, J, I), slices first.
        slice_mm: distance of the slices.
    """
    there = np.flatnonzero(mask.any((1, 2)))
    away = int(np.ceil(AWAY_MM / slice_mm))
    for low, high in ((0, there[0] - away), (there[-1] + 1 + away, len(mask))):
        if high - low >= LEAST_SLICES:
            yield int(low), int(high)


def try_regions(
    predictor: SlicePredictor, cases: Sequence[Case], names_of: dict[str, str]
) -> RegionTrials:
    """Ask every structure of the cases in the whole volume and where it is not.

    Args:
        predictor: without presence gates and rules.
        cases: validation cases.
        names_of: label name -> trained name.
    """
    from ..metrics import overlap_counts
    from .calibrate import _largest

    trials = RegionTrials()
    trained = predictor.config["trained_prompts"]
    for case in cases:
        known = {names_of[n]: n for n in reversed(case.known_names()) if names_of[n] in trained}
        present = {name: label for name, label in known.items() if case.is_present(label)}
        if not present:
            continue
        volume = case.volume()
        predictor.set_volume(volume)
        for name, answer in zip(present, predictor.segment(list(present)), strict=True):
            if answer.probability is None:
                continue
            truth = case.mask(present[name]) > 0
            probability = np.asarray(answer.probability, np.float32)
            trials.scores[name].append((float(probability.max()), True))
            trials.volumes[name].append(float(truth.sum()) * volume.voxel_ml * 1000.0)
            for threshold in THRESHOLDS:
                found = probability >= threshold
                for one, mask in ((False, found), (True, _largest(found))):
                    dice = overlap_counts(mask, truth).dice
                    trials.dice[name][threshold, one].append(dice)
            axis = int(answer.provenance["slice_axis"])
            slices_first = np.moveaxis(truth, axis, 0)
            distance = float(volume.spacing[2 - axis])
            for part in absent_parts(slices_first, distance):
                predictor.set_volume(volume, slices=part)
                again = predictor.segment([name])[0]
                trials.scores[name].append((again.max_probability, False))
                trials.absent += 1
                trials.alarms += again.outcome.value == "found"
            predictor.set_volume(volume)
    return trials


def calibrate_regions(
    folder: Path, datasets: Sequence[Dataset], most_cases: int = 6
) -> dict[str, Any]:
    """Choose the settings of a checkpoint folder on its validation volumes and write them.

    Args:
        folder: the checkpoint; its ``config.json`` is rewritten, the weights stay.
        datasets: data sets of the recipe.
        most_cases: volumes per data set, evenly spread.

    Returns:
        What was chosen and measured, as it stands in the configuration.
    """
    from ..checkpoint import read_config
    from ..data.phrases import canonical_name
    from ..predictor import SlicePredictor
    from ..vocabulary import Vocabulary
    from .calibrate import _spread, _write

    vocabulary = Vocabulary.load()
    config = read_config(folder)
    trained = config["trained_prompts"]
    for name, entry in trained.items():
        trained[name] = {"modalities": entry["modalities"], "threshold": 0.5}
    config["presence_threshold"] = GATES[0]
    _write(folder, config)
    names_of: dict[str, str] = {}
    cases: list[Case] = []
    for dataset in datasets:
        for label in (*dataset.labels.values(), *dataset.groups):
            names_of[label] = canonical_name(label, vocabulary)
        cases += dataset.split("val")
    predictor = SlicePredictor.from_pretrained(str(folder), device="cpu")
    trials = try_regions(predictor, _spread(cases, most_cases), names_of)
    for name, gate in choose_gates(trials.scores).items():
        trained[name]["presence_threshold"] = gate
    for name, change in choose(trials).items():
        trained[name].update(change)
    for name, volumes in trials.volumes.items():
        rule = trained[name].setdefault("postprocess", {})
        if len(volumes) >= LEAST_CASES:
            rule["min_mm3"] = round(SHARE_OF_SMALLEST * min(volumes), 1)
    summary = {
        "validation_dice": round(trials.mean_dice(), 4),
        "false_alarms": trials.alarms,
        "absent_questions": trials.absent,
    }
    config["metrics"] = {**config.get("metrics", {}), "calibration": summary}
    _write(folder, config)
    return summary
