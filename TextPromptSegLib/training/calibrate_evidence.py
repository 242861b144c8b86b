"""Rules of evidence (see `inference.evidence`), fitted on the validation split only.

Every answer, and single slices of every volume, tells how a structure looks where it is and where
it is not; names that another region of the body excludes are asked too. A rule starts from the
presence head alone and departs from it as far as the cases bear it out; it is taken where it
predicts patients that it was not fitted on better than the head does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image.slice_stack import plane_view
from ..inference.evidence import Evidence, EvidenceRule, evidence_of
from .trials import choose_gates

if TYPE_CHECKING:
    from ..image.volume import Volume
    from ..prompting.segmentation import Segmentation

LEAST_ABSENT = 8
LEAST_PRESENT = 8
FOLDS = 5
SLICES = 8
"""Single slices of a volume that count as answers of their own."""
PENALTY = 1.0
"""Price of a weight that differs from `PRIOR` by its `SCALE`, in nats."""
PRIOR = np.array([0.0, 1.0, 0.0, 0.0, 0.0])
"""Intercept, head, confidence, size, agreement: the head alone, as it was trained."""
SCALE = np.array([2.0, 0.5, 1.0, 1.0, 3.0])
LEAST_GAIN = 0.02
"""Log loss (nats) that a rule must save on patients that it was not fitted on, on average; that
must be twice the standard error over patients, too."""
EVIDENCE_GATES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Sight:
    """What one answer, or one slice of it, was.

    Attributes:
        patient: whose; nobody is fitted on and predicted at once.
        there: whether the structure is in the image.
        evidence: None without a mask: not found, whatever a rule says.
    """

    patient: str
    there: bool
    evidence: Evidence | None


Sights = dict[tuple[str, str], list[Sight]]
"""(name, modality) -> every sight."""


def stack_of(array: np.ndarray, answer: Segmentation, volume: Volume) -> np.ndarray:
    """Return an array (K, J, I) in the file's order as the slices (N, H, W) of an answer."""
    return plane_view(volume.orientation("LPS").apply(array), str(answer.provenance["plane"]))


def passed_slices(presence: np.ndarray, gate: float) -> np.ndarray:
    """Return the slices (S,) bool that are decoded at a gate: those over it and beside them."""
    over = presence >= gate
    near = over.copy()
    near[1:] |= over[:-1]
    near[:-1] |= over[1:]
    return near


def sights_of(
    slices: np.ndarray, truth: np.ndarray | None, presence: np.ndarray, gate: float, patient: str
) -> Iterator[Sight]:
    """Yield what an answer says as a whole, and what single slices of it say.

    Args:
        slices: probabilities (N, H, W) float16; what the gate skips is zero.
        truth: (N, H, W), not 0 where the structure is; None where it is nowhere.
        presence: (N,) of the head.
        gate: of the slices.
        patient: whose image it is.
    """
    parts = [slice(None)]
    if len(slices) > 1:
        chosen = np.linspace(0, len(slices) - 1, min(SLICES, len(slices))).round().astype(int)
        parts += [slice(k, k + 1) for k in chosen.tolist()]
    for part in parts:
        best = float(presence[part].max())
        there = truth is not None and bool(truth[part].any())
        yield Sight(patient, there, evidence_of(slices[part], best) if best >= gate else None)


def fit(features: np.ndarray, there: np.ndarray, free: Sequence[bool]) -> np.ndarray:
    """Return the weights (5,) of a logistic rule, drawn towards `PRIOR`.

    More of anything never speaks against a structure: no weight but the intercept is negative.

    Args:
        features: (N, 4), see `Evidence`.
        there: (N,) bool.
        free: which of the five weights may depart from the prior.
    """
    from scipy.optimize import minimize

    design = np.column_stack([np.ones(len(features)), features])
    sign = np.where(there, 1.0, -1.0)
    which = np.flatnonzero(free)

    def cost(some: np.ndarray) -> tuple[float, np.ndarray]:
        weights = PRIOR.copy()
        weights[which] = some
        margin = sign * (design @ weights)
        away = (weights - PRIOR) / SCALE
        value = np.logaddexp(0.0, -margin).sum() + 0.5 * PENALTY * (away**2).sum()
        slope = -(sign / (1.0 + np.exp(np.clip(margin, -500, 500)))) @ design
        return float(value), (slope + PENALTY * away / SCALE)[which]

    weights = PRIOR.copy()
    bounds = [(None, None) if index == 0 else (0.0, None) for index in which.tolist()]
    found = minimize(cost, PRIOR[which], jac=True, method="L-BFGS-B", bounds=bounds)
    weights[which] = found.x
    return weights


