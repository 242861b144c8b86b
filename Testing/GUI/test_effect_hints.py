"""Box, points, second pass: offered where the checkpoint listens, sent in the world, kept."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import pump
from helpers import install_checkpoint

TAKES_ALL = ("box", "points", "samples", "heat_map")


def add_box(slicer, center=(40.0, 0.0, 20.0), size=(120.0, 120.0, 60.0)):
    roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "around")
    roi.SetCenter(*center)
    roi.SetSize(*size)
    return roi


def add_points(slicer, name: str, *positions):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
    for position in positions:
        node.AddControlPointWorld(*position)
    return node


@pytest.fixture
def hinted(bench):
    """A bench with a checkpoint that takes everything."""
    install_checkpoint("hinted", takes=TAKES_ALL)
    bench.controller.session.changed()
    bench.choose("Model", "hinted")
    yield bench
    bench.choose("Model", "fake")


@pytest.fixture
def hinted_panel(panel, slicer):
    from helpers import add_ct

    install_checkpoint("hinted", takes=TAKES_ALL)
    panel.panel.session.changed()
    panel.volume = add_ct(slicer)
    panel.find("Volume").setCurrentNode(panel.volume)
    box = panel.find("Model")
    box.currentIndex = box.findData("hinted")
    yield panel
    box.currentIndex = box.findData("fake")


def choices(box) -> list[str]:
    return [box.itemData(n) for n in range(box.count)]


# -- what is offered -------------------------------------------------------------------------------


def test_a_checkpoint_of_text_alone_says_why(bench) -> None:
    box = bench.widget("Hints")
    assert not box.enabled and choices(box) == ["text"]
    assert "text alone" in box.toolTip and "choose one" in box.toolTip
    assert bench.widget("Box").isHidden() or bench.widget("Box").parent().isHidden()
    assert not bench.widget("Samples").enabled
    assert "one answer" in bench.widget("Samples").toolTip


@pytest.mark.parametrize(
    ("takes", "expected"),
    [
        (("box",), ["text", "box"]),
        (("points",), ["text", "points"]),
        (("box", "points"), ["text", "box", "points", "both"]),
        (("samples",), ["text"]),
    ],
)
def test_only_what_the_checkpoint_listens_to_is_offered(bench, takes, expected) -> None:
    install_checkpoint("some", takes=takes)
    bench.controller.session.changed()
    bench.choose("Model", "some")
    box = bench.widget("Hints")
    assert choices(box) == expected and box.enabled is (len(expected) > 1)
    assert bench.widget("TwoPass").parent().isHidden() is ("box" not in takes)
    assert bench.widget("Samples").enabled is ("samples" in takes)
    bench.choose("Model", "fake")
    assert choices(box) == ["text"]


def test_the_manager_says_what_a_checkpoint_takes(hinted_panel) -> None:
    table = hinted_panel.find("Models")
    names = [row[0] for row in hinted_panel.rows("Models")]
    table.selectRow(names.index("Test balls (hinted)"))
    assert "Takes: text, boxes, points" in hinted_panel.find("ModelDetails").text


# -- box -------------------------------------------------------------------------------------------


def test_box_reaches_the_network_in_the_world(hinted, slicer) -> None:
    hinted.type("liver")
    hinted.apply()
    whole = hinted.mask("liver") > 0
    hinted.editor.undo()
    hinted.node.SetSelectedSegmentID("")
    roi = add_box(slicer)
    hinted.choose("Hints", "box")
    hinted.widget("Box").setCurrentNode(roi)
    hinted.apply()
    mask = hinted.mask("liver") > 0
    inside = np.zeros(mask.shape, bool)
    # i grows to the patient's left, R -20..100 mm lies at i 12..36; centre of the image is 0.
    inside[7:12, 20:45, 12:37] = True
    assert mask.any() and mask.sum() < whole.sum() and not (mask & ~whole).any()
    assert not (mask & ~inside).any()


def test_box_under_a_transform(hinted, slicer) -> None:
    import vtk

    roi = add_box(slicer, center=(0.0, 0.0, 20.0))
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    moved = vtk.vtkTransform()
    moved.Translate(40.0, 0.0, 0.0)
    transform.SetMatrixTransformToParent(moved.GetMatrix())
    roi.SetAndObserveTransformNodeID(transform.GetID())
    from TextPromptSegMRML.hints import HintNodes

    assert HintNodes(box=roi).options()["box"] == pytest.approx([-20, 100, -60, 60, -10, 50])


def test_box_is_missing(hinted) -> None:
    hinted.type("liver")
    hinted.choose("Hints", "box")
    assert "Choose or draw a box" in hinted.apply() and hinted.names() == []


def test_a_moved_box_is_another_run_and_the_preview_follows(hinted, slicer) -> None:
    roi = add_box(slicer)
    hinted.choose("Hints", "box")
    hinted.widget("Box").setCurrentNode(roi)
    hinted.scroll_to(9)
    hinted.type("liver")
    hinted.widget("Preview").click()
    drawing = hinted.controller.preview.drawing
    assert pump(60, until=lambda: drawing.visible and not hinted.controller.session.busy)
    before = hinted.outcome()
    roi.SetSize(40.0, 40.0, 60.0)
    assert pump(60, until=lambda: "cm" in hinted.outcome() and hinted.outcome() != before)


# -- points ----------------------------------------------------------------------------------------


def test_points_inside_and_outside(hinted, slicer) -> None:
    hinted.type("liver")
    hinted.apply()
    whole = hinted.mask("liver") > 0
    k, j, i = (int(v) for v in np.argwhere(whole).mean(axis=0))
    hinted.editor.undo()
    hinted.node.SetSelectedSegmentID("")
    # The image is centred: index (k, j, i) lies at ((32 - i) 5, (32 - j) 5, (k - 8) 15) mm.
    middle = ((32 - i) * 5.0, (32 - j) * 5.0, (k - 8) * 15.0)
    far = (-130.0, 100.0, -100.0)
    hinted.choose("Hints", "points")
    hinted.widget("Points").setCurrentNode(add_points(slicer, "yes", far))
    hinted.widget("Outside").setCurrentNode(add_points(slicer, "no", middle))
    hinted.apply()
    mask = hinted.mask("liver") > 0
    assert not mask[k, j, i] and whole[k, j, i]
    added = np.argwhere(mask & ~whole)
    assert len(added) and np.allclose(
        added.mean(axis=0), [8 - 100 / 15, 32 - 20, 32 + 26], atol=1.5
    )


@pytest.mark.parametrize(
    ("label", "description", "expected"),
    [
        ("F-1", "", 1),  # what Slicer calls a point by itself
        ("- here", "", 0),
        ("F-2", "outside", 0),
        ("not liver", "", 0),
        ("another", "", 1),
        ("negative", "", 0),
    ],
)
def test_names_of_points_tell_the_side(slicer, label, description, expected) -> None:
    from TextPromptSegMRML.hints import HintNodes

    node = add_points(slicer, "F", (1.0, 2.0, 3.0))
    node.SetNthControlPointLabel(0, label)
    node.SetNthControlPointDescription(0, description)
    assert HintNodes(points=node).options() == {"points": [[1.0, 2.0, 3.0, expected]]}


def test_an_empty_list_is_refused(hinted, slicer) -> None:
    hinted.type("liver")
    hinted.choose("Hints", "points")
    assert "place points" in hinted.apply()
    hinted.widget("Points").setCurrentNode(add_points(slicer, "F"))
    assert "is empty" in hinted.apply()


@pytest.mark.parametrize(
    ("name", "class_name", "persistent"),
    [("Box", "vtkMRMLMarkupsROINode", 0), ("Points", "vtkMRMLMarkupsFiducialNode", 1)],
)
def test_draw_makes_a_node_and_starts_placing(hinted, slicer, name, class_name, persistent) -> None:
    hinted.choose("Hints", "both")
    hinted.widget(f"{name}Draw").click()
    node = hinted.widget(name).currentNode()
    selection = slicer.mrmlScene.GetNodeByID("vtkMRMLSelectionNodeSingleton")
    interaction = slicer.mrmlScene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    assert node.GetClassName() == class_name
    assert selection.GetActivePlaceNodeID() == node.GetID()
    assert interaction.GetCurrentInteractionMode() == interaction.Place
    assert interaction.GetPlaceModePersistence() == persistent
    hinted.widget(f"{name}Draw").click()  # the same node again
    assert hinted.widget(name).currentNode() is node
    interaction.SetCurrentInteractionMode(interaction.ViewTransform)


# -- passes ----------------------------------------------------------------------------------------


def test_two_passes_and_slice_to_slice_are_sent(hinted) -> None:
    hinted.type("liver")
    assert "two_pass" not in hinted.apply()
    hinted.widget("TwoPass").click()
    hinted.widget("Propagate").click()
    hinted.node.SetSelectedSegmentID("")
    said = hinted.apply()
    assert "two_pass" in said and "propagate" in said


# -- state -----------------------------------------------------------------------------------------


def test_hints_are_kept_with_the_scene(hinted, slicer) -> None:
    roi, inside = add_box(slicer), add_points(slicer, "F", (0, 0, 0))
    hinted.choose("Hints", "both")
    hinted.widget("Box").setCurrentNode(roi)
    hinted.widget("Points").setCurrentNode(inside)
    hinted.widget("TwoPass").click()
    node = hinted.node
    assert node.GetAttribute("Text prompt.Hints") == "both"
    assert node.GetNodeReference("Text prompt.Box") is roi
    node.SetAttribute("Text prompt.Hints", "points")
    node.SetAttribute("Text prompt.TwoPass", "0")
    node.SetNodeReferenceID("Text prompt.Points", None)
    node.InvokeCustomModifiedEvent(node.EffectParameterModified)
    assert hinted.controller.options.hints.choice == "points"
    assert not hinted.widget("TwoPass").checked
    assert hinted.widget("Points").currentNode() is None
    assert hinted.widget("Box").currentNode() is roi


def test_panel_sends_copies_and_keeps_hints(hinted_panel, slicer, monkeypatch) -> None:
    roi, outside = add_box(slicer), add_points(slicer, "no", (40.0, 0.0, 20.0))
    box = hinted_panel.find("Hints")
    box.currentIndex = box.findData("both")
    hinted_panel.find("Box").setCurrentNode(roi)
    hinted_panel.find("Outside").setCurrentNode(outside)
    hinted_panel.find("Propagate").click()
    hinted_panel.type("liver")
    assert "propagate" in hinted_panel.apply()
    node = hinted_panel.find("Output").currentNode()
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(
        node, node.GetSegmentation().GetNthSegmentID(0), hinted_panel.volume
    )
    assert mask.any() and not mask[:6].any()  # the box begins at S -10 mm
    hinted_panel.find("Output").setCurrentNode(None)
    hinted_panel.find("Copy").click()
    code = slicer.app.clipboard().text()
    assert "box=slicer.util.getNode('around')" in code and "propagate=True" in code
    assert "outside=slicer.util.getNode('no')" in code and "two_pass" not in code
    from TextPromptSegLib.worker import remote

    monkeypatch.setattr(remote, "_clients", [hinted_panel.panel.session.client])
    scope: dict = {"slicer": slicer}
    exec(compile(code, "copied", "exec"), scope)
    again = scope["segmentationNode"]
    assert np.array_equal(
        mask,
        slicer.util.arrayFromSegmentBinaryLabelmap(
            again, again.GetSegmentation().GetNthSegmentID(0), hinted_panel.volume
        ),
    )
    parameters = hinted_panel.panel.logic.getParameterNode()
    assert parameters.GetParameter("hints") == "both"
    assert parameters.GetNodeReference("box") is roi


def test_a_batch_over_the_scene_does_not_use_one_images_box(hinted_panel, slicer) -> None:
    from helpers import add_ct

    add_ct(slicer, "other")
    box = hinted_panel.find("Hints")
    box.currentIndex = box.findData("box")
    hinted_panel.find("Box").setCurrentNode(add_box(slicer, size=(20.0, 20.0, 20.0)))
    hinted_panel.type("liver")
    hinted_panel.apply()
    small = float(hinted_panel.rows()[0][2].split()[0].replace(",", ""))
    hinted_panel.find("BatchApply").click()
    assert pump(60, until=lambda: hinted_panel.find("BatchApply").text == "Apply")
    for row in hinted_panel.rows("BatchTable"):
        assert float(row[3].replace(",", "")) > 2 * small
