"""The answering side: one thread reads messages, one thread computes, the model stays loaded."""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO

from ..files.messages import VERSION, ProtocolError, read_message, write_message
from ..inference import loading
from ..inference.hints import Hints
from ..outcome import Cancelled, DeviceError, TextPromptSegError
from . import wire
from .arrays import ArrayMissing, ArrayStore

_log = logging.getLogger(__name__)
_PROGRESS_SECONDS = 0.05

PredictorFactory = Callable[..., Any]
"""``factory(model, device=...)`` -> something with the methods of `SlicePredictor`."""


def default_factory(model: str, device: str) -> Any:
    """Load a checkpoint, see `loading`; who misses a package sits in Slicer."""
    remedy = "press Install in the section Dependencies of the module Text Prompt Segmentation"
    return loading.load_predictor(model, device, remedy)


class Server:
    """Answers requests until the other side closes the pipe.

    Args:
        source: where messages come from; its end ends the process.
        target: where answers go.
        factory: makes a predictor; tests put in a small one.
        end_process: called when the other side is gone; by default it ends the process at once,
            even in the middle of a computation.
    """

    def __init__(
        self,
        source: BinaryIO,
        target: BinaryIO,
        factory: PredictorFactory = default_factory,
        end_process: Callable[[], None] | None = None,
    ) -> None:
        self._source, self._target, self._factory = source, target, factory
        self._end_process = end_process or (lambda: os._exit(0))
        self._requests: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._cancelled: set[int] = set()
        self._write_lock = threading.Lock()
        self._store: ArrayStore | None = None
        self._predictor: Any = None
        self._loaded: tuple[str, str] | None = None
        self._volume: tuple[str, Any] | None = None
        self._region: Any = None
        self._last_progress = (0.0, -1)

    def run(self) -> None:
        """Announce this process, then answer until the pipe is closed."""
        threading.Thread(target=self._read, name="messages", daemon=True).start()
        try:
            self._send({"type": "hello", "protocol": VERSION, "pid": os.getpid()})
            while (request := self._requests.get()) is not None:
                self._answer(request)
        except OSError:
            _log.warning("The pipe to the application broke")
        finally:
            # An answer to an application that has gone can fail before the reader sees its end;
            # this thread takes the reader with it, so it clears up too.
            self._clear()

    def _read(self) -> None:
        try:
            while (message := read_message(self._source)) is not None:
                if message.get("type") == "cancel":
                    self._cancelled.add(_ident(message))
                else:
                    self._requests.put(message)
        except (OSError, ValueError, ProtocolError):
            _log.warning("The pipe to the application broke")
        finally:
            # The application is gone: leave nothing behind and do not finish the computation.
            # Whatever went wrong here, a worker that nobody can reach must not stay.
            self._clear()
            self._requests.put(None)
            self._end_process()

    def _clear(self) -> None:
        if self._store is not None:
            self._store.close()

    def _send(self, message: dict[str, Any]) -> None:
        with self._write_lock:
            write_message(self._target, message)

    def _answer(self, request: dict[str, Any]) -> None:
        ident = _ident(request)
        try:
            if ident in self._cancelled:
                raise Cancelled
            answer = self._handle(str(request.get("type")), request)
            self._send({"type": "result", "id": ident, **answer})
        except Cancelled:
            self._send({"type": "cancelled", "id": ident})
        except TextPromptSegError as error:
            self._fail(ident, type(error).__name__, str(error))
        except MemoryError:
            self._fail(ident, DeviceError.__name__, _OUT_OF_MEMORY)
        except Exception as error:  # one sentence for the user, the traceback for the log
            traceback.print_exc(file=sys.stderr)
            if "out of memory" in str(error).lower():
                self._fail(ident, DeviceError.__name__, _OUT_OF_MEMORY)
            else:
                text = (
                    f"The segmentation failed inside the worker ({type(error).__name__}: {error})."
                )
                self._fail(ident, TextPromptSegError.__name__, text)
        finally:
            self._cancelled.discard(ident)
            # Voxels that nobody took: a cancelled run, a model that cannot be loaded.
            if self._store is not None:
                for reference in wire.sent_arrays(request):
                    self._store.discard(reference)

    def _fail(self, ident: int, kind: str, text: str) -> None:
        self._send({"type": "error", "id": ident, "kind": kind, "message": text})

    def _handle(self, kind: str, request: dict[str, Any]) -> dict[str, Any]:
        if kind == "configure":
            self._store = ArrayStore([str(f) for f in request["folders"]])
            return {}
        if kind == "ping":
            return {"model": self._loaded[0] if self._loaded else None}
        if kind == "devices":
            from ..inference.device import list_devices

            return {"devices": [wire.plain(device) for device in list_devices()]}
        if kind == "load":
            predictor = self._model(request)
            return {
                "config": wire.plain(predictor.config),
                "seconds": wire.plain(predictor.seconds),
            }
        if kind == "unload":
            self._unload()
            return {}
        if kind == "segment":
            return self._segment(request)
        if kind == "batch":
            return self._batch(request)
        raise ProtocolError(f"The worker does not know the request {kind!r}.")

    def _unload(self) -> None:
        if self._predictor is not None:
            self._predictor.unload()
        self._predictor = self._loaded = self._volume = self._region = None

    def _model(self, request: dict[str, Any]) -> Any:
        wanted = (str(request["model"]), str(request.get("device") or "auto"))
        if self._loaded != wanted:
            volume = self._volume
            self._unload()
            self._progress(_ident(request), 0, 0, "Loading the model")
            self._predictor, self._loaded = self._factory(wanted[0], device=wanted[1]), wanted
            self._volume = volume
        return self._predictor

    def _segment(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._store is None:
            raise ProtocolError("The worker was not configured.")
        ident = _ident(request)
        started = time.monotonic()
        predictor = self._model(request)
        self._set_volume(predictor, request["volume"], request.get("region") or {})
        hints = Hints.from_dict({**(request.get("hints") or {}), "mask": self._mask(request)})
        results = predictor.segment(
            [wire.prompt_from_dict(p) for p in request["prompts"]],
            threshold=request.get("threshold"),
            samples=request.get("samples"),
            progress=lambda done, total, text: self._progress(ident, done, total, text),
            **hints.options(),
            **({"heat_map": True} if request.get("heat_map") else {}),
        )
        if ident in self._cancelled:
            raise Cancelled
        wanted = tuple(request.get("want") or ("mask", "probability"))
        return {
            "segmentations": [wire.segmentation_to_dict(s, self._store, wanted) for s in results],
            "seconds": {**wire.plain(predictor.seconds), "total": time.monotonic() - started},
            "device": str(getattr(predictor, "device", request.get("device") or "auto")),
        }

    def _batch(self, request: dict[str, Any]) -> dict[str, Any]:
        from ..jobs.batch import run_batch
        from ..jobs.job import RunOptions

        ident = _ident(request)
        own = self._factory is not default_factory
        self._unload()  # the batch loads the model itself; two of them may not fit
        summary = run_batch(
            request["inputs"],
            [wire.prompt_from_dict(p) for p in request["prompts"]],
            request["output_dir"],
            str(request["model"]),
            str(request.get("device") or "auto"),
            resume=bool(request.get("resume")),
            options=RunOptions(threshold=request.get("threshold"), samples=request.get("samples")),
            suffix=str(request.get("suffix") or ".seg.nrrd"),
            progress=lambda done, total, text: self._progress(ident, done, total, text),
            predictor_factory=self._factory if own else None,
        )
        return {"summary": wire.plain(summary.to_dict())}

    def _set_volume(self, predictor: Any, volume: dict[str, Any], region: dict[str, Any]) -> None:
        key = str(volume["key"])
        if self._volume is None or self._volume[0] != key:
            if "array" not in volume:
                raise wire.VolumeMissing("The worker no longer holds this image.")
            try:
                voxels = wire.volume_from_dict(volume, self._store)  # type: ignore[arg-type]
            except ArrayMissing as error:
                raise wire.VolumeMissing(str(error)) from error
            self._volume = (key, voxels)
            self._region = None
        # The model counts too: a new predictor has not seen the volume yet.
        state = (key, id(predictor), repr(sorted(region.items())))
        if self._region != state:
            self._region = None
            predictor.set_volume(self._volume[1], **wire.region_arguments(region))
            self._region = state

    def _mask(self, request: dict[str, Any]) -> Any:
        """Return the mask that a run starts from; None without one."""
        assert self._store is not None
        try:
            return wire.mask_from_dict(sent, self._store) if (sent := request.get("mask")) else None
        except ArrayMissing as error:
            raise wire.VolumeMissing(str(error)) from error

    def _progress(self, ident: int, done: int, total: int, text: str) -> bool:
        now = time.monotonic()
        last, stage = self._last_progress
        if done >= total or total != stage or now - last >= _PROGRESS_SECONDS:
            self._last_progress = (now, total)
            self._send(
                {"type": "progress", "id": ident, "done": done, "total": total, "message": text}
            )
        return ident not in self._cancelled


def _ident(message: dict[str, Any]) -> int:
    """Return the number of a request, -1 where it has none."""
    ident = message.get("id")
    return ident if isinstance(ident, int) else -1


_OUT_OF_MEMORY = (
    "There is too little memory for this run; choose a smaller region, fewer prompts or "
    "another device, or press Unload model and try again."
)
