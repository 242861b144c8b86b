"""Choice of a checkpoint: what is installed, its licence, acknowledged once where needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import qt
import slicer
from slicer.i18n import tr as _

from TextPromptSegLib.outcome import TextPromptSegError

from ..shared import settings
from ..shared.links import Links
from ..shared.quality_words import tier_counts
from ..shared.quiet import choose, fill

if TYPE_CHECKING:
    from TextPromptSegLib.checkpoints.model_info import (
        ModelInfo,
    )


class ModelBox:
    """A combo box of the checkpoints on this machine."""

    def __init__(self, on_change: Callable[[], None], object_name: str = "TextPromptModel") -> None:
        """Make the combo box; the last checkpoint used is selected."""
        self.combo = qt.QComboBox()
        self.combo.objectName = object_name
        self.combo.toolTip = _("Checkpoint: the trained network that answers the prompt.")
        self.combo.sizeAdjustPolicy = qt.QComboBox.AdjustToMinimumContentsLengthWithIcon
        self.combo.minimumContentsLength = 12
        self._on_change = on_change
        self._models: list[ModelInfo] = []
        self._configs: dict[str, Mapping[str, Any]] = {}
        self._links = Links()
        self.refresh()
        self._links.connect(self.combo, "currentIndexChanged(int)", self._changed)

    def refresh(self) -> None:
        """Read the catalogue again; the selection stays where it can."""
        from TextPromptSegLib.checkpoints.catalogue import list_models

        wanted = self.name or settings.text("Model")
        try:
            models = list_models()
        except TextPromptSegError:
            models = []
        self._models = [m for m in models if m.folder is not None and not m.problem]
        self._configs.clear()
        choices = [(model.name, model.title) for model in self._models]
        fill(self.combo, choices or [("", _("No checkpoint is installed"))], wanted)
        for row, model in enumerate(self._models):
            self.combo.setItemData(row, describe(model), qt.Qt.ToolTipRole)

    @property
    def name(self) -> str:
        """Name of the selected checkpoint, empty when there is none."""
        return str(self.combo.itemData(self.combo.currentIndex) or "")

    @property
    def model(self) -> ModelInfo | None:
        """The selected checkpoint's row of the catalogue."""
        return next((m for m in self._models if m.name == self.name), None)

    @property
    def config(self) -> Mapping[str, Any]:
        """The selected checkpoint's configuration, empty when there is none."""
        model = self.model
        if model is None or model.folder is None:
            return {}
        if model.name not in self._configs:
            from TextPromptSegLib.checkpoints.layout import read_config

            try:
                self._configs[model.name] = read_config(model.folder)
            except TextPromptSegError:
                return {}
        return self._configs[model.name]

    @property
    def trained(self) -> Mapping[str, Any] | None:
        """The selected checkpoint's trained prompts, None when there is no checkpoint."""
        return self.config.get("trained_prompts")

    @property
    def planes(self) -> tuple[str, ...]:
        """Slice planes of the selected checkpoint."""
        return tuple(self.config.get("planes") or ("axial",))

    @property
    def takes(self) -> tuple[str, ...]:
        """What the selected checkpoint listens to or gives beside text: "box", "points", ..."""
        stated = self.config.get("takes")
        if stated is not None:
            return tuple(str(name) for name in stated)
        # Checkpoints that were saved before they said so.
        latent = (self.config.get("config") or {}).get("latent", "none")
        return ("samples",) if latent != "none" else ()

    @property
    def draws_samples(self) -> bool:
        """Whether the selected checkpoint can give several candidates."""
        return "samples" in self.takes

    def select(self, name: str) -> bool:
        """Select a checkpoint without telling anybody; False when it is not installed."""
        return choose(self.combo, name)

    def confirm_licence(self) -> bool:
        """Return whether the checkpoint may be used; a restrictive licence is shown once."""
        from TextPromptSegLib.checkpoints import licence

        model = self.model
        if model is None:
            return False
        if not licence.needs_acknowledgement(model):
            return True
        text = _(
            "The checkpoint '{title}' may only be used under this licence:\n\n{licence}\n{line}\n\n"
            "Use it under this licence?"
        ).format(title=model.title, licence=model.licence, line=model.licence_line)
        if not slicer.util.confirmOkCancelDisplay(text, _("Licence of the checkpoint")):
            return False
        try:
            licence.acknowledge(model)
        except TextPromptSegError as error:
            slicer.util.warningDisplay(str(error))
        return True

    def cleanup(self) -> None:
        """Disconnect."""
        self._links.clear()

    def _changed(self, _index: int) -> None:
        settings.set_text("Model", self.name)
        self._on_change()


def describe(model: ModelInfo) -> str:
    """Return the lines of a checkpoint's tool tip."""
    lines = [
        model.title,
        _("Images: {modalities}; slices: {planes}; {prompts}").format(
            modalities=", ".join(model.modalities) or _("not stated"),
            planes=", ".join(model.planes),
            prompts=_("any words (open vocabulary)")
            if model.open_vocabulary
            else _("{count} trained prompts").format(count=len(model.prompts)),
        ),
        *([_("Measured: {tiers}").format(tiers=tier_counts(model.tiers))] if model.tiers else []),
        takes_line(model.takes),
        _("Licence: {licence}").format(licence=f"{model.licence} {model.licence_line}".strip()),
        _("Size {size}, memory about {memory}").format(
            size=amount(model.bytes), memory=amount(model.memory_bytes)
        ),
    ]
    return "\n".join(lines)


def takes_line(takes: tuple[str, ...]) -> str:
    """Return what a checkpoint takes and gives, in words."""
    words = {
        "box": _("boxes"),
        "points": _("points"),
        "mask": _("masks"),
        "samples": _("draws candidates"),
        "heat_map": _("shows where it looked"),
    }
    return _("Takes: {what}").format(
        what=", ".join([_("text"), *(words[name] for name in takes if name in words)])
    )


def amount(size: float) -> str:
    """Return a number of bytes in words: "9.8 MB", "1.3 GB"."""
    if size >= 1e9:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"
