"""Checkpoint folders: ``config.json`` + ``model.safetensors`` + ``README.md`` (the model card).

The weights are checked against the configuration's sha256 before anything reads them, every
tensor is accounted for, and no pickle is ever opened.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files.leftovers import owned_prefix, sweep
from ..files.text import read_json
from ..outcome import Cancelled, CheckpointError, OutputError, Progress
from ..resources import checkpoints_dir
from .stored_weights import INT8, pack, unpack

if TYPE_CHECKING:
    import torch

    from ..image.intensity import InputSpec
    from ..systems.base import PromptedSegmenter

logger = logging.getLogger(__name__)

FORMAT, FORMAT_INT8 = 1, 2
"""Of a checkpoint; the second has weights that versions which read only the first do not know."""
CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
REQUIRED = ("name", "system", "config", "input", "text_encoder", "trained_prompts", "licence")
_MOST_PER_BYTE, _MOST_NUMBERS = 4, 4 << 30
_PENDING = CONFIG + ".new"


@dataclass(frozen=True)
class LoadedCheckpoint:
    """A checkpoint in memory.

    Attributes:
        model: the network, in evaluation mode, on its device.
        config: what ``config.json`` says.
        text_encoder: the frozen text encoder that the weights were trained with.
        folder: where it was read from.
    """

    model: PromptedSegmenter
    config: Mapping[str, Any]
    text_encoder: Any
    folder: Path

    @property
    def name(self) -> str:
        """Return the checkpoint's name."""
        return str(self.config["name"])


def sha256_of(path: str | os.PathLike[str], progress: Progress | None = None) -> str:
    """Return the sha256 of a file, hexadecimal, lower case.

    Raises:
        CheckpointError: when the file cannot be read.
        Cancelled: when ``progress`` returns False.
    """
    path = Path(path)
    digest = hashlib.sha256()
    try:
        total, done = path.stat().st_size, 0
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
                done += len(block)
                if progress is not None and not progress(done, total, f"checking {path.name}"):
                    raise Cancelled(f"checking {path.name}")
    except OSError as error:
        raise CheckpointError(f"'{path}' cannot be read: {error.strerror or error}.") from error
    return digest.hexdigest()


def resolve(source: str | os.PathLike[str]) -> Path:
    """Return the folder of a checkpoint given by name, folder or hub id; uses no network.

    Raises:
        CheckpointError: when it is not on this machine.
    """
    folder = Path(source)
    if (folder / CONFIG).is_file() or (folder / _PENDING).is_file():
        return folder
    if folder.is_dir():
        raise CheckpointError(f"'{folder}' is not a checkpoint: it has no {CONFIG}.")
    if folder.is_file():
        raise CheckpointError(
            f"'{folder}' is a file; give the checkpoint's folder, or import a zip with "
            "'textpromptseg models import'."
        )
    from .catalogue import find

    return find(str(source))


