"""The checkpoint manager: what is there, licence, state; import, download, verify, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ctk
import qt
import slicer
from slicer.i18n import tr as _

from TextPromptSegLib.checkpoints.quality import GOOD, TIERS
from TextPromptSegLib.outcome import TextPromptSegError

from ..boxes.model_box import amount, takes_line
from ..shared import settings
from ..shared.background import Task, Work
from ..shared.links import Links
from ..shared.quality_words import tier_counts
from ..shared.quiet import quiet
from ..shared.session import Session

if TYPE_CHECKING:
    from TextPromptSegLib.checkpoints.model_info import (
        ModelInfo,
    )

COLUMNS = 6
_NAME_PIXELS = 150


class ModelsSection:
    """A table of checkpoints and buttons for the selected one."""

    def __init__(self, session: Session) -> None:
        """Build the section; the network is not touched."""
        self._session = session
        self.button = ctk.ctkCollapsibleButton()
        self.button.text = _("Checkpoints")
        self.table = qt.QTableWidget()
        self.table.objectName = "TextPromptSegModels"
        self.table.columnCount = COLUMNS
        self.table.setHorizontalHeaderLabels(
            [_("Checkpoint"), _("State"), _("Size"), _("Memory"), _("Licence"), _("Images")]
        )
        self.table.selectionBehavior = qt.QAbstractItemView.SelectRows
        self.table.selectionMode = qt.QAbstractItemView.SingleSelection
        self.table.editTriggers = qt.QAbstractItemView.NoEditTriggers
        self.table.verticalHeader().visible = False
        self.table.minimumHeight = 120
        header = self.table.horizontalHeader()
        # A share of what is left would be nothing where other languages have longer words.
        header.setSectionResizeMode(0, qt.QHeaderView.Interactive)
        self.table.setColumnWidth(0, _NAME_PIXELS)
        header.stretchLastSection = True
        for column in range(1, COLUMNS):
            header.setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)
        self.details = qt.QLabel()
        self.details.objectName = "TextPromptSegModelDetails"
        self.details.wordWrap = True
        self.download = _button("Download", _("Download"), _("Get this checkpoint; can resume."))
        self.verify = _button("Verify", _("Verify"), _("Compare the sha256 of the weights."))
        self.card = _button("Card", _("Model card"), _("Training data, results, known failures."))
        self.remove = _button("Delete", _("Delete"), _("Delete an imported checkpoint."))
        self.folder = _button("ImportFolder", _("Import folder..."), _("Copy a checkpoint folder."))
        self.archive = _button("ImportZip", _("Import zip..."), _("Unpack a checkpoint zip."))
        self.weights = _button(
            "ImportWeights",
            _("Import weights..."),
            _("Make a checkpoint of a file of weights that others publish."),
        )
        self.whose = qt.QComboBox()
        self.whose.objectName = "TextPromptSegImportAs"
        self.whose.toolTip = _("Whose weights the file holds; nothing is guessed from its name.")
        self.place = qt.QLabel()
        self.place.objectName = "TextPromptSegModelFolder"
        self.place.wordWrap = True
        self.move = _button(
            "ModelFolderChange",
            _("Change folder..."),
            _("Keep imported and downloaded checkpoints elsewhere; what is there is not moved."),
        )
        self.progress = qt.QProgressBar()
        self.progress.objectName = "TextPromptSegModelProgress"
        self.progress.visible = False
        self.status = qt.QLabel()
        self.status.objectName = "TextPromptSegModelStatus"
        self.status.wordWrap = True
        column = qt.QVBoxLayout(self.button)
        column.addWidget(self.table)
        column.addWidget(self.details)
        for row in (
            (self.download, self.verify, self.card, self.remove),
            (self.folder, self.archive, self.move),
            (self.weights, self.whose),
        ):
            line = qt.QHBoxLayout()
            for widget in row:
                line.addWidget(widget)
            column.addLayout(line)
        column.addWidget(self.place)
        column.addWidget(self.progress)
        column.addWidget(self.status)
        self._models: list[ModelInfo] = []
        self._task: Task | None = None
        self._card: Any = None
        self._links = Links()
        self._links.connect(self.table, "itemSelectionChanged()", self._selected)
        for widget, slot in (
            (self.download, self._download),
            (self.verify, self._verify),
            (self.card, self._show_card),
            (self.remove, self._remove),
            (self.folder, self._import_folder),
            (self.archive, self._import_zip),
            (self.weights, self._import_weights),
            (self.move, self._change_folder),
        ):
            self._links.connect(widget, "clicked()", slot)
        self.refresh()

    @property
    def model(self) -> ModelInfo | None:
        """The selected checkpoint."""
        row = self.table.currentRow()
        return self._models[row] if 0 <= row < len(self._models) else None

    def refresh(self) -> None:
        """Read the catalogue again."""
        from TextPromptSegLib.checkpoints.catalogue import (
            import_kinds,
            list_models,
            user_checkpoints_dir,
        )

        self.place.text = _("Imported checkpoints are kept in {folder}").format(
            folder=user_checkpoints_dir()
        )
        wanted = self.model.name if self.model is not None else ""
        try:
            self._models = list_models()
            if not self.whose.count:
                for kind, whose in import_kinds().items():
                    self.whose.addItem(whose, kind)
        except TextPromptSegError as error:
            self._models = []
            self.status.text = str(error)
        with quiet(self.table):
            self.table.rowCount = len(self._models)
            states = {"shipped": _("shipped"), "user": _("imported"), "downloadable": _("download")}
            for row, model in enumerate(self._models):
                texts = (
                    model.title,
                    _("damaged") if model.problem else states.get(model.state, model.state),
                    amount(model.bytes) if model.bytes else "",
                    amount(model.memory_bytes) if model.memory_bytes else "",
                    model.licence,
                    ", ".join(model.modalities),
                )
                for column, text in enumerate(texts):
                    item = qt.QTableWidgetItem(text)
                    item.setToolTip(model.problem or model.name)
                    self.table.setItem(row, column, item)
            names = [model.name for model in self._models]
            if names:
                self.table.selectRow(names.index(wanted) if wanted in names else 0)
        self._selected()

    def cleanup(self) -> None:
        """Disconnect; a download is given up and can be resumed."""
        if self._task is not None:
            self._task.cancel()
        if self._card is not None:
            self._card.deleteLater()
            self._card = None
        self._links.clear()

    # -- the selected checkpoint -------------------------------------------------------------------

    def _selected(self) -> None:
        model, busy = self.model, self._task is not None
        here = model is not None and model.folder is not None
        self.download.enabled = busy or (model is not None and model.state == "downloadable")
        self.verify.enabled = self.card.enabled = here and not busy
        self.remove.enabled = here and model is not None and model.state == "user" and not busy
        self.folder.enabled = self.archive.enabled = self.move.enabled = not busy
        self.weights.enabled = self.whose.enabled = not busy
        self.details.text = "" if model is None else details(model)

    def _verify(self) -> None:
        name = self.model.name if self.model is not None else ""

        def work(progress: Callable[[int, int, str], bool]) -> str:
            from TextPromptSegLib.checkpoints.catalogue import verify

            (result,) = verify(name, progress)
            return f"{name}: {result.message}"

        self._start(work)

    def _download(self) -> None:
        if self._task is not None:
            self._task.cancel()
            return
        model = self.model
        if model is None or not self._accepted(model):
            return

        def work(progress: Callable[[int, int, str], bool]) -> str:
            from TextPromptSegLib.systems.foreign_weights import download

            info = download(model.name, progress=progress)
            return _("{name} is installed; its sha256 is right.").format(name=info.name)

        self._start(work)
        self.download.text = _("Cancel")

    def _import_folder(self) -> None:
        self._import(
            qt.QFileDialog.getExistingDirectory(
                slicer.util.mainWindow(), _("Folder of a checkpoint"), ""
            )
        )

    def _import_zip(self) -> None:
        self._import(
            qt.QFileDialog.getOpenFileName(
                slicer.util.mainWindow(), _("Zip of a checkpoint"), "", "*.zip"
            )
        )

    def _import_weights(self) -> None:
        path = qt.QFileDialog.getOpenFileName(
            slicer.util.mainWindow(),
            _("File of weights"),
            "",
            "*.safetensors *.pt *.pth *.bin",
        )
        self._import(path, str(self.whose.itemData(self.whose.currentIndex)))

    def _import(self, path: str, kind: str | None = None) -> None:
        if not path:
            return

        def work(progress: Callable[[int, int, str], bool]) -> str:
            from TextPromptSegLib.systems.foreign_weights import import_path

            info = import_path(path, progress=progress, kind=kind)
            return _("{name} was imported.").format(name=info.name)

        self._start(work)

    def _change_folder(self) -> None:
        chosen = qt.QFileDialog.getExistingDirectory(
            slicer.util.mainWindow(), _("Folder for checkpoints"), ""
        )
        if not chosen:
            return
        settings.set_text("Folder", chosen)
        settings.apply_folder()
        self._session.unload()  # the worker looks in the old folder
        self.refresh()
        self._session.changed()

    def _remove(self) -> None:
        model = self.model
        if model is None or not slicer.util.confirmOkCancelDisplay(
            _("Delete the checkpoint '{name}' from this computer?").format(name=model.title)
        ):
            return
        # The worker may have it loaded; on Windows its file could not be deleted then.
        self._session.unload()

        def work(_progress: Callable[[int, int, str], bool]) -> str:
            from TextPromptSegLib.checkpoints.catalogue import remove

            remove(model.name)
            return _("{name} was deleted.").format(name=model.name)

        self._start(work)

    def _show_card(self) -> None:
        from TextPromptSegLib.checkpoints.catalogue import model_card

        model = self.model
        if model is None:
            return
        try:
            text = model_card(model.name)
        except TextPromptSegError as error:
            self.status.text = str(error)
            return
        if self._card is None:
            self._card = qt.QTextBrowser()
            self._card.objectName = "TextPromptSegModelCard"
            self._card.openExternalLinks = True
            self._card.resize(760, 700)
        self._card.windowTitle = model.title
        self._card.markdown = text or _("This checkpoint has no model card.")
        self._card.show()

    @staticmethod
    def _accepted(model: ModelInfo) -> bool:
        """Ask before something is downloaded, with its size and licence."""
        text = _("Download '{title}' ({size})?\n\nLicence: {licence}\n{line}").format(
            title=model.title,
            size=amount(model.bytes),
            licence=model.licence,
            line=model.licence_line,
        )
        return bool(slicer.util.confirmOkCancelDisplay(text, _("Download a checkpoint")))

    # -- work --------------------------------------------------------------------------------------

    def _start(self, work: Work) -> None:
        self.status.text = ""
        self.progress.maximum = 0
        self.progress.visible = True
        self._task = Task(work, self._finished, self._show_progress)
        self._selected()

    def _show_progress(self, done: int, total: int, message: str) -> None:
        # Qt counts in 32 bits; a checkpoint may have more bytes than that.
        self.progress.maximum = 1000 if total > 0 else 0
        self.progress.value = int(1000 * done / total) if total > 0 else 0
        self.progress.format = message

    def _finished(self, result: Any, error: Exception | None) -> None:
        self._task = None
        self.progress.visible = False
        self.download.text = _("Download")
        self.status.text = str(error) if error is not None else str(result or _("Cancelled."))
        self.refresh()
        self._session.changed()


def details(model: ModelInfo) -> str:
    """Return what the panel says about a checkpoint besides the table."""
    if model.problem:
        return model.problem
    # what it is good at comes first
    names = sorted(model.prompts, key=lambda name: -TIERS.index(model.tiers.get(name, GOOD)))
    shown = ", ".join(names[:12])
    if len(model.prompts) > 12:
        more = len(model.prompts) - 12
        shown = _("{names} and {count} more").format(names=shown, count=more)
    if model.open_vocabulary:
        shown = _("any words (open vocabulary)")
    lines = [
        model.title,
        _("Trained on: {prompts}").format(prompts=shown or _("not stated")),
        *([_("Measured: {tiers}").format(tiers=tier_counts(model.tiers))] if model.tiers else []),
        takes_line(model.takes),
        _("Licence: {licence}").format(licence=f"{model.licence} {model.licence_line}".strip()),
    ]
    return "\n".join(lines)


def _button(name: str, text: str, tip: str) -> Any:
    button = qt.QPushButton(text)
    button.objectName = f"TextPromptSeg{name}"
    button.toolTip = tip
    return button
