"""DICOM segmentations as they are written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from results_to_write import Names, left_over, result

from TextPromptSegLib.formats.writing import check_output, try_output, write_segmentations
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.outcome import OutputError
from TextPromptSegLib.prompting.segmentation import Segmentation


def read_dicom_seg(path: Path, volume: Volume) -> dict[str, np.ndarray]:
    """Masks by segment label in the order of the volume, placed by the frames' own positions."""
    import pydicom

    data = pydicom.dcmread(path)
    pixels = data.pixel_array.reshape(-1, data.Rows, data.Columns)
    masks = {s.SegmentLabel: np.zeros(volume.shape, np.uint8) for s in data.SegmentSequence}
    names = {s.SegmentNumber: s.SegmentLabel for s in data.SegmentSequence}
    for frame, group in zip(pixels, data.PerFrameFunctionalGroupsSequence, strict=True):
        shared = data.SharedFunctionalGroupsSequence[0]  # where there is only one segment
        source = group if "SegmentIdentificationSequence" in group else shared
        number = source.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        position = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
        index = volume.ras_to_index(position * (-1, -1, 1))
        np.testing.assert_allclose(index[:2], 0, atol=1e-3)
        masks[names[number]][round(index[2])] = frame
    return masks


@pytest.mark.parametrize("overlap", [False, True])
@pytest.mark.parametrize("tilt", [0.0, 0.9])
def test_dicom_seg_of_a_series(tmp_path, overlap, tilt, results):
    pytest.importorskip("highdicom")
    import pydicom
    import synthetic_dicom as made

    made.series(tmp_path / "in", [(-10.0, -20 + tilt * n, 5 + 2.5 * n) for n in range(6)])
    volume = Volume.read(tmp_path / "in")
    assert volume.shape == (6, 6, 8)
    given = [
        Segmentation(**{**vars(one), "mask": np.ascontiguousarray(one.mask[:, 1:])})
        for one in (results if overlap else results[:2])
    ]
    path = tmp_path / "seg.dcm"
    assert write_segmentations(given, volume, path, Names()) == [path]
    masks = read_dicom_seg(path, volume)
    assert list(masks) == [one.prompt.name for one in given]
    for one in given:
        np.testing.assert_array_equal(masks[one.prompt.name], one.mask)
    data = pydicom.dcmread(path)
    assert data.PatientID == "PHANTOM" and data.StudyInstanceUID == "1.2.3"
    assert data.FrameOfReferenceUID == "1.2.3.9" and data.Modality == "SEG"
    kidney = data.SegmentSequence[1]
    kind = kidney.SegmentedPropertyTypeCodeSequence[0]
    assert (kind.CodeValue, kind.CodingSchemeDesignator) == ("64033007", "SCT")
    assert kind.SegmentedPropertyTypeModifierCodeSequence[0].CodeMeaning == "Right"
    assert kidney.SegmentAlgorithmType == "AUTOMATIC"
    assert "film-unet-tiny" in kidney.SegmentAlgorithmName
    if overlap:
        region = data.SegmentSequence[2].AnatomicRegionSequence[0]
        assert region.CodeMeaning == "Liver"


def test_dicom_seg_of_xray_multi_frame_and_filled_series(tmp_path):
    pytest.importorskip("highdicom")
    import pydicom
    import synthetic_dicom as made

    xray = made.image(np.arange(48, dtype=np.uint8).reshape(6, 8), "DX", PixelSpacing=[1, 1],
                      FrameOfReferenceUID=None)  # fmt: skip
    made.save(xray, tmp_path / "xray.dcm")
    places = [(0.0, 0.0, z) for z in (4.0, 0.0, 2.0)]
    made.save(made.enhanced(places, (1.0, 1.0, 1.0)), tmp_path / "multi.dcm")
    made.series(tmp_path / "gaps", [(0, 0, 2.0 * n) for n in range(8) if n != 3])
    for name in ("xray.dcm", "multi.dcm", "gaps"):
        volume = Volume.read(tmp_path / name)
        mask = np.zeros(volume.shape, np.uint8)
        for k in range(volume.shape[0]):
            mask[k, :3, : k + 1] = 1
        path = tmp_path / f"{name}.seg.dcm"
        write_segmentations([result("lungs", None, mask)], volume, path, Names())
        if name == "xray.dcm":
            np.testing.assert_array_equal(pydicom.dcmread(path).pixel_array.reshape(6, 8), mask[0])
            continue
        found = read_dicom_seg(path, volume)["lungs"]
        acquired = [round(k) for k in volume.meta["dicom_slices"]]
        np.testing.assert_array_equal(found[acquired], mask[acquired])


