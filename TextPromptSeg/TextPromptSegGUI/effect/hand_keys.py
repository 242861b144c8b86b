"""The effect's keys: apply, box, points, their sign, the next segment; Escape ends what goes on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from slicer.i18n import tr as _

from ..boxes.hints_box import BOTH, BOX, POINTS
from ..shared.keys import EscapeKey, Shortcuts

if TYPE_CHECKING:
    from .options import EffectOptions


class Hands(Protocol):
    """What the keys ask the effect to do."""

    def apply(self) -> None:
        """Ctrl+Enter was pressed."""

    def escape(self) -> bool:
        """Escape was pressed; False when there was nothing to end."""

    def say(self, text: str) -> None:
        """Show a sentence."""


def keys_of() -> list[tuple[str, str]]:
    """Return every key and what it does, for help and tool tips."""
    return [
        (_("Enter"), _("preview")),
        (_("Ctrl+Enter"), _("apply")),
        (_("Escape"), _("end drawing, cancel a run, switch the preview off")),
        ("B", _("draw a box")),
        ("O", _("set points")),
        ("T", _("points on the structure or beside it")),
        ("E", _("next segment")),
    ]


class HandKeys:
    """The keys while the effect is active; letters are those of nnInteractive."""

    def __init__(self, effect: Any, options: EffectOptions, hands: Hands) -> None:
        """Prepare; nothing is listened to."""
        self._effect, self._options, self._hands = effect, options, hands
        self._inside = True
        hints = options.hints
        hints.box.draw.toolTip = _("Draw in a slice view (key B); press Escape to end.")
        for box in (hints.points, hints.outside):
            box.draw.toolTip = _(
                "Set points in a slice view (key O; T changes between points on the structure and "
                "beside it); press Escape to end."
            )
        self._escape = EscapeKey(hands.escape)
        self._shortcuts = Shortcuts(
            {
                keys: partial(self._unless_running, action)
                for keys, action in (
                    ("Ctrl+Return", hands.apply),
                    ("Ctrl+Enter", hands.apply),
                    ("B", self.draw_box),
                    ("O", self.draw_points),
                    ("T", self.toggle_sign),
                    ("E", self.next_segment),
                )
            }
        )

    def switch_on(self) -> None:
        """Listen in the window of the options."""
        window = self._effect.optionsFrame().window()
        self._escape.listen(window)
        self._shortcuts.switch_on(window)

    def switch_off(self) -> None:
        """Stop listening."""
        self._escape.forget()
        self._shortcuts.switch_off()

    def cleanup(self) -> None:
        """Stop listening for good."""
        self.switch_off()
        self._escape.cleanup()

    def draw_box(self) -> None:
        """Let the mouse draw a box."""
        hints = self._options.hints
        if self._wanted(hints.has_box, "box", BOX if not hints.has_points else BOTH):
            hints.box.start_drawing()

    def draw_points(self) -> None:
        """Let the mouse set points on the structure, or beside it after `toggle_sign`."""
        hints = self._options.hints
        if self._wanted(hints.has_points, "points", POINTS if not hints.has_box else BOTH):
            (hints.points if self._inside else hints.outside).start_drawing()

    def toggle_sign(self) -> None:
        """Set the next points beside the structure instead of on it, or back."""
        self._inside = not self._inside
        self._hands.say(
            _("The next points lie on the structure.")
            if self._inside
            else _("The next points lie beside the structure.")
        )
        hints = self._options.hints
        if hints.points.drawing or hints.outside.drawing:
            self.draw_points()

    def next_segment(self) -> None:
        """Add an empty segment, select it, and go to the prompt."""
        editor = self._effect.parameterSetNode()
        node = None if editor is None else editor.GetSegmentationNode()
        if node is None:
            return
        self._effect.saveStateForUndo()
        editor.SetSelectedSegmentID(node.GetSegmentation().AddEmptySegment())
        self._options.focus()

    def _wanted(self, is_shown: bool, name: str, choice: str) -> bool:
        """Offer a hint, where the checkpoint listens to it."""
        if name not in self._options.model.takes:
            self._hands.say(
                _("This checkpoint listens to text alone; choose one that takes boxes or points.")
            )
            return False
        if not is_shown:
            self._options.choose_hints(choice)
        return True

    def _unless_running(self, action: Callable[[], None]) -> None:
        if not self._options.bar.running:
            action()
