"""Which checkpoints there are: shipped, imported, downloadable; import, download, verify, remove.

Nothing here touches the network except `download`, and that only when somebody calls it.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..files.text import read_json
from ..outcome import CheckpointError, Progress
from ..resources import checkpoints_dir, resource_path
from . import encoders, layout, transfer
from .archive import gather, staging
from .memory_estimate import estimate_memory
from .model_info import ModelInfo, VerifyResult
from .user_folder import user_home

logger = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_HUB_ID = re.compile(r"([A-Za-z0-9][\w.-]*)/([A-Za-z0-9][\w.-]*)(?:@([\w.-]+))?")


def user_checkpoints_dir() -> Path:
    """Return the folder of imported and downloaded checkpoints (it may not exist yet)."""
    return user_home() / "checkpoints"


def resolve(source: str | os.PathLike[str]) -> Path:
    """Return the folder of a checkpoint given by name, folder or hub id; uses no network.

    Raises:
        CheckpointError: when it is not on this machine.
    """
    folder = Path(source)
    if (folder / layout.CONFIG).is_file() or (folder / layout.PENDING).is_file():
        return folder
    if folder.is_dir():
        raise CheckpointError(f"'{folder}' is not a checkpoint: it has no {layout.CONFIG}.")
    if folder.is_file():
        raise CheckpointError(
            f"'{folder}' is a file; give the checkpoint's folder, or import a zip with "
            "'textpromptseg models import'."
        )
    return find(str(source))


def find(name: str) -> Path:
    """Return the folder of a checkpoint that is on this machine.

    Args:
        name: name in the catalogue or hub id ``owner/name``.

    Raises:
        CheckpointError: when it is not here; the sentence says how to get it.
    """
    plain = folder_name(name)
    for root in (checkpoints_dir(), user_checkpoints_dir()):
        if (root / plain / layout.CONFIG).is_file():
            return root / plain
    if name in _entries() or _HUB_ID.fullmatch(name):
        raise CheckpointError(
            f"The checkpoint '{name}' is not on this machine; "
            f"run 'textpromptseg models download {name}'."
        )
    known = ", ".join(info.name for info in list_models() if info.folder) or "none"
    raise CheckpointError(f"There is no checkpoint '{name}'; installed are: {known}.")


def folder_name(name: str) -> str:
    """Return the folder that belongs to a name or hub id.

    Raises:
        CheckpointError: for a name that could leave the checkpoints' folder.
    """
    if match := _HUB_ID.fullmatch(name):
        name = f"{match[1]}--{match[2]}"
    if not _NAME.fullmatch(name):
        raise CheckpointError(f"There is no checkpoint '{name}'.")
    return name


def _entries() -> dict[str, dict[str, Any]]:
    """Return the downloadable models of ``Resources/Models.json`` by name."""
    try:
        return {entry["name"]: entry for entry in _table("models")}
    except (KeyError, TypeError) as error:
        raise CheckpointError("Models.json is damaged; install the extension again.") from error


def _table(name: str) -> Any:
    """Return one table of ``Resources/Models.json``."""
    try:
        return read_json(resource_path("Models.json"))[name]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError("Models.json is damaged; install the extension again.") from error


def import_kinds() -> dict[str, str]:
    """Return what may be said of weights that others publish (``--as``) -> whose they are."""
    return dict(_table("imports"))


def entry(name: str) -> dict[str, Any]:
    """Return the row of ``Resources/Models.json`` with a name; empty where there is none."""
    return _entries().get(name, {})


def list_models() -> list[ModelInfo]:
    """Return the shipped, the user's and the downloadable checkpoints, in this order."""
    rows: dict[str, ModelInfo] = {}
    for root, state in ((checkpoints_dir(), "shipped"), (user_checkpoints_dir(), "user")):
        for folder in sorted(root.iterdir()) if root.is_dir() else []:
            if (folder / layout.CONFIG).is_file() and not folder.name.startswith("."):
                rows.setdefault(folder.name, _folder_info(folder, state))
    order = list(_entries())
    for name in order:
        if name not in rows and _downloadable(_entries()[name]):
            rows[name] = _entry_info(_entries()[name])
    place = {name: index for index, name in enumerate(order)}
    return sorted(rows.values(), key=lambda row: place.get(row.name, len(place)))


def _downloadable(entry: Mapping[str, Any]) -> bool:
    """Whether a row names files, or a repository of the model hub."""
    return bool(entry.get("files") or entry.get("hub"))


def show(name: str) -> ModelInfo:
    """Return the catalogue's row for one name or folder.

    Raises:
        CheckpointError: when there is no such checkpoint.
    """
    for row in list_models():
        if row.name == name:
            return row
    folder = resolve(name)
    inside = folder.parent == user_checkpoints_dir()
    return _folder_info(folder, "user" if inside else "folder")


