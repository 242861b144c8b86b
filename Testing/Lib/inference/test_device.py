"""Devices: choice, number format, and the way down when memory runs out."""

from __future__ import annotations

import pytest
import torch

from TextPromptSegLib.inference import device
from TextPromptSegLib.outcome import DeviceError


def test_cpu_is_always_there() -> None:
    assert device.resolve_device("cpu") == torch.device("cpu")
    rows = device.list_devices()
    assert rows[-1].id == "cpu" and rows[-1].precision in ("float32", "bfloat16")
    assert rows[-1].total_bytes is None or rows[-1].total_bytes > (rows[-1].free_bytes or 0) > 0


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "", "cpu:zero", "cuda:99", "mps", "tpu:0"])
def test_names(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    if name == "":
        assert device.resolve_device(name).type == "cpu"
        return
    with pytest.raises(DeviceError, match=r"use|cpu"):
        device.resolve_device(name)


def test_cuda_with_the_most_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    free = [2 << 30, 9 << 30, 5 << 30]
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda index=0: (free[index], 10 << 30))
    assert device.resolve_device("auto") == torch.device("cuda", 1)
    assert device.resolve_device("cuda") == torch.device("cuda", 0)
    assert device.resolve_device("cuda:2") == torch.device("cuda", 2)
    with pytest.raises(DeviceError, match="the last CUDA device is cuda:2"):
        device.resolve_device("cuda:3")


@pytest.mark.parametrize(
    ("capability", "expected"),
    [((9, 0), torch.bfloat16), ((8, 0), torch.bfloat16), ((7, 5), torch.float16), ((6, 1), None)],
)
def test_number_format_of_cuda(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], expected: object
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda where: capability)
    assert device.autocast_dtype("cuda:0") == expected


def test_number_format_of_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    for native in (True, False):
        monkeypatch.setattr(device, "native_bfloat16_cpu", lambda native=native: native)
        assert device.autocast_dtype("cpu") == (torch.bfloat16 if native else None)
    assert device.autocast_dtype("cpu", "float32") is None
    assert device.autocast_dtype("cpu", "float16") == torch.float16
    with pytest.raises(DeviceError, match="precision"):
        device.autocast_dtype("cpu", "int4")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory of elephants"), False),
    ],
)
def test_out_of_memory_is_recognised(error: Exception, expected: bool) -> None:
    assert device.is_out_of_memory(error) is expected


def test_a_real_allocation_that_fails_is_recognised() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert device.is_out_of_memory(caught.value)


def test_ladder() -> None:
    ladder = device.MemoryLadder(torch.device("cuda", 0), None, batch=4, pairs=16)
    seen = []
    for _ in range(20):
        try:
            ladder.step_down()
        except DeviceError:
            break
        seen.append((ladder.pairs, ladder.batch, ladder.dtype, ladder.device.type))
    assert seen[:2] == [(8, 4, None, "cuda"), (4, 4, None, "cuda")]
    assert seen[2:4] == [(2, 2, None, "cuda"), (1, 1, None, "cuda")]
    assert seen[4] == (1, 1, torch.float16, "cuda")
    assert seen[5][3] == "cpu" and len(seen) == 6
    assert len(ladder.steps) == 6 and "moved from cuda:0 to the CPU" in ladder.steps[-1]
