"""The repository as a product: shipped lists, the Index's checks, size, licence, wheel."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import shipped_files

ROOT = Path(__file__).resolve().parents[3]
FILES = shipped_files.project_files()
CMAKE = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
MEGABYTE = 1024 * 1024


def metadata(name: str) -> str:
    """Return the value of one EXTENSION_ variable as the Index's regular expressions read it."""
    ends = {"EXTENSION_ICONURL": r"[ ]*\)"}.get(name, r"\)")
    found = re.findall(rf'set\s*\({name}\s*"([^"]+)"{ends}', CMAKE)
    assert len(found) == 1, f"{name} is not set once, as one quoted string on one line"
    return found[0]


def png_size(path: Path) -> tuple[int, int]:
    """Return (width, height) in px from the header of a PNG file."""
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n", f"{path.name} is not a PNG file"
    width, height = struct.unpack(">II", head[16:24])
    return width, height


# ---- lists of shipped files ----


def test_lists_follow_the_disk_in_both_directions() -> None:
    lines = shipped_files.differences()
    assert not lines, "run `make lists` and commit what it changes:\n" + "\n".join(lines)


RULES = [
    ["TextPromptSegLib/image/volume.py", "TextPromptSegLib_PYTHON_SCRIPTS"],
    ["TextPromptSegLib/systems/svp_cvae/network.py", "TextPromptSegLib_PYTHON_SCRIPTS"],
    ["TextPromptSegLib/systems/film_unet/recipe.json", "TextPromptSegLib_PYTHON_RESOURCES"],
    ["Resources/Anatomy.json", "TextPromptSegLib_PYTHON_RESOURCES"],
    ["Resources/Checkpoints/x/README.md", "TextPromptSegLib_PYTHON_RESOURCES"],
    ["Resources/Checkpoints/x/model.safetensors", "TextPromptSegLib_PYTHON_RESOURCES"],
    ["TextPromptSeg/TextPromptSeg.py", "MODULE_PYTHON_SCRIPTS"],
    ["TextPromptSeg/TextPromptSegGUI/panel/panel.py", "MODULE_PYTHON_SCRIPTS"],
    ["TextPromptSeg/Resources/UI/TextPromptSeg.ui", "MODULE_PYTHON_RESOURCES"],
    ["TextPromptSeg/TextPromptSegEffect/SegmentEditorEffect.png", "MODULE_PYTHON_RESOURCES"],
    ["Testing/Slicer/TextPromptSegSelfTest.py", "TextPromptSeg_SLICER_TESTS"],
    ["TextPromptSegLib/systems/README.md", None],
    ["TextPromptSegLib/CMakeLists.txt", None],
    ["Resources/Screenshots/demo.png", None],
    ["Resources/Docs/features.md", None],
    ["Resources/ExtensionsIndex/TextPromptSeg.json", None],
    ["Testing/Lib/image/test_volume.py", None],
    ["README.md", None],
]


@pytest.mark.parametrize(("name", "holder"), RULES)
def test_each_kind_of_file_ships_once_or_not_at_all(name: str, holder: str | None) -> None:
    lists = shipped_files.expected_lists([name])
    packaged = [
        key for (file, key), entries in lists.items() if file != "pyproject.toml" and entries
    ]
    assert packaged == ([holder] if holder else [])


def test_every_package_of_the_library_is_in_the_wheel() -> None:
    names = ["TextPromptSegLib/__init__.py", "TextPromptSegLib/a/b/__init__.py"]
    packages = shipped_files.expected_lists(names)["pyproject.toml", "packages"]
    assert packages == ["TextPromptSegLib", "TextPromptSegLib._resources", "TextPromptSegLib.a.b"]


def test_a_missing_and_a_surplus_entry_are_reported_and_written_right(tmp_path: Path) -> None:
    for holder in {holder for holder, _ in shipped_files.expected_lists([])}:
        (tmp_path / holder).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / holder).write_text(
            (ROOT / holder).read_text(encoding="utf-8"), encoding="utf-8"
        )
    expected = shipped_files.expected_lists(FILES)
    wanted = {entry for entries in expected.values() for entry in entries}
    for name in [*FILES, "TextPromptSegLib/forgotten.py"]:
        path = tmp_path / name
        if not path.exists() and (name in wanted or name.startswith("TextPromptSeg")):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    (tmp_path / "TextPromptSegLib/outcome.py").unlink()
    lines = "\n".join(shipped_files.differences(tmp_path))
    assert "TextPromptSegLib_PYTHON_SCRIPTS lacks TextPromptSegLib/forgotten.py" in lines
    assert "names TextPromptSegLib/outcome.py: no such file" in lines

    shipped_files.write_lists(tmp_path)
    assert shipped_files.differences(tmp_path) == []
    assert "forgotten.py" in (tmp_path / "TextPromptSegLib/CMakeLists.txt").read_text()


