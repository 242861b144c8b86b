"""4-D images: frame by frame into a sequence of segmentations."""

from __future__ import annotations

import mrml_helpers as helpers
import numpy as np
import pytest
import slicer
from tiny_predictor import TinyPredictor

from TextPromptSegLib.outcome import Cancelled, InputError

TextPromptSegLogic = helpers.console_module().TextPromptSegLogic
SHAPE = (6, 8, 10)
FRAMES = 4


def frame_mask(number):
    """The liver moves towards the head; in the last frame it is out of view."""
    mask = np.zeros(SHAPE, np.uint8)
    if number < FRAMES - 1:
        mask[number : number + 3, 2:6, 3:7] = 1
    return mask


def make_sequence(scene, browser=True, matrix=None):
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "dynamic")
    sequence.SetIndexName("time")
    sequence.SetIndexUnit("s")
    for number in range(FRAMES):
        place = helpers.placed(np.diag([-1.0, -1, 1]), SHAPE) if matrix is None else matrix
        frame = helpers.volume_node((frame_mask(number) * 100).astype(np.int16), place, "CT")
        sequence.SetDataNodeAtValue(frame, f"{number * 0.5}")
        scene.RemoveNode(frame)
    if not browser:
        return sequence, None, None
    shown = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "browser")
    shown.AddSynchronizedSequenceNode(sequence)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(shown)
    return sequence, shown, shown.GetProxyNode(sequence)


def show(browser, number):
    browser.SetSelectedItemNumber(number)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)


@pytest.fixture
def logic(scene):
    return TextPromptSegLogic(predictorFactory=TinyPredictor)


def test_all_frames_of_a_sequence(logic, scene):
    sequence, browser, proxy = make_sequence(scene)
    node = logic.segment(sequence, ["liver", "spleen"])
    assert node.IsA("vtkMRMLSegmentationNode") and browser.IsProxyNodeID(node.GetID())
    result = browser.GetSequenceNode(node)
    assert result.GetNumberOfDataNodes() == FRAMES
    assert [result.GetNthIndexValue(n) for n in range(FRAMES)] == [
        sequence.GetNthIndexValue(n) for n in range(FRAMES)
    ]
    assert (result.GetIndexName(), result.GetIndexUnit()) == ("time", "s")
    ids = set()
    for number in range(FRAMES):
        show(browser, number)
        segmentation = node.GetSegmentation()
        names = {segmentation.GetSegment(s).GetName(): s for s in segmentation.GetSegmentIDs()}
        assert list(names) == ["liver", "spleen"]
        ids.add(tuple(names.values()))
        np.testing.assert_array_equal(
            helpers.voxels(node, names["liver"], proxy), frame_mask(number)
        )
        assert not helpers.voxels(node, names["spleen"], proxy).any()
    assert len(ids) == 1  # colours and visibility follow the segment through time
    assert sorted(logic.results) == list(range(FRAMES))
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1


def test_some_frames_through_the_proxy(logic, scene):
    _sequence, browser, proxy = make_sequence(scene)
    node = logic.segment(proxy, "liver", frames=[2, 0])
    assert sorted(logic.results) == [0, 2]
    assert browser.GetSequenceNode(node).GetNumberOfDataNodes() == 2
    assert logic.segment(proxy, "liver", frames="all") is not node
    assert sorted(logic.results) == [0, 1, 2, 3]


def test_a_proxy_without_frames_is_the_volume_that_is_shown(logic, scene):
    _sequence, browser, proxy = make_sequence(scene)
    show(browser, 1)
    node = logic.segment(proxy, "liver")
    segment_id = node.GetSegmentation().GetNthSegmentID(0)
    np.testing.assert_array_equal(helpers.voxels(node, segment_id, proxy), frame_mask(1))
    assert not browser.IsProxyNodeID(node.GetID())


def test_a_sequence_that_no_browser_shows_gets_one(logic, scene):
    sequence, _, _ = make_sequence(scene, browser=False)
    node = logic.segment(sequence, "liver")
    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForSequenceNode(sequence)
    assert browser.IsProxyNodeID(node.GetID())
    assert browser.GetProxyNode(sequence) is not None


def test_the_transform_of_the_proxy_is_taken_over(logic, scene):
    sequence, browser, proxy = make_sequence(scene)
    moved = helpers.linear_transform([[1, 0, 0, 40], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    proxy.SetAndObserveTransformNodeID(moved.GetID())
    node = logic.segment(sequence, "liver")
    assert node.GetTransformNodeID() == moved.GetID()
    for number in range(FRAMES - 1):
        show(browser, number)
        segment_id = node.GetSegmentation().GetNthSegmentID(0)
        assert node.GetTransformNodeID() == moved.GetID()
        np.testing.assert_array_equal(helpers.voxels(node, segment_id, proxy), frame_mask(number))


def test_a_second_run_keeps_the_segments_of_the_first(logic, scene):
    sequence, browser, proxy = make_sequence(scene)
    node = logic.segment(sequence, "liver")
    again = logic.segment(sequence, "liver tumor", segmentation=node)
    assert again is node
    for number in range(FRAMES):
        show(browser, number)
        segmentation = node.GetSegmentation()
        names = {segmentation.GetSegment(s).GetName(): s for s in segmentation.GetSegmentIDs()}
        assert list(names) == ["liver", "liver tumor"]
        np.testing.assert_array_equal(
            helpers.voxels(node, names["liver"], proxy), frame_mask(number)
        )
    plain = helpers.segmentation_node(proxy)
    with pytest.raises(InputError, match="is no sequence of this image"):
        logic.segment(sequence, "liver", segmentation=plain)


@pytest.mark.parametrize(
    "frames,message", [([0, 9], "there is no frame 9"), ([], "has no frames"), ("x", "numbers")]
)
def test_wrong_frames_are_refused(logic, scene, frames, message):
    sequence, _, _ = make_sequence(scene)
    with pytest.raises(InputError, match=message):
        logic.segment(sequence, "liver", frames=frames)


def test_progress_counts_all_frames_and_cancel_leaves_nothing(logic, scene):
    sequence, _, _ = make_sequence(scene)
    before = scene.GetNumberOfNodes()
    seen = []

    def progress(done, total, text):
        seen.append((done, total, text))
        return len(seen) < 3

    with pytest.raises(Cancelled):
        logic.segment(sequence, "liver", progress=progress)
    assert [done for done, _, _ in seen] == [0, 1, 2]
    assert all(total == FRAMES for _, total, _ in seen)
    assert seen[2][2].startswith(f"frame 3 of {FRAMES}")
    assert scene.GetNumberOfNodes() == before


def test_a_sequence_deleted_during_the_run(logic, scene):
    sequence, _, _ = make_sequence(scene)

    def progress(done, _total, _text):
        if done == 1:
            scene.RemoveNode(sequence)
        return True

    with pytest.raises(InputError, match="was deleted"):
        logic.segment(sequence, "liver", progress=progress)
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def test_scrolling_through_time_during_the_run_does_no_harm(logic, scene):
    sequence, browser, proxy = make_sequence(scene)

    def progress(done, _total, _text):
        show(browser, (done + 2) % FRAMES)
        return True

    node = logic.segment(proxy, "liver", frames="all", progress=progress)
    for number in range(FRAMES):
        show(browser, number)
        segment_id = node.GetSegmentation().GetNthSegmentID(0)
        np.testing.assert_array_equal(helpers.voxels(node, segment_id, proxy), frame_mask(number))
