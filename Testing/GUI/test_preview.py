"""The preview: one slice, follows scrolling, typing and threshold, needs no run for a threshold."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import pump
from helpers import EditorBench, add_ct
from preview_bench import Count, drawing, drawn


@pytest.fixture
def count(session, monkeypatch) -> Count:
    return Count(session, monkeypatch)


def show(bench, number: int = 9, text: str = "liver") -> None:
    bench.scroll_to(number)
    bench.type(text)
    bench.widget("Preview").click()
    assert pump(60, until=lambda: drawing(bench).visible and not bench.controller.session.busy)


def settled(bench):
    return lambda: not bench.controller.preview._timer.active and bench.idle()


def test_preview_shows_the_current_slice_only(bench, count) -> None:
    show(bench, 9)
    mask = drawn(bench)
    assert mask[9].sum() > 50 and mask.sum() == mask[9].sum()
    assert [r["slices"] for r in count.requests] == [(9, 10)]
    assert "on this slice" in bench.outcome() and bench.names() == []


def test_preview_makes_no_item_that_a_saved_scene_would_keep(bench, slicer, tmp_path) -> None:
    """Slicer's subject hierarchy has no item for a node that joins hidden.

    Its plugin for segmentations then logs an error for every segment that comes, goes or changes
    (onSegmentAdded, onSegmentRemoved, onSegmentModified) and whenever its look changes
    (onDisplayNodeModified), so none of them may happen. The one change of the look as the node
    joins is not heard: Slicer 5.13 logged nothing.
    """
    kind, scene = slicer.vtkSegmentation, slicer.mrmlScene
    look = slicer.vtkMRMLDisplayableNode.DisplayModifiedEvent
    changes = (kind.SegmentAdded, kind.SegmentRemoved, kind.SegmentModified)
    hidden, events, looks = [], [], []

    def added(_caller, _event) -> None:
        for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
            if node.GetName() != "Seg" and node.GetID() not in [name for name, _ in hidden]:
                hidden.append((node.GetID(), bool(node.GetHideFromEditors())))
                for event in changes:
                    node.AddObserver(event, lambda _caller, name: events.append(name))
                node.AddObserver(look, lambda _caller, name: looks.append(name))

    tag = scene.AddObserver(scene.NodeAddedEvent, added)
    show(bench)
    bench.widget("Threshold").value = 0.7
    bench.type("liver, left kidney")
    assert pump(60, until=lambda: "kidney" in bench.outcome() and "cm" in bench.outcome())
    bench.scroll_to(8)
    assert pump(60, until=lambda: drawn(bench)[8].any())
    scene.RemoveObserver(tag)
    assert len(hidden) >= 2 and all(is_hidden for _name, is_hidden in hidden) and not events
    assert len(looks) <= len(hidden)
    scene.SetURL(str(tmp_path / "scene.mrml"))
    scene.Commit()
    assert "preview" not in (tmp_path / "scene.mrml").read_text().casefold()


def test_preview_node_stays_out_of_the_way(bench, slicer) -> None:
    show(bench)
    node = drawing(bench).node
    assert node.GetHideFromEditors() and not node.GetSaveWithScene()
    assert not node.GetDisplayNode().GetVisibility3D()
    bench.widget("Preview").click()
    assert not drawing(bench).visible
    assert [n.GetName() for n in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")] == ["Seg"]


def test_another_threshold_is_one_event(bench, slicer) -> None:
    """Each view of the application draws at once for the second event of a slider's move."""
    show(bench, 6, "liver, left kidney")
    node = drawing(bench).node
    events: list[str] = []
    watched = [(node, event) for event in ("ModifiedEvent", slicer.vtkSegmentation.SegmentModified)]
    watched += [(node.GetDisplayNode(), "ModifiedEvent"), (node.GetSegmentation(), "ModifiedEvent")]
    tags = [
        (subject, subject.AddObserver(event, lambda _caller, name: events.append(name)))
        for subject, event in watched
    ]
    before = int(drawn(bench).sum())
    bench.widget("Threshold").value = 0.9
    for subject, tag in tags:
        subject.RemoveObserver(tag)
    assert len(events) == 1 and int(drawn(bench).sum()) < before


