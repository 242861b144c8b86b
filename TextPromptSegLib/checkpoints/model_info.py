"""What is known of one checkpoint without loading it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

DEFAULT_MODEL = "film-unet-compact"
"""The checkpoint that is taken where none is named."""


@dataclass(frozen=True)
class ModelInfo:
    """One row of the catalogue.

    Attributes:
        name: what ``-m`` takes.
        title: one line for people.
        state: ``shipped``, ``user`` (imported or downloaded) or ``downloadable``.
        folder: where it is; None when not on this machine.
        system: for example ``film-unet``.
        bytes: size of the weights, bytes; 0 when unknown.
        licence: SPDX expression or short name.
        licence_line: the one line that is shown before use.
        permissive: False asks for one acknowledgement (see `licence`).
        modalities: for example ``("CT", "MR")``.
        planes: slice planes it was trained on.
        prompts: names of the structures it was trained on.
        tiers: how good it is at each of them (see `quality`), where that was measured.
        memory_bytes: estimate of the memory it needs for one volume, bytes.
        open_vocabulary: anything may be asked, in any words.
        takes: what may be asked besides text: ``box``, ``points``, ``samples``, ``heat_map``.
        problem: a sentence when the folder cannot be used, else empty.
    """

    name: str
    title: str
    state: str
    folder: Path | None
    system: str = ""
    bytes: int = 0
    licence: str = ""
    licence_line: str = ""
    permissive: bool = False
    modalities: tuple[str, ...] = ()
    planes: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    tiers: Mapping[str, str] = field(default_factory=dict)
    memory_bytes: int = 0
    open_vocabulary: bool = False
    takes: tuple[str, ...] = ()
    problem: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the row, JSON-ready."""
        return {**asdict(self), "folder": None if self.folder is None else str(self.folder)}


@dataclass(frozen=True)
class VerifyResult:
    """Whether one checkpoint on this machine is whole."""

    name: str
    ok: bool
    message: str
