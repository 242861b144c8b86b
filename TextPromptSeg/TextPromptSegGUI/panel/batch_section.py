"""Many images: volumes of the scene, or files of a folder; failures do not stop the rest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import ctk
import qt
import slicer
from slicer.i18n import tr as _

from TextPromptSegLib.outcome import DependencyError, TextPromptSegError

from ..boxes.run_bar import RunBar
from ..shared.links import Links
from ..shared.runs import Progress, RunRequest, progress_of
from ..shared.session import Session
from .results_section import outcome_word
from .scene_batch import SceneBatch

if TYPE_CHECKING:
    from TextPromptSegLib.worker.client import Job

SCENE, FOLDER = "scene", "folder"
COLUMNS = 5


class Panel(Protocol):
    """Where prompts, checkpoint, threshold and device come from."""

    segment: Any

    def request(self, frame: int | None = None) -> RunRequest:
        """Return the run that the panel describes."""

    def _at_threshold(self, results: Any) -> Any: ...


class BatchSection:
    """The choice of images, the table of what became of them, the CSV."""

    def __init__(self, session: Session, panel: Panel) -> None:
        """Build the section."""
        self._session, self._panel = session, panel
        self.button = ctk.ctkCollapsibleButton()
        self.button.text = _("Batch")
        self.source = qt.QComboBox()
        self.source.objectName = "TextPromptSegBatchSource"
        self.source.addItem(_("Volumes of the scene"), SCENE)
        self.source.addItem(_("Images of a folder"), FOLDER)
        self.input = _path("TextPromptSegBatchInput", _("Folder with images"))
        self.output = _path("TextPromptSegBatchOutput", _("Folder for results and summary.csv"))
        self.resume = qt.QCheckBox(_("Skip images that an earlier run finished"))
        self.resume.objectName = "TextPromptSegBatchResume"
        self.resume.checked = True
        self.table = qt.QTableWidget()
        self.table.objectName = "TextPromptSegBatchTable"
        self.table.columnCount = COLUMNS
        self.table.setHorizontalHeaderLabels(
            [_("Image"), _("Prompt"), _("Outcome"), _("ml"), _("Remark")]
        )
        self.table.editTriggers = qt.QAbstractItemView.NoEditTriggers
        self.table.verticalHeader().visible = False
        self.table.minimumHeight = 140
        header = self.table.horizontalHeader()
        for column in range(COLUMNS - 1):
            header.setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)
        header.setSectionResizeMode(COLUMNS - 1, qt.QHeaderView.Stretch)
        self.bar = RunBar(self._apply, self._cancel, None, "TextPromptSegBatch")
        self.bar.button.toolTip = _("Use the prompts, checkpoint and threshold chosen above.")
        form = qt.QFormLayout(self.button)
        form.addRow(_("Images:"), self.source)
        self.pick_input, self.pick_output = _browse("Input"), _browse("Output")
        self._input_row = _row(self.input, self.pick_input)
        self._input_label = qt.QLabel(_("Folder:"))
        form.addRow(self._input_label, self._input_row)
        form.addRow("", self.resume)
        form.addRow(_("Results:"), _row(self.output, self.pick_output))
        form.addRow(self.bar.button)
        form.addRow(self.bar.progress)
        form.addRow(self.bar.outcome)
        form.addRow(self.table)
        self._scene_batch: SceneBatch | None = None
        self._job: Job | None = None
        self._links = Links()
        self._links.connect(self.source, "currentIndexChanged(int)", self._arrange)
        self._links.connect(self.pick_input, "clicked()", self._browse_input)
        self._links.connect(self.pick_output, "clicked()", self._browse_output)
        self._arrange()

    def cleanup(self) -> None:
        """Give up a batch and disconnect."""
        self._cancel()
        self._links.clear()
        self.bar.cleanup()

    @property
    def over_scene(self) -> bool:
        """Whether the volumes of the scene are meant."""
        return str(self.source.itemData(self.source.currentIndex)) == SCENE

    # -- runs --------------------------------------------------------------------------------------

    def _apply(self) -> None:
        self.table.rowCount = 0
        try:
            request = self._panel.request()
            folder = self._folder(str(self.output.text), required=not self.over_scene)
            source = None if self.over_scene else self._folder(str(self.input.text), True)
        except TextPromptSegError as error:
            self.bar.say(str(error), rich=isinstance(error, DependencyError))
            return
        self.bar.say("")
        self.bar.start()
        if source is None:
            self._scene_batch = SceneBatch(
                self._session, request, folder, self._panel._at_threshold, self
            )
            self._scene_batch.start()
        else:
            from TextPromptSegLib.worker.wire import prompt_to_dict

            message = {
                "type": "batch",
                "inputs": str(source),
                "output_dir": str(folder),
                "model": request.model,
                "device": request.device,
                "prompts": [prompt_to_dict(prompt) for prompt in request.prompts],
                "threshold": self._panel.segment.threshold.value,
                "resume": bool(self.resume.checked),
            }
            client = self._session.client
            self._job = client.submit(message, self._folder_finished, self._folder_progress)
            self._session.watch(self._job)

    def _cancel(self) -> None:
        if self._scene_batch is not None:
            self._scene_batch.cancel()
        if self._job is not None:
            self._session.cancel(self._job)

    def _folder_progress(self, job: Job) -> None:
        progress = progress_of(job)
        self.bar.show_progress(
            Progress(progress.done, progress.total, f"{job.message}  {progress.text}")
        )

    def _folder_finished(self, job: Job) -> None:
        self._job = None
        self.bar.stop()
        if job.state == "cancelled":
            self.bar.say(_("Cancelled; what was finished is in the results folder."))
        elif job.state == "failed":
            self.bar.say(str(job.error))
        else:
            summary = job.result["summary"]
            for case in summary["cases"]:
                self.add_case(case)
            self.finished(summary, Path(str(self.output.text)) / "summary.csv")

    # -- called by a batch over the scene ----------------------------------------------------------

    def add_case(self, case: dict[str, Any]) -> None:
        """Add the rows of one image (the form of summary.json)."""
        entries = case["prompts"] or [{"prompt": "", "outcome": "", "volume_ml": None}]
        for entry in entries:
            row = self.table.rowCount
            self.table.rowCount = row + 1
            volume = entry.get("volume_ml")
            remark = case["error"] or (_("done before") if case["status"] == "resumed" else "")
            outcome = _("failed") if case["status"] == "failed" else outcome_word(entry["outcome"])
            texts = (
                case["case"],
                str(entry.get("name") or entry.get("prompt") or ""),
                outcome,
                f"{volume:,.1f}" if volume else "",
                remark,
            )
            for column, text in enumerate(texts):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(text)
                self.table.setItem(row, column, item)
        self.table.resizeRowsToContents()  # a remark takes as many lines as it needs

    def show_progress(self, progress: Progress) -> None:
        """Show how far the batch has come."""
        self.bar.show_progress(progress)

    def finished(self, summary: dict[str, Any], csv: Path | None, error: str = "") -> None:
        """Say what became of the batch."""
        self._scene_batch = None
        self.bar.stop()
        text = _("{done} of {total} images done, {failed} failed.").format(
            done=summary["done"] + summary["resumed"],
            total=summary["total"],
            failed=summary["failed"],
        )
        if csv is not None:
            text += "\n" + _("Table: {path}").format(path=csv)
        self.bar.say(f"{text}\n{error}".strip())

    # -- widgets -----------------------------------------------------------------------------------

    def _arrange(self, _index: int = 0) -> None:
        self._input_row.visible = self._input_label.visible = not self.over_scene
        self.resume.visible = not self.over_scene

    def _browse_input(self) -> None:
        _ask_folder(self.input)

    def _browse_output(self) -> None:
        _ask_folder(self.output)

    @staticmethod
    def _folder(text: str, required: bool) -> Path | None:
        from TextPromptSegLib.outcome import InputError

        if not text.strip():
            if required:
                raise InputError(_("Choose the folders of the images and of the results."))
            return None
        return Path(text.strip())


def _path(object_name: str, placeholder: str) -> Any:
    line = qt.QLineEdit()
    line.objectName = object_name
    line.placeholderText = placeholder
    return line


def _browse(name: str) -> Any:
    button = qt.QToolButton()
    button.objectName = f"TextPromptSegBatchBrowse{name}"
    button.text = "..."
    return button


def _row(line: Any, button: Any) -> Any:
    widget = qt.QWidget()
    row = qt.QHBoxLayout(widget)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(line, 1)
    row.addWidget(button)
    return widget


def _ask_folder(line: Any) -> None:
    folder = qt.QFileDialog.getExistingDirectory(
        slicer.util.mainWindow(), line.placeholderText, line.text
    )
    if folder:
        line.text = folder
