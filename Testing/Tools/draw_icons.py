"""Draw the icons: a CT slice with one structure picked out, the prompt line, the editor's pencil.

`python Testing/Tools/draw_icons.py` rewrites the PNG files; it needs PySide6 and matplotlib (for
its font) from the `dev` extra. Everything is drawn here; no image is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import matplotlib
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontDatabase,
    QGuiApplication,
    QImage,
    QLinearGradient,
    QPainter,
    QPainterPath,
    QPen,
    QPolygonF,
    QRadialGradient,
    QTransform,
)

ROOT = Path(__file__).resolve().parents[2]
OVERSAMPLING = 8
ACCENT = QColor(255, 138, 61)


def blob(*points: tuple[float, float]) -> QPainterPath:
    """Return a smooth closed curve through the points (Catmull-Rom as cubic Bezier pieces)."""
    path = QPainterPath(QPointF(*points[0]))
    n = len(points)
    for i in range(n):
        before, start, end, after = (points[(i + d) % n] for d in (-1, 0, 1, 2))
        first = QPointF(start[0] + (end[0] - before[0]) / 6, start[1] + (end[1] - before[1]) / 6)
        second = QPointF(end[0] - (after[0] - start[0]) / 6, end[1] - (after[1] - start[1]) / 6)
        path.cubicTo(first, second, QPointF(*end))
    path.closeSubpath()
    return path


def grey(value: int, alpha: int = 255) -> QColor:
    """Return a grey with a breath of blue, as on a viewing station."""
    return QColor(value, min(value + 2, 255), min(value + 6, 255), alpha)


LIVER = blob(
    (27, 47), (33, 34), (46, 27), (60, 27), (69, 32), (67, 38), (58, 42), (53, 50), (49, 60),
    (39, 66), (30, 60),
)  # fmt: skip


def draw_slice(painter: QPainter) -> None:
    """Draw an axial abdominal slice in the box 20..108 x 18..82 (px of a 128 px icon)."""
    body = blob(
        (64, 17),
        (92, 21),
        (109, 38),
        (109, 58),
        (96, 75),
        (64, 81),
        (32, 75),
        (19, 58),
        (19, 38),
        (36, 21),
    )
    painter.setPen(Qt.PenStyle.NoPen)
    painter.fillPath(body, grey(92))
    inner = QTransform().translate(64, 49).scale(0.92, 0.90).translate(-64, -49).map(body)
    shade = QRadialGradient(QPointF(64, 46), 50)
    shade.setColorAt(0, grey(150))
    shade.setColorAt(1, grey(128))
    painter.fillPath(inner, QBrush(shade))
    cavity = QTransform().translate(64, 47).scale(0.84, 0.78).translate(-64, -48).map(body)
    painter.fillPath(cavity, grey(74))

    rib = QPen(grey(238), 3.2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
    painter.setPen(rib)
    for x, y, dx, dy in (
        (24.5, 42, -0.8, 6),
        (27, 61, 3, 4.5),
        (36, 70, 4.5, 2.2),
        (40, 23.5, 5, -1.8),
    ):
        painter.drawLine(QPointF(x, y), QPointF(x + dx, y + dy))
        painter.drawLine(QPointF(128 - x, y), QPointF(128 - x - dx, y + dy))

    painter.setPen(Qt.PenStyle.NoPen)
    painter.fillPath(
        blob((78, 30), (92, 31), (97, 40), (90, 47), (80, 43), (74, 36)), grey(158)
    )  # stomach
    painter.fillPath(blob((80, 33), (90, 33), (92, 37), (84, 38)), grey(36))  # its air
    painter.fillPath(blob((99, 46), (104, 52), (101, 62), (93, 67), (94, 58)), grey(178))  # spleen
    for side in (1, -1):
        x = 64 + side * 20
        painter.fillPath(
            blob(
                (x, 57),
                (x + side * 7, 61),
                (x + side * 5, 69),
                (x - side * 4, 69),
                (x - side * 6, 62),
            ),
            grey(200),
        )
        painter.fillPath(
            blob((x - side * 6, 62), (x, 62), (x - side, 66), (x - side * 5, 67)), grey(140)
        )
    for side in (1, -1):  # the muscles beside the spine
        x = 64 + side * 13
        painter.fillPath(
            blob((x - side * 4, 70), (x + side * 7, 70), (x + side * 8, 76), (x - side * 4, 77)),
            grey(146),
        )
    painter.setBrush(grey(244))
    painter.drawEllipse(QPointF(64, 63), 8.2, 6.4)
    painter.setPen(QPen(grey(244), 3.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawPolyline(QPolygonF([QPointF(56, 71), QPointF(64, 74), QPointF(72, 71)]))
    painter.drawLine(QPointF(64, 74), QPointF(64, 77.5))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(grey(60))
    painter.drawEllipse(QPointF(64, 70.4), 2.6, 2.0)
    painter.setBrush(grey(222))
    painter.drawEllipse(QPointF(68, 53), 4.2, 4.2)  # aorta
    painter.setBrush(grey(190))
    painter.drawEllipse(QPointF(57.5, 54), 3.6, 3.0)  # vena cava

    fill = QLinearGradient(QPointF(30, 28), QPointF(60, 66))
    fill.setColorAt(0, QColor(255, 170, 92))
    fill.setColorAt(1, QColor(240, 106, 44))
    painter.fillPath(LIVER, QBrush(fill))
    painter.setPen(QPen(QColor(255, 236, 214), 1.7))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(LIVER)


def draw_pencil(painter: QPainter, tip: tuple[float, float], length: float, width: float) -> None:
    """Draw the Segment Editor's pencil, its point at tip, leaning to the upper right (px)."""
    painter.save()
    painter.translate(*tip)
    painter.rotate(-45)
    half, nib = width / 2, width * 1.15
    parts = (
        ([(0, 0), (nib, -half), (nib, half)], QColor(250, 222, 182)),
        ([(0, 0), (nib * 0.42, -half * 0.42), (nib * 0.42, half * 0.42)], QColor(48, 52, 62)),
        ([(nib, -half), (length, -half), (length, 0), (nib, 0)], QColor(255, 221, 99)),
        ([(nib, 0), (length, 0), (length, half), (nib, half)], QColor(238, 178, 40)),
        (
            [(length, -half), (length * 1.09, -half), (length * 1.09, half), (length, half)],
            grey(206),
        ),
    )
    outline = QPen(QColor(22, 28, 40), width * 0.36)
    outline.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    silhouette = [(0, 0), (nib, -half), (length * 1.2, -half), (length * 1.2, half), (nib, half)]
    painter.setPen(outline)
    painter.setBrush(QColor(22, 28, 40))
    painter.drawPolygon(QPolygonF([QPointF(*point) for point in silhouette]))
    painter.setPen(Qt.PenStyle.NoPen)
    for points, colour in parts:
        painter.setBrush(colour)
        painter.drawPolygon(QPolygonF([QPointF(*point) for point in points]))
    painter.setBrush(QColor(236, 112, 122))
    painter.drawRect(QRectF(length * 1.09, -half, length * 0.11, width))
    painter.restore()


