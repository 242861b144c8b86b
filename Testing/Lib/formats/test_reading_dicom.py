"""Reading DICOM: series put in order, tilt and gaps told, X-rays the right way round."""

from __future__ import annotations

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom")
import synthetic_dicom as made  # noqa: E402

from TextPromptSegLib.image.volume import LPS_RAS, Volume  # noqa: E402
from TextPromptSegLib.outcome import InputError  # noqa: E402

AXIAL_PLACES = [(-10.0, -20.0, 5.0 + 2.5 * n) for n in range(5)]


def refused(path, words, **how):
    with pytest.raises(InputError, match=words) as caught:
        Volume.read(path, **how)
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith(".") and len(sentence) < 320
    assert "Phantom" not in sentence and "PHANTOM" not in sentence  # no patient data
    return sentence


def check_values(volume: Volume, normal=(0, 0, 1)) -> None:
    """Every voxel holds the value that belongs to its place in the patient (see `made.series`)."""
    k, j, i = np.indices(volume.shape).reshape(3, -1)
    points = volume.index_to_ras(np.stack([i, j, k], axis=1)) * (-1, -1, 1)
    expected = 1000 - 1024 + np.round(10 * points @ np.array(normal)) + i
    np.testing.assert_allclose(volume.array.ravel(), expected, atol=1)


# -- series ------------------------------------------------------------------------------------


def test_series_is_ordered_by_place_and_rescaled(tmp_path):
    made.series(tmp_path, AXIAL_PLACES[::-1])
    volume = Volume.read(tmp_path)
    assert volume.shape == (5, 6, 8) and volume.modality == "CT" and volume.notes == ()
    assert volume.spacing == pytest.approx((0.75, 0.5, 2.5)) and volume.array.dtype == np.int16
    assert volume.axcodes == "LPS"
    np.testing.assert_allclose(volume.ijk_to_ras[:3, 3], (10, 20, 5))
    check_values(volume)
    heights = [pydicom.dcmread(f).ImagePositionPatient[2] for f in volume.meta["dicom_files"]]
    assert heights == sorted(heights)


def test_same_voxels_and_place_as_itk(tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    angle = 0.4
    tilted = (1, 0, 0, 0, np.cos(angle), np.sin(angle))
    normal = np.cross(tilted[:3], tilted[3:])
    made.series(tmp_path, [np.array((1, 2, 3)) + 2 * n * normal for n in (3, 1, 0, 2)],
                orientation=tilted, modality="MR")  # fmt: skip
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path)))
    theirs = Volume.from_sitk(reader.Execute())
    volume = Volume.read(tmp_path)
    np.testing.assert_array_equal(volume.array, theirs.array)
    np.testing.assert_allclose(volume.ijk_to_ras, theirs.ijk_to_ras, atol=1e-6)
    assert volume.modality == "MR" and volume.shear_degrees < 1e-4


@pytest.mark.parametrize(
    ("orientation", "codes"),
    [((0, 1, 0, 0, 0, -1), "PIR"), ((1, 0, 0, 0, 0, -1), "LIP"), ((-1, 0, 0, 0, -1, 0), "RAS")],
)
def test_sagittal_coronal_and_prone_series(tmp_path, orientation, codes):
    normal = np.cross(orientation[:3], orientation[3:])
    made.series(tmp_path, [40 * normal + 3.0 * n * normal for n in range(4)],
                orientation=orientation)  # fmt: skip
    volume = Volume.read(tmp_path)
    assert volume.axcodes == codes and volume.canonical().axcodes == "LPS"
    check_values(volume, normal)


def test_values_scaled_slice_by_slice(tmp_path):
    for n, slope in enumerate((0.5, 2.0, 1.0)):
        pixels = np.full((6, 8), 100, np.uint16)
        data = made.image(pixels, "MR", ImagePositionPatient=[0, 0, n], RescaleSlope=slope,
                          ImageOrientationPatient=list(made.AXIAL), PixelSpacing=[1, 1],
                          RescaleIntercept=1.5)  # fmt: skip
        made.save(data, tmp_path / f"{n}.dcm")
    np.testing.assert_allclose(Volume.read(tmp_path).array[:, 0, 0], [51.5, 201.5, 101.5])


