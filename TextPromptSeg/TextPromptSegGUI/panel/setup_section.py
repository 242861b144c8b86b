"""What has to be installed before anything can run, with one button and a visible log."""

from __future__ import annotations

import ctk
import qt
import slicer
from slicer.i18n import tr as _

from TextPromptSegLib.outcome import DependencyError

from ..shared import dependencies, settings
from ..shared.links import Links
from ..shared.quiet import quiet
from ..shared.session import Session, configure


class SetupSection:
    """Open while something is missing; otherwise collapsed, with a line that says so."""

    def __init__(self, session: Session) -> None:
        """Build the section; nothing is installed without a press of the button."""
        self._session = session
        self.button = ctk.ctkCollapsibleButton()
        self.button.text = _("Dependencies")
        self.plan = qt.QLabel()
        self.plan.objectName = "TextPromptSegPlan"
        self.plan.wordWrap = True
        self.install = qt.QPushButton(_("Install"))
        self.install.objectName = "TextPromptSegInstall"
        self.wheels = qt.QLineEdit()
        self.wheels.objectName = "TextPromptSegWheels"
        self.wheels.placeholderText = _("Folder with wheels, to install without a network")
        self.browse = qt.QToolButton()
        self.browse.objectName = "TextPromptSegWheelsBrowse"
        self.browse.text = "..."
        self.python = qt.QLineEdit()
        self.python.objectName = "TextPromptSegPython"
        self.python.placeholderText = _("Slicer's own Python")
        self.python.toolTip = _(
            "Another Python interpreter with textpromptseg installed, to run the worker in."
        )
        self.log = qt.QPlainTextEdit()
        self.log.objectName = "TextPromptSegInstallLog"
        self.log.readOnly = True
        self.log.maximumHeight = 110
        self.log.visible = False
        form = qt.QFormLayout(self.button)
        form.addRow(self.plan)
        row = qt.QHBoxLayout()
        row.addWidget(self.wheels, 1)
        row.addWidget(self.browse)
        form.addRow(_("Offline:"), row)
        form.addRow(_("Interpreter:"), self.python)
        form.addRow(self.install)
        form.addRow(self.log)
        self.wheels.text = settings.text("WheelFolder")
        self.python.text = settings.text("PythonExecutable")
        self._links = Links()
        self._links.connect(self.install, "clicked()", self._install)
        self._links.connect(self.browse, "clicked()", self._browse)
        self._links.connect(self.python, "editingFinished()", self._python_chosen)
        self.refresh()
        self.button.collapsed = not dependencies.missing()

    def refresh(self) -> None:
        """Show what is missing now."""
        lacking = dependencies.missing()
        text = dependencies.plan()
        if dependencies.interrupted():
            begun = _("The last installation was not finished; press Install to go on.")
            text = f"{begun}\n{text}"
        self.plan.text = text
        self.install.enabled = bool(lacking)
        if lacking:
            self.button.collapsed = False

    def cleanup(self) -> None:
        """Disconnect."""
        self._links.clear()

    def _say(self, line: str) -> None:
        self.log.visible = True
        self.log.appendPlainText(line)
        slicer.app.processEvents()

    def _install(self) -> None:
        wheels = str(self.wheels.text).strip()
        settings.set_text("WheelFolder", wheels)
        self.install.enabled = False
        # A running worker would keep old packages loaded and, on Windows, their files locked.
        self._session.unload()
        try:
            dependencies.install(self._say, wheels)
        except DependencyError as error:
            self._say(str(error))
        self.refresh()
        self._session.changed()

    def _browse(self) -> None:
        folder = qt.QFileDialog.getExistingDirectory(
            slicer.util.mainWindow(), _("Folder with wheels"), self.wheels.text
        )
        if folder:
            self.wheels.text = folder

    def _python_chosen(self) -> None:
        chosen = str(self.python.text).strip()
        if chosen == settings.text("PythonExecutable"):
            return
        problem = dependencies.interpreter_problem(chosen) if chosen else ""
        if problem:
            self._say(problem)
            with quiet(self.python):
                self.python.text = settings.text("PythonExecutable")
            return
        settings.set_text("PythonExecutable", chosen)
        self._session.unload()
        configure(self._session.client)
        self.refresh()
