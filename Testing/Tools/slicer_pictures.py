"""Take the README's pictures of the Slicer application and time a first organ in it.

``Slicer --python-script Testing/Tools/slicer_pictures.py FOLDER WIDTH HEIGHT``, with the
extension's folders as additional module paths and a screen of at least that size (Xvfb will do),
writes effect.png, panel.png, prompt.gif and seconds.json, and closes the application. Accept the
licence of the checkpoint by hand before, or the seconds hold the time that takes.
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import qt
import slicer
import slicer.util

PROMPT, SAMPLE = "right lung, left lung", "TextPromptSegChestCT"
_LIMIT = 300.0  # s, for a machine that is busy with other things
_COLORS, _GIF_WIDTH = 96, 960  # of the moving picture


class Film:
    """Pictures of the main window, kept to be saved as one moving picture."""

    def __init__(self) -> None:
        """Start without any."""
        self._frames: list[Any] = []
        self._times: list[int] = []

    def take(self, milliseconds: int) -> None:
        """Add what the main window shows, to be seen for a while."""
        from PIL import Image

        picture = Image.open(io.BytesIO(_png(slicer.util.mainWindow())))
        height = round(picture.height * _GIF_WIDTH / picture.width)
        small = picture.convert("RGB").resize((_GIF_WIDTH, height), Image.Resampling.LANCZOS)
        self._frames.append(small)
        self._times.append(milliseconds)

    def save(self, path: Path) -> None:
        """Write the pictures with one palette, so that what stays the same costs nothing."""
        from PIL import Image

        palette = self._frames[-1].quantize(_COLORS, dither=Image.Dither.NONE)
        frames = [f.quantize(palette=palette, dither=Image.Dither.NONE) for f in self._frames]
        frames[0].save(
            path,
            save_all=True,
            append_images=frames[1:],
            duration=self._times,
            loop=0,
            optimize=True,
        )


class Hand:
    """What a user does in Segment Editor and in the module, and the seconds it takes."""

    def __init__(self, size: tuple[int, int]) -> None:
        """Show the sample in a window of a size, px."""
        from TextPromptSegGUI.shared import sample_data

        sample_data.register()
        self.window = slicer.util.mainWindow()
        self.window.showNormal()
        self.window.move(0, 0)
        self.window.resize(*size)
        self.volume = _sample()
        slicer.util.resetSliceViews()
        slicer.util.selectModule("SegmentEditor")
        self.editor = slicer.modules.SegmentEditorWidget.editor
        self.seconds: dict[str, float] = {}
        _settle()

    def find(self, name: str) -> Any:
        """Return a widget of the effect."""
        return slicer.util.findChild(self.editor, name)

    def said(self) -> str:
        """Return what stands in the outcome line."""
        return str(self.find("TextPromptOutcome").text)

    def timed(self, name: str, act: Callable[[], Any], done: Callable[[], bool]) -> None:
        """Do something and write down the seconds until it is done."""
        began = time.monotonic()
        act()
        wait(done)
        self.seconds[name] = round(time.monotonic() - began, 2)
        _settle()

    def prompt_to_segment(self, film: Film) -> None:
        """Choose the effect, type, preview twice, apply: the way of the tutorial."""
        film.take(900)
        began = time.monotonic()
        self.editor.setActiveEffectByName("Text prompt")
        _settle()
        film.take(900)
        line = self.find("TextPromptLine")
        for end in (5, 10, 14, len(PROMPT)):
            line.text = PROMPT[:end]
            _settle()
            film.take(250)
        film.take(700)
        preview = self.find("TextPromptPreview")
        self.timed("first preview", preview.click, self._previewed)
        film.take(2000)
        (view,) = (
            n for n in slicer.util.getNodesByClass("vtkMRMLSliceNode") if n.GetName() == "Red"
        )
        for step in range(2):
            move = partial(view.SetSliceOffset, view.GetSliceOffset() + 25.0)
            self.timed(f"later preview {step + 1}", move, partial(self._previewed, self.said()))
            film.take(900)
        button = self.find("TextPromptApply")
        label = str(button.text)
        self.timed("apply", button.click, lambda: button.text == label and "ml" in self.said())
        self.seconds["from the effect's button to the segments"] = round(
            time.monotonic() - began, 2
        )
        film.take(1200)
        self.find("TextPrompt3D").click()
        _settle()
        slicer.app.layoutManager().threeDWidget(0).threeDView().resetFocalPoint()
        _settle()
        film.take(3500)

    def _previewed(self, before: str = "") -> bool:
        return self.said() != before and "on this slice" in self.said()


def wait(condition: Callable[[], bool]) -> None:
    """Let the application go on until something holds.

    Raises:
        TimeoutError: after five minutes.
    """
    end = time.monotonic() + _LIMIT
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("it takes too long")
        slicer.app.processEvents()
        time.sleep(0.005)


def panel_picture(hand: Hand, path: Path) -> None:
    """Run three prompts in the module and save what the window shows."""
    slicer.util.selectModule("TextPromptSeg")
    panel = slicer.modules.TextPromptSegWidget.parent
    slicer.util.findChild(panel, "TextPromptSegVolume").setCurrentNode(hand.volume)
    slicer.util.findChild(
        panel, "TextPromptSegPrompts"
    ).plainText = "left lung\nright lung\nurinary bladder"
    button = slicer.util.findChild(panel, "TextPromptSegApply")
    label = str(button.text)
    _settle()
    button.click()
    wait(lambda: button.text == label)
    slicer.util.findChild(hand.window, "DataProbeCollapsibleWidget").collapsed = True
    _settle()
    _scroll_to(slicer.util.findChild(panel, "TextPromptSegResults"))
    _settle()
    _save(hand.window, path)


def main(folder: str, width: str, height: str) -> None:
    """Take all pictures into a folder."""
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    hand, film = Hand((int(width), int(height))), Film()
    hand.prompt_to_segment(film)
    _save(hand.window, out / "effect.png")
    film.save(out / "prompt.gif")
    panel_picture(hand, out / "panel.png")
    (out / "seconds.json").write_text(json.dumps(hand.seconds, indent=1), encoding="utf-8")


def _sample() -> Any:
    import SampleData

    return SampleData.SampleDataLogic().downloadSample(SAMPLE)


def _scroll_to(widget: Any) -> None:
    area = widget.parentWidget()
    while not hasattr(area, "ensureWidgetVisible"):
        area = area.parentWidget()
    area.ensureWidgetVisible(widget)


def _settle() -> None:
    """Let the window be drawn."""
    for _round in range(5):
        slicer.app.processEvents()
        slicer.util.forceRenderAllViews()


def _png(widget: Any) -> bytes:
    data = qt.QByteArray()
    buffer = qt.QBuffer(data)
    buffer.open(qt.QIODevice.WriteOnly)
    widget.grab().save(buffer, "PNG")
    return bytes(data.data())


def _save(widget: Any, path: Path) -> None:
    from PIL import Image

    picture = Image.open(io.BytesIO(_png(widget))).convert("RGB")
    picture.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    code = 1
    try:
        main(*sys.argv[-3:])  # what comes before is the application's
        code = 0
    finally:
        slicer.util.exit(code)
