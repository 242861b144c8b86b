"""MRML without Qt: volume nodes in, segments out; the same in Slicer and headless."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC = {
    "volume_from_node": "volumes",
    "write_segment": "segments",
    "write_segments": "segments",
    "WrittenSegment": "written",
    "SavedState": "editing",
    "headless_scene": "scene",
    "RunGuard": "scene",
    "segment_sequence": "sequences",
    "segment_node": "runs",
    "write_run": "runs",
    "new_segmentation": "runs",
    "box_of_roi": "roi",
    "read_provenance": "provenance",
}

__all__ = [*_PUBLIC]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used; importing the package costs nothing."""
    if name in _PUBLIC:
        return getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
