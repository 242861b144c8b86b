"""The probability from which a voxel belongs to the mask: the checkpoint's own, or the user's."""

from __future__ import annotations

from collections.abc import Callable

import ctk
import qt
from slicer.i18n import tr as _

from ..shared.links import Links
from ..shared.quiet import quiet

LOWEST, HIGHEST = 0.01, 0.99


class ThresholdBox:
    """A slider that the user may move, and a button that gives it back to the checkpoint."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        """Make the widgets; ``on_change`` is called while the slider moves."""
        self._on_change = on_change
        self.slider = ctk.ctkSliderWidget()
        self.slider.objectName = "TextPromptThreshold"
        self.slider.minimum, self.slider.maximum = LOWEST, HIGHEST
        self.slider.singleStep = 0.01
        self.slider.decimals = 2
        self.slider.value = 0.5
        self.slider.toolTip = _(
            "Probability from which a voxel belongs to the structure. Moving it needs no new run."
        )
        self.auto = qt.QToolButton()
        self.auto.objectName = "TextPromptThresholdAuto"
        self.auto.text = _("Auto")
        self.auto.checkable = True
        self.auto.checked = True
        self.auto.toolTip = _("Use the threshold that the checkpoint was tuned for.")
        self.widget = qt.QWidget()
        row = qt.QHBoxLayout(self.widget)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.slider, 1)
        row.addWidget(self.auto)
        self._default = 0.5
        self._links = Links()
        self._links.connect(self.slider, "valueChanged(double)", self._moved)
        self._links.connect(self.auto, "toggled(bool)", self._switched)

    @property
    def value(self) -> float | None:
        """The user's threshold, None for the checkpoint's own."""
        return None if self.auto.checked else float(self.slider.value)

    def set_value(self, value: float | None) -> None:
        """Set the threshold without telling anybody; None for the checkpoint's own."""
        self._set_auto(value is None)
        self._set_slider(self._default if value is None else value)

    def set_default(self, value: float) -> None:
        """Set what the slider shows while the checkpoint decides."""
        self._default = value
        if self.auto.checked:
            self._set_slider(value)

    def set_enabled(self, enabled: bool) -> None:
        """Allow the user to move it; a candidate is drawn at the checkpoint's own threshold."""
        self.widget.enabled = enabled
        self.widget.toolTip = (
            ""
            if enabled
            else _(
                "A candidate is drawn at the checkpoint's threshold; flip to the mean to move it."
            )
        )

    def cleanup(self) -> None:
        """Disconnect."""
        self._links.clear()

    def _moved(self, _value: float) -> None:
        self._set_auto(False)
        self._on_change()

    def _switched(self, on: bool) -> None:
        if on:
            self._set_slider(self._default)
        self._on_change()

    def _set_auto(self, on: bool) -> None:
        if self.auto.checked != on:
            with quiet(self.auto):
                self.auto.checked = on

    def _set_slider(self, value: float) -> None:
        if abs(self.slider.value - value) > 1e-6:
            with quiet(self.slider):
                self.slider.value = value
