"""Volume: geometry that can be taken back, patient sides that come from the matrix."""

from __future__ import annotations

import itertools
import subprocess
import sys
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from TextPromptSegLib.image.volume import AxisMap, Volume
from TextPromptSegLib.outcome import InputError

AXES = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
ORIENTATIONS = [
    "".join(letters) for order in permutations(("RL", "AP", "SI")) for letters in product(*order)
]


def matrix_of(codes: str, spacing=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0)) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = 0
    for column, letter in enumerate(codes):
        axis, sign = AXES[letter]
        matrix[axis, column] = sign * spacing[column]
    matrix[:3, 3] = origin
    return matrix


def numbered(shape=(3, 4, 5)) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.int32).reshape(shape)


def rotation(angles) -> np.ndarray:
    (a, b, c) = angles
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return x @ y @ z


def assert_same_place(before: Volume, after: Volume) -> None:
    """Every voxel value lies at the same patient point in both volumes."""

    def points(volume: Volume) -> np.ndarray:
        k, j, i = np.indices(volume.shape).reshape(3, -1)
        order = np.argsort(volume.array.ravel())
        return volume.index_to_ras(np.stack([i, j, k], axis=1))[order]

    np.testing.assert_allclose(points(after), points(before), atol=1e-9)


def test_there_are_48_orientations():
    assert len(set(ORIENTATIONS)) == 48


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_canonical_of_every_orientation_is_lps_and_can_be_taken_back(codes):
    volume = Volume(numbered(), matrix_of(codes, (0.5, 2.0, 3.0), (10, -20, 30)))
    assert volume.axcodes == codes
    canonical = volume.canonical("LPS")
    assert canonical.axcodes == "LPS"
    assert_same_place(volume, canonical)
    back = volume.orientation("LPS").invert(canonical.array)
    np.testing.assert_array_equal(back, volume.array)
    assert np.isclose(canonical.voxel_ml, 0.003)
    lps = np.diag([-1, -1, 1, 1]) @ canonical.ijk_to_ras
    assert (np.diag(lps)[:3] > 0).all() and np.count_nonzero(lps[:3, :3]) == 3


@pytest.mark.parametrize(
    ("source", "target"), list(itertools.product(["LPS", "ASR", "PIR"], ORIENTATIONS))
)
def test_any_orientation_can_be_asked_for(source, target):
    volume = Volume(numbered(), matrix_of(source))
    turned = volume.canonical(target)
    assert turned.axcodes == target
    assert_same_place(volume, turned)


@given(
    codes=st.sampled_from(ORIENTATIONS),
    angles=st.tuples(*[st.floats(-0.6, 0.6)] * 3),
    spacing=st.tuples(*[st.floats(0.1, 8.0)] * 3),
    shear=st.floats(-0.4, 0.4),
    shape=st.tuples(*[st.integers(1, 5)] * 3),
)
@settings(max_examples=150)
def test_oblique_and_sheared_matrices_keep_every_voxel_in_place(
    codes, angles, spacing, shear, shape
):
    matrix = matrix_of(codes, spacing, (5, 6, 7))
    matrix[:3, :3] = rotation(angles) @ matrix[:3, :3]
    matrix[:3, 2] += shear * matrix[:3, 1] / np.linalg.norm(matrix[:3, 1]) * spacing[2]
    volume = Volume(numbered(shape), matrix)
    canonical = volume.canonical()
    assert_same_place(volume, canonical)
    assert canonical.canonical() is canonical  # nothing is left to turn
    assert np.isclose(canonical.voxel_ml, volume.voxel_ml)
    axis_map = volume.orientation()
    np.testing.assert_array_equal(axis_map.invert(canonical.array), volume.array)
    np.testing.assert_array_equal(axis_map.apply(volume.array), canonical.array)


@given(angles=st.tuples(*[st.floats(-3.2, 3.2)] * 3))
@settings(max_examples=200)
def test_nearest_axes_are_the_best_of_all_assignments(angles):
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(angles)
    volume = Volume(numbered(), matrix)
    found = sum(
        matrix[AXES[letter][0], column] * AXES[letter][1]
        for column, letter in enumerate(volume.axcodes)
    )
    best = max(
        sum(abs(matrix[axis, column]) for column, axis in enumerate(order))
        for order in permutations(range(3))
    )
    assert found == pytest.approx(best, abs=1e-6)


def test_axis_map_works_on_leading_axes():
    volume = Volume(numbered(), matrix_of("SRA"))
    axis_map = volume.orientation()
    probabilities = np.stack([volume.array, volume.array + 100])
    turned = axis_map.apply(probabilities)
    assert turned.shape == (2, *volume.canonical().shape)
    np.testing.assert_array_equal(axis_map.invert(turned), probabilities)
    assert AxisMap().is_identity and not axis_map.is_identity


