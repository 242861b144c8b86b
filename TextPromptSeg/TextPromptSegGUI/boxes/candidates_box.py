"""Several plausible answers: how many to draw, and which one is shown and applied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import qt
from slicer.i18n import tr as _

from TextPromptSegLib.inference.answers import size_of
from TextPromptSegLib.outcome import Outcome
from TextPromptSegLib.prompting.boxed import all_kept

from ..shared.links import Links
from ..shared.quiet import quiet

if TYPE_CHECKING:
    from TextPromptSegLib.prompting.segmentation import Segmentation

MOST = 32


class CandidatesBox:
    """A number to draw, two buttons to flip through them, and the name of the one shown."""

    def __init__(
        self,
        on_count: Callable[[], None],
        on_flip: Callable[[], None],
        on_number: Callable[[int], None],
    ) -> None:
        """Make the widgets.

        Args:
            on_count: called when another number is asked for: that needs another run.
            on_flip: called when the user chose another candidate: that needs none.
            on_number: called whenever another candidate is the one shown, whoever chose it.
        """
        self._on_count, self._on_flip, self._on_number = on_count, on_flip, on_number
        self._offered = False
        self._known = 0
        self._wanted = 1
        self._number = 0
        self.samples = qt.QSpinBox()
        self.samples.objectName = "TextPromptSamples"
        self.samples.minimum, self.samples.maximum = 1, MOST
        self.samples.specialValueText = _("One answer")
        self.samples.suffix = _(" candidates")
        self.previous, self.next = qt.QToolButton(), qt.QToolButton()
        self.previous.objectName = "TextPromptPrevious"
        self.next.objectName = "TextPromptNext"
        self.previous.arrowType, self.next.arrowType = qt.Qt.LeftArrow, qt.Qt.RightArrow
        self.previous.toolTip = _("Show the candidate before; Apply takes the one that is shown.")
        self.next.toolTip = _("Show the next candidate; Apply takes the one that is shown.")
        self.shown = qt.QLabel()
        self.shown.objectName = "TextPromptCandidate"
        self.shown.alignment = qt.Qt.AlignCenter
        self.widget = qt.QWidget()
        row = qt.QHBoxLayout(self.widget)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.samples, 1)
        row.addWidget(self.previous)
        row.addWidget(self.shown, 1)
        row.addWidget(self.next)
        self._links = Links()
        self._links.connect(self.samples, "valueChanged(int)", self._count_changed)
        self._links.connect(self.previous, "clicked()", self._back)
        self._links.connect(self.next, "clicked()", self._forward)
        self.set_offered(False)

    @property
    def number(self) -> int:
        """The candidate that is shown, from 1; 0 is their mean."""
        return self._number

    @property
    def wanted(self) -> int:
        """How many candidates the user asked for, also while the checkpoint draws none."""
        return self._wanted

    @property
    def count(self) -> int | None:
        """How many candidates are asked for, None for one answer."""
        return self._wanted if self._offered and self._wanted > 1 else None

    def set_offered(self, offered: bool) -> None:
        """Say whether the checkpoint can draw candidates."""
        self._offered = offered
        self.samples.enabled = offered
        self._show_wanted()
        if not offered:
            self._set_number(0)
            self._known = 0
        self.samples.toolTip = (
            _("How many plausible answers to draw. First their mean is shown; the arrows flip.")
            if offered
            else _(
                "This checkpoint gives one answer; choose one that draws candidates "
                "(the section Checkpoints of the module says which do)."
            )
        )
        self._show()

    def set_count(self, count: int) -> None:
        """Ask for a number of candidates without telling anybody."""
        self._wanted = min(max(count, 1), MOST)
        self._show_wanted()
        self._show()

    def set_known(self, results: Sequence[Segmentation]) -> None:
        """Say which answers there are to flip through."""
        self._known = max((len(result.candidates) for result in results), default=0)
        if self._number > self._known:
            self._set_number(0)
        self._show()

    def set_enabled(self, enabled: bool) -> None:
        """Allow or forbid changes."""
        self.widget.enabled = enabled

    def cleanup(self) -> None:
        """Disconnect."""
        self._links.clear()

    def _count_changed(self, count: int) -> None:
        self._wanted, self._known = int(count), 0
        self._set_number(0)
        self._show()
        self._on_count()

    def _back(self) -> None:
        self._flip(-1)

    def _forward(self) -> None:
        self._flip(1)

    def _flip(self, step: int) -> None:
        self._set_number((self._number + step) % (self._known + 1))
        self._show()
        self._on_flip()

    def _set_number(self, number: int) -> None:
        if number != self._number:
            self._number = number
            self._on_number(number)

    def _show_wanted(self) -> None:
        """A checkpoint that draws none is said to give one answer."""
        shown = self._wanted if self._offered else 1
        if shown != self.samples.value:
            with quiet(self.samples):
                self.samples.value = shown

    def _show(self) -> None:
        several = self.count is not None
        self.previous.enabled = self.next.enabled = self._known > 0
        for widget in (self.previous, self.next, self.shown):
            widget.visible = several
        if not self._known:
            self.shown.text = _("not drawn yet")
        elif self._number:
            self.shown.text = _("{number} of {count}").format(
                number=self._number, count=self._known
            )
        else:
            self.shown.text = _("mean of {count}").format(count=self._known)


def pick(result: Segmentation, number: int) -> Segmentation:
    """Return an answer whose mask is one of its candidates.

    Args:
        result: an answer with candidates; one without is returned as it is.
        number: which, from 1; 0 is the mean, the answer itself.
    """
    if not 0 < number <= len(result.candidates):
        return result
    mask = all_kept(result.candidates)[number - 1]
    voxels = int(np.count_nonzero(mask.values))
    volume_ml = voxels * float(result.provenance.get("voxel_ml") or 0.0)
    text = (
        _("candidate {number} of {count}, {size}")
        if voxels
        else _("candidate {number} of {count} is empty")
    )
    count = len(result.candidates)
    picked = replace(result, mask=mask.unless_small(), voxels=voxels, volume_ml=volume_ml)
    size = size_of(picked) if voxels else ""
    return replace(
        picked,
        outcome=Outcome.FOUND if voxels else Outcome.NOT_FOUND,
        message=text.format(number=number, count=count, size=size),
        provenance={**result.provenance, "candidate": f"{number} of {count}"},
        uncertainty=None,
        candidates=(),
    )
