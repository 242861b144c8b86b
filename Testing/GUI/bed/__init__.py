"""Test bed: the thinnest stand-in for what lies between slicer-core and PySide6 in 3D Slicer.

See README.md. Nothing of the product knows of it.
"""

from __future__ import annotations

import ctypes
import sys

if sys.version_info < (3, 12):
    # PySide6 6.12 gives one reference to None too many back for each call of a function that
    # returns nothing, and after some thousand calls Python ends. From 3.12 on None cannot die.
    ctypes.c_ssize_t.from_address(id(None)).value += 1 << 40
