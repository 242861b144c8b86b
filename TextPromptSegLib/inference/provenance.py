"""The facts of an answer that go into its provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..checkpoints.quality import quality_of, warning
from ..prompting.clinical_text import name_of
from ..resources import VERSION
from .plausibility import place_of
from .postprocess import rule_for, without_islands

if TYPE_CHECKING:
    from ..image.modality import TakenFor
    from ..image.slice_stack import Block, SliceStack
    from .device import MemoryLadder


def run_facts(
    config: Mapping[str, Any],
    ladder: MemoryLadder,
    stack: SliceStack,
    block: Block,
    roi: Sequence[float] | None,
    taken: TakenFor,
    names: tuple[str, ...],
    notes: tuple[str, ...],
) -> dict[str, Any]:
    """Return the JSON-ready facts of an answer.

    Args:
        config: of the checkpoint.
        ladder: where and how the network ran.
        stack: the image.
        block: the part of it that was searched.
        roi: the region that was asked for, RAS mm.
        taken: what the image was taken for.
        names: what the network was asked.
        notes: sentences for the user.
    """
    asked = tuple(dict.fromkeys(map(name_of, names)))
    quality = quality_of(asked, config["trained_prompts"], taken.modality)
    rule = rule_for(asked, config["trained_prompts"])
    if len(block.slices) > 1:  # one slice does not tell an island from a part
        rule = without_islands(rule, asked)
    return {
        "model": str(config["name"]),
        "weights_sha256": str(config.get("weights_sha256", "")),
        "system": str(config["system"]),
        "text_encoder": str(config["text_encoder"].get("id", "")),
        "version": VERSION,
        "trained_prompts": [name for name in asked if name in config["trained_prompts"]],
        "plane": stack.plane,
        "slices": list(stack.file_numbers(block.slices.start, block.slices.stop)),
        "roi_ras_mm": None if roi is None else list(roi),
        "device": str(ladder.device),
        "precision": "float32" if ladder.dtype is None else str(ladder.dtype).split(".")[-1],
        "memory_steps": list(ladder.steps),
        "modality": taken.modality,
        "modality_guessed": taken.guessed,
        "taken_for": taken.sentence,
        "spacing_mm": [float(v) for v in stack.volume.spacing],
        "voxel_ml": float(stack.volume.voxel_ml),
        "slice_axis": stack.file_axis,
        "postprocess": rule.to_dict(),
        "place": place_of(stack, block),
        "quality": None if quality is None else quality.to_dict(),
        "notes": [*notes, *warning(asked, quality)],
    }
