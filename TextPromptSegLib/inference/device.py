"""Where the network runs: device, number format, free memory, the way down when it runs out."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..outcome import DependencyError, DeviceError

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

PRECISIONS = ("auto", "float32", "bfloat16", "float16")


@dataclass(frozen=True)
class DeviceInfo:
    """One device that a person can choose.

    Attributes:
        id: ``cpu``, ``cuda:N`` or ``mps``.
        name: what the maker calls it.
        total_bytes: its memory, bytes; None where the system does not tell.
        free_bytes: memory free now, bytes; None where the system does not tell.
        precision: number format of the network on it: ``bfloat16``, ``float16`` or ``float32``.
    """

    id: str
    name: str
    total_bytes: int | None
    free_bytes: int | None
    precision: str


def _torch() -> Any:
    """Import torch or say how to get it."""
    try:
        import torch
    except ImportError as error:
        raise DependencyError("PyTorch is not installed; install it first.") from error
    return torch


def _system_memory() -> tuple[int | None, int | None]:
    """Return (total, available) memory of the computer, bytes."""
    total: int | None = None
    with contextlib.suppress(AttributeError, ValueError, OSError):
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return total, int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        import psutil
    except ImportError:
        return total, None
    memory = psutil.virtual_memory()
    return int(memory.total), int(memory.available)


def free_memory(device: torch.device | str) -> int | None:
    """Return the memory that is free on a device now, bytes; None where nobody tells."""
    torch = _torch()
    kind = torch.device(device).type
    if kind == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if kind == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return _system_memory()[1]


def list_devices() -> list[DeviceInfo]:
    """Return every device of this computer, the fastest first, with its free memory."""
    torch = _torch()
    found = []
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        free, total = torch.cuda.mem_get_info(index)
        name = torch.cuda.get_device_name(index)
        found.append(_info(f"cuda:{index}", name, int(total), int(free)))
    if torch.backends.mps.is_available():
        total = int(torch.mps.recommended_max_memory())
        found.append(_info("mps", "Apple GPU", total, free_memory("mps")))
    total_ram, free_ram = _system_memory()
    found.append(_info("cpu", f"CPU, {torch.get_num_threads()} threads", total_ram, free_ram))
    return found


def _info(device: str, name: str, total: int | None, free: int | None) -> DeviceInfo:
    """Put one row together."""
    dtype = autocast_dtype(device)
    precision = "float32" if dtype is None else str(dtype).rpartition(".")[2]
    return DeviceInfo(device, name, total, free, precision)


def resolve_device(name: str | torch.device = "auto") -> torch.device:
    """Return the device for ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises:
        DeviceError: when this computer does not have it.
    """
    torch = _torch()
    text = str(name).strip().lower()
    cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if text in ("", "auto"):
        if cuda:
            free = [torch.cuda.mem_get_info(index)[0] for index in range(cuda)]
            return torch.device("cuda", free.index(max(free)))
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    kind, _, index = text.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (index and not index.isdigit()):
        raise DeviceError(f"'{name}' is not a device; use auto, cpu, cuda:N or mps.")
    if kind == "cuda" and not cuda:
        raise DeviceError("This computer has no CUDA device that PyTorch can use; use cpu.")
    if kind == "cuda" and int(index or 0) >= cuda:
        raise DeviceError(f"There is no '{text}'; the last CUDA device is cuda:{cuda - 1}.")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("This computer has no Apple GPU that PyTorch can use; use cpu.")
    if kind == "cuda":
        return torch.device("cuda", int(index or 0))
    return torch.device(kind)


def native_bfloat16_cpu() -> bool:
    """Return whether the CPU multiplies bfloat16 in hardware (AMX, AVX512-BF16, or ARM BF16)."""
    torch = _torch()
    if not torch.backends.mkldnn.is_available():
        return False
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        check = getattr(torch.cpu, name, None)
        if check is not None and check():
            return True
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as text:
            flags = set(text.read(20_000).split())
    except OSError:
        return False
    return bool(flags & {"avx512_bf16", "amx_bf16", "bf16"})


def autocast_dtype(device: torch.device | str, precision: str = "auto") -> torch.dtype | None:
    """Return the reduced number format for a device, None for plain float32.

    Args:
        device: where the network runs.
        precision: ``auto`` takes bfloat16 where the hardware has it, float16 on older CUDA
            devices, float32 elsewhere; or one of ``float32``, ``bfloat16``, ``float16``.

    Raises:
        DeviceError: for an unknown precision.
    """
    torch = _torch()
    if precision not in PRECISIONS:
        raise DeviceError(f"'{precision}' is no precision; use one of {', '.join(PRECISIONS)}.")
    if precision != "auto":
        return None if precision == "float32" else getattr(torch, precision)
    kind = torch.device(device).type
    if kind == "cpu":
        return torch.bfloat16 if native_bfloat16_cpu() else None
    if kind == "cuda":
        major, _ = torch.cuda.get_device_capability(device)
        return torch.bfloat16 if major >= 8 else torch.float16 if major == 7 else None
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error of torch or numpy means that memory ran out."""
    if isinstance(error, MemoryError):
        return True
    if type(error).__name__ in ("OutOfMemoryError", "AcceleratorError"):
        return "memory" in str(error).lower()
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text or "not enough memory" in text
    )


