"""The overlay picture: right slices, right sides, right colours, readable files."""

from __future__ import annotations

import colorsys
import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.outcome import Outcome, OutputError
from TextPromptSegLib.pictures.overlay import (
    LUNG_WINDOW,
    SOFT_TISSUE_WINDOW,
    display_window,
    render_overlay,
    select_views,
    structure_colours,
)
from TextPromptSegLib.pictures.overlay_panels import legend_grid, panel_boxes, smooth_boundary
from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.prompting.segmentation import Segmentation
from TextPromptSegLib.prompting.vocabulary import Vocabulary


def answer(text: str, mask: np.ndarray, outcome: Outcome | None = None) -> Segmentation:
    (prompt,) = parse_prompts(text)
    voxels = int(mask.sum())
    return Segmentation(
        prompt=prompt,
        outcome=outcome or (Outcome.FOUND if voxels else Outcome.NOT_FOUND),
        mask=mask.astype(np.uint8),
        probability=mask.astype(np.float16),
        seconds=0.1,
        max_probability=0.97 if voxels else 0.04,
        voxels=voxels,
        volume_ml=voxels * 0.01,
        threshold=0.5,
    )


def chest(shape: tuple[int, int, int] = (10, 30, 40)) -> tuple[Volume, np.ndarray, np.ndarray]:
    """A CT in LPS order with a right and a left lung; the right one (low i) is the larger."""
    array = np.full(shape, 40, np.int16)
    right, left = np.zeros(shape, bool), np.zeros(shape, bool)
    right[2:9, 8:24, 4:17] = True
    left[3:8, 10:22, 26:34] = True
    array[right | left] = -800
    volume = Volume.from_array(array, (3.0, 3.0, 10.0), modality="CT", name="chest")
    return volume, right, left


# ---- slices and sides ----

ORIENTATIONS = [
    (order, flips)
    for order in itertools.permutations(range(3))
    for flips in itertools.product((False, True), repeat=3)
]


@pytest.mark.parametrize(("order", "flips"), ORIENTATIONS)
def test_sides_are_right_in_all_48_orientations(
    order: tuple[int, int, int], flips: tuple[bool, bool, bool]
) -> None:
    # One marker that lies right, anterior and superior, in LPS order (k up, j back, i to the left).
    marker = np.zeros((8, 12, 16), bool)
    marker[6, 2, 3] = True
    lps = Volume.from_array(np.zeros(marker.shape, np.int16), (1.0, 2.0, 4.0))
    array = marker.transpose(order)
    index = np.zeros((4, 4))
    index[3, 3] = 1
    for new, old in enumerate(order):
        index[2 - old, 2 - new] = 1
    matrix = lps.ijk_to_ras @ index
    for axis, flip in enumerate(flips):
        if flip:
            array = np.flip(array, axis)
            turn = np.eye(4)
            turn[2 - axis, 2 - axis] = -1
            turn[2 - axis, 3] = array.shape[axis] - 1
            matrix = matrix @ turn
    volume = Volume(np.zeros(array.shape, np.int16), matrix)
    axial, coronal, sagittal = select_views(volume, [answer("liver", array)])
    assert [v.plane for v in (axial, coronal, sagittal)] == ["axial", "coronal", "sagittal"]
    assert (axial.letters, coronal.letters, sagittal.letters) == (
        ("R", "L", "A", "P"),
        ("R", "L", "S", "I"),
        ("A", "P", "S", "I"),
    )
    where = [tuple(int(n[0]) for n in np.nonzero(v.masks[0])) for v in (axial, coronal, sagittal)]
    # (row, column): 2 of 12 from the front, 3 of 16 from the right, 1 of 8 from above.
    assert where == [(2, 3), (1, 3), (1, 2)]
    assert axial.size_mm == pytest.approx((24, 16))
    assert coronal.size_mm == pytest.approx((32, 16))
    assert sagittal.size_mm == pytest.approx((32, 24))


def test_slices_go_through_the_largest_cross_sections_of_all_structures() -> None:
    shape = (20, 20, 20)
    big, small = np.zeros(shape, bool), np.zeros(shape, bool)
    big[5, 2:12, 2:12] = True
    big[12, 3:12, 2:12] = True
    small[12, 15:17, 15:17] = True
    axial, *_ = select_views(
        Volume.from_array(np.zeros(shape)), [answer("liver", big), answer("spleen", small)]
    )
    assert axial.index == 12, "the small structure counts as much as the large one"
    nothing = select_views(Volume.from_array(np.zeros(shape)), [answer("liver", big & False)])
    assert [view.index for view in nothing] == [10, 10, 10]


def test_positions_are_told_in_patient_directions() -> None:
    mask = np.zeros((9, 9, 9), bool)
    mask[2, 7, 1] = True
    matrix = np.diag([-1.0, -1.0, 1.0, 1.0])
    matrix[:3, 3] = (10, 4, -30)
    volume = Volume(np.zeros(mask.shape), matrix)
    labels = [
        view.label.split(maxsplit=1)[1] for view in select_views(volume, [answer("liver", mask)])
    ]
    assert labels == ["I 28 mm", "P 3 mm", "R 9 mm"]


