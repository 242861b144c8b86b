"""The first answer waits for no package that only training needs."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import TextPromptSegLib
from TextPromptSegLib.systems import registry
from TextPromptSegLib.systems.film_unet import FiLMUNet, FiLMUNetConfig

LIBRARY = Path(TextPromptSegLib.__file__).parent
HEAVY = {
    "dask",
    "distributed",
    "highdicom",
    "huggingface_hub",
    "lightning",
    "matplotlib",
    "monai",
    "open_clip",
    "peft",
    "segment_anything",
    "tensorboard",
    "torchvision",
    "transformers",
}


def packages_at_import(path: Path) -> set[str]:
    """Return the packages that a module imports as soon as it is imported itself."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).partition(".")[0])
    return found


def test_heavy_packages_are_imported_where_they_are_used() -> None:
    """MONAI takes as long as the rest of the first answer, and nothing but losses needs it."""
    wrong = {
        str(path.relative_to(LIBRARY)): packages_at_import(path) & HEAVY
        for path in LIBRARY.rglob("*.py")
        if path.relative_to(LIBRARY).parts[0] != "training"
    }
    assert {name: found for name, found in wrong.items() if found} == {}


def test_a_sentence_encoder_needs_no_transformers() -> None:
    """It is the longest import of all; SAM 3 and the networks of open_clip need it."""
    folders = ("text", "systems/film_unet", "inference", "checkpoints", "nn")
    imports = re.compile(r"^\s*(?:from|import) transformers\b", re.MULTILINE)
    files = [path for folder in folders for path in (LIBRARY / folder).rglob("*.py")]
    assert len(files) > 50
    assert [p.name for p in files if imports.search(p.read_text(encoding="utf-8"))] == []


def test_only_the_system_that_is_asked_for_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    imported: list[str] = []

    def import_module(name: str) -> None:
        imported.append(name)
        registry.register("film-unet", FiLMUNetConfig, FiLMUNet)

    monkeypatch.setattr(registry, "_SYSTEMS", {})
    monkeypatch.setattr(registry, "import_module", import_module)
    assert registry.make_config("film-unet", {}).loss == "dice"
    assert imported == ["TextPromptSegLib.systems.film_unet"]