def test_nothing_collides_in_the_flat_folder_of_scripted_modules() -> None:
    lists = shipped_files.expected_lists(FILES)
    flat = [
        entry
        for (holder, _), entries in lists.items()
        if "Testing" not in holder
        for entry in entries
    ]
    names = [entry.lower() for entry in flat if "/" in entry or entry.endswith(".py")]
    assert len(names) == len(set(names))
    # Slicer tries every .py of the flat folder as a module.
    assert [entry for entry in flat if entry.endswith(".py") and "/" not in entry] == [
        "TextPromptSeg.py"
    ]


# ---- the checks of the Extensions Index ----


def test_metadata_has_the_forms_that_the_index_reads() -> None:
    assert re.findall(r"project\s*\(\s*([^\s\)]+)", CMAKE)[0] == "TextPromptSeg"
    assert metadata("EXTENSION_DEPENDS") == "PyTorch"
    assert metadata("EXTENSION_CATEGORY") == "Segmentation"
    assert re.fullmatch(
        r"[^()]+ \([^()]+\)(, [^()]+ \([^()]+\))*", metadata("EXTENSION_CONTRIBUTORS")
    )
    assert ";" not in metadata("EXTENSION_DESCRIPTION")
    assert "non-commercial" in metadata("EXTENSION_DESCRIPTION")
    assert "\n## NEXT_MODULE\n" in CMAKE, "the Extension Wizard writes there"
    order = [
        "find_package(Slicer REQUIRED)",
        "${Slicer_USE_FILE}",
        "add_subdirectory(TextPromptSegLib)",
        "add_subdirectory(TextPromptSeg)",
        "${Slicer_EXTENSION_GENERATE_CONFIG}",
        "${Slicer_EXTENSION_CPACK}",
    ]
    assert [CMAKE.index(part) for part in order] == sorted(CMAKE.index(part) for part in order)


def test_icon_and_screenshots_are_files_of_this_repository() -> None:
    urls = [metadata("EXTENSION_ICONURL"), *metadata("EXTENSION_SCREENSHOTURLS").split()]
    owner = metadata("EXTENSION_HOMEPAGE").removeprefix("https://github.com/")
    for url in urls:
        match = re.fullmatch(
            rf"https://raw\.githubusercontent\.com/{owner}/main/([^?#]+\.png)", url
        )
        assert match, f"{url} is not a PNG file on the branch main of {owner}"
        assert match[1] in FILES, f"{match[1]} is named in CMakeLists.txt and does not exist"


def test_index_entry_has_only_known_keys() -> None:
    path = ROOT / "Resources/ExtensionsIndex/TextPromptSeg.json"
    assert b"\r" not in path.read_bytes()
    entry = json.loads(path.read_text(encoding="utf-8"))
    known = {"$schema", "category", "scm_url", "scm_revision", "scm_type", "build_dependencies",
             "build_subdirectory", "enabled", "tier"}  # fmt: skip
    assert {"$schema", "category", "scm_url"} <= set(entry) <= known
    assert entry["$schema"].endswith("/slicer-extension-catalog-entry-schema-v1.0.1.json#")
    assert entry["category"] == metadata("EXTENSION_CATEGORY")
    assert entry["build_dependencies"] == metadata("EXTENSION_DEPENDS").split()
    assert entry["scm_url"] == metadata("EXTENSION_HOMEPAGE")
    assert entry["scm_url"].rpartition("/")[2] == "SlicerTextPromptSeg"
    assert entry["scm_revision"] == "main"
    assert entry["tier"] in range(1, 6)


