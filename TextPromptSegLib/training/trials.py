"""What validation cases say of a checkpoint's settings, and which settings follow from it.

Shared by `calibrate` (systems that look at every slice) and `calibrate_regions` (systems that
locate). A setting departs from its plain value only where that pays by more than noise.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..checkpoints.layout import CONFIG, write_atomically
from ..data.phrases import canonical_name
from ..image.boxes import bounding_box
from ..inference.postprocess import PostprocessRule, over_threshold, select_components
from ..metrics import Overlap
from ..prompting.vocabulary import Vocabulary

if TYPE_CHECKING:
    from ..data.datasets import Case, Dataset
    from ..image.volume import Volume
    from ..inference.predictor import SlicePredictor

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
PLAIN = (0.5, False)
GATES = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
LEAST_CASES = 3
PRICES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
"""A false alarm may cost at most two missed structures: a checkpoint that cannot tell lookalikes
apart would otherwise buy its silence by answering nothing at all."""
LEAST_GAIN = 0.004
Setting = tuple[float, bool]
"""Probability threshold, and whether only the largest part is kept."""
Key = TypeVar("Key")


@dataclass
class Trials:
    """What the validation cases say of each setting.

    Attributes:
        dice: name -> (threshold, largest part only) -> Dice of each case with the structure.
        alarms: answers "found" to structures that are not there.
        absent: number of such questions.
    """

    dice: dict[str, dict[Setting, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    alarms: int = 0
    absent: int = 0

    def mean_dice(self) -> float:
        """Return the mean over structures at the plain settings."""
        means = [float(np.mean(v[PLAIN])) for v in self.dice.values() if v[PLAIN]]
        return float(np.mean(means)) if means else 0.0

    def add(
        self,
        name: str,
        probability: np.ndarray,
        truth: np.ndarray,
        thresholds: Sequence[float] = THRESHOLDS,
    ) -> None:
        """Note the Dice of every setting for one case with the structure.

        Args:
            name: trained name.
            probability: (K, J, I) float16.
            truth: (K, J, I), everything but 0 is inside.
            thresholds: to try.
        """
        for setting, dice in dice_of_settings(probability, truth, thresholds).items():
            self.dice[name][setting].append(dice)

    def summary(self) -> dict[str, Any]:
        """Return what a checkpoint's ``metrics`` say of its calibration."""
        return {
            "validation_dice": round(self.mean_dice(), 4),
            "false_alarms": self.alarms,
            "absent_questions": self.absent,
        }


def dice_of_settings(
    probability: np.ndarray, truth: np.ndarray, thresholds: Sequence[float] = THRESHOLDS
) -> dict[Setting, float]:
    """Return the Dice of every setting; only the box of what any threshold finds is looked at.

    Args:
        probability: (K, J, I) float16.
        truth: (K, J, I), everything but 0 is inside.
        thresholds: to try.
    """
    drawn = int(np.count_nonzero(truth))
    box = bounding_box(over_threshold(probability, min(thresholds)))
    result: dict[Setting, float] = {}
    for threshold in thresholds:
        for one in (False, True):
            found = tp = 0
            if box is not None:
                mask = over_threshold(np.ascontiguousarray(probability[box]), threshold)
                mask = largest_part(mask) if one else mask
                found = int(np.count_nonzero(mask))
                tp = int(np.count_nonzero((mask != 0) & (truth[box] != 0)))
            result[threshold, one] = Overlap(tp, found - tp, drawn - tp).dice
    return result


def largest_part(mask: np.ndarray) -> np.ndarray:
    """Return the largest connected part of a mask (K, J, I) uint8, as `postprocess` keeps it."""
    return select_components(mask, PostprocessRule(keep_components=1), 1.0)


def choose(trials: Trials) -> dict[str, dict[str, Any]]:
    """Return the entries of ``trained_prompts`` that should change.

    Only what is one piece by anatomy may be cut to its largest part: on a few validation cases
    that may pay for an infection too, and then deletes the other lung's.

    Args:
        trials: Dice of every setting, the same cases in the same order in each.
    """
    vocabulary = Vocabulary.load()
    changes: dict[str, dict[str, Any]] = {}
    for name, tried in trials.dice.items():
        one_piece = vocabulary.is_one_piece(name)
        settings = {key: dice for key, dice in tried.items() if one_piece or not key[1]}
        if (better := better_than(settings, PLAIN)) is not None:
            changes[name] = {"threshold": better[0]}
            if better[1]:
                changes[name]["postprocess"] = {"keep_components": 1}
    return changes


def better_than(settings: Mapping[Key, Sequence[float]], usual: Key) -> Key | None:
    """Return the best setting where it beats the usual one by more than noise, else None.

    Args:
        settings: setting -> Dice of each case, the same cases in the same order in each.
        usual: stays where fewer than `LEAST_CASES` cases were asked.
    """
    plain = settings.get(usual, ())
    if len(plain) < LEAST_CASES:
        return None
    best = max(settings, key=lambda key: (float(np.mean(settings[key])), key == usual))
    gain = np.asarray(settings[best]) - np.asarray(plain)
    # more than noise: the gain stands out of its own standard error
    error = float(gain.std(ddof=1)) / len(gain) ** 0.5
    return best if gain.mean() > max(LEAST_GAIN, error) else None


