"""MedSAM3's LoRA: small matrices that are added to those of SAM 3 on import."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from ...checkpoints import catalogue
from ...checkpoints.layout import read_config, verify_weights
from ...checkpoints.stored_weights import unpack
from ...outcome import CheckpointError
from ..registry import make_config
from .config import SAM3Config
from .key_map import fused_name, module_name, without_prefix

if TYPE_CHECKING:
    from torch import Tensor

BASE = "sam3"
"""The checkpoint that it is added to."""
_PART = re.compile(r"(.+?)(?:\.lora)?\.lora_([AB])")
_PREFIX = "sam."


def is_lora(names: Collection[str]) -> bool:
    """Return whether these are the tensors of a LoRA and nothing else."""
    return bool(names) and all(_PART.fullmatch(name) for name in names)


def merged(
    stored: Mapping[str, Tensor], scale: float, file: str
) -> tuple[SAM3Config, dict[str, Tensor], dict[str, str]]:
    """Return SAM 3 with a LoRA added: sizes, tensors of transformers' names, what was left out.

    Args:
        stored: ``<module>.lora_A`` (in, rank) and ``<module>.lora_B`` (rank, out) of the original
            names; the module's output gets scale x input A B.
        scale: alpha over rank, which the file does not say.
        file: its name, for the sentence.

    Raises:
        CheckpointError: when SAM 3 is not on this machine, or the parts do not fit it.
    """
    try:
        folder = catalogue.find(BASE)
    except CheckpointError as error:
        raise CheckpointError(
            f"'{file}' is an addition to SAM 3, which is not on this machine: get that first "
            f"('textpromptseg models download {BASE}', or import its folder with --as {BASE}), "
            "then this again."
        ) from error
    settings = read_config(folder)
    base = unpack(verify_weights(folder, settings), BASE)
    tensors = {key.removeprefix(_PREFIX): value for key, value in base.items()}
    named, left = without_prefix(stored)
    parts: dict[str, dict[str, Tensor]] = {}
    for key, value in named.items():
        match = _PART.fullmatch(key)
        assert match is not None  # `is_lora`
        parts.setdefault(match[1], {})[match[2]] = value.float()
    for module, pair in parts.items():
        for key, change in _changes(module, pair, scale, file).items():
            if key not in tensors or tensors[key].shape != change.shape:
                raise CheckpointError(f"'{file}' does not fit SAM 3: it changes {key}.")
            tensors[key] = tensors[key].float() + change
    return make_config(settings["system"], settings["config"]), tensors, left


def _changes(module: str, pair: Mapping[str, Tensor], scale: float, file: str) -> dict[str, Tensor]:
    """Return what is added to the weights of transformers' modules for one of the original."""
    if set(pair) != {"A", "B"} or pair["A"].shape[-1] != pair["B"].shape[0]:
        raise CheckpointError(f"'{file}' is damaged: the two parts of {module} do not fit.")
    change = scale * (pair["A"] @ pair["B"]).T
    if (attention := fused_name(module)) is not None:
        thirds = change.chunk(3)
        return {f"{attention}.{n}_proj.weight": t for n, t in zip("qkv", thirds, strict=True)}
    return {f"{module_name(module)}.weight": change}
