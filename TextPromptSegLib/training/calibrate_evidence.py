"""Rules of evidence (see `inference.evidence`), fitted on the validation split only.

Every answer, and single slices of every volume, tells how a structure looks where it is and where
it is not; names that another region of the body excludes are asked too. A modality's rule starts
from the presence head alone, a name's own from that of its modality, and each departs as far as
the cases bear it out. Masks join the head where that predicts patients better that nothing was
fitted on; else a rule is the head alone, set right. A rule stands in for the plain gate of the
head only where it loses hardly an answer that the gate would have let pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image.slice_stack import plane_view
from ..inference.evidence import Evidence, EvidenceRule, evidence_of, logit
from .trials import GATES, LEAST_CASES, PRICES

if TYPE_CHECKING:
    from ..image.volume import Volume
    from ..prompting.segmentation import Segmentation

LEAST_ABSENT = 8
"""Masks of absent structures, over all names of a modality, that a rule needs."""
LEAST_PRESENT = 2
"""Masks of a structure that is there; fewer do not tell its usual size."""
LEAST_PATIENTS = 5
"""Patients with a structure that a rule of its own needs; fewer tell nothing of other images."""
FOLDS = 5
SLICES = 8
"""Single slices of a volume that count as answers of their own."""
PENALTY = 1.0
"""Price of a weight that differs from where it is drawn to by its `SCALE`, in nats."""
PRIOR = np.array([0.0, 1.0, 0.0, 0.0, 0.0])
"""Intercept, head, confidence, size, agreement: the head alone, as it was trained."""
SCALE = np.array([2.0, 0.5, 1.0, 1.0, 3.0])
OF_A_NAME = 0.5
"""A name's own weights are drawn to those of its modality by this part of the scale."""
MOST_WEIGHT = 20.0
"""A name weighs no more than so many masks in the rule of its modality."""
MOST_LOST = 0.04
"""Share of the answers to what is there that a rule may lose beside the plain gate."""
EVIDENCE_GATES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Sight:
    """What one answer, or one slice of it, was.

    Attributes:
        patient: whose; nobody is fitted on and predicted at once.
        there: whether the structure is in the image.
        evidence: None without a mask: not found, whatever a rule says.
        share: what it counts. All single slices of a volume count as much as its whole answer.
        whole: whether it is what a user would have been told of the image.
    """

    patient: str
    there: bool
    evidence: Evidence | None
    share: float = 1.0
    whole: bool = True


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
    for number, part in enumerate(parts):
        best = float(presence[part].max())
        there = truth is not None and bool(truth[part].any())
        evidence = evidence_of(slices[part], best) if best >= gate else None
        share = 1.0 if number == 0 else 1.0 / (len(parts) - 1)
        yield Sight(patient, there, evidence, share, whole=number == 0)


Free = tuple[bool, bool, bool, bool, bool]
HEAD_ALONE: Free = (True, True, False, False, False)
WHOLE: Free = (True, True, True, True, True)


def fit(
    features: np.ndarray,
    there: np.ndarray,
    free: Free = WHOLE,
    prior: np.ndarray = PRIOR,
    scale: np.ndarray = SCALE,
    weight: float | np.ndarray = 1.0,
) -> np.ndarray:
    """Return the weights (5,) of a logistic rule, drawn towards a prior.

    More of anything never speaks against a structure: no weight but the intercept is negative.

    Args:
        features: (N, 4), see `Evidence`.
        there: (N,) bool.
        free: which of the five weights may depart from the prior.
        prior: (5,) weights without any case.
        scale: (5,) how far each is let go for one unit of `PENALTY`.
        weight: of the cases.
    """
    from scipy.optimize import minimize

    design = np.column_stack([np.ones(len(features)), features])
    sign = np.where(there, 1.0, -1.0)
    which = np.flatnonzero(free)

    def cost(some: np.ndarray) -> tuple[float, np.ndarray]:
        weights = prior.copy()
        weights[which] = some
        margin = sign * (design @ weights)
        away = (weights - prior) / scale
        value = (weight * np.logaddexp(0.0, -margin)).sum() + 0.5 * PENALTY * (away**2).sum()
        slope = -(weight * sign / (1.0 + np.exp(np.clip(margin, -500, 500)))) @ design
        return float(value), (slope + PENALTY * away / scale)[which]

    weights = prior.copy()
    bounds = [(None, None) if index == 0 else (0.0, None) for index in which.tolist()]
    found = minimize(cost, prior[which], jac=True, method="L-BFGS-B", bounds=bounds)
    weights[which] = found.x
    return weights


