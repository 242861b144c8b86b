"""The grey values of DICOM images do not depend on how, and by which program, they are unpacked."""

from __future__ import annotations

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("SimpleITK")
import synthetic_dicom as made  # noqa: E402
from packed_dicom import LOSSLESS, packed  # noqa: E402
from pydicom import uid  # noqa: E402
from pydicom.encaps import encapsulate  # noqa: E402

from TextPromptSegLib.formats.dicom_unpack import unpacked_by_itk  # noqa: E402
from TextPromptSegLib.image.volume import Volume  # noqa: E402
from TextPromptSegLib.outcome import InputError  # noqa: E402

PLACE = {
    "ImagePositionPatient": [0.0, 0.0, 0.0],
    "ImageOrientationPatient": list(made.AXIAL),
    "PixelSpacing": [1.0, 1.0],
    "SliceThickness": 2.0,
}
# name: (type, bits stored, further tags)
IMAGES: dict[str, tuple[type, int, dict[str, object]]] = {
    "8 bits": (np.uint8, 8, {}),
    "12 bits": (np.uint16, 12, {"RescaleSlope": 1, "RescaleIntercept": -1024}),
    "16 bits": (np.uint16, 16, {"RescaleSlope": "0.5", "RescaleIntercept": "-100"}),
    "signed": (np.int16, 16, {"RescaleSlope": 2, "RescaleIntercept": 5}),
    "inverse": (np.uint16, 12, {"PhotometricInterpretation": "MONOCHROME1"}),
    "inverse and rescaled": (
        np.uint16,
        16,
        {"PhotometricInterpretation": "MONOCHROME1", "RescaleSlope": 3, "RescaleIntercept": 1},
    ),
    "padded": (np.uint16, 12, {"PixelPaddingValue": 0, "RescaleSlope": 1}),
}


def picture(kind: str, frames: int = 1, modality: str = "DX") -> pydicom.Dataset:
    dtype, bits, tags = IMAGES[kind]
    rng = np.random.default_rng(1)
    shape = (frames, 20, 24) if frames > 1 else (20, 24)
    y, x = np.indices(shape[-2:])
    pixels = (x * 50 + y * 30 + rng.integers(0, 40, shape)) % 2 ** min(bits, 12)
    if dtype is np.int16:
        pixels -= 1000
    data = made.image(pixels.astype(dtype), modality, **{**PLACE, **tags})
    data.BitsStored, data.HighBit = bits, bits - 1
    return data


def read(data, path, **how) -> np.ndarray:
    return Volume.read(made.save(data, path), **how).array


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.parametrize("how", LOSSLESS)
def test_packed_pixels_are_those_of_the_plain_file(tmp_path, kind, how):
    plain = picture(kind)
    expected = read(plain, tmp_path / "plain.dcm")
    found = read(packed(plain, how), tmp_path / "packed.dcm")
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.parametrize("how", ["RLE", "JPEG-LS", "JPEG 2000"])
def test_both_ways_of_unpacking_give_the_same_stored_numbers(kind, how):
    data = packed(picture(kind), how)
    np.testing.assert_array_equal(unpacked_by_itk(data), data.pixel_array)


def test_lossy_jpeg_by_both_ways():
    data = packed(picture("8 bits"), "JPEG")
    difference = unpacked_by_itk(data).astype(int) - data.pixel_array
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("how", ["deflated", "RLE", "JPEG-LS", "JPEG lossless"])
@pytest.mark.parametrize("kind", ["12 bits", "inverse", "signed"])
def test_every_frame_has_its_own_rescale(tmp_path, how, kind):
    data = picture(kind, frames=3, modality="ENHANCED")
    data.Modality = "MR"
    del_keys = [key for key in ("RescaleSlope", "RescaleIntercept") if key in data]
    for key in (*del_keys, *PLACE):
        delattr(data, key)
    data.SharedFunctionalGroupsSequence = [
        made.nested(
            PixelMeasuresSequence={"PixelSpacing": [1.0, 1.0], "SliceThickness": 2.0},
            PlaneOrientationSequence={"ImageOrientationPatient": list(made.AXIAL)},
        )
    ]
    data.PerFrameFunctionalGroupsSequence = [
        made.nested(
            PlanePositionSequence={"ImagePositionPatient": [0.0, 0.0, 2.0 * n]},
            PixelValueTransformationSequence={
                "RescaleSlope": slope, "RescaleIntercept": intercept,
            },
        )
        for n, (slope, intercept) in enumerate([(1, 0), (2, 100), (0.5, -7)])
    ]  # fmt: skip
    expected = read(data, tmp_path / "plain.dcm")
    found = read(packed(data, how), tmp_path / "packed.dcm")
    np.testing.assert_allclose(found, expected)
    stored = data.pixel_array.astype(float)
    if kind != "inverse":
        np.testing.assert_allclose(found[1], stored[1] * 2 + 100)
        np.testing.assert_allclose(found[2], stored[2] * 0.5 - 7)


