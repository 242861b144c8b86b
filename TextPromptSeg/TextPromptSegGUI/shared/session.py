"""The worker that effect, panel and batch share, and the timer that listens to it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import qt
import slicer
import slicer.util

from TextPromptSegLib.worker.client import Job, WorkerClient
from TextPromptSegLib.worker.process import default_command
from TextPromptSegLib.worker.remote import shared_client

from . import settings
from .dependencies import is_program

_INTERVAL_MS = 30

_sessions: list[Session] = []


def session() -> Session:
    """Return the one session of this application; nothing is started by asking for it."""
    if not _sessions:
        _sessions.append(Session())
    return _sessions[0]


class Session:
    """One worker for all widgets. The timer runs only while the worker has something to do."""

    def __init__(self, client: WorkerClient | None = None) -> None:
        """Prepare; the worker starts with the first request."""
        settings.apply_folder()
        self.client = client or shared_client()
        if client is None:
            configure(self.client)
        self.devices: list[dict[str, Any]] = []
        self._listeners: list[Callable[[], None]] = []
        self._loading: tuple[str, str] | None = None
        self._timer = qt.QTimer()
        self._timer.interval = _INTERVAL_MS
        self._timer.connect("timeout()", self._poll)
        slicer.app.connect("aboutToQuit()", self.close)

    # -- work ----------------------------------------------------------------------------------

    def watch(self, job: Job) -> Job:
        """Listen to the worker until it is idle; a job that failed at once is reported at once."""
        if self.client.active and not self._timer.active:
            self._timer.start()
        return job

    def submit(
        self, request: dict[str, Any], on_finished: Callable[[Job], None] | None = None
    ) -> Job:
        """Ask the worker something that is no segmentation."""
        return self.watch(self.client.submit(request, on_finished))

    def cancel(self, job: Job) -> None:
        """Give up a job; the widgets are free again when this returns."""
        self.client.cancel(job)

    def warm_up(self, model: str, device: str) -> Job | None:
        """Load a checkpoint in the background, so that the first preview does not wait for it.

        Returns:
            The loading, None when it is loaded already or the worker is busy.
        """
        if self._loading == (model, device) or self.client.active:
            return None
        self._loading = (model, device)
        return self.submit({"type": "load", "model": model, "device": device})

    def find_devices(self) -> None:
        """Ask the worker for the devices of this computer and their free memory."""
        self.submit({"type": "devices"}, self._devices_found)

    def unload(self) -> None:
        """End the worker: all memory, that of the GPU too, is given back."""
        self.client.stop()
        self._loading = None
        self._timer.stop()
        self._tell()

    def close(self) -> None:
        """End the worker and the timer; called when the application quits."""
        self.unload()
        self._listeners.clear()

    # -- listeners -------------------------------------------------------------------------------

    def listen(self, listener: Callable[[], None]) -> None:
        """Call a function when devices, checkpoints or the state of the worker have changed."""
        self._listeners.append(listener)

    def forget(self, listener: Callable[[], None]) -> None:
        """Stop calling a function."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def changed(self) -> None:
        """Tell the listeners, for example after a checkpoint was imported."""
        self._tell()

    @property
    def busy(self) -> bool:
        """Whether a job is waiting or running."""
        return self.client.active

    def _poll(self) -> None:
        self.client.poll()
        if not self.client.active:
            self._timer.stop()
            if not self.client.alive:
                self._loading = None
            self._tell()

    def _devices_found(self, job: Job) -> None:
        if job.state == "done":
            self.devices = list(job.result["devices"])
            self._tell()

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()


def configure(client: WorkerClient) -> None:
    """Choose the interpreter of the worker: Slicer's own, or one that the user set.

    ``PythonSlicer`` makes its own environment. Another interpreter must not see Slicer's
    libraries, so it gets the environment that Slicer itself was started with.
    """
    own = settings.text("PythonExecutable")
    if is_program(own):
        client.command = default_command(own)
        client.environment = slicer.util.startupEnvironment()
    else:
        client.command = default_command(shutil.which("PythonSlicer"))
        client.environment = None