def test_large_values_do_not_overflow(tmp_path):
    pixels = np.full((6, 8), 65535, np.uint16)
    pixels[0, 0] = 0
    data = made.image(pixels, "CT", ImagePositionPatient=[0, 0, 0], PixelSpacing=[1, 1],
                      ImageOrientationPatient=list(made.AXIAL), RescaleIntercept=-1024)  # fmt: skip
    volume = Volume.read(made.save(data, tmp_path / "x.dcm"))
    assert volume.array.min() == -1024 and volume.array.max() == 64511


def test_files_without_preamble_other_files_and_copies(tmp_path):
    paths = made.series(tmp_path / "deep" / "er", AXIAL_PLACES)
    bare = paths[0].read_bytes()[132:]
    paths[0].write_bytes(bare)
    (paths[0].parent / "README.txt").write_text("not an image")
    (paths[0].parent / "copy").write_bytes(paths[1].read_bytes())
    volume = Volume.read(tmp_path)  # the series lies two folders deeper
    assert volume.shape == (5, 6, 8)
    check_values(volume)


# -- tilt, gaps, doubles -------------------------------------------------------------------------


def test_gantry_tilt_keeps_the_slices_and_shears_the_matrix(tmp_path):
    places = [(-10.0, -20.0 + 0.9 * n, 5.0 + 2.5 * n) for n in range(5)]
    made.series(tmp_path, places)
    volume = Volume.read(tmp_path)
    check_values(volume)
    np.testing.assert_allclose(LPS_RAS @ volume.ijk_to_ras @ [0, 0, 4, 1], [*places[4], 1])
    assert volume.shear_degrees == pytest.approx(np.degrees(np.arctan(0.9 / 2.5)), abs=0.01)
    assert any("gantry tilt" in note and "19.8" in note for note in volume.notes)
    assert volume.voxel_ml == pytest.approx(0.75 * 0.5 * 2.5 / 1000)


def test_rounded_positions_are_no_tilt(tmp_path):
    made.series(tmp_path, [(-10 + 0.001 * (n % 2), -20, 5 + 2.5 * n + 0.01 * (n % 3))
                           for n in range(6)])  # fmt: skip
    volume = Volume.read(tmp_path)
    assert volume.shear_degrees < 1e-6 and volume.notes == () and volume.shape[0] == 6


def test_missing_slices_are_filled_and_told(tmp_path):
    made.series(tmp_path, [(0, 0, 2.0 * n) for n in range(12) if n not in (4, 8)])
    volume = Volume.read(tmp_path)
    assert volume.shape[0] == 12 and volume.spacing[2] == pytest.approx(2.0)
    check_values(volume)  # linear in between
    assert any("2 slices are missing" in note for note in volume.notes)
    assert volume.meta["dicom_slices"] == (0, 1, 2, 3, 5, 6, 7, 9, 10, 11)


def test_uneven_slices_are_resampled_and_told(tmp_path):
    heights = [0, 2, 4, 6, 8, 10, 11.2, 13, 15, 17, 19, 21]
    made.series(tmp_path, [(0, 0, z) for z in heights])
    volume = Volume.read(tmp_path)
    check_values(volume)
    assert any("resampled to even slices" in note for note in volume.notes)
    assert volume.bounds[2] == pytest.approx([-1.05, 22.05], abs=0.01)


@pytest.mark.parametrize(
    ("heights", "words"),
    [
        ([0, 2, 4, 6, 40, 42, 44, 46], "slices are missing.*export"),
        ([0, 2, 4, 6, 8, 14, 20, 22, 28, 34], "slices are missing"),
        ([0, 2, 2.2, 4, 6, 8, 10, 12], "very unevenly"),
    ],
)
def test_big_gaps_are_refused(tmp_path, heights, words):
    made.series(tmp_path, [(0, 0, float(z)) for z in heights])
    refused(tmp_path, words)


