"""Several candidates for one prompt: their masks, mean, spread, diversity; image encoded once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from doubtful_segmenter import CORE, LIVER, RIM, Doubtful, organ
from tiny_bert import SIZES, tiny_encoder, write_tiny_bert
from toy_segmenter import phantom, toy_predictor

from TextPromptSegLib.inference import candidates
from TextPromptSegLib.inference.candidates import (
    Spread,
    Whole,
    distance,
    diversity,
    draw_noise,
    energy_distance,
    linked,
)
from TextPromptSegLib.inference.loaded_checkpoint import LoadedCheckpoint
from TextPromptSegLib.inference.predictor import SlicePredictor
from TextPromptSegLib.outcome import Cancelled, CheckpointError, InputError, Outcome
from TextPromptSegLib.prompting.boxed import Boxed
from TextPromptSegLib.systems.registry import create

K = 6


def test_candidates_mean_and_uncertainty_fit_together() -> None:
    model = Doubtful()
    predictor = toy_predictor({"liver": LIVER, "spleen": 0.9}, model=model)
    predictor.set_volume(organ())
    (answer,) = predictor.segment(["liver"], samples=K)
    assert model.encoded_slices == 24  # once, not once per sample
    noise = draw_noise(K, 1)[:, 0]
    signs, expected = (noise > 0).numpy(), torch.sigmoid(400 * 0.01 * noise).numpy()
    assert 0 < signs.sum() < K
    assert len(answer.candidates) == K and answer.outcome is Outcome.FOUND
    for mask, rim in zip(answer.candidates, signs, strict=True):
        assert mask.dtype == np.uint8 and mask.shape == answer.mask.shape
        assert mask[CORE].all() and bool(mask[RIM].all()) == rim == bool(mask[RIM].any())
    assert answer.probability is not None and answer.uncertainty is not None
    assert answer.probability[CORE].min() > 0.99
    np.testing.assert_allclose(answer.probability[RIM], expected.mean(), atol=0.01)
    np.testing.assert_allclose(answer.uncertainty[RIM], expected.std(), atol=0.01)
    assert answer.uncertainty.dtype == np.float16
    assert answer.uncertainty[CORE].max() < 0.02
    said = answer.provenance["samples"]
    assert said["count"] == K and len(said["volumes_ml"]) == K
    assert said["diversity"] == pytest.approx(diversity(answer.candidates), abs=1e-4)
    assert "6 candidates" in answer.message


def test_the_same_request_gives_the_same_candidates_and_the_usual_answer_has_none() -> None:
    predictor = toy_predictor({"liver": LIVER}, model=Doubtful())
    predictor.set_volume(organ())
    first, again = (predictor.segment(["liver"], samples=3)[0] for _ in range(2))
    for a, b in zip(first.candidates, again.candidates, strict=True):
        assert np.array_equal(a, b)
    (usual,) = predictor.segment(["liver"])
    assert usual.candidates == () and usual.uncertainty is None
    refused = predictor.segment(["unicorn"], samples=2)[0]
    assert refused.outcome is Outcome.UNKNOWN_PROMPT and refused.candidates == ()
    plain = toy_predictor({"liver": LIVER})
    plain.set_volume(organ())
    with pytest.raises(CheckpointError, match="draws no samples"):
        plain.segment(["liver"], samples=2)


def test_progress_counts_all_samples_and_cancels() -> None:
    predictor = toy_predictor({"liver": LIVER}, model=Doubtful())
    predictor.set_volume(organ())
    seen: list[tuple[int, int, str]] = []

    def watch(done: int, total: int, message: str) -> bool:
        seen.append((done, total, message))
        return done < 30

    with pytest.raises(Cancelled):
        predictor.segment(["liver"], samples=2, progress=watch)
    done = [item[0] for item in seen]
    assert done == sorted(done) and seen[-1][1] == 48
    assert seen[-1][2].startswith("candidates, all 2: liver")
    assert predictor.segment(["liver"], samples=2)[0].candidates


@pytest.mark.parametrize("most", [1, 2, 10**9])
def test_candidates_are_the_same_however_many_fit_in_one_pass(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = organ()
    prompts = ["liver", "spleen"]
    trained = {"liver": LIVER, "spleen": 0.9}
    whole = toy_predictor(trained, model=Doubtful())
    whole.set_volume(volume)
    expected = whole.segment(prompts, samples=5)
    monkeypatch.setattr(candidates, "MOST_BYTES", most * 3 * volume.array.size * 2)
    model = Doubtful()
    parted = toy_predictor(trained, model=model)
    parted.set_volume(volume)
    seen: list[int] = []
    found = parted.segment(prompts, samples=5, progress=lambda d, t, m: not seen.append(d))  # type: ignore[func-returns-value]
    assert model.encoded_slices == 24 and seen == sorted(seen) and seen[-1] == 5 * 24
    for a, b in zip(found, expected, strict=True):
        assert len(a.candidates) == len(b.candidates) == 5
        assert all(np.array_equal(x, y) for x, y in zip(a.candidates, b.candidates, strict=True))
        assert np.array_equal(a.uncertainty, b.uncertainty)


def test_candidates_of_one_pass_are_limited_by_their_memory() -> None:
    assert candidates.per_pass(8, 79_000_000, 1) == 8
    assert candidates.per_pass(8, 79_000_000, 3) == 3
    assert candidates.per_pass(8, 10**12, 3) == 1


def clouds(seed: int, count: int, shape: tuple[int, int, int]) -> list[np.ndarray]:
    """Return probabilities that lie in boxes of their own, one of them empty."""
    rng = np.random.default_rng(seed)
    made = [np.zeros(shape, np.float16) for _ in range(count)]
    for array in made[:-1]:
        low = [int(rng.integers(0, n)) for n in shape]
        part = array[tuple(slice(a, a + 3) for a in low)]
        part[...] = rng.random(part.shape)
    return made


@pytest.mark.parametrize("seed", range(4))
def test_spread_in_boxes_is_that_of_whole_volumes(seed: int) -> None:
    shape = (4, 5, 6)
    samples = clouds(seed, 5, shape)
    spread, mean, squares = Spread(shape), np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    largest = Whole(shape)
    for count, sample in enumerate(samples, 1):
        spread.add(Boxed.of(sample))
        largest.add(Boxed.of(sample))
        values = sample.astype(np.float32)
        before = values - mean
        mean += before / count
        squares += before * (values - mean)
    deviation = np.sqrt(squares / len(samples)).astype(np.float16)
    assert np.array_equal(spread.mean().whole(), mean.astype(np.float16))
    assert np.array_equal(spread.deviation().whole(), deviation)
    np.testing.assert_allclose(deviation, np.std(samples, 0, dtype=float), atol=1e-3)
    assert np.array_equal(largest.mean().whole(), np.max(samples, 0))


@pytest.mark.parametrize("seed", range(4))
def test_distances_of_boxes_are_those_of_whole_masks(seed: int) -> None:
    masks = [(cloud > 0.3).astype(np.uint8) for cloud in clouds(seed, 5, (3, 4, 4))]
    for a in masks:
        for b in masks:
            union = np.count_nonzero(a | b)
            expected = 1 - np.count_nonzero(a & b) / union if union else 0.0
            assert distance(a, Boxed.of(b)) == expected
    pairs = [distance(a, b) for a in masks for b in masks]
    assert diversity(masks) == pytest.approx(np.mean(pairs))


def test_diversity_and_energy_distance_by_hand() -> None:
    a, b, empty = (np.array([[row]]) for row in ([1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]))
    assert distance(a, b) == pytest.approx(2 / 3) and distance(a, a) == 0
    assert distance(empty, empty) == 0 and distance(a, empty) == 1
    assert diversity([a, b]) == pytest.approx(2 * (2 / 3) / 4)
    assert diversity([a]) == 0
    assert energy_distance([a, b], [a, b]) == pytest.approx(0)
    assert energy_distance([a], [b]) == pytest.approx(4 / 3)


def test_the_first_candidates_do_not_depend_on_how_many_are_asked() -> None:
    assert torch.equal(draw_noise(3, 5), draw_noise(8, 5)[:3])


def test_svp_cvae_gives_candidates_and_refuses_sagittal_slices(tmp_path: Path) -> None:
    torch.manual_seed(0)
    sizes = {
        **SIZES,
        "in_channels": 1,
        "hidden_sizes": [8, 8, 16, 16],
        "depths": [1, 1, 1, 1],
        "text_depths": [2, 4, 6],
        "lora_layers": 2,
        "heads": 2,
        "head_channels": 8,
        "presence": True,
    }
    model, encoder = create("svp-cvae", sizes), tiny_encoder(write_tiny_bert(tmp_path))
    model.attach_text_encoder(encoder)
    config = {
        "name": "tiny",
        "system": "svp-cvae",
        "input": {"size": 64, "multiple": 32, "ct_windows": [[0, 1000]]},
        "text_encoder": {"id": "tiny"},
        "planes": ["axial", "coronal", "sagittal"],
        "trained_prompts": {"liver": {}, "spleen": {}},
        "presence_threshold": 0.01,
    }
    predictor = SlicePredictor(LoadedCheckpoint(model, config, encoder, tmp_path), "cpu", "float32")
    volume = phantom({LIVER: [CORE]}, shape=(6, 48, 64))
    with pytest.raises(InputError, match="use axial or coronal slices"):
        predictor.set_volume(volume, plane="sagittal")
    predictor.set_volume(volume)
    usual = predictor.segment(["liver"])[0]
    assert np.array_equal(usual.probability, predictor.segment(["liver"])[0].probability)
    answers = predictor.segment(["liver", "spleen"], samples=3)
    for answer in answers:
        assert len(answer.candidates) == 3
        assert answer.uncertainty is not None and answer.uncertainty.max() > 0


def test_an_instance_keeps_its_number_from_slice_to_slice() -> None:
    left, right, small = (np.zeros((4, 8, 8), np.uint8) for _ in range(3))
    left[:, 2:6, 5:8], right[:, 2:6, 0:3], small[2, 0, 0] = 1, 1, 1
    right[2] = 0  # missing in one slice
    ranked = [left.copy(), right.copy(), small.copy(), np.zeros_like(left)]
    for n in (1, 3):  # the other one scores better there
        ranked[0][n], ranked[1][n] = right[n], left[n]
    for axis in range(3):
        turned = [np.moveaxis(mask, 0, axis) for mask in ranked]
        found = linked(turned, axis)
        assert len(found) == 3  # one holds nothing
        for mask, expected in zip(found, (left, right, small), strict=True):
            assert np.array_equal(np.moveaxis(mask.whole(), axis, 0), expected)
