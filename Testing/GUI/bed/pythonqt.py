"""Qt objects as PythonQt shows them: properties are attributes, signals are named by signature.

Follows commontk/PythonQt, branch patched-10: ``src/PythonQtInstanceWrapper.cpp`` for attributes,
``src/PythonQtStdDecorators.cpp`` for connect and disconnect, ``src/PythonQtSignalReceiver.cpp``
for how many arguments a callable gets. Attributes come from the feature ``true_property`` of
PySide6, which is chosen per calling module (`properties_in`). It removes the plain getters and
setters; that a name which is left also exists in PythonQt is checked in test_pythonqt_names.py.
"""

from __future__ import annotations

import functools
import inspect
import json
import sys
import traceback
from pathlib import Path

from PySide6 import QtCore
from shibokensupport import feature

_TRUE_PROPERTY = 0x02
_NO_MODULES = ("_Classes", "_Ops")

WRAPPED = {
    name: frozenset(methods)
    for name, methods in json.loads(
        Path(__file__).with_name("pythonqt_methods.json").read_text()
    ).items()
}
"""Names of the methods that PythonQt wraps, per class."""

EVERYWHERE = frozenset(
    """connect disconnect metaObject parent setParent children findChild findChildren setProperty
    property tr className inherits delete""".split()
)
"""What PythonQtStdDecorators and PythonQtInstanceWrapper add to every object."""

slot_errors: list[str] = []
"""Exceptions inside slots; PythonQt prints them and goes on, a test has to fail."""


def properties_in(*module_names: str) -> None:
    """Show Qt properties as attributes to these modules."""
    # PySide6 reads the source of every loaded module the first time; torch.classes is none and
    # answers the question for its source with an error that nobody expects.
    hidden = {n: m for n, m in sys.modules.items() if type(m).__name__ in _NO_MODULES}
    for name in hidden:
        del sys.modules[name]
    try:
        for name in module_names:
            feature.set_selection(_TRUE_PROPERTY, name)
    finally:
        sys.modules.update(hidden)


properties_in(__name__)


@functools.cache
def property_names(cls: type) -> frozenset[str]:
    """Return the Qt properties of a class."""
    meta = cls.staticMetaObject
    return frozenset(meta.property(n).name() for n in range(meta.propertyCount()))


def is_product_class(cls: type) -> bool:
    """Say whether a class is the product's own: only those may get new attributes."""
    return not cls.__module__.startswith(("bed.", "PySide6", "Shiboken"))


def _init(self, *args, **kwargs) -> None:
    if kwargs:
        raise TypeError(f"PythonQt constructors take no keyword arguments: {sorted(kwargs)}")
    super(type(self)._bed_wrapped, self).__init__(*args)


def _setattr(self, name: str, value) -> None:
    cls = type(self)
    static = inspect.getattr_static(cls, name, None)
    known = name in property_names(cls) or hasattr(static, "__set__") or name.startswith("_bed_")
    if not known and not is_product_class(cls):
        raise AttributeError(
            f"'{name}' does not exist on {cls.__name__} and creating new attributes on C++ objects "
            "is not allowed"
        )
    super(cls._bed_wrapped, self).__setattr__(name, value)


def _connect(self, signature: str, target) -> bool:
    normalized = bytes(QtCore.QMetaObject.normalizedSignature(signature)).decode()
    if self.metaObject().indexOfSignal(normalized) < 0:
        raise AttributeError(f"{type(self).__name__} has no signal {signature}")
    if not callable(target):
        raise TypeError("connect needs a callable")
    slot = _Slot(target)
    QtCore.QObject.connect(self, QtCore.SIGNAL(normalized), slot.receive)
    self.__dict__.setdefault("_bed_slots", []).append((normalized, target, slot))
    return True


def _disconnect(self, signature: str, target=None) -> bool:
    normalized = bytes(QtCore.QMetaObject.normalizedSignature(signature)).decode()
    kept, gone = [], []
    for entry in self.__dict__.get("_bed_slots", []):
        same = entry[0] == normalized and (target is None or entry[1] == target)
        (gone if same else kept).append(entry)
    for entry in gone:
        QtCore.QObject.disconnect(self, QtCore.SIGNAL(normalized), entry[2].receive)
    self.__dict__["_bed_slots"] = kept
    return bool(gone)


def connection_count(obj) -> int:
    """Return how many Python callables are connected to an object and its children."""
    objects = [obj, *obj.findChildren(QtCore.QObject)]
    return sum(len(getattr(o, "__dict__", {}).get("_bed_slots", [])) for o in objects)


class _Slot:
    """Keeps its callable alive, as PythonQt does, and gives it as many arguments as it takes."""

    def __init__(self, target) -> None:
        self.target = target
        function = target.__func__ if inspect.ismethod(target) else target
        self.count: int | None = None
        if inspect.isfunction(function) and not function.__code__.co_flags & inspect.CO_VARARGS:
            self.count = function.__code__.co_argcount - int(inspect.ismethod(target))

    def receive(self, *args) -> None:
        try:
            self.target(*(args if self.count is None else args[: self.count]))
        except Exception:
            slot_errors.append(traceback.format_exc())
            traceback.print_exc()


def wrap(cls: type, **members) -> type:
    """Return a Qt class as PythonQt shows it, with further members of a stand-in."""
    body = {
        "__module__": "bed.qt",
        "__init__": _init,
        "__setattr__": _setattr,
        "connect": _connect,
        "disconnect": _disconnect,
        "className": lambda self: self.metaObject().className(),
        # PythonQt reads `name` of a widget as its object name (see slicer.util.findChildren).
        "name": property(lambda self: self.property("objectName")),
        **members,
    }
    if "contentsMargins" in property_names(cls):
        # PySide6 hides the setter of four numbers behind the property.
        body["setContentsMargins"] = lambda self, *sides: self.setProperty(
            "contentsMargins", QtCore.QMargins(*sides)
        )
    made = type(cls.__name__, (cls,), body)
    made._bed_wrapped = made
    property_names(made)  # now: PySide6 may forget the meta object later, see `qt_module.KNOWN`
    return made


def stand_in(cls: type) -> type:
    """Decorate a stand-in class derived from a wrapped class, so that it behaves the same.

    PySide6 looks for ``connect`` in the dictionary of the class itself, not of its bases.
    """
    for name in ("__setattr__", "connect", "disconnect", "className", "name"):
        if name not in vars(cls):
            setattr(cls, name, inspect.getattr_static(cls.__mro__[1], name))
    cls.__module__ = "bed.stand_in"
    return cls
