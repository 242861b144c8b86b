"""`SlicePredictor`: one way through, whatever the order of the voxels, batch size or memory."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from toy_organs import LIVER, PLACES, SPLEEN, organs
from toy_segmenter import ToySegmenter, toy_predictor

from TextPromptSegLib.image.volume import AxisMap
from TextPromptSegLib.outcome import Cancelled, DeviceError, Outcome

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
