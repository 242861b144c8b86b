"""Prompts, volumes and results as JSON-ready dictionaries plus arrays of the `ArrayStore`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from .. import outcome as outcomes
from ..files.messages import ProtocolError
from ..image.volume import Volume
from ..outcome import Outcome, TextPromptSegError
from ..prompting.boxed import Boxed, all_kept, kept_of, nothing
from ..prompting.prompt import Prompt
from ..prompting.segmentation import Segmentation
from .arrays import ArrayStore


class VolumeMissing(TextPromptSegError):
    """The worker was asked about an image that it does not hold (it was restarted)."""


def plain(value: Any) -> Any:
    """Return ``value`` as JSON-ready data: dataclasses, enums, paths and numpy numbers included."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, str | int | bool) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, Sequence | set | frozenset):
        return [plain(v) for v in value]
    if isinstance(value, Path):
        return str(value)
    return str(value)


def prompt_to_dict(prompt: Prompt) -> dict[str, Any]:
    """Return every field of a prompt, JSON-ready."""
    return {f.name: _prompt_value(getattr(prompt, f.name)) for f in fields(Prompt)}


def _prompt_value(value: Any) -> Any:
    if isinstance(value, Prompt):
        return {"prompt": prompt_to_dict(value)}
    if isinstance(value, Mapping):
        return {str(k): v for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_prompt_value(v) for v in value]
    return value


def prompt_from_dict(values: Mapping[str, Any]) -> Prompt:
    """Return the prompt that `prompt_to_dict` wrote; unknown fields of a newer side are dropped."""
    known = {f.name for f in fields(Prompt)}
    return Prompt(**{k: _prompt_field(v) for k, v in values.items() if k in known})


def _prompt_field(value: Any) -> Any:
    if isinstance(value, Mapping):
        return prompt_from_dict(value["prompt"]) if set(value) == {"prompt"} else dict(value)
    if isinstance(value, list):
        return tuple(_prompt_field(v) for v in value)
    return value


def volume_to_dict(volume: Volume, store: ArrayStore | None) -> dict[str, Any]:
    """Return a volume as a message; ``store`` None leaves the voxels out (the worker has them)."""
    message: dict[str, Any] = {
        "ijk_to_ras": volume.ijk_to_ras.tolist(),
        "modality": volume.modality,
        "name": volume.name,
        "meta": plain(volume.meta),
    }
    if store is not None:
        message["array"] = store.put(volume.array)
    return message


def volume_from_dict(message: Mapping[str, Any], store: ArrayStore) -> Volume:
    """Return the volume of a message; its voxels are mapped, not copied."""
    return Volume(
        array=store.take(message["array"]),
        ijk_to_ras=np.array(message["ijk_to_ras"], np.float64),
        modality=message.get("modality"),
        name=str(message.get("name", "")),
        meta=dict(message.get("meta") or {}),
    )


def region_arguments(region: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments of ``set_volume`` for a region of a message."""
    arguments: dict[str, Any] = {}
    if region.get("roi") is not None:
        arguments["roi"] = tuple(float(v) for v in region["roi"])
    if region.get("slices") is not None:
        first, last = (None if v is None else int(v) for v in region["slices"])
        arguments["slices"] = slice(first, last)
    if region.get("plane"):
        arguments["plane"] = str(region["plane"])
    if region.get("modality"):
        arguments["modality"] = str(region["modality"])
    return arguments


ARRAYS = ("mask", "probability", "uncertainty", "heat_map")
_CARRIED = (*ARRAYS, "candidates", "prompt")


def segmentation_to_dict(
    result: Segmentation, store: ArrayStore, want: Sequence[str]
) -> dict[str, Any]:
    """Return a result as a message.

    Args:
        result: the answer to one prompt.
        store: where its arrays go.
        want: the arrays to send: "mask", "probability", "uncertainty", "heat_map", "candidates".
    """
    names = [f.name for f in fields(Segmentation) if f.name not in _CARRIED]
    message = {name: plain(getattr(result, name)) for name in names}
    message["prompt"] = prompt_to_dict(result.prompt)
    message["shape"] = list(result.shape)
    for name in ARRAYS:
        array = kept_of(result, name) if name in want else None
        message[name] = None if array is None else _put(array, store)
    masks = all_kept(result.candidates) if "candidates" in want else ()
    message["candidates"] = [_put(mask, store) for mask in masks]
    return message


def segmentation_from_dict(message: Mapping[str, Any], store: ArrayStore) -> Segmentation:
    """Return the result of a message; a mask that was not asked for comes back empty."""
    values: dict[str, Any] = {f.name: message.get(f.name) for f in fields(Segmentation)}
    values["prompt"] = prompt_from_dict(message["prompt"])
    values["outcome"] = Outcome(message["outcome"])
    shape = tuple(message["shape"])
    for name in ARRAYS:
        values[name] = _take(message[name], shape, store) if message.get(name) else None
    masks = message.get("candidates") or ()
    values["candidates"] = tuple(_take(mask, shape, store) for mask in masks)
    if values["mask"] is None:
        values["mask"] = nothing(shape)
    return Segmentation(**values)


def _put(array: Boxed, store: ArrayStore) -> dict[str, Any]:
    """Send the box of an array: an organ, or a preview of one slice, is no whole volume."""
    return {**store.put(array.values), "start": list(array.start)}


def _take(reference: dict[str, Any], shape: Sequence[int], store: ArrayStore) -> Boxed:
    """Return an array of the whole volume; memory is taken only for the part that was sent."""
    part = store.take(reference)
    try:
        return Boxed(shape, reference["start"], part)
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError(f"The worker named an array that cannot be: {error}.") from error


def with_arrays(
    request: Mapping[str, Any],
    volume: Volume | None,
    mask: Boxed | None,
    known: bool,
    store: ArrayStore | None,
) -> dict[str, Any]:
    """Return a request with the image and the mask that a run needs.

    Args:
        request: without arrays.
        volume: the image, or None.
        mask: what the run starts from, or None.
        known: whether the worker holds the image.
        store: where arrays go.
    """
    message = dict(request)
    if volume is not None:
        voxels = volume_to_dict(volume, None if known else store)
        message["volume"] = {**message["volume"], **voxels}
    if mask is not None and store is not None:
        message["mask"] = {**_put(mask, store), "shape_of_all": list(mask.shape)}
    return message


def mask_from_dict(message: Mapping[str, Any], store: ArrayStore) -> Boxed:
    """Return the mask that a run starts from, see `with_arrays`."""
    return _take(dict(message), message["shape_of_all"], store)


def sent_arrays(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the references of all arrays that came with a request."""
    volume = request.get("volume")
    sent = [volume.get("array") if isinstance(volume, Mapping) else None, request.get("mask")]
    return [dict(reference) for reference in sent if isinstance(reference, Mapping)]


def references(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the references of all arrays of a result's message."""
    found = [message[name] for name in ARRAYS if message.get(name)]
    return [*found, *(message.get("candidates") or ())]


def discard(answer: Sequence[Mapping[str, Any]], store: ArrayStore) -> None:
    """Remove the arrays of results that nobody wants any more."""
    for item in answer:
        for reference in references(item):
            store.discard(reference)


def error_from_message(message: Mapping[str, Any]) -> TextPromptSegError:
    """Return the exception that an error message stands for."""
    kind = getattr(outcomes, str(message.get("kind")), None)
    if message.get("kind") == VolumeMissing.__name__:
        kind = VolumeMissing
    if not (isinstance(kind, type) and issubclass(kind, TextPromptSegError)):
        kind = TextPromptSegError
    return kind(str(message.get("message") or "The worker reported an error without a text."))
