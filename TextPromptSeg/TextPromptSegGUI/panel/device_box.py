"""Where the network runs, what memory is free there, and what a run will need."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from ..boxes.model_box import amount
from ..shared import settings
from ..shared.links import Links
from ..shared.quiet import fill
from ..shared.session import Session


class DeviceBox:
    """A combo box of devices; the worker is asked for them when the button is pressed."""

    def __init__(self, session: Session) -> None:
        """Make the widgets; nothing is started."""
        self._session = session
        self.combo = qt.QComboBox()
        self.combo.objectName = "TextPromptSegDevice"
        self.combo.toolTip = _("Where the network runs. Automatic takes the GPU with most memory.")
        self.find = qt.QToolButton()
        self.find.objectName = "TextPromptSegFindDevices"
        self.find.text = _("Find")
        self.find.toolTip = _("Start the worker and list devices with their free memory.")
        self.unload = qt.QToolButton()
        self.unload.objectName = "TextPromptSegUnload"
        self.unload.text = _("Unload model")
        self.unload.toolTip = _("End the worker process; all its memory is given back.")
        self.need = qt.QLabel()
        self.need.objectName = "TextPromptSegMemory"
        self.need.wordWrap = True
        self.widget = qt.QWidget()
        column = qt.QVBoxLayout(self.widget)
        column.setContentsMargins(0, 0, 0, 0)
        row = qt.QHBoxLayout()
        row.addWidget(self.combo, 1)
        row.addWidget(self.find)
        row.addWidget(self.unload)
        column.addLayout(row)
        column.addWidget(self.need)
        self._needed = 0
        self._links = Links()
        self.refresh()
        self._links.connect(self.combo, "currentIndexChanged(int)", self._changed)
        self._links.connect(self.find, "clicked()", session.find_devices)
        self._links.connect(self.unload, "clicked()", session.unload)
        session.listen(self.refresh)

    @property
    def name(self) -> str:
        """The chosen device: "auto", "cpu", "cuda:N"."""
        return str(self.combo.itemData(self.combo.currentIndex) or "auto")

    def set_needed(self, model_bytes: int, voxels: int) -> None:
        """Say what a run will need: the checkpoint's own memory, and the image's probabilities."""
        # The image as it is read, float32 slices on the way, half-precision answers.
        self._needed = model_bytes + voxels * 8 if model_bytes else 0
        self._show_need()

    def refresh(self) -> None:
        """Show the devices that the session knows of."""
        wanted = settings.text("Device", "auto")
        choices = [("auto", _("Automatic"))]
        known = self._session.devices or [{"id": "cpu", "name": _("CPU"), "free_bytes": None}]
        for device in known:
            text = f"{device['id']}: {device['name']}"
            if device.get("free_bytes"):
                free = amount(device["free_bytes"])
                text = _("{device}, {size} free").format(device=text, size=free)
            choices.append((device["id"], text))
        fill(self.combo, choices, wanted)
        self.unload.enabled = self._session.client.alive
        self._show_need()

    def cleanup(self) -> None:
        """Disconnect."""
        self._session.forget(self.refresh)
        self._links.clear()

    def _changed(self, _index: int) -> None:
        settings.set_text("Device", self.name)
        self._show_need()

    def _free(self) -> int | None:
        devices = {d["id"]: d.get("free_bytes") for d in self._session.devices}
        if self.name != "auto":
            return devices.get(self.name)
        gpus = [free for name, free in devices.items() if name.startswith("cuda") and free]
        return max(gpus) if gpus else devices.get("cpu")

    def _show_need(self) -> None:
        if not self._needed:
            self.need.text = ""
            self.need.visible = False
            return
        free, size = self._free(), amount(self._needed)
        if free is None:
            text = _("A run will need about {size}.").format(size=size)
        else:
            text = _("A run will need about {size}; {free} are free.").format(
                size=size, free=amount(free)
            )
            if free < self._needed:
                text += " " + _("Choose a smaller range or another device if it fails.")
        self.need.text = text
        self.need.visible = True
