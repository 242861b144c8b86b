"""Module ``ctk``: follows commontk/CTK ``Libs/Widgets/ctk*.h`` (properties and signals by name)."""

from __future__ import annotations

import types

from PySide6 import QtCore, QtGui, QtWidgets

from . import pythonqt
from .pythonqt import stand_in, wrap

pythonqt.properties_in(__name__)

_Widget = wrap(QtWidgets.QWidget)
_Row = wrap(QtWidgets.QHBoxLayout)
_MessageBox = wrap(QtWidgets.QMessageBox)
_HEADER = 26

messages: list[str] = []
"""Texts of the message boxes that were shown."""

message_answers: list = []
"""What the next message boxes return; the affirmative answer when this is empty."""


@stand_in
class ctkCollapsibleButton(_Widget):
    """A titled section whose layout lies below the title (Libs/Widgets/ctkCollapsibleButton.h)."""

    contentsCollapsed = QtCore.Signal(bool)
    clicked = QtCore.Signal(bool)

    def __init__(self, *args) -> None:
        text = args[0] if args and isinstance(args[0], str) else ""
        super().__init__(*[a for a in args if not isinstance(a, str)])
        self.__dict__.update(_bed_text=text, _bed_collapsed=False)
        self.setContentsMargins(0, _HEADER, 0, 0)

    def _text(self) -> str:
        return self.__dict__["_bed_text"]

    def _set_text(self, text: str) -> None:
        self.__dict__["_bed_text"] = text
        # A title is never cut off (ctkCollapsibleButton::buttonSizeHint).
        self.minimumWidth = self.fontMetrics().horizontalAdvance(text) + _HEADER
        self.update()

    def _collapsed(self) -> bool:
        return self.__dict__["_bed_collapsed"]

    def _set_collapsed(self, collapsed: bool) -> None:
        if collapsed == self.__dict__["_bed_collapsed"]:
            return
        self.__dict__["_bed_collapsed"] = collapsed
        # A child that was hidden by its owner stays hidden, as ctk keeps it (setChildVisibility).
        if collapsed:
            children = [c for c in self.children() if isinstance(c, QtWidgets.QWidget)]
            self.__dict__["_bed_shown"] = [c for c in children if not c.isHidden()]
        for child in self.__dict__.get("_bed_shown", []):
            child.visible = not collapsed
        self.maximumHeight = _HEADER if collapsed else 16777215
        self.updateGeometry()
        self.contentsCollapsed.emit(collapsed)

    text = QtCore.Property(str, _text, _set_text)
    collapsed = QtCore.Property(bool, _collapsed, _set_collapsed)

    def mousePressEvent(self, event) -> None:
        if event.position().y() < _HEADER:
            self._set_collapsed(not self._collapsed())

    def paintEvent(self, _event) -> None:
        painter = QtGui.QPainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QtCore.QRect(0, 0, self.width, _HEADER - 4)
        style = self.style()
        style.drawPrimitive(
            QtWidgets.QStyle.PrimitiveElement.PE_PanelButtonCommand, option, painter
        )
        arrow = QtWidgets.QStyleOption()
        arrow.initFrom(self)
        arrow.rect = QtCore.QRect(8, 6, 10, 10)
        shape = QtWidgets.QStyle.PrimitiveElement
        style.drawPrimitive(
            shape.PE_IndicatorArrowRight if self._collapsed() else shape.PE_IndicatorArrowDown,
            arrow,
            painter,
        )
        painter.drawText(
            option.rect.adjusted(26, 0, 0, 0), QtCore.Qt.AlignmentFlag.AlignVCenter, self._text()
        )
        painter.end()


@stand_in
class ctkSliderWidget(_Widget):
    """A slider with a spin box (Libs/Widgets/ctkSliderWidget.h)."""

    valueChanged = QtCore.Signal(float)

    def __init__(self, *args) -> None:
        super().__init__(*args)
        slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
        spin = QtWidgets.QDoubleSpinBox()
        self.__dict__.update(_bed_slider=slider, _bed_spin=spin, _bed_step=1.0)
        row = _Row(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(slider, 1)
        row.addWidget(spin)
        slider.valueChanged.connect(lambda n: self._set_value(self._minimum() + n * self._step()))
        spin.valueChanged.connect(lambda value: self._set_value(value))

    def _part(self, name: str):
        return self.__dict__[f"_bed_{name}"]

    def _step(self) -> float:
        return self._part("step")

    def _value(self) -> float:
        return self._part("spin").value

    def _set_value(self, value: float) -> None:
        spin, slider = self._part("spin"), self._part("slider")
        before = self.__dict__.get("_bed_value")
        spin.blockSignals(True)
        slider.blockSignals(True)
        spin.value = value
        slider.value = round((spin.value - spin.minimum) / self._step())
        spin.blockSignals(False)
        slider.blockSignals(False)
        self.__dict__["_bed_value"] = spin.value
        if before != spin.value:
            self.valueChanged.emit(spin.value)

    def _minimum(self) -> float:
        return self._part("spin").minimum

    def _set_minimum(self, value: float) -> None:
        self._part("spin").minimum = value
        self._rescale()

    def _maximum(self) -> float:
        return self._part("spin").maximum

    def _set_maximum(self, value: float) -> None:
        self._part("spin").maximum = value
        self._rescale()

    def _set_step(self, value: float) -> None:
        self.__dict__["_bed_step"] = value
        self._part("spin").singleStep = value
        self._rescale()

    def _decimals(self) -> int:
        return self._part("spin").decimals

    def _set_decimals(self, value: int) -> None:
        self._part("spin").decimals = value

    def _rescale(self) -> None:
        slider, spin = self._part("slider"), self._part("spin")
        slider.blockSignals(True)
        slider.maximum = max(1, round((spin.maximum - spin.minimum) / self._step()))
        slider.blockSignals(False)

    value = QtCore.Property(float, _value, _set_value)
    minimum = QtCore.Property(float, _minimum, _set_minimum)
    maximum = QtCore.Property(float, _maximum, _set_maximum)
    singleStep = QtCore.Property(float, _step, _set_step)
    decimals = QtCore.Property(int, _decimals, _set_decimals)


@stand_in
class ctkMessageBox(_MessageBox):
    """A message box that can be switched off for good (Libs/Widgets/ctkMessageBox.h)."""

    def _key(self) -> str:
        return self.__dict__.get("_bed_key", "")

    def _set_key(self, key: str) -> None:
        self.__dict__["_bed_key"] = key

    dontShowAgainSettingsKey = QtCore.Property(str, _key, _set_key)

    def exec_(self):
        """Answer at once: nobody is there to press a button."""
        messages.append(self.text)
        if message_answers:
            return message_answers.pop(0)
        yes, buttons = QtWidgets.QMessageBox.StandardButton.Yes, self.standardButtons
        return yes if buttons & yes else QtWidgets.QMessageBox.StandardButton.Ok


def make_ctk() -> types.ModuleType:
    """Return the module ``ctk``."""
    module = types.ModuleType("ctk", "stand-in for CTK")
    for cls in (ctkCollapsibleButton, ctkSliderWidget, ctkMessageBox):
        setattr(module, cls.__name__, cls)
    return module
