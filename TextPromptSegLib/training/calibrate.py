"""Settings of a finished checkpoint, chosen on the validation split only.

Chosen are, per structure, the probability threshold, whether only the largest part is kept, the
gate of the presence head and the rule of evidence that may stand in for it (`calibrate_evidence`);
for the whole checkpoint the presence from which a slice is decoded; for a system that takes boxes
also the threshold beside a box (`calibrate_boxes`). A setting departs from its plain value
only where that pays by more than noise.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checkpoints.layout import read_config
from ..image.intensity import InputSpec
from ..inference.device import autocast_dtype
from ..inference.postprocess import largest
from .calibrate_boxes import calibrate_boxes
from .calibrate_evidence import (
    Sights,
    agreed,
    choose_rules,
    passed_slices,
    sights_of,
    stack_of,
)
from .trials import (
    GATES,
    LEAST_GAIN,
    PLAIN,
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
    from ..data.sampling import ForeignNames
    from ..inference.loaded_checkpoint import LoadedCheckpoint
    from ..inference.predictor import SlicePredictor

logger = logging.getLogger(__name__)

DECODE_GATES = (GATES[0], 0.2)
"""Presence from which slices are decoded, to try: a lower one costs time and finds dim ends."""
FOREIGN_ASKED = 6
"""Names of other regions of the body that are asked in each validation case."""
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


@dataclass
class Attempt:
    """What the validation cases say when slices are decoded from one presence on.

    Attributes:
        trials: of thresholds and largest parts.
        sights: of what is there and what is not.
    """

    trials: Trials = field(default_factory=Trials)
    sights: Sights = field(default_factory=lambda: defaultdict(list))


def try_settings(
    predictor: SlicePredictor,
    cases: Iterable[Case],
    names_of: Mapping[str, str],
    gates: Mapping[str, float] | None = None,
    foreign: ForeignNames | None = None,
) -> dict[float, Attempt]:
    """Ask every known structure of the validation cases at every setting.

    Args:
        predictor: decodes from the lowest of `DECODE_GATES` on and silences nothing.
        cases: validation cases.
        names_of: label name -> trained name.
        gates: trained name -> presence from which its answer passes; `GATES`[0] for others.
        foreign: names that other regions of the body exclude; some are asked in each case.

    Returns:
        One attempt for each of `DECODE_GATES`.
    """
    attempts = {gate: Attempt() for gate in DECODE_GATES}
    for number, (case, known, volume) in enumerate(asked_cases(predictor, cases, names_of)):
        names = [*known, *_some_foreign(predictor, case, foreign, number)]
        patient = f"{case.dataset.name}/{case.patient or case.id}"
        for name, answer in zip(names, predictor.segment(names), strict=True):
            if answer.probability is None:
                continue
            there = name in known and case.is_present(known[name])
            truth = case.mask(known[name]) if there else None
            asked = [predictor.slice_presence[n] for n in answer.provenance["trained_prompts"]]
            presence = np.max(asked, axis=0)
            for gate, attempt in attempts.items():
                skipped = ~passed_slices(presence, gate)
                probability = answer.probability
                if skipped.any():
                    probability = probability.copy()
                    stack_of(probability, answer, volume)[skipped] = 0
                slices = stack_of(probability, answer, volume)
                drawn = None if truth is None else stack_of(truth, answer, volume)
                attempt.sights[name, str(case.dataset.modality)] += sights_of(
                    slices, drawn, presence, gate, patient
                )
                if truth is not None:
                    attempt.trials.add(name, probability, truth)
                elif name in known:
                    attempt.trials.absent += 1
                    passed = presence.max() >= (gates or {}).get(name, GATES[0])
                    attempt.trials.alarms += bool(passed and largest(probability) >= PLAIN[0])
    return attempts


def _some_foreign(
    predictor: SlicePredictor, case: Case, foreign: ForeignNames | None, number: int
) -> list[str]:
    """Return a few names that cannot be in a case; others in each case."""
    trained, modality = predictor.config["trained_prompts"], case.dataset.modality
    names = [
        name
        for name in (foreign.of(case.dataset.name) if foreign else ())
        if name in trained and modality in trained[name].get("modalities", ())
    ]
    count = min(FOREIGN_ASKED, len(names))
    return [names[(FOREIGN_ASKED * number + k) % len(names)] for k in range(count)]


def calibrate(
    folder: Path,
    datasets: Sequence[Dataset],
    most_cases: int = 25,
    foreign: ForeignNames | None = None,
) -> dict[str, Any]:
    """Choose the settings of a checkpoint folder on its validation cases and write them.

    Args:
        folder: the checkpoint; its ``config.json`` is rewritten, the weights stay.
        datasets: data sets of the recipe.
        most_cases: validation cases per data set for the thresholds and the evidence, evenly
            spread; the gates of the presence head are chosen on all.
        foreign: names that other regions of the body exclude.

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
    config["presence_threshold"] = min(DECODE_GATES)
    write_config(folder, config)
    predictor = SlicePredictor.from_pretrained(str(folder), device="cpu")
    gates = choose_gates(scores)
    seldom = {
        n for n, taught in support(datasets, names_of).items() if len(taught) < LEAST_PATIENTS
    }
    gates.update(dict.fromkeys(seldom & set(trained), STRICT_GATE))
    attempts = try_settings(predictor, spread_cases(cases, most_cases), names_of, gates, foreign)
    decode = choose_decode_gate(attempts)
    config["presence_threshold"] = decode
    changes: dict[str, dict[str, Any]] = defaultdict(dict)
    changes.update(choose(attempts[decode].trials))
    for name in trained if decode < GATES[0] else gates:
        changes[name]["presence_threshold"] = gates.get(name, GATES[0])
    sights = {key: seen for key, seen in attempts[decode].sights.items() if key[0] not in seldom}
    rules = choose_rules(sights, gates)
    for name, by_modality in rules.items():
        changes[name]["evidence"] = by_modality
    summary = {**attempts[decode].trials.summary(), "evidence": agreed(rules, sights)}
    write_calibration(folder, config, changes, summary)
    if "box" in config.get("takes", ()):
        calibrate_boxes(folder, spread_cases(cases, most_cases), names_of)
    return summary


def choose_decode_gate(attempts: Mapping[float, Attempt]) -> float:
    """Return the presence from which slices are decoded: the usual one, unless another pays."""
    usual = attempts[GATES[0]].trials.mean_dice()
    best = max(attempts, key=lambda gate: attempts[gate].trials.mean_dice())
    return best if attempts[best].trials.mean_dice() > usual + LEAST_GAIN else GATES[0]
