"""`SlicePredictor`: one way through, whatever the order of the voxels, batch size or memory."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
import torch
from toy_segmenter import SPEC, ToySegmenter, phantom, toy_checkpoint, toy_predictor

from TextPromptSegLib.image.intensity import InputSpec, scale_intensity
from TextPromptSegLib.image.resizing import resize_bicubic
from TextPromptSegLib.image.slice_stack import SliceStack, plane_view
from TextPromptSegLib.image.volume import AxisMap, Volume
from TextPromptSegLib.inference.predictor import SlicePredictor
from TextPromptSegLib.outcome import (
    Cancelled,
    CheckpointError,
    DeviceError,
    InputError,
    Outcome,
    PromptError,
)

ROOT = Path(__file__).resolve().parents[3]
LIVER, SPLEEN = 0.3, 0.7
PLACES = {"liver": LIVER, "spleen": SPLEEN, "aorta": 0.5, "pancreas": 0.9}
LIVER_BOX = (slice(4, 14), slice(10, 30), slice(12, 30))
SPLEEN_BOX = (slice(9, 18), slice(20, 34), slice(40, 52))


def organs() -> Volume:
    return phantom({LIVER: [LIVER_BOX], SPLEEN: [SPLEEN_BOX]})


def dice(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a != 0, b != 0
    return 2 * float((a & b).sum()) / max(1.0, float(a.sum() + b.sum()))


ORIENTATIONS = [
    AxisMap(source, flips)  # type: ignore[arg-type]
    for source in permutations(range(3))
    for flips in product((False, True), repeat=3)
]


@pytest.mark.parametrize("axis_map", ORIENTATIONS[::5] + ORIENTATIONS[1::17])
def test_masks_come_back_in_the_files_own_order(axis_map: AxisMap) -> None:
    canonical = organs()
    volume = replace(
        canonical,
        array=np.ascontiguousarray(axis_map.apply(canonical.array)),
        ijk_to_ras=canonical.ijk_to_ras @ axis_map.index_matrix(canonical.shape),
    )
    predictor = toy_predictor(PLACES)
    predictor.set_volume(volume)
    for answer, place in zip(predictor.segment(["liver", "spleen"]), (LIVER, SPLEEN), strict=True):
        assert answer.mask.shape == volume.shape and answer.mask.dtype == np.uint8
        assert answer.probability is not None and answer.probability.dtype == np.float16
        assert answer.probability.flags.c_contiguous and answer.mask.flags.c_contiguous
        assert np.array_equal(answer.mask, volume.array == round(place * 1000))
        assert answer.outcome is Outcome.FOUND
        assert answer.volume_ml == pytest.approx(answer.voxels * 2e-3)


@pytest.mark.parametrize("batch", [1, 3, 4, 7, 64])
@pytest.mark.parametrize("cache_bytes", [None, 0, 40_000])
def test_batches_and_memory_for_features_change_nothing(
    batch: int, cache_bytes: int | None
) -> None:
    predictor = toy_predictor(PLACES, batch=batch, cache_bytes=cache_bytes)
    predictor.set_volume(organs())
    answers = predictor.segment("liver, spleen and aorta") + predictor.segment(["spleen"])
    truth = organs().array
    for answer, place in zip(answers, (LIVER, SPLEEN, 0.5, SPLEEN), strict=True):
        assert np.array_equal(answer.mask != 0, truth == round(place * 1000))
    if cache_bytes:
        assert 0 < predictor._cache.bytes <= cache_bytes


@pytest.mark.parametrize("batch", [1, 4, 9, 10, 30])
def test_decoder_runs_only_where_the_structure_is_and_one_slice_beside(batch: int) -> None:
    model = ToySegmenter()
    predictor = toy_predictor(PLACES, model=model, batch=batch)
    predictor.set_volume(organs())
    predictor.segment(["liver"])
    assert model.decoded_pairs == 10 + 2
    assert model.encoded_slices == 24


def test_image_is_encoded_once_for_all_prompts_and_calls() -> None:
    model = ToySegmenter()
    predictor = toy_predictor(PLACES, model=model)
    predictor.set_volume(organs())
    predictor.segment(["liver", "spleen", "aorta", "pancreas"])
    predictor.segment(["spleen"])
    predictor.set_volume(organs(), slices=(2, 9))  # the same image again, read anew
    predictor.segment(["liver"])
    assert model.encoded_slices == 24
    other = organs()
    other.array[0, 0, 0] += 1
    predictor.set_volume(other)
    predictor.segment(["liver"])
    assert model.encoded_slices == 48


def test_without_a_presence_head_every_slice_is_decoded() -> None:
    model = ToySegmenter()
    predictor = toy_predictor(PLACES, model=model, presence=None)
    predictor.set_volume(organs())
    (answer,) = predictor.segment(["liver"])
    assert model.decoded_pairs == 24
    assert np.array_equal(answer.mask != 0, organs().array == 300)


def test_preview_of_one_slice_encodes_one_slice() -> None:
    model = ToySegmenter()
    predictor = toy_predictor(PLACES, model=model)
    predictor.set_volume(organs(), slices=slice(10, 11))
    predictor.segment(["liver"])
    assert model.encoded_slices == 1


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


# -- outcomes ------------------------------------------------------------------------------------


def test_outcomes_and_their_sentences() -> None:
    predictor = toy_predictor(PLACES)
    predictor.set_volume(organs())
    found, absent, unknown = predictor.segment(["liver", "pancreas", "patella"])
    assert (found.outcome, absent.outcome) == (Outcome.FOUND, Outcome.NOT_FOUND)
    assert found.message == "found 7.20 ml, max p 1.00"
    assert absent.message.startswith("not found: max p 0.0") and absent.voxels == 0
    assert unknown.outcome is Outcome.UNKNOWN_PROMPT and unknown.probability is None
    assert unknown.message.startswith("this checkpoint was not trained on 'patella'")
    assert unknown.mask.shape == predictor._volume.shape and not unknown.mask.any()


def test_what_falls_short_of_the_threshold_is_told_apart() -> None:
    predictor = toy_predictor(PLACES, model=ToySegmenter(100.0))
    predictor.set_volume(phantom({LIVER + 0.045: [LIVER_BOX]}))  # sigmoid(-0.5) = 0.38
    (answer,) = predictor.segment(["liver"])
    assert answer.outcome is Outcome.BELOW_THRESHOLD
    assert "present but below threshold (max p 0." in answer.message
    assert 0.25 <= answer.max_probability < 0.5
    assert not answer.mask.any()
    lower = predictor.rethreshold(answer, 0.1)
    assert lower.outcome is Outcome.FOUND and lower.voxels > 0


def test_a_slice_without_presence_cannot_be_found() -> None:
    class Doubter(ToySegmenter):
        def presence(self, features, text):  # type: ignore[no-untyped-def]
            return super().presence(features, text).clamp(-9.0, -0.2)  # at most 0.45

    predictor = toy_predictor(PLACES, model=Doubter())
    predictor.set_volume(organs())
    (answer,) = predictor.segment(["liver"])
    assert answer.outcome is Outcome.BELOW_THRESHOLD
    assert answer.max_probability == pytest.approx(0.45, abs=0.02)


def test_a_structures_own_gate_judges_the_best_slice_and_spares_the_others() -> None:
    class Doubter(ToySegmenter):
        def presence(self, features, text):  # type: ignore[no-untyped-def]
            return super().presence(features, text).clamp(-9.0, 1.4)  # at most 0.80

    answers = {}
    for own in (None, 0.75, 0.9):
        entry = {"modalities": ["CT"], "threshold": 0.5}
        if own is not None:
            entry["presence_threshold"] = own
        predictor = toy_predictor(PLACES, model=Doubter(), trained_prompts={"liver": entry})
        predictor.set_volume(organs())
        (answers[own],) = predictor.segment(["liver"])
    assert answers[0.75].voxels == answers[None].voxels > 0
    assert not answers[0.9].mask.any() and answers[0.9].outcome is Outcome.NOT_FOUND
    assert 0.1 < answers[0.9].max_probability < 0.25


@pytest.mark.parametrize("threshold", [0.05, 0.5, 0.93])
def test_rethreshold_equals_a_new_run(threshold: float) -> None:
    predictor = toy_predictor(PLACES, model=ToySegmenter(30.0))
    predictor.set_volume(organs())
    (first,) = predictor.segment(["liver"])
    (again,) = predictor.segment(["liver"], threshold=threshold)
    cheap = predictor.rethreshold(first, threshold)
    assert np.array_equal(cheap.mask, again.mask)
    assert (cheap.outcome, cheap.voxels, cheap.threshold) == (
        again.outcome,
        again.voxels,
        threshold,
    )


def test_threshold_of_the_checkpoint_is_used() -> None:
    trained = {"liver": {"modalities": ["CT"], "threshold": 0.9}}
    predictor = toy_predictor(PLACES, trained_prompts=trained)
    predictor.set_volume(organs())
    assert predictor.segment(["liver"])[0].threshold == 0.9
    assert predictor.segment(["liver"], threshold=0.3)[0].threshold == 0.3


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1, 7, float("nan")])
def test_impossible_thresholds(threshold: float) -> None:
    predictor = toy_predictor(PLACES)
    predictor.set_volume(organs())
    with pytest.raises(InputError, match="between 0 and 1"):
        predictor.segment(["liver"], threshold=threshold)


def test_wrong_use_is_refused_with_a_sentence() -> None:
    predictor = toy_predictor(PLACES)
    with pytest.raises(InputError, match="set_volume"):
        predictor.segment(["liver"])
    predictor.set_volume(organs())
    with pytest.raises(CheckpointError, match="draws no samples"):
        predictor.segment(["liver"], samples=4)
    for empty in ("", [], [" "]):
        with pytest.raises(PromptError):
            predictor.segment(empty)
    predictor.unload()
    with pytest.raises(DeviceError, match="load it again"):
        predictor.segment(["liver"])


def test_provenance_is_json_and_names_the_run() -> None:
    predictor = toy_predictor(PLACES)
    predictor.set_volume(organs(), roi=(-60, 0, -60, 0, 0, 40))
    (answer,) = predictor.segment(["spleen"])
    facts = json.loads(json.dumps(answer.provenance))
    assert facts["model"] == "toy" and facts["device"] == "cpu" and facts["plane"] == "axial"
    assert facts["trained_prompts"] == ["spleen"] and facts["modality"] == "CT"
    assert facts["threshold"] == 0.5 and facts["roi_ras_mm"] == [-60, 0, -60, 0, 0, 40]
    assert set(predictor.seconds) >= {"load", "text", "image", "decode"}


# -- cancel and memory ---------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0, 1, 3, 6])
def test_cancel_leaves_the_predictor_usable(after: int) -> None:
    predictor = toy_predictor(PLACES)
    predictor.set_volume(organs())
    calls = []

    def stop(done: int, total: int, message: str) -> bool:
        calls.append((done, total, message))
        return len(calls) <= after

    with pytest.raises(Cancelled):
        predictor.segment(["liver", "spleen"], progress=stop)
    assert len(calls) == after + 1
    (answer,) = predictor.segment(["liver"])
    assert np.array_equal(answer.mask != 0, organs().array == 300)


def test_progress_runs_from_nothing_to_all() -> None:
    predictor = toy_predictor(PLACES)
    predictor.set_volume(organs(), slices=(3, 20))
    seen: list[tuple[int, int]] = []
    predictor.segment(["liver"], progress=lambda d, t, m: seen.append((d, t)) or True)
    assert seen[0] == (0, 17) and seen[-1] == (17, 17)
    assert [d for d, _ in seen] == sorted(d for d, _ in seen)


@pytest.mark.parametrize("room", [1, 2, 3])
def test_out_of_memory_steps_down_and_says_so(room: int) -> None:
    model = ToySegmenter()
    model.memory_for = room
    predictor = toy_predictor(PLACES, model=model, batch=8)
    predictor._ladder.pairs = 32
    predictor.set_volume(organs())
    answers = predictor.segment(["liver", "spleen"])
    for answer, place in zip(answers, (LIVER, SPLEEN), strict=True):
        assert np.array_equal(answer.mask != 0, organs().array == round(place * 1000))
    steps = answers[0].provenance["memory_steps"]
    assert any("per pass" in step for step in steps)


def test_several_prompts_share_a_pass_where_memory_allows() -> None:
    model = ToySegmenter()
    predictor = toy_predictor(PLACES, model=model, batch=4)
    predictor._ladder.pairs = 32
    predictor.set_volume(organs())
    answers = predictor.segment(["liver", "spleen"])
    assert model.largest_pass > 4
    for answer, place in zip(answers, (LIVER, SPLEEN), strict=True):
        assert np.array_equal(answer.mask != 0, organs().array == round(place * 1000))


def test_out_of_memory_for_good_is_a_sentence() -> None:
    model = ToySegmenter()
    model.memory_for = 0
    predictor = toy_predictor(PLACES, model=model)
    predictor.set_volume(organs())
    with pytest.raises(DeviceError, match="memory"):
        predictor.segment(["liver"])


def test_other_errors_are_not_taken_for_lack_of_memory() -> None:
    class Broken(ToySegmenter):
        def encode_image(self, images):  # type: ignore[no-untyped-def]
            raise RuntimeError("shapes do not match")

    predictor = toy_predictor(PLACES, model=Broken())
    predictor.set_volume(organs())
    with pytest.raises(RuntimeError, match="shapes"):
        predictor.segment(["liver"])