@pytest.mark.parametrize("codes", ["LPS", "RAS", "LIA", "SRP"])
def test_patient_right_stays_right_when_an_image_is_mirrored_with_its_matrix(codes):
    # A bright cube on the patient's right (R > 0) and nothing on the left.
    base = Volume(np.zeros((8, 10, 12), np.uint8), matrix_of("LPS", origin=(6, 5, -4)))
    k, j, i = np.indices(base.shape)
    ras = base.index_to_ras(np.stack([i, j, k], axis=-1))
    array = (np.abs(ras - (4, 0, 0)) < 1.6).all(axis=-1).astype(np.uint8)
    base = base.with_array(array).canonical(codes)
    for axis in range(3):
        flips = [axis == a for a in (0, 1, 2)]
        mirror = AxisMap((0, 1, 2), tuple(flips))
        mirrored = Volume(
            mirror.apply(base.array), base.ijk_to_ras @ mirror.index_matrix(base.shape)
        )
        for volume in (base, mirrored):
            canonical = volume.canonical("LPS")
            columns = np.nonzero(canonical.array)[2]
            assert columns.size and columns.max() < canonical.shape[2] / 2  # right: small i
            ras = canonical.index_to_ras(np.argwhere(canonical.array)[:, ::-1])
            assert (ras[:, 0] > 0).all()


def test_mirrored_voxels_without_their_matrix_change_side():
    array = np.zeros((2, 4, 6), np.uint8)
    array[:, :, :2] = 1
    right = Volume(array, matrix_of("LPS")).canonical()
    wrong = Volume(array[..., ::-1], matrix_of("LPS")).canonical()
    assert right.array[..., 0].all() and not wrong.array[..., 0].any()


# -- regions -----------------------------------------------------------------------------------


def test_box_to_slices_takes_the_voxels_that_the_box_touches():
    volume = Volume(numbered((10, 20, 30)), matrix_of("RAS", (1, 2, 3), (100, 0, 0)))
    assert volume.box_to_slices(102, 104, 4, 8, 3, 6) == (slice(1, 3), slice(2, 5), slice(2, 5))
    # Voxel borders belong to one voxel only, and ends may be swapped.
    assert volume.box_to_slices(104.5, 102.5, 3, 5, -1.5, 1.5) == (
        slice(0, 1),
        slice(2, 3),
        slice(3, 5),
    )
    whole = volume.box_to_slices(*volume.bounds.ravel())
    assert whole == (slice(0, 10), slice(0, 20), slice(0, 30))
    assert volume.box_to_slices(-1e6, 1e6, -1e6, 1e6, -1e6, 1e6) == whole


@given(
    codes=st.sampled_from(ORIENTATIONS),
    angles=st.tuples(*[st.floats(-0.5, 0.5)] * 3),
    point=st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 2)),
    half=st.floats(0.0, 3.0),
)
def test_box_around_a_voxel_holds_it_in_any_orientation(codes, angles, point, half):
    matrix = matrix_of(codes, (1.0, 1.5, 2.0))
    matrix[:3, :3] = rotation(angles) @ matrix[:3, :3]
    volume = Volume(numbered((3, 4, 5)), matrix)
    x, y, z = volume.index_to_ras(np.array(point))
    k, j, i = volume.box_to_slices(x - half, x + half, y - half, y + half, z - half, z + half)
    for index, part in zip(point, (i, j, k), strict=True):
        assert part.start <= index < part.stop


@pytest.mark.parametrize(
    "box", [(50, 60, 0, 5, 0, 5), (0, 5, -90, -80, 0, 5), (0, 5, 0, 5, 30.6, 31)]
)
def test_box_outside_is_refused_with_the_bounds(box):
    volume = Volume(numbered((10, 20, 30)), matrix_of("RAS", (1, 1, 3)))
    with pytest.raises(InputError, match=r"outside the image.*x -0\.5\.\.29\.5") as caught:
        volume.box_to_slices(*box)
    assert str(caught.value).count(".\n") == 0


def test_box_needs_finite_numbers():
    with pytest.raises(InputError, match="six finite numbers"):
        Volume(numbered()).box_to_slices(0, np.nan, 0, 1, 0, 1)


# -- arrays and matrices that are refused or brought into shape ------------------------------------


