"""Candidates in the effect, and the maps over the image: flip, look, apply one."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import pump
from helpers import install_checkpoint
from preview_bench import Count, drawn


@pytest.fixture
def count(session, monkeypatch) -> Count:
    return Count(session, monkeypatch)


@pytest.fixture
def generative(bench):
    """A bench with a checkpoint that draws candidates and shows where it looked."""
    install_checkpoint("generative", takes=["samples", "heat_map"])
    bench.controller.session.changed()
    bench.choose("Model", "generative")
    bench.scroll_to(9)
    bench.type("liver")
    yield bench
    bench.choose("Model", "fake")


def preview(bench) -> None:
    bench.widget("Preview").click()
    assert pump(
        60,
        until=lambda: (
            bench.controller.preview.drawing.visible and not bench.controller.session.busy
        ),
    )


def composites(slicer):
    return slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")


# -- candidates ------------------------------------------------------------------------------------


def test_flip_through_candidates_without_a_run(generative, count) -> None:
    generative.widget("Samples").value = 4
    preview(generative)
    assert [r["samples"] for r in count.requests] == [4]
    assert generative.widget("Candidate").text == "mean of 4"
    mean = int(drawn(generative).sum())
    sizes = []
    for number in range(1, 5):
        generative.widget("Next").click()
        assert generative.widget("Candidate").text == f"{number} of 4"
        sizes.append(int(drawn(generative).sum()))
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > mean > sizes[-1]
    assert not generative.widget("Threshold").parent().enabled
    generative.widget("Next").click()
    assert generative.widget("Candidate").text == "mean of 4"
    assert int(drawn(generative).sum()) == mean and generative.widget("Threshold").enabled
    generative.widget("Previous").click()
    assert generative.widget("Candidate").text == "4 of 4" and len(count) == 1


def test_the_candidate_that_is_shown_is_applied(generative, count) -> None:
    generative.widget("Samples").value = 3
    preview(generative)
    generative.widget("Next").click()
    shown = drawn(generative)[9]
    said = generative.apply()
    assert "candidate 1 of 3" in said and generative.names() == ["liver"]
    applied = generative.mask("liver")
    assert np.array_equal(applied[9], shown) and applied.sum() > shown.sum()
    from TextPromptSegMRML.provenance import read_provenance

    # Another one over the whole image, from what is there; one more undo step.
    generative.widget("Previous").click()
    generative.widget("Previous").click()
    assert "candidate 3 of 3" in generative.apply() and len(count) == 2
    assert generative.mask("liver").sum() < applied.sum()
    generative.editor.undo()
    assert np.array_equal(generative.mask("liver"), applied)
    segment = generative.segmentation.GetSegmentation().GetNthSegment(0)
    assert read_provenance(segment)["Prompt"] == "liver"


def test_another_number_is_another_run(generative, count) -> None:
    generative.widget("Samples").value = 3
    preview(generative)
    generative.widget("Next").click()
    generative.widget("Samples").value = 5
    assert generative.widget("Candidate").text == "not drawn yet"
    assert pump(60, until=lambda: generative.widget("Candidate").text == "mean of 5")
    assert [r["samples"] for r in count.requests] == [3, 5]
    assert generative.node.GetAttribute("Text prompt.Samples") == "5"


def test_one_answer_has_nothing_to_flip(generative, count) -> None:
    preview(generative)
    assert count.requests[0]["samples"] is None
    assert generative.widget("Next").isHidden() and generative.widget("Candidate").isHidden()


def test_threshold_and_count_of_a_checkpoint_that_gives_one_answer(generative) -> None:
    generative.widget("Samples").value = 4
    preview(generative)
    generative.widget("Next").click()
    assert "candidate 1 of 4" in generative.outcome() and "max p" not in generative.outcome()
    assert not generative.widget("Threshold").parent().enabled
    generative.choose("Model", "fake")
    assert generative.widget("Threshold").parent().enabled
    assert generative.widget("Samples").value == 1 and not generative.widget("Samples").enabled
    generative.choose("Model", "generative")  # what the user asked for is not forgotten
    assert generative.widget("Samples").value == 4


# -- maps over the image ---------------------------------------------------------------------------


def test_probability_over_the_current_slice(generative, slicer, count) -> None:
    generative.choose("Overlay", "probability")
    overlay = generative.controller.preview.overlay
    assert pump(60, until=lambda: overlay.node is not None)
    assert generative.widget("Preview").checked
    node = overlay.node
    voxels = slicer.util.arrayFromVolume(node)
    assert voxels.shape == (1, 64, 64) and 0.9 < voxels.max() <= 1.0  # one slice, not a volume
    assert np.array_equal(voxels[0] >= 0.5, drawn(generative)[9] > 0)
    origin, reference = node.GetOrigin(), generative.volume.GetOrigin()
    assert origin[2] - reference[2] == pytest.approx(9 * 15.0)
    assert all(c.GetForegroundVolumeID() == node.GetID() for c in composites(slicer))
    assert node.GetHideFromEditors() and not node.GetSaveWithScene()
    generative.widget("Threshold").value = 0.8
    assert overlay.node is node and len(count) == 1


def test_uncertainty_and_heat_map(generative, slicer, count) -> None:
    generative.widget("Samples").value = 4
    generative.choose("Overlay", "uncertainty")
    overlay = generative.controller.preview.overlay
    assert pump(60, until=lambda: overlay.node is not None)
    unsure = slicer.util.arrayFromVolume(overlay.node).copy()
    mask = drawn(generative)[9] > 0
    edge = mask & ~(np.roll(mask, 1, 0) & np.roll(mask, -1, 0))
    assert unsure[0][edge].mean() > 3 * unsure[0][mask & ~edge].mean()
    generative.choose("Overlay", "heat_map")
    warm = slicer.util.arrayFromVolume(overlay.node)
    assert "heat map" in overlay.node.GetName()
    assert (warm[0] > 0.5).sum() > mask.sum() and len(count) == 1


def test_views_are_left_as_they_were(generative, slicer) -> None:
    (red, *_) = composites(slicer)
    red.SetForegroundVolumeID(generative.volume.GetID())
    red.SetForegroundOpacity(0.25)
    generative.choose("Overlay", "probability")
    overlay = generative.controller.preview.overlay
    assert pump(60, until=lambda: overlay.node is not None)
    volumes = len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"))
    generative.choose("Overlay", "none")
    assert overlay.node is None
    assert red.GetForegroundVolumeID() == generative.volume.GetID()
    assert red.GetForegroundOpacity() == 0.25
    assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == volumes - 1
    generative.choose("Overlay", "probability")
    assert overlay.node is not None
    generative.editor.setActiveEffectByName("")
    assert overlay.node is None and red.GetForegroundOpacity() == 0.25


def test_heat_map_is_offered_where_there_is_one(generative) -> None:
    box = generative.widget("Overlay")
    assert box.findData("heat_map") >= 0
    generative.choose("Overlay", "heat_map")
    generative.choose("Model", "fake")
    assert box.findData("heat_map") < 0 and generative.controller.overlay() == "none"


def test_overlay_of_the_whole_image_after_apply(generative, slicer, count) -> None:
    generative.apply()
    generative.choose("Overlay", "probability")
    voxels = slicer.util.arrayFromVolume(generative.controller.preview.overlay.node)
    assert voxels.shape == (16, 64, 64) and len(count) == 1


def test_heat_map_in_the_panel(panel, slicer) -> None:
    from helpers import add_ct

    panel.find("Volume").setCurrentNode(add_ct(slicer))
    panel.type("liver")
    panel.apply()
    assert panel.find("HeatMap").isHidden()
    install_checkpoint("generative", takes=["samples", "heat_map"])
    panel.panel.session.changed()
    box = panel.find("Model")
    box.currentIndex = box.findData("generative")
    panel.apply()
    assert not panel.find("HeatMap").isHidden()
    panel.find("HeatMap").click()
    warm = slicer.util.arrayFromVolume(slicer.util.getNode("liver heat map"))
    assert 0.9 < warm.max() <= 1.0
    box.currentIndex = box.findData("fake")