def fit_names(sights: Mapping[str, Sequence[Sight]], free: Free = WHOLE) -> dict[str, np.ndarray]:
    """Return the weights (5,) of each name of one modality.

    First one rule for all of them, where sizes count relative to what is usual for the name; then
    each name's own, drawn to that one. A name without `LEAST_PRESENT` masks of itself has none.
    """
    masks: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray, float]] = {}
    for name, seen in sights.items():
        told = [(s.evidence.vector(), s.there, s.share) for s in seen if s.evidence is not None]
        there = np.array([t for _, t, _ in told], bool)
        if there.sum() >= LEAST_PRESENT:
            features = np.array([v for v, _, _ in told])
            usual = float(np.median(features[there, 2]))
            features[:, 2] -= usual
            masks[name] = (features, there, np.array([w for _, _, w in told]), usual)
    if not masks:
        return {}
    shares = [share for _, _, share, _ in masks.values()]
    together = fit(
        np.concatenate([features for features, *_ in masks.values()]),
        np.concatenate([there for _, there, *_ in masks.values()]),
        free,
        weight=np.concatenate([share * min(1.0, MOST_WEIGHT / share.sum()) for share in shares]),
    )
    result = {}
    for name, (features, there, share, usual) in masks.items():
        weights = fit(features, there, free, together, OF_A_NAME * SCALE, share)
        weights[0] -= weights[3] * usual
        result[name] = weights
    return result


def rule_with(weights: np.ndarray, gate: float) -> EvidenceRule:
    """Return the rule of weights (5,)."""
    intercept, head, confidence, size, agreement = weights.tolist()
    return EvidenceRule(intercept, head, confidence, size, agreement, gate)


def probability_of(weights: np.ndarray, evidence: Evidence) -> float:
    """Return what weights (5,) make of evidence."""
    return rule_with(weights, 0.5).probability(evidence)


def predict(sights: Mapping[str, Sequence[Sight]], free: Free = WHOLE) -> dict[str, np.ndarray]:
    """Return the probability of every sight by weights that were fitted on other patients.

    NaN where those patients tell nothing of the name, 0 where there is no mask.
    """
    order = sorted({s.patient for seen in sights.values() for s in seen})
    rank = np.random.default_rng(0).permutation(len(order)) % FOLDS
    fold = dict(zip(order, rank.tolist(), strict=True))
    result = {name: np.full(len(seen), np.nan) for name, seen in sights.items()}
    for number in range(FOLDS):
        others = {n: [s for s in seen if fold[s.patient] != number] for n, seen in sights.items()}
        weights = fit_names(others, free)
        for name, seen in sights.items():
            for index, s in enumerate(seen):
                if fold[s.patient] == number and s.evidence is None:
                    result[name][index] = 0.0
                elif fold[s.patient] == number and name in weights and s.evidence is not None:
                    result[name][index] = probability_of(weights[name], s.evidence)
    return result


