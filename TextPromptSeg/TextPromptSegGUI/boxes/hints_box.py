"""What helps the text: a box, points, a second pass; only what the checkpoint listens to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt
from slicer.i18n import tr as _

from ..shared.links import Links
from ..shared.quiet import choose, fill, quiet
from .markups_box import MarkupsBox

NONE, BOX, POINTS, BOTH = "text", "box", "points", "both"
_GREEN, _RED = (0.2, 0.8, 0.2), (0.9, 0.2, 0.2)


class HintsBox:
    """A combo box, and for its choices the selectors that belong to them."""

    def __init__(self, on_change: Callable[[], None], prefix: str = "TextPrompt") -> None:
        """Make the widgets.

        Args:
            on_change: called after the user changed something.
            prefix: of the object names.
        """
        self._on_change = on_change
        self._takes: tuple[str, ...] = ()
        self.combo = qt.QComboBox()
        self.combo.objectName = f"{prefix}Hints"
        roi, points = "vtkMRMLMarkupsROINode", "vtkMRMLMarkupsFiducialNode"
        self.box = MarkupsBox(
            self._edited, f"{prefix}Box", roi, _("Box"), _("Choose or draw a box"), _GREEN
        )
        self.points = MarkupsBox(
            self._edited, f"{prefix}Points", points, _("Inside"), _("Points on it"), _GREEN, True
        )
        self.outside = MarkupsBox(
            self._edited,
            f"{prefix}Outside",
            points,
            _("Outside"),
            _("Points beside it"),
            _RED,
            True,
        )
        self.box.selector.toolTip = _(
            "A box around the structure. It tells the network where to look; the range, in "
            "contrast, only cuts off what lies outside."
        )
        self.points.selector.toolTip = _(
            "Points or a scribble on the structure. A point whose name begins with '-' lies "
            "beside it."
        )
        self.outside.selector.toolTip = _(
            "Points or a scribble beside the structure; may be left out."
        )
        self.two_pass = _check(
            f"{prefix}TwoPass",
            _("Two passes"),
            _("Find a box by the text first, then ask again with that box."),
        )
        self.propagate = _check(
            f"{prefix}Propagate",
            _("Slice to slice"),
            _("Give each slice the box of what was found in the slice before."),
        )
        self.start = _check(
            f"{prefix}Start",
            _("Start from the segment"),
            _(
                "Box and points make the selected segment better instead of asking anew: its mask "
                "goes into the network, or where that takes none the box around it on each slice."
            ),
        )
        self._mask: tuple[str, Any] | None = None  # the image and what is started from
        self._passes = qt.QWidget()
        row = qt.QHBoxLayout(self._passes)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.two_pass)
        row.addWidget(self.propagate)
        row.addStretch(1)
        self.widget = qt.QWidget()
        column = qt.QVBoxLayout(self.widget)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (
            self.combo,
            self.box.widget,
            self.points.widget,
            self.outside.widget,
            self.start,
            self._passes,
        ):
            column.addWidget(part)
        self.boxes = (self.box, self.points, self.outside)
        self._links = Links()
        self.set_takes(())
        self._links.connect(self.combo, "currentIndexChanged(int)", self._edited)
        self._links.connect(self.two_pass, "toggled(bool)", self._edited)
        self._links.connect(self.propagate, "toggled(bool)", self._edited)
        self._links.connect(self.start, "toggled(bool)", self._edited)

    @property
    def choice(self) -> str:
        """The chosen hints: "text", "box", "points" or "both"."""
        return str(self.combo.itemData(self.combo.currentIndex) or NONE)

    @property
    def has_box(self) -> bool:
        """Whether a box is asked for."""
        return self.choice in (BOX, BOTH)

    @property
    def has_points(self) -> bool:
        """Whether points are asked for."""
        return self.choice in (POINTS, BOTH)

    @property
    def starts(self) -> bool:
        """Whether the next run starts from a segment that is there."""
        offered = "mask" in self._takes or "box" in self._takes
        return self._mask is not None and offered and self.choice != NONE

    def start_from(self, image: str, mask: Any) -> None:
        """Start the next runs from a mask as it is now.

        Args:
            image: ID of the volume node.
            mask: (K, J, I) on its voxels, kept for the box around it.
        """
        self._mask = (image, mask)
        with quiet(self.start):
            self.start.checked = True
        self._arrange()

    def nodes(self, image: str = "") -> Any:
        """Return the chosen `HintNodes`.

        Args:
            image: ID of the volume node that is segmented; a mask of another one is left out.

        Raises:
            InputError: when a node is still to be chosen.
        """
        from TextPromptSegLib.outcome import InputError
        from TextPromptSegMRML.hints import HintNodes

        starts = self.starts and bool(self.start.checked) and self._mask[0] == image  # type: ignore[index]
        if self.has_box and self.box.node is None and not starts:
            raise InputError(_("Choose or draw a box, or set the hints to text alone."))
        points = (self.points.node, self.outside.node)
        if self.has_points and points == (None, None) and not starts:
            raise InputError(_("Choose or place points, or set the hints to text alone."))
        passes = "box" in self._takes
        return HintNodes(
            box=self.box.node if self.has_box else None,
            points=points[0] if self.has_points else None,
            outside=points[1] if self.has_points else None,
            two_pass=passes and bool(self.two_pass.checked),
            propagate=passes and bool(self.propagate.checked),
            mask=self._mask[1] if starts and self._mask is not None else None,
        )

    def set_takes(self, takes: Sequence[str]) -> None:
        """Offer what a checkpoint listens to; the choice stays where it can.

        Args:
            takes: the checkpoint's "box", "points" and others.
        """
        wanted, self._takes = self.choice, tuple(takes)
        choices = [(NONE, _("Text alone"))]
        if "box" in takes:
            choices.append((BOX, _("Text and a box")))
        if "points" in takes:
            choices.append((POINTS, _("Text and points")))
        if "box" in takes and "points" in takes:
            choices.append((BOTH, _("Text, a box and points")))
        fill(self.combo, choices, wanted)
        self.combo.enabled = len(choices) > 1
        self.combo.toolTip = (
            _("What helps the network to find the structure, beside the text.")
            if len(choices) > 1
            else _(
                "This checkpoint listens to text alone; choose one that takes boxes or points "
                "(the section Checkpoints of the module says which do)."
            )
        )
        self._arrange()

    def set_state(self, choice: str, nodes: Sequence[Any], two_pass: bool, propagate: bool) -> None:
        """Set everything without telling anybody.

        Args:
            choice: "text", "box", "points" or "both"; one that is not offered is text alone.
            nodes: the nodes of box, points and points outside, or None.
            two_pass, propagate: the two switches.
        """
        for box, node in zip(self.boxes, nodes, strict=True):
            box.set_node(node)
        for check, on in ((self.two_pass, two_pass), (self.propagate, propagate)):
            if check.checked != on:
                with quiet(check):
                    check.checked = on
        choose(self.combo, choice)
        self._arrange()

    def set_enabled(self, enabled: bool) -> None:
        """Allow or forbid changes."""
        self.widget.enabled = enabled
        if not enabled:
            self.end_drawing()

    def end_drawing(self) -> None:
        """Give the mouse back, when it places one of the hints."""
        for part in self.boxes:
            part.end_drawing()

    def cleanup(self) -> None:
        """Disconnect and let go of the scene."""
        self._links.clear()
        for part in self.boxes:
            part.cleanup()

    def _edited(self, _value: Any = None) -> None:
        self._arrange()
        self._on_change()

    def _arrange(self) -> None:
        self.box.widget.visible = self.has_box
        self.points.widget.visible = self.outside.widget.visible = self.has_points
        self.start.visible = self.starts
        self._passes.visible = "box" in self._takes
        if not self.has_box:
            self.box.end_drawing()
        if not self.has_points:
            self.points.end_drawing()
            self.outside.end_drawing()


def _check(object_name: str, text: str, tip: str) -> Any:
    check = qt.QCheckBox(text)
    check.objectName = object_name
    check.toolTip = tip
    return check
