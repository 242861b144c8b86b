"""One case of a batch in three stages, read, answer and write, and many cases in step.

While the network is at one case, the next is read and the one before is written, each in a thread
of its own; never more than three cases are in memory (`memory_estimate.BATCH_IMAGES`). The
network, the records and what is told stay in the thread that called.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from ..files.checks import KnownFiles
from ..files.text import file_sha256, write_json
from ..formats.members import input_files
from ..outcome import Cancelled, Progress, TextPromptSegError
from .batch_case import BatchJob, earlier_files, image_facts
from .batch_summary import CaseResult
from .cases import Case, fingerprint
from .job import JobResult, answer_image, read_image
from .outputs import write_results

if TYPE_CHECKING:
    from ..image.volume import Volume

logger = logging.getLogger(__name__)

T = TypeVar("T")

PARTS = 1000
"""Progress steps of one case."""

_WRITING = 990  # of a case that is answered and not yet written
_POLL_SECONDS = 0.1


class CaseRun:
    """One case on its way; a stage that fails leaves a sentence, and the later ones do nothing.

    Args:
        case: the image.
        job: what is done with it.
    """

    def __init__(self, case: Case, job: BatchJob) -> None:
        self.case, self.job = case, job
        self.error: str | None = None
        self.seconds = 0.0  # in the stages, without waiting between them
        self._checked = False
        self._outputs = job.outputs(case)
        self._earlier: list[Any] = []
        self._mark: Any = None
        self._volume: Volume | None = None
        self._answered: JobResult | None = None

    @contextlib.contextmanager
    def _stage(self) -> Iterator[None]:
        start = time.monotonic()
        try:
            yield
        except Cancelled:
            raise
        except TextPromptSegError as error:
            self.error = str(error)
        except Exception as error:  # one broken image must not end a night's run
            logger.debug("A case failed", exc_info=True)
            self.error = f"An unexpected {type(error).__name__} came up: {error}"
        finally:
            self.seconds += time.monotonic() - start

    def read(self, progress: Progress | None = None) -> None:
        """Check the places of the results and read the image; nothing is changed yet.

        Raises:
            Cancelled: when ``progress`` returned False.
        """
        with self._stage():
            self._earlier = earlier_files(self.case, self.job)
            files = input_files(self.case.source)
            self._outputs.check(KnownFiles(files), more=self.job.options.leaves_more)
            self._checked = True
            self._mark = fingerprint(self.case, self.job.identity(), files)
            how = self.job.options, self.case.series, progress
            self._volume = read_image(self.case.source, self._outputs, *how, apart=True)

    def answer(self, predictor: Any, progress: Progress | None = None) -> None:
        """Ask the network; from here on the files of an earlier run count for nothing.

        Raises:
            Cancelled: when ``progress`` returned False.
        """
        with self._stage():
            if self._checked and self._outputs.report is not None:
                self._outputs.report.unlink(missing_ok=True)
            if self.error is None:
                assert self._volume is not None
                self._answered = answer_image(
                    predictor,
                    self.case.source,
                    self._volume,
                    self.job.prompts,
                    self.job.options,
                    progress,
                    self.job.paths,
                )
        self._volume = None

    def write(self, progress: Progress | None = None) -> CaseResult:
        """Write the files and, last of all, the record; say what became of the case.

        Raises:
            Cancelled: when ``progress`` returned False; the case has no new files then.
        """
        job, outputs, result = self.job, self._outputs, None
        if self.error is None:
            with self._stage():
                result = self._write(progress)
        self._answered = None
        if result is None:
            return job.failed(self.case, self.error or "It was not answered.", self.seconds)
        assert outputs.segmentation is not None
        return CaseResult(
            id=self.case.id,
            source=job.told(self.case),
            status="done",
            prompts=tuple(result.report["prompts"]),
            output=outputs.segmentation.relative_to(job.output_dir).as_posix(),
            seconds=self.seconds,
            image=image_facts(result.report),
        )

    def _write(self, progress: Progress | None) -> JobResult:
        start, made, outputs = time.monotonic(), self._answered, self._outputs
        assert made is not None and outputs.report is not None
        written = write_results(
            replace(outputs, report=None),
            made.volume,
            made.segmentations,
            made.report,
            progress,
            self._earlier,
        )
        files = {p.relative_to(self.job.output_dir).as_posix(): p for p in written.files}
        stamps = {
            name: {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
            for name, path in files.items()
        }
        record = {
            **made.report,
            "case": self.case.id,
            "status": "done",
            "case_seconds": round(self.seconds + time.monotonic() - start, 4),
            "fingerprint": self._mark,
            "files": stamps,
        }
        write_json(outputs.report, record)
        return made


def run_case(
    predictor: Any, case: Case, job: BatchJob, progress: Progress | None = None
) -> CaseResult:
    """Segment one case, write its files and its record; a failure becomes a sentence.

    Raises:
        Cancelled: when ``progress`` returned False; the case has no new files then.
    """
    run = CaseRun(case, job)
    run.read(progress)
    run.answer(predictor, progress)
    return run.write(progress)


def run_in_step(
    cases: Sequence[Case],
    job: BatchJob,
    record: Callable[[CaseResult], None],
    tell: Callable[[int, str], bool],
) -> None:
    """Work through the cases in this process, in their order.

    Args:
        cases: what is still to do.
        job: what to do with each.
        record: called with each result, in the order of the cases.
        tell: ``tell(steps of the cases not yet recorded, message)``; False cancels.

    Raises:
        Cancelled: when ``tell`` returned False. While the network is at the next case, one that
            was answered is still written and recorded; one that is waited for leaves nothing.
        TextPromptSegError: when the model cannot be loaded.
    """
    stopped, dropped = threading.Event(), threading.Event()
    writing: Future[CaseResult] | None = None

    def going(_done: int, _total: int, _message: str) -> bool:
        return not stopped.is_set()

    def wanted(_done: int, _total: int, _message: str) -> bool:
        return not dropped.is_set()

    def say(steps: int, message: str) -> bool:
        settle()
        return tell(steps + (_WRITING if writing is not None else 0), message)

    def go_on(steps: int, message: str) -> None:
        if not say(steps, message):
            raise Cancelled(message)

    def settle() -> None:
        nonlocal writing
        if writing is not None and writing.done():
            result, writing = writing.result(), None
            record(result)

    def finish(future: Future[T], steps: int, message: str) -> T:
        while not wait([future], timeout=_POLL_SECONDS).done:
            go_on(steps, message)
        return future.result()

    def finish_writing(steps: int, message: str) -> None:
        if writing is not None:
            try:
                finish(writing, steps, message)
            except BaseException:
                dropped.set()
                raise

    with ThreadPoolExecutor(1, "reading") as reader, ThreadPoolExecutor(1, "writing") as writer:
        try:
            go_on(0, f"loading {job.model}")
            ahead = _begin(reader, cases[0], job, going)
            predictor = job.load()
            for number, case in enumerate(cases):
                run = finish(ahead, 0, f"{case.id}: reading the image")
                if number + 1 < len(cases):
                    ahead = _begin(reader, cases[number + 1], job, going)
                reached = 0

                def inner(done: int, total: int, message: str, case: Case = case) -> bool:
                    nonlocal reached
                    if total:
                        reached = max(reached, int(_WRITING * min(done / total, 1.0)))
                    return say(reached, f"{case.id}: {message}")

                run.answer(predictor, inner)
                finish_writing(reached, f"{case.id}: writing the results")
                go_on(reached, f"{case.id}: writing the results")
                writing = writer.submit(run.write, wanted)
            finish_writing(0, f"{cases[-1].id}: writing the results")
            go_on(0, cases[-1].id)
        finally:
            stopped.set()
            if writing is not None:
                wait([writing])
                with contextlib.suppress(Cancelled):
                    settle()


def _begin(
    reader: ThreadPoolExecutor, case: Case, job: BatchJob, going: Progress
) -> Future[CaseRun]:
    """Start to read a case."""

    def read() -> CaseRun:
        run = CaseRun(case, job)
        run.read(going)
        return run

    return reader.submit(read)
