"""The prompt first, the rest folded away; one key each; the checkpoint loads when it opens."""

from __future__ import annotations

from bed import ctk_module, pythonqt
from conftest import pump
from helpers import EditorBench, install_checkpoint, mouse_mode, press

pythonqt.properties_in(__name__)


def top(bench, name: str) -> int:
    from PySide6 import QtCore

    return bench.widget(name).mapTo(bench.editor, QtCore.QPoint(0, 0)).y()


# -- the prompt first ------------------------------------------------------------------------------


def test_prompt_preview_and_apply_come_first(shown) -> None:
    shown.type("left kidney, spleen")
    shown.editor.resize(480, 700)
    pump(0.0)
    names = ("Line", "Parse", "Preview", "Apply", "Options")
    places = [top(shown, name) for name in names]
    assert places == sorted(places)
    assert top(shown, "Apply") + shown.widget("Apply").height - top(shown, "Line") < 130
    assert shown.widget("Line").focus


def test_a_low_panel_scrolls_to_prompt_preview_and_apply(bench) -> None:
    """At 1280 x 720 they lay below the fold of Slicer's module panel."""
    from PySide6 import QtWidgets

    area = QtWidgets.QScrollArea()
    area.widgetResizable = True
    panel = QtWidgets.QWidget()
    column = QtWidgets.QVBoxLayout(panel)
    above = QtWidgets.QLabel("segments")
    above.minimumHeight = 600
    column.addWidget(above)
    column.addWidget(bench.editor)
    area.setWidget(panel)
    area.resize(480, 260)
    area.show()
    pump(0.0)
    bench.controller.options.focus()
    pump(0.0)
    for name in ("Line", "Preview", "Apply"):
        widget = bench.widget(name)
        assert widget.visibleRegion().boundingRect().height() == widget.height, name
    bench.editor.setParent(None)
    area.deleteLater()


def test_the_options_are_folded_and_remember_their_state(bench, slicer) -> None:
    fold = bench.widget("Options")
    assert fold.collapsed and not bench.widget("Threshold").isVisibleTo(bench.editor)
    fold.collapsed = False
    assert bench.widget("Threshold").isVisibleTo(bench.editor)
    other = EditorBench(slicer, bench.volume)
    assert not other.widget("Options").collapsed
    other.widget("Options").collapsed = True
    other.close()
    again = EditorBench(slicer, bench.volume)
    assert again.widget("Options").collapsed
    again.close()


def test_one_line_says_what_is_not_as_it_comes(bench, monkeypatch) -> None:
    from TextPromptSegLib.checkpoints import model_info

    line = bench.widget("Differences")
    assert line.text == "Changed: Test balls (fake)", "a checkpoint that is not the default one"
    monkeypatch.setattr(model_info, "DEFAULT_MODEL", "fake")
    bench.choose("Operation", "add")
    bench.choose("Range", "slices")
    bench.widget("Threshold").value = 0.3
    bench.choose("Overlay", "probability")
    assert line.text == "Changed: Slice range, Add, threshold 0.30, Probability"
    bench.choose("Operation", "set")
    bench.choose("Range", "whole")
    bench.widget("ThresholdAuto").click()
    bench.choose("Overlay", "none")
    assert line.isHidden()


def test_what_differs_does_not_widen_the_panel(bench) -> None:
    """The title of the section said it: the panel grew to twice its width, the views shrank."""
    install_checkpoint("long", title="Long, compact: " + "abdomen and chest " * 5, takes=("box",))
    bench.controller.session.changed()
    fold, line = bench.widget("Options"), bench.widget("Differences")
    narrow = fold.minimumWidth
    bench.choose("Model", "long")
    bench.choose("Hints", "box")
    assert fold.minimumWidth == narrow and fold.text == "Options"
    assert line.text == "Changed: Long, compact, Text and a box" and line.wordWrap
    assert not line.isHidden()
    bench.choose("Model", "fake")


def test_rows_that_the_checkpoint_does_not_use_are_not_shown(bench) -> None:
    bench.widget("Options").collapsed = False
    assert bench.widget("Hints").parent().isHidden() and bench.widget("Samples").parent().isHidden()
    install_checkpoint("rich", takes=("box", "points", "samples"))
    bench.controller.session.changed()
    bench.choose("Model", "rich")
    assert not bench.widget("Hints").parent().isHidden()
    assert not bench.widget("Samples").parent().isHidden()
    bench.widget("Options").collapsed = True
    bench.choose("Model", "fake")
    bench.widget("Options").collapsed = False
    assert bench.widget("Hints").parent().isHidden()