@pytest.mark.parametrize(
    ("shape", "plane", "letters"),
    [
        ((1, 20, 30), "axial", ("R", "L", "A", "P")),
        ((20, 1, 30), "coronal", ("R", "L", "S", "I")),
        ((20, 30, 1), "sagittal", ("A", "P", "S", "I")),
    ],
)
def test_a_single_slice_is_shown_alone(
    shape: tuple[int, int, int], plane: str, letters: tuple[str, ...]
) -> None:
    (view,) = select_views(Volume.from_array(np.zeros(shape)), [])
    assert (view.plane, view.letters) == (plane, letters)


def test_a_few_slices_are_shown_from_their_good_side_only() -> None:
    few = Volume.from_array(np.zeros((3, 80, 90)), (1.0, 1.0, 2.0))
    assert [view.plane for view in select_views(few, [])] == ["axial"]
    flat = Volume.from_array(np.zeros((10, 80, 90)), (1.0, 1.0, 2.0))
    assert len(select_views(flat, [])) == 3
    rod = Volume.from_array(np.zeros((100, 10, 40)), (1.0, 1.0, 1.0))
    views = select_views(rod, [])
    assert [view.plane for view in views] == ["axial", "coronal"]
    boxes, width, height = panel_boxes(views)
    assert len(boxes) == 2 and width > height > 1


def test_a_picture_without_geometry_claims_only_the_convention() -> None:
    picture = Volume.from_array(np.zeros((1, 20, 30)), meta={"geometry": "assumed"})
    (view,) = select_views(picture, [])
    assert (view.plane, view.letters, view.label) == ("image", ("R", "L", "", ""), "")


# ---- grey levels and colours ----


def test_the_window_follows_what_was_found() -> None:
    volume, right, left = chest()
    lungs = [answer("right lung", right), answer("left lung", left)]
    assert display_window(volume, lungs) == LUNG_WINDOW
    assert display_window(volume, [answer("liver", volume.array == 40)]) == SOFT_TISSUE_WINDOW
    nothing = np.zeros(right.shape, bool)
    assert display_window(volume, [answer("right lung", nothing)]) == LUNG_WINDOW
    air = -900 - np.arange(volume.array.size).reshape(volume.shape) % 7
    silent = Volume.from_array(np.where(volume.array > 0, volume.array, air))
    assert silent.modality is None and display_window(silent, lungs) == LUNG_WINDOW
    assert display_window(volume, [answer("urinary bladder", nothing)]) == SOFT_TISSUE_WINDOW


@pytest.mark.parametrize(
    "array",
    [
        np.full((2, 4, 4), 7.0),
        np.full((2, 4, 4), np.nan),
        np.where(np.arange(32).reshape(2, 4, 4) > 5, 100.0, np.inf),
        np.arange(32, dtype=np.uint8).reshape(2, 4, 4),
    ],
)
def test_any_image_gets_a_usable_window(array: np.ndarray) -> None:
    low, high = display_window(Volume.from_array(array, modality="MR"), [])
    assert np.isfinite([low, high]).all()
    assert low < high


def test_colours_keep_the_vocabulary_and_tell_pairs_apart() -> None:
    mask = np.ones((1, 2, 2), bool)
    names = ["liver", "right kidney", "left kidney", "spleen", "right lung", "left lung"]
    colours = structure_colours([answer(name, mask) for name in names])
    hues = [colorsys.rgb_to_hsv(*colour)[0] for colour in colours]
    vocabulary = Vocabulary.load()
    for name, hue in (("liver", hues[0]), ("spleen", hues[3])):
        rgb = [c / 255 for c in vocabulary.terminology(name).colour]
        assert hue == pytest.approx(colorsys.rgb_to_hsv(*rgb)[0], abs=1e-6), name
    gaps = [min(abs(a - b), 1 - abs(a - b)) for a, b in itertools.combinations(hues, 2)]
    assert min(gaps) > 0.05
    for colour in colours:
        _, saturation, value = colorsys.rgb_to_hsv(*colour)
        assert saturation >= 0.6 and value >= 0.9, "a pale colour is lost on grey"


# ---- outlines ----


def area_of(mask: np.ndarray, spacing: tuple[float, float], step: float) -> float:
    boundary = smooth_boundary(mask, spacing, step)
    assert boundary is not None
    return float((boundary[2] > 0).sum()) * step**2


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (10.0, 2.0), (0.7, 3.0)])
def test_outlines_enclose_the_area_of_the_mask(spacing: tuple[float, float]) -> None:
    y, x = np.mgrid[:60, :60]
    disc = ((y - 30) * spacing[0]) ** 2 + ((x - 30) * spacing[1]) ** 2 < (
        20 * min(spacing)
    ) ** 2 * max(spacing) / min(spacing)
    expected = disc.sum() * spacing[0] * spacing[1]
    step = min(spacing) / 4
    assert area_of(disc, spacing, step) == pytest.approx(expected, rel=0.06)


