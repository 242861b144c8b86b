"""Writing results: what is written reads back the same, complete, or not at all."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from results_to_write import (
    ABNORMAL,
    KIDNEY,
    LIVER,
    RIGHT,
    SHAPE,
    Names,
    box,
    left_over,
    oblique,
    result,
)

from TextPromptSegLib.formats import seg_nrrd
from TextPromptSegLib.formats.segments import CONTEXT, EMPTY, describe, safe_text, union
from TextPromptSegLib.formats.writing import write_segmentations
from TextPromptSegLib.image.volume import LPS_RAS, Volume
from TextPromptSegLib.outcome import Outcome, OutputError
from TextPromptSegLib.prompting.prompt import Prompt
from TextPromptSegLib.prompting.segmentation import Segmentation

pytest.importorskip("SimpleITK")


# -- layers ------------------------------------------------------------------------------------


def test_overlapping_structures_share_no_layer_and_stay_whole(results):
    segments, layers = describe(results, SHAPE, Names())
    assert [s.layer for s in segments] == [0, 0, 1, 0] and len(layers) == 2
    for segment, given in zip(segments, results, strict=True):
        np.testing.assert_array_equal(layers[segment.layer] == segment.label, given.mask)
    assert segments[0].extent == (1, 6, 1, 5, 1, 4) and segments[3].extent == EMPTY
    assert union([s.extent for s in segments[:2]]) == (0, 6, 1, 6, 0, 4)


def test_more_than_255_structures_get_wider_labels():
    many = [result(f"s{n}", None, np.zeros(SHAPE, np.uint8)) for n in range(300)]
    for n, one in enumerate(many):
        one.mask.ravel()[n] = 1
    segments, layers = describe(many, SHAPE, None)
    assert layers[0].dtype == np.uint16 and len(layers) == 1 and segments[-1].label == 300
    assert len({s.colour for s in segments}) > 250


def test_same_name_twice_and_partial_structures_have_their_own_names():
    upper = Segmentation(
        **{**vars(result("left lung", None, box((0, 1), (0, 1), (0, 1)))),
           "prompt": Prompt("upper left lung", "left lung", "lung", "left", ("upper",),
                            "left lung")}
    )  # fmt: skip
    twice = [result("liver", "liver", np.zeros(SHAPE, np.uint8)) for _ in range(2)]
    segments, _ = describe([*twice, upper], SHAPE, Names())
    assert [s.name for s in segments[:2]] == ["liver", "liver (2)"]
    assert "upper" in segments[2].name and segments[2].name != "left lung"


def test_text_that_would_break_a_header_is_made_safe():
    assert safe_text("a|b\\c\nd\te\x00f") == "a/b/c d e f"


# -- .seg.nrrd ---------------------------------------------------------------------------------


def header_of(path: Path) -> tuple[dict[str, str], bytes]:
    head, _, body = path.read_bytes().partition(b"\n\n")
    lines = [line for line in head.decode().splitlines()[1:] if not line.startswith("#")]
    fields = {}
    for line in lines:
        key, _, value = line.partition(":=" if ":=" in line.split(" ")[0] else ": ")
        fields[key] = value
    return fields, gzip.decompress(body)


def test_seg_nrrd_header_is_what_slicer_writes(tmp_path, volume, results):
    path = tmp_path / "out.seg.nrrd"
    assert write_segmentations(results[:2], volume, path, Names()) == [path]
    assert path.read_bytes().startswith(b"NRRD0004\n") and left_over(tmp_path) == [path.name]
    fields, body = header_of(path)
    assert fields["type"] == "unsigned char" and fields["dimension"] == "3"
    assert fields["sizes"] == "8 7 6" and fields["kinds"] == "domain domain domain"
    assert fields["space"] == "left-posterior-superior" and fields["encoding"] == "gzip"
    assert fields["space origin"] == "(-11.5,20.25,33.125)"
    assert fields["Segmentation_MasterRepresentation"] == "Binary labelmap"
    assert fields["Segmentation_ReferenceImageExtentOffset"] == "0 0 0"
    assert fields["Segment0_ID"] == "Segment_1" and fields["Segment0_Name"] == "liver"
    assert fields["Segment0_Color"] == "0.866667 0.509804 0.396078"
    # Both share one image in Slicer, whose extent is the union of the two.
    assert fields["Segment0_Extent"] == fields["Segment1_Extent"] == "0 6 1 6 0 4"
    assert fields["Segment1_LabelValue"] == "2" and fields["Segment1_Layer"] == "0"
    tags = dict(part.split(":", 1) for part in fields["Segment1_Tags"].split("|")[:-1])
    assert tags["TerminologyEntry"] == (
        f"{CONTEXT}~SCT^123037004^Anatomical Structure~SCT^64033007^Kidney~SCT^24028007^Right"
        "~Anatomic codes - DICOM master list~^^~^^"
    )
    assert tags["TextPromptSeg.Model"] == "film-unet-tiny"
    assert tags["TextPromptSeg.SHA256"] == "ab" * 32
    assert tags["TextPromptSeg.Outcome"] == "found" and tags["TextPromptSeg.Threshold"] == "0.5"
    assert tags["DICOM.SegmentAlgorithmType"] == "AUTOMATIC"
    labels = np.frombuffer(body, np.uint8).reshape(SHAPE)
    np.testing.assert_array_equal(labels, results[0].mask + 2 * results[1].mask)


def test_provenance_holds_no_path_of_the_input(tmp_path, volume, results):
    secret = Volume(volume.array, volume.ijk_to_ras, meta={"path": "/home/Doe^John/scan.nii"})
    write_segmentations(results, secret, tmp_path / "o.seg.nrrd", Names())
    assert b"Doe^John" not in (tmp_path / "o.seg.nrrd").read_bytes()


@pytest.mark.parametrize("sheared", [False, True])
@pytest.mark.parametrize("overlap", [False, True])
def test_slicerio_reads_the_same_back(tmp_path, volume, results, overlap, sheared):
    slicerio = pytest.importorskip("slicerio")
    volume = Volume(volume.array, oblique(sheared))
    given = results if overlap else [results[0], results[1], results[3]]
    path = tmp_path / "out.seg.nrrd"
    write_segmentations(given, volume, path, Names())
    read = slicerio.read_segmentation(str(path))
    assert read["voxels"].ndim == (4 if overlap else 3)
    np.testing.assert_allclose(LPS_RAS @ read["ijkToLPS"], volume.ijk_to_ras, atol=1e-12)
    assert slicerio.segment_names(read) == [s.prompt.name for s in given]
    for one in given:
        segment = slicerio.segment_from_name(read, one.prompt.name)
        mask = slicerio.segment_mask(read, segment)  # axes i, j, k
        np.testing.assert_array_equal(mask.T, one.mask.astype(bool))
    codes = slicerio.segment_from_name(read, "right kidney")["terminology"]
    assert codes["type"] == list(KIDNEY) and codes["typeModifier"] == list(RIGHT)
    if overlap:
        codes = slicerio.segment_from_name(read, "liver tumor")["terminology"]
        assert codes["category"] == list(ABNORMAL) and codes["anatomicRegion"] == list(LIVER)


@pytest.mark.parametrize("sheared", [False, True])
def test_slicer_reads_the_same_back(tmp_path, volume, results, sheared):
    slicer = pytest.importorskip("slicer")
    vtk = pytest.importorskip("vtk")
    from vtk.util.numpy_support import vtk_to_numpy

    volume = Volume(volume.array, oblique(sheared))
    hard = result("naïve: cœur | 心", None, box((5, 6), (0, 2), (0, 2)), text="a|b:c\\n~^&<>\"'")
    results = [*results, hard]
    path = tmp_path / "out.seg.nrrd"
    write_segmentations(results, volume, path, Names())
    scene = slicer.vtkMRMLScene()
    node, storage = slicer.vtkMRMLSegmentationNode(), slicer.vtkMRMLSegmentationStorageNode()
    scene.AddNode(node)
    scene.AddNode(storage)
    storage.SetFileName(str(path))
    assert storage.ReadData(node)
    segmentation = node.GetSegmentation()
    assert segmentation.GetNumberOfSegments() == 5
    for number, one in enumerate(results):
        segment = segmentation.GetSegment(f"Segment_{number + 1}")
        image = slicer.vtkOrientedImageData()
        node.GetBinaryLabelmapRepresentation(f"Segment_{number + 1}", image)
        found = np.zeros(SHAPE, np.uint8)
        if not image.IsEmpty():
            i0, _, j0, _, k0, _ = image.GetExtent()
            values = vtk_to_numpy(image.GetPointData().GetScalars())
            values = values.reshape(image.GetDimensions()[::-1])
            k, j, i = values.shape
            found[k0 : k0 + k, j0 : j0 + j, i0 : i0 + i] = values != 0
            matrix = vtk.vtkMatrix4x4()
            image.GetImageToWorldMatrix(matrix)
            matrix = np.array([matrix.GetElement(r, c) for r in range(4) for c in range(4)])
            np.testing.assert_allclose(matrix.reshape(4, 4), volume.ijk_to_ras, atol=1e-9)
        np.testing.assert_array_equal(found, one.mask)
        if one is not hard:
            assert segment.GetName() == one.prompt.name
    text = vtk.reference("")
    assert segmentation.GetSegment("Segment_1").GetTag("TextPromptSeg.Prompt", text)
    assert str(text) == "please segment the liver"
    np.testing.assert_allclose(
        segmentation.GetSegment("Segment_1").GetColor(), np.array([221, 130, 101]) / 255, atol=1e-5
    )
    hard_one = segmentation.GetSegment("Segment_5")
    assert hard_one.GetName() == "naïve: cœur / 心"
    assert hard_one.GetTag("TextPromptSeg.Prompt", text) and str(text) == "a/b:c/n~^&<>\"'"
    entry = slicer.vtkSlicerTerminologyEntry()
    logic = slicer.vtkSlicerTerminologiesModuleLogic
    kidney = segmentation.GetSegment("Segment_2").GetTerminology()
    assert logic.DeserializeTerminologyEntry(kidney, entry)
    assert entry.GetTypeObject().GetCodeValue() == "64033007"
    assert entry.GetTypeModifierObject().GetCodeMeaning() == "Right"
    assert entry.GetTerminologyContextName() == CONTEXT
    geometry = segmentation.GetConversionParameter("Reference image geometry")
    reference = slicer.vtkOrientedImageData()
    slicer.vtkSegmentationConverter.DeserializeImageGeometry(geometry, reference, False)
    assert reference.GetExtent() == (0, 7, 0, 6, 0, 5)


def test_the_words_that_ship_give_codes(tmp_path, volume):
    from TextPromptSegLib.prompting.prompts import parse_prompts

    given = []
    for n, prompt in enumerate(parse_prompts("right kidney, spleen")):
        one = vars(result(prompt.name, None, box((n, n + 1), (0, 3), (0, 3))))
        given.append(Segmentation(**{**one, "prompt": prompt}))
    write_segmentations(given, volume, tmp_path / "o.seg.nrrd")
    fields, _ = header_of(tmp_path / "o.seg.nrrd")
    assert fields["Segment0_Name"] == "right kidney" and "^Right" in fields["Segment0_Tags"]
    assert "SCT^64033007^" in fields["Segment0_Tags"] and "^Spleen" in fields["Segment1_Tags"]


def test_nothing_found_and_nothing_understood_are_written_too(tmp_path, volume):
    empty = result("spleen", None, np.zeros(SHAPE, np.uint8))
    unknown = Segmentation(
        **{**vars(empty), "outcome": Outcome.UNKNOWN_PROMPT, "probability": None,
           "prompt": Prompt("flurb", "flurb")}
    )  # fmt: skip
    for number, given in enumerate(([empty], [unknown], [empty, unknown], [])):
        path = tmp_path / f"{number}.seg.nrrd"
        write_segmentations(given, volume, path, Names())
        fields, body = header_of(path)
        names = [value for key, value in fields.items() if key.endswith("_Name")]
        assert names == (["spleen"] if empty in given else []) and not any(body)
        if names:
            assert fields["Segment0_Extent"] == "0 -1 0 -1 0 -1"
            assert "Segmentation.Status" not in fields["Segment0_Tags"]
    write_segmentations([empty, unknown], volume, tmp_path / "n.nii", Names())
    table = json.loads((tmp_path / "n.labels.json").read_text())
    assert table["not_understood"] == ["flurb"] and table["labels"] == {"1": "spleen"}
    assert table["structures"][0]["outcome"] == "not_found"


# -- NIfTI ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("sheared", [False, True])
def test_label_map_reads_back_with_its_names(tmp_path, volume, results, ending, sheared):
    nib = pytest.importorskip("nibabel")
    volume = Volume(volume.array, oblique(sheared))
    path = tmp_path / f"out{ending}"
    written = write_segmentations(results, volume, path, Names())
    expected = [path.name, f"out_layer2{ending}", "out.labels.json"]
    assert [p.name for p in written][0] == path.name
    assert sorted(p.name for p in written) == sorted(expected) == left_over(tmp_path)
    table = json.loads((tmp_path / "out.labels.json").read_text(encoding="utf-8"))
    assert table["labels"] == {"1": "liver", "2": "right kidney", "3": "liver tumor", "4": "spleen"}
    assert table["files"] == expected[:2] and "never cut" in table["overlaps"]
    for entry, one in zip(table["structures"], results, strict=True):
        image = nib.load(tmp_path / entry["file"])
        np.testing.assert_allclose(image.affine, volume.ijk_to_ras, atol=1e-5)
        labels = np.asarray(image.dataobj).T
        np.testing.assert_array_equal(labels == entry["label"], one.mask.astype(bool))
        again = Volume.read(tmp_path / entry["file"])
        np.testing.assert_allclose(again.ijk_to_ras, volume.ijk_to_ras, atol=1e-5)
        np.testing.assert_array_equal(again.array, labels)
    assert table["structures"][1]["type"] == list(KIDNEY)
    assert table["structures"][1]["provenance"]["TextPromptSeg.Prompt"] == "right kidney"


def test_without_overlap_there_is_one_label_map(tmp_path, volume, results):
    write_segmentations(results[:2], volume, tmp_path / "a.b.nii.gz", Names())
    assert left_over(tmp_path) == ["a.b.labels.json", "a.b.nii.gz"]
    assert json.loads((tmp_path / "a.b.labels.json").read_text())["overlaps"].startswith("No")


# -- names and places that do not work -----------------------------------------------------------


@pytest.mark.parametrize("name", ["o.nrrd", "o.png", "o", "o.seg", "o.nii.zip", ".seg.nrrd"])
def test_other_endings_are_refused(tmp_path, volume, results, name):
    with pytest.raises(OutputError, match="ending"):
        write_segmentations(results, volume, tmp_path / name, Names())
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("ending", [".seg.nrrd", ".nii.gz"])
def test_a_place_that_cannot_be_written(tmp_path, volume, results, ending):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="choose another"):
        write_segmentations(results, volume, tmp_path / "file" / f"o{ending}", Names())
    assert left_over(tmp_path) == ["file"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="an administrator may write all")
def test_a_folder_without_permission(tmp_path, volume, results):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="choose another"):
        write_segmentations(results, volume, tmp_path / "o.seg.nrrd", Names())


def test_a_failure_half_way_leaves_the_earlier_file_alone(tmp_path, volume, results, monkeypatch):
    path = tmp_path / "o.seg.nrrd"
    write_segmentations(results[:1], volume, path, Names())
    before = path.read_bytes()

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(seg_nrrd.np, "ascontiguousarray", full_disk)
    with pytest.raises(OutputError, match="No space left"):
        write_segmentations(results, volume, path, Names())
    assert path.read_bytes() == before and left_over(tmp_path) == [path.name]


def test_a_mask_of_another_shape_is_a_mistake_of_the_caller(tmp_path, volume):
    with pytest.raises(ValueError, match="does not fit"):
        write_segmentations(
            [result("liver", "liver", np.ones((1, 2, 3), np.uint8))], volume, tmp_path / "o.nii"
        )
