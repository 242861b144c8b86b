"""Slices of one DICOM series: per frame as per file, phases apart, every place known."""

from __future__ import annotations

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom")
import synthetic_dicom as made  # noqa: E402

from TextPromptSegLib.formats.dicom_series import image_series  # noqa: E402
from TextPromptSegLib.image.volume import Volume  # noqa: E402
from TextPromptSegLib.outcome import InputError  # noqa: E402

AXIAL = list(made.AXIAL)
SAGITTAL = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]


def measures(spacing=(1.0, 1.0), **more):
    return {"PixelSpacing": list(spacing), **more}


def enhanced(groups, shared=None, modality="MR", **tags):
    pixels = np.arange(len(groups) * 48, dtype=np.uint16).reshape(len(groups), 6, 8)
    data = made.image(pixels, "ENHANCED", **tags)
    data.Modality = modality
    data.SharedFunctionalGroupsSequence = [made.nested(**(shared or {}))]
    data.PerFrameFunctionalGroupsSequence = [made.nested(**group) for group in groups]
    return data


def frame(place, orientation=AXIAL, spacing=(1.0, 1.0), content=None, **more):
    return {
        "PlanePositionSequence": {"ImagePositionPatient": list(map(float, place))},
        "PlaneOrientationSequence": {"ImageOrientationPatient": orientation},
        "PixelMeasuresSequence": measures(spacing, **more),
        **({"FrameContentSequence": content} if content else {}),
    }


def read(data, tmp_path, **how):
    return Volume.read(made.save(data, tmp_path / "a.dcm"), **how)


# -- functional groups -------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["frame", "shared", "root"])
@pytest.mark.parametrize("key", ["SliceThickness", "SpacingBetweenSlices"])
def test_thickness_of_one_frame(tmp_path, where, key):
    own = frame((0, 0, 0), **({key: 5.0} if where == "frame" else {}))
    shared = {}
    if where == "shared":
        own.pop("PixelMeasuresSequence")
        shared = {"PixelMeasuresSequence": measures(**{key: 5.0})}
    data = enhanced([own], shared, **({key: 5.0} if where == "root" else {}))
    volume = read(data, tmp_path)
    assert volume.spacing[2] == pytest.approx(5.0) and volume.notes == ()


@pytest.mark.parametrize("thickness", [None, "1,5", "0", "-3", "1e400", "2\\3"])
def test_unknown_thickness_of_one_slice_is_said(tmp_path, thickness):
    data = made.image(np.eye(6, dtype=np.uint16), "MR", ImagePositionPatient=[0.0, 0.0, 0.0],
                      ImageOrientationPatient=AXIAL, PixelSpacing=[1.0, 1.0])  # fmt: skip
    if thickness is not None:
        made.raw_value(data, "SliceThickness", thickness)
    volume = read(data, tmp_path)
    assert volume.spacing[2] == 1.0 and any("thick" in note for note in volume.notes)


def test_every_frame_lies_where_it_says(tmp_path):
    heights = [9.0, 3.0, 6.0, 0.0]
    volume = read(enhanced([frame((1, 2, z)) for z in heights]), tmp_path)
    assert volume.spacing[2] == pytest.approx(3.0) and volume.meta["dicom_frames"] == (3, 1, 2, 0)
    assert (volume.array[:, 0, 0] == [3 * 48, 48, 96, 0]).all()


def test_frames_of_other_directions_are_no_slices(tmp_path):
    groups = [frame((0, 0, 3.0 * n)) for n in range(6)] + [frame((0, 0, 0), SAGITTAL)]
    volume = read(enhanced(groups), tmp_path)
    assert volume.shape[0] == 6 and "other size or direction" in " ".join(volume.notes).replace(
        "another", "other"
    )
    mixed = [frame((3.0 * n, 0, 0), SAGITTAL) for n in range(3)] + groups[:3]
    with pytest.raises(InputError, match="directions"):
        read(enhanced(mixed), tmp_path)


