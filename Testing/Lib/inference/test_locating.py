"""Where to look before decoding: the engine, the region of interest, a tiny CLIP all the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_clip import write_tiny_clip
from toy_locator import LIVER, PLACES, predictor, volume
from toy_segmenter import ToyEncoder, phantom, toy_checkpoint

from TextPromptSegLib import SlicePredictor
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.outcome import Cancelled, Outcome
from TextPromptSegLib.systems.patch_unet_vae import PatchUNetVAE, PatchUNetVAEConfig
from TextPromptSegLib.text import load_text_encoder
from TextPromptSegLib.text.features import TextFeatures


def test_only_slices_and_pixels_of_the_region_are_decoded() -> None:
    made, model = predictor()
    made.set_volume(volume())
    liver, spleen = made.segment(["liver", "spleen"])
    expected = np.zeros(liver.mask.shape, np.uint8)
    expected[LIVER] = 1
    assert liver.outcome is Outcome.FOUND and np.array_equal(liver.mask, expected)
    assert model.decoded_pairs == 6  # the slices of the liver; the spleen has no region
    assert {tuple(box) for box in model.boxes} == {(7.5, 7.5, 23.5, 23.5)}
    assert spleen.outcome is Outcome.NOT_FOUND and spleen.max_probability == 0


def test_regions_are_of_the_volume_not_of_each_slice() -> None:
    made, model = predictor()
    wide = (slice(8, 10), slice(30, 40), slice(40, 52))  # in two of the slices, further away
    made.set_volume(volume({0.301: [wide]}))
    liver = made.segment(["liver"])[0]
    boxes = {tuple(box) for box in model.boxes}
    assert len(boxes) == 1 and liver.mask[6, 12, 14]
    x0, y0, x1, y1 = boxes.pop()
    assert x1 > 50 and y1 > 38 and x0 < 12 and y0 < 10


def test_a_region_of_interest_replaces_the_localiser() -> None:
    made, model = predictor()
    image = volume()
    made.set_volume(image, roi=(-23.4, -11.6, -19.4, -9.6, 11.0, 17.5))
    liver = made.segment(["liver"])[0]
    assert liver.outcome is Outcome.FOUND
    assert model.boxes and all(x1 - x0 < 16 for x0, _, x1, _ in model.boxes)
    k = np.flatnonzero(liver.mask.any((1, 2)))
    assert k.min() >= 5 and k.max() <= 9 and np.array_equal(liver.mask[7], _slice(image, 7))


def _slice(image: Volume, number: int) -> np.ndarray:
    return (image.array[number] == 300).astype(np.uint8)


def test_a_box_replaces_the_localiser_and_heat_maps_show_where_it_looked() -> None:
    made, model = predictor()
    made.set_volume(volume())
    box = (-24, -12, -20, -10, 12, 24)
    liver = made.segment(["liver"], box=box, heat_map=True)[0]
    assert liver.outcome is Outcome.FOUND and liver.heat_map is not None
    assert liver.heat_map.shape == liver.mask.shape and liver.heat_map.dtype == np.float16
    assert liver.heat_map[8, 15, 18] > 0.9 and liver.heat_map[2, 15, 18] < 0.1
    assert len(model.boxes) == model.decoded_pairs > 0


def test_progress_counts_both_halves_and_cancels() -> None:
    made, _ = predictor()
    made.set_volume(volume())
    seen: list[tuple[int, int, str]] = []
    made.segment(["liver"], progress=lambda d, t, m: seen.append((d, t, m)) or True)
    done = [d for d, _, _ in seen]
    assert done == sorted(done) and done[0] == 0 and seen[-1][:2] == (24, 24)
    assert any("looking" in message for _, _, message in seen)
    with pytest.raises(Cancelled):
        made.segment(["liver"], progress=lambda d, t, m: d < 15)
    assert made.segment(["liver"])[0].outcome is Outcome.FOUND


def test_thin_slices_are_looked_at_every_few_millimetres_only() -> None:
    made, model = predictor()
    thin = (slice(16, 34), slice(10, 20), slice(12, 24))
    made.set_volume(phantom({0.3: [thin]}, shape=(48, 48, 64), spacing=(1.0, 1.0, 1.0)))
    liver, spleen = made.segment(["liver", "spleen"])
    assert np.array_equal(np.flatnonzero(liver.mask.any((1, 2))), np.arange(16, 34))
    assert model.decoded_pairs == 18  # the slices that 18, 24 and 30 stand for, which are looked at
    # one slice of six is looked at; those of the region are read again, in batches of five
    assert model.encoded_slices == 48 // 6 + 20
    assert spleen.outcome is Outcome.NOT_FOUND
    before = model.encoded_slices
    assert np.array_equal(made.segment(["liver"])[0].mask, liver.mask)
    assert model.encoded_slices - before == 20  # the look itself is remembered


def test_presence_is_the_weaker_of_evidence_and_answer() -> None:
    made, model = predictor()
    made.set_volume(volume())
    made.segment(["liver", "spleen"])
    evidence = torch.sigmoid(torch.tensor(4.0)).item()  # of the toy's cells; its answer is surer
    assert made.presence["liver"] == pytest.approx(evidence, abs=1e-3)
    assert made.presence["spleen"] == 0.0
    made.config["trained_prompts"]["liver"]["presence_threshold"] = 0.99  # type: ignore[index]
    assert made.segment(["liver"])[0].outcome is not Outcome.FOUND
    box = (-24, -12, -20, -10, 12, 24)
    assert made.segment(["liver"], box=box)[0].outcome is Outcome.FOUND


def test_no_answer_inside_the_region_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    made, model = predictor()
    monkeypatch.setattr(model, "_logits", lambda features, text: features[0] * 0 - 6.0)
    made.set_volume(volume())
    liver = made.segment(["liver"])[0]
    assert liver.outcome is Outcome.NOT_FOUND and model.decoded_pairs > 0


# ---- the system itself, with a CLIP of random weights ----


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = write_tiny_clip(tmp_path_factory.mktemp("clip"))
    spec = {"kind": "open_clip", "id": "tiny-clip", "sha256": None, "max_length": 24}
    return load_text_encoder(spec, folder=folder)


def network(clip: Any, **changes: Any) -> PatchUNetVAE:
    torch.manual_seed(0)
    values: dict[str, Any] = {
        "patch": 16,
        "channels": (4, 8, 8),
        "latent_channels": 2,
        "text": "film",
        "text_dim": clip.token_dim,
        "localiser": {"window": 24, "stride": 8, "pixel_mm": 0.8, "views": (1, 2, 4)},
        "region_margin": 2,
        **changes,
    }
    net = PatchUNetVAE(PatchUNetVAEConfig(**values))
    net.attach_text_encoder(clip)
    return net.eval()


def test_the_frozen_clip_is_neither_trained_nor_saved(clip: Any, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    from TextPromptSegLib.checkpoints import weights

    net = network(clip)
    assert net.locates and net.takes() == ("box", "heat_map")
    config = toy_checkpoint(PLACES).config
    weights.save(tmp_path, net, {k: v for k, v in config.items() if k != "format"})
    stored = load_file(str(tmp_path / "model.safetensors"))
    assert stored and not any("localiser" in key or "visual" in key for key in stored)
    weights.load_weights(network(clip), tmp_path / "model.safetensors", "again")


def test_regions_come_with_their_margin_in_pixels_and_slices(clip: Any) -> None:
    net = network(clip, evidence=0.5, region_slack=5.0)
    logits = torch.full((10, 2, 6, 8), -9.0)
    logits[3:6, 0, 2:4, 1:3] = 9.0
    found, nothing = net.regions(logits, 5.0, (48, 64))
    # cells of 8 px: rows 16..32, columns 8..24, and 2 px around them
    assert found.box is not None and found.box[1] <= 13.5 and found.box[3] >= 33.5
    assert found.box[0] <= 5.5 and found.box[2] >= 25.5 and found.score > 0.5
    # slices 3 to 5, the slack of one and at most one more that the region rule itself adds
    assert 1 <= found.slices[0] <= 3 and 6 <= found.slices[1] <= 8
    assert nothing.box is None and nothing.score < 0.01


def test_prompts_and_slices_are_paired_row_by_row(clip: Any) -> None:
    net = network(clip)
    images = torch.rand(2, 1, 48, 64)
    text = clip.encode(["liver", "left kidney"])
    with torch.no_grad():
        features = net.encode_image(images)
        every = net.similarity(features, text)
        heat = net.heat_map(features, text)
    assert every.shape == (2, 2, 6, 8) and heat.shape == (2, 1, 6, 8)
    for row in range(2):
        assert torch.allclose(heat[row, 0], every[row, row].sigmoid())
    assert torch.allclose(net.presence(features, text), every[[0, 1], [0, 1]].flatten(1).amax(1))


def test_a_whole_volume_runs_from_a_checkpoint_with_a_clip(clip: Any) -> None:
    from dataclasses import replace

    net = network(clip, evidence=0.0)
    loaded = toy_checkpoint(PLACES, model=net, presence=None)  # type: ignore[arg-type]
    config = {**loaded.config, "input": {"size": 64, "multiple": 16, "spacing_mm": 0.8}}
    loaded = replace(loaded, text_encoder=clip, config=config)
    made = SlicePredictor(loaded, "cpu", "float32")
    made.set_volume(phantom({0.3: [LIVER]}, shape=(6, 40, 40)))
    answer = made.segment(["liver"], heat_map=True)[0]
    assert answer.probability is not None and answer.probability.shape == (6, 40, 40)
    assert answer.heat_map is not None and 0 < answer.heat_map.max() <= 1
    assert isinstance(loaded.text_encoder.encode(["liver"]), TextFeatures)
    assert not isinstance(loaded.text_encoder, ToyEncoder)
