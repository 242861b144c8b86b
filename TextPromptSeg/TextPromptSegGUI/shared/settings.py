"""What is remembered between sessions, under ``TextPromptSeg/`` in Slicer's settings."""

from __future__ import annotations

import json
import os

import qt
import slicer

_HISTORY = 50


def text(key: str, default: str = "") -> str:
    """Return a remembered text."""
    return str(slicer.util.settingsValue(f"TextPromptSeg/{key}", default))


def set_text(key: str, value: str) -> None:
    """Remember a text."""
    qt.QSettings().setValue(f"TextPromptSeg/{key}", value)


def flag(key: str, default: bool = False) -> bool:
    """Return a remembered switch."""
    return bool(
        slicer.util.settingsValue(f"TextPromptSeg/{key}", default, converter=slicer.util.toBool)
    )


def set_flag(key: str, value: bool) -> None:
    """Remember a switch."""
    qt.QSettings().setValue(f"TextPromptSeg/{key}", "true" if value else "false")


def apply_folder() -> None:
    """Let library and worker keep checkpoints in the folder that the user chose, if any."""
    chosen = text("Folder")
    if chosen:
        os.environ["TEXTPROMPTSEG_HOME"] = chosen


def history() -> list[str]:
    """Return the prompts that were run, the latest first."""
    try:
        found = json.loads(text("History", "[]"))
    except (ValueError, RecursionError):
        return []
    return [str(item) for item in found] if isinstance(found, list) else []


def remember_prompt(prompt: str) -> None:
    """Put a prompt in front of the history; the same prompt is kept once."""
    prompt = " ".join(prompt.split())
    known = history()
    if prompt and known[:1] != [prompt]:
        rest = [item for item in known if item != prompt]
        set_text("History", json.dumps([prompt, *rest][:_HISTORY]))


def clear_history() -> None:
    """Forget all prompts."""
    set_text("History", "[]")
