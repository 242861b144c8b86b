"""Many images, one run: the function behind `textpromptseg batch`, the panel and the console.

A case is done when its record ``<case>.report.json`` is there, complete, and tells of exactly this
job: same image, prompts, weights and options, and result files whose sha256 is as recorded. The
record is written last, so a run that was killed leaves whole cases and nothing else; ``resume``
keeps those and does the rest.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files.checks import KnownFiles, check_folder
from ..files.leftovers import sweep
from ..files.text import STAGING_PREFIX, file_sha256, read_json, write_json
from ..formats.members import input_files
from ..formats.writing import check_output
from ..inference import loading
from ..outcome import Cancelled, InputError, OutputError, Progress, TextPromptSegError
from .batch_summary import BatchSummary, CaseResult
from .cases import RECORD_SUFFIX, Case, find_cases, fingerprint, inputs_around
from .job import DEFAULT_MODEL, PredictorFactory, RunOptions, known_prompts, read_image, run_job
from .outputs import PICTURE_SUFFIXES, Outputs
from .report import plain

if TYPE_CHECKING:
    from ..prompting.prompt import Prompt

logger = logging.getLogger(__name__)

_PARTS = 1000  # progress steps of one case
_SUMMARY_EVERY = 2.0  # s


@dataclass(frozen=True)
class BatchJob:
    """What is done with every case; travels to the workers of a cluster.

    Attributes:
        prompts: what to segment.
        output_dir: where the results go.
        model: name, folder or hub id of the checkpoint.
        device: "auto", "cpu" or "cuda:N".
        options: threshold, region and the like.
        suffix: kind of the segmentation files, for example ".seg.nrrd".
        overlay: whether to write a picture of every case.
        model_digest: `config_digest` of the checkpoint; empty where it is not known.
        factory: makes the predictor; `load_predictor` when None.
        paths: whether reports and summaries hold the paths of the images.
    """

    prompts: tuple[Prompt, ...]
    output_dir: Path
    model: str = DEFAULT_MODEL
    device: str = "auto"
    options: RunOptions = field(default_factory=RunOptions)
    suffix: str = ".seg.nrrd"
    overlay: bool = False
    model_digest: str = ""
    factory: PredictorFactory | None = None
    paths: bool = True

    def load(self) -> Any:
        """Load the model."""
        return (self.factory or loading.load_predictor)(self.model, self.device)

    def outputs(self, case: Case) -> Outputs:
        """Return the files of one case."""
        base = self.output_dir / case.id
        return Outputs(
            segmentation=base.with_name(base.name + self.suffix),
            report=base.with_name(base.name + RECORD_SUFFIX),
            overlay=base.with_name(base.name + ".png") if self.overlay else None,
        )

    def told(self, case: Case) -> str:
        """Return what reports and summaries call the image."""
        return str(case.source) if self.paths else ""

    def failed(self, case: Case, sentence: str, seconds: float = 0.0) -> CaseResult:
        """Return the result of a case that failed, without paths where none are wanted."""
        if not self.paths:
            for folder in (case.source.parent, self.output_dir, Path(os.path.abspath("."))):
                sentence = sentence.replace(f"{folder}{os.sep}", "").replace(str(folder), "")
        return CaseResult(case.id, self.told(case), "failed", error=sentence, seconds=seconds)

    def identity(self) -> dict[str, Any]:
        """Return everything that a result depends on besides the image, JSON-ready."""
        from ..resources import VERSION

        return {
            "version": VERSION,
            "prompts": [[p.text, p.describe()] for p in self.prompts],
            "model": [self.model, self.model_digest],
            "options": self.options.to_dict(),
            "suffix": self.suffix,
            "overlay": self.overlay,
            "paths": self.paths,
        }


def run_batch(
    inputs: str | Path | Iterable[str | Path],
    prompts: str | Iterable[str | Prompt],
    output_dir: str | Path,
    model: str = DEFAULT_MODEL,
    device: str = "auto",
    *,
    resume: bool = False,
    scheduler: str | None = None,
    options: RunOptions | None = None,
    suffix: str = ".seg.nrrd",
    overlay: bool = False,
    progress: Progress | None = None,
    predictor_factory: PredictorFactory | None = None,
    paths: bool = True,
) -> BatchSummary:
    """Segment many images with one loaded model.

    A case that fails is recorded with its sentence and does not stop the run.

    Args:
        inputs: a folder (searched with its subfolders), a text list, one image, or paths.
        prompts: what to segment in each.
        output_dir: gets ``<case>.seg.nrrd``, ``<case>.report.json`` and the two summaries.
        model: name, folder or hub id of the checkpoint.
        device: "auto", "cpu" or "cuda:N".
        resume: keep the cases that an earlier run of the same job finished.
        scheduler: address of a Dask scheduler; its workers need the same file paths.
        options: threshold, region and the like.
        suffix: ".seg.nrrd", ".nii.gz", ".nii" or ".dcm".
        overlay: also write ``<case>.png``.
        progress: ``progress(done, total, message) -> bool`` in steps of 1/1000 case; False cancels.
        predictor_factory: makes the predictor; `load_predictor` when None.
        paths: False leaves the paths of the images out of reports and summaries.

    Returns:
        The summary, with the exit code of the command line.

    Raises:
        TextPromptSegError: when nothing can be run: no image, no model, no place to write.
        Cancelled: when ``progress`` returned False; cases that are done stay done.
    """
    check_output(f"case{suffix}")
    start = time.monotonic()
    parsed = known_prompts(prompts)
    folder = Path(output_dir)
    check_folder(folder)
    sweep(folder, STAGING_PREFIX, below=True)
    cases = find_cases(inputs, folder)
    job = BatchJob(
        prompts=tuple(parsed),
        output_dir=folder,
        model=model,
        device=device,
        options=options or RunOptions(),
        suffix=suffix,
        overlay=overlay,
        model_digest="" if predictor_factory else _model_digest(model),
        factory=predictor_factory,
        paths=paths,
    )
    results: dict[str, CaseResult] = {}
    open_cases = []
    inputs_near = KnownFiles(inputs_around(cases, folder))
    for case in cases:
        earlier = finished_before(case, job) if resume else None
        if earlier is not None:
            results[case.id] = earlier
            continue
        try:  # no result may take the place of another case's image
            job.outputs(case).check(inputs_near, more=job.options.leaves_more)
            open_cases.append(case)
        except OutputError as error:
            results[case.id] = job.failed(case, str(error))

    written = 0.0

    def summary() -> BatchSummary:
        found = tuple(results[case.id] for case in cases if case.id in results)
        named = model if paths else Path(model).name
        return BatchSummary(found, folder, named, len(cases), time.monotonic() - start)

    def tell(case_steps: int, message: str) -> bool:
        done = len(results) * _PARTS + case_steps
        return progress is None or progress(done, len(cases) * _PARTS, message)

    def record(result: CaseResult) -> None:
        nonlocal written
        results[result.id] = result
        if time.monotonic() - written > _SUMMARY_EVERY:
            summary().write()
            written = time.monotonic()

    try:
        if open_cases and scheduler is not None:
            from .cluster import run_on_cluster

            run_on_cluster(scheduler, open_cases, job, record, tell)
        elif open_cases:
            _run_here(open_cases, job, record, tell)
    finally:
        if results:
            summary().write()
    return summary()


def _run_here(cases: Sequence[Case], job: BatchJob, record: Any, tell: Any) -> None:
    """Work through the cases in this process."""
    if not tell(0, f"loading {job.model}"):
        raise Cancelled("loading the model")
    predictor = job.load()
    for case in cases:
        reached = 0

        def inner(done: int, total: int, message: str, case: Case = case) -> bool:
            nonlocal reached
            if total:
                reached = max(reached, int(_PARTS * min(done / total, 0.99)))
            return bool(tell(reached, f"{case.id}: {message}"))

        result = run_case(predictor, case, job, inner)
        record(result)
        if not tell(0, case.id):
            raise Cancelled(case.id)


def run_case(
    predictor: Any, case: Case, job: BatchJob, progress: Progress | None = None
) -> CaseResult:
    """Segment one case, write its files and its record; a failure becomes a sentence.

    Raises:
        Cancelled: when ``progress`` returned False; the case has no new files then.
    """
    start = time.monotonic()
    try:
        outputs = job.outputs(case)
        assert outputs.report is not None and outputs.segmentation is not None
        earlier = _earlier_files(case, job)
        files_in = input_files(case.source)
        outputs.check(KnownFiles(files_in), more=job.options.leaves_more)
        outputs.report.unlink(missing_ok=True)  # from now on the old files count for nothing
        mark = fingerprint(case, job.identity(), files_in)
        result = run_job(
            predictor,
            case.source,
            job.prompts,
            replace(outputs, report=None),
            job.options,
            volume=read_image(case.source, outputs, case.series, progress, apart=True),
            progress=progress,
            paths=job.paths,
            earlier=earlier,
        )
        files = {path.relative_to(job.output_dir).as_posix(): path for path in result.files}
        record = {
            **result.report,
            "case": case.id,
            "status": "done",
            "case_seconds": round(time.monotonic() - start, 4),
            "fingerprint": mark,
            "files": {
                name: {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
                for name, path in files.items()
            },
        }
        write_json(outputs.report, record)
        return CaseResult(
            id=case.id,
            source=job.told(case),
            status="done",
            prompts=tuple(result.report["prompts"]),
            output=outputs.segmentation.relative_to(job.output_dir).as_posix(),
            seconds=time.monotonic() - start,
        )
    except Cancelled:
        raise
    except TextPromptSegError as error:
        sentence = str(error)
    except Exception as error:  # one broken image must not end a night's run
        logger.debug("A case failed", exc_info=True)
        sentence = f"An unexpected {type(error).__name__} came up: {error}"
    return job.failed(case, sentence, time.monotonic() - start)


def config_digest(config: Mapping[str, Any]) -> str:
    """Return the sha256 of a checkpoint's configuration, which names the sha256 of its weights."""
    content = json.dumps(plain(config), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def finished_before(case: Case, job: BatchJob) -> CaseResult | None:
    """Return the result of an earlier run of the same job, or None when it has to be done."""
    outputs = job.outputs(case)
    assert outputs.report is not None and outputs.segmentation is not None
    try:
        record = read_json(outputs.report)
        if record["status"] != "done" or record["fingerprint"] != fingerprint(case, job.identity()):
            return None
        for name, stamp in record["files"].items():
            path = job.output_dir / name
            if path.stat().st_size != stamp["bytes"] or file_sha256(path) != stamp["sha256"]:
                return None
        if not outputs.segmentation.is_file():
            return None
        return CaseResult(
            id=case.id,
            source=job.told(case),
            status="resumed",
            prompts=tuple(record["prompts"]),
            output=outputs.segmentation.relative_to(job.output_dir).as_posix(),
            seconds=float(record["case_seconds"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, InputError):
        return None


def _earlier_files(case: Case, job: BatchJob) -> list[Path]:
    """Return the files of this case's earlier run that must not stay beside the new ones.

    A segmentation of another kind, with what belongs to it, is left alone: its user wanted it.
    """
    outputs = job.outputs(case)
    assert outputs.report is not None and outputs.segmentation is not None
    try:
        names = [Path(name) for name in read_json(outputs.report)["files"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    place = outputs.segmentation
    base = Path(case.id).name
    own = [
        place.with_name(name.name)
        for name in names
        if name.parent == Path(case.id).parent and name.name.startswith((f"{base}.", f"{base}_"))
    ]
    if place in own:
        return own
    return [path for path in own if path.name.lower().endswith(PICTURE_SUFFIXES)]


def _model_digest(model: str) -> str:
    """Return what identifies a checkpoint with all its settings, without loading it.

    Raises:
        CheckpointError: when it is not on this machine.
    """
    from ..checkpoints import catalogue, layout

    return config_digest(layout.read_config(catalogue.resolve(model)))
