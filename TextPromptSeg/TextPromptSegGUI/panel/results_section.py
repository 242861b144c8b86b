"""What the last run answered: a table, overlays, the console call, undo."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import ctk
import numpy as np
import qt
import slicer
from slicer.i18n import tr as _

from TextPromptSegLib.checkpoints.quality import EXPERIMENTAL
from TextPromptSegLib.inference.answers import size_of

from ..shared import overlays, views
from ..shared.links import Links
from ..shared.quality_words import tier_word

if TYPE_CHECKING:
    from TextPromptSegLib.image.volume import Volume
    from TextPromptSegLib.prompting.segmentation import Segmentation

COLUMNS = 6


class ResultsSection:
    """The table of answers and what can be done with them."""

    def __init__(self) -> None:
        """Build the section, empty."""
        self.button = ctk.ctkCollapsibleButton()
        self.button.text = _("Results")
        self.table = qt.QTableWidget()
        self.table.objectName = "TextPromptSegResults"
        self.table.columnCount = COLUMNS
        self.table.setHorizontalHeaderLabels(
            [_("Prompt"), _("Outcome"), _("Size"), _("max p"), _("s"), ""]
        )
        self.table.selectionBehavior = qt.QAbstractItemView.SelectRows
        self.table.editTriggers = qt.QAbstractItemView.NoEditTriggers
        self.table.verticalHeader().visible = False
        self.table.minimumHeight = 130
        header = self.table.horizontalHeader()
        # both hold words, which wrap: a long outcome must not squeeze the name away
        for column in (0, 1):
            header.setSectionResizeMode(column, qt.QHeaderView.Stretch)
        for column in range(2, COLUMNS):
            header.setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)
        self.probability = _button(
            "TextPromptSegProbability",
            _("Probability"),
            _("Show the probability of the selected row over the image, as a volume."),
        )
        self.uncertainty = _button(
            "TextPromptSegUncertainty",
            _("Uncertainty"),
            _("Show where the answer of the selected row is unsure, as a volume."),
        )
        self.heat_map = _button(
            "TextPromptSegHeatMap",
            _("Heat map"),
            _("Show where the network looked for the selected row, as a volume."),
        )
        self.candidates = _button(
            "TextPromptSegCandidates",
            _("Candidates"),
            _("Add every candidate of the selected row as a segment, to choose from."),
        )
        self.copy = _button(
            "TextPromptSegCopy",
            _("Copy as Python"),
            _("Put the console call that does the same on the clipboard."),
        )
        self.copy_table = _button(
            "TextPromptSegCopyTable",
            _("Copy table"),
            _("Put the table with sizes and outcomes on the clipboard, for a spreadsheet."),
        )
        self.statistics = _button(
            "TextPromptSegStatistics",
            _("Statistics"),
            _("Compute volumes and intensities of all segments into a Segment Statistics table."),
        )
        self.undo = _button(
            "TextPromptSegUndo", _("Undo"), _("Take back the last run of this panel.")
        )
        column = qt.QVBoxLayout(self.button)
        column.addWidget(self.table)
        row = qt.QHBoxLayout()
        for widget in (
            self.probability,
            self.uncertainty,
            self.heat_map,
            self.candidates,
        ):
            row.addWidget(widget)
        column.addLayout(row)
        row = qt.QHBoxLayout()
        for widget in (self.copy_table, self.statistics, self.copy, self.undo):
            row.addWidget(widget)
        column.addLayout(row)
        self._results: list[Segmentation] = []
        self._volume: Volume | None = None
        self._segmentation_id = ""
        self._show_buttons: list[Any] = []
        self._links = Links()
        self._row_links = Links()
        for button, kind in (
            (self.probability, overlays.PROBABILITY),
            (self.uncertainty, overlays.UNCERTAINTY),
            (self.heat_map, overlays.HEAT_MAP),
        ):
            self._links.connect(button, "clicked()", partial(self._overlay, kind))
        self._links.connect(self.copy_table, "clicked()", self._copy_table)
        self._links.connect(self.statistics, "clicked()", self._make_statistics)
        self._enable()

    def show(
        self,
        results: Sequence[Segmentation],
        volume: Volume | None,
        segmentation_node: Any = None,
    ) -> None:
        """Fill the table; an empty list clears it."""
        self._row_links.clear()
        self._results, self._volume = list(results), volume
        self._segmentation_id = "" if segmentation_node is None else segmentation_node.GetID()
        self.table.rowCount = len(results)
        for row, result in enumerate(results):
            found = result.voxels > 0
            texts = (
                result.prompt.phrase(),
                outcome_words(result),
                size_of(result) if found else "",
                f"{result.max_probability:.2f}" if result.probability is not None else "",
                f"{result.seconds:.1f}",
            )
            for column, text in enumerate(texts):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(result.message)
                if column > 1:
                    item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
                self.table.setItem(row, column, item)
            button = qt.QPushButton(_("Show"))
            button.objectName = f"TextPromptSegShow{row}"
            button.enabled = found
            button.toolTip = _("Show the middle of this structure in the slice views.")
            self.table.setCellWidget(row, COLUMNS - 1, button)
            self._row_links.connect(button, "clicked()", partial(self._show, row))
        self.table.resizeRowsToContents()  # a long prompt takes two lines
        if results:
            self.table.selectRow(0)
        self._enable()

    def cleanup(self) -> None:
        """Disconnect and let go of the answers."""
        self.show([], None)
        self._links.clear()

    @property
    def selected(self) -> Segmentation | None:
        """The answer of the selected row."""
        row = max(0, int(self.table.currentRow()))
        return self._results[row] if row < len(self._results) else None

    @property
    def volume(self) -> Volume | None:
        """The image that the answers belong to."""
        return self._volume

    @property
    def node(self) -> Any:
        """The segmentation that the answers were written to, or None."""
        known = self._segmentation_id
        return slicer.mrmlScene.GetNodeByID(known) if known else None

    def as_text(self) -> str:
        """Return the table as lines of cells with tabs between them; sizes with their unit."""
        heads = [_("Prompt"), _("Outcome"), _("Volume (ml)"), _("Voxels"), _("max p"), _("Remark")]
        rows = [
            [
                result.prompt.phrase(),
                outcome_words(result),
                f"{result.volume_ml:.3f}",
                str(result.voxels),
                f"{result.max_probability:.3f}",
                result.message,
            ]
            for result in self._results
        ]
        return "\n".join("\t".join(" ".join(c.split()) for c in row) for row in [heads, *rows])

    def _copy_table(self) -> None:
        slicer.app.clipboard().setText(self.as_text())

    def _make_statistics(self) -> None:
        if self.node is not None:
            segment_statistics(self.node)

    def _enable(self) -> None:
        self.copy_table.enabled = bool(self._results)
        self.statistics.enabled = self.node is not None
        has_probability = any(result.probability is not None for result in self._results)
        self.probability.enabled = self.uncertainty.enabled = has_probability
        self.heat_map.visible = any(result.heat_map is not None for result in self._results)
        self.candidates.visible = any(result.candidates for result in self._results)

    def _show(self, row: int) -> None:
        result, volume = self._results[row], self._volume
        if volume is None:
            return
        planes = np.flatnonzero(result.mask.any(axis=(1, 2)))
        if not planes.size:
            return
        # The middle slice that holds the structure, and its middle there: inside for most shapes.
        k = int(planes[planes.size // 2])
        rows, columns = np.nonzero(result.mask[k])
        center = np.array([np.median(columns), np.median(rows), k])
        views.jump_to(volume.index_to_ras(center))
        self._reveal(result.prompt.name)

    def _reveal(self, name: str) -> None:
        node = self.node
        if node is None or node.GetDisplayNode() is None:
            return
        segment_id = node.GetSegmentation().GetSegmentIdBySegmentName(name)
        if segment_id:
            node.GetDisplayNode().SetVisibility(True)
            node.GetDisplayNode().SetSegmentVisibility(segment_id, True)

    def _overlay(self, kind: str) -> None:
        if self.selected is not None and self._volume is not None:
            overlays.add_overlay(self.selected, self._volume, kind)


def segment_statistics(segmentation_node: Any) -> Any:
    """Measure all segments with the module Segment Statistics, and show its table.

    Returns:
        The vtkMRMLTableNode.
    """
    import SegmentStatistics

    logic = SegmentStatistics.SegmentStatisticsLogic()
    parameters = logic.getParameterNode()
    parameters.SetParameter("Segmentation", segmentation_node.GetID())
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    volume = segmentation_node.GetNodeReference(role)
    parameters.SetParameter("ScalarVolume", "" if volume is None else volume.GetID())
    logic.computeStatistics()
    name = _("{name} statistics").format(name=segmentation_node.GetName())
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", name)
    logic.exportToTable(table)
    logic.showTable(table)
    return table


def outcome_words(result: Segmentation) -> str:
    """Return an answer's outcome in words, and whether its structure is experimental."""
    word = outcome_word(result.outcome.value)
    if result.unusual:
        word = _("{outcome}, unusual").format(outcome=word)
    tier = (result.provenance.get("quality") or {}).get("tier")
    return f"{word}, {tier_word(tier)}" if tier == EXPERIMENTAL else word


def outcome_word(outcome: str) -> str:
    """Return an outcome in words of the user's language."""
    words = {
        "found": _("found"),
        "below_threshold": _("below threshold"),
        "not_found": _("not found"),
        "unknown_prompt": _("not trained"),
    }
    return words.get(outcome, outcome)


def _button(object_name: str, text: str, tip: str) -> Any:
    button = qt.QPushButton(text)
    button.objectName = object_name
    button.toolTip = tip
    return button
