"""What the image is, where it does not say so itself or says it wrongly."""

from __future__ import annotations

from collections.abc import Callable

import qt
from slicer.i18n import tr as _

from ..shared.links import Links
from ..shared.quiet import choose

AUTO = "auto"


class ModalityBox:
    """A combo box: as the image says, CT, MR or X-ray."""

    def __init__(self, on_change: Callable[[], None], object_name: str) -> None:
        """Make the widget; ``on_change`` is called when the user chooses."""
        self._on_change = on_change
        self.combo = qt.QComboBox()
        self.combo.objectName = object_name
        self.combo.toolTip = _(
            "The grey values are scaled for the network by what the image is. After a run the "
            "outcome says what it was taken for; correct it here."
        )
        names = (_("As the image says"), _("CT"), _("MR"), _("X-ray"))
        for key, name in zip((AUTO, "CT", "MR", "CXR"), names, strict=True):
            self.combo.addItem(name, key)
        self._links = Links()
        self._links.connect(self.combo, "currentIndexChanged(int)", self._changed)

    @property
    def choice(self) -> str:
        """The key of the choice: "auto", "CT", "MR" or "CXR"."""
        return str(self.combo.itemData(self.combo.currentIndex) or AUTO)

    @property
    def modality(self) -> str | None:
        """What the user says that the image is, None to take it as it says itself."""
        return None if self.choice == AUTO else self.choice

    def set_choice(self, choice: str) -> None:
        """Show a choice without telling anybody."""
        choose(self.combo, choice or AUTO)

    def cleanup(self) -> None:
        """Disconnect."""
        self._links.clear()

    def _changed(self, _index: int) -> None:
        self._on_change()