HEAD_ALONE = (True, True, False, False, False)
WHOLE = (True, True, True, True, True)


def predicted(
    features: np.ndarray, there: np.ndarray, patients: Sequence[str], free: Sequence[bool]
) -> np.ndarray:
    """Return the probability (N,) of each sight by a rule fitted on the other patients."""
    order = sorted(set(patients))
    rank = np.random.default_rng(0).permutation(len(order))
    fold = np.array([rank[order.index(p)] % FOLDS for p in patients])
    result = np.zeros(len(there))
    for number in range(FOLDS):
        inside = fold == number
        if inside.any():
            weights = fit(features[~inside], there[~inside], free)
            result[inside] = 1 / (1 + np.exp(-(weights[0] + features[inside] @ weights[1:])))
    return result


def log_losses(probability: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Return the log loss (N,) of each sight, nats."""
    return -np.log(np.clip(np.where(there, probability, 1 - probability), 1e-6, 1.0))


def saves(whole: np.ndarray, head: np.ndarray, there: np.ndarray, patients: Sequence[str]) -> bool:
    """Return whether predictions beat the head's by more than noise, patient by patient."""
    saved = log_losses(head, there) - log_losses(whole, there)
    names = np.array(patients)
    each = np.array([saved[names == p].mean() for p in sorted(set(patients))])
    error = float(each.std(ddof=1)) / len(each) ** 0.5
    return bool(each.mean() > max(LEAST_GAIN, 2.0 * error))


def choose_rules(sights: Sights, most_alarms: float = 0.04) -> dict[str, dict[str, Any]]:
    """Return name -> modality -> rule (as in ``config.json``) where a rule beats the head alone.

    Args:
        sights: of the validation cases.
        most_alarms: see `trials.choose_gates`, which chooses the gates of the rules.
    """
    weights: dict[str, np.ndarray] = {}
    scores: dict[str, list[tuple[float, bool]]] = {}
    keys = {f"{modality}/{name}": (name, modality) for name, modality in sights}
    for key, place in keys.items():
        seen = [s for s in sights[place] if s.evidence is not None]
        there = np.array([s.there for s in seen], bool)
        patients = [s.patient for s in seen]
        if there.sum() < LEAST_PRESENT or (~there).sum() < LEAST_ABSENT:
            continue
        if len({p for p, t in zip(patients, there, strict=True) if t}) < 2:
            continue
        features = np.array([s.evidence.vector() for s in seen if s.evidence is not None])
        whole = predicted(features, there, patients, WHOLE)
        if not saves(whole, predicted(features, there, patients, HEAD_ALONE), there, patients):
            continue
        weights[key] = fit(features, there, WHOLE)
        nothing = [(0.0, s.there) for s in sights[place] if s.evidence is None]
        scores[key] = [*zip(whole.tolist(), there.tolist(), strict=True), *nothing]
    rules: dict[str, dict[str, Any]] = defaultdict(dict)
    for key, gate in choose_gates(scores, most_alarms, EVIDENCE_GATES).items():
        name, modality = keys[key]
        intercept, head, confidence, size, agreement = weights[key].tolist()
        rule = EvidenceRule(intercept, head, confidence, size, agreement, gate)
        rules[name][modality] = rule.to_dict()
    return dict(rules)


def agreed(rules: Mapping[str, Mapping[str, Any]], sights: Sights) -> dict[str, Any]:
    """Return how many sights the rules get right, for the checkpoint's ``metrics``."""
    counts = {"rules": 0, "found": 0, "there": 0, "alarms": 0, "absent": 0}
    for name, by_modality in rules.items():
        for modality, values in by_modality.items():
            rule = EvidenceRule.from_dict(values)
            counts["rules"] += 1
            for seen in sights[name, modality]:
                found = seen.evidence is not None and rule.probability(seen.evidence) >= rule.gate
                counts["there" if seen.there else "absent"] += 1
                counts["found" if seen.there else "alarms"] += found
    return counts
