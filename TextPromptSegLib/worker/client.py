"""The asking side: jobs, one at a time, that a timer polls or a script waits for."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

from ..files.messages import VERSION, ProtocolError, read_message, write_message
from ..files.processes import ProcessTree, child_environment, explain_exit
from ..image.volume import Volume
from ..inference.hints import Hints
from ..outcome import Cancelled, Progress, TextPromptSegError
from ..prompting.boxed import Boxed
from ..prompting.prompt import Prompt
from . import wire
from .arrays import ArrayMissing, ArrayStore
from .jobs import Job
from .process import OTHER_VERSION, UNUSABLE, default_command

_log = logging.getLogger(__name__)


class WorkerClient:
    """Starts the worker when it is first needed and asks it one thing at a time.

    All methods belong to one thread (in Slicer: the main one); callbacks run inside `poll`.

    Args:
        command: the command line of the worker; None runs this interpreter.
        environment: the environment to start it with; None takes that of this process.
        grace_seconds: how long a cancelled run may take to stop before its process is ended.
    """

    def __init__(
        self,
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        grace_seconds: float = 3.0,
    ) -> None:
        self.command = list(command) if command else default_command()
        self.environment = environment
        self.grace_seconds = grace_seconds
        self.starts = 0
        self._process: ProcessTree | None = None
        self._store: ArrayStore | None = None
        self._inbox: queue.Queue[tuple[int, dict[str, Any] | None]] = queue.Queue()
        self._log_lines: deque[str] = deque(maxlen=200)
        self._threads: list[threading.Thread] = []
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._deadline: float | None = None
        self._volume_key: str | None = None
        self._next_id = 0

    def segment(
        self,
        volume: Volume,
        prompts: Sequence[Prompt],
        *,
        model: str,
        volume_key: str,
        device: str = "auto",
        threshold: float | None = None,
        samples: int | None = None,
        roi: Sequence[float] | None = None,
        slices: tuple[int, int] | None = None,
        plane: str | None = None,
        modality: str | None = None,
        box: Sequence[float] | None = None,
        points: Sequence[Sequence[float]] | None = None,
        two_pass: bool | None = None,
        propagate: bool | None = None,
        heat_map: bool = False,
        mask: Boxed | None = None,
        want: Sequence[str] = (*wire.ARRAYS, "candidates"),
        on_finished: Callable[[Job], None] | None = None,
        on_progress: Callable[[Job], None] | None = None,
    ) -> Job:
        """Ask for a segmentation; ``job.result`` is a list of `Segmentation`, one per prompt.

        Args:
            volume: the image; its voxels are copied when the run starts and only if the worker
                does not hold them yet.
            model: name or folder of the checkpoint.
            volume_key: changes whenever the voxels change (node id and modification time).
            device: "auto", "cpu", "cuda:N" or "mps".
            prompts, threshold, samples: see `SlicePredictor.segment`.
            roi, slices, plane, modality: see `SlicePredictor.set_volume`.
            box, points, two_pass, propagate, mask: geometric prompts, see `Hints`.
            heat_map: whether to bring back where the system looked.
            want: the arrays to bring back.
            on_finished, on_progress: called from `poll` with the job.
        """
        where = {"roi": roi, "slices": slices, "plane": plane, "modality": modality}
        shown = {"box": box, "points": points, "two_pass": two_pass, "propagate": propagate}
        hints = Hints.from_dict({**shown, "mask": mask})
        request = {
            "type": "segment",
            "model": model,
            "device": device,
            "volume": {"key": volume_key},
            "prompts": [wire.prompt_to_dict(p) for p in prompts],
            "threshold": threshold,
            "samples": samples,
            "hints": hints.numbers(),
            "heat_map": heat_map,
            "region": wire.plain(where),
            "want": list(want),
        }
        return self.submit(request, on_finished, on_progress, volume, hints.mask)

    def submit(
        self,
        request: dict[str, Any],
        on_finished: Callable[[Job], None] | None = None,
        on_progress: Callable[[Job], None] | None = None,
        volume: Volume | None = None,
        mask: Boxed | None = None,
    ) -> Job:
        """Queue a request (``{"type": "devices"}``, "load", "unload", "segment", "ping")."""
        self._next_id += 1
        request = {**request, "id": self._next_id}
        job = Job(self._next_id, request, on_finished, on_progress, volume, mask=mask)
        self._waiting.append(job)
        self._dispatch()
        return job

    def cancel(self, job: Job) -> None:
        """Give up a job: it counts as cancelled at once, the worker gets a short time to stop."""
        if job.finished:
            return
        if job is self._running:
            with contextlib.suppress(OSError, ValueError):
                self._write({"type": "cancel", "id": job.id})
            self._deadline = time.monotonic() + self.grace_seconds
        else:
            self._waiting.remove(job)
        self._finish(job, "cancelled", error=Cancelled("The run was cancelled."))

    @property
    def active(self) -> bool:
        """Whether there is anything to poll for."""
        return self._running is not None or bool(self._waiting)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """Process id of the worker, None while there is none."""
        return self._process.pid if self._process is not None else None

    def log_tail(self, count: int = 20) -> str:
        """Return the last lines that the worker logged."""
        return "\n".join(list(self._log_lines)[-count:])

    def poll(self) -> None:
        """Take in what arrived, call the callbacks, start the next job; never waits."""
        while True:
            try:
                generation, message = self._inbox.get_nowait()
            except queue.Empty:
                break
            if generation != self.starts:
                continue  # from a process that was ended on purpose
            if message is None:
                self._on_exit()
            else:
                self._on_message(message)
        if self._deadline is not None and time.monotonic() > self._deadline:
            _log.info("The cancelled run did not stop by itself; its process is ended")
            self.stop(keep_waiting=True)
        self._dispatch()

    def wait(
        self, job: Job, pump: Callable[[], None] | None = None, progress: Progress | None = None
    ) -> Any:
        """Poll until ``job`` has ended and return its result.

        Args:
            job: a job of this client.
            pump: called between polls, for example ``slicer.app.processEvents``.
            progress: ``progress(done, total, message) -> bool``; False cancels.

        Raises:
            Cancelled: when the job was cancelled.
            TextPromptSegError: when it failed.
        """
        told: tuple[int, int, str] | None = None
        try:
            while not job.finished:
                self.poll()
                state = (job.done, job.total, job.message)
                if progress is not None and state != told and not job.finished:
                    told = state
                    if not progress(*state):
                        self.cancel(job)
                if pump is not None:
                    pump()
                if not job.finished:
                    time.sleep(0.01)
        except BaseException:
            self.cancel(job)  # Ctrl-C in a console must not leave a run behind
            raise
        if job.error is not None:
            raise job.error
        return job.result

    # -- the process ---------------------------------------------------------------------------

    def stop(self, keep_waiting: bool = False) -> None:
        """End the worker and give back all its memory; the next request starts it again."""
        process, self._process = self._process, None
        self._deadline = self._volume_key = None
        running, self._running = self._running, None
        if process is not None:
            self.starts += 1  # what still arrives from the ended process is not listened to
            process.kill()
            process.close()
            for thread in self._threads:
                thread.join(2.0)
            self._threads.clear()
        if self._store is not None:
            self._store.close()
            self._store = None
        jobs = [running] if running is not None else []
        if not keep_waiting:
            jobs += self._waiting
            self._waiting.clear()
        for job in jobs:
            self._finish(job, "cancelled", error=Cancelled("The worker was ended."))

    def _start(self) -> None:
        self._log_lines.clear()
        self.starts += 1
        self._store = ArrayStore()
        try:
            process = ProcessTree(self.command, child_environment(self.environment))
        except TextPromptSegError:
            self._store.close()
            self._store = None
            raise
        self._process = process
        assert process.popen.stdout is not None and process.popen.stderr is not None
        for target, stream in (
            (self._read_messages, process.popen.stdout),
            (self._read_log, process.popen.stderr),
        ):
            thread = threading.Thread(target=target, args=(self.starts, stream), daemon=True)
            thread.start()
            self._threads.append(thread)
        self._write({"type": "configure", "folders": [str(f) for f in self._store.folders]})

    def _read_messages(self, generation: int, stream: BinaryIO) -> None:
        with stream:
            try:
                while (message := read_message(stream)) is not None:
                    self._inbox.put((generation, message))
            except (OSError, ValueError, ProtocolError) as error:
                self._log_lines.append(str(error))
        self._inbox.put((generation, None))

    def _read_log(self, generation: int, stream: BinaryIO) -> None:
        with stream:
            for line in stream:
                text = line.decode("utf-8", errors="replace").rstrip()
                self._log_lines.append(text)
                _log.debug("worker %d: %s", generation, text)

    def _write(self, message: dict[str, Any]) -> None:
        if self._process is None or self._process.popen.stdin is None:
            raise BrokenPipeError
        write_message(self._process.popen.stdin, message)

    def _dispatch(self) -> None:
        while self._running is None and self._deadline is None and self._waiting:
            if self._process is not None and self._process.returncode is not None:
                self.stop(keep_waiting=True)  # it ended while nobody asked it anything
            job = self._waiting.popleft()
            fresh = self._process is None
            self._running, job.state = job, "running"
            try:
                if fresh:
                    self._start()
                known = job.volume is not None and job.request["volume"]["key"] == self._volume_key
                request = wire.with_arrays(job.request, job.volume, job.mask, known, self._store)
                self._write(request)
                if job.volume is not None:
                    self._volume_key = request["volume"]["key"]
                job.asked_idle = None if fresh else time.monotonic()
            except OSError:
                job.asked_idle = None if fresh else time.monotonic()
                self._on_exit()
            except TextPromptSegError as error:
                self._running = None
                self._finish(job, "failed", error=error)

    def _on_message(self, message: dict[str, Any]) -> None:
        kind, job = message.get("type"), self._running
        if kind == "hello" and message.get("protocol") != VERSION:
            self._give_up(OTHER_VERSION)
            return
        if job is None or message.get("id") != job.id:
            return
        job.asked_idle = None
        try:
            self._on_answer(kind, job, message)
        except (ProtocolError, *UNUSABLE) as error:
            self._give_up(f"The worker gave an answer that cannot be used ({error}); try again.")

    def _on_answer(self, kind: Any, job: Job, message: dict[str, Any]) -> None:
        if kind == "progress":
            if not job.finished:
                job.advance(int(message["done"]), int(message["total"]), str(message["message"]))
                self._call(job.on_progress, job)
            return
        if kind == "result":
            self._on_result(job, message)
            return
        self._running = self._deadline = None
        if kind == "cancelled":
            self._finish(job, "cancelled", error=Cancelled("The run was cancelled."))
        else:
            error = wire.error_from_message(message)
            if not (isinstance(error, wire.VolumeMissing) and self._again(job)):
                self._finish(job, "failed", error=error)

    def _again(self, job: Job) -> bool:
        """Ask once more, with the voxels, where a file between the processes is gone."""
        if job.ask_again():
            self._running = self._deadline = self._volume_key = None
            self._waiting.appendleft(job)
        return job.state == "waiting"

    def _give_up(self, sentence: str) -> None:
        """End the process and tell the running job why."""
        job, self._running = self._running, None
        self.stop(keep_waiting=True)
        if job is not None:
            self._finish(job, "failed", error=TextPromptSegError(sentence))

    def _on_result(self, job: Job, message: dict[str, Any]) -> None:
        assert self._store is not None
        store, answer = self._store, message.get("segmentations")
        result: Any = message
        if answer is not None and job.finished:  # cancelled after the worker had answered
            wire.discard(answer, store)
        elif answer is not None:
            try:
                result = [wire.segmentation_from_dict(item, store) for item in answer]
            except ArrayMissing:
                if not self._again(job):
                    raise
                return
            job.info = {k: message.get(k) for k in ("seconds", "device")}
        self._running = self._deadline = None
        self._finish(job, "done", result=result)

    def _on_exit(self) -> None:
        process, job = self._process, self._running
        if process is None:
            self._give_up("The worker could not be started; try again.")
            return
        if job is not None and job.died_before_it_began():
            # The process was ended while it was idle, and had not heard of this job: a new one.
            self._running, job.state, job.asked_idle = None, "waiting", None
            self._waiting.appendleft(job)
            self.stop(keep_waiting=True)
            return
        process.close(timeout=0.5)
        code = process.returncode
        for thread in self._threads:
            thread.join(0.5)  # so that the last line of its log is there
        last = self._log_lines[-1] if self._log_lines else ""
        self._give_up(explain_exit(code, last))

    def _finish(
        self, job: Job, state: str, result: Any = None, error: Exception | None = None
    ) -> None:
        if job.finished:
            return
        job.state, job.result, job.error, job.volume, job.mask = state, result, error, None, None
        self._call(job.on_finished, job)
        job.on_finished = job.on_progress = None

    def _call(self, callback: Callable[[Job], None] | None, job: Job) -> None:
        if callback is None:
            return
        try:
            callback(job)
        except Exception:  # a faulty callback must not stop the pump
            _log.exception("A callback of the worker failed")
