"""The product uses only what PythonQt and Slicer offer; PySide6 would let more pass."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(
    [
        *(ROOT / "TextPromptSeg" / "TextPromptSegGUI").rglob("*.py"),
        *(ROOT / "TextPromptSeg" / "TextPromptSegEffect").glob("*.py"),
        ROOT / "TextPromptSeg" / "TextPromptSeg.py",
    ]
)

OWN = {"error"}  # names of the product's own attributes that Qt happens to use as well


def attribute_names(tree: ast.AST) -> dict[str, int]:
    return {n.attr: n.lineno for n in ast.walk(tree) if isinstance(n, ast.Attribute)}


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_names_exist_in_pythonqt(file: Path) -> None:
    from bed.qt_module import KNOWN, OFFERED

    used = attribute_names(ast.parse(file.read_text()))
    known = KNOWN | OWN
    wrong = {name: line for name, line in used.items() if name in OFFERED and name not in known}
    assert not wrong, f"{file.name}: PythonQt has no {wrong}"


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_connections_name_the_signature(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "connect":
            texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
            named = [a.id for a in node.args if isinstance(a, ast.Name)]
            assert any("(" in t for t in texts) or "signal" in named, ast.unparse(node)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_constructors_take_no_keywords(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            module = getattr(node.func.value, "id", "")
            assert not (module in ("qt", "ctk") and node.keywords), ast.unparse(node)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_product_knows_nothing_of_the_test_bed(file: Path) -> None:
    text = file.read_text()
    for word in ("PySide", "bed.", "offscreen", "__feature__", "qt.Signal"):
        assert word not in text, f"{file.name} mentions {word}"


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_file_scope_imports_are_light(file: Path) -> None:
    allowed = {"qt", "ctk", "slicer", "vtk", "numpy", "SegmentEditorEffects"}
    import sys

    for node in ast.parse(file.read_text()).body:
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            modules = [node.module or ""]
        for module in modules:
            top = module.split(".")[0]
            ours = top.startswith("TextPromptSeg")
            assert ours or top in allowed or top in sys.stdlib_module_names, module


def test_files_stay_readable() -> None:
    long = {f.name: n for f in FILES if (n := len(f.read_text().splitlines())) > 400}
    assert not long


def test_import_of_the_widgets_starts_nothing(slicer) -> None:
    import threading

    before = threading.active_count()
    for file in FILES:
        parts = file.relative_to(ROOT / "TextPromptSeg").with_suffix("").parts
        if parts[0] == "TextPromptSegGUI":
            importlib.import_module(".".join(parts).removesuffix(".__init__"))
    assert threading.active_count() == before