def choose_gates(
    scores: Mapping[str, Sequence[tuple[float, bool]]],
    most_alarms: float = 0.04,
    gates: Sequence[float] = GATES,
) -> dict[str, float]:
    """Return the presence gate of each structure that has `LEAST_CASES` absent cases.

    The price of a false alarm, in missed structures, rises until few enough alarms are left over
    all structures; each structure then takes the gate that is cheapest at that price.

    Args:
        scores: name -> (largest presence of the case's slices, is it there) of each case.
        most_alarms: share of absent questions that may pass, if the highest of `PRICES` buys it;
            below the 5 % that a user is promised, so that other images keep the promise.
        gates: to choose from.
    """
    asked = {n: v for n, v in scores.items() if sum(not t for _, t in v) >= LEAST_CASES}
    absent = sum(not there for v in asked.values() for _, there in v)
    chosen: dict[str, float] = {}
    for price in PRICES:
        alarms = 0
        for name, values in asked.items():
            best = [(_worth(values, gate, price), -gate) for gate in gates]
            chosen[name] = -max(best)[1]
            alarms += sum(not t for score, t in values if score >= chosen[name])
        if alarms <= most_alarms * absent:
            break
    return chosen


def _worth(values: Sequence[tuple[float, bool]], gate: float, price: float) -> float:
    """Return the structures found at a gate, less the price of its false alarms."""
    found = sum(there for score, there in values if score >= gate)
    wrong = sum(not there for score, there in values if score >= gate)
    return found - price * wrong


# ---- the cases ----


def validation_cases(datasets: Sequence[Dataset]) -> tuple[list[Case], dict[str, str]]:
    """Return the validation cases of data sets, and label or group name -> name in a checkpoint."""
    vocabulary = Vocabulary.load()
    names_of = {
        label: canonical_name(label, vocabulary)
        for dataset in datasets
        for label in (*dataset.labels.values(), *dataset.groups)
    }
    return [case for dataset in datasets for case in dataset.split("val")], names_of


def asked_of(case: Case, names_of: Mapping[str, str], trained: Mapping[str, Any]) -> dict[str, str]:
    """Return trained name -> label for what is known of a case; a label goes before its group."""
    known: dict[str, str] = {}
    for label in case.known_names():
        if names_of.get(label) in trained:
            known.setdefault(names_of[label], label)
    return known


def asked_cases(
    predictor: SlicePredictor, cases: Iterable[Case], names_of: Mapping[str, str]
) -> Iterator[tuple[Case, dict[str, str], Volume]]:
    """Show the predictor each case of which something is known, see `asked_of`.

    Yields:
        The case, trained name -> label of what is known of it, and its volume.
    """
    for case in cases:
        known = asked_of(case, names_of, predictor.config["trained_prompts"])
        if known:
            volume = case.volume()
            predictor.set_volume(volume)
            yield case, known, volume


def spread_cases(cases: Sequence[Case], most: int) -> list[Case]:
    """Return at most ``most`` evenly spaced cases of each data set."""
    by_set: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_set[case.dataset.name].append(case)
    result: list[Case] = []
    for found in by_set.values():
        index = np.linspace(0, len(found) - 1, min(len(found), most)).astype(int)
        result += [found[i] for i in index]
    return result


CHOSEN = ("presence_threshold", "min_mm3", "evidence")
CHOSEN_RULES = ("keep_components", "min_mm3")


def uncalibrated(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry of ``trained_prompts`` without what an earlier calibration chose."""
    kept = {key: value for key, value in entry.items() if key not in (*CHOSEN, "postprocess")}
    rules = entry.get("postprocess", {})
    rules = {key: value for key, value in rules.items() if key not in CHOSEN_RULES}
    return {**kept, "threshold": PLAIN[0], **({"postprocess": rules} if rules else {})}


def write_calibration(
    folder: Path,
    config: dict[str, Any],
    changes: Mapping[str, Mapping[str, Any]],
    summary: Mapping[str, Any],
) -> None:
    """Write a configuration with what was chosen for each trained name and what was measured."""
    for name, change in changes.items():
        entry = config["trained_prompts"][name]
        rules = {**entry.get("postprocess", {}), **change.get("postprocess", {})}
        entry.update({**change, **({"postprocess": rules} if rules else {})})
    config["metrics"] = {**config.get("metrics", {}), "calibration": summary}
    write_config(folder, config)


def write_config(folder: Path, config: Mapping[str, Any]) -> None:
    """Write a checkpoint's configuration."""
    write_atomically(folder / CONFIG, (json.dumps(config, indent=1) + "\n").encode())
