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
    from ..checkpoint import LoadedCheckpoint
    from ..data.datasets import Case, Dataset
    from ..predictor import SlicePredictor

logger = logging.getLogger(__name__)

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
GATES = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
LEAST_CASES = 3
PRICES = (0.0, 0.5, 1.0, 1.5, 2.0)
"""A false alarm may cost at most two missed structures: a checkpoint that cannot tell lookalikes
apart would otherwise buy its silence by answering nothing at all."""
LEAST_PATIENTS = 3
STRICT_GATE = 0.97
"""Gate of names that fewer than `LEAST_PATIENTS` patients taught: what was seen so rarely must be
very certain in a new image."""
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


def choose_gates(
    scores: Mapping[str, Sequence[tuple[float, bool]]], most_alarms: float = 0.04
) -> dict[str, float]:
    """Return the presence gate of each structure that has absent cases.

    The price of a false alarm, in missed structures, rises until few enough alarms are left over
    all structures; each structure then takes the gate that is cheapest at that price.

    Args:
        scores: name -> (largest presence of the case's slices, is it there) of each case.
        most_alarms: share of absent questions that may pass, if the highest of `PRICES` buys it;
            below the 5 % that a user is promised, so that other images keep the promise.
    """
    asked = {n: v for n, v in scores.items() if any(not there for _, there in v)}
    absent = sum(not there for v in asked.values() for _, there in v)
    chosen: dict[str, float] = {}
    for price in PRICES:
        alarms = 0
        for name, values in asked.items():
            best = [(_worth(values, gate, price), -gate) for gate in GATES]
            chosen[name] = -max(best)[1]
            alarms += sum(not t for score, t in values if score >= chosen[name])
        if alarms <= most_alarms * absent:
            break
    return chosen


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


def _worth(values: Sequence[tuple[float, bool]], gate: float, price: float) -> float:
    """Return the structures found at a gate, less the price of its false alarms."""
    found = sum(there for score, there in values if score >= gate)
    wrong = sum(not there for score, there in values if score >= gate)
    return found - price * wrong


def presence_scores(
    checkpoint: LoadedCheckpoint, cases: Iterable[Case], names_of: Mapping[str, str]
) -> dict[str, list[tuple[float, bool]]]:
    """Return the largest presence of each known structure over the slices of each case."""
    import torch

    from ..data.slices import NameRules, case_slices
    from ..device import autocast_dtype
    from ..intensity import InputSpec

    model, trained = checkpoint.model, checkpoint.config["trained_prompts"]
    spec = InputSpec.from_dict(checkpoint.config["input"])
    dtype = autocast_dtype(torch.device("cpu"), "auto")
    scores: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for case in cases:
        known = {names_of[n]: n for n in reversed(case.known_names()) if names_of[n] in trained}
        if not known:
            continue
        text = checkpoint.text_encoder.encode(list(known))
        best = np.zeros(len(known))
        slices = case_slices(case, spec, NameRules(), channels=[0])
        for start in range(0, len(slices), 8):
            images = np.stack([s.image for s in slices[start : start + 8]])
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
        most_cases: validation cases per data set for the thresholds, evenly spread; the presence
            gates are chosen on all.

    Returns:
        What was chosen and measured, as it stands in the configuration.
    """
    from ..checkpoint import load, read_config
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
        cases += dataset.split("val")
    if not cases:
        return {}
    scores = presence_scores(load(folder, "cpu"), cases, names_of)
    trained = config["trained_prompts"]
    config["presence_threshold"] = GATES[0]
    for name, gate in choose_gates(scores).items():
        trained[name]["presence_threshold"] = gate
    for name, patients in support(datasets, names_of).items():
        if name in trained and len(patients) < LEAST_PATIENTS:
            trained[name]["presence_threshold"] = STRICT_GATE
    _write(folder, config)
    predictor = SlicePredictor.from_pretrained(str(folder), device="cpu")
    trials = try_settings(predictor, _spread(cases, most_cases), names_of)
    for name, change in choose(trials).items():
        trained[name].update(change)
    summary = {
        "validation_dice": round(trials.mean_dice(), 4),
        "false_alarms": trials.alarms,
        "absent_questions": trials.absent,
    }
    config["metrics"] = {**config.get("metrics", {}), "calibration": summary}
    _write(folder, config)
    return summary


def _write(folder: Path, config: Mapping[str, Any]) -> None:
    """Write a checkpoint's configuration."""
    import json

    from ..checkpoint import CONFIG, write_atomically

    write_atomically(folder / CONFIG, (json.dumps(config, indent=1) + "\n").encode())


def _spread(cases: Sequence[Case], most: int) -> list[Case]:
    """Return at most ``most`` evenly spaced cases of each data set."""
    by_set: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_set[case.dataset.name].append(case)
    result: list[Case] = []
    for found in by_set.values():
        index = np.linspace(0, len(found) - 1, min(len(found), most)).astype(int)
        result += [found[i] for i in index]
    return result


def _largest(mask: np.ndarray) -> np.ndarray:
    """Return the largest connected part of a mask (K, J, I)."""
    from scipy import ndimage

    labels, count = ndimage.label(mask)
    if count < 2:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return labels == int(sizes.argmax())