def test_dicom_seg_with_nothing_found(tmp_path, caplog):
    pytest.importorskip("highdicom")
    import synthetic_dicom as made

    made.series(tmp_path / "in", [(0, 0, 2.0 * n) for n in range(3)])
    volume = Volume.read(tmp_path / "in")
    empty = result("liver", "liver", np.zeros(volume.shape, np.uint8))
    write_segmentations([empty], volume, tmp_path / "o.dcm", Names())
    assert not read_dicom_seg(tmp_path / "o.dcm", volume)["liver"].any() and not caplog.records


def test_dicom_seg_of_the_real_series(tmp_path, shared_data):
    pytest.importorskip("highdicom")
    folder = shared_data / "dicom_ct_liver"
    volume = Volume.read(folder / "images" / "ct_3slice")
    label = Volume.read(folder / "labels" / "ct_3slice.nii.gz").array
    given = [result("liver", "liver", (label == 1).astype(np.uint8)),
             result("heart", None, (label == 3).astype(np.uint8))]  # fmt: skip
    write_segmentations(given, volume, tmp_path / "o.dcm", Names())
    masks = read_dicom_seg(tmp_path / "o.dcm", volume)
    for one in given:
        np.testing.assert_array_equal(masks[one.prompt.name], one.mask)
    assert (tmp_path / "o.dcm").stat().st_size < 400_000


def test_dicom_seg_needs_dicom_input(tmp_path, volume, results):
    with pytest.raises(OutputError, match=r"needs DICOM images.*write \.seg\.nrrd"):
        write_segmentations(results, volume, tmp_path / "o.dcm", Names())
    gone = Volume(volume.array, volume.ijk_to_ras, meta={"dicom_files": (str(tmp_path / "x"),)})
    with pytest.raises(OutputError, match="is gone"):
        check_output(tmp_path / "o.dcm", gone)
    assert left_over(tmp_path) == []


def test_dicom_seg_of_anonymised_images(tmp_path):
    pytest.importorskip("highdicom")
    import pydicom
    import synthetic_dicom as made

    gone = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate",
            "StudyTime", "AccessionNumber", "ReferringPhysicianName", "SliceThickness")  # fmt: skip
    for path in made.series(tmp_path / "in", [(0, 0, 2.0 * n) for n in range(3)]):
        data = pydicom.dcmread(path)
        for key in gone:
            delattr(data, key)
        data.SpecificCharacterSet = ""
        made.save(data, path)
    volume = Volume.read(tmp_path / "in")
    one = result("liver", "liver", np.ones(volume.shape, np.uint8))
    write_segmentations([one], volume, tmp_path / "o.dcm", Names())
    assert read_dicom_seg(tmp_path / "o.dcm", volume)["liver"].all()


def test_dicom_seg_of_poor_headers_is_refused_in_a_sentence(tmp_path):
    pytest.importorskip("highdicom")
    import synthetic_dicom as made

    made.series(tmp_path / "in", [(0, 0, 2.0 * n) for n in range(3)], StudyInstanceUID=None)
    volume = Volume.read(tmp_path / "in")
    one = result("liver", "liver", np.ones(volume.shape, np.uint8))
    with pytest.raises(OutputError, match="do not suffice") as caught:
        write_segmentations([one], volume, tmp_path / "o.dcm", Names())
    assert "\n" not in str(caught.value) and left_over(tmp_path) == ["in"]


def chest(folder: Path, **tags: object) -> Volume:
    """A made-up series with some of its tags replaced."""
    import synthetic_dicom as made

    made.series(folder, [(0, 0, 2.0 * n) for n in range(3)], **tags)
    return Volume.read(folder)