def test_slices_out_of_line_are_refused(tmp_path):
    made.series(tmp_path, [(0 if n != 2 else 30, 0, 2.0 * n) for n in range(5)])
    refused(tmp_path, "shifted against each other")


def test_several_time_points_are_refused_or_picked(tmp_path):
    for time in range(3):
        made.series(tmp_path, AXIAL_PLACES, prefix=f"T{time}", intercept=100.0 * time,
                    TemporalPositionIdentifier=time + 1)  # fmt: skip
    refused(tmp_path, r"holds 3 volumes.*--frame 0\.\.2")
    first, last = (Volume.read(tmp_path, frame=n) for n in (0, 2))
    np.testing.assert_array_equal(first.array + 200, last.array)
    assert len(last.meta["dicom_files"]) == 5
    refused(tmp_path, "no frame 3", frame=3)


def test_half_doubled_series_is_refused(tmp_path):
    made.series(tmp_path, AXIAL_PLACES)
    made.series(tmp_path, AXIAL_PLACES[:2], prefix="again")
    refused(tmp_path, "some slices twice")


# -- several series, other objects -----------------------------------------------------------------


def test_several_series_have_to_be_chosen(tmp_path):
    made.series(tmp_path, AXIAL_PLACES, uid="1.2.3.4", prefix="A")
    made.series(tmp_path, AXIAL_PLACES[:3], uid="1.2.3.7", prefix="B", modality="MR")
    sentence = refused(tmp_path, "holds 2 series")
    assert "4: CT, 5 images" in sentence and "7: MR, 3 images" in sentence
    assert Volume.read(tmp_path, series=7).modality == "MR"
    assert Volume.read(tmp_path, series="1.2.3.4").shape[0] == 5
    refused(tmp_path, "no one series 9", series=9)


def test_scouts_and_reports_are_left_out(tmp_path):
    made.series(tmp_path, AXIAL_PLACES)
    made.series(tmp_path, [(0, 0, 0)], uid="1.2.3.2", prefix="S", orientation=(0, 1, 0, 0, 0, -1),
                ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])  # fmt: skip
    report = made.image(np.zeros((2, 2), np.uint8), "SR", series="1.2.3.8", PixelData=None,
                        Rows=None, Columns=None)  # fmt: skip
    made.save(report, tmp_path / "report.dcm")
    volume = Volume.read(tmp_path)
    assert volume.shape[0] == 5 and any("Scout" in note for note in volume.notes)
    refused(tmp_path / "report.dcm", "SR.*no image to segment")
    only = tmp_path / "only"
    made.save(report, only / "report.dcm")
    refused(only, r"\(SR\) are not images")


def test_one_stray_image_is_left_out_but_a_mixture_is_refused(tmp_path):
    made.series(tmp_path, AXIAL_PLACES)
    made.series(tmp_path, [(0, 0, 0)], prefix="S", orientation=(0, 1, 0, 0, 0, -1))
    assert any("1 images of another" in note for note in Volume.read(tmp_path).notes)
    made.series(
        tmp_path, [(n, 0, 0) for n in range(4)], prefix="R", orientation=(0, 1, 0, 0, 0, -1)
    )
    refused(tmp_path, "mixes images of 2")


# -- single files, X-rays --------------------------------------------------------------------------


def test_one_slice(tmp_path):
    path = made.series(tmp_path, [(-10.0, -20.0, 5.0)])[0]
    volume = Volume.read(path)
    assert volume.shape == (1, 6, 8) and volume.modality == "CT" and volume.is_2d
    assert volume.spacing == pytest.approx((0.75, 0.5, 2.0))  # SliceThickness
    check_values(volume)
    np.testing.assert_array_equal(Volume.read(tmp_path).array, volume.array)


