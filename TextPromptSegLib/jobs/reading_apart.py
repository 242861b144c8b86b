"""Reading an image in a process of its own: what crashes there is one failed case, not the run.

Headers are checked before native code sees them; this is for what nobody has thought of. The
process stays for the next image and is started again after a crash.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import queue
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .. import outcome
from ..files.leftovers import owned_prefix, sweep
from ..files.messages import ProtocolError, read_message, write_message
from ..files.processes import ProcessTree, child_environment
from ..image.volume import Volume
from ..outcome import Cancelled, InputError, OutputError, Progress, TextPromptSegError

LONGEST_SECONDS = 1800.0
_PREFIX = "textpromptseg-reading-"
_MODULE = "TextPromptSegLib.jobs.reader_process"
_log = logging.getLogger(__name__)


class ReaderProcess:
    """Reads images elsewhere; one at a time, from any thread.

    Args:
        command: how the process is started; tests put in another one.
    """

    def __init__(self, command: list[str] | None = None) -> None:
        self._command = command or [sys.executable, "-m", _MODULE]
        self._lock = threading.Lock()
        self._process: ProcessTree | None = None
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._folder: Path | None = None

    def read(
        self,
        source: Path,
        progress: Progress | None = None,
        longest: float = LONGEST_SECONDS,
        **how: Any,
    ) -> Volume:
        """Read an image as `Volume.read` does.

        Args:
            source: a file or folder.
            progress: called while waiting; False cancels.
            longest: s; after that the image counts as unreadable.
            how: further arguments of `Volume.read`, JSON-ready.

        Raises:
            TextPromptSegError: what is wrong with the image, a crash of its reader included.
            Cancelled: when ``progress`` returned False.
        """
        with self._lock:
            voxels = self._start() / "voxels.npy"
            try:
                answer = self._ask(source, voxels, progress, longest, how)
                return _volume(answer, voxels, source)
            except BaseException as error:
                if not isinstance(error, TextPromptSegError):
                    self._stop()
                raise
            finally:
                with contextlib.suppress(OSError):
                    voxels.unlink(missing_ok=True)

    def close(self) -> None:
        """End the process and remove its folder."""
        with self._lock:
            self._stop()
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder = None

    def _ask(
        self,
        source: Path,
        voxels: Path,
        progress: Progress | None,
        longest: float,
        how: dict[str, Any],
    ) -> dict[str, Any]:
        assert self._process is not None and self._process.popen.stdin is not None
        request = {"path": os.path.abspath(source), "voxels": str(voxels), "how": how}
        with contextlib.suppress(OSError):  # an ended process shows in the answer
            write_message(self._process.popen.stdin, request)
        until = time.monotonic() + longest
        while True:
            if progress is not None and not progress(0, 0, "reading the image"):
                raise Cancelled("reading the image")
            try:
                answer = self._answers.get(timeout=0.1)
                break
            except queue.Empty:
                if time.monotonic() > until:
                    self._stop()
                    raise InputError(
                        f"Reading {source.name} took longer than {longest / 60:.0f} minutes and "
                        "was given up; look at its header."
                    ) from None
        if answer is None:
            process, self._process = self._process, None
            process.close(timeout=0.5)
            raise InputError(
                f"The reader crashed on {source.name} (exit code {process.returncode}): the file "
                "is damaged or of an unusual kind; open and save it with another program."
            )
        return answer

    def _start(self) -> Path:
        """Have a living process and a folder for voxels."""
        if self._process is not None and self._process.returncode is not None:
            self._stop()  # ended while nobody asked it anything
        try:
            if self._folder is None or not self._folder.is_dir():
                sweep(Path(tempfile.gettempdir()), _PREFIX, 24 * 3600.0)
                self._folder = Path(tempfile.mkdtemp(prefix=owned_prefix(_PREFIX)))
        except OSError as error:
            raise OutputError(
                f"There is no room for temporary files ({error.strerror or error}); name a "
                "folder that can be written with the environment variable TMPDIR."
            ) from error
        if self._process is None:
            self._process = ProcessTree(self._command, child_environment())
            self._answers = queue.Queue()
            popen = self._process.popen
            for work, stream in ((_receive, popen.stdout), (_listen, popen.stderr)):
                arguments = (stream, self._answers)
                threading.Thread(target=work, args=arguments, daemon=True).start()
        return self._folder

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.close()


def _receive(stream: BinaryIO, answers: queue.Queue[dict[str, Any] | None]) -> None:
    with stream, contextlib.suppress(OSError, ValueError, ProtocolError):
        while (message := read_message(stream)) is not None:
            answers.put(message)
    answers.put(None)


def _listen(stream: BinaryIO, _answers: queue.Queue[dict[str, Any] | None]) -> None:
    with stream, contextlib.suppress(OSError, ValueError):
        for line in stream:
            _log.debug("reader: %s", line.decode("utf-8", "replace").rstrip())


def _volume(answer: dict[str, Any], voxels: Path, source: Path) -> Volume:
    """Return the image of an answer.

    Raises:
        TextPromptSegError: the one that the answer tells of.
    """
    if "error" in answer:
        kind = getattr(outcome, str(answer["error"]), InputError)
        known = isinstance(kind, type) and issubclass(kind, TextPromptSegError)
        raise (kind if known else InputError)(str(answer["message"]))
    try:
        array = np.load(voxels, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise OutputError(
            f"The voxels of {source.name} did not fit into the folder for temporary files; free "
            "some disk space."
        ) from error
    meta = {k: tuple(v) if isinstance(v, list) else v for k, v in answer["meta"].items()}
    matrix = np.array(answer["matrix"], np.float64)
    return Volume(array, matrix, answer["modality"], str(answer["name"]), meta)


_shared: list[ReaderProcess] = []
_shared_lock = threading.Lock()


def shared_reader() -> ReaderProcess:
    """Return the one reader of this process; it ends with it."""
    with _shared_lock:
        if not _shared:
            _shared.append(ReaderProcess())
            atexit.register(_shared[0].close)
        return _shared[0]
