"""Settings of a finished checkpoint, chosen on the validation split only.

Three things are chosen per structure or for the whole checkpoint: the probability threshold,
whether only the largest part is kept, and the gate of the presence head. A setting departs from
its plain value only where that pays by more than noise.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..data.datasets import Case, Dataset
    from ..predictor import SlicePredictor

logger = logging.getLogger(__name__)

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
GATES = (0.5, 0.7, 0.85)
LEAST_CASES = 3
LEAST_GAIN = 0.004


@dataclass
class Trials:
    """What the validation cases say of each setting.

    Attributes:
        dice: name -> (threshold, largest part only) -> Dice of each case with the structure.
        alarms: answers "found" to structures that are not there.
        absent: number of such questions.
    """

    dice: dict[str, dict[tuple[float, bool], list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    alarms: int = 0
    absent: int = 0

    def mean_dice(self) -> float:
        """Return the mean over structures at the plain settings."""
        means = [float(np.mean(v[0.5, False])) for v in self.dice.values() if v[0.5, False]]
        return float(np.mean(means)) if means else 0.0


def choose(trials: Trials) -> dict[str, dict[str, Any]]:
    """Return the entries of ``trained_prompts`` that should change.

    Args:
        trials: Dice of every setting, the same cases in the same order in each.
    """
    changes: dict[str, dict[str, Any]] = {}
    for name, settings in trials.dice.items():
        plain = settings.get((0.5, False), [])
        if len(plain) < LEAST_CASES:
            continue
        best = max(settings, key=lambda key: (float(np.mean(settings[key])), key == (0.5, False)))
        gain = np.asarray(settings[best]) - np.asarray(plain)
        # more than noise: the gain stands out of its own standard error
        error = float(gain.std(ddof=1)) / len(gain) ** 0.5
        if gain.mean() > max(LEAST_GAIN, error):
            changes[name] = {"threshold": best[0]}
            if best[1]:
                changes[name]["postprocess"] = {"keep_components": 1}
    return changes


def choose_gate(results: Mapping[float, Trials], most_alarms: float = 0.04) -> float:
    """Return the presence gate: the best Dice among those with few enough false alarms.

    Args:
        results: gate -> trials.
        most_alarms: share of absent questions that may be answered "found"; below the 5 % that
            a user is promised, so that other images keep the promise.
    """

    def share(trials: Trials) -> float:
        return trials.alarms / trials.absent if trials.absent else 0.0

    quiet = {gate: t for gate, t in results.items() if share(t) <= most_alarms}
    if not quiet:
        return min(results, key=lambda gate: share(results[gate]))
    return max(quiet, key=lambda gate: quiet[gate].mean_dice())


def try_settings(
    predictor: SlicePredictor, cases: Iterable[Case], names_of: Mapping[str, str]
) -> Trials:
    """Ask every known structure of the validation cases at every setting.

    Args:
        predictor: with the gate to try.
        cases: validation cases.
        names_of: label name -> trained name.
    """
    from ..metrics import overlap_counts

    trials = Trials()
    for case in cases:
        known: dict[str, str] = {}
        for label in case.known_names():
            if names_of.get(label) in predictor.config["trained_prompts"]:
                known.setdefault(names_of[label], label)
        if not known:
            continue
        predictor.set_volume(case.volume())
        for name, answer in zip(known, predictor.segment(list(known)), strict=True):
            if answer.probability is None:
                continue
            if not case.is_present(known[name]):
                trials.absent += 1
                trials.alarms += answer.outcome.value == "found"
                continue
            truth = case.mask(known[name]) > 0
            probability = np.asarray(answer.probability, np.float32)
            for threshold in THRESHOLDS:
                mask = probability >= threshold
                one = _largest(mask)
                trials.dice[name][threshold, False].append(overlap_counts(mask, truth).dice)
                trials.dice[name][threshold, True].append(overlap_counts(one, truth).dice)
    return trials


def calibrate(folder: Path, datasets: Sequence[Dataset], most_cases: int = 25) -> dict[str, Any]:
    """Choose the settings of a checkpoint folder on its validation cases and write them.

    Args:
        folder: the checkpoint; its ``config.json`` is rewritten, the weights stay.
        datasets: data sets of the recipe.
        most_cases: validation cases per data set, evenly spread.

    Returns:
        What was chosen and measured, as it stands in the configuration.
    """
    import json

    from ..checkpoint import CONFIG, read_config, write_atomically
    from ..data.phrases import canonical_name
    from ..predictor import SlicePredictor
    from ..vocabulary import Vocabulary

    vocabulary = Vocabulary.load()
    config = read_config(folder)
    names_of: dict[str, str] = {}
    cases: list[Case] = []
    for dataset in datasets:
        for label in (*dataset.labels.values(), *dataset.groups):
            names_of[label] = canonical_name(label, vocabulary)
        found = dataset.split("val")
        index = np.linspace(0, len(found) - 1, min(len(found), most_cases)).astype(int)
        cases += [found[i] for i in index]
    if not cases:
        return {}
    results: dict[float, Trials] = {}
    for gate in GATES:
        config["presence_threshold"] = gate
        write_atomically(folder / CONFIG, (json.dumps(config, indent=1) + "\n").encode())
        predictor = SlicePredictor.from_pretrained(str(folder))
        results[gate] = try_settings(predictor, cases, names_of)
        logger.info(
            "gate %.2f: Dice %.3f, %d of %d absent structures found",
            gate,
            results[gate].mean_dice(),
            results[gate].alarms,
            results[gate].absent,
        )
    gate = choose_gate(results)
    chosen = results[gate]
    for name, change in choose(chosen).items():
        config["trained_prompts"][name].update(change)
    config["presence_threshold"] = gate
    summary = {
        "presence_threshold": gate,
        "validation_dice": round(chosen.mean_dice(), 4),
        "false_alarms": chosen.alarms,
        "absent_questions": chosen.absent,
    }
    config["metrics"] = {**config.get("metrics", {}), "calibration": summary}
    write_atomically(folder / CONFIG, (json.dumps(config, indent=1) + "\n").encode())
    return summary


def _largest(mask: np.ndarray) -> np.ndarray:
    """Return the largest connected part of a mask (K, J, I)."""
    from scipy import ndimage

    labels, count = ndimage.label(mask)
    if count < 2:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return labels == int(sizes.argmax())
