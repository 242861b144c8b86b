"""What of the image the network sees: region, intensity, resizing; as MONAI's inferer does."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from toy_organs import LIVER, PLACES, SPLEEN, dice, organs
from toy_segmenter import SPEC, ToySegmenter, phantom, toy_checkpoint, toy_predictor

from TextPromptSegLib.image.intensity import InputSpec, scale_intensity
from TextPromptSegLib.image.resizing import resize_bicubic
from TextPromptSegLib.image.slice_stack import SliceStack, plane_view
from TextPromptSegLib.image.volume import AxisMap, Volume
from TextPromptSegLib.inference.predictor import SlicePredictor
from TextPromptSegLib.outcome import InputError

ROOT = Path(__file__).resolve().parents[3]

# -- region --------------------------------------------------------------------------------------


def test_slice_numbers_are_those_of_the_file() -> None:
    flipped = AxisMap((0, 1, 2), (True, False, False))
    canonical = organs()
    volume = replace(
        canonical,
        array=canonical.array[::-1],
        ijk_to_ras=canonical.ijk_to_ras @ flipped.index_matrix(canonical.shape),
    )
    predictor = toy_predictor(PLACES)
    predictor.set_volume(volume, slices=(11, 13))
    (answer,) = predictor.segment(["liver"])
    assert np.flatnonzero(answer.mask.any(axis=(1, 2))).tolist() == [11, 12]
    assert answer.provenance["slices"] == [11, 13]


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_nothing_outside_the_roi(plane: str) -> None:
    volume = organs()
    predictor = toy_predictor(PLACES, planes=["axial", "coronal", "sagittal"])
    # LPS array, RAS box: R = -i, A = -j, S = 2 k
    predictor.set_volume(volume, roi=(-20.2, -14.8, -25.2, -11.8, 11.8, 20.2), plane=plane)
    (answer,) = predictor.segment(["liver"])
    expected = np.zeros(volume.shape, bool)
    expected[6:11, 12:26, 15:21] = True
    assert np.array_equal(answer.mask != 0, expected)
    assert answer.probability is not None and answer.probability[~expected].max() == 0
    assert answer.max_probability == pytest.approx(float(answer.probability.max()))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"roi": (500, 510, 0, 10, 0, 10)}, "outside the image"),
        ({"roi": (0, 1, 2)}, "six numbers"),
        ({"slices": (20, 30)}, "not in the image, whose axial slices are 0:24"),
        ({"slices": (5, 5)}, "not in the image"),
        ({"slices": (0, 2), "roi": (-20, -10, -20, -10, 20, 30)}, "no slice in common"),
        ({"plane": "coronal"}, "trained on axial slices, not on coronal"),
        ({"plane": "oblique"}, "not a plane"),
    ],
)
def test_impossible_regions_are_refused_with_a_sentence(arguments: dict, sentence: str) -> None:
    predictor = toy_predictor(PLACES)
    with pytest.raises(InputError, match=sentence):
        predictor.set_volume(organs(), **arguments)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_single_slice_is_looked_at_as_it_is(axis: int) -> None:
    volume = organs()
    part = [slice(None)] * 3
    part[axis] = slice((10, 22, 20)[axis], (10, 22, 20)[axis] + 1)
    one = replace(volume, array=volume.array[tuple(part)].copy())
    predictor = toy_predictor(PLACES)
    predictor.set_volume(one)
    (answer,) = predictor.segment(["liver"])
    assert dice(answer.mask, one.array == 300) > 0.85  # enlarged, where the slice is small


def test_views_of_a_stack_write_into_the_array() -> None:
    array = np.zeros((3, 4, 5))
    for number, plane in enumerate(("axial", "coronal", "sagittal"), 1):
        view = plane_view(array, plane)
        assert view.shape == {1: (3, 4, 5), 2: (4, 3, 5), 3: (5, 3, 4)}[number]
        view[1, 0] = number  # the top row: anterior, or superior
        place = {1: (1, 0, slice(None)), 2: (2, 1, slice(None)), 3: (2, slice(None), 1)}[number]
        assert (array[place] == number).all()


# -- image ---------------------------------------------------------------------------------------


def test_an_image_without_a_number_is_refused() -> None:
    nothing = replace(organs(), array=np.full((4, 8, 8), np.nan, np.float32), name="empty")
    predictor = toy_predictor(PLACES)
    with pytest.raises(InputError, match="empty holds no finite number"):
        predictor.set_volume(nothing)


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.float32, np.float64, np.int32])
def test_network_sees_what_scale_intensity_says(dtype: type) -> None:
    rng = np.random.default_rng(3)
    low = 0 if dtype is np.uint16 else -1000
    array = rng.integers(low, 1200, (5, 64, 64)).astype(dtype)
    if np.dtype(dtype).kind == "f":
        array[0, :4, 0] = [np.nan, np.inf, -np.inf, 500]
    spec = InputSpec(64, 8, in_channels=2, ct_windows=((0, 1000), (-500, 500)))
    volume = Volume.from_array(array, modality="CT")
    seen = SliceStack(volume, "axial", spec, "CT").images(1 if low else 0, 5).numpy()
    expected = scale_intensity(array, "CT", spec).transpose(1, 0, 2, 3)[1 if low else 0 :]
    assert seen.dtype == np.float32
    np.testing.assert_allclose(seen, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("before", "after"),
    [((512, 512), (256, 256)), ((300, 411), (187, 256)), ((20, 33), (40, 66)), ((7, 5), (7, 64))],
)
def test_resizing_is_that_of_training(before: tuple[int, int], after: tuple[int, int]) -> None:
    image = torch.randn(3, *before)
    options = {"mode": "bicubic", "align_corners": False, "antialias": True}
    expected = torch.nn.functional.interpolate(image[None], after, **options)[0]
    found = resize_bicubic(image.numpy(), after)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(6, 150, 120), (6, 40, 25), (6, 64, 50), (4, 90, 140)])
def test_resizing_there_and_back_keeps_the_shape(shape: tuple[int, int, int]) -> None:
    k, j, i = shape
    box = (slice(1, k - 1), slice(j // 4, j - j // 4), slice(i // 4, i - i // 5))
    volume = phantom({LIVER: [box]}, shape, body=False)
    predictor = toy_predictor(PLACES)
    predictor.set_volume(volume)
    (answer,) = predictor.segment(["liver"])
    assert answer.mask.shape == shape
    assert dice(answer.mask, volume.array == 300) > 0.9


def test_network_never_sees_a_canvas_other_than_in_training() -> None:
    shapes = []

    class Watcher(ToySegmenter):
        def encode_image(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
            shapes.append(tuple(images.shape[1:]))
            return super().encode_image(images)

    spec = {"size": 256, "multiple": 32, "canvases": [128, 256], "in_channels": 2}
    spec["ct_windows"] = [[0, 1000], [-500, 500]]
    for side in (20, 63, 100, 300):
        predictor = toy_predictor(PLACES, model=Watcher(), input=spec)
        predictor.set_volume(phantom({}, (1, side, side)))
        predictor.segment(["liver"])
    assert shapes == [(2, 128, 128), (2, 128, 128), (2, 256, 256), (2, 256, 256)]


def test_equals_monai_slice_inferer() -> None:
    from monai.inferers import SliceInferer

    from TextPromptSegLib.systems.registry import create

    torch.manual_seed(0)
    sizes = {"channels": (8, 16), "text_dim": 1, "dropout": 0.0, "se_ratio": 4}
    model = create("film-unet", sizes).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    checkpoint = replace(toy_checkpoint(PLACES, presence=None), model=model)
    predictor = SlicePredictor(checkpoint, "cpu", "float32", batch=5)
    rng = np.random.default_rng(0)
    volume = Volume.from_array(rng.integers(-1000, 1000, (7, 64, 64)), modality="CT")
    predictor.set_volume(volume)
    (answer,) = predictor.segment(["liver"])
    text = checkpoint.text_encoder.encode(["liver"])

    def network(images: torch.Tensor) -> torch.Tensor:
        rows = text.index(torch.zeros(len(images), dtype=torch.long))
        return model.decode(model.encode_image(images), rows)[0]

    spec = InputSpec.from_dict(SPEC)
    image = torch.from_numpy(scale_intensity(volume.array, "CT", spec))[None]
    inferer = SliceInferer(roi_size=(64, 64), spatial_dim=0, sw_batch_size=3)
    with torch.inference_mode():
        logits = inferer(image, network)
    expected = torch.sigmoid(logits)[0, 0].numpy()
    np.testing.assert_allclose(answer.probability, expected, atol=2e-3)
    assert np.ptp(expected) > 0.01  # it is a picture, not a constant


def test_half_precision_agrees() -> None:
    checkpoint = toy_checkpoint(PLACES)
    predictor = SlicePredictor(checkpoint, "cpu", "bfloat16")
    predictor.set_volume(organs())
    for answer, place in zip(predictor.segment(["liver", "spleen"]), (LIVER, SPLEEN), strict=True):
        assert dice(answer.mask, organs().array == round(place * 1000)) > 0.995
    assert answer.provenance["precision"] == "bfloat16"


def test_works_without_monai() -> None:
    code = (
        f"import sys; sys.path[:0] = {[str(ROOT), str(ROOT / 'Testing' / 'Lib' / 'support')]!r}\n"
        "sys.modules['monai'] = None\n"
        "from toy_segmenter import phantom, toy_predictor\n"
        "box = (slice(2, 9), slice(10, 20), slice(10, 20))\n"
        "predictor = toy_predictor({'liver': 0.3})\n"
        "predictor.set_volume(phantom({0.3: [box]}))\n"
        "assert predictor.segment(['liver'])[0].voxels == 700\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
