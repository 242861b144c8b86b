"""Many images, one run: the function behind `textpromptseg batch`, the panel and the console.

A case is done when its record ``<case>.report.json`` is there, complete, and tells of exactly this
job: same image, prompts, weights and options, and result files whose sha256 is as recorded. The
record is written last, so a run that was killed leaves whole cases and nothing else; ``resume``
keeps those and does the rest.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..checkpoints import catalogue, layout
from ..checkpoints.model_info import DEFAULT_MODEL
from ..files.checks import KnownFiles, check_folder
from ..files.leftovers import sweep
from ..files.text import STAGING_PREFIX
from ..formats.writing import check_output
from ..outcome import OutputError, Progress
from .batch_case import BatchJob, config_digest, finished_before
from .batch_stages import PARTS, run_in_step
from .batch_summary import BatchSummary, CaseResult
from .cases import find_cases, inputs_around
from .cluster import run_on_cluster
from .job import PredictorFactory, RunOptions, known_prompts

if TYPE_CHECKING:
    from ..prompting.prompt import Prompt

logger = logging.getLogger(__name__)

_SUMMARY_EVERY = 2.0  # s


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
        done = len(results) * PARTS + case_steps
        return progress is None or progress(done, len(cases) * PARTS, message)

    def record(result: CaseResult) -> None:
        nonlocal written
        results[result.id] = result
        if time.monotonic() - written > _SUMMARY_EVERY:
            summary().write()
            written = time.monotonic()

    try:
        if open_cases and scheduler is not None:
            run_on_cluster(scheduler, open_cases, job, record, tell)
        elif open_cases:
            run_in_step(open_cases, job, record, tell)
    finally:
        if results:
            summary().write()
    return summary()


def _model_digest(model: str) -> str:
    """Return what identifies a checkpoint with all its settings, without loading it.

    Raises:
        CheckpointError: when it is not on this machine.
    """
    return config_digest(layout.read_config(catalogue.resolve(model)))
