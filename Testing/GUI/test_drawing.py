"""Hints drawn by the mouse: the effect stays, the mouse is given back, Escape ends what it says."""

from __future__ import annotations

import numpy as np
import pytest
from bed import pythonqt
from conftest import pump
from helpers import install_checkpoint, mouse_mode, place_by_mouse, press

pythonqt.properties_in(__name__)


@pytest.fixture
def drawing(bench):
    """An editor with its keys, and a checkpoint that takes boxes and points."""
    install_checkpoint("hinted", takes=("box", "points"))
    bench.controller.session.changed()
    bench.choose("Model", "hinted")
    bench.choose("Hints", "both")
    bench.editor.show()
    bench.editor.installKeyboardShortcuts()
    bench.editor.activateWindow()
    yield bench
    bench.editor.uninstallKeyboardShortcuts()
    bench.choose("Model", "fake")


def press_escape(bench) -> None:
    from PySide6 import QtCore, QtTest

    QtTest.QTest.keyClick(bench.widget("Line"), QtCore.Qt.Key.Key_Escape)
    pump(0.0)


PLACES = {
    "Box": [(-20.0, -40.0, -30.0), (60.0, 40.0, 45.0)],
    "Points": [(40.0, 0.0, 20.0), (42.0, 3.0, 20.0)],
    "Outside": [(-90.0, 0.0, 20.0)],
}


@pytest.mark.parametrize("name", list(PLACES))
def test_a_hint_is_drawn_and_the_effect_stays(drawing, slicer, name: str) -> None:
    drawing.widget(f"{name}Draw").click()
    assert drawing.editor.activeEffect() is not None, "the editor closed the effect"
    assert mouse_mode(slicer) == "Place" and drawing.widget(f"{name}Draw").checked
    place_by_mouse(slicer, *PLACES[name])
    node = drawing.widget(name).currentNode()
    assert node is not None and drawing.editor.activeEffect() is not None
    if name == "Box":  # two corners, and the mouse is free again
        assert list(node.GetSize()) == [80.0, 80.0, 75.0]
    else:
        assert node.GetNumberOfControlPoints() == len(PLACES[name])
        assert mouse_mode(slicer) == "Place", "several points can be set one after the other"
        drawing.widget(f"{name}Draw").click()
    assert mouse_mode(slicer) == "ViewTransform" and not drawing.widget(f"{name}Draw").checked


def test_what_was_drawn_reaches_the_network(drawing, slicer) -> None:
    for name, places in PLACES.items():
        drawing.widget(f"{name}Draw").click()
        place_by_mouse(slicer, *places)
    drawing.type("liver")
    assert "found" in drawing.apply()
    hints = drawing.controller._applied.request.hints.read()
    assert hints.box == pytest.approx((-20, 60, -40, 40, -30, 45)) and len(hints.points) == 3
    assert mouse_mode(slicer) == "ViewTransform", "a run takes the mouse back"


def test_a_box_is_drawn_again(drawing, slicer) -> None:
    for size in (80.0, 20.0):
        drawing.widget("BoxDraw").click()
        box = drawing.widget("Box").currentNode()
        assert not box.GetControlPointPlacementComplete(), "a complete box takes no click"
        place_by_mouse(slicer, (0.0, 0.0, 0.0), (size, size, size))
        assert list(box.GetSize()) == [size] * 3
    assert len(slicer.util.getNodesByClass("vtkMRMLMarkupsROINode")) == 1


@pytest.mark.parametrize(("name", "button"), [("Box", "BoxDraw"), ("Points", "PointsScribble")])
def test_a_drawing_that_is_given_up_leaves_what_was_there(
    drawing, slicer, name: str, button: str
) -> None:
    drawing.widget(button).click()
    place_by_mouse(slicer, (0.0, 0.0, 0.0), (30.0, 20.0, 10.0))
    node = drawing.widget(name).currentNode()
    before = np.array(slicer.util.arrayFromMarkupsControlPoints(node))
    size = list(node.GetSize()) if name == "Box" else []
    drawing.widget(button).click()
    assert node.GetNumberOfControlPoints() == 0
    press_escape(drawing)
    assert np.allclose(slicer.util.arrayFromMarkupsControlPoints(node), before)
    assert name != "Box" or list(node.GetSize()) == size


def test_what_was_missing_is_said_no_more_when_it_is_there(drawing, slicer) -> None:
    drawing.type("liver")
    drawing.widget("Preview").click()
    assert "draw a box" in drawing.outcome()
    drawing.widget("Preview").click()
    drawing.widget("BoxDraw").click()
    place_by_mouse(slicer, *PLACES["Box"])
    assert drawing.outcome() == ""


