"""Two images that hold a left and a right organ, for systems that read which one is meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch


def batch_of(encoder: Any, size: int = 64, texts: Sequence[str] = ()) -> dict[str, Any]:
    """Two images with a left and a right square; the text says which one is meant."""
    generator = torch.Generator().manual_seed(1)
    image = 0.2 * torch.rand(2, 1, size, size, generator=generator) + 0.1
    image[..., 16:48, 4:24] += 0.5
    image[..., 16:48, 40:60] += 0.5
    mask = torch.zeros(4, 1, size, size)
    mask[::2, :, 16:48, 4:24] = 1
    mask[1::2, :, 16:48, 40:60] = 1
    return {
        "image": image,
        "index": torch.arange(4) // 2,
        "text": encoder.encode(texts or ("right lung", "left lung") * 2),
        "mask": mask,
        "present": mask.flatten(1).any(1).float(),
        "valid": torch.ones(2, 1, size, size),
    }


def ablation_rows(tables: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    """Return the rows of a paper's ablation tables (``ablations.json``) as parameters."""
    return [
        pytest.param(changes, id=f"{table}-{row}")
        for table, rows in tables.items()
        for row, changes in rows.items()
    ]
