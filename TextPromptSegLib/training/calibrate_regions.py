"""Settings of a checkpoint that locates, chosen on the validation split only.

Whole volumes are asked by text alone. A volume that lacks the structure is made of each case
itself: the slices that lie well beyond the structure. Chosen for each structure are the
probability threshold, whether only the largest part is kept, the presence gate and the smallest
part that counts, all from the answers at 0.5: every slice is encoded once, nothing is asked twice.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checkpoints.layout import read_config
from ..image.boxes import bounding_box
from ..inference.postprocess import over_threshold
from .trials import (
    GATES,
    PLAIN,
    Trials,
    asked_cases,
    choose,
    largest_part,
    spread_cases,
    uncalibrated,
    validation_cases,
    write_calibration,
    write_config,
)

if TYPE_CHECKING:
    from ..data.datasets import Case, Dataset
    from ..image.volume import Volume
    from ..inference.predictor import SlicePredictor
    from ..prompting.segmentation import Segmentation

logger = logging.getLogger(__name__)

AWAY_MM = 25.0
"""A part of a volume lacks a structure when it lies so far beyond its last slice."""
LEAST_SLICES = 8
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
REGION_GATES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Gates to try of the weaker one of the region's evidence and the decoder's answer."""
SHARE_OF_WEAKEST = 0.75
"""A gate is at most this share of the weakest structure that was found (of the weakest twentieth,
where many were): whole volumes are few, and a gate just below them would silence the next one."""
HIT = 0.1
"""Dice from which a structure counts as found; elsewhere is no finding."""
SMALLEST_PARTS = (0.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1600.0)
"""Volumes to try as the smallest part that counts, mm3."""
SHARE_OF_SMALLEST = 0.1
"""The smallest part that counts is at most this share of the smallest true one: an image may show
a slice of the structure only."""


@dataclass(frozen=True)
class Seen:
    """What one answer at the plain settings was.

    Attributes:
        there: whether the structure is in the image.
        score: largest presence, the weaker one of the region's evidence and the decoder's answer.
        parts: threshold -> volume of the largest part, mm3.
    """

    there: bool
    score: float
    parts: Mapping[float, float]

    def found(self, threshold: float, gate: float, smallest: float) -> bool:
        """Return whether the answer is "found" at other settings."""
        volume = self.parts[threshold]
        return self.score >= gate and volume > 0 and volume >= smallest


@dataclass
class RegionTrials(Trials):
    """`Trials`, and what gates and smallest parts are chosen from.

    Attributes:
        seen: name -> every answer.
        volumes: name -> true volumes, mm3.
    """

    seen: dict[str, list[Seen]] = field(default_factory=lambda: defaultdict(list))
    volumes: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def note(self, name: str, answer: Segmentation, score: float, there: bool) -> None:
        """Note an answer that was given without gates and rules, and its presence."""
        assert answer.probability is not None
        voxel = float(answer.provenance["voxel_ml"]) * 1000.0
        self.seen[name].append(Seen(there, score, part_sizes(answer.probability, voxel)))
        if not there:
            self.absent += 1
            self.alarms += answer.outcome.value == "found"


def part_sizes(probability: np.ndarray, voxel_mm3: float) -> dict[float, float]:
    """Return threshold -> volume of the largest connected part of (K, J, I) float16, mm3."""
    box = bounding_box(over_threshold(probability, THRESHOLDS[0]))
    if box is None:
        return dict.fromkeys(THRESHOLDS, 0.0)
    inside = np.ascontiguousarray(probability[box])
    return {
        t: float(np.count_nonzero(largest_part(over_threshold(inside, t)))) * voxel_mm3
        for t in THRESHOLDS
    }


def absent_parts(mask: np.ndarray, slice_mm: float) -> Iterator[tuple[int, int]]:
    """Yield ranges of slices (first, one after the last) that lack a structure.

    Args:
        mask: (K, J, I), slices first.
        slice_mm: distance of the slices.
    """
    there = np.flatnonzero(mask.any((1, 2)))
    if not len(there):
        return
    away = int(np.ceil(AWAY_MM / slice_mm))
    for low, high in ((0, there[0] - away), (there[-1] + 1 + away, len(mask))):
        if high - low >= LEAST_SLICES:
            yield int(low), int(high)


def try_regions(
    predictor: SlicePredictor, cases: Sequence[Case], names_of: Mapping[str, str]
) -> RegionTrials:
    """Ask every structure of the cases in the whole volume and where it is not.

    Args:
        predictor: without presence gates and rules.
        cases: validation cases.
        names_of: label name -> trained name.
    """
    trials = RegionTrials()
    for case, known, volume in asked_cases(predictor, cases, names_of):
        beyond: list[tuple[tuple[int, int], str]] = []
        answers, presence = predictor.segment(list(known)), dict(predictor.presence)
        for name, answer in zip(known, answers, strict=True):
            if answer.probability is None:
                continue
            truth = case.mask(known[name])
            there = bool(truth.any())
            trials.note(name, answer, presence[name], there)
            if there:
                trials.volumes[name].append(float(truth.sum()) * volume.voxel_ml * 1000.0)
                trials.add(name, answer.probability, truth, THRESHOLDS)
            beyond += [(part, name) for part in _parts(truth, volume, answer)]
        for part, name in beyond:
            predictor.set_volume(volume, slices=part)  # its slices were encoded above
            answer = predictor.segment([name])[0]
            trials.note(name, answer, predictor.presence[name], False)
        logger.info("%s %s: %d structures", case.dataset.name, case.id, len(known))
    return trials


