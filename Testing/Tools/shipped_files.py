"""The one rule of which files ship, and the lists in CMake and pyproject.toml that must follow it.

`python Testing/Tools/shipped_files.py` prints what is out of date; `--write` puts it right.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED_FOLDERS = {".git", ".venv", "build", "demo", "dist", "runs"}
NOT_SHIPPED_RESOURCES = ("Resources/Docs/", "Resources/ExtensionsIndex/", "Resources/Screenshots/")


def project_files(root: Path = ROOT) -> list[str]:
    """Return the project's files relative to root: as git sees them, else as they lie on disk."""
    command = ["git", "-C", str(root), "ls-files", "-z", "-co", "--exclude-standard"]
    try:
        found = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        found = [path.relative_to(root).as_posix() for path in root.rglob("*")]
        found = [
            name
            for name in found
            if name.partition("/")[0] not in SKIPPED_FOLDERS
            and "__pycache__" not in name
            and ".egg-info" not in name
        ]
    return sorted({name for name in found if name and (root / name).is_file()})


def _library(files: Iterable[str]) -> list[str]:
    """Files of the library that are needed at run time: no build files, no notes for developers."""
    left_out = {"CMakeLists.txt", "README.md"}
    return [
        name
        for name in files
        if name.startswith("TextPromptSegLib/") and name.rpartition("/")[2] not in left_out
    ]


def expected_lists(files: list[str]) -> dict[tuple[str, str], list[str]]:
    """Return {(file that holds the list, name of the list): entries} for the files of a tree."""
    library = _library(files)
    resources = [
        name
        for name in files
        if name.startswith("Resources/") and not name.startswith(NOT_SHIPPED_RESOURCES)
    ]
    module = [
        name.removeprefix("TextPromptSeg/")
        for name in files
        if name.startswith("TextPromptSeg/")
        and name.rpartition("/")[2] not in {"CMakeLists.txt", "README.md"}
        and not name.endswith(".ts")  # Slicer reads what is compiled of them
    ]
    slicer_tests = [
        name.removeprefix("Testing/Slicer/")
        for name in files
        if re.fullmatch(r"Testing/Slicer/[^/]*Test\.py", name)
    ]
    bridge = [name for name in module if name.startswith("TextPromptSegMRML/")]
    packages = {
        Path(name).parent.as_posix().replace("/", ".")
        for name in library + bridge
        if name.endswith(".py")
    }
    packages.add("TextPromptSegLib._resources")

    def python(names: list[str], wanted: bool) -> list[str]:
        return [name for name in names if name.endswith(".py") is wanted]

    return {
        ("TextPromptSegLib/CMakeLists.txt", "TextPromptSegLib_PYTHON_SCRIPTS"): python(
            library, True
        ),
        ("TextPromptSegLib/CMakeLists.txt", "TextPromptSegLib_PYTHON_RESOURCES"): (
            python(library, False) + resources
        ),
        ("TextPromptSeg/CMakeLists.txt", "MODULE_PYTHON_SCRIPTS"): python(module, True),
        ("TextPromptSeg/CMakeLists.txt", "MODULE_PYTHON_RESOURCES"): python(module, False),
        ("Testing/Slicer/CMakeLists.txt", "TextPromptSeg_SLICER_TESTS"): slicer_tests,
        ("pyproject.toml", "packages"): sorted(packages),
    }


def _pattern(holder: str, name: str) -> re.Pattern[str]:
    if holder.endswith(".toml"):
        return re.compile(rf"(?m)^(?P<head>{name} = \[)(?P<body>[^\]]*)(?P<tail>\])")
    return re.compile(rf"(?m)^(?P<head>set\({name}\b)(?P<body>[^)]*)(?P<tail>\))")


def read_list(text: str, holder: str, name: str) -> list[str]:
    """Return the entries of one list in the text of a CMake file or of pyproject.toml.

    Raises:
        ValueError: when the text holds no such list.
    """
    match = _pattern(holder, name).search(text)
    if match is None:
        raise ValueError(f"{holder} has no list {name}")
    body = re.sub(r"#.*", "", match["body"]).replace("${MODULE_NAME}", "TextPromptSeg")
    return re.findall(r'[^\s",]+', body)


def write_list(text: str, holder: str, name: str, entries: list[str]) -> str:
    """Return the text with the entries of one list replaced."""
    if holder.endswith(".toml"):
        body = "".join(f'\n  "{entry}",' for entry in entries) + "\n"
    else:
        body = "".join(f"\n  {entry}" for entry in entries) + "\n  "
    return _pattern(holder, name).sub(lambda m: m["head"] + body + m["tail"], text, count=1)


def differences(root: Path = ROOT) -> list[str]:
    """Return one line for each file that a list lacks, or that a list names for nothing."""
    lines = []
    for (holder, name), expected in expected_lists(project_files(root)).items():
        listed = read_list((root / holder).read_text(encoding="utf-8"), holder, name)
        lines += [f"{holder}: {name} lacks {entry}" for entry in expected if entry not in listed]
        lines += [
            f"{holder}: {name} names {entry}: no such file"
            for entry in listed
            if entry not in expected
        ]
        if len(set(listed)) != len(listed):
            lines.append(f"{holder}: {name} names a file twice")
    return lines


def write_lists(root: Path = ROOT) -> None:
    """Put every list of the tree right."""
    for (holder, name), expected in expected_lists(project_files(root)).items():
        path = root / holder
        text = path.read_text(encoding="utf-8")
        path.write_text(write_list(text, holder, name, expected), encoding="utf-8", newline="\n")


def main(arguments: list[str]) -> int:
    """Print the differences, or with --write put the lists right."""
    if "--write" in arguments:
        write_lists()
    lines = differences()
    print("\n".join(lines) or "The lists of shipped files are up to date.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
