"""Names below the prompt line decide nothing for the user and are in nobody's way."""

from __future__ import annotations

import pytest
from bed import pythonqt
from conftest import pump
from helpers import press

pythonqt.properties_in(__name__)


def offered(bench, text: str):
    """Type letter by letter and return the list of names below the line."""
    from PySide6 import QtTest

    line = bench.widget("Line")
    line.setFocus()
    line.clear()
    QtTest.QTest.keyClicks(line, text)
    pump(0.0)
    names = bench.controller.options.completion._list
    assert names.visible and names.model().rowCount() > 0
    return names


@pytest.mark.parametrize("settled", [False, True])
def test_enter_takes_what_was_typed_and_not_what_is_offered(shown, settled: bool) -> None:
    """Qt marks the first row: "kidney" and Enter became "kidney tumor" in Slicer."""
    from PySide6 import QtCore, QtTest

    shown.controller.options.completion.set_names(["liver segment 2", "liver vessel"], [])
    names = offered(shown, "liver")
    if settled:
        assert not names.currentIndex().isValid(), "no row is marked"
    else:  # Enter may come before the mark has gone
        names.setCurrentIndex(names.model().index(0, 0))
    QtTest.QTest.keyClick(names, QtCore.Qt.Key.Key_Return)
    assert shown.widget("Line").text == "liver" and shown.widget("Preview").checked
    assert not names.visible


def test_an_arrow_key_takes_what_is_offered(shown) -> None:
    from PySide6 import QtCore, QtTest

    shown.controller.options.completion.set_names(["liver segment 2", "liver vessel"], [])
    names = offered(shown, "liver")
    QtTest.QTest.keyClick(names, QtCore.Qt.Key.Key_Down)
    pump(0.0)
    QtTest.QTest.keyClick(names, QtCore.Qt.Key.Key_Return)
    assert shown.widget("Line").text == "liver segment 2"


@pytest.mark.parametrize("blocked", [False, True])
def test_ctrl_enter_applies_while_names_are_offered(shown, blocked: bool) -> None:
    from PySide6 import QtCore, QtGui, QtTest, QtWidgets

    shown.controller.options.completion.set_names(["liver segment 2"], [])
    names = offered(shown, "liver")
    control, enter = QtCore.Qt.KeyboardModifier.ControlModifier, QtCore.Qt.Key.Key_Return
    if blocked:  # as in Slicer, where no shortcut of the window works beside an open list
        event = QtGui.QKeyEvent(QtCore.QEvent.Type.KeyPress, enter, control)
        QtWidgets.QApplication.sendEvent(names, event)
    else:
        QtTest.QTest.keyClick(names, enter, control)
    assert pump(60, until=lambda: shown.idle() and shown.names() == ["liver"])
    assert not names.visible and not shown.widget("Preview").checked


def test_offered_names_go_when_the_mouse_goes_elsewhere(shown, monkeypatch) -> None:
    """The list swallowed the first click on Preview or Apply after typing."""
    import qt
    from PySide6 import QtCore, QtGui, QtWidgets

    shown.controller.options.completion.set_names(["liver"], [])
    names = offered(shown, "li")
    line, corner = shown.widget("Line"), shown.editor.mapToGlobal(shown.editor.rect.bottomRight())
    centers = [(w.mapToGlobal(w.rect.center()), True) for w in (line, names)]
    for place, stays in [*centers, (corner, False)]:
        monkeypatch.setattr(qt.QCursor, "pos", staticmethod(lambda place=place: place))
        move = QtGui.QMouseEvent(
            QtCore.QEvent.Type.MouseMove,
            QtCore.QPointF(names.mapFromGlobal(place)),
            QtCore.QPointF(place),
            QtCore.Qt.MouseButton.NoButton,
            QtCore.Qt.MouseButton.NoButton,
            QtCore.Qt.KeyboardModifier.NoModifier,
        )
        QtWidgets.QApplication.sendEvent(names, move)
        assert names.visible is stays


def test_half_a_word_is_not_warned_about_while_names_are_offered(shown) -> None:
    """After one letter and a short rest it said that 'l' is not known, until the word was whole."""
    shown.controller.options.completion.set_names(["liver"], [])
    names, options, parse = offered(shown, "li"), shown.controller.options, shown.widget("Parse")
    options._paused()
    assert parse.isHidden() and options._pause.active, "it is looked at again later"
    names.hide()
    options._paused()
    assert "'li'" in parse.text.replace("&#x27;", "'") and not parse.isHidden()


def test_the_keyboard_stays_in_the_prompt_during_a_run(shown) -> None:
    """It went to the next button, where the letters of the next prompt are keys of the effect."""
    from PySide6 import QtTest

    shown.widget("Line").setFocus()
    shown.type("slow liver, liver")
    press_in_line = shown.widget("Line")
    shown.controller.apply()
    assert pump(60, until=lambda: shown.controller._run.job.done > 3)
    assert press_in_line.focus
    QtTest.QTest.keyClicks(press_in_line, "spleen")
    press_in_line.returnPressed.emit()
    press(shown, "E")
    assert press_in_line.text == "slow liver, liver" and not shown.widget("Preview").checked
    assert shown.names() == [], "a key of the effect worked during a run"
    press(shown, "Esc")
    assert pump(60, until=shown.idle)