# -- keys ------------------------------------------------------------------------------------------


def test_enter_previews_and_ctrl_enter_applies(shown) -> None:
    shown.type("liver")
    shown.widget("Line").returnPressed.emit()
    assert pump(60, until=lambda: "cm" in shown.outcome())
    press(shown, "Ctrl+Return")
    assert pump(60, until=lambda: shown.idle() and shown.names() == ["liver"])


def test_escape_cancels_the_run_then_the_preview_and_only_then_the_effect(shown) -> None:
    shown.editor.installKeyboardShortcuts()
    shown.type("slow liver, liver")
    shown.widget("Apply").click()
    assert pump(60, until=lambda: shown.controller._run.job.done > 3)
    press(shown, "Esc")
    assert shown.widget("Apply").text == "Apply" and shown.names() == []
    assert pump(60, until=shown.idle)
    shown.type("liver")
    shown.widget("Preview").click()
    press(shown, "Esc")
    assert not shown.widget("Preview").checked and not shown.controller.preview.on
    assert shown.editor.activeEffect() is not None
    press(shown, "Esc")
    assert shown.editor.activeEffect() is None
    shown.editor.uninstallKeyboardShortcuts()


def test_box_points_and_their_sign_have_a_key_each(shown, slicer) -> None:
    press(shown, "B")
    assert "text alone" in shown.outcome() and mouse_mode(slicer) == "ViewTransform"
    install_checkpoint("hinted", takes=("box", "points"))
    shown.controller.session.changed()
    shown.choose("Model", "hinted")
    hints = shown.controller.options.hints
    press(shown, "B")
    assert hints.box.drawing and hints.choice == "box" and not shown.widget("Options").collapsed
    press(shown, "O")
    assert hints.points.drawing and hints.choice == "both" and not hints.box.drawing
    press(shown, "T")
    assert hints.outside.drawing and "beside" in shown.outcome()
    press(shown, "T")
    assert hints.points.drawing
    press(shown, "Esc")
    assert mouse_mode(slicer) == "ViewTransform"
    shown.choose("Model", "fake")


def test_next_segment_is_empty_and_selected(shown) -> None:
    shown.type("liver")
    shown.apply()
    press(shown, "E")
    assert len(shown.names()) == 2 and shown.names()[0] == "liver"
    assert shown.editor.currentSegmentID() != "" and shown.widget("Line").focus
    shown.type("spleen")
    shown.apply()
    assert shown.names() == ["liver", "spleen"]
    shown.editor.undo()
    shown.editor.undo()
    assert shown.names() == ["liver"]


def test_letters_typed_into_the_prompt_are_letters(shown, slicer) -> None:
    from PySide6 import QtTest

    shown.type("")
    shown.widget("Line").setFocus()
    QtTest.QTest.keyClicks(shown.widget("Line"), "both eto")
    assert shown.widget("Line").text == "both eto" and shown.names() == []


def test_keys_end_with_the_effect_and_stand_in_the_help(shown) -> None:
    from PySide6 import QtGui

    def count() -> int:
        return len(shown.editor.findChildren(QtGui.QShortcut))

    assert count() == 6
    shown.editor.setActiveEffectByName("")
    pump(0.0)
    assert count() == 0
    shown.editor.setActiveEffectByName("Text prompt")
    text = shown.effect.self().helpText()
    assert "<b>Ctrl+Enter</b>: apply" in text and "<b>B</b>: draw a box" in text
    assert "Ctrl+Enter" in shown.widget("Apply").toolTip


# -- ready sooner ----------------------------------------------------------------------------------


def test_the_checkpoint_loads_when_the_effect_opens(slicer, session, monkeypatch) -> None:
    asked: list[dict] = []
    submit = session.client.submit
    monkeypatch.setattr(
        session.client,
        "submit",
        lambda request, *rest: asked.append(request) or submit(request, *rest),
    )
    bench = EditorBench(slicer)
    assert not asked, "nothing is asked for before the window stands"
    pump(0.0)
    assert [request["type"] for request in asked] == ["load"]
    bench.controller.readiness._tick()
    assert "Loading the checkpoint" in bench.outcome() or session.client._running is None
    assert pump(60, until=lambda: not session.busy)
    bench.controller.readiness._tick()
    assert bench.outcome() == ""
    bench.close()


