"""Lets the generators of ../shared/cases run, which name modules as they stood before the rooms.

Only `make cases` puts this folder on the path (Python imports `sitecustomize` by itself); the
library knows no old name.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType

MOVED = {
    "volume": "image.volume",
    "intensity": "image.intensity",
    "slice_stack": "image.slice_stack",
    "prompts": "prompting.prompts",
    "prompt": "prompting.prompt",
    "vocabulary": "prompting.vocabulary",
    "cases": "jobs.cases",
    "batch": "jobs.batch",
    "job": "jobs.job",
    "outputs": "jobs.outputs",
    "predictor": "inference.predictor",
    "catalogue": "checkpoints.catalogue",
    "overlay": "pictures.overlay",
}


class OldNames(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a moved module under its old name."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Answer for the old names only."""
        package, _, name = fullname.rpartition(".")
        if package != "TextPromptSegLib" or name not in MOVED:
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Return the module where it stands now."""
        name = spec.name.rpartition(".")[2]
        return importlib.import_module(f"TextPromptSegLib.{MOVED[name]}")

    def exec_module(self, module: ModuleType) -> None:
        """It has run already."""


def _old_result(name: str) -> object:
    if name != "Segmentation":
        raise AttributeError(name)
    return importlib.import_module("TextPromptSegLib.prompting.segmentation").Segmentation


try:
    outcome = importlib.import_module("TextPromptSegLib.outcome")
except ImportError:
    pass  # some other Python that the generator starts
else:
    sys.meta_path.append(OldNames())
    outcome.__getattr__ = _old_result  # type: ignore[method-assign]
