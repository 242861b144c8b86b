"""NIfTI: both versions, q-form and s-form, units; told where a header says two things at once."""

from __future__ import annotations

import numpy as np
import pytest

nib = pytest.importorskip("nibabel")
sitk = pytest.importorskip("SimpleITK")

from TextPromptSegLib.image.volume import Volume  # noqa: E402
from TextPromptSegLib.outcome import InputError  # noqa: E402

DATA = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)
Q = np.array([[-1.0, 0, 0, 40], [0, -1.0, 0, 50], [0, 0, 3.0, -60], [0, 0, 0, 1]])
VERSIONS = {1: nib.Nifti1Image, 2: nib.Nifti2Image}
FORMS = {
    "flipped": Q @ np.diag([-1.0, 1, 1, 1]),
    "shifted": Q + np.outer([1, 0, 0, 0], [0, 0, 0, 5.0]),
    "turned": Q @ np.array([[0, 1.0, 0, 0], [-1.0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
    "sheared": Q + np.outer([1, 0, 0, 0], [0, 0.4, 0, 0]),
}


def written(path, q=None, s=None, codes=(1, 1), version=1, **header):
    image = VERSIONS[version](DATA, s if q is None else q)
    image.set_qform(q, codes[0] if q is not None else 0)
    image.set_sform(s, codes[1] if s is not None else 0)
    for key, value in header.items():
        image.header[key] = value
    nib.save(image, path)
    return path


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("codes", [(0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 1), (3, 4), (2, 3)])
def test_same_form_as_itk_in_both_versions(tmp_path, form, codes):
    for version in VERSIONS:
        how = {"pixdim": [1, 1, 1, 3, 1, 1, 1, 1]} if form != "sheared" else {}
        path = written(tmp_path / f"{version}.nii", Q, FORMS[form], codes, version, **how)
        volume = Volume.read(path)
        if version == 1:
            try:
                expected = Volume.from_sitk(sitk.ReadImage(str(path))).ijk_to_ras
            except RuntimeError:  # ITK takes no sheared axes
                expected = FORMS[form]
        np.testing.assert_allclose(volume.ijk_to_ras, expected, atol=1e-4)
        told = any("twice" in note for note in volume.notes)
        assert told == (0 not in codes)


def test_sides_that_disagree_are_named(tmp_path):
    path = written(tmp_path / "a.nii.gz", Q, FORMS["flipped"], (1, 2))
    (note,) = Volume.read(path).notes
    assert "left and right (q-form LPS, s-form RPS)" in note and "s-form is used" in note


def test_forms_that_agree_need_no_note(tmp_path):
    assert Volume.read(written(tmp_path / "a.nii", Q, Q + 1e-4, (1, 1))).notes == ()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("unit", "factor"), [(0, 1.0), (1, 1000.0), (2, 1.0), (3, 0.001), (9, 1000.0)]
)
def test_units_of_length(tmp_path, version, unit, factor):
    small = np.diag([1 / factor] * 3 + [1.0]) @ Q
    for q, s in ((small, None), (None, small), (small, small)):
        path = written(tmp_path / "a.nii", q, s, version=version, xyzt_units=unit)
        volume = Volume.read(path)
        np.testing.assert_allclose(volume.ijk_to_ras, Q, rtol=1e-4, atol=1e-3)
        assert volume.notes == ()


@pytest.mark.parametrize("seed", range(20))
def test_any_turned_q_form_is_that_of_nibabel(tmp_path, seed):
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    q = np.eye(4)
    q[:3, :3], q[:3, 3] = turn * rng.uniform(0.5, 4, 3), rng.normal(size=3) * 100
    for version, kind in VERSIONS.items():
        path = written(tmp_path / "a.nii", q, None, version=version)
        np.testing.assert_allclose(Volume.read(path).ijk_to_ras, kind.load(path).affine, atol=1e-3)


@pytest.mark.parametrize("version", VERSIONS)
def test_no_form_is_assumed_and_told(tmp_path, version):
    volume = Volume.read(written(tmp_path / "a.nii", None, None, version=version))
    assert volume.meta["geometry"] == "assumed" and volume.axcodes == "LPS" and volume.notes


def test_voxel_sizes_that_disagree_are_told(tmp_path):
    doubled = Q @ np.diag([2.0, 2, 2, 1])
    path = written(tmp_path / "a.nii", None, doubled, pixdim=[1, 1, 1, 3, 1, 1, 1, 1])
    volume = Volume.read(path)
    assert volume.spacing == pytest.approx((1, 1, 3))  # as ITK has it
    assert any("1 x 1 x 3 mm, not 2 x 2 x 6 mm" in note for note in volume.notes)


@pytest.mark.parametrize(
    "header",
    [
        {"quatern_b": np.nan},
        {"qoffset_x": np.inf},
        {"qoffset_x": 1e30},
        {"srow_x": [np.nan] * 4, "qform_code": 0, "sform_code": 1},
        {"srow_x": [0.0] * 4, "srow_y": [0.0] * 4, "qform_code": 0, "sform_code": 1},
    ],
)
def test_impossible_places_are_refused(tmp_path, header):
    path = written(tmp_path / "a.nii", Q, None)
    image = nib.load(path)
    content = bytearray(path.read_bytes())
    for key, value in header.items():
        image.header[key] = value
    content[:348] = image.header.binaryblock
    path.write_bytes(content)
    with pytest.raises(InputError):
        Volume.read(path)