def test_the_licence_is_asked_for_when_the_effect_opens(slicer, session) -> None:
    from TextPromptSegGUI.shared import settings

    install_checkpoint("strict", permissive=False)
    settings.set_text("Model", "strict")
    session.changed()
    bench = EditorBench(slicer)
    assert not ctk_module.messages
    pump(0.0)
    assert len(ctk_module.messages) == 1 and "licence" in ctk_module.messages[0]
    bench.type("liver")
    assert "found" in bench.apply() and len(ctk_module.messages) == 1
    bench.close()
    settings.set_text("Model", "fake")


# -- everything at once ----------------------------------------------------------------------------


def actions_of(menu) -> dict:
    return {action.text: action for action in menu.actions()}


def test_the_menu_of_names_fills_the_line(bench) -> None:
    options = bench.controller.options
    options.names.fill()
    menu = actions_of(options.names.menu)
    assert set(menu) == {"Everything (8)", "Abdomen (7)", "Pelvis (2)"} or "Everything (8)" in menu
    menu["Everything (8)"].trigger()
    assert options.text == "everything"
    bench.type("liver, upper left kidney")
    options.names.fill()
    (title,) = [text for text in actions_of(options.names.menu) if text.startswith("Abdomen")]
    abdomen = actions_of(actions_of(options.names.menu)[title].menu())
    assert abdomen["liver"].checked and not abdomen["spleen"].checked
    abdomen["spleen"].trigger()
    assert options.text == "liver, upper third of the left kidney, spleen"
    abdomen["liver"].trigger()
    assert "liver" not in options.text and options.text.endswith("spleen")
    abdomen["All organs of the region"].trigger()
    assert options.text == "all organs in the abdomen"
    assert [p.everything for p in options.parse.prompts] == ["abdomen organs"]


def test_segments_in_3d_and_back(bench) -> None:
    bench.widget("3D").click()
    assert "press Apply first" in bench.outcome()
    bench.type("liver")
    bench.apply()
    segmentation = bench.segmentation.GetSegmentation()
    bench.widget("3D").click()
    assert segmentation.ContainsRepresentation("Closed surface")
    assert bench.segmentation.GetDisplayNode().GetVisibility3D()
    bench.widget("3D").click()
    assert not segmentation.ContainsRepresentation("Closed surface")


def test_the_table_of_results_goes_to_the_clipboard_and_to_statistics(
    panel, slicer, monkeypatch
) -> None:
    import sys
    import types

    from helpers import add_ct

    class Logic:
        """What Slicer's SegmentStatisticsLogic offers, of which the product uses four calls."""

        def __init__(self) -> None:
            self._node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")

        def getParameterNode(self):
            return self._node

        def computeStatistics(self) -> None:
            done.append(
                (self._node.GetParameter("Segmentation"), self._node.GetParameter("ScalarVolume"))
            )

        def exportToTable(self, table) -> None:
            table.SetAttribute("filled", "1")

        def showTable(self, table) -> None:
            done.append(table.GetName())

    done: list = []
    module = types.SimpleNamespace(SegmentStatisticsLogic=Logic)
    monkeypatch.setitem(sys.modules, "SegmentStatistics", module)
    assert not panel.find("CopyTable").enabled and not panel.find("Statistics").enabled
    volume = add_ct(slicer)
    panel.find("Volume").setCurrentNode(volume)
    panel.type("liver\nurinary bladder")
    panel.apply()
    panel.find("CopyTable").click()
    lines = [line.split("\t") for line in slicer.app.clipboard().text().splitlines()]
    assert [line[:2] for line in lines[1:]] == [
        ["liver", "found"],
        ["urinary bladder", "not found"],
    ]
    assert lines[0][2] == "Volume (ml)" and float(lines[1][2]) > 1
    panel.find("Statistics").click()
    segmentation = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")[0]
    assert done == [(segmentation.GetID(), volume.GetID()), f"{segmentation.GetName()} statistics"]
