"""Child processes: started with pipes, ended together with everything that they started."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from ..outcome import DependencyError

_log = logging.getLogger(__name__)
_PACKAGE_PARENT = Path(__file__).resolve().parents[2]


def child_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a child: this package first on the path, UTF-8 everywhere.

    Args:
        base: the environment to start from; by default that of this process.
    """
    environment = dict(os.environ if base is None else base)
    paths = [str(_PACKAGE_PARENT), *filter(None, [environment.get("PYTHONPATH")])]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    environment["PYTHONIOENCODING"] = "utf-8"
    environment["PYTHONUNBUFFERED"] = "1"
    environment.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # the order that nvidia-smi shows
    environment.setdefault("TOKENIZERS_PARALLELISM", "false")
    return environment


class ProcessTree:
    """A child process with pipes, in a process group of its own.

    Args:
        command: the program and its arguments.
        environment: the whole environment of the process.

    Raises:
        DependencyError: when the program cannot be started.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        options: dict[str, object] = {}
        if os.name == "nt":
            hidden = subprocess.STARTUPINFO()  # type: ignore[attr-defined,unused-ignore]
            hidden.dwFlags |= 1  # STARTF_USESHOWWINDOW: no console window
            options["startupinfo"] = hidden
            options["creationflags"] = 0x00000200  # CREATE_NEW_PROCESS_GROUP
        else:
            options["start_new_session"] = True
        try:
            self.popen = subprocess.Popen(  # type: ignore[call-overload]
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environment),
                **options,
            )
        except OSError as error:
            raise DependencyError(
                f"A process could not be started with {Path(command[0]).name}: "
                f"{error.strerror}. Check the Python interpreter in the settings."
            ) from error

    @property
    def pid(self) -> int:
        """Process id of the started program (of the launcher, inside Slicer)."""
        return int(self.popen.pid)

    @property
    def returncode(self) -> int | None:
        """Exit status, or None while the program runs."""
        code = self.popen.poll()
        return None if code is None else int(code)

    def kill(self) -> None:
        """End the whole tree now; PythonSlicer is a launcher, so ending only it is not enough."""
        if os.name == "nt":
            subprocess.run(
                ["taskkill", "/F", "/T", "/PID", str(self.pid)], capture_output=True, check=False
            )
        else:
            # The group id is the pid of the leader, also after the leader itself is gone.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        if self.popen.poll() is None:
            self.popen.kill()

    def close(self, timeout: float = 5.0) -> None:
        """Close the pipes and collect the exit status, so that no zombie is left."""
        if self.popen.stdin is not None:
            with contextlib.suppress(OSError):  # an ended process needs no more messages
                self.popen.stdin.close()
        try:
            self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            self.popen.wait(timeout)


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep stdin and stdout for messages; whatever prints from now on goes to stderr.

    The file descriptor itself is redirected, so that the prints of C libraries are caught too.
    """
    source, target = os.dup(0), os.dup(1)
    if os.name == "nt":
        import msvcrt

        msvcrt.setmode(source, os.O_BINARY)  # type: ignore[attr-defined,unused-ignore]
        msvcrt.setmode(target, os.O_BINARY)  # type: ignore[attr-defined,unused-ignore]
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdin, sys.stdout = io.StringIO(), sys.stderr
    return os.fdopen(source, "rb"), os.fdopen(target, "wb")


def explain_exit(code: int | None, last_line: str = "") -> str:
    """Return the sentence for the user about a worker that ended by itself."""
    if code in (-9, 137):
        reason = (
            "The system ended the segmentation process, most likely because memory ran out. "
            "Choose a smaller region or another device"
        )
    elif code in (-11, -6, 139, 134, 0xC0000005):
        reason = f"The segmentation process crashed (exit code {code})"
    else:
        reason = f"The segmentation process stopped unexpectedly (exit code {code})"
    detail = f" Last message: {last_line.strip()[:200]}" if last_line.strip() else ""
    return f"{reason}; the next run starts it again.{detail}"
