"""Codes, colours and provenance tags, also after a trip through a .seg.nrrd file."""

from __future__ import annotations

from datetime import datetime, timezone

import mrml_helpers as helpers
import numpy as np
import pytest
import slicer

from TextPromptSegLib.vocabulary import Vocabulary
from TextPromptSegMRML.provenance import PREFIX, read_provenance, tags_of, write_provenance
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
    colour = np.array(Vocabulary.load().terminology(text).colour) / 255
    np.testing.assert_allclose(segment.GetColor(), colour, atol=1e-6)


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


def test_provenance_tags(scene):
    when = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
    result = helpers.result("right kidney", np.ones(SHAPE), threshold=0.35, device="cpu")
    tags = tags_of(result, date=when)
    assert tags[PREFIX + "Prompt"] == "right kidney"
    assert "right kidney" in tags[PREFIX + "ParsedPrompt"]
    assert tags[PREFIX + "Model"] == "tiny"
    assert tags[PREFIX + "SHA256"] == "ab" * 32
    assert tags[PREFIX + "Threshold"] == "0.35"
    assert tags[PREFIX + "Date"] == "2026-11-22T10:00:00+00:00"
    assert tags[PREFIX + "Device"] == "cpu"


def test_a_second_run_replaces_the_tags_of_the_first(scene):
    segment = slicer.vtkSegment()
    write_provenance(segment, tags_of(helpers.result("liver", np.ones(SHAPE), device="cpu")))
    write_provenance(segment, tags_of(helpers.result("spleen", np.ones(SHAPE))))
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