def test_preview_has_the_colours_of_the_structures(bench) -> None:
    show(bench, 6, "liver, left kidney")
    segmentation = drawing(bench).node.GetSegmentation()
    colors = {segmentation.GetSegment(s).GetColor() for s in segmentation.GetSegmentIDs()}
    assert len(colors) == 2 and (0.5, 0.5, 0.5) not in colors


def test_preview_follows_the_slice(bench, count) -> None:
    show(bench, 9)
    bench.scroll_to(10)
    assert pump(60, until=lambda: drawn(bench)[10].any())
    assert not drawn(bench)[9].any() and len(count) == 2
    bench.scroll_to(9)  # one slice is kept, so this one is asked for again
    assert pump(60, until=lambda: drawn(bench)[9].any())


def test_scrolling_fast_asks_once(bench, count) -> None:
    show(bench, 9)
    for number in (10, 11, 12, 11, 10):
        bench.scroll_to(number)
    assert pump(60, until=lambda: drawn(bench)[10].any())
    assert len(count) == 2


def test_a_slice_that_is_on_its_way_is_not_asked_for_again(bench, count) -> None:
    bench.scroll_to(9)
    bench.type("slow liver")
    bench.widget("Preview").click()
    running = bench.controller.preview._run
    assert pump(60, until=lambda: running.job.done > 3)
    bench.scroll_to(9)
    bench.controller.preview.update()
    assert bench.controller.preview._run is running and len(count) == 1
    bench.scroll_to(10)
    bench.controller.preview.update()
    assert bench.controller.preview._run is not running and len(count) == 2


def test_preview_follows_typing(bench, count) -> None:
    show(bench, 9, "liver")
    liver = drawn(bench)
    for text in ("s", "sp", "sple", "spleen"):
        bench.type(text)
    assert pump(60, until=lambda: "spleen" in bench.outcome())
    assert not np.array_equal(drawn(bench), liver) and len(count) == 2


def test_enter_starts_the_preview(bench) -> None:
    bench.scroll_to(9)
    bench.type("liver")
    bench.widget("Line").returnPressed.emit()
    assert bench.widget("Preview").checked
    assert pump(60, until=lambda: drawn(bench)[9].any())


def test_threshold_needs_no_run(bench, count) -> None:
    show(bench, 9)
    before = int(drawn(bench).sum())
    bench.widget("Threshold").value = 0.9
    small = int(drawn(bench).sum())
    bench.widget("Threshold").value = 0.1
    large = int(drawn(bench).sum())
    assert small < before < large and len(count) == 1
    bench.widget("ThresholdAuto").click()
    assert int(drawn(bench).sum()) == before and len(count) == 1


def test_apply_uses_the_threshold(bench) -> None:
    bench.type("liver")
    bench.widget("Threshold").value = 0.9
    bench.apply()
    small = int(bench.mask("liver").sum())
    bench.editor.undo()
    bench.node.SetSelectedSegmentID("")
    bench.widget("ThresholdAuto").click()
    bench.apply()
    assert small < int(bench.mask("liver").sum())


def test_threshold_after_apply_needs_no_run(bench, count) -> None:
    bench.scroll_to(9)
    bench.type("liver")
    bench.apply()
    before = int(bench.mask("liver").sum())
    assert not bench.widget("Preview").checked
    bench.widget("Threshold").value = 0.85
    # The stored answer is shown at once, and Apply writes it without another run.
    assert bench.widget("Preview").checked and drawn(bench)[9].any()
    bench.widget("Apply").click()
    assert int(bench.mask("liver").sum()) < before and len(count) == 1
    bench.scroll_to(7)
    bench.widget("Threshold").value = 0.5
    assert drawn(bench)[7].any() and len(count) == 1


def test_another_prompt_is_another_run(bench, count) -> None:
    bench.type("liver")
    bench.apply()
    bench.type("spleen")
    bench.node.SetSelectedSegmentID("")
    bench.apply()
    bench.choose("Range", "slices")
    bench.apply()
    assert len(count) == 3 and bench.names()[:2] == ["liver", "spleen"]


