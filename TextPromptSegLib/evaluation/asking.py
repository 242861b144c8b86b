"""One case: which structures are asked, how, and how the answers become rows."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..metrics import Calibration, CaseMetrics, calibration_counts, case_metrics
from ..outcome import InputError, Outcome, TextPromptSegError
from ..prompting.segmentation import Segmentation
from .previews import Preview, make_preview
from .rows import (
    MEASURES,
    CaseRow,
)

if TYPE_CHECKING:
    from ..data.datasets import Case
    from ..image.volume import Volume

ABOVE = 0.05
"""Calibration leaves out voxels outside the reference below this probability: certain background
would hide every error."""

ANSWER_BYTES = 512 * 1024**2  # masks and float16 probabilities of the prompts asked at once


class Predictor(Protocol):
    """What evaluation needs of `SlicePredictor`."""

    def set_volume(self, volume: Volume) -> object:
        """Take an image; its features are kept for the prompts that follow."""

    def segment(self, prompts: list[Any]) -> list[Segmentation]:
        """Answer every prompt, in their order."""


Ask = Callable[[Predictor, Sequence[str], "Case"], list[Segmentation]]
"""How to ask: (predictor, prompts, case) -> an answer a prompt; the case lets a mode give boxes."""

Extra = Callable[[Segmentation, np.ndarray], Mapping[str, float]]
"""A further measure of a present pair: (answer, reference (K, J, I)) -> named numbers."""


def ask_by_text(predictor: Predictor, prompts: Sequence[str], case: Case) -> list[Segmentation]:
    """Ask by text alone: nothing of the reference reaches the model."""
    return predictor.segment(list(prompts))


@dataclass(frozen=True)
class Question:
    """One structure to ask for in one case, and whether it is there."""

    structure: str
    prompt: str
    present: bool


@dataclass
class Answers:
    """What one case gave: rows, their pictures, calibration of each structure, and the seconds
    spent in the model.
    """

    rows: list[CaseRow] = field(default_factory=list)
    previews: dict[tuple[str, str, str, str, str], Preview] = field(default_factory=dict)
    calibration: dict[str, Calibration] = field(default_factory=dict)
    seconds: float = 0.0


def questions(case: Case, prompts: Sequence[str] | Mapping[str, str] | None) -> list[Question]:
    """List what is asked in a case: only names whose presence or absence is known there.

    A structure outside `annotated` was not looked for; taking it for absent would punish a model
    for finding what is really in the picture.

    Args:
        prompts: restricts the structures; a mapping also says which text is typed for each.
    """
    wanted = (
        None
        if prompts is None
        else prompts
        if isinstance(prompts, Mapping)
        else dict(zip(prompts, prompts, strict=True))
    )
    return [
        Question(name, name if wanted is None else wanted[name], case.is_present(name))
        for name in case.known_names()
        if wanted is None or name in wanted
    ]


def ask_case(
    predictor: Predictor,
    ask: Ask,
    case: Case,
    volume: Volume,
    asked: Sequence[Question],
    frame: Mapping[str, Any],
    spacing: tuple[float, float, float] | None,
    tolerance: float,
    extras: Sequence[Extra] = (),
) -> Answers:
    """Ask every question of one case and score the answers.

    Args:
        predictor: with the case's volume already set.
        frame: the fields of `CaseRow` that are the same for the whole case.
        spacing: (K, J, I) mm, or None where it is not known.

    Raises:
        InputError: when the model or the data set contradicts itself.
    """
    found = Answers()
    drawn = case.label_arrays()
    for part in _batches(asked, volume.shape):
        start = time.perf_counter()
        answers = ask(predictor, [q.prompt for q in part], case)
        found.seconds += time.perf_counter() - start
        if len(answers) != len(part):
            raise InputError(
                f"{len(part)} prompts were asked but {len(answers)} answered; "
                "give texts that name one structure each."
            )
        for question, answer in zip(part, answers, strict=True):
            reference = _reference(case, question, drawn, volume.shape)
            row = _row(question, answer, reference, frame, spacing, tolerance, extras)
            found.rows.append(row)
            if row.scored and answer.probability is not None:
                counts = calibration_counts(answer.probability, reference, above=ABOVE)
                found.calibration[row.structure] = counts
            if row.scored or row.false_alarm:
                key = (row.model, row.mode, row.dataset, row.case, row.structure)
                found.previews[key] = make_preview(volume, reference, answer.mask, spacing)
    return found


def known_spacing(case: Case, volume: Volume) -> tuple[float, float, float] | None:
    """Return the voxel size in the order of the array's axes (K, J, I), mm; None where unknown.

    A picture file carries no size; then the data set's `spacing_mm` ([x, y] or [x, y, z]) counts.
    """
    if volume.meta.get("geometry") != "assumed":
        i, j, k = volume.spacing
        return k, j, i
    listed = case.extra.get("spacing_mm") or case.dataset.info.get("spacing_mm")
    if not listed:
        return None
    x, y, z = (*listed, 1.0)[:3]
    return float(z), float(y), float(x)


def plain_reason(error: BaseException) -> str:
    """Return one line for the report, without folders: they may name people or machines."""
    text = re.sub(r"(?:[A-Za-z]:)?[\\/](?:[^\s\\/'\":]+[\\/])+", "", str(error)).split("\n")[0]
    if isinstance(error, TextPromptSegError):
        return text
    return f"{type(error).__name__}: {text}"[:300]


def _batches(asked: Sequence[Question], shape: Sequence[int]) -> Iterator[Sequence[Question]]:
    size = max(1, ANSWER_BYTES // (3 * int(np.prod(shape))))
    for start in range(0, len(asked), size):
        yield asked[start : start + size]


def _reference(
    case: Case, question: Question, drawn: Mapping[str, np.ndarray], shape: tuple[int, ...]
) -> np.ndarray:
    if not question.present:
        return np.zeros(shape, bool)
    members = [drawn[name] for name in case.members(question.structure) if name in drawn]
    reference = np.logical_or.reduce(members) if members else np.zeros(shape, bool)
    if reference.shape != shape:
        raise InputError(f"The label of {question.structure} does not have the shape of the image.")
    if not reference.any():
        raise InputError(f"{question.structure} is listed as present, but nothing is drawn.")
    return reference


def _row(
    question: Question,
    answer: Segmentation,
    reference: np.ndarray,
    frame: Mapping[str, Any],
    spacing: tuple[float, float, float] | None,
    tolerance: float,
    extras: Sequence[Extra],
) -> CaseRow:
    mask = np.asarray(answer.mask)
    if mask.shape != reference.shape:
        raise InputError(f"The mask of {question.prompt} does not have the shape of the image.")
    outcome = Outcome(answer.outcome)
    scored = question.present and outcome is not Outcome.UNKNOWN_PROMPT
    measured: CaseMetrics | None = None
    further: dict[str, float] = {}
    if scored:
        measured = case_metrics(mask, reference, spacing, tolerance)
        for extra in extras:
            further.update(extra(answer, reference))
    measures: dict[str, Any] = {name: getattr(measured, name, None) for name in MEASURES}
    ml = None if spacing is None or mask.shape[0] == 1 else float(np.prod(spacing)) / 1000
    inside, drawn = int(np.count_nonzero(mask)), int(np.count_nonzero(reference))
    return CaseRow(
        **frame,
        structure=question.structure,
        prompt=question.prompt,
        present=question.present,
        outcome=outcome.value,
        **measures,
        tp=measured.tp if measured else 0,
        fp=measured.fp if measured else inside,
        fn=measured.fn if measured else drawn,
        unit="px" if spacing is None else "mm",
        reference_ml=None if ml is None else drawn * ml,
        predicted_ml=None if ml is None else inside * ml,
        max_probability=float(answer.max_probability),
        seconds=float(answer.seconds),
        extra=further,
    )
