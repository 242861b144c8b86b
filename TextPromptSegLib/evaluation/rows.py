"""What an evaluation found: rows, facts of the data sets, times and failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..metrics import Calibration
from .previews import Preview

MEASURES = ("dice", "iou", "precision", "recall", "hd", "hd95", "asd", "assd", "nsd")


@dataclass(frozen=True)
class CaseRow:
    """One question and its answer: one structure asked of one model in one case.

    Attributes:
        model, mode, dataset, case, structure: what was asked, and in which mode.
        prompt: the text that was typed.
        group: patient of the case as a number within the data set ("p3"), never the patient's id.
        present: whether the structure is in the reference; False: truly absent, never unknown.
        outcome: found, below_threshold, not_found or unknown_prompt.
        dice ... nsd: see `metrics.CaseMetrics`; None for absent pairs and unknown prompts.
        tp, fp, fn: voxel counts; of an absent pair fp is the whole mask.
        unit: of the distances, mm or px.
        reference_ml, predicted_ml: volumes; None for pictures and where the spacing is not known.
        max_probability: largest probability in the image, in [0, 1].
        seconds: time the model says it spent on this prompt.
        extra: further numbers that the caller asked for.
    """

    model: str
    mode: str
    dataset: str
    case: str
    structure: str
    prompt: str
    group: str
    present: bool
    outcome: str
    dice: float | None
    iou: float | None
    precision: float | None
    recall: float | None
    hd: float | None
    hd95: float | None
    asd: float | None
    assd: float | None
    nsd: float | None
    tp: int
    fp: int
    fn: int
    unit: str
    reference_ml: float | None
    predicted_ml: float | None
    max_probability: float
    seconds: float
    extra: Mapping[str, float] = field(default_factory=dict)

    @property
    def scored(self) -> bool:
        """Whether the pair counts in the means: present, and the model knows the prompt."""
        return self.present and self.outcome != "unknown_prompt"

    @property
    def absent(self) -> bool:
        """Whether the pair counts in the false-positive rate: absent, and the prompt is known."""
        return not self.present and self.outcome != "unknown_prompt"

    @property
    def false_alarm(self) -> bool:
        """Whether an absent structure was answered "found"."""
        return not self.present and self.outcome == "found"


@dataclass(frozen=True)
class DatasetInfo:
    """What must be said beside every number of a data set.

    Attributes:
        name, title, modality: as in its dataset.json.
        label_quality: the data set's own words.
        label_kind: "expert", "mixed", "semi-automatic", "automatic", "coarse", "model output".
        patients_known: False when cases carry no patient, so that a patient may be in two splits.
        cases, patients: number evaluated; patients counts a case without a patient as one.
        caution: the data set's own caution.
        unions: names made of other labels ("kidneys"); not counted again in means over structures.
    """

    name: str
    title: str
    modality: str
    label_quality: str
    label_kind: str
    patients_known: bool
    cases: int
    patients: int
    caution: str = ""
    unions: tuple[str, ...] = ()


@dataclass(frozen=True)
class CaseTime:
    """Wall time of one case, s: reading the image, `set_volume`, `segment` for all its prompts."""

    model: str
    mode: str
    dataset: str
    case: str
    slices: int
    prompts: int
    read: float
    image: float
    segment: float


@dataclass(frozen=True)
class Failure:
    """A case (or with an empty case name a model) that could not be evaluated, and why."""

    model: str
    mode: str
    dataset: str
    case: str
    reason: str


@dataclass
class Answers:
    """All answers of one evaluation.

    Attributes:
        split: "test", "val" or "train".
        created: UTC time, ISO 8601.
        tolerance: of the NSD, in the unit of each row.
        models: name -> facts of the checkpoint (title, weights_sha256, licence), in order.
        previews: (model, mode, dataset, case, structure) -> small picture; not in the JSON.
        calibration: (model, mode, dataset, structure) -> counts by probability over the cases.
    """

    split: str
    created: str
    version: str
    tolerance: float
    models: dict[str, dict[str, Any]]
    datasets: list[DatasetInfo]
    rows: list[CaseRow]
    times: list[CaseTime] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    previews: dict[tuple[str, str, str, str, str], Preview] = field(default_factory=dict)
    calibration: dict[tuple[str, str, str, str], Calibration] = field(default_factory=dict)

    def add_calibration(self, key: tuple[str, str, str, str], counts: Calibration) -> None:
        """Pool one more case."""
        known = self.calibration.get(key)
        self.calibration[key] = counts if known is None else known + counts

    @property
    def runs(self) -> list[tuple[str, str]]:
        """The (model, mode) pairs that were asked, in order."""
        return list(dict.fromkeys((r.model, r.mode) for r in self.rows))

    def dataset(self, name: str) -> DatasetInfo:
        """Return what is known of a data set."""
        return next(d for d in self.datasets if d.name == name)