def test_escape_ends_the_drawing_and_then_the_effect(drawing, slicer) -> None:
    drawing.widget("PointsDraw").click()
    press_escape(drawing)
    assert mouse_mode(slicer) == "ViewTransform" and not drawing.widget("PointsDraw").checked
    assert drawing.editor.activeEffect() is not None
    press_escape(drawing)
    assert drawing.editor.activeEffect() is not None, "it closes nothing while a prompt is typed"
    press(drawing, "Esc")
    assert drawing.editor.activeEffect() is None, "without a drawing Escape is Segment Editor's"


@pytest.mark.parametrize("end", ["another effect", "another hint", "another mouse mode"])
def test_the_mouse_is_given_back(drawing, slicer, end: str) -> None:
    drawing.widget("PointsDraw").click()
    if end == "another effect":
        drawing.editor.setActiveEffectByName("")
    elif end == "another hint":
        drawing.choose("Hints", "text")
    else:
        node = slicer.mrmlScene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
        node.SetCurrentInteractionMode(node.ViewTransform)
    assert mouse_mode(slicer) == "ViewTransform"
    assert not drawing.widget("PointsDraw").checked
    drawing.editor.setActiveEffectByName("Text prompt")


def test_one_drawing_takes_over_from_another(drawing) -> None:
    drawing.widget("PointsDraw").click()
    drawing.widget("OutsideDraw").click()
    assert drawing.widget("OutsideDraw").checked and not drawing.widget("PointsDraw").checked


def test_a_scribble_becomes_points(drawing, slicer) -> None:
    drawing.widget("PointsScribble").click()
    assert mouse_mode(slicer) == "Place" and drawing.widget("PointsScribble").checked
    assert not drawing.widget("PointsDraw").checked
    place_by_mouse(slicer, (0.0, 0.0, 20.0), (20.0, 0.0, 20.0), (20.0, 30.0, 20.0))
    assert mouse_mode(slicer) == "ViewTransform" and not drawing.widget("PointsScribble").checked
    curve = drawing.widget("Points").currentNode()
    curve.SetCurveTypeToLinear()
    drawing.choose("Hints", "points")
    points = drawing.controller.options.hints.nodes().read().points
    assert len(points) == 11 and {label for *_place, label in points} == {1}
    assert points[0][:3] == pytest.approx((0, 0, 20)) and points[-1][:3] == pytest.approx(
        (20, 30, 20)
    )
    assert points[4][:3] == pytest.approx((20, 0, 20)), "5 mm apart along the line"
    drawing.widget("OutsideScribble").click()
    place_by_mouse(slicer, (-90.0, 0.0, 20.0))
    labels = [p[3] for p in drawing.controller.options.hints.nodes().read().points]
    assert labels == [1] * 11 + [0]


def test_a_long_scribble_has_not_too_many_points_and_an_empty_one_is_a_sentence(
    drawing, slicer
) -> None:
    drawing.choose("Hints", "points")
    drawing.widget("PointsScribble").click()
    drawing.type("liver")
    assert "empty" in drawing.apply()
    drawing.widget("PointsScribble").click()
    place_by_mouse(slicer, (-150.0, 0.0, 20.0), (150.0, 0.0, 20.0))
    assert len(drawing.controller.options.hints.nodes().read().points) == 16
    drawing.widget("PointsDraw").click()
    assert drawing.widget("Points").currentNode().IsA("vtkMRMLMarkupsFiducialNode")


def test_again_with_hints_starts_from_the_segments_mask(drawing, slicer) -> None:
    """As it is when Again is pressed; points make it better, and Apply does not make it stale."""
    start = drawing.widget("Start")
    drawing.choose("Hints", "text")
    drawing.type("liver")
    drawing.apply()
    drawing.widget("Again").click()
    assert "starts from it" not in drawing.outcome() and not start.isVisibleTo(start.parent())
    drawing.choose("Hints", "points")
    drawing.widget("Again").click()
    assert "starts from it" in drawing.outcome() and start.isVisibleTo(start.parent())
    before = drawing.mask("liver") > 0
    hints = drawing.controller.source.request("whole").hints.read()
    np.testing.assert_array_equal(hints.mask.whole() > 0, before)
    drawing.widget("PointsDraw").click()
    place_by_mouse(slicer, (-60.0, 0.0, 20.0))
    drawing.apply()
    after = drawing.mask("liver") > 0
    assert (after & before).sum() == before.sum() < after.sum()
    key = drawing.controller.source.key
    again = drawing.controller.source.request("whole").hints.read()
    assert again.to_dict()["mask"] == hints.to_dict()["mask"]
    with_mask = key(drawing.controller.source.request("whole"))
    start.click()
    assert drawing.controller.source.request("whole").hints.read().mask is None
    assert key(drawing.controller.source.request("whole")) != with_mask
    drawing.choose("Hints", "box")
    assert "Choose or draw a box" in drawing.apply()
    start.click()
    assert "found" in drawing.apply(), "the mask says where"
