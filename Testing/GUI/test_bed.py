"""The test bed itself: it must be as strict as the application."""

from __future__ import annotations

import pytest
from bed import pythonqt


def test_properties_are_attributes_and_unknown_names_are_errors(slicer) -> None:
    import qt

    button = qt.QPushButton("Go")
    button.objectName, button.toolTip = "GoButton", "tip"
    assert (button.text, button.enabled, button.name) == ("Go", True, "GoButton")
    for wrong in ("txt", "clickd"):
        with pytest.raises(AttributeError):
            getattr(button, wrong)
        with pytest.raises(AttributeError):
            setattr(button, wrong, 1)
    with pytest.raises(AttributeError, match="no signal"):
        button.connect("clicked(int)", print)
    with pytest.raises(TypeError, match="keyword"):
        qt.QPushButton("Go", parent=None)
    with pytest.raises(AttributeError):
        qt.QNoSuchWidget  # noqa: B018


def test_slots_get_as_many_arguments_as_they_take(slicer) -> None:
    import qt

    calls: list = []
    box = qt.QCheckBox("x")
    plain, full = (lambda: calls.append(())), (lambda checked: calls.append(checked))
    box.connect("toggled(bool)", plain)
    box.connect("toggled(bool)", full)
    box.checked = True
    assert calls == [(), True] and pythonqt.connection_count(box) == 2
    box.disconnect("toggled(bool)", plain)
    box.checked = False
    assert calls == [(), True, False]
    box.disconnect("toggled(bool)", full)
    assert pythonqt.connection_count(box) == 0


def test_error_in_a_slot_is_noticed(slicer) -> None:
    import qt

    button = qt.QPushButton()
    button.connect("clicked()", lambda: 1 / 0)
    button.click()
    assert "ZeroDivisionError" in pythonqt.slot_errors.pop()


def test_effect_parameters_take_only_text_and_numbers(slicer) -> None:
    effect = slicer.qSlicerSegmentEditorScriptedEffect(None)
    effect.name = "Test"
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
    effect.setParameterSetNode(node)
    effect.setParameter("A", 1)
    effect.setParameter("B", 0.25)
    effect.setParameter("C", "text")
    assert (effect.integerParameter("A"), effect.doubleParameter("B")) == (1, 0.25)
    assert effect.parameter("C") == "text" and node.GetAttribute("Test.C") == "text"
    for wrong in (True, None, ["x"]):
        with pytest.raises(TypeError):
            effect.setParameter("D", wrong)


def test_node_selector_follows_the_scene(slicer) -> None:
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes, selector.noneEnabled = ["vtkMRMLScalarVolumeNode"], False
    changes: list = []
    selector.connect("currentNodeChanged(vtkMRMLNode*)", changes.append)
    selector.setMRMLScene(slicer.mrmlScene)
    first = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "a")
    assert selector.currentNode() is first and changes == [first]
    slicer.mrmlScene.RemoveNode(first)
    assert selector.currentNode() is None and changes == [first, None]
    with pytest.raises(AttributeError):
        selector.connect("currentNodeChanged()", print)
    selector.setMRMLScene(None)
