"""One `register` call per system; a further system is one new folder under ``systems``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, fields
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from ..files.fields import check_fields
from ..outcome import CheckpointError
from ..torchvision_operators import declare_torchvision_operators

if TYPE_CHECKING:
    from .base import PromptedSegmenter

_SYSTEMS: dict[str, tuple[type, Callable[[Any], PromptedSegmenter]]] = {}
_FOREIGN: dict[str, ForeignWeights] = {}


@dataclass(frozen=True)
class ForeignWeights:
    """Weights that others publish in a layout of their own, and what a system makes of them.

    Attributes:
        title: whose they are, for people.
        kinds: what may be said of a file (``--as``) -> whose weights it then holds.
        fits: whether tensors of these names are of this layout.
        convert: (file or folder, folder to write, kind) -> checkpoint folder. Without a kind it
            refuses what does not tell it: nothing is guessed from a path.
        how_to_get: where they come from and what to do with them.
    """

    title: str
    kinds: Mapping[str, str]
    fits: Callable[[Collection[str]], bool]
    convert: Callable[[Path, Path, str | None], Path]
    how_to_get: str


def register(
    name: str,
    config_class: type,
    model_class: Callable[[Any], PromptedSegmenter],
    foreign: ForeignWeights | None = None,
) -> None:
    """Make a system known by its name.

    Args:
        name: as in a checkpoint's ``config.json``, for example ``film-unet``.
        config_class: frozen dataclass whose fields are all JSON-ready.
        model_class: called with one ``config_class``.
        foreign: published weights that the system can start from.
    """
    _SYSTEMS[name] = (config_class, model_class)
    if foreign is not None:
        _FOREIGN[name] = foreign


def foreign_weights() -> dict[str, ForeignWeights]:
    """Return the published weights that each system can start from."""
    systems()
    return dict(_FOREIGN)


def systems() -> list[str]:
    """Return the names of all systems, importing each folder under ``systems`` once."""
    declare_torchvision_operators()  # monai, open_clip and segment_anything import torchvision
    package = import_module("TextPromptSegLib.systems")
    for module in iter_modules(package.__path__):
        if module.ispkg:
            import_module(f"{package.__name__}.{module.name}")
    return sorted(_SYSTEMS)


def _is_known(name: str) -> bool:
    """Return whether there is such a system, importing no other one where its folder says it."""
    if name not in _SYSTEMS:
        folder = name.replace("-", "_")
        package = "TextPromptSegLib.systems"
        if folder.isidentifier() and find_spec(f"{package}.{folder}") is not None:
            declare_torchvision_operators()
            import_module(f"{package}.{folder}")
    return name in _SYSTEMS or name in systems()


def make_config(name: str, values: Mapping[str, Any]) -> Any:
    """Return the system's config object.

    Raises:
        CheckpointError: for an unknown system, an unknown key or an impossible value.
    """
    if not _is_known(name):
        raise CheckpointError(f"There is no system '{name}'; known are {', '.join(systems())}.")
    config_class = _SYSTEMS[name][0]
    unknown = set(values) - {f.name for f in fields(config_class)}
    if unknown:
        raise CheckpointError(
            f"The configuration of '{name}' has unknown keys: {', '.join(sorted(unknown))}."
        )
    try:
        check_fields(config_class, values)
        return config_class(**values)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise CheckpointError(f"The configuration of '{name}' cannot be used: {error}.") from error


def trainer_of(name: str) -> Callable[..., Any] | None:
    """Return the function that trains a system in its own way, None for the usual way.

    Raises:
        CheckpointError: for an unknown system.
    """
    if not _is_known(name):
        raise CheckpointError(f"There is no system '{name}'; known are {', '.join(systems())}.")
    module, _, function = getattr(_SYSTEMS[name][1], "trainer", "").partition(":")
    return getattr(import_module(module), function) if module else None


def folder_of(name: str) -> Path:
    """Return the folder that holds a system's recipes and its paper's tables.

    Raises:
        CheckpointError: for an unknown system.
    """
    if not _is_known(name):
        raise CheckpointError(f"There is no system '{name}'; known are {', '.join(systems())}.")
    module = import_module(_SYSTEMS[name][0].__module__)
    return Path(str(module.__file__)).parent


def reports_agreement(name: str) -> bool:
    """Return whether the paper of a system reports agreement over all pixels."""
    return _is_known(name) and bool(getattr(_SYSTEMS[name][1], "reports_agreement", False))


def outline(name: str, values: Mapping[str, Any]) -> PromptedSegmenter | None:
    """Return a system whose tensors have sizes but take no memory; None where it cannot be had.

    Raises:
        CheckpointError: when a system of these sizes cannot be made.
    """
    import torch

    try:
        with torch.device("meta"):
            return create(name, values)
    except CheckpointError as error:
        if isinstance(error.__cause__, NotImplementedError):  # it computes while it is made
            return None
        raise


def create(name: str, values: Mapping[str, Any] | Any) -> PromptedSegmenter:
    """Build a system with random weights from its config values (mapping or config object)."""
    if not isinstance(values, Mapping):
        values = asdict(values)
    config = make_config(name, values)
    try:
        return _SYSTEMS[name][1](config)
    except (ValueError, TypeError, RuntimeError, ArithmeticError, IndexError, MemoryError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise CheckpointError(f"A '{name}' of these sizes cannot be made: {reason}.") from error