def log_losses(probability: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Return the log loss (N,) of each sight, nats."""
    return -np.log(np.clip(np.where(there, probability, 1 - probability), 1e-6, 1.0))


def saved_by(
    whole: np.ndarray, head: np.ndarray, seen: Sequence[Sight]
) -> tuple[np.ndarray, list[str]]:
    """Return how much log loss a rule saves beside the head, and whose, where there is a mask."""
    told = [s.evidence is not None for s in seen] & np.isfinite(whole) & np.isfinite(head)
    there = np.array([s.there for s in seen], bool)
    saved = log_losses(head[told], there[told]) - log_losses(whole[told], there[told])
    return saved, [s.patient for s, t in zip(seen, told, strict=True) if t]


def by_more_than_noise(saved: np.ndarray, patients: Sequence[str]) -> bool:
    """Return whether something is saved on average over patients, and not by chance."""
    names = np.array(patients)
    each = np.array([saved[names == p].mean() for p in sorted(set(patients))])
    if len(each) < 2:
        return False
    error = float(each.std(ddof=1)) / len(each) ** 0.5
    return bool(each.mean() > error)


Offer = dict[float | None, tuple[float, float]]
"""Gate of a rule -> shares of what it finds rightly and wrongly; None is the plain gate's."""


def offer_of(seen: Sequence[Sight], guess: np.ndarray, own: np.ndarray, plain: float) -> Offer:
    """Return the gates that a name may take, and what each finds.

    Args:
        seen: its sights.
        guess: (N,) probabilities by rules fitted on other patients; NaN where nothing tells.
        own: (N,) probabilities by the rule that will be used.
        plain: gate of the presence head alone.
    """
    known = np.isfinite(guess)
    there = np.array([s.there for s in seen], bool)
    told = known & there & np.array([s.whole for s in seen], bool)
    share = np.array([s.share for s in seen])
    passed = np.array([s.evidence is not None and s.evidence.head >= logit(plain) for s in seen])

    def counted(passed: np.ndarray) -> tuple[float, float]:
        right, wrong = (float(share[known & passed & t].sum()) for t in (there, ~there))
        return round(right, 6), round(wrong, 6)

    most = int((told & ~passed).sum()) + int(MOST_LOST * told.sum())
    offer: Offer = {None: counted(passed)}
    for gate in EVIDENCE_GATES:
        lost = max(int((told & ~(some >= gate)).sum()) for some in (guess, own))
        if lost <= most:
            offer[gate] = counted(guess >= gate)
    return offer


def choose_offers(
    offers: Mapping[str, Offer], absent: float, most_alarms: float = 0.04
) -> dict[str, float | None]:
    """Return the gate of each name; the price of a false alarm rises until few enough are left.

    Args:
        offers: of each name.
        absent: what all absent questions count.
        most_alarms: share of them that may pass, if the highest of `PRICES` buys it.
    """
    chosen: dict[str, float | None] = {}
    for price in PRICES:
        for name, offer in offers.items():
            ranks = {
                gate: (right - price * wrong, -wrong, gate is None, -(gate or 0.0))
                for gate, (right, wrong) in offer.items()
            }
            chosen[name] = max(ranks, key=ranks.__getitem__)
        if sum(offers[name][gate][1] for name, gate in chosen.items()) <= most_alarms * absent:
            break
    return chosen


def choose_rules(
    sights: Sights, gates: Mapping[str, float] | None = None, most_alarms: float = 0.04
) -> dict[str, dict[str, Any]]:
    """Return name -> modality -> rule (as in ``config.json``).

    Whether masks join the head is decided for a modality as a whole, by what they save over all of
    its patients; names that they make worse go by the head alone. A name without `LEAST_CASES`
    absent sights and `LEAST_PATIENTS` that have it, or with nothing better on offer, keeps the
    plain gate.

    Args:
        sights: of the validation cases.
        gates: name -> plain gate of the presence head; the usual one for others.
        most_alarms: share of absent questions that may pass.
    """
    weights: dict[str, np.ndarray] = {}
    offers: dict[str, Offer] = {}
    questions = 0.0
    for modality in sorted({modality for _, modality in sights}):
        here = {name: seen for (name, m), seen in sights.items() if m == modality}
        absent = [s for seen in here.values() for s in seen if s.evidence and not s.there]
        if len(absent) < LEAST_ABSENT:
            continue
        whole, head = predict(here, WHOLE), predict(here, HEAD_ALONE)
        saved = {name: saved_by(whole[name], head[name], seen) for name, seen in here.items()}
        gains = np.concatenate([gain for gain, _ in saved.values()])
        joins = by_more_than_noise(gains, [p for _, whose in saved.values() for p in whose])
        by_mask, by_head = fit_names(here, WHOLE), fit_names(here, HEAD_ALONE)
        for name in by_head:
            better = joins and len(saved[name][0]) > 0 and saved[name][0].mean() >= 0
            guess, seen = (whole if better else head)[name], here[name]
            asked = [
                s.share for s, p in zip(seen, guess, strict=True) if np.isfinite(p) and not s.there
            ]
            taught = {s.patient for s in seen if s.there and s.whole}
            if len(asked) < LEAST_CASES or len(taught) < LEAST_PATIENTS:
                continue
            key, chosen = f"{modality}/{name}", (by_mask if better else by_head)[name]
            own = [probability_of(chosen, s.evidence) if s.evidence else 0.0 for s in seen]
            plain = (gates or {}).get(name, GATES[0])
            weights[key], offers[key] = chosen, offer_of(seen, guess, np.array(own), plain)
            questions += sum(asked)
    rules: dict[str, dict[str, Any]] = defaultdict(dict)
    for key, gate in choose_offers(offers, questions, most_alarms).items():
        if gate is not None:
            modality, _, name = key.partition("/")
            rules[name][modality] = rule_with(weights[key], gate).to_dict()
    return dict(rules)


def agreed(rules: Mapping[str, Mapping[str, Any]], sights: Sights) -> dict[str, Any]:
    """Return how many answers the rules get right, for the checkpoint's ``metrics``."""
    counts = {"rules": 0, "found": 0, "there": 0, "alarms": 0, "absent": 0}
    for name, by_modality in rules.items():
        for modality, values in by_modality.items():
            rule = EvidenceRule.from_dict(values)
            counts["rules"] += 1
            for seen in sights[name, modality]:
                if not seen.whole:
                    continue
                found = seen.evidence is not None and rule.probability(seen.evidence) >= rule.gate
                counts["there" if seen.there else "absent"] += 1
                counts["found" if seen.there else "alarms"] += found
    return counts
