"""Pictures of panel and effect, to be looked at."""

from __future__ import annotations

from conftest import pump


def test_screenshot_of_the_effect(bench, output) -> None:
    bench.type("left kidney, liver")
    bench.scroll_to(6)
    bench.widget("Preview").click()
    assert pump(10, until=lambda: bench.controller.preview.drawing.visible)
    bench.editor.resize(430, 560)
    bench.editor.show()
    pump(0.1)
    assert bench.editor.grab().save(str(output / "effect.png"))


def test_screenshot_of_the_panel(panel, slicer, output) -> None:
    from helpers import add_ct

    panel.find("Volume").setCurrentNode(add_ct(slicer))
    panel.type("liver\nright kidney\nthyroid gland\nurinary bladder")
    panel.apply()
    panel.window.resize(560, 1080)
    panel.window.show()
    pump(0.1)
    assert panel.window.grab().save(str(output / "panel.png"))