def read_config(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the checked content of a checkpoint's ``config.json``.

    Raises:
        CheckpointError: when it is missing, unreadable, of a newer format or incomplete.
    """
    folder = Path(folder)
    _finish_interrupted_save(folder)
    path = folder / CONFIG
    try:
        config = read_json(path)
    except FileNotFoundError as error:
        raise CheckpointError(f"'{folder}' is not a checkpoint: it has no {CONFIG}.") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"'{path}' is damaged; get the checkpoint again.") from error
    check_config(config, str(path))
    return config


def check_config(config: Any, where: str) -> None:
    """Refuse a configuration that this version cannot use.

    Raises:
        CheckpointError: naming what is wrong.
    """
    if not isinstance(config, dict):
        raise CheckpointError(f"'{where}' is not a checkpoint configuration.")
    if config.get("format") not in (FORMAT, FORMAT_INT8):
        raise CheckpointError(
            f"'{where}' has format {config.get('format')!r}; this version reads formats {FORMAT} "
            f"and {FORMAT_INT8}: update TextPromptSeg or the checkpoint."
        )
    missing = [key for key in REQUIRED if key not in config]
    if missing:
        raise CheckpointError(f"'{where}' lacks {', '.join(missing)}; get the checkpoint again.")
    for key in ("config", "input", "text_encoder", "trained_prompts", "licence"):
        if not isinstance(config[key], dict):
            raise CheckpointError(f"'{where}' is damaged: '{key}' is not a table.")
    for key in ("name", "system", "title", "weights_sha256", "weights_dtype"):
        if not isinstance(config.get(key, ""), str):
            raise CheckpointError(f"'{where}' is damaged: '{key}' is not a text.")
    for key in ("modalities", "planes", "takes"):
        values = config.get(key, [])
        if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
            raise CheckpointError(f"'{where}' is damaged: '{key}' is not a list of texts.")


def verify_weights(
    folder: str | os.PathLike[str],
    config: Mapping[str, Any],
    progress: Progress | None = None,
) -> Path:
    """Return the path of the weights after comparing their sha256 with the configuration's.

    Raises:
        CheckpointError: when they are missing or are not the ones that the configuration names.
        Cancelled: when ``progress`` returns False.
    """
    path = Path(folder) / WEIGHTS
    if not path.is_file():
        raise CheckpointError(f"The checkpoint '{config['name']}' lacks {WEIGHTS}; get it again.")
    expected = str(config.get("weights_sha256", "")).lower()
    if not expected:
        raise CheckpointError(f"The checkpoint '{config['name']}' names no sha256; get it again.")
    if sha256_of(path, progress) != expected:
        raise CheckpointError(
            f"The weights of '{config['name']}' are damaged or of another version "
            "(sha256 differs); get the checkpoint again."
        )
    return path


def load(
    source: str | os.PathLike[str],
    device: torch.device | str = "cpu",
    text_encoder: Any = None,
) -> LoadedCheckpoint:
    """Load a checkpoint by name, folder or hub id; nothing is downloaded.

    Args:
        source: name in the catalogue, folder, or ``owner/name`` of a hub download.
        device: where the network goes.
        text_encoder: encoder to use in place of the one that the configuration names.

    Raises:
        CheckpointError: when it is missing, damaged, incomplete or of an unknown system.
        DeviceError: when the device is not there.
    """
    from ..inference.device import resolve_device
    from ..systems.registry import create

    folder = resolve(source)
    config = read_config(folder)
    path = verify_weights(folder, config)
    target = resolve_device(device)
    if folder.parent != checkpoints_dir():  # what ships has been tried
        _check_size(config, path)
    model = create(config["system"], config["config"])
    load_weights(model, path, str(config["name"]))
    if text_encoder is None:
        from ..text import load_text_encoder

        text_encoder = load_text_encoder(config["text_encoder"])
    model.attach_text_encoder(text_encoder)
    model.eval().requires_grad_(False).to(target)
    logger.info("Loaded checkpoint %s (%s).", config["name"], config["system"])
    return LoadedCheckpoint(model, config, text_encoder, folder)


def _check_size(config: Mapping[str, Any], weights: Path) -> None:
    """Refuse sizes that the weights cannot fill, before any memory is taken for them.

    Raises:
        CheckpointError: when the configuration describes a far larger network.
    """
    from ..systems.registry import outline

    model = outline(config["system"], config["config"])
    if model is None:
        return
    trained = sum(value.numel() for value in _trained_tensors(model).values())
    every = sum(value.numel() for value in model.state_dict().values())
    size = weights.stat().st_size
    if trained > _MOST_PER_BYTE * size or every > _MOST_NUMBERS:
        raise CheckpointError(
            f"The configuration of '{config['name']}' describes a network of {every:,} numbers, "
            f"which its weights of {size:,} bytes cannot fill; get the checkpoint again."
        )


def load_weights(model: torch.nn.Module, path: Path, name: str) -> None:
    """Copy the tensors of a safetensors file into a model; every tensor is accounted for.

    Tensors under the model's ``frozen_prefixes`` (named encoders) are not expected in the file.

    Raises:
        CheckpointError: when the file is damaged or does not fit the model.
    """
    stored = unpack(path, name)
    wanted = _trained_tensors(model)
    missing, extra = sorted(set(wanted) - set(stored)), sorted(set(stored) - set(wanted))
    wrong = sorted(k for k in wanted.keys() & stored.keys() if wanted[k].shape != stored[k].shape)
    for what, keys in (("missing", missing), ("unknown", extra), ("of another size", wrong)):
        if keys:
            raise CheckpointError(
                f"The weights of '{name}' do not fit its configuration: {len(keys)} tensors are "
                f"{what}, the first is {keys[0]}."
            )
    model.load_state_dict(stored, strict=False)


def convert(
    source: str | os.PathLike[str], folder: str | os.PathLike[str], dtype: str = INT8
) -> Path:
    """Write a checkpoint again with its numbers stored in another way; the card is copied.

    Args:
        source: name, folder or hub id of the checkpoint.
        folder: where to; may be the same folder.
        dtype: see `save`.

    Raises:
        CheckpointError: when the checkpoint is missing or damaged.
        OutputError: when the folder cannot be written.
    """
    from ..systems.registry import create

    place = resolve(source)
    config = read_config(place)
    path = verify_weights(place, config)
    model = create(config["system"], config["config"])
    load_weights(model, path, str(config["name"]))
    card = place / CARD
    text = card.read_text(encoding="utf-8") if card.is_file() else None
    return save(folder, model, config, dtype, text)


def _trained_tensors(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return the tensors that belong into the checkpoint's file."""
    frozen = tuple(getattr(model, "frozen_prefixes", ()))
    return {k: v for k, v in model.state_dict().items() if not (frozen and k.startswith(frozen))}


def save(
    folder: str | os.PathLike[str],
    model: PromptedSegmenter,
    config: Mapping[str, Any],
    dtype: str = "float16",
    card: str | None = None,
) -> Path:
    """Write a checkpoint folder; a kill at any moment leaves the old or the new one, whole.

    Args:
        folder: where to; made when missing, other files in it stay.
        model: the network; its frozen encoders (``frozen_prefixes``) are not written.
        config: content of ``config.json``; ``format``, ``weights_dtype`` and ``weights_sha256``
            are set here.
        dtype: ``float16``, ``bfloat16``, ``float32`` or ``int8`` of the stored matrices (see
            `stored_weights`); vectors (normalisation statistics, biases) stay float32.
        card: text of the model card ``README.md``; None leaves the one that is there.

    Returns:
        The folder.

    Raises:
        CheckpointError: for a configuration that could not be loaded again.
        OutputError: when the folder cannot be written.
    """
    weights = pack(_trained_tensors(model), dtype, {key for key, _ in model.named_parameters()})
    content = {
        "format": FORMAT_INT8 if dtype == INT8 else FORMAT,
        **{key: value for key, value in config.items() if key != "format"},
        "weights_dtype": dtype,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }
    check_config(content, CONFIG)
    try:
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"The configuration is not JSON: {error}.") from error
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Both files must change together: the new configuration waits under another name until
        # the weights are in place; a reader that finds it there finishes the step.
        write_atomically(folder / _PENDING, text.encode())
        write_atomically(folder / WEIGHTS, weights)
        with contextlib.suppress(FileNotFoundError):  # a reader has finished the step
            os.replace(folder / _PENDING, folder / CONFIG)
        if card is not None:
            write_atomically(folder / CARD, card.encode())
    except OSError as error:
        raise OutputError(f"'{folder}' cannot be written: {error.strerror or error}.") from error
    return folder


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file under a temporary name in the same folder, then put it in place."""
    hidden = f".{path.name}-"
    sweep(path.parent, hidden)
    handle, temporary = tempfile.mkstemp(
        prefix=owned_prefix(hidden), suffix=".tmp", dir=path.parent
    )
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if os.path.getsize(temporary) != len(content):
            raise OSError(errno.ENOSPC, "it was cut off while it was written", str(path))
        os.chmod(temporary, 0o644)  # mkstemp makes it private
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _finish_interrupted_save(folder: Path) -> None:
    """Put a waiting configuration in place when the weights beside it are already its own."""
    pending, weights = folder / _PENDING, folder / WEIGHTS
    if not (pending.is_file() and weights.is_file()):
        return
    try:
        expected = read_json(pending)["weights_sha256"]
        if sha256_of(weights) == expected:
            os.replace(pending, folder / CONFIG)
    except (OSError, ValueError, KeyError, TypeError):
        logger.warning("An interrupted save in %s could not be finished.", folder.name)


def input_spec(config: Mapping[str, Any]) -> InputSpec:
    """Return a checkpoint's description of its input.

    Raises:
        CheckpointError: when it cannot be used.
    """
    from ..image.intensity import InputSpec

    try:
        return InputSpec.from_dict(config["input"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"The checkpoint's input description is unusable: {error}."
        ) from error
