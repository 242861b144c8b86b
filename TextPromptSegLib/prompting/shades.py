"""The display colour of a segment: the standard one, and on the left side a shade of it."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .anatomy import Terminology
    from .prompt import Prompt

Colour = tuple[int, int, int]


def display_colour(terminology: Terminology, prompt: Prompt) -> Colour:
    """Return the colour (r, g, b) in 0..255 that a prompt's segment is drawn in.

    The terminology knows one colour for both sides. A left one gets a darker, yellower shade of
    it, so that left and right lung differ at a glance; the right one keeps the standard.
    """
    return left_shade(terminology.colour) if prompt.side == "left" else terminology.colour


def left_shade(colour: Colour) -> Colour:
    """Return the shade of a standard colour for the left side."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255.0 for channel in colour))
    saturation = min(1.0, 1.3 * saturation + 0.12)
    value = 0.72 * value if value > 0.45 else value + 0.3
    red, green, blue = colorsys.hsv_to_rgb((hue + 0.07) % 1.0, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)