def draw_prompt(painter: QPainter, box: QRectF, text: str, size: float) -> None:
    """Draw the prompt line: a light field, the typed text, the I-beam behind it (px)."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(0, 0, 0, 90))
    painter.drawRoundedRect(box.translated(0, 1.6), 7, 7)
    painter.setBrush(QColor(250, 252, 255))
    painter.drawRoundedRect(box, 7, 7)
    font = QFont("DejaVu Sans", weight=QFont.Weight.Bold)
    font.setPixelSize(round(size))
    painter.setFont(font)
    painter.setPen(QColor(30, 38, 54))
    inset = 9.0
    painter.drawText(box.adjusted(inset, -1, 0, -1), Qt.AlignmentFlag.AlignVCenter, text)
    x = box.left() + inset + painter.fontMetrics().horizontalAdvance(text) + 6
    top, bottom = box.top() + 4.5, box.bottom() - 4.5
    painter.setPen(QPen(ACCENT, 2.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
    painter.drawLine(QPointF(x, top), QPointF(x, bottom))
    for y in (top, bottom):
        painter.drawLine(QPointF(x - 3.4, y), QPointF(x + 3.4, y))


def draw_plate(painter: QPainter) -> None:
    """Draw the dark rounded square on which an icon lies."""
    plate = QLinearGradient(QPointF(0, 0), QPointF(0, 128))
    plate.setColorAt(0, QColor(38, 54, 82))
    plate.setColorAt(1, QColor(16, 24, 42))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(plate))
    painter.drawRoundedRect(QRectF(2, 2, 124, 124), 22, 22)


def extension_icon(painter: QPainter) -> None:
    """Draw the icon of the extension and its module."""
    draw_plate(painter)
    painter.save()
    painter.translate(64, 47)
    painter.scale(1.14, 1.14)
    painter.translate(-64, -49)
    draw_slice(painter)
    painter.restore()
    draw_prompt(painter, QRectF(12, 89, 104, 28), "liver", 20)
    draw_pencil(painter, (68, 41), 42, 10)


def effect_icon(painter: QPainter) -> None:
    """Draw the icon of the Segment Editor effect: few, large shapes, read at 20 px."""
    painter.translate(64, 46)
    painter.scale(1.95, 1.95)
    painter.translate(-47, -47)
    fill = QLinearGradient(QPointF(30, 28), QPointF(60, 66))
    fill.setColorAt(0, QColor(255, 170, 92))
    fill.setColorAt(1, QColor(240, 106, 44))
    painter.fillPath(LIVER, QBrush(fill))
    painter.setPen(QPen(QColor(150, 58, 16), 2.2))
    painter.drawPath(LIVER)
    painter.resetTransform()
    painter.scale(OVERSAMPLING, OVERSAMPLING)
    painter.setPen(QPen(QColor(22, 28, 40), 5))
    painter.setBrush(QColor(250, 252, 255))
    painter.drawRoundedRect(QRectF(5, 84, 118, 39), 10, 10)
    painter.setPen(QPen(QColor(30, 38, 54), 8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
    painter.drawLine(QPointF(18, 104), QPointF(44, 104))
    painter.drawLine(QPointF(52, 104), QPointF(72, 104))
    painter.setPen(QPen(ACCENT.darker(112), 7, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
    painter.drawLine(QPointF(90, 90), QPointF(90, 117))
    for y in (91.5, 115.5):
        painter.drawLine(QPointF(80, y), QPointF(100, y))
    draw_pencil(painter, (62, 60), 58, 17)


def render(draw: Callable[[QPainter], None], path: Path, side: int = 128) -> None:
    """Draw at eight times the size, then scale down smoothly to side x side px."""
    image = QImage(
        128 * OVERSAMPLING, 128 * OVERSAMPLING, QImage.Format.Format_ARGB32_Premultiplied
    )
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    painter.scale(OVERSAMPLING, OVERSAMPLING)
    draw(painter)
    painter.end()
    small = image.scaled(
        side, side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    if not small.convertToFormat(QImage.Format.Format_ARGB32).save(str(path)):
        raise OSError(f"cannot write {path}")


def main() -> None:
    """Rewrite every icon of the project."""
    application = QGuiApplication([])
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    QFontDatabase.addApplicationFont(str(fonts / "DejaVuSans-Bold.ttf"))
    render(extension_icon, ROOT / "ExtensionIcon.png")
    render(extension_icon, ROOT / "TextPromptSeg/Resources/Icons/TextPromptSeg.png")
    render(effect_icon, ROOT / "TextPromptSeg/TextPromptSegEffect/SegmentEditorEffect.png")
    application.quit()


if __name__ == "__main__":
    main()
