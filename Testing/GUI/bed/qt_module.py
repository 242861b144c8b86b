"""Module ``qt``: follows Slicer/Slicer ``Base/Python/qt.py`` and commontk/PythonQt.

Only names that PythonQt wraps and the product uses; a further name is added here by hand, after a
look at PythonQt's ``generated_cpp``.
"""

from __future__ import annotations

import types

from PySide6 import QtCore, QtGui, QtWidgets

from . import pythonqt
from .pythonqt import wrap

pythonqt.properties_in(__name__)

_WIDGETS = """QAction QCheckBox QComboBox QCompleter QDialog QDialogButtonBox QDoubleSpinBox
QFormLayout QFrame QGridLayout QGroupBox QHBoxLayout QLabel QLineEdit QMenu QPlainTextEdit
QProgressBar QPushButton QScrollArea QSlider QSpinBox QTableWidget QTextBrowser QToolButton
QVBoxLayout QWidget QStringListModel QHeaderView QAbstractItemView QShortcut""".split()
_VALUES = """QSizePolicy QTableWidgetItem QColor QIcon QPixmap QUrl QSize QFont QCursor QPoint
QDesktopServices Qt QEvent QDir QFile QSysInfo QEventLoop QModelIndex QKeySequence""".split()

answers: list = []
"""What the next file dialogs return, first one first."""

opened: list[str] = []
"""Addresses that the product asked the desktop to open."""


def _find(name: str):
    for module in (QtWidgets, QtGui, QtCore):
        if hasattr(module, name):
            return getattr(module, name)
    raise AttributeError(name)


def _names() -> tuple[frozenset[str], frozenset[str]]:
    offered, known = set(), set(pythonqt.EVERYWHERE)
    for methods in pythonqt.WRAPPED.values():
        known |= methods
    for name in [*_WIDGETS, *_VALUES, "QTimer", "QSettings", "QMessageBox"]:
        cls = _find(name)
        offered |= {n for n in dir(cls) if not n.startswith("_")}
        meta = getattr(cls, "staticMetaObject", None)
        if meta is None:
            known |= set(dir(cls))  # plain values: QIcon, QColor, Qt
            continue
        known |= {meta.property(n).name() for n in range(meta.propertyCount())}
        known |= {bytes(meta.method(n).name()).decode() for n in range(meta.methodCount())}
        known |= {n for n in dir(cls) if n[:1].isupper()}  # enumerations and their values
    return frozenset(offered), frozenset(known)


OFFERED, KNOWN = _names()
"""Names that Qt objects have in PySide6; names that PythonQt knows. Taken before any object lives:
PySide6 forgets the meta object of a class when a subclass of it with signals is deleted."""


class _SingleShot:
    """``QTimer.singleShot(ms, f)`` on the class, the property ``singleShot`` on an instance."""

    def __get__(self, instance, owner):
        if instance is not None:
            return instance.property("singleShot")
        return lambda msec, target: QtCore.QTimer.singleShot(
            int(msec), pythonqt._Slot(target).receive
        )

    def __set__(self, instance, value) -> None:
        instance.setProperty("singleShot", value)


def _combo_data(self):
    return self.itemData(self.property("currentIndex"))


class _FileDialog:
    """Static functions of QFileDialog; PythonQt returns a plain string, empty when cancelled."""

    @staticmethod
    def _answer(*_args) -> str:
        return answers.pop(0) if answers else ""

    getOpenFileName = getSaveFileName = getExistingDirectory = _answer


class _DesktopServices:
    @staticmethod
    def openUrl(url) -> bool:
        opened.append(url.toString())
        return True


def make_qt() -> types.ModuleType:
    """Return the module ``qt``."""
    module = types.ModuleType("qt", "stand-in for PythonQt")
    for name in _WIDGETS:
        members: dict = {}
        if name == "QDialog":
            members["exec_"] = lambda self: answers.pop(0) if answers else 0
        if name == "QComboBox":
            members["currentData"] = property(_combo_data)
        setattr(module, name, wrap(_find(name), **members))
    for name in _VALUES:
        setattr(module, name, _find(name))
    module.QTimer = wrap(
        QtCore.QTimer,
        singleShot=_SingleShot(),
        setSingleShot=lambda self, on: self.setProperty("singleShot", on),
    )
    module.QSettings = wrap(QtCore.QSettings)
    module.QMessageBox = wrap(QtWidgets.QMessageBox)
    module.QApplication = QtWidgets.QApplication
    module.QFileDialog = _FileDialog
    module.QDesktopServices = _DesktopServices
    # PythonQt objects are of these types, so that isinstance works.
    module.QObject = QtCore.QObject
    module.QThread = QtCore.QThread
    return module