def test_changed_voxels_are_another_run(bench, count, slicer) -> None:
    bench.type("liver")
    bench.apply()
    slicer.util.arrayFromVolume(bench.volume)[0, 0, 0] += 1
    slicer.util.arrayFromVolumeModified(bench.volume)
    bench.apply()
    assert len(count) == 2


def test_a_third_is_previewed_from_the_whole_image(bench, count) -> None:
    bench.scroll_to(9)
    bench.type("upper liver")
    bench.widget("Preview").checked = True
    assert "needs the whole image" in bench.outcome()
    assert pump(30, until=lambda: "cm" in bench.outcome())
    assert [request["slices"] for request in count.requests] == [None]
    bench.scroll_to(10)
    shown = drawn(bench)
    bench.apply()
    assert len(count) == 1, "the preview has already searched the whole image"
    assert shown.any() and np.array_equal(shown[10], bench.mask(bench.names()[0])[10])


def test_preview_of_what_is_not_there(bench) -> None:
    bench.scroll_to(9)
    bench.type("urinary bladder, thyroid gland")
    bench.widget("Preview").click()
    assert pump(60, until=lambda: "max p 0.07" in bench.outcome())
    assert "not trained" in bench.outcome() and not drawn(bench).any()


def test_view_outside_the_volume_is_a_sentence(bench, slicer) -> None:
    bench.type("liver")
    slice_node = slicer.mrmlScene.GetSingletonNode("Red", "vtkMRMLSliceNode")
    slice_node.SetSliceOffset(5000.0)
    bench.widget("Preview").click()
    assert "outside the volume" in bench.outcome()


@pytest.fixture
def layout(slicer):
    """Say which slice views the layout shows."""

    def shown(*names: str) -> None:
        for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
            node.SetMappedInLayout(int(node.GetName() in names))

    yield shown
    shown("Red", "Green", "Yellow")


def views_of(node) -> list[str]:
    display = node.GetDisplayNode()
    return [display.GetNthViewNodeID(n) for n in range(display.GetNumberOfViewNodeIDs())]


def test_a_line_shows_in_the_other_views_where_the_slice_lies(bench, layout) -> None:
    layout("Red", "Green", "Yellow")
    show(bench, 9)
    line = bench.controller.preview.line.node
    assert sorted(views_of(line)) == ["vtkMRMLSliceNodeGreen", "vtkMRMLSliceNodeYellow"]
    assert views_of(drawing(bench).node) == ["vtkMRMLSliceNodeRed"]
    bounds = np.zeros(6)
    line.GetPolyData().GetBounds(bounds)
    # Slice 9 of 16, 15 mm apart, centred on the origin; i and j span 64 voxels of 5 mm.
    assert bounds[4:].tolist() == pytest.approx([15.0, 15.0])
    assert bounds[1] - bounds[0] == bounds[3] - bounds[2] == 320.0
    assert not line.GetSaveWithScene() and line.GetHideFromEditors()
    bench.widget("Preview").click()
    assert bench.controller.preview.line.node is None


def test_a_layout_without_the_plane_previews_what_the_user_looks_at(
    bench, layout, slicer, count
) -> None:
    layout("Yellow")
    yellow = slicer.mrmlScene.GetSingletonNode("Yellow", "vtkMRMLSliceNode")
    yellow.JumpSliceByCentering(0.0, 0.0, 15.0)  # the middle of the view is on slice 9
    bench.editor.bed_view_changed(yellow)
    bench.type("liver")
    bench.widget("Preview").click()
    assert pump(60, until=lambda: "cm" in bench.outcome()), bench.outcome()
    assert [r["slices"] for r in count.requests] == [(9, 10)]
    assert "axial slice 10 of 16, which no view shows" in bench.outcome()
    assert drawn(bench)[9].any() and views_of(drawing(bench).node) == []
    assert views_of(bench.controller.preview.line.node) == ["vtkMRMLSliceNodeYellow"]


