"""Pictures for the README: what a slice view shows, beside the widgets that were used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from bed import pythonqt
from PySide6 import QtCore, QtGui

pythonqt.properties_in(__name__)

_MARGIN = 12


def slice_picture(
    image: np.ndarray,
    masks: list[tuple[np.ndarray, tuple[float, float, float]]],
    window: tuple[float, float],
    aspect: float = 1.0,
    height: int = 560,
) -> QtGui.QImage:
    """Return a slice with filled and outlined masks, as a slice view draws them.

    Args:
        image: (H, W) voxel values, patient right on the left, anterior on top.
        masks: (H, W) masks and their colours in 0..1.
        window: values shown black and white.
        aspect: height of a pixel over its width.
        height: of the picture, px.
    """
    grey = np.clip((image - window[0]) / (window[1] - window[0]), 0, 1)
    colors = np.repeat(grey[..., None], 3, axis=2)
    for mask, color in masks:
        inside = mask > 0
        colors[inside] = 0.68 * colors[inside] + 0.32 * np.array(color)
    factor = max(1, round(height / (image.shape[0] * aspect)))
    size = (image.shape[1] * factor, round(image.shape[0] * aspect * factor))
    data = np.ascontiguousarray((colors * 255).astype(np.uint8))
    picture = QtGui.QImage(
        data.data,
        data.shape[1],
        data.shape[0],
        3 * data.shape[1],
        QtGui.QImage.Format.Format_RGB888,
    ).copy()
    smooth = QtCore.Qt.TransformationMode.SmoothTransformation
    picture = picture.scaled(*size, QtCore.Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
    painter = QtGui.QPainter(picture)
    for mask, color in masks:
        pen = QtGui.QPen(QtGui.QColor.fromRgbF(*color))
        pen.setWidthF(2.0)
        painter.setPen(pen)
        step_y, step_x = size[1] / mask.shape[0], size[0] / mask.shape[1]
        for row, column, vertical in _edges(mask > 0):
            x, y = column * step_x, row * step_y
            end = (x, y + step_y) if vertical else (x + step_x, y)
            painter.drawLine(QtCore.QPointF(x, y), QtCore.QPointF(*end))
    painter.end()
    return picture


def _edges(mask: np.ndarray):
    padded = np.pad(mask, 1)
    for row, column in np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1]):
        yield row, column, True
    for row, column in np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1]):
        yield row, column, False


def side_by_side(left: QtGui.QImage, right: QtGui.QPixmap, path: Path) -> None:
    """Save two pictures next to each other."""
    width = left.width() + right.width() + 3 * _MARGIN
    height = max(left.height(), right.height()) + 2 * _MARGIN
    canvas = QtGui.QImage(width, height, QtGui.QImage.Format.Format_RGB888)
    canvas.fill(QtGui.QColor("#efefef"))
    painter = QtGui.QPainter(canvas)
    painter.drawImage(_MARGIN, (height - left.height()) // 2, left)
    painter.drawPixmap(left.width() + 2 * _MARGIN, _MARGIN, right)
    painter.end()
    if not canvas.save(str(path)):
        raise OSError(f"{path} cannot be written")
