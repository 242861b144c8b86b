"""A predictor whose network runs in the worker: same methods as `SlicePredictor`, blocking."""

from __future__ import annotations

import atexit
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..image.modality import check_modality
from ..image.volume import Volume
from ..inference.answers import NO_IMAGE, rethreshold
from ..outcome import InputError, Progress
from ..prompting.prompt import Prompt
from ..prompting.prompts import parse_prompts
from ..prompting.segmentation import Segmentation
from . import wire
from .client import WorkerClient

_clients: list[WorkerClient] = []
_volume_numbers = itertools.count(1)


def shared_client() -> WorkerClient:
    """Return the one client of this process: panel, effect, batch and console share its worker.

    The worker is not started before it is asked something, and ends with this process.
    """
    if not _clients:
        client = WorkerClient()
        _clients.append(client)
        atexit.register(client.stop)
    return _clients[0]


class RemotePredictor:
    """What `SlicePredictor` offers, answered by the worker; the caller waits.

    Args:
        model: name or folder of a checkpoint.
        device: "auto", "cpu", "cuda:N" or "mps".
        client: whose worker to ask; None takes the shared one.
        pump: called while waiting, for example ``slicer.app.processEvents``.
    """

    replaces_the_last = True
    """The worker lets go of a checkpoint by itself when it loads another one."""

    def __init__(
        self,
        model: str,
        device: str = "auto",
        client: WorkerClient | None = None,
        pump: Callable[[], None] | None = None,
    ) -> None:
        self.model, self.device = str(model), str(device)
        self.config: Mapping[str, Any] = {}
        self.seconds: dict[str, float] = {}
        self._client = client or shared_client()
        self._pump = pump
        self._volume: tuple[str, Volume] | None = None
        self._region: dict[str, Any] = {}

    @classmethod
    def from_pretrained(cls, name: str, device: str = "auto", **options: Any) -> RemotePredictor:
        """Load a checkpoint in the worker.

        Raises:
            TextPromptSegError: when it cannot be loaded.
        """
        predictor = cls(name, device, **options)
        request = {"type": "load", "model": predictor.model, "device": predictor.device}
        answer = predictor._client.wait(predictor._client.submit(request), predictor._pump)
        predictor.config, predictor.seconds = answer["config"], answer["seconds"]
        return predictor

    def set_volume(
        self,
        volume: Volume,
        roi: Sequence[float] | None = None,
        slices: slice | tuple[int, int] | None = None,
        plane: str | None = None,
        modality: str | None = None,
    ) -> None:
        """Choose the image and the part of it that is searched; it is sent with the next run.

        Raises:
            InputError: for a modality that is not known.
        """
        if self._volume is None or self._volume[1] is not volume:
            self._volume = (f"volume {next(_volume_numbers)}", volume)
        if isinstance(slices, slice):
            slices = (slices.start, slices.stop)
        self._region = {"roi": roi, "slices": slices, "plane": plane}
        self._region["modality"] = check_modality(modality)

    def segment(
        self,
        prompts: str | Prompt | Sequence[str | Prompt],
        threshold: float | None = None,
        samples: int | None = None,
        progress: Progress | None = None,
        free_text: bool = False,
        **hints: Any,
    ) -> list[Segmentation]:
        """Segment what the prompts name; see `SlicePredictor.segment`, ``hints`` included.

        Raises:
            Cancelled: when ``progress`` returned False.
            TextPromptSegError: with a sentence that says what to do.
        """
        if self._volume is None:
            raise InputError(NO_IMAGE)
        key, volume = self._volume
        job = self._client.segment(
            volume,
            parse_prompts(prompts, free_text=free_text),
            model=self.model,
            device=self.device,
            volume_key=key,
            threshold=threshold,
            samples=samples,
            **hints,
            **self._region,
        )
        found: list[Segmentation] = self._client.wait(job, self._pump, progress)
        self.seconds = wire.plain(job.info.get("seconds") or {})
        return found

    def rethreshold(self, segmentation: Segmentation, threshold: float) -> Segmentation:
        """Return an answer at another threshold; neither network nor worker is asked."""
        return rethreshold(segmentation, threshold)

    def unload(self) -> None:
        """End the worker: all memory, that of the GPU too, is given back."""
        self._client.stop()
