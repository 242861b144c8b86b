"""What a network costs: parameters, operations, time and memory of each part, on this machine.

One multiply-accumulate is one MAC, as papers' tables count; torch's counter counts two operations.
The text is encoded once a prompt, the image once a slice, and each pair of both is decoded once.
"""

from __future__ import annotations

import statistics
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

if TYPE_CHECKING:
    from ..text.features import TextFeatures
    from .loaded_checkpoint import LoadedCheckpoint

PROMPT = "segment the liver"
REPEATS = 3


@dataclass(frozen=True)
class Part:
    """A step, or a module of the network.

    Attributes:
        name: of it.
        parameters: its numbers of weights; buffers are not counted.
        stored: those of them that the checkpoint holds; the others are a named encoder's.
        gmac: billions of multiply-accumulates for one slice and one prompt.
        ms: median time, milliseconds; None for a module inside a step.
        memory_mb: most memory that it took for what it computes, MB; None likewise.
    """

    name: str
    parameters: int
    stored: int
    gmac: float
    ms: float | None = None
    memory_mb: float | None = None


@dataclass(frozen=True)
class Cost:
    """The cost of one slice with one prompt.

    Attributes:
        size: height and width of the slice, px.
        device: where it was measured.
        steps: encoding the text, encoding the slice, decoding.
        modules: the network's own parts, over all steps.
    """

    size: tuple[int, int]
    device: str
    steps: tuple[Part, ...]
    modules: tuple[Part, ...]

    @property
    def measures(self) -> dict[str, float]:
        """Return the totals by the names that tables of papers use.

        ``ms`` and ``fps`` leave the text out: it is encoded once for all slices.
        """
        per_slice = [part.ms for part in self.steps[1:] if part.ms is not None]
        ms = sum(per_slice)
        memory = [part.memory_mb for part in self.steps if part.memory_mb is not None]
        network = sum(part.parameters for part in self.modules)
        gmac = sum(part.gmac for part in self.steps)
        return {
            "parameters_m": network / 1e6,
            "stored_m": sum(part.stored for part in self.modules) / 1e6,
            "text_encoder_m": self.steps[0].parameters / 1e6,
            "gmac": gmac,
            "slice_gmac": sum(part.gmac for part in self.steps[1:]),
            "slice_gflop": 2 * sum(part.gmac for part in self.steps[1:]),
            "ms": ms,
            "fps": 1000 / ms if ms else 0.0,
            "gops": 2 * sum(part.gmac for part in self.steps[1:]) / ms * 1000 if ms else 0.0,
            "memory_mb": max(memory, default=0.0) + 4 * network / 1e6,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return everything JSON-ready."""
        return {**asdict(self), "measures": self.measures}


class _Step(nn.Module):
    """Gives a step of a network the names of its modules while operations are counted."""

    def __init__(self, network: nn.Module, run: Callable[[], Any]) -> None:
        super().__init__()
        self.network = network
        self.run = run

    def forward(self) -> Any:
        return self.run()


def measure_cost(loaded: LoadedCheckpoint, repeats: int = REPEATS) -> Cost:
    """Measure a loaded checkpoint on the device that it lies on, in the size it was trained for.

    Args:
        loaded: the checkpoint.
        repeats: of each timed step, after one that is not timed.
    """
    model, encoder = loaded.model, loaded.text_encoder
    device = next(model.parameters()).device
    spec = loaded.config["input"]
    size = int(spec.get("size", 256))
    size += -size % model.stride
    channels = int(spec.get("in_channels", 1))
    image = torch.rand(1, channels, size, size, device=device)

    def encode_text() -> TextFeatures:
        encoder.forget()
        return model.encode_text(encoder.encode([PROMPT]).to(device))

    with torch.no_grad():
        text = encode_text()
        features = model.encode_image(image)
        steps: tuple[tuple[str, Callable[[], Any]], ...] = (
            ("text encoder, once a prompt", encode_text),
            ("image encoder, once a slice", lambda: model.encode_image(image)),
            ("decoder, once a slice and prompt", lambda: model.decode(features, text)),
        )
        modules: dict[str, float] = dict.fromkeys((name for name, _ in model.named_children()), 0.0)
        parts = []
        for number, (name, run) in enumerate(steps):
            total, shares = count_gmac(model, run)
            for child, gmac in shares.items():
                modules[child] += gmac
            used = [encoder.model] if number == 0 else _used(model, shares)
            parts.append(
                Part(
                    name,
                    _size(used),
                    0,
                    total,
                    _median_ms(run, device, repeats),
                    _peak_mb(run, device),
                )
            )
    stored = _stored(model)
    children = dict(model.named_children())
    inside = [
        Part(name, _size([children[name]]), _size([children[name]], stored), gmac)
        for name, gmac in modules.items()
    ]
    rest = sum(part.gmac for part in parts) - sum(modules.values())
    if rest > 1e-6:
        inside.append(Part("named encoders", 0, 0, rest))
    return Cost((size, size), str(device), tuple(parts), tuple(inside))


def count_gmac(model: nn.Module, run: Callable[[], Any]) -> tuple[float, dict[str, float]]:
    """Return the billions of multiply-accumulates of a step, in all and of each child module."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    fast = torch.backends.mha.get_fastpath_enabled()
    with ExitStack() as stack:
        # one fused operation is none that the counter knows
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        torch.backends.mha.set_fastpath_enabled(False)
        stack.callback(torch.backends.mha.set_fastpath_enabled, fast)
        stack.enter_context(counter)
        _Step(model, run)()
    counts = {name: sum(ops.values()) for name, ops in counter.get_flop_counts().items()}
    shares = {}
    for child, _ in model.named_children():
        inside = f"_Step.network.{child}"
        found = [n for n in counts if n == inside or n.startswith(f"{inside}.")]
        # a module without a forward of its own is the sum of what it holds
        outer = [n for n in found if not any(n.startswith(f"{m}.") for m in found if m != n)]
        if outer:
            shares[child] = sum(counts[name] for name in outer) / 2e9
    return counter.get_total_flops() / 2e9, shares


def _used(model: nn.Module, shares: Mapping[str, float]) -> list[nn.Module]:
    return [module for name, module in model.named_children() if name in shares]


def _size(modules: list[nn.Module], only: set[int] | None = None) -> int:
    """Return the number of weights, each counted once."""
    found = {id(p): p.numel() for module in modules for p in module.parameters()}
    return sum(n for key, n in found.items() if only is None or key in only)


def _stored(model: nn.Module) -> set[int]:
    """Return which weights the checkpoint's file holds."""
    frozen = tuple(getattr(model, "frozen_prefixes", ()))
    return {
        id(p) for name, p in model.named_parameters() if not (frozen and name.startswith(frozen))
    }


def _median_ms(run: Callable[[], Any], device: torch.device, repeats: int) -> float:
    def once() -> float:
        start = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return 1000 * (time.perf_counter() - start)

    once()
    return statistics.median(once() for _ in range(max(1, repeats)))


def _peak_mb(run: Callable[[], Any], device: torch.device) -> float:
    """Return the most memory that a step takes beside what was there before, MB."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        run()
        return (torch.cuda.max_memory_allocated(device) - before) / 1e6
    with torch.no_grad(), _Alive() as alive:
        run()
    return alive.most / 1e6


class _Alive(TorchDispatchMode):
    """Counts the bytes of the tensors that live at once while it is open."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        given = {id(storage) for storage in _storages((args, kwargs))}
        for storage in _storages(result):
            key = id(storage)
            if key in given or key in self._seen:
                continue
            self._seen.add(key)
            self.now += storage.nbytes()
            weakref.finalize(storage, self._gone, key, storage.nbytes())
        self.most = max(self.most, self.now)
        return result

    def _gone(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self.now -= size


def _storages(values: Any) -> list[Any]:
    """Return the storages of all tensors of nested values."""
    leaves = tree_leaves(values)
    return [leaf.untyped_storage() for leaf in leaves if isinstance(leaf, torch.Tensor)]
