"""Test bed: the thinnest stand-in for what lies between slicer-core and PySide6 in 3D Slicer.

See README.md. Nothing of the product knows of it.
"""