def keep_freed_memory() -> bool:
    """Let this process reuse the memory of one pass for the next (Linux with the GNU C library).

    Without it the maps of every layer are given back to the system and asked for again, page by
    page: a quarter of the time of a compact network on a CPU. The setting holds for the whole
    process, so only the command line and the worker, whose process it is, make it.

    Returns:
        True where it could be set.
    """
    try:
        library = ctypes.CDLL("libc.so.6")
        trim, mmap = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of malloc.h
        return bool(library.mallopt(mmap, 64 << 20)) and bool(library.mallopt(trim, 256 << 20))
    except (OSError, AttributeError):
        return False


def trim() -> None:
    """Give memory that this process freed back to the system, where the C library keeps it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def release_memory(device: torch.device | str) -> None:
    """Give unused memory of a device, and what this process keeps, back to the system."""
    import gc

    gc.collect()
    trim()
    torch = _torch()
    kind = torch.device(device).type
    if kind == "cuda":
        torch.cuda.empty_cache()
    elif kind == "mps":
        torch.mps.empty_cache()


@dataclass
class MemoryLadder:
    """How much is done at once, and the steps down that were taken after running out of memory.

    Attributes:
        device: where the network runs.
        dtype: reduced number format, None for float32.
        batch: slices encoded in one pass.
        pairs: pairs of slice and prompt decoded in one pass.
        steps: what was done after memory ran out, for the provenance.
        side: of the pictures that the network looks at instead of its usual ones, px.
    """

    device: torch.device
    dtype: torch.dtype | None
    batch: int
    pairs: int
    steps: list[str] = field(default_factory=list)
    side: int | None = None

    def step_down(self, smaller: Callable[[], int | None] | None = None) -> None:
        """Take the next step: fewer pairs, smaller batch, half precision, half the size, the CPU.

        Args:
            smaller: makes the network work on smaller pictures, see `PromptedSegmenter`.

        Raises:
            DeviceError: when no step is left.
        """
        torch = _torch()
        if self.pairs > self.batch:
            self.pairs = max(self.batch, self.pairs // 2)
            self.steps.append(f"decoded {self.pairs} slice-prompt pairs per pass")
        elif self.batch > 1:
            self.batch //= 2
            self.pairs = min(self.pairs, self.batch)
            self.steps.append(f"encoded {self.batch} slices per pass")
        elif self.dtype is None and self.device.type in ("cuda", "mps"):
            self.dtype = torch.float16
            self.steps.append("used half precision")
        elif smaller is not None and (side := smaller()) is not None:
            self.side = side
            self.steps.append(f"looked at pictures of {side} px, half the usual side")
        elif self.device.type != "cpu":
            self.steps.append(f"moved from {self.device} to the CPU")
            self.device = torch.device("cpu")
            self.dtype = autocast_dtype(self.device)
        else:
            raise DeviceError(
                "The memory of this computer is not enough for one slice; close other programs "
                "or choose a smaller checkpoint."
            )
        logger.warning("Out of memory: %s.", self.steps[-1])
