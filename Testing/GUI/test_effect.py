"""The effect "Text prompt" in the editor: type, apply, operations, masking, undo, ranges."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import pump
from helpers import EditorBench, add_ct, add_segment, segment_names


def plain(bench, prompt: str) -> np.ndarray:
    """Return what a prompt finds, in a fresh segmentation."""
    other = EditorBench(bench.slicer, bench.volume)
    other.type(prompt)
    other.apply()
    mask = other.mask(other.names()[0]).copy()
    other.close()
    bench.slicer.mrmlScene.RemoveNode(other.segmentation)
    return mask


# -- type and apply ------------------------------------------------------------------------------


def test_type_and_apply(bench) -> None:
    bench.type("left kidney")
    said = bench.apply()
    assert "left kidney: found" in said and "ml" in said
    assert bench.names() == ["left kidney"]
    assert bench.mask("left kidney").sum() > 50


@pytest.mark.parametrize(("side", "on_high_i"), [("left", True), ("right", False)])
def test_sides_are_the_patients(bench, side: str, on_high_i: bool) -> None:
    bench.type(f"{side} kidney")
    bench.apply()
    # In this volume i grows to the patient's left.
    assert bool(bench.mask(f"{side} kidney").nonzero()[2].mean() > 32) is on_high_i


def test_empty_segment_takes_name_terminology_and_colour(slicer, session) -> None:
    bench = EditorBench(slicer, with_segment=True)
    bench.type("spleen")
    bench.apply()
    assert bench.names() == ["spleen"] and bench.editor.currentSegmentID() == "s1"
    segment = bench.segmentation.GetSegmentation().GetSegment("s1")
    assert "Spleen" in segment.GetTerminology()
    assert segment.GetColor() != (0.5, 0.5, 0.5)
    from TextPromptSegMRML.provenance import read_provenance

    facts = read_provenance(segment)
    assert facts["Prompt"] == "spleen" and facts["Model"] == "fake"
    bench.close()


def test_several_structures_become_segments_that_do_not_eat_each_other(bench) -> None:
    liver, gallbladder = plain(bench, "liver"), plain(bench, "gallbladder")
    assert (liver & gallbladder).any()
    bench.type("liver, gallbladder and spleen")
    said = bench.apply()
    assert bench.names() == ["liver", "gallbladder", "spleen"]
    assert np.array_equal(bench.mask("liver"), liver)
    assert np.array_equal(bench.mask("gallbladder"), gallbladder)
    assert said.count("found") == 3


def test_existing_segments_are_kept_unless_overwritten(bench) -> None:
    block = np.zeros((16, 64, 64))
    block[:, :, :32] = 1
    older = add_segment(bench, "older", block)
    bench.node.SetOverwriteMode(bench.node.OverwriteNone)
    bench.type("liver")
    bench.apply()
    assert bench.mask("older").sum() == block.sum()
    bench.editor.undo()
    bench.node.SetOverwriteMode(bench.node.OverwriteAllSegments)
    bench.node.SetSelectedSegmentID("")
    bench.apply()
    assert bench.mask("older").sum() == block.sum() - (bench.mask("liver") * block).sum()
    assert older in bench.segmentation.GetSegmentation().GetSegmentIDs()


# -- operations ----------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["set", "add", "remove", "intersect"])
def test_operations_on_the_selected_segment(bench, operation: str) -> None:
    liver = plain(bench, "liver") > 0
    block = np.zeros(liver.shape, bool)
    block[:, 10:50, 5:25] = True
    bench.editor.setCurrentSegmentID(add_segment(bench, "mine", block))
    bench.choose("Operation", operation)
    bench.type("liver")
    bench.apply()
    expected = {
        "set": liver,
        "add": block | liver,
        "remove": block & ~liver,
        "intersect": block & liver,
    }[operation]
    assert bench.names() == ["mine"]
    assert np.array_equal(bench.mask("mine") > 0, expected)


def test_operations_but_set_use_several_structures_together(bench) -> None:
    liver, spleen = plain(bench, "liver") > 0, plain(bench, "spleen") > 0
    bench.editor.setCurrentSegmentID(add_segment(bench, "body", np.ones(liver.shape)))
    bench.choose("Operation", "remove")
    bench.type("liver, spleen")
    bench.apply()
    assert bench.names() == ["body"]
    assert np.array_equal(bench.mask("body") > 0, ~(liver | spleen))


def test_nothing_found_leaves_the_segment_alone(bench) -> None:
    block = np.zeros((16, 64, 64))
    block[3:6, 10:20, 10:20] = 1
    bench.editor.setCurrentSegmentID(add_segment(bench, "mine", block))
    bench.type("urinary bladder")
    said = bench.apply()
    assert "not found: max p 0.07" in said and "outside this field of view" in said
    assert bench.mask("mine").sum() == block.sum()


# -- undo ----------------------------------------------------------------------------------------


def test_one_run_is_one_undo_step(bench) -> None:
    block = np.zeros((16, 64, 64))
    block[:, :, :32] = 1
    add_segment(bench, "older", block)
    bench.type("liver, spleen, left kidney")
    bench.apply()
    after = bench.names()
    assert after == ["older", "liver", "spleen", "left kidney"]
    bench.editor.undo()
    assert bench.names() == ["older"] and bench.mask("older").sum() == block.sum()
    bench.editor.redo()
    assert bench.names() == after


def test_undo_of_a_changed_segment(bench) -> None:
    block = np.zeros((16, 64, 64))
    block[2:9, 10:30, 10:30] = 1
    bench.editor.setCurrentSegmentID(add_segment(bench, "mine", block))
    bench.type("liver")
    bench.apply()
    assert bench.mask("mine").sum() != block.sum()
    bench.editor.undo()
    assert np.array_equal(bench.mask("mine"), block)


# -- masking -------------------------------------------------------------------------------------


def test_editable_area_inside_a_segment(bench) -> None:
    liver = plain(bench, "liver") > 0
    area = np.zeros(liver.shape, bool)
    area[:, :28] = True
    inside = add_segment(bench, "area", area)
    bench.node.SetMaskMode(bench.slicer.vtkMRMLSegmentationNode.EditAllowedInsideSingleSegment)
    bench.node.SetMaskSegmentID(inside)
    bench.node.SetOverwriteMode(bench.node.OverwriteNone)
    bench.type("liver")
    said = bench.apply()
    assert np.array_equal(bench.mask("liver") > 0, liver & area)
    assert "Masking kept" in said


def test_editable_intensity_range(bench) -> None:
    liver = plain(bench, "liver") > 0
    voxels = bench.slicer.util.arrayFromVolume(bench.volume)
    bench.node.SetSourceVolumeIntensityMask(True)
    bench.node.SetSourceVolumeIntensityMaskRange(40, 3000)
    bench.type("liver")
    bench.apply()
    assert np.array_equal(bench.mask("liver") > 0, liver & (voxels >= 40))


def test_editor_settings_are_left_as_they_are(bench) -> None:
    bench.node.SetOverwriteMode(bench.node.OverwriteVisibleSegments)
    bench.node.SetSourceVolumeIntensityMask(True)
    bench.node.SetSourceVolumeIntensityMaskRange(-500, 500)
    bench.type("liver, spleen")
    bench.apply()
    assert bench.node.GetOverwriteMode() == bench.node.OverwriteVisibleSegments
    assert bench.node.GetSourceVolumeIntensityMask()
    assert tuple(bench.node.GetSourceVolumeIntensityMaskRange()) == (-500, 500)
    assert bench.node.GetActiveEffectName() == "Text prompt"


# -- ranges --------------------------------------------------------------------------------------


def test_current_slice(bench) -> None:
    whole = plain(bench, "liver")
    bench.scroll_to(9)
    bench.choose("Range", "slice")
    bench.type("liver")
    bench.apply()
    mask = bench.mask("liver")
    assert np.array_equal(mask[9], whole[9]) and mask[9].any()
    assert not mask[:9].any() and not mask[10:].any()


def test_slice_range(bench) -> None:
    bench.choose("Range", "slices")
    bench.widget("First").value, bench.widget("Last").value = 8, 10
    bench.type("liver")
    bench.apply()
    filled = bench.mask("liver").any(axis=(1, 2)).nonzero()[0]
    assert filled.min() == 7 and filled.max() == 9


def test_roi(bench, slicer) -> None:
    roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "R")
    roi.SetXYZ(40.0, 0.0, 0.0)
    roi.SetRadiusXYZ(40.0, 300.0, 300.0)
    bench.choose("Range", "roi")
    bench.type("liver")
    assert "Select a region" in bench.apply()
    bench.widget("ROI").setCurrentNode(roi)
    bench.apply()
    whole, mask = plain(bench, "liver"), bench.mask("liver")
    assert 0 < mask.sum() < whole.sum()
    columns = mask.any(axis=(0, 1)).nonzero()[0]
    assert columns.max() <= 32  # x = R 0..80 mm lies at i < 32 and touches voxel 32
    slicer.mrmlScene.RemoveNode(roi)
    assert "Select a region" in bench.apply()


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Type what to segment"),
        ("thyroid gland", "not trained on"),
        (", , ,", "name one"),
    ],
)
def test_refusals_are_sentences(bench, text: str, sentence: str) -> None:
    bench.type(text)
    assert sentence in bench.apply()
    assert bench.names() == []


def test_label_map_is_refused(slicer, session) -> None:
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    slicer.util.updateVolumeFromArray(node, np.zeros((4, 8, 8), np.uint8))
    bench = EditorBench(slicer, node)
    bench.type("liver")
    assert "label map" in bench.apply()
    bench.close()


def test_missing_packages_are_named_with_a_link(bench, monkeypatch, slicer) -> None:
    from TextPromptSegGUI.shared import dependencies

    lacking = [dependencies.Package("torch>=2.6", "torch", "", 200)]
    monkeypatch.setattr(dependencies, "missing", lambda: lacking)
    bench.type("liver")
    said = bench.apply()
    assert "torch" in said and 'href="install"' in said
    opened: list = []
    monkeypatch.setattr(slicer.util, "selectModule", opened.append)
    bench.widget("Outcome").linkActivated.emit("install")
    assert opened == ["TextPromptSeg"]


def test_restrictive_licence_is_shown_once(bench, slicer) -> None:
    from bed import ctk_module
    from helpers import install_checkpoint

    install_checkpoint("research", permissive=False)
    bench.controller.session.changed()
    bench.choose("Model", "research")
    bench.type("liver")
    ctk_module.message_answers.append(0)  # neither Ok nor Yes
    assert "licence" in bench.apply() and bench.names() == []
    assert "licence" in ctk_module.messages[0].lower()
    bench.apply()
    assert bench.names() == ["liver"] and len(ctk_module.messages) == 2
    bench.apply()
    assert len(ctk_module.messages) == 2
    bench.choose("Model", "fake")


def test_no_checkpoint_is_a_sentence(slicer, session, monkeypatch) -> None:
    from TextPromptSegLib.checkpoints import catalogue

    monkeypatch.setattr(catalogue, "list_models", list)
    bench = EditorBench(slicer)
    bench.type("liver")
    assert "No checkpoint is installed" in bench.apply()
    bench.close()


# -- state in the scene ----------------------------------------------------------------------------


def test_options_are_kept_in_the_editor_node(bench) -> None:
    bench.type("liver without tumor")
    bench.choose("Operation", "add")
    bench.choose("Range", "slices")
    bench.widget("Threshold").value = 0.37
    node = bench.node
    assert node.GetAttribute("Text prompt.Prompt") == "liver without tumor"
    assert node.GetAttribute("Text prompt.Threshold") == "0.37"
    node.SetAttribute("Text prompt.Prompt", "spleen")
    node.SetAttribute("Text prompt.Operation", "remove")
    node.InvokeCustomModifiedEvent(node.EffectParameterModified)
    assert bench.widget("Line").text == "spleen"
    assert bench.controller.options.chosen_operation == "remove"


def test_typing_does_not_move_the_cursor(bench) -> None:
    bench.type("liver spleen")
    line = bench.widget("Line")
    line.cursorPosition = 5
    line.insert(",")
    assert line.text == "liver, spleen" and line.cursorPosition == 6


def test_two_editors_have_their_own_prompts_and_share_the_worker(bench, slicer) -> None:
    other = EditorBench(slicer, add_ct(slicer, "second"))
    bench.type("liver")
    other.type("spleen")
    bench.apply()
    other.apply()
    assert bench.names() == ["liver"] and other.names() == ["spleen"]
    assert bench.controller.session is other.controller.session
    assert bench.controller is not other.controller
    other.close()


def test_history_is_offered(bench) -> None:
    bench.type("liver, spleen")
    bench.apply()
    from TextPromptSegGUI.shared import settings

    assert settings.history()[0] == "liver, spleen"
    settings.set_text("History", "[" * 100_000)
    assert settings.history() == [], "what is no list of prompts is forgotten"
    settings.set_text("History", '["liver, spleen"]')
    bench.type("")
    bench.widget("Line").textEdited.emit("liv")
    model = bench.controller.options.completion._model
    assert model.stringList()[0] == "liver, spleen" and "liver" in model.stringList()


def test_volume_is_not_written_to(bench) -> None:
    voxels = bench.slicer.util.arrayFromVolume(bench.volume)
    before = voxels.copy()
    bench.type("liver, spleen")
    bench.apply()
    assert np.array_equal(bench.slicer.util.arrayFromVolume(bench.volume), before)


def test_transformed_volume(bench, slicer) -> None:
    import vtk

    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkTransform()
    matrix.Translate(30, -20, 10)
    matrix.RotateZ(15)
    transform.SetMatrixTransformToParent(matrix.GetMatrix())
    bench.volume.SetAndObserveTransformNodeID(transform.GetID())
    bench.segmentation.SetAndObserveTransformNodeID(transform.GetID())
    bench.type("liver")
    assert "found" in bench.apply()
    assert bench.mask("liver").sum() > 100


def test_names_of_the_widgets(bench) -> None:
    for name in "Line Model Range Preview Threshold Operation Apply Outcome".split():
        assert bench.widget(name) is not None
    assert bench.effect.name == "Text prompt" and not bench.effect.self().icon().isNull()
    assert "Segment" in bench.effect.self().helpText()
    assert segment_names(bench.segmentation) == []
    pump(0.0)


# -- again -----------------------------------------------------------------------------------------
