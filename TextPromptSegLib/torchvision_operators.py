"""Makes torchvision importable beside a torch that it was not built for.

open_clip and segment_anything import torchvision, and a torchvision whose compiled library does
not load (built for CUDA, beside a CPU torch) cannot even be imported: it registers shapes for
operators that nobody declared ("operator torchvision::nms does not exist"). This project uses
none of these operators, so declaring them is enough.
"""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

_LIBRARIES: list[object] = []


def declare_torchvision_operators() -> bool:
    """Declare torchvision's two operators where its own library does not load beside this torch.

    Call it before anything imports torchvision. Nothing happens where the real operators load,
    where torchvision is not installed, or when called again.

    Returns:
        True when the operators were declared here.
    """
    spec = find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations or _LIBRARIES:
        return False
    import torch

    for folder in spec.submodule_search_locations:
        for library in sorted(Path(folder).glob("_C*")):
            with suppress(OSError, RuntimeError):
                torch.ops.load_library(str(library))
    if hasattr(torch.ops.torchvision, "nms"):
        return False
    declared = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        declared.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _LIBRARIES.append(declared)  # the declaration lives as long as this object
    return True