@pytest.mark.parametrize(
    "name",
    [
        "ExtensionIcon.png",
        "TextPromptSeg/Resources/Icons/TextPromptSeg.png",
        "TextPromptSeg/TextPromptSegEffect/SegmentEditorEffect.png",
    ],
)
def test_icons_are_drawn_pictures_of_128_px(name: str) -> None:
    image = pytest.importorskip("PIL.Image").open(ROOT / name).convert("RGBA")
    assert png_size(ROOT / name) == image.size == (128, 128)
    assert len(image.getcolors(128 * 128)) > 300, "the icon is nearly empty"
    assert image.getpixel((0, 0))[3] == 0, "the corners are transparent"


def test_licence_is_the_full_apache_text() -> None:
    text = (ROOT / "LICENSE.txt").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert [int(n) for n in re.findall(r"(?m)^   (\d)\. [A-Z]", text)] == list(range(1, 10))
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_repository_stays_far_below_the_hundred_megabytes_of_the_index() -> None:
    sizes = {name: (ROOT / name).stat().st_size for name in FILES}
    large = {name: size for name, size in sizes.items() if size > 11 * MEGABYTE}
    assert not large, f"files over 11 MB: {large}"
    # what a clone of this commit transfers, however the objects lie here
    packed = subprocess.run(
        ["git", "-C", str(ROOT), "pack-objects", "--revs", "--stdout", "-q"],
        input=b"HEAD\n",
        capture_output=True,
        check=False,
    )
    history = len(packed.stdout) if packed.returncode == 0 else 0  # 0: not in a repository
    total = (sum(sizes.values()) + history) / MEGABYTE
    # The Index counts in the same MiB. No set of weights more fits, only a smaller one in place of
    # another: int8 instead of float16 is as much less here as it is more in the history.
    assert total < 97, f"{total:.0f} MB with the history; the Index refuses 100 MB"


# ---- README, continuous integration, wheel ----


def test_readme_links_lead_to_files_and_its_first_screen_has_picture_and_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first = "\n".join(text.splitlines()[:30])
    assert "make demo" in first
    assert "make test" in first
    assert re.search(r"!\[[^\]]+\]\(Resources/Screenshots/[\w-]+\.png\)", first)
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not missing, f"README links to nothing: {missing}"


CI_CASES = [
    ["3 passed, 1 skipped in 1.23s", 0, "3 passed, 1 skipped in 1.23s"],
    ["==== 1 failed, 2 passed in 61.00s (0:01:01) ====", 2, "1 failed, 2 passed in 61.00s"],
    ["make: *** No rule to make target", 2, "pytest did not reach its closing line"],
]


@pytest.mark.parametrize(("printed", "status", "last"), CI_CASES)
def test_ci_entry_ends_with_pytests_closing_line_and_code(
    tmp_path: Path, printed: str, status: int, last: str
) -> None:
    make = tmp_path / "make"
    make.write_text(f"#!/bin/sh\necho '{printed}'\necho later\nexit {status}\n")
    make.chmod(0o755)
    result = subprocess.run(
        ["bash", str(ROOT / ".ci/run")],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == status
    assert last in result.stdout.splitlines()[-1]


def test_wheel_carries_the_library_its_resources_and_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("setuptools", minversion="77")
    tree = tmp_path / "tree"
    for name in FILES:
        if not name.startswith(("Testing/", "Resources/Screenshots/demo")):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).symlink_to(ROOT / name)
    build = "import sys; from setuptools import build_meta as b; b.build_wheel(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=tree, capture_output=True, check=True
    )
    (wheel,) = tmp_path.glob("textpromptseg-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        entry_points = archive.read(next(n for n in names if n.endswith("entry_points.txt")))
    assert b"textpromptseg = TextPromptSegLib.cli:main" in entry_points

    lists = shipped_files.expected_lists(FILES)
    holder = "TextPromptSegLib/CMakeLists.txt"
    shipped = [entry for (file, _), entries in lists.items() if file == holder for entry in entries]
    wanted = {re.sub("^Resources/", "TextPromptSegLib/_resources/", entry) for entry in shipped}
    module = lists["TextPromptSeg/CMakeLists.txt", "MODULE_PYTHON_SCRIPTS"]
    console = ("TextPromptSegMRML/", "TextPromptSeg.py")
    wanted |= {entry for entry in module if entry.startswith(console)}
    carried = {name for name in names if ".dist-info/" not in name}
    assert carried == wanted