@pytest.mark.parametrize("modality", ["CR", "DX"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_monochrome1_is_turned_to_bright_bone(tmp_path, modality, dtype):
    bits = 8 if dtype == "uint8" else 12
    lungs = (np.add.outer(np.arange(6), np.arange(8)) * 15).astype(dtype)
    normal = made.image(lungs, modality, BitsStored=bits, HighBit=bits - 1,
                        ImagerPixelSpacing=[0.2, 0.1], PatientOrientation=["L", "F"])  # fmt: skip
    inverse = made.image((2**bits - 1 - lungs.astype(int)).astype(dtype), modality,
                         BitsStored=bits, HighBit=bits - 1, ImagerPixelSpacing=[0.2, 0.1],
                         PhotometricInterpretation="MONOCHROME1",
                         PatientOrientation=["L", "F"])  # fmt: skip
    for data in (normal, inverse):
        volume = Volume.read(made.save(data, tmp_path / "x.dcm"))
        np.testing.assert_array_equal(volume.array[0], lungs)
        assert volume.modality == "CXR" and volume.meta["geometry"] == "assumed"
        assert volume.spacing == pytest.approx((0.1, 0.2, 1.0)) and volume.axcodes == "LPS"
        assert any("magnification" in note for note in volume.notes)


def test_monochrome1_after_rescale(tmp_path):
    lungs = np.arange(48, dtype=np.uint16).reshape(6, 8)
    data = made.image(4095 - lungs, "DX", BitsStored=12, HighBit=11, PixelSpacing=[1, 1],
                      PhotometricInterpretation="MONOCHROME1", RescaleSlope=2,
                      RescaleIntercept=10)  # fmt: skip
    volume = Volume.read(made.save(data, tmp_path / "x.dcm"))
    np.testing.assert_allclose(volume.array[0], 2 * lungs + 10)


def test_ct_numbers_are_not_inverted(tmp_path):
    data = made.image(np.full((6, 8), 1064, np.uint16), "CT", ImagePositionPatient=[0, 0, 0],
                      ImageOrientationPatient=list(made.AXIAL), PixelSpacing=[1, 1],
                      RescaleIntercept=-1024, PhotometricInterpretation="MONOCHROME1")  # fmt: skip
    assert (Volume.read(made.save(data, tmp_path / "x.dcm")).array == 40).all()


def test_mirrored_xray_is_known_by_its_patient_orientation(tmp_path):
    picture = np.zeros((6, 8), np.uint8)
    picture[:3, :2] = 9  # upper left of the picture
    usual = made.image(picture, "DX", PatientOrientation=["L", "F"], PixelSpacing=[1, 1])
    turned = made.image(np.ascontiguousarray(picture[::-1, ::-1]), "DX",
                        PatientOrientation=["R", "H"], PixelSpacing=[1, 1])  # fmt: skip
    unknown = made.image(picture, "DX", PixelSpacing=[1, 1])
    volumes = []
    for name, data in {"usual": usual, "turned": turned, "unknown": unknown}.items():
        volumes.append(Volume.read(made.save(data, tmp_path / f"{name}.dcm")))
        np.testing.assert_array_equal(volumes[-1].canonical().array[0], picture)
    assert volumes[1].axcodes == "RAS"
    assert any("does not say left and right" in note for note in volumes[2].notes)
    assert not any("left and right" in note for note in volumes[0].notes)


def test_xray_without_any_spacing_and_colour_capture(tmp_path):
    volume = Volume.read(made.save(made.image(np.ones((4, 5), np.uint8), "CR"), tmp_path / "a"))
    assert volume.spacing == (1, 1, 1) and any("1 mm is assumed" in note for note in volume.notes)
    colour = np.zeros((4, 5, 3), np.uint8)
    colour[..., 1] = 255
    volume = Volume.read(made.save(made.image(colour, "OT"), tmp_path / "b"))
    assert volume.modality is None and (volume.array == 150).all() and volume.shape == (1, 4, 5)


def test_two_xrays_in_one_series_have_to_be_named(tmp_path):
    for name in "ab":
        made.save(made.image(np.ones((4, 5), np.uint8), "DX"), tmp_path / name)
    refused(tmp_path, "holds 2 volumes")


def test_multi_frame_image(tmp_path):
    places = [(0.0, 0.0, 4.0), (0.0, 0.0, 0.0), (0.0, 0.0, 2.0)]
    path = made.save(made.enhanced(places, (1.0, 2.0, 1.0)), tmp_path / "x.dcm")
    volume = Volume.read(path)
    np.testing.assert_allclose(volume.array[:, 0, 0], [20 * 2 - 5, 30 - 5, 10 - 5])
    assert volume.spacing == pytest.approx((0.75, 0.5, 2.0)) and volume.modality == "CT"
    assert volume.meta["dicom_frames"] == (1, 2, 0)
    cine = made.image(np.arange(96, dtype=np.uint8).reshape(2, 6, 8), "OT")
    refused(made.save(cine, tmp_path / "cine.dcm"), "holds 2 volumes")
    picked = Volume.read(tmp_path / "cine.dcm", frame=1)
    np.testing.assert_array_equal(picked.array[0], np.arange(48, 96).reshape(6, 8))


@pytest.mark.parametrize("compressor", ["JPEG2000", "JPEG"])
def test_compressed_pixels(tmp_path, compressor):
    sitk = pytest.importorskip("SimpleITK")
    grey = np.add.outer(np.arange(32) * 20, np.arange(40)).astype(np.uint16)
    writer = sitk.ImageFileWriter()
    writer.SetImageIO("GDCMImageIO")
    writer.SetFileName(str(tmp_path / "x.dcm"))
    writer.SetUseCompression(True)
    writer.SetCompressor(compressor)
    writer.Execute(sitk.GetImageFromArray(grey))
    assert pydicom.dcmread(tmp_path / "x.dcm").file_meta.TransferSyntaxUID.is_compressed
    np.testing.assert_array_equal(Volume.read(tmp_path / "x.dcm").array[0], grey)


# -- damage ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.95])
def test_truncated_slice(tmp_path, part, capfd, recwarn):
    paths = made.series(tmp_path, AXIAL_PLACES)
    content = paths[2].read_bytes()
    paths[2].write_bytes(content[: int(len(content) * part)])
    refused(paths[2], "damaged|only zeros")
    if part > 0.2:  # beyond the first 132 bytes it is known to be DICOM
        refused(tmp_path, "IM014 is damaged")
    assert capfd.readouterr() == ("", "") and not recwarn.list


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"PixelSpacing": None}, "size of its pixels"),
        ({"ImageOrientationPatient": [0.0] * 6}, "damaged header"),
        ({"ImageOrientationPatient": [1.0, 0, 0, 1.0, 0, 0]}, "damaged header"),
        ({"PixelData": None}, "damaged"),
        ({"Rows": 60}, "damaged"),
    ],
)
def test_broken_headers(tmp_path, tags, words):
    common = {"ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": list(made.AXIAL),
              "PixelSpacing": [1, 1]}  # fmt: skip
    data = made.image(np.ones((6, 8), np.uint16), "CT", **{**common, **tags})
    refused(made.save(data, tmp_path / "x.dcm"), words)


