"""The cases of a batch on a Dask cluster: one case at a time per worker, model loaded once there.

The driver keeps as many cases in flight as there are workers, so a fast worker takes more of them.
When a worker dies its case goes to another one; files appear whole, so nothing is left behind.
"""

from __future__ import annotations

import logging
import threading
import time
from asyncio import TimeoutError as AsyncTimeout  # an OSError only since Python 3.11
from collections.abc import Callable, Sequence
from typing import Any

from ..inference.device import keep_freed_memory
from ..outcome import Cancelled, DependencyError, DeviceError, TextPromptSegError
from .batch_case import BatchJob, config_digest
from .batch_stages import run_case
from .batch_summary import CaseResult
from .cases import Case

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
WORKER_SECONDS = 60.0
_POLL_SECONDS = 0.1

_lock = threading.Lock()
_loaded: dict[tuple[str, str, str], Any] = {}


def run_on_cluster(
    address: str,
    cases: Sequence[Case],
    job: BatchJob,
    record: Callable[[CaseResult], None],
    tell: Callable[[int, str], bool],
) -> None:
    """Hand the cases to the workers of a Dask scheduler and record their results.

    Args:
        address: for example "tcp://node1:8786".
        cases: what is still to do.
        job: what to do with each; paths mean the same files on every worker.
        record: called here with each result.
        tell: ``tell(steps, message)``; False cancels.

    Raises:
        DependencyError: when dask.distributed is not installed.
        DeviceError: when no scheduler answers, it has no workers, or it goes away.
        Cancelled: when ``tell`` returned False.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise DependencyError(
            "A scheduler needs dask.distributed; install it with pip install 'dask[distributed]'."
        ) from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError, AsyncTimeout) as error:
        raise DeviceError(
            f"No Dask scheduler answers at {address}; start one with 'dask scheduler'."
        ) from error
    waiting = list(reversed(cases))
    running: dict[Any, Case] = {}
    try:
        _wait_for_worker(client, address, tell)
        while waiting or running:
            workers = _worker_count(client, address)
            while waiting and len(running) < max(workers, 1):
                case = waiting.pop()
                future = client.submit(
                    run_case_on_worker, case, job, key=f"{case.id}-{time.time_ns()}", pure=False
                )
                running[future] = case
            done = [future for future in running if future.done()]
            for future in done:
                record(_result(future, running.pop(future), job))
            if not done:
                time.sleep(_POLL_SECONDS)
            if not tell(0, f"{len(running)} cases on {workers} workers"):
                raise Cancelled("cluster")
    finally:
        if running:
            client.cancel(list(running), force=True)
        client.close()


def run_case_on_worker(case: Case, job: BatchJob) -> CaseResult:
    """Do one case in a worker process; the model is loaded by the first one and kept."""
    # One case at a time: a worker with several threads has still one model and one memory.
    with _lock:
        try:
            keep_freed_memory()
            key = (job.model, job.device, job.model_digest)
            if key not in _loaded:
                for predictor in _loaded.values():
                    if hasattr(predictor, "unload"):
                        predictor.unload()
                _loaded.clear()
                predictor = job.load()
                if job.model_digest and config_digest(predictor.config) != job.model_digest:
                    raise DeviceError(
                        f"A worker has another version of the checkpoint {job.model}; "
                        "install the same one everywhere."
                    )
                _loaded[key] = predictor
            return run_case(_loaded[key], case, job)
        except TextPromptSegError as error:
            return job.failed(case, str(error))


def _wait_for_worker(client: Any, address: str, tell: Callable[[int, str], bool]) -> None:
    until = time.monotonic() + WORKER_SECONDS
    while not _worker_count(client, address):
        if time.monotonic() > until:
            raise DeviceError(
                f"The Dask scheduler at {address} has no workers; start some with "
                f"'dask worker {address} --nthreads 1'."
            )
        if not tell(0, "waiting for a worker"):
            raise Cancelled("cluster")
        time.sleep(_POLL_SECONDS)


def _worker_count(client: Any, address: str) -> int:
    try:
        if client.status in ("running", "connecting"):
            return len(client.nthreads())
        cause = None
    except (OSError, ValueError, RuntimeError, AsyncTimeout) as error:
        cause = error
    raise DeviceError(
        f"The Dask scheduler at {address} went away; run again with --resume to do the rest."
    ) from cause


def _result(future: Any, case: Case, job: BatchJob) -> CaseResult:
    """Turn a finished future into a result; a case that kills its workers has failed."""
    if future.status == "finished":
        result: CaseResult = future.result()
        return result
    error = future.exception() if future.status == "error" else None
    if type(error).__name__ == "KilledWorker":
        sentence = "Several workers died while they worked on this image, perhaps out of memory."
    else:
        sentence = f"The cluster gave no result ({type(error).__name__}: {error})."
    return job.failed(case, sentence)