NAMES = {
    "ISO_IR 192": "Yamada^Tarou=山田^太郎",
    ("", "ISO 2022 IR 87"): "Yamada^Tarou=山田^太郎=やまだ^たろう",
    ("", "ISO 2022 IR 149"): "Hong^Gildong=洪^吉洞=홍^길동",
    "ISO_IR 100": "Müller^Jürgen",
    "ISO_IR 144": "Люкceмбypг",
    "GB18030": "Wang^XiaoDong=王^小东",
}


@pytest.mark.parametrize("charset", NAMES, ids=str)
def test_dicom_seg_keeps_names_of_every_character_set(tmp_path, charset):
    pytest.importorskip("highdicom")
    import pydicom

    named = list(charset) if isinstance(charset, tuple) else charset
    volume = chest(tmp_path / "in", SpecificCharacterSet=named, PatientName=NAMES[charset])
    assert try_output(tmp_path / "o.dcm", volume) == []
    one = result("liver", "liver", np.ones(volume.shape, np.uint8))
    write_segmentations([one], volume, tmp_path / "o.dcm", Names())
    assert str(pydicom.dcmread(tmp_path / "o.dcm").PatientName) == NAMES[charset]


REPAIRS = [
    ({"StudyDate": "2024.01.31"}, "StudyDate", "20240131"),
    ({"StudyDate": "31/01/2024"}, "StudyDate", ""),
    ({"StudyTime": "10:11:12"}, "StudyTime", "101112"),
    ({"StudyTime": "25"}, "StudyTime", ""),
    ({"PatientBirthDate": "19701345"}, "PatientBirthDate", ""),
    ({"PatientSex": "female"}, "PatientSex", "F"),
    ({"PatientSex": "unknown"}, "PatientSex", ""),
    ({"SpecificCharacterSet": "KLINGON"}, "SpecificCharacterSet", "ISO_IR 192"),
    ({"SpecificCharacterSet": ""}, "PatientID", "PHANTOM"),
]


@pytest.mark.parametrize(("tags", "key", "expected"), REPAIRS, ids=str)
def test_dicom_seg_repairs_values_and_says_so(tmp_path, tags, key, expected):
    pytest.importorskip("highdicom")
    import pydicom

    volume = chest(tmp_path / "in", **tags)
    notes = try_output(tmp_path / "o.dcm", volume)
    assert len(notes) == (0 if "" in tags.values() else 1), notes
    one = result("liver", "liver", np.ones(volume.shape, np.uint8))
    write_segmentations([one], volume, tmp_path / "o.dcm", Names())
    assert str(pydicom.dcmread(tmp_path / "o.dcm")[key].value or "") == expected


@pytest.mark.parametrize("number", [123456789, 2**31 - 1, 0, -5, 7])
def test_dicom_seg_has_a_series_number_that_dicom_allows(tmp_path, number):
    pytest.importorskip("highdicom")
    import pydicom

    volume = chest(tmp_path / "in", SeriesNumber=number)
    one = result("liver", "liver", np.ones(volume.shape, np.uint8))
    write_segmentations([one], volume, tmp_path / "o.dcm", Names())
    assert 1 <= int(pydicom.dcmread(tmp_path / "o.dcm").SeriesNumber) < 2**31


@pytest.mark.parametrize("uid", ["", None])
def test_dicom_seg_without_frame_of_reference_gets_one_and_always_the_same(tmp_path, uid):
    pytest.importorskip("highdicom")
    import pydicom

    volume = chest(tmp_path / "in", FrameOfReferenceUID=uid)
    (note,) = try_output(tmp_path / "o.dcm", volume)
    assert "frame of reference" in note
    uids = set()
    for name in ("a.dcm", "b.dcm"):
        one = result("liver", "liver", np.ones(volume.shape, np.uint8))
        write_segmentations([one], volume, tmp_path / name, Names())
        uids.add(str(pydicom.dcmread(tmp_path / name).FrameOfReferenceUID))
    assert len(uids) == 1 and "" not in uids


def test_dicom_seg_that_cannot_be_is_refused_before_the_run(tmp_path):
    pytest.importorskip("highdicom")
    volume = chest(tmp_path / "in", StudyInstanceUID=None)
    with pytest.raises(OutputError, match="do not suffice"):
        try_output(tmp_path / "o.dcm", volume)
    assert try_output(tmp_path / "o.nii", volume) == [] and left_over(tmp_path) == ["in"]
