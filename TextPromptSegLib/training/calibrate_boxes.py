"""Thresholds beside a box, chosen on the validation split only.

With a box the places outside are out of the question; what is left to lose are unsure places
inside, so a lower threshold is often better than the one for text alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checkpoints.layout import read_config
from ..metrics import overlap_counts
from .trials import asked_cases, better_than, write_config

if TYPE_CHECKING:
    from ..data.datasets import Case
    from ..inference.predictor import SlicePredictor

THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6)

BoxTrials = dict[str, dict[float, list[float]]]
"""name -> threshold -> Dice of each case, the mean over a tight box and a whole one."""


def try_box_thresholds(
    predictor: SlicePredictor, cases: Iterable[Case], names_of: Mapping[str, str]
) -> BoxTrials:
    """Ask what is in each case with the reference's boxes, once slice by slice, once as one box.

    Args:
        predictor: of a system that takes boxes.
        cases: validation cases.
        names_of: label name -> trained name.
    """
    from ..inference.outlined import box_around, segment_outlined

    trials: BoxTrials = defaultdict(lambda: defaultdict(list))
    for case, known, volume in asked_cases(predictor, cases, names_of):
        for name, label in known.items():
            if not case.is_present(label):
                continue
            truth = case.mask(label) > 0
            answers = [segment_outlined(predictor, name, truth)]
            answers += predictor.segment([name], box=box_around(truth, volume))
            shares = [np.asarray(a.probability, np.float32) for a in answers]
            for limit in THRESHOLDS:
                dice = [overlap_counts(share >= limit, truth).dice for share in shares]
                trials[name][limit].append(float(np.mean(dice)))
    return trials


def choose_box_thresholds(
    trials: BoxTrials, trained: Mapping[str, Mapping[str, Any]]
) -> dict[str, float]:
    """Return the names that want another threshold beside a box, and which.

    Args:
        trials: of `try_box_thresholds`.
        trained: the checkpoint's ``trained_prompts`` with their usual thresholds.
    """
    chosen: dict[str, float] = {}
    for name, settings in trials.items():
        usual = min(THRESHOLDS, key=lambda t: abs(t - float(trained[name].get("threshold", 0.5))))
        if (better := better_than(settings, usual)) is not None:
            chosen[name] = better
    return chosen


def calibrate_boxes(
    folder: Path, cases: Sequence[Case], names_of: Mapping[str, str]
) -> dict[str, float]:
    """Choose the ``box_threshold`` of each structure and write it into ``config.json``.

    Args:
        folder: the checkpoint, of a system that takes boxes; its weights stay.
        cases: validation cases.
        names_of: label name -> trained name.
    """
    from ..inference.predictor import SlicePredictor

    config = read_config(folder)
    trained = config["trained_prompts"]
    predictor = SlicePredictor.from_pretrained(str(folder), device="cpu")
    chosen = choose_box_thresholds(try_box_thresholds(predictor, cases, names_of), trained)
    for name, entry in trained.items():
        entry.pop("box_threshold", None)
        if name in chosen:
            entry["box_threshold"] = chosen[name]
    write_config(folder, config)
    return chosen