def _parts(truth: np.ndarray, volume: Volume, answer: Segmentation) -> Iterator[tuple[int, int]]:
    """Yield the slices, counted as in the file, that lack what the mask (K, J, I) shows."""
    axis = int(answer.provenance["slice_axis"])
    yield from absent_parts(np.moveaxis(truth, axis, 0), float(volume.spacing[2 - axis]))


def choose_regions(trials: RegionTrials) -> dict[str, dict[str, Any]]:
    """Return the entries of ``trained_prompts`` that should change.

    Threshold and largest part as in `trials.choose`; then the presence gate and the smallest part
    that counts, where they silence false alarms and no structure.
    """
    changes: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, change in choose(trials).items():
        changes[name].update(change)
    for name, seen in trials.seen.items():
        entry = changes.get(name, {})
        if gate := _gate(seen, _dice(trials, name, entry)):
            changes[name]["presence_threshold"] = gate
    for name, seen in trials.seen.items():
        entry = changes.get(name, {})
        threshold = float(entry.get("threshold", PLAIN[0]))
        gate = float(entry.get("presence_threshold", 0.0))
        smallest = _smallest(seen, threshold, gate, trials.volumes[name])
        if smallest:
            rule = dict(changes[name].get("postprocess", {}))
            changes[name]["postprocess"] = {**rule, "min_mm3": smallest}
    return dict(changes)


def _dice(trials: RegionTrials, name: str, entry: Mapping[str, Any]) -> list[float]:
    """Return the Dice of a name's cases at the threshold and largest part of an entry."""
    one = bool(entry.get("postprocess", {}).get("keep_components"))
    return trials.dice[name].get((float(entry.get("threshold", PLAIN[0])), one), [])


def _gate(seen: Sequence[Seen], dice: Sequence[float]) -> float:
    """Return the lowest gate with the fewest false alarms that spares the hits; 0 for none."""
    there = [s.score for s in seen if s.there]
    hits = [score for score, found in zip(there, dice, strict=True) if found >= HIT]
    if not hits:
        return 0.0
    weakest = float(np.quantile(hits, 0.05))
    absent = [s.score for s in seen if not s.there and s.parts[PLAIN[0]] > 0]
    best, fewest = 0.0, len(absent)
    for gate in REGION_GATES:
        alarms = sum(score >= gate for score in absent)
        if gate <= SHARE_OF_WEAKEST * weakest and alarms < fewest:
            best, fewest = gate, alarms
    return best


def _smallest(
    seen: Sequence[Seen], threshold: float, gate: float, volumes: Sequence[float]
) -> float:
    """Return the smallest part that counts, mm3; 0 where that silences nothing."""
    if not volumes:
        return 0.0
    limit = SHARE_OF_SMALLEST * min(volumes)

    def alarms_and_misses(size: float) -> tuple[int, int]:
        found = [(s.there, s.found(threshold, gate, size)) for s in seen]
        alarms = sum(f for there, f in found if not there)
        return alarms, sum(not f for there, f in found if there)

    best, (fewest, misses) = 0.0, alarms_and_misses(0.0)
    for size in SMALLEST_PARTS[1:]:
        alarms, missed = alarms_and_misses(size)
        if size <= limit and missed <= misses and alarms < fewest:
            best, fewest = size, alarms
    return best


def measure(trials: RegionTrials, changes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return mean Dice and false alarms at the chosen settings, beside those of the plain ones.

    The Dice is that of threshold, largest part and gate (what is gated has none); the smallest
    part that counts changes nothing about it but specks.
    """
    means, alarms = [], 0
    for name, seen in trials.seen.items():
        entry = changes.get(name, {})
        rule = entry.get("postprocess", {})
        threshold = float(entry.get("threshold", PLAIN[0]))
        gate, smallest = float(entry.get("presence_threshold", 0.0)), float(rule.get("min_mm3", 0))
        if dice := _dice(trials, name, entry):
            passed = [s.score >= gate for s in seen if s.there]
            means.append(float(np.mean(np.multiply(dice, passed))))
        alarms += sum(s.found(threshold, gate, smallest) for s in seen if not s.there)
    return {
        **trials.summary(),
        "calibrated_dice": round(float(np.mean(means)), 4) if means else 0.0,
        "calibrated_false_alarms": alarms,
    }


def calibrate_regions(
    folder: Path, datasets: Sequence[Dataset], most_cases: int = 25
) -> dict[str, Any]:
    """Choose the settings of a checkpoint folder on its validation volumes and write them.

    Args:
        folder: the checkpoint; its ``config.json`` is rewritten, the weights stay.
        datasets: data sets of the recipe.
        most_cases: cases per data set, evenly spread.

    Returns:
        What was chosen and measured, as it stands in the configuration.
    """
    from ..inference.predictor import SlicePredictor

    cases, names_of = validation_cases(datasets)
    if not cases:
        return {}
    config = read_config(folder)
    trained = config["trained_prompts"]
    trained.update({name: uncalibrated(entry) for name, entry in trained.items()})
    config["presence_threshold"] = GATES[0]
    write_config(folder, config)
    predictor = SlicePredictor.from_pretrained(str(folder), device="cpu")
    trials = try_regions(predictor, spread_cases(cases, most_cases), names_of)
    changes = choose_regions(trials)
    summary = measure(trials, changes)
    write_calibration(folder, config, changes, summary)
    return summary
