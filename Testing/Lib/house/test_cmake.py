"""The CMake files, configured and installed for real against a small stand-in for Slicer's macros.

The stand-in follows CMake/SlicerMacroBuildScriptedModule.cmake and SlicerMacroPythonTesting.cmake
of github.com/Slicer/Slicer and CMake/ctkMacroCompilePythonScript.cmake of github.com/commontk/CTK:
the same argument names, refusals and destinations, installing without a build.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest
import shipped_files

ROOT = Path(__file__).resolve().parents[3]
FLAT = "lib/Slicer-5.13/qt-scripted-modules"

SLICER_CONFIG = f"""
set(Slicer_USE_FILE "${{CMAKE_CURRENT_LIST_DIR}}/UseSlicer.cmake")
set(Slicer_EXTENSION_GENERATE_CONFIG "${{CMAKE_CURRENT_LIST_DIR}}/Empty.cmake")
set(Slicer_EXTENSION_CPACK "${{CMAKE_CURRENT_LIST_DIR}}/CPack.cmake")
set(Slicer_QTSCRIPTEDMODULES_LIB_DIR "{FLAT}")
set(Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR "{FLAT}")
"""

USE_SLICER = """
macro(ctkMacroCompilePythonScript)
  cmake_parse_arguments(CTK "NO_INSTALL_SUBDIR;GLOBAL_TARGET"
    "TARGET_NAME;SOURCE_DIR;DESTINATION_DIR;INSTALL_DIR" "SCRIPTS;RESOURCES" ${ARGN})
  foreach(name TARGET_NAME SCRIPTS DESTINATION_DIR INSTALL_DIR)
    if(NOT CTK_${name})
      message(FATAL_ERROR "${name} is mandatory")
    endif()
  endforeach()
  if(CTK_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "unknown arguments ${CTK_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT CTK_SOURCE_DIR)
    set(CTK_SOURCE_DIR ${CMAKE_CURRENT_SOURCE_DIR})
  endif()
  set(CTK_ROOT ${CTK_INSTALL_DIR})
  if(NOT CTK_NO_INSTALL_SUBDIR)
    get_filename_component(CTK_LAST ${CTK_DESTINATION_DIR} NAME)
    set(CTK_ROOT ${CTK_INSTALL_DIR}/${CTK_LAST})
  endif()
  foreach(file ${CTK_SCRIPTS} ${CTK_RESOURCES})
    if(NOT EXISTS ${CTK_SOURCE_DIR}/${file})
      message(FATAL_ERROR "nonexistent file '${file}'")
    endif()
    get_filename_component(CTK_FOLDER ${file} DIRECTORY)
    install(FILES ${CTK_SOURCE_DIR}/${file} DESTINATION ${CTK_ROOT}/${CTK_FOLDER})
  endforeach()
  add_custom_target(Compile${CTK_TARGET_NAME}PythonFiles)
endmacro()

macro(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(MOD "WITH_GENERIC_TESTS;WITH_SUBDIR;VERBOSE" "NAME"
    "SCRIPTS;RESOURCES" ${ARGN})
  if(MOD_UNPARSED_ARGUMENTS OR NOT MOD_NAME)
    message(FATAL_ERROR "unknown arguments ${MOD_UNPARSED_ARGUMENTS}")
  endif()
  ctkMacroCompilePythonScript(TARGET_NAME ${MOD_NAME} SCRIPTS "${MOD_SCRIPTS}"
    RESOURCES "${MOD_RESOURCES}" NO_INSTALL_SUBDIR
    DESTINATION_DIR ${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR}
    INSTALL_DIR ${Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR})
endmacro()

macro(slicer_add_python_unittest)
  cmake_parse_arguments(UT "" "TESTNAME_PREFIX;SCRIPT" "SLICER_ARGS" ${ARGN})
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${UT_SCRIPT})
    message(FATAL_ERROR "nonexistent test '${UT_SCRIPT}'")
  endif()
  message(STATUS "unittest=${UT_SCRIPT}")
endmacro()
"""

CPACK = """
foreach(name README_FILE LICENSE_FILE)
  if(NOT EXISTS ${EXTENSION_${name}})
    message(FATAL_ERROR "EXTENSION_${name} points to nothing")
  endif()
endforeach()
foreach(name HOMEPAGE CATEGORY CONTRIBUTORS DESCRIPTION ICONURL SCREENSHOTURLS DEPENDS TIER)
  message(STATUS "${name}=${EXTENSION_${name}}")
endforeach()
"""

pytestmark = pytest.mark.skipif(
    not (which("cmake") and which("cc") and which("c++")), reason="cmake or a compiler is absent"
)


@pytest.fixture(scope="module")
def slicer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that find_package(Slicer) accepts."""
    folder = tmp_path_factory.mktemp("slicer")
    files = {"SlicerConfig": SLICER_CONFIG, "UseSlicer": USE_SLICER, "CPack": CPACK, "Empty": ""}
    for name, text in files.items():
        (folder / f"{name}.cmake").write_text(text, encoding="utf-8")
    return folder


def configure(source: Path, build: Path, slicer: Path, *, tests: bool = False) -> str:
    """Configure the extension and return what CMake said."""
    command = [
        "cmake", "-S", str(source), "-B", str(build), f"-DSlicer_DIR={slicer}",
        f"-DBUILD_TESTING={'ON' if tests else 'OFF'}",
        # Nothing is compiled, so the compilers need no trial.
        "-DCMAKE_C_COMPILER_WORKS=1", "-DCMAKE_CXX_COMPILER_WORKS=1",
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def installed(slicer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The flat folder of scripted modules after an installation of the extension."""
    build, prefix = tmp_path_factory.mktemp("build"), tmp_path_factory.mktemp("prefix")
    configure(ROOT, build, slicer)
    command = ["cmake", "--install", str(build), "--prefix", str(prefix)]
    subprocess.run(command, capture_output=True, check=True)
    return prefix / FLAT


def test_metadata_reach_cmake_and_every_slicer_test_is_registered(
    slicer: Path, tmp_path: Path
) -> None:
    said = configure(ROOT, tmp_path, slicer, tests=True)
    assert "DEPENDS=PyTorch" in said
    assert "CATEGORY=Segmentation" in said
    lists = shipped_files.expected_lists(shipped_files.project_files())
    for script in lists["Testing/Slicer/CMakeLists.txt", "TextPromptSeg_SLICER_TESTS"]:
        assert f"unittest={script}" in said


def test_installation_holds_every_shipped_file_and_no_other(installed: Path) -> None:
    lists = shipped_files.expected_lists(shipped_files.project_files())
    wanted = {
        entry
        for (holder, _), entries in lists.items()
        if holder.startswith("TextPromptSeg")
        for entry in entries
    }
    found = {
        path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()
    }
    assert found == wanted


@pytest.fixture(params=["source tree", "installed flat"])
def way(request: pytest.FixtureRequest) -> tuple[list[Path], Path, Path]:
    """One way of running: what lies on the path, the folder of the library, that of the module."""
    if request.param == "source tree":
        return [ROOT, ROOT / "TextPromptSeg"], ROOT, ROOT / "TextPromptSeg"
    flat = request.getfixturevalue("installed")
    return [flat], flat, flat


def run_there(folders: list[Path], code: str) -> list[str]:
    """Return the lines that code prints in an interpreter that finds our packages only there."""
    start = (
        f"import sys; sys.dont_write_bytecode = True; sys.path[:0] = {[str(f) for f in folders]}\n"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-c", start + code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_both_ways_find_the_library_its_resources_and_its_checkpoints(
    way: tuple[list[Path], Path, Path],
) -> None:
    folders, library, _ = way
    package, anatomy, prompts, *shipped = run_there(
        folders,
        "import TextPromptSegLib, TextPromptSegLib.resources as resources\n"
        "from TextPromptSegLib.checkpoints.catalogue import list_models\n"
        "print(TextPromptSegLib.__file__); print(resources.resource_path('Anatomy.json'))\n"
        "print(len(TextPromptSegLib.parse_prompts('left kidney, spleen')))\n"
        "for m in list_models(): print(m.name, m.folder if m.state == 'shipped' else '')",
    )
    assert Path(package) == library / "TextPromptSegLib/__init__.py"
    assert Path(anatomy) == library / "Resources/Anatomy.json"
    assert prompts == "2"
    assert f"film-unet-compact {library / 'Resources/Checkpoints/film-unet-compact'}" in shipped


def test_both_ways_find_what_ships_with_the_module(way: tuple[list[Path], Path, Path]) -> None:
    """Widgets in folders of folders still look for their resources beside the module's file."""
    folders, _, module = way
    lines = run_there(
        folders,
        "from unittest.mock import MagicMock\n"
        "names = 'qt ctk vtk slicer slicer.i18n slicer.util slicer.parameterNodeWrapper vtk.util'\n"
        "sys.modules.update({name: MagicMock() for name in names.split()})\n"
        "from TextPromptSegGUI.shared import dependencies, sample_data\n"
        "import TextPromptSegGUI.effect.controller, TextPromptSegGUI.panel.segment_section\n"
        "print(dependencies.__file__); print(dependencies.REQUIREMENTS); print(sample_data.FOLDER)",
    )
    assert [Path(line) for line in lines] == [
        module / "TextPromptSegGUI/shared/dependencies.py",
        module / "Resources/requirements.txt",
        module / "Resources/SampleData",
    ]
    assert all(Path(line).exists() for line in lines)


def test_effect_and_panel_work_where_they_are_installed(installed: Path, tmp_path: Path) -> None:
    """The scenarios of Testing/Slicer on the test bed, with nothing of the source tree in reach."""
    pytest.importorskip("PySide6", reason="the test bed needs PySide6-Essentials")
    pytest.importorskip("slicer", reason="the test bed needs slicer-core")
    folders = [installed, *(ROOT / "Testing" / f for f in ("Lib/support", "Tools", "Benchmarks"))]
    command = [
        sys.executable, "-B", "-c", "import sys, pytest; sys.exit(pytest.main())",
        "-q", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml"),
        "-o", f"pythonpath={' '.join(map(str, folders))}",
        str(ROOT / "Testing/GUI/test_self_tests.py"),
        "-k", "(what_runs or apply_and_undo or batch_over_a_folder) and not none_of",
    ]  # fmt: skip
    environment = {**os.environ, "TEXTPROMPTSEG_INSTALLED": str(installed)}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"  # of the worker too: the folder is compared
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-1000:]
    assert "3 passed" in result.stdout, result.stdout[-500:]


def test_a_listed_file_that_does_not_exist_stops_the_configuration(
    slicer: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    for name in shipped_files.project_files():
        if name != "TextPromptSegLib/outcome.py":
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).symlink_to(ROOT / name)
    with pytest.raises(AssertionError, match=r"nonexistent file 'TextPromptSegLib/outcome\.py'"):
        configure(source, tmp_path / "build", slicer)