def test_slices_of_different_pixel_size(tmp_path):
    made.series(tmp_path, AXIAL_PLACES[:3])
    made.series(tmp_path, AXIAL_PLACES[3:], prefix="Z", spacing=(0.9, 0.9))
    refused(tmp_path, "different pixel sizes")


def test_real_series_agrees_with_itk_and_its_label(shared_data):
    sitk = pytest.importorskip("SimpleITK")
    folder = shared_data / "dicom_ct_liver"
    volume = Volume.read(folder / "images" / "ct_3slice")
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder / "images" / "ct_3slice")))
    theirs = Volume.from_sitk(reader.Execute())
    np.testing.assert_array_equal(volume.array, theirs.array)
    np.testing.assert_allclose(volume.ijk_to_ras, theirs.ijk_to_ras)
    label = Volume.read(folder / "labels" / "ct_3slice.nii.gz")
    np.testing.assert_allclose(volume.ijk_to_ras, label.ijk_to_ras, atol=1e-5)
    liver = volume.array[label.array == 1]
    assert 0 < np.median(liver) < 200 and volume.modality == "CT"
    columns = np.nonzero(volume.canonical().array.shape and label.canonical().array == 1)[2]
    assert np.median(columns) < volume.shape[2] / 2  # the liver is on the patient's right
    refused(folder / "labels" / "ct_3slice_liver_seg.dcm", "SEG")
