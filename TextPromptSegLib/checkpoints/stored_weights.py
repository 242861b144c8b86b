"""How the numbers of a network lie in its file: as they are, in half precision, or as int8.

An int8 matrix is stored beside the scale of each of its rows (the first axis, the output channels
of a convolution or projection), under the same name with `SCALE` at its end: number = int8 x
scale. Nothing but safetensors is written or read.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..outcome import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

INT8 = "int8"
DTYPES = ("float16", "bfloat16", "float32", INT8)
BYTES = {"float16": 2, "bfloat16": 2, "float32": 4, INT8: 1}
"""Bytes of one number of a large matrix."""
SCALE = ".int8_scale"
SMALLEST = 2048
"""Matrices of fewer numbers keep half precision: they weigh nothing and often end the network."""


def pack(tensors: Mapping[str, Tensor], dtype: str, weights: Container[str] = ()) -> bytes:
    """Return the content of a safetensors file.

    Args:
        tensors: on any device; vectors (normalisation statistics, biases) stay float32.
        dtype: one of `DTYPES`, of the matrices.
        weights: names of those that were learned by gradient; only these become int8, other
            matrices (fixed changes of coordinates) keep half precision.

    Raises:
        CheckpointError: for another dtype, or numbers that are not finite.
    """
    import torch
    from safetensors.torch import save

    if dtype not in DTYPES:
        raise CheckpointError(f"Weights are stored as {', '.join(DTYPES)}, not {dtype!r}.")
    half = getattr(torch, "float16" if dtype == INT8 else dtype)
    stored: dict[str, Tensor] = {}
    places: set[int] = set()
    for key, value in tensors.items():
        value = value.detach().cpu().contiguous()
        if not torch.isfinite(value).all():
            raise CheckpointError(f"The weights hold NaN or infinite numbers, first in {key}.")
        if value.is_floating_point():
            if dtype == INT8 and key in weights and value.ndim > 1 and value.numel() >= SMALLEST:
                stored[key], stored[key + SCALE] = _to_int8(value.float())
                continue
            small = value.to(half) if value.ndim > 1 else value.float()
            value = small if torch.isfinite(small).all() else value.float()
        # a copy only of what shares its memory with something else, which the format does not know
        storage = value.untyped_storage()
        alone = storage.nbytes() == value.numel() * value.element_size()
        if not alone or storage.data_ptr() in places:
            value = value.clone()
        places.add(value.untyped_storage().data_ptr())
        stored[key] = value
    return save(stored, metadata={"format": "pt"})


def unpack(path: Path, name: str) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file, int8 ones as float32.

    Args:
        path: the file.
        name: of the checkpoint, for the sentence.

    Raises:
        CheckpointError: when the file is damaged, or an int8 matrix and its scale do not fit.
    """
    stored = Stored(path, name)
    return {key: stored[key] for key in stored.shapes}


class Stored:
    """The tensors of a safetensors file as they are stored; each is made large when it is taken.

    A network of 10 million numbers takes 10 MB here and 40 MB when all are float32 at once.

    Args:
        path: the file.
        name: of the checkpoint, for the sentence.

    Attributes:
        shapes: name of a tensor -> its shape.

    Raises:
        CheckpointError: when the file is damaged, or an int8 matrix and its scale do not fit.
    """

    def __init__(self, path: Path, name: str) -> None:
        import torch
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            held = load_file(str(path))
        except (SafetensorError, OSError, ValueError, KeyError) as error:
            raise CheckpointError(f"The weights of '{name}' are damaged; get it again.") from error
        scales = {k.removesuffix(SCALE): held.pop(k) for k in list(held) if k.endswith(SCALE)}
        for key, value in held.items():
            scale = scales.get(key)
            if (value.dtype == torch.int8) != (scale is not None):
                raise _misfit(name, key)
            if scale is None:
                continue
            rows = scale.shape == value.shape[:1] and value.ndim > 1
            if not (scale.dtype == torch.float32 and rows and torch.isfinite(scale).all()):
                raise _misfit(name, key)
        if odd := scales.keys() - held.keys():
            raise _misfit(name, min(odd))
        self._held, self._scales = held, scales
        self.shapes = {key: value.shape for key, value in held.items()}

    def __getitem__(self, key: str) -> Tensor:
        """Return one tensor, an int8 one as float32."""
        value, scale = self._held[key], self._scales.get(key)
        if scale is None:
            return value
        return value.float() * scale.view(-1, *[1] * (value.ndim - 1))


def _to_int8(value: Tensor) -> tuple[Tensor, Tensor]:
    """Return the nearest whole numbers in [-127, 127] and the scale of each row."""
    import torch

    rows = value.flatten(1)
    scale = (rows.abs().amax(1) / 127).clamp_min(torch.finfo(torch.float32).tiny)
    whole = (rows / scale[:, None]).round().clamp(-127, 127).to(torch.int8)
    return whole.view(value.shape), scale


def _misfit(name: str, key: str) -> CheckpointError:
    return CheckpointError(
        f"The weights of '{name}' are damaged: the int8 numbers and the scale of {key} do not fit; "
        "get it again."
    )