@pytest.mark.parametrize(
    ("given_type", "kept"),
    [
        ("int8", "int8"), ("uint8", "uint8"), ("int16", "int16"), ("uint16", "uint16"),
        ("int32", "int32"), ("uint32", "uint32"), ("int64", "int64"), ("uint64", "uint64"),
        ("float32", "float32"), ("float64", "float64"), ("bool", "uint8"), ("float16", "float32"),
        (">i2", "int16"), (">f4", "float32"), ("longdouble", "float64"),
    ],
)  # fmt: skip
def test_every_real_type_is_taken(given_type, kept):
    volume = Volume.from_array(np.ones((2, 3, 4)).astype(given_type))
    assert volume.array.dtype == np.dtype(kept) and volume.array.dtype.isnative
    assert (volume.array == 1).all()


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 3, 4), complex), "complex"),
        (np.zeros((2, 3, 4, 5)), "4 dimensions"),
        (np.zeros(7), "1 dimensions"),
        (np.zeros((0, 3, 4)), "no voxels"),
        (np.array([[["a"]]]), "no numbers"),
        (np.array([[[None]]]), "no numbers"),
    ],
)
def test_arrays_that_are_no_image_are_refused(array, words):
    with pytest.raises(InputError, match=words):
        Volume.from_array(array)


@pytest.mark.parametrize(
    "matrix",
    [np.zeros((4, 4)), np.eye(3), np.full((4, 4), np.nan), np.diag([1.0, 1.0, 0.0, 1.0])],
)
def test_unusable_matrices_are_refused(matrix):
    with pytest.raises(InputError):
        Volume(numbered(), matrix)


def test_collinear_axes_are_refused():
    matrix = np.eye(4)
    matrix[:3, 1] = matrix[:3, 0]
    with pytest.raises(InputError, match="do not span"):
        Volume(numbered(), matrix)


@pytest.mark.parametrize("codes", ["LP", "LPSX", "LLS", "lps", "XYZ", ""])
def test_wrong_axis_codes_are_refused(codes):
    with pytest.raises(InputError, match="no orientation"):
        Volume(numbered()).orientation(codes)


def test_a_picture_becomes_one_slice_in_lps():
    volume = Volume.from_array(np.ones((6, 8), np.uint8), (0.5, 0.25, 1.0))
    assert volume.shape == (1, 6, 8) and volume.is_2d
    assert volume.spacing == (0.5, 0.25, 1.0) and volume.axcodes == "LPS"
    assert volume.canonical() is volume
    assert not Volume(numbered()).is_2d


def test_shear_and_spacing_are_measured():
    matrix = np.diag([1.0, 1.0, 2.0, 1.0])
    matrix[1, 2] = 2.0 * np.tan(np.radians(15))
    assert Volume(numbered(), matrix).shear_degrees == pytest.approx(15.0)
    assert Volume(numbered(), matrix).voxel_ml == pytest.approx(0.002)
    assert Volume(numbered()).shear_degrees == 0.0


def test_simpleitk_and_back():
    sitk = pytest.importorskip("SimpleITK")
    matrix = matrix_of("SAL", (0.5, 1.5, 2.5), (3, 4, 5))
    matrix[:3, :3] = rotation((0.1, 0.2, 0.3)) @ matrix[:3, :3]
    volume = Volume(numbered(), matrix, "CT", "x")
    image = volume.to_sitk()
    point = image.TransformIndexToPhysicalPoint((4, 3, 2))
    expected = volume.index_to_ras(np.array([4, 3, 2])) * (-1, -1, 1)
    np.testing.assert_allclose(point, expected, atol=1e-9)
    back = Volume.from_sitk(image)
    np.testing.assert_array_equal(back.array, volume.array)
    np.testing.assert_allclose(back.ijk_to_ras, volume.ijk_to_ras, atol=1e-9)
    with pytest.raises(InputError, match="scalar"):
        Volume.from_sitk(sitk.Image([4, 4], sitk.sitkVectorUInt8, 3))


def test_a_volume_cannot_be_changed_by_accident():
    matrix = np.eye(4)
    volume = Volume(numbered(), matrix)
    matrix[0, 0] = 5
    assert volume.ijk_to_ras[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        volume.ijk_to_ras[0, 0] = 5
    with pytest.raises(InputError, match="does not fit"):
        volume.with_array(np.zeros((1, 2, 3)))


def test_importing_volume_loads_no_heavy_library():
    code = (
        "import sys, TextPromptSegLib.image.volume, numpy as np\n"
        "TextPromptSegLib.image.volume.Volume.from_array(np.zeros((2, 2, 2))).canonical('RAS')\n"
        "assert not {'torch', 'SimpleITK', 'pydicom', 'scipy', 'PIL'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