def test_every_view_shows_its_slice_of_a_whole_answer(bench, layout, slicer, count) -> None:
    layout("Red", "Green", "Yellow")
    bench.type("liver")
    bench.apply()
    bench.editor.undo()
    bench.scroll_to(9)
    for name in ("Green", "Yellow"):
        slicer.mrmlScene.GetSingletonNode(name, "vtkMRMLSliceNode").JumpSliceByCentering(64, 0, 0)
    bench.widget("Preview").click()
    pump(0.0)
    preview = bench.controller.preview
    beside = {axis: one.node for axis, one in preview.beside.items() if one.visible}
    assert len(count) == 1 and set(beside) == {1, 2} and preview.line.node is None
    assert views_of(beside[1]) == ["vtkMRMLSliceNodeGreen"]
    assert views_of(beside[2]) == ["vtkMRMLSliceNodeYellow"]
    bench.widget("Preview").click()
    assert not any(one.visible for one in preview.beside.values())


def test_another_effect_ends_the_preview(bench) -> None:
    show(bench)
    bench.editor.setActiveEffectByName("")
    assert not drawing(bench).visible and not bench.controller.preview._timer.active
    bench.editor.setActiveEffectByName("Text prompt")
    assert not bench.widget("Preview").checked


def test_another_volume_ends_stored_answers(bench, slicer, count) -> None:
    show(bench)
    bench.editor.setSourceVolumeNode(add_ct(slicer, "other", shape=(12, 48, 48)))
    assert pump(60, until=lambda: settled(bench)() and len(count) == 2)
    assert bench.widget("Last").maximum == 12


def test_oblique_view_finds_its_slice(bench, slicer) -> None:
    show(bench, 9)
    from TextPromptSegGUI.shared import views
    from TextPromptSegMRML.volumes import volume_from_node

    volume = volume_from_node(bench.volume)
    slice_node = slicer.mrmlScene.GetSingletonNode("Red", "vtkMRMLSliceNode")
    for number in range(16):
        bench.scroll_to(number)
        assert views.slice_number(slice_node, volume) == number
    for name, plane in (("Red", "axial"), ("Green", "coronal"), ("Yellow", "sagittal")):
        node = slicer.mrmlScene.GetSingletonNode(name, "vtkMRMLSliceNode")
        assert views.plane_of(node) == plane


@pytest.mark.parametrize("flip", [(1, 1, 1), (-1, 1, 1), (1, -1, -1)])
def test_slice_number_is_that_of_the_file(slicer, session, flip) -> None:
    volume = add_ct(slicer)
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    for axis, sign in enumerate(flip):
        for row in range(3):
            matrix.SetElement(row, axis, sign * matrix.GetElement(row, axis))
    volume.SetIJKToRASMatrix(matrix)
    bench = EditorBench(slicer, volume)
    bench.scroll_to(5)
    bench.choose("Range", "slice")
    bench.type("liver")
    bench.apply()
    if bench.names():
        assert not np.delete(bench.mask("liver"), 5, axis=0).any()
    bench.close()


# -- cost in counts; seconds are measured in Testing/Benchmarks -----------------------------------


@pytest.fixture
def large(slicer, session):
    bench = EditorBench(slicer, add_ct(slicer, "large", shape=(4, 512, 512), spacing=(0.7, 0.7, 5)))
    show(bench, 2)
    yield bench
    bench.close()


def test_a_threshold_touches_one_slice_and_asks_nobody(large, count, monkeypatch) -> None:
    from TextPromptSegLib.inference import answers

    sizes: list[int] = []
    judge = answers.answer

    def counted(prompt, probability, *rest):
        sizes.append(probability.size)
        return judge(prompt, probability, *rest)

    monkeypatch.setattr(answers, "answer", counted)
    for step in range(20):
        large.widget("Threshold").value = 0.2 + 0.03 * step
    assert drawn(large)[2].any() and len(count) == 0
    assert len(sizes) == 20 and min(sizes) > 0 and max(sizes) <= 512 * 512  # one slice, no volume


def test_a_scroll_costs_one_request_of_one_slice(large, count) -> None:
    for number in (1, 2, 1):
        large.scroll_to(number)
        large.controller.preview.update()
        assert pump(60, until=lambda n=number: drawn(large)[n].any())
        assert pump(60, until=settled(large))
    assert [r["slices"] for r in count.requests] == [(1, 2), (2, 3), (1, 2)]
    # The image is sent once; afterwards the worker is only told which one.
    assert large.controller.session.client._volume_key is not None
