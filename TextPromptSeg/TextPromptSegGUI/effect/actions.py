"""What the options of the effect ask for; the controller does it."""

from __future__ import annotations

from typing import Protocol


class Actions(Protocol):
    """What the options ask the effect to do."""

    def apply(self) -> None:
        """Apply was pressed."""

    def cancel(self) -> None:
        """Cancel was pressed."""

    def preview_toggled(self, on: bool) -> None:
        """Preview was switched."""

    def prompt_changed(self) -> None:
        """Another prompt, checkpoint or range: earlier answers may not hold."""

    def threshold_changed(self) -> None:
        """Only the threshold, or which candidate is taken: earlier answers hold."""

    def overlay_changed(self) -> None:
        """Another map is to be shown over the image."""

    def show_in_3d(self) -> None:
        """The surfaces of the segments are to be shown, or hidden."""

    def again(self) -> None:
        """The selected segment's prompt is to be used again."""

    def follow_link(self, address: str) -> None:
        """A link of the outcome line was clicked."""
