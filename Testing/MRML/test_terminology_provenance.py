"""Codes, colours and provenance tags, also after a trip through a .seg.nrrd file."""

from __future__ import annotations

from datetime import datetime

import mrml_helpers as helpers
import numpy as np
import pytest
import slicer
import vtk

from TextPromptSegLib.formats.segments import provenance_tags
from TextPromptSegLib.prompting.vocabulary import Vocabulary
from TextPromptSegMRML.provenance import PREFIX, read_provenance, write_provenance
from TextPromptSegMRML.segments import write_segments
from TextPromptSegMRML.terminology import read_terminology, serialize

SHAPE = (4, 5, 6)


def written_segment(text, **provenance):
    volume = helpers.volume_node(np.zeros(SHAPE, np.int16))
    node = helpers.segmentation_node(volume)
    result = helpers.result(text, np.ones(SHAPE), **provenance)
    (entry,) = write_segments(node, volume, [result])
    return node, node.GetSegmentation().GetSegment(entry.segment_id), entry


@pytest.mark.parametrize(
    "text,kind,value,modifier",
    [
        ("liver", "Liver", "10200004", None),
        ("right kidney", "Kidney", "64033007", "Right"),
        ("left kidney", "Kidney", "64033007", "Left"),
        ("kidneys", "Kidney", "64033007", "Right and left"),
    ],
)
def test_terminology_is_read_back_by_slicer(scene, text, kind, value, modifier):
    _node, segment, _entry = written_segment(text)
    codes = read_terminology(segment)
    assert codes["category"] == ("SCT", "123037004", "Anatomical Structure")
    assert codes["type"] == ("SCT", value, kind)
    assert codes.get("modifier", (None, None, None))[2] == modifier
    standard = np.array(Vocabulary.load().terminology(text).colour) / 255
    shade = np.abs(np.array(segment.GetColor()) - standard).max()
    # A left structure differs from its right one at a glance; the code keeps the standard colour.
    assert shade > 0.15 if text.startswith("left") else shade < 1e-6


def test_every_entry_of_the_vocabulary_survives_slicers_text_form(scene):
    vocabulary = Vocabulary.load()
    segment = slicer.vtkSegment()
    for name in vocabulary.names():
        terminology = vocabulary.terminology(name)
        segment.SetTerminology(serialize(terminology))
        codes = read_terminology(segment)
        for part in ("category", "type", "modifier", "region", "region_modifier"):
            assert codes.get(part) == getattr(terminology, part), (name, part)


def test_an_unknown_structure_gets_its_name_and_no_code_of_its_own(scene):
    _node, segment, entry = written_segment("gizzard stone")
    assert entry.name == "gizzard stone"
    assert read_terminology(segment)["type"][2] == "Tissue"  # the default of Slicer


def test_every_tag_is_written_and_read(scene):
    facts = {
        "system": "film-unet",
        "text_encoder": "all-MiniLM-L6-v2",
        "roi_ras_mm": [0, 1, 2, 3, 4, 5],
        "slices": [3, 9],
        "plane": "axial",
        "device": "cpu",
        "precision": "float32",
        "version": "0.1.0",
        "postprocess": {"components": 1},
    }
    result = helpers.result("right kidney", np.ones(SHAPE), threshold=0.35, **facts)
    segment = slicer.vtkSegment()
    write_provenance(segment, [result], "add")
    tags = read_provenance(segment)
    written = {name.removeprefix(PREFIX) for name in provenance_tags(result)}
    assert set(tags) == written | {"Operation"}
    assert tags["Prompt"] == "right kidney" and "right kidney" in tags["ParsedPrompt"]
    assert (tags["Model"], tags["SHA256"]) == ("tiny", "ab" * 32)
    assert (tags["Threshold"], tags["Operation"]) == ("0.35", "add")
    assert datetime.fromisoformat(tags["Date"]).tzinfo is not None
    text = vtk.reference("")
    assert segment.GetTag("DICOM.SegmentAlgorithmType", text) and str(text) == "SEMIAUTOMATIC"


def test_a_second_run_replaces_the_tags_of_the_first(scene):
    segment = slicer.vtkSegment()
    write_provenance(segment, [helpers.result("liver", np.ones(SHAPE), device="cpu")])
    write_provenance(segment, [helpers.result("spleen", np.ones(SHAPE))])
    tags = read_provenance(segment)
    assert tags["Prompt"] == "spleen" and "Device" not in tags


def test_tags_and_codes_survive_a_file(scene, tmp_path):
    odd = helpers.prompt("liver")
    odd = type(odd)("liver | spleen: the\nbig one~^", "liver", "liver")
    node, segment, entry = written_segment(odd)
    expected = read_provenance(segment)
    assert "|" not in expected["Prompt"] and "\n" not in expected["Prompt"]
    path = str(tmp_path / "out.seg.nrrd")
    storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(path)
    assert storage.WriteData(node)
    again = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    assert storage.ReadData(again)
    copy = again.GetSegmentation().GetSegment(entry.segment_id)
    assert copy.GetName() == "liver"
    assert read_provenance(copy) == expected
    assert read_terminology(copy) == read_terminology(segment)
    np.testing.assert_allclose(copy.GetColor(), segment.GetColor(), atol=1e-3)
