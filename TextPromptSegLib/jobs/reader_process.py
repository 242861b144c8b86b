"""``python -m TextPromptSegLib.jobs.reader_process`` reads images for `reading_apart`."""

from __future__ import annotations

import os
import queue
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..files.messages import ProtocolError, read_message, write_message
from ..files.processes import take_pipes
from ..image.volume import Volume
from ..outcome import TextPromptSegError

_FACTS = ("modality", "name")


def main() -> int:
    """Answer requests on stdin/stdout until stdin ends; then end at once, in mid-reading too."""
    source, target = take_pipes()
    requests: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_receive, args=(source, requests), daemon=True).start()
    while True:
        write_message(target, answer(requests.get()))


def _receive(source: BinaryIO, requests: queue.Queue[dict[str, Any]]) -> None:
    try:
        while (request := read_message(source)) is not None:
            requests.put(request)
    except (OSError, ProtocolError):
        pass  # the other side is gone or broken: there is nobody to answer
    os._exit(0)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Read one image, put its voxels into a file and return the rest of it, or what is wrong.

    Args:
        request: "path", "how" (further arguments of `Volume.read`) and "voxels", where to put them.
    """
    try:
        volume = Volume.read(Path(request["path"]), **request["how"])
        with Path(request["voxels"]).open("xb") as stream:
            np.save(stream, volume.array, allow_pickle=False)
        facts = {name: getattr(volume, name) for name in _FACTS}
        return {**facts, "matrix": volume.ijk_to_ras.tolist(), "meta": dict(volume.meta)}
    except TextPromptSegError as error:
        return {"error": type(error).__name__, "message": str(error)}
    except MemoryError:
        return {"error": "InputError", "message": "The image does not fit into the memory."}
    except Exception as error:  # one sentence for the user; the other side goes on
        text = f"The image cannot be read ({type(error).__name__}: {error})."
        return {"error": "InputError", "message": text}


if __name__ == "__main__":
    sys.exit(main())
