"""Ways of asking beside the plain name: a report text, another case's text, several samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.phrases import unseen_wordings
from ..data.reports import infection_report
from ..inference.candidates import diversity, energy_distance
from ..metrics import overlap_counts, pixel_agreement, pixel_distances, uncertainty_error
from ..outcome import InputError
from ..prompting.prompts import parse_prompts
from ..prompting.segmentation import Segmentation
from ..prompting.vocabulary import Vocabulary
from .asking import Ask, Predictor, ask_by_text
from .card import UNSEEN_WORDS
from .elsewhere import ELSEWHERE, AskElsewhere

if TYPE_CHECKING:
    from ..data.datasets import Case

Text = Callable[["Case", str], str | None]
"""(case, structure) -> the report text that asks for it, None for its plain name."""


def own_text(case: Case, structure: str) -> str | None:
    """Return the case's own text."""
    return str(case.extra.get("text") or "").strip() or None


def other_text(case: Case, structure: str) -> str | None:
    """Return the text of the next case of the split that says something else."""
    texts = [own_text(c, structure) for c in case.dataset.split(case.split)]
    own = own_text(case, structure)
    start = [c.id for c in case.dataset.split(case.split)].index(case.id)
    turned = [*texts[start + 1 :], *texts[:start]]
    return next((text for text in turned if text and text != own), None) if own else None


def described_text(case: Case, structure: str) -> str | None:
    """Return a report sentence made from the reference mask: laterality, number, zones."""
    from ..data.slices import lungs_of

    if not case.is_present(structure):
        return None
    mask, lungs = case.mask(structure), lungs_of(case)
    if mask.shape[0] != 1:
        return None
    sides = None if lungs is None else {side: lung[0] for side, lung in lungs.items()}
    return infection_report(mask[0] > 0, sides)


TEXTS: Mapping[str, Text] = {"own": own_text, "shuffled": other_text, "described": described_text}
TITLES = {
    "name": "text only",
    "own": "own report text",
    "shuffled": "another case's text",
    "described": "text made from the reference",
    "unseen": UNSEEN_WORDS,
    "elsewhere": ELSEWHERE,
}


def ask_with_text(text: Text) -> Ask:
    """Ask with a report text the structures that the checkpoint learned to find by one."""

    def ask(predictor: Predictor, prompts: Sequence[str], case: Case) -> list[Segmentation]:
        trained = getattr(predictor, "config", {}).get("trained_prompts", {})
        asked: list[Any] = []
        for name in prompts:
            parsed = parse_prompts(name)
            said = text(case, name)
            if said and len(parsed) == 1 and trained.get(parsed[0].name, {}).get("reports"):
                asked.append(replace(parsed[0], report=said))
            else:
                asked.append(name)
        return predictor.segment(asked)

    return ask


def ask_in_unseen_words(predictor: Predictor, prompts: Sequence[str], case: Case) -> Any:
    """Ask the network for each structure in words that no training saw, another one each case."""
    vocabulary = Vocabulary.load()
    asked: list[Any] = []
    for name in prompts:
        parsed = parse_prompts(name, vocabulary)
        words = unseen_wordings(parsed[0].name, vocabulary)
        if len(parsed) == 1 and parsed[0].known and words:
            chosen = words[sum(map(ord, case.id)) % len(words)]
            asked.append(replace(parsed[0], free_text=chosen))
        else:
            asked.append(name)
    return predictor.segment(asked)


def ask_with_samples(count: int) -> Ask:
    """Ask by name for K samples: mean, uncertainty and candidates."""

    def ask(predictor: Any, prompts: Sequence[str], case: Case) -> list[Segmentation]:
        return list(predictor.segment(list(prompts), samples=count))

    return ask


def ways_of_asking(names: Sequence[str], samples: int | None = None) -> dict[str, Ask]:
    """Return title -> way of asking.

    Args:
        names: "name", "own", "shuffled" (a report text, its own or another case's) or "described"
            (made from the reference: what a report that is right would add; no fair measure),
            "unseen" (the network gets synonyms and templates that no training saw), or "elsewhere"
            (names that cannot be in the image).
        samples: also ask for so many samples.

    Raises:
        InputError: for another word.
    """
    result: dict[str, Ask] = {}
    for name in names or ("name",):
        if name not in TITLES:
            raise InputError(f"--ask {name} must be one of {', '.join(TITLES)}.")
        plain: dict[str, Ask] = {
            "name": ask_by_text,
            "unseen": ask_in_unseen_words,
            "elsewhere": AskElsewhere(),
        }
        result[TITLES[name]] = plain[name] if name in plain else ask_with_text(TEXTS[name])
    if samples is not None:
        if samples < 1:
            raise InputError("The number of samples must be 1 or more.")
        result[f"{samples} samples"] = ask_with_samples(samples)
    return result


def measure_samples(answer: Segmentation, reference: np.ndarray) -> dict[str, float]:
    """Return what several samples tell: uncertainty against error, diversity, best candidate.

    The energy distance compares the candidates with the one reference; nothing is returned for
    an answer without samples.
    """
    if not answer.candidates or answer.uncertainty is None or answer.probability is None:
        return {}
    correlation = uncertainty_error(answer.uncertainty, answer.probability, reference)
    return {
        **({} if correlation is None else {"uncertainty_error": correlation}),
        "diversity": diversity(answer.candidates),
        "ged2": energy_distance(answer.candidates, [reference]),
        "best_candidate": max(overlap_counts(m, reference).dice for m in answer.candidates),
    }


def measure_agreement(answer: Segmentation, reference: np.ndarray) -> dict[str, float]:
    """Return F1, pixel accuracy, kappa and average precision, for papers that report them."""
    return pixel_agreement(answer.mask, reference, answer.probability)


def measure_pixels(answer: Segmentation, reference: np.ndarray) -> dict[str, float]:
    """Return the distances in px as well, for papers that print px."""
    return pixel_distances(answer.mask, reference)