def test_frames_of_other_pixel_sizes_are_refused(tmp_path):
    groups = [frame((0, 0, 3.0 * n), spacing=(1.0, 1.0 + n // 2)) for n in range(4)]
    with pytest.raises(InputError, match="different pixel sizes"):
        read(enhanced(groups), tmp_path)


def test_frame_without_a_place_is_refused(tmp_path):
    groups = [frame((0, 0, 3.0 * n)) for n in range(4)]
    groups[2].pop("PlanePositionSequence")
    with pytest.raises(InputError, match="frame 2 of a.dcm does not say where"):
        read(enhanced(groups), tmp_path)


@pytest.mark.parametrize(
    "marks",
    [
        [{"FrameContentSequence": {"TemporalPositionIndex": n}} for n in (1, 2)],
        [{"FrameContentSequence": {"StackID": n}} for n in "12"],
        [{"MREchoSequence": {"EffectiveEchoTime": n}} for n in (10.0, 80.0)],
        [{"MRDiffusionSequence": {"DiffusionBValue": n}} for n in (0.0, 800.0)],
        [{"MRImageFrameTypeSequence": {"FrameType": ["ORIGINAL", n]}} for n in "AB"],
    ],
)
def test_volumes_inside_a_file_are_told_apart(tmp_path, marks):
    places = [(0, 0, 3.0 * n) for n in range(3)]
    groups = [{**frame(place), **mark} for place in places for mark in marks]
    with pytest.raises(InputError, match="holds 2 volumes"):
        read(enhanced(groups), tmp_path)
    volume = read(enhanced(groups), tmp_path, frame=1)
    assert volume.meta["dicom_frames"] == (1, 3, 5)


# -- acquisitions ------------------------------------------------------------------------------


def acquisitions(folder, tags, offset=2.5, thickness=5.0, step=5.0, modality="CT", count=6):
    for number, more in enumerate(tags):
        for k in range(count):
            pixels = np.full((8, 8), 100 + 800 * number, np.uint16)
            pixels[2:4] += 50
            place = [0.0, 0.0, step * k + offset * number]
            data = made.image(
                pixels, modality, ImagePositionPatient=place, ImageOrientationPatient=AXIAL,
                PixelSpacing=[1.0, 1.0], SliceThickness=thickness, RescaleSlope=1,
                RescaleIntercept=-1000, InstanceNumber=number * count + k, **more,
            )  # fmt: skip
            made.save(data, folder / f"{number}{k}.dcm")


TWO = [
    [{"AcquisitionNumber": n} for n in (1, 2)],
    [{"AcquisitionTime": f"10{n}000"} for n in (1, 2)],
    [{"ContrastBolusAgent": n} for n in ("", "IV")],
    [{"ConvolutionKernel": n} for n in ("B30f", "B70f")],
    [{"ImageType": ["DERIVED", "PRIMARY", n]} for n in ("AXIAL", "MIP")],
    [{"TemporalPositionIdentifier": n} for n in (1, 2)],
]


@pytest.mark.parametrize("tags", TWO)
@pytest.mark.parametrize("offset", [0.0, 2.5, 1.0])
def test_acquisitions_are_not_shuffled_into_one_volume(tmp_path, tags, offset):
    acquisitions(tmp_path, tags, offset)
    with pytest.raises(InputError, match="holds 2 volumes"):
        Volume.read(tmp_path)
    volume = Volume.read(tmp_path, frame=1)
    assert volume.shape[0] == 6 and (volume.array[:, 0, 0] == -100).all()
    assert volume.spacing[2] == pytest.approx(5.0)


def test_thin_slices_of_a_ct_in_turns_are_two_volumes_too(tmp_path):
    acquisitions(tmp_path, TWO[0], 2.5, thickness=1.0)
    with pytest.raises(InputError, match="holds 2 volumes"):
        Volume.read(tmp_path)


@pytest.mark.parametrize("tags", TWO[:2])
def test_slices_of_an_mr_acquired_in_turns_are_one_volume_with_a_note(tmp_path, tags):
    acquisitions(tmp_path, tags, 2.5, thickness=2.5, modality="MR")
    volume = Volume.read(tmp_path)
    assert volume.shape[0] == 12 and any("in turns" in note for note in volume.notes)


@pytest.mark.parametrize("tags", TWO[:2])
def test_acquisitions_one_after_the_other_are_one_volume(tmp_path, tags):
    acquisitions(tmp_path, tags, offset=30.0)
    volume = Volume.read(tmp_path)
    assert volume.shape[0] == 12 and volume.notes == ()


def test_slices_with_times_of_their_own_are_one_volume(tmp_path):
    acquisitions(tmp_path, [{"AcquisitionTime": f"1010{n:02d}"} for n in range(8)], 5.0, count=1)
    assert Volume.read(tmp_path).shape[0] == 8


# -- series ------------------------------------------------------------------------------------


def test_slice_without_a_place_is_named(tmp_path):
    paths = made.series(tmp_path, [(0.0, 0.0, 3.0 * n) for n in range(5)])
    data = pydicom.dcmread(paths[2])
    del data.ImagePositionPatient
    data.save_as(paths[2])
    with pytest.raises(InputError, match=f"{paths[2].name} does not say where the slice lies"):
        Volume.read(tmp_path)


def test_mosaic_is_refused(tmp_path):
    made.series(tmp_path, [(0.0, 0.0, 3.0 * n) for n in range(3)], modality="MR",
                ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"])  # fmt: skip
    with pytest.raises(InputError, match="dcm2niix"):
        Volume.read(tmp_path)


def test_series_are_told_by_number_and_description(tmp_path):
    places = [(0.0, 0.0, 3.0 * n) for n in range(3)]
    made.series(tmp_path, places, uid="2.25.9", prefix="A", SeriesNumber=2,
                SeriesDescription="native")  # fmt: skip
    made.series(tmp_path, places, uid="2.25.10", prefix="B", SeriesNumber=11,
                SeriesDescription="venous")  # fmt: skip
    expected = [
        {"uid": "2.25.9", "number": "2", "description": "native"},
        {"uid": "2.25.10", "number": "11", "description": "venous"},
    ]
    assert image_series(tmp_path) == expected
    with pytest.raises(InputError, match="2: CT native, 3 images; 11: CT venous, 3 images"):
        Volume.read(tmp_path)
    assert Volume.read(tmp_path, series=11).meta["series"] == expected[1]


# -- index of a medium -------------------------------------------------------------------------


def medium(folder):
    from pydicom.fileset import FileSet

    made.series(folder / "source", [(0.0, 0.0, 3.0 * n) for n in range(3)])
    files = FileSet()
    for path in sorted((folder / "source").iterdir()):
        files.add(path)
    files.write(folder / "cd")
    return folder / "cd" / "DICOMDIR"


@pytest.mark.parametrize("name", ["DICOMDIR", "dicomdir", "index.dcm"])
def test_index_stands_for_its_images(tmp_path, name):
    index = medium(tmp_path)
    index = index.rename(index.with_name(name))
    volume = Volume.read(index)
    assert volume.shape[0] == 3
    np.testing.assert_array_equal(volume.array, Volume.read(tmp_path / "source").array)


def test_index_without_its_images_says_so(tmp_path):
    alone = medium(tmp_path).rename(tmp_path / "DICOMDIR")
    with pytest.raises(InputError, match="index.*3 of them are not beside it"):
        Volume.read(alone)
