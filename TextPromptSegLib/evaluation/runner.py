"""Ask models by text for every structure that is known to be present or absent, and score them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.datasets import Dataset
from ..inference import loading
from ..outcome import Cancelled, InputError, Progress, TextPromptSegError
from ..resources import VERSION
from ..systems.registry import reports_agreement
from .asking import (
    Ask,
    Extra,
    Predictor,
    Question,
    ask_by_text,
    ask_case,
    known_spacing,
    plain_reason,
    questions,
)
from .elsewhere import AskElsewhere
from .report import (
    Report,
)
from .report_files import write_report
from .rows import (
    CaseTime,
    DatasetInfo,
    Failure,
)
from .summary import label_kind
from .ways import measure_agreement

if TYPE_CHECKING:
    from ..data.datasets import Case
    from ..image.volume import Volume

log = logging.getLogger(__name__)

PredictorFactory = Callable[[str], Predictor]


def evaluate(
    models: Sequence[str],
    datasets: Sequence[str | Path],
    split: str = "test",
    report_dir: str | Path | None = None,
    progress: Progress | None = None,
    limit: int | None = None,
    prompts: Sequence[str] | Mapping[str, str] | None = None,
    predictor_factory: PredictorFactory | None = None,
    *,
    tolerance: float = 2.0,
    device: str = "auto",
    modes: Mapping[str, Ask] | None = None,
    extras: Sequence[Extra] = (),
    with_text: bool = False,
) -> Report:
    """Ask models by text on every slice of every case and score the answers against the labels.

    Present structures are scored by overlap and distances, truly absent ones by whether the model
    answers "found". A structure that nobody looked for in a case is not asked there. A case that
    fails is recorded and the run goes on.

    Args:
        models: names, folders or hub ids of checkpoints; each is loaded once.
        datasets: `dataset.json` files or their folders.
        split: "test", "val" or "train".
        report_dir: where to write report.json, cases.csv, summary.csv and report.html; None writes
            nothing.
        progress: called before every case; False cancels, and nothing is written.
        limit: at most that many cases a data set, evenly spread over it.
        prompts: ask only for these structures; a mapping also says which text to type for each.
        predictor_factory: model -> predictor; None takes `SlicePredictor.from_pretrained`.
        tolerance: of the NSD, mm (px where the spacing is not known).
        device: for the default factory.
        modes: name -> way of asking, side by side; None asks by text only.
        extras: further measures of present pairs, for example of samples; F1, pixel accuracy,
            kappa and average precision are added for systems whose paper reports them.
        with_text: only cases that have a text of their own.

    Returns:
        The report; it has been written when `report_dir` is given.

    Raises:
        InputError: when a data set cannot be read or holds no case to ask.
        TextPromptSegError: when no model at all could be loaded.
        Cancelled: when `progress` answered False.
    """
    sets = [_read_set(path, split, limit, prompts, with_text) for path in datasets]
    if not any(one.cases for one in sets):
        raise InputError(f'The split "{split}" holds nothing to ask; choose another split.')
    report = Report(
        split=split,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        version=VERSION,
        tolerance=float(tolerance),
        models={},
        datasets=[one.info for one in sets],
        rows=[],
    )
    modes = modes or {"text only": ask_by_text}
    factory = predictor_factory or _default_factory(device)
    ticks = _Ticks(progress, len(models) * sum(len(one.cases) for one in sets))
    refusal: TextPromptSegError | None = None
    for model, label in zip(models, _labels(models), strict=True):
        try:
            predictor = factory(model)
        except TextPromptSegError as error:
            # Another model's answers must not be lost because this one is not there.
            refusal = error
            report.failures.append(Failure(label, "", "", "", plain_reason(error)))
            continue
        report.models[label] = _facts(predictor)
        own = [measure_agreement] if reports_agreement(_system(predictor)) else []
        run = _Run(report, predictor, label, modes, [*extras, *own])
        try:
            for one in sets:
                for number, case in enumerate(one.cases, 1):
                    ticks.step(f"{label}: {one.info.name}, case {number} of {len(one.cases)}")
                    run.case(one, case)
        finally:
            getattr(predictor, "unload", lambda: None)()
    if refusal is not None and not report.models:
        raise refusal
    if report_dir is not None:
        write_report(report, report_dir)
    return report


@dataclass(frozen=True)
class _Set:
    """One data set with what is asked of it."""

    info: DatasetInfo
    cases: list[Case]
    asked: dict[str, list[Question]]
    groups: dict[str, str]


@dataclass
class _Run:
    """One loaded model on its way through the cases."""

    report: Report
    predictor: Predictor
    model: str
    modes: Mapping[str, Ask]
    extras: Sequence[Extra]
    held: tuple[Any, Volume] | None = field(default=None)

    def case(self, one: _Set, case: Case) -> None:
        """Ask one case in every mode; a failure is recorded, not raised."""
        read = image = 0.0
        for mode, ask in self.modes.items():
            place = (self.model, mode, one.info.name, case.id)
            asked = one.asked[case.id]
            if isinstance(ask, AskElsewhere):
                asked = ask.questions(self.predictor, case)
            if not asked:
                continue
            try:
                volume, read, image = self._hold(case)
                frame = dict(zip(("model", "mode", "dataset", "case"), place, strict=True))
                found = ask_case(
                    self.predictor,
                    ask,
                    case,
                    volume,
                    asked,
                    {**frame, "group": one.groups[case.id]},
                    known_spacing(case, volume),
                    self.report.tolerance,
                    self.extras,
                )
            except Cancelled:
                raise
            except Exception as error:  # one bad file must not cost the other cases
                log.debug("a case failed", exc_info=True)
                self.held = None
                self.report.failures.append(Failure(*place, plain_reason(error)))
                continue
            self.report.rows.extend(found.rows)
            self.report.previews.update(found.previews)
            for structure, counts in found.calibration.items():
                self.report.add_calibration((*place[:3], structure), counts)
            seconds = (round(s, 4) for s in (read, image, found.seconds))
            size = int(volume.shape[0]), len(found.rows)
            self.report.times.append(CaseTime(*place, *size, *seconds))

    def _hold(self, case: Case) -> tuple[Volume, float, float]:
        """Give the model the case's image, unless it holds it already: labels that overlap come as
        two cases of one picture, and modes share it.
        """
        key = tuple(str(p) for p in case.image_paths)
        if self.held is not None and self.held[0] == key:
            return self.held[1], 0.0, 0.0
        self.held = None
        start = time.perf_counter()
        volume = case.volume()
        middle = time.perf_counter()
        self.predictor.set_volume(volume)
        self.held = (key, volume)
        return volume, middle - start, time.perf_counter() - middle


@dataclass
class _Ticks:
    """Counts cases and turns a False of the callback into `Cancelled`."""

    progress: Progress | None
    total: int
    done: int = 0

    def step(self, message: str) -> None:
        if self.progress is not None and not self.progress(self.done, self.total, message):
            raise Cancelled("The evaluation was cancelled; no report was written.")
        self.done += 1


def _read_set(
    path: str | Path,
    split: str,
    limit: int | None,
    prompts: Sequence[str] | Mapping[str, str] | None,
    with_text: bool = False,
) -> _Set:
    dataset = Dataset.read(path)
    asked = {c.id: questions(c, prompts) for c in dataset.split(split)}
    cases = [c for c in dataset.cases if asked.get(c.id)]
    if with_text:
        cases = [c for c in cases if str(c.extra.get("text") or "").strip()]
    if limit is not None and len(cases) > limit:
        spread = np.linspace(0, len(cases) - 1, max(limit, 1)).round().astype(int)
        cases = [cases[i] for i in spread]
    numbers: dict[str, str] = {}
    groups = {}
    for case in cases:
        key = f"case {case.id}" if case.patient is None else f"patient {case.patient}"
        groups[case.id] = numbers.setdefault(key, f"p{len(numbers) + 1}")
    quality = str(dataset.info.get("label_quality") or "not stated")
    info = DatasetInfo(
        name=dataset.name,
        title=str(dataset.info.get("title") or dataset.name),
        modality=str(dataset.modality or ""),
        label_quality=quality,
        label_kind=label_kind(quality, dataset.is_synthetic),
        patients_known=all(c.patient is not None for c in cases),
        cases=len(cases),
        patients=len(numbers),
        caution=str(dataset.info.get("caution") or ""),
        unions=tuple(dataset.groups),
    )
    return _Set(info, cases, asked, groups)


def _default_factory(device: str) -> PredictorFactory:
    def load(model: str) -> Predictor:
        return loading.load_predictor(model, device)

    return load


def _labels(models: Sequence[str]) -> list[str]:
    """Name models without their folders; two of one name are told apart by a number."""
    names: list[str] = []
    for model in models:
        name = base = Path(str(model)).name or str(model)
        while name in names:
            name = f"{base} ({sum(n.startswith(base) for n in names) + 1})"
        names.append(name)
    return names


def _system(predictor: Predictor) -> str:
    config = getattr(predictor, "config", None)
    return str(config.get("system", "")) if isinstance(config, Mapping) else ""


def _facts(predictor: Predictor) -> dict[str, Any]:
    """Return what the checkpoint says of itself, as far as the report shows it."""
    config = getattr(predictor, "config", None)
    if not isinstance(config, Mapping):
        return {}
    facts = {k: config[k] for k in ("title", "system", "weights_sha256") if k in config}
    licence = config.get("licence")
    if isinstance(licence, Mapping) and "line" in licence:
        facts["licence"] = licence["line"]
    return facts
