"""Where to search: the current slice, a range of slices, a region of interest, everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
from slicer.i18n import tr as _

from ..shared.links import Links
from ..shared.quiet import choose, quiet
from .markups_box import MarkupsBox

SLICE, SLICES, ROI, WHOLE = "slice", "slices", "roi", "whole"


class RegionBox:
    """A combo box and, for two of its choices, what belongs to them."""

    def __init__(self, on_change: Callable[[], None], with_slice: bool = True) -> None:
        """Make the widgets.

        Args:
            on_change: called after the user changed something.
            with_slice: offer the current slice (in the effect; the panel has no current slice).
        """
        self._on_change = on_change
        self.combo = qt.QComboBox()
        self.combo.objectName = "TextPromptRange"
        self.combo.toolTip = _("Part of the image that Apply segments; nothing is found outside.")
        choices = [
            (SLICE, _("Current slice")),
            (SLICES, _("Slice range")),
            (ROI, _("Region of interest")),
            (WHOLE, _("Whole volume")),
        ]
        for key, label in choices if with_slice else choices[1:]:
            self.combo.addItem(label, key)
        self.combo.currentIndex = self.combo.findData(WHOLE)
        self.first, self.last = qt.QSpinBox(), qt.QSpinBox()
        self.first.objectName, self.last.objectName = "TextPromptFirst", "TextPromptLast"
        self._slices = qt.QWidget()
        row = qt.QHBoxLayout(self._slices)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(qt.QLabel(_("from")))
        row.addWidget(self.first, 1)
        row.addWidget(qt.QLabel(_("to")))
        row.addWidget(self.last, 1)
        self._roi = MarkupsBox(
            self._changed,
            "TextPromptROI",
            "vtkMRMLMarkupsROINode",
            _("Region"),
            _("Choose or draw a region of interest"),
        )
        self.roi = self._roi.selector
        self.widget = qt.QWidget()
        column = qt.QVBoxLayout(self.widget)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.combo)
        column.addWidget(self._slices)
        column.addWidget(self._roi.widget)
        self._links = Links()
        self._links.connect(self.combo, "currentIndexChanged(int)", self._changed)
        self._links.connect(self.first, "valueChanged(int)", self._changed)
        self._links.connect(self.last, "valueChanged(int)", self._changed)
        self._arrange()

    @property
    def choice(self) -> str:
        """The chosen kind of range: "slice", "slices", "roi" or "whole"."""
        return str(self.combo.itemData(self.combo.currentIndex))

    def set_choice(self, choice: str) -> None:
        """Choose a kind of range without telling anybody."""
        choose(self.combo, choice)
        self._arrange()

    @property
    def slices(self) -> tuple[int, int]:
        """First slice and one past the last, from 0; shown to the user from 1."""
        first, last = sorted((self.first.value, self.last.value))
        return first - 1, last

    def set_roi(self, node: Any) -> None:
        """Choose a region of interest without telling anybody."""
        self._roi.set_node(node)

    def set_slices(self, first: int, last: int) -> None:
        """Set the range of slices, from 0 and one past the last, without telling anybody."""
        for box, value in ((self.first, first + 1), (self.last, last)):
            if box.value != value:
                with quiet(box):
                    box.value = value

    def set_count(self, count: int) -> None:
        """Limit the range to an image with so many slices; a new image starts with all of them."""
        count = max(1, count)
        if count == self.last.maximum:
            return
        for box in (self.first, self.last):
            with quiet(box):
                box.minimum, box.maximum = 1, count
        self.set_slices(0, count)

    def set_enabled(self, enabled: bool) -> None:
        """Allow or forbid changes."""
        self.widget.enabled = enabled
        if not enabled:
            self.end_drawing()

    def end_drawing(self) -> None:
        """Give the mouse back, when it draws the region."""
        self._roi.end_drawing()

    def cleanup(self) -> None:
        """Disconnect and let go of the scene."""
        self._links.clear()
        self._roi.cleanup()

    def _changed(self, _value: Any = None) -> None:
        self._arrange()
        self._on_change()

    def _arrange(self) -> None:
        self._slices.visible = self.choice == SLICES
        self._roi.widget.visible = self.choice == ROI
        if self.choice != ROI:
            self.end_drawing()