def model_card(name: str) -> str:
    """Return the text of a checkpoint's model card, empty when it has none.

    Raises:
        CheckpointError: when the checkpoint is not on this machine.
    """
    path = resolve(name) / layout.CARD
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _folder_info(folder: Path, state: str) -> ModelInfo:
    """Describe an installed checkpoint; a damaged one gets its problem as a sentence."""
    try:
        config = layout.read_config(folder)
        weights = folder / layout.WEIGHTS
        size = weights.stat().st_size if weights.is_file() else 0
        return ModelInfo(
            name=folder.name if state != "folder" else str(folder),
            title=str(config.get("title", config["name"])),
            state=state,
            folder=folder,
            bytes=size,
            memory_bytes=estimate_memory(config, size),
            problem="" if size else f"It lacks {layout.WEIGHTS}; get it again.",
            **_described(config),
        )
    except CheckpointError as error:
        problem = str(error)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
        # One folder that is not of the form costs one line of the list, not the list.
        logger.debug("A checkpoint cannot be described", exc_info=True)
        problem = f"Its {layout.CONFIG} is damaged ({error}); get the checkpoint again."
    return ModelInfo(folder.name, folder.name, state, folder, problem=problem)


def _entry_info(entry: Mapping[str, Any]) -> ModelInfo:
    """Describe a model that can be downloaded."""
    size = sum(int(file.get("bytes", 0)) for file in entry.get("files", ()))
    size = size or int(entry.get("hub", {}).get("bytes", 0))
    return ModelInfo(
        name=entry["name"],
        title=str(entry.get("title", entry["name"])),
        state="downloadable",
        folder=None,
        bytes=size,
        memory_bytes=estimate_memory(entry, size),
        **_described(entry),
    )