def test_palette_packed_without_loss(tmp_path):
    data = made.image(np.arange(24, dtype=np.uint8).reshape(4, 6) * 10, "DX", **PLACE)
    plain = packed(data, "implicit")
    for one in (data, plain):
        one.PhotometricInterpretation = "PALETTE COLOR"
        for colour in ("Red", "Green", "Blue"):
            table = np.arange(255, -1, -1, dtype=np.uint16) * 256
            setattr(one, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
            setattr(one, f"{colour}PaletteColorLookupTableData", table.tobytes())
    expected = read(plain, tmp_path / "plain.dcm")
    np.testing.assert_array_equal(read(packed(data, "JPEG lossless"), tmp_path / "a.dcm"), expected)
    assert expected[0, 0, 0] > expected[0, 3, 5]


# -- padding -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "padding"),
    [
        ({"PixelPaddingValue": -32768}, -32768),
        ({"PixelPaddingValue": -32768, "PixelPaddingRangeLimit": -32000}, -32768),
        ({"PixelPaddingValue": -32768, "RescaleSlope": 2, "RescaleIntercept": 10}, -65526),
        ({}, None),
        ({"PixelPaddingValue": 77}, None),
    ],
)
def test_padding_is_told(tmp_path, tags, padding):
    pixels = np.arange(100, 200, dtype=np.int16).reshape(10, 10)
    pixels[0] = -32768
    pixels[0, 5:] = -32000 if "PixelPaddingRangeLimit" in tags else -32768
    slope = {"RescaleSlope": 1, "RescaleIntercept": 0, **PLACE, **tags}
    data = made.image(np.where(pixels == 177, 178, pixels), "MR", **slope)
    volume = Volume.read(made.save(data, tmp_path / "a.dcm"))
    assert volume.meta.get("padding") == padding
    if padding is not None:
        assert (volume.array[0, 0] == padding).all() and (volume.array[0, 1:] > 0).all()


def test_padding_of_unsigned_pixels_written_as_a_negative_number(tmp_path):
    pixels = np.full((6, 6), 65535, np.uint16)
    pixels[2:4, 2:4] = 500
    data = made.image(pixels, "MR", **PLACE)
    data.add_new("PixelPaddingValue", "SS", -1)
    assert Volume.read(made.save(data, tmp_path / "a.dcm")).meta["padding"] == 500


def test_padding_is_one_value_where_slices_are_rescaled_differently(tmp_path):
    for n, slope in enumerate((1.0, 3.0)):
        pixels = np.full((6, 6), 100, np.int16)
        pixels[0] = -2000
        place = {**PLACE, "ImagePositionPatient": [0.0, 0.0, 2.0 * n]}
        data = made.image(pixels, "MR", RescaleSlope=slope, RescaleIntercept=0, **place)
        data.PixelPaddingValue = -2000
        made.save(data, tmp_path / f"{n}.dcm")
    volume = Volume.read(tmp_path)
    assert volume.meta["padding"] == -2000 and (volume.array[:, 0] == -2000).all()
    assert volume.array[1, 3, 3] == 300


# -- numbers that are none ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("RescaleIntercept", "1e10"),
        ("RescaleSlope", "0"),
        ("RescaleSlope", "1\\2"),
        ("RescaleSlope", "1e400"),
        ("RescaleSlope", "1,5"),
        ("RescaleIntercept", "nan"),
    ],
)
def test_unusable_rescale_of_a_ct_is_refused(tmp_path, key, value):
    data = made.image(np.zeros((6, 6), np.uint16), "CT", **PLACE, RescaleSlope=1)
    data.RescaleIntercept = -1024
    made.raw_value(data, key, value)
    with pytest.raises(InputError, match="damaged"):
        read(data, tmp_path / "a.dcm")


@pytest.mark.parametrize(
    ("syntax", "photometric"),
    [
        (uid.RLELossless, "RGB"),
        (uid.RLELossless, "YBR_FULL"),
        (uid.JPEGLSLossless, "RGB"),
        (uid.JPEGBaseline8Bit, "YBR_FULL_422"),
    ],
)
def test_colours_by_both_ways(syntax, photometric):
    frames = pytest.importorskip("highdicom").frame
    colours = np.random.default_rng(0).integers(0, 255, (48, 40, 3)).astype(np.uint8)
    data = made.image(colours, "DX", PhotometricInterpretation=photometric)
    frame = frames.encode_frame(
        colours, syntax, bits_allocated=8, bits_stored=8,
        photometric_interpretation=photometric, planar_configuration=0,
    )  # fmt: skip
    data.PixelData = encapsulate([frame])
    data["PixelData"].VR, data["PixelData"].is_undefined_length = "OB", True
    data.file_meta.TransferSyntaxUID = syntax
    np.testing.assert_array_equal(unpacked_by_itk(data), data.pixel_array)


def test_damaged_run_lengths_are_refused_and_not_given_to_gdcm(monkeypatch) -> None:
    from pydicom.dataset import Dataset, FileMetaDataset

    from TextPromptSegLib.formats import dicom_unpack

    class Damaged(Dataset):
        pixel_array = property(lambda self: (_ for _ in ()).throw(RuntimeError("damaged")))

    data = Damaged()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = uid.RLELossless
    data.PixelData = b"\0\0"
    monkeypatch.setattr(dicom_unpack, "unpacked_by_itk", lambda data: pytest.fail("asked"))
    with pytest.raises(ValueError, match="run-length"):
        dicom_unpack.stored_frames(data)
