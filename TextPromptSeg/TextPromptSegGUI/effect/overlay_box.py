"""Which map is shown over the image while the preview is on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import qt
from slicer.i18n import tr as _

from ..shared.links import Links
from ..shared.overlays import HEAT_MAP, PROBABILITY, UNCERTAINTY
from ..shared.quiet import fill

NOTHING = "none"


class OverlayBox:
    """A combo box: nothing, probability, uncertainty, and the heat map where there is one."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        """Make the combo box; ``on_change`` is called after the user chose."""
        self._on_change = on_change
        self.combo = qt.QComboBox()
        self.combo.objectName = "TextPromptOverlay"
        self.combo.toolTip = _(
            "Show over the image how probable each voxel is, how unsure the answer, or where the "
            "network looked; of several structures the largest value."
        )
        self._links = Links()
        self.set_takes(())
        self._links.connect(self.combo, "currentIndexChanged(int)", self._changed)

    @property
    def kind(self) -> str:
        """The chosen map: "none", "probability", "uncertainty" or "heat_map"."""
        return str(self.combo.itemData(self.combo.currentIndex) or NOTHING)

    def set_takes(self, takes: Sequence[str]) -> None:
        """Offer the maps that a checkpoint gives."""
        wanted = self.kind
        choices = [
            (NOTHING, _("Nothing")),
            (PROBABILITY, _("Probability")),
            (UNCERTAINTY, _("Uncertainty")),
        ]
        if "heat_map" in takes:
            choices.append((HEAT_MAP, _("Heat map: where the network looked")))
        fill(self.combo, choices, wanted)

    def cleanup(self) -> None:
        """Disconnect."""
        self._links.clear()

    def _changed(self, _index: int) -> None:
        self._on_change()