def _described(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that a configuration and a catalogue entry share."""
    licence, trained = config.get("licence", {}), config.get("trained_prompts", {})
    return {
        "system": str(config.get("system", "")),
        "licence": str(licence.get("spdx", "not stated")),
        "licence_line": str(licence.get("line", "")),
        "permissive": licence.get("permissive") is True,
        "modalities": tuple(config.get("modalities", ())),
        "planes": tuple(config.get("planes", ("axial",))),
        "prompts": tuple(name for name in trained if name != layout.ANYTHING),
        "open_vocabulary": layout.ANYTHING in trained or config.get("open_vocabulary") is True,
        "tiers": {name: str(entry["tier"]) for name, entry in trained.items() if "tier" in entry},
        "takes": tuple(config.get("takes", ())),
    }


# --- import, download, verify, remove ------------------------------------------------------


def import_path(
    path: str | os.PathLike[str],
    overwrite: bool = False,
    progress: Progress | None = None,
    *,
    convert: Callable[[Path, Path], Path] | None = None,
) -> ModelInfo:
    """Copy a checkpoint folder or zip into the user's folder after checking it.

    Args:
        path: folder or ``.zip`` with ``config.json`` and ``model.safetensors``.
        overwrite: replace a checkpoint of the same name.
        progress: called while the weights are checked.
        convert: makes a checkpoint of what is none: (path, empty folder) -> folder or zip; see
            `systems.foreign_weights`.

    Raises:
        CheckpointError: when it is no checkpoint, is damaged, is unsafe to unpack, or the name
            is taken.
        Cancelled: when ``progress`` returns False; nothing is left behind.
    """
    with staging(user_checkpoints_dir()) as stage:
        source = Path(path) if convert is None else convert(Path(path), Path(stage))
        folder = gather(source, stage)
        return _install(folder, None, overwrite, progress)


def download(
    name: str,
    overwrite: bool = False,
    progress: Progress | None = None,
    *,
    convert: Callable[[Path, Path], Path] | None = None,
) -> ModelInfo:
    """Fetch a checkpoint of the catalogue, or ``owner/name[@revision]`` from the model hub.

    A broken download is resumed by the next call; nothing counts as installed before its sha256
    is right. What is installed already, and whole, is not fetched again.

    Args:
        name: of the catalogue, or a hub id.
        overwrite: fetch it again.
        progress: called with bytes done and total.
        convert: makes a checkpoint of weights that others publish, see `import_path`.

    Raises:
        CheckpointError: for an unknown name, no connection, or a wrong checksum.
        Cancelled: when ``progress`` returns False; what came so far is kept for resuming.
    """
    plain = folder_name(name)
    entry = _entries().get(name)
    match = _HUB_ID.fullmatch(name)
    if not overwrite and (info := _installed(plain, progress)) is not None:
        if match and match[3]:
            raise CheckpointError(
                f"There is already a checkpoint '{plain}'; remove it first: "
                f"'textpromptseg models remove {plain}'."
            )
        return info
    parts = user_home() / "downloads" / plain
    if entry is not None and entry.get("files"):
        transfer.fetch_files(entry, parts, progress)
    elif entry is not None and (hub := entry.get("hub")):
        size = int(hub.get("bytes", 0))
        transfer.fetch_hub(hub["repo"], hub.get("revision"), parts, progress, hub["files"], size)
    elif match:
        transfer.fetch_hub(f"{match[1]}/{match[2]}", match[3], parts, progress)
    elif (checkpoints_dir() / plain / layout.CONFIG).is_file():
        raise CheckpointError(f"'{name}' ships with the extension; there is nothing to download.")
    else:
        known = ", ".join(key for key, value in _entries().items() if _downloadable(value))
        raise CheckpointError(
            f"'{name}' is not in the catalogue of downloads ({known or 'which is empty'}); "
            "give a name from it or a hub id 'owner/name'."
        )
    with staging(user_checkpoints_dir()) as stage:
        foreign = convert is not None and entry is not None and entry.get("hub")
        source = convert(parts, Path(stage)) if convert is not None and foreign else parts
        info = _install(gather(source, stage), plain, True, progress)
    shutil.rmtree(parts, ignore_errors=True)
    return info


def _installed(plain: str, progress: Progress | None) -> ModelInfo | None:
    """Return the row of a whole checkpoint in the user's folder, None where there is none."""
    folder = user_checkpoints_dir() / plain
    if (folder / layout.CONFIG).is_file() and _verify_folder(plain, folder, progress).ok:
        return _folder_info(folder, "user")
    return None


def verify(name: str | None = None, progress: Progress | None = None) -> list[VerifyResult]:
    """Compare the sha256 of one checkpoint, or of all on this machine, with its configuration.

    The encoders that ship (`encoders`) are checked too; they are no rows of `list_models`.

    Raises:
        CheckpointError: when ``name`` is not on this machine.
    """
    shipped = encoders.shipped_encoders(checkpoints_dir())
    if name is not None:
        folders = {name: shipped[name] if name in shipped else resolve(name)}
    else:
        found = {row.name: row.folder for row in list_models() if row.folder is not None}
        folders = {**found, **shipped}
    return [_verify_folder(key, folder, progress) for key, folder in folders.items()]


def _verify_folder(name: str, folder: Path, progress: Progress | None) -> VerifyResult:
    """Check one folder and put the outcome into a sentence."""
    try:
        if (folder / encoders.CONFIG).is_file():
            encoders.verify_encoder(name, folder, progress)
        else:
            layout.verify_weights(folder, layout.read_config(folder), progress)
    except CheckpointError as error:
        return VerifyResult(name, False, str(error))
    return VerifyResult(name, True, "sha256 is right")


def remove(name: str) -> Path:
    """Delete an imported or downloaded checkpoint; returns the folder that is gone.

    Raises:
        CheckpointError: when it ships with the extension or is not on this machine.
    """
    plain = folder_name(name)
    folder = user_checkpoints_dir() / plain
    if not folder.is_dir():
        if (checkpoints_dir() / plain).is_dir():
            raise CheckpointError(f"'{name}' ships with the extension and is not removed.")
        raise CheckpointError(f"There is no imported or downloaded checkpoint '{name}'.")
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise CheckpointError(
            f"'{folder}' cannot be removed: {error.strerror or error}."
        ) from error
    return folder


def _install(
    folder: Path, name: str | None, overwrite: bool, progress: Progress | None
) -> ModelInfo:
    """Check a gathered checkpoint and move it to its place."""
    config = layout.read_config(folder)
    layout.verify_weights(folder, config, progress)
    name = name or str(config["name"])
    if not _NAME.fullmatch(name):
        raise CheckpointError(f"'{name}' cannot be a checkpoint's name: letters, digits, . _ -")
    if (checkpoints_dir() / name).is_dir():
        raise CheckpointError(f"A checkpoint '{name}' ships with the extension; rename this one.")
    target = user_checkpoints_dir() / name
    if target.exists() and not overwrite:
        raise CheckpointError(
            f"There is already a checkpoint '{name}'; remove it first: "
            f"'textpromptseg models remove {name}'."
        )
    old = folder.parent / ".replaced"
    if target.exists():
        os.replace(target, old)  # inside the staging folder: goes with it
    os.replace(folder, target)
    logger.info("Installed checkpoint %s.", name)
    return _folder_info(target, "user")
