"""Draws the rooms of the project, from the layers that import-linter checks, as one SVG picture.

`python Testing/Tools/draw_rooms.py` prints whether the picture is up to date; `--write` draws it.
"""

from __future__ import annotations

import ast
import sys
import textwrap
from dataclasses import dataclass
from html import escape
from pathlib import Path

from importlinter.application.use_cases import read_user_options
from importlinter.configuration import configure

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "Resources" / "Docs" / "rooms.svg"

LEFT, RIGHT, MARGIN, GAP = 400, 640, 24, 10  # px; the columns: packages and widgets, library
TITLE, TEXT = 19, 15  # height of a line, px
# One colour of frame a part; all of it on a ground of its own, so that any page may be around it.
SLICER, LIBRARY, GROUND, BOX, INK, DIM = (
    "#7fb6ff",
    "#8fd6a3",
    "#18202c",
    "#243044",
    "#f2f5f9",
    "#b8c4d4",
)


@dataclass(frozen=True)
class Stack:
    """Rooms one above the other; imports point down.

    Attributes:
        title: what stands over them.
        container: the package they are in; "" for the packages themselves.
        layers: from the top; the rooms of one layer side by side.
    """

    title: str
    container: str
    layers: tuple[tuple[str, ...], ...]


def stacks() -> list[Stack]:
    """Return what import-linter's contracts of kind "layers" say, that of the packages first."""
    configure()
    found = []
    for options in read_user_options(str(ROOT / "pyproject.toml")).contracts_options:
        if options["type"] == "layers":
            layers = tuple(
                tuple(part.strip(" ()") for part in line.replace(":", "|").split("|"))
                for line in options["layers"]
            )
            container = "".join(options.get("containers", ()))
            title = f"Inside {container}" if container else "The packages"
            found.append(Stack(title, container, layers))
    return found


def _folder(package: str) -> Path:
    return next(p for p in (ROOT / "TextPromptSeg" / package, ROOT / package) if p.is_dir())


def purpose(stack: Stack, room: str) -> str:
    """Return the first sentence of a room's docstring, without its full stop."""
    folder = _folder(stack.container or room)
    inside = folder / room if stack.container else folder
    file = inside / "__init__.py" if inside.is_dir() else inside.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split()).rstrip(".").replace("`", "")


class Column:
    """Collects the shapes of one column of the picture from the top down."""

    def __init__(self, x: float, width: float, colour: str) -> None:
        """Begin at the top, ``x`` px from the left."""
        self.x, self.width, self.colour = x, width, colour
        self.y = MARGIN
        self.shapes: list[str] = []

    def stack(self, stack: Stack) -> None:
        """Draw one stack below what is there."""
        self.heading(stack.title)
        for number, layer in enumerate(stack.layers):
            if number:
                self.arrow()
            self.layer([(room, purpose(stack, room)) for room in layer])
        self.y += MARGIN

    def heading(self, text: str) -> None:
        """Write a line over a stack."""
        self.shapes.append(_text(self.x, self.y + 14, text, self.colour, 16, bold=True))
        self.y += 26

    def layer(self, rooms: list[tuple[str, str]]) -> None:
        """Draw the rooms of one layer, (name, purpose) each, side by side."""
        width = (self.width - GAP * (len(rooms) - 1)) / len(rooms)
        wrapped = [textwrap.wrap(said, int((width - 24) / 6.9)) for _, said in rooms]
        height = 20 + TITLE + TEXT * max(map(len, wrapped))
        for number, ((name, _), lines) in enumerate(zip(rooms, wrapped, strict=True)):
            x = self.x + number * (width + GAP)
            self.shapes.append(
                f'<rect x="{x:.1f}" y="{self.y}" width="{width:.1f}" height="{height}" rx="7" '
                f'fill="{BOX}" stroke="{self.colour}" stroke-width="1.4"/>'
            )
            self.shapes.append(_text(x + 12, self.y + 24, name, INK, 15, bold=True))
            for line, text in enumerate(lines, 1):
                self.shapes.append(_text(x + 12, self.y + 24 + 3 + TEXT * line, text, DIM, 12.5))
        self.y += height

    def arrow(self) -> None:
        """Draw the way imports point: down to the next layer."""
        x, y = self.x + self.width / 2, self.y
        self.shapes.append(
            f'<path d="M{x} {y + 3}V{y + 12}M{x - 5} {y + 8}L{x} {y + 14}L{x + 5} {y + 8}" '
            f'stroke="{DIM}" stroke-width="1.6" fill="none"/>'
        )
        self.y += 18


def _text(x: float, y: float, text: str, colour: str, size: float, bold: bool = False) -> str:
    look = f'fill="{colour}" font-size="{size}"' + (' font-weight="bold"' if bold else "")
    return f'<text x="{x:.1f}" y="{y}" {look}>{escape(text)}</text>'


def draw() -> str:
    """Return the picture as SVG."""
    left = Column(MARGIN, LEFT, SLICER)
    right = Column(2 * MARGIN + LEFT, RIGHT, LIBRARY)
    for stack in stacks():
        (right if stack.container == "TextPromptSegLib" else left).stack(stack)
    width, height = 3 * MARGIN + LEFT + RIGHT, max(left.y, right.y)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="sans-serif" role="img">',
            "<title>The rooms of TextPromptSeg; imports point down</title>",
            f'<rect width="{width}" height="{height}" rx="12" fill="{GROUND}"/>',
            *left.shapes,
            *right.shapes,
            "</svg>",
            "",
        ]
    )


def main(arguments: list[str]) -> int:
    """Print whether the picture is up to date, or with --write draw it."""
    picture = draw()
    if "--write" in arguments:
        PICTURE.write_text(picture, encoding="utf-8", newline="\n")
    current = PICTURE.is_file() and PICTURE.read_text(encoding="utf-8") == picture
    print("The picture of the rooms is up to date." if current else "Run it with --write.")
    return 0 if current else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