def test_outlines_lie_where_the_mask_lies_and_thin_parts_stay() -> None:
    mask = np.zeros((40, 50), bool)
    mask[10, 20] = True  # one voxel
    mask[25:27, 5:45] = True  # a thin line
    mask[0:4, 0:6] = True  # at the border
    x, y, distance = smooth_boundary(mask, (2.0, 3.0), 0.25)
    inside = distance > 0

    def at(row: int, column: int) -> bool:
        return bool(
            inside[
                np.abs(y - (row + 0.5) * 2.0).argmin(), np.abs(x - (column + 0.5) * 3.0).argmin()
            ]
        )

    assert at(10, 20) and at(25, 30) and at(1, 1)
    assert not at(10, 22) and not at(12, 20) and not at(30, 30)
    rows, columns = np.nonzero(inside)
    assert x[columns].min() >= -0.6 * 3 and y[rows].min() >= -0.6 * 2
    assert smooth_boundary(mask & False, (1.0, 1.0), 1.0) is None


# ---- the picture ----


def coloured(picture: np.ndarray) -> np.ndarray:
    """Pixels with a clear hue, as (H, W) bool."""
    return picture.max(-1).astype(int) - picture.min(-1) > 60


def test_picture_shows_the_right_lung_on_the_left(tmp_path: Path) -> None:
    volume, right, left = chest()
    results = [
        answer("right lung", right),
        answer("left lung", left),
        answer("urinary bladder", right & False),
    ]
    path = render_overlay(volume, results, tmp_path / "o.png", subtitle="model")
    with Image.open(path) as image:
        assert image.format == "PNG"
        picture = np.asarray(image.convert("RGB"))
    height, width = picture.shape[:2]
    assert width > 1500 and width / height > 1.5
    hues = [colorsys.rgb_to_hsv(*c)[0] for c in structure_colours(results)[:2]]
    found = np.asarray(Image.fromarray(picture).convert("HSV"))[..., 0] / 255.0
    views = select_views(volume, results)
    boxes, total, _ = panel_boxes(views)
    axial_right = (0.18 + boxes[0][2]) / (total + 0.36) * width
    panel = np.arange(width)[None] < axial_right
    body = np.arange(height)[:, None] < 0.75 * height  # without the legend
    centres = []
    for hue in hues:
        gap = np.abs(found - hue)
        near = (np.minimum(gap, 1 - gap) < 0.04) & coloured(picture) & panel & body
        assert near.sum() > 500
        centres.append(np.nonzero(near)[1].mean())
    assert centres[0] < axial_right / 2 < centres[1]


def test_picture_of_every_kind_of_volume(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=(3, 64, 80)).astype(np.float32)
    noise[0, 0, 0] = np.nan
    mask = noise > 1.5
    cases = {
        "thin": Volume.from_array(noise, (1.0, 1.0, 5.0), modality="MR"),
        "picture": Volume.from_array(noise[:1], meta={"geometry": "assumed"}),
        "sagittal": Volume.from_array(np.ascontiguousarray(noise.transpose(1, 2, 0)[..., :1])),
        "constant": Volume.from_array(np.zeros((4, 8, 8), np.uint8)),
    }
    for name, volume in cases.items():
        shown = mask.transpose(1, 2, 0)[..., :1] if name == "sagittal" else mask[: volume.shape[0]]
        if name == "constant":
            shown = np.zeros(volume.shape, bool)
        path = render_overlay(volume, [answer("liver", shown)], tmp_path / f"{name}.png")
        with Image.open(path) as image:
            assert min(image.size) > 200, name
    assert render_overlay(cases["thin"], [], tmp_path / "none.png").stat().st_size > 1000


def test_picture_lists_unknown_prompts_and_grows_with_the_legend(tmp_path: Path) -> None:
    volume, right, _ = chest()
    few = [answer("liver", right)]
    many = [answer(name, right) for name in ("liver", "spleen", "aorta", "stomach", "pancreas") * 2]
    many.append(answer("flux capacitor", right & False, Outcome.UNKNOWN_PROMPT))
    sizes = []
    for results in (few, many):
        with Image.open(render_overlay(volume, results, tmp_path / "o.png")) as image:
            sizes.append(image.size)
    assert sizes[0][0] == sizes[1][0] and sizes[0][1] < sizes[1][1]
    rows, columns = legend_grid(many, 6.0)
    assert rows * columns >= len(many) > (rows - 1) * columns


def test_a_picture_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    volume, right, _ = chest()
    with pytest.raises(OutputError, match=r"o\.png"):
        render_overlay(volume, [answer("liver", right)], tmp_path / "missing" / "o.png")


@pytest.mark.parametrize("name", ["a$b$c", "$\\frac{$", "\x1b[2J", "M\udcfcller", "a\0b", "x\ny"])
@pytest.mark.filterwarnings("ignore:Glyph")
def test_any_name_of_a_file_can_be_drawn(tmp_path: Path, name: str) -> None:
    volume = Volume(np.random.default_rng(0).random((4, 20, 20)).astype(np.float32), name=name)
    mask = np.zeros(volume.shape, np.uint8)
    render_overlay(volume, [answer("liver", mask)], tmp_path / "o.png", subtitle=name)
    assert (tmp_path / "o.png").stat().st_size > 1000
