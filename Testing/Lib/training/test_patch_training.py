"""Patches of small organs, synthetic ones among them, and the study from one recipe."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tiny_bert
import tiny_clip
import torch
from tiny_data import write_dataset
from tiny_patch_unet_vae import batch_of, tiny

from TextPromptSegLib.checkpoints.layout import read_config
from TextPromptSegLib.data.artefacts import AugmentConfig
from TextPromptSegLib.data.patches import (
    PatchPlan,
    PatchSampler,
    Place,
    augmented,
    cut,
    peak_key,
)
from TextPromptSegLib.data.slices import TrainingSlice
from TextPromptSegLib.image.intensity import InputSpec, fit_slice_size
from TextPromptSegLib.inference.loaded_checkpoint import load
from TextPromptSegLib.outcome import InputError
from TextPromptSegLib.text import load_text_encoder
from TextPromptSegLib.training import train
from TextPromptSegLib.training.adversarial import AdversarialPlan, with_synthetic
from TextPromptSegLib.training.patch_peaks import find_peaks
from TextPromptSegLib.training.patch_synthetic import distance_lines, synthetic_distances
from TextPromptSegLib.training.recipe import Recipe


def made_slice(number: int, boxes: dict[str, tuple[int, int]], modality: str = "CT") -> Any:
    image = np.full((1, 96, 128), 100, np.uint8)
    masks = {}
    for name, (row, column) in boxes.items():
        mask = np.zeros((96, 128), bool)
        mask[row - 3 : row + 4, column - 3 : column + 4] = True
        image[0, mask] = 200
        masks[name] = np.packbits(mask, axis=1)
    key = f"case{modality}/axial{number}"
    return TrainingSlice(image, (0, 0, 96, 128), masks, (), f"set{modality}", modality, key)


def stack_of_slices() -> list[Any]:
    organ = {"gland": (40, 30), "other": (50, 90)}
    slices = [made_slice(n, organ if 4 <= n < 8 else {}) for n in range(12)]
    return slices + [made_slice(n, {"third": (40, 60)}, "MR") for n in range(3)]


PLAN = PatchPlan(size=32, jitter=8, margin=8)


def test_patches_are_centred_on_the_mask_with_a_jitter() -> None:
    plan = PatchPlan(size=32, jitter=8, empty=0.0)
    sampler = PatchSampler(stack_of_slices(), ["gland"], {}, plan)
    places = sampler.draw(300, np.random.default_rng(0))
    shift = np.array([p.centre for p in places]) - (40, 30)
    assert np.abs(shift).max() == 8 and len({tuple(s) for s in shift.tolist()}) > 100
    images, masks = cut(places, 32)
    assert images.shape == masks.shape == (300, 1, 32, 32)
    assert (masks.sum((1, 2, 3)) == 49).all()
    assert torch.equal(images[masks > 0].unique(), torch.tensor([200 / 255]))


def test_a_quarter_misses_the_organ_in_every_way_that_the_plan_names() -> None:
    sampler = PatchSampler(stack_of_slices(), ["gland", "other", "third"], {}, PLAN)
    places = sampler.draw(4000, np.random.default_rng(1))
    masks = cut(places, 32)[1].flatten(1).any(1).numpy()
    assert 0.2 < 1 - masks.mean() < 0.3
    missed = [p for p, there in zip(places, masks, strict=True) if not there]
    kinds = {"beyond": 0, "confused": 0, "foreign": 0, "elsewhere": 0}
    for place in missed:
        if (place.name == "third") != (place.item.modality == "MR"):
            kinds["foreign"] += 1
            continue
        own, other = ((40, 30), (50, 90)) if place.name == "gland" else ((50, 90), (40, 30))
        near_own, near_other = (
            np.abs(np.subtract(place.centre, c)).max() <= 8 for c in (own, other)
        )
        if near_own and not place.item.masks:
            kinds["beyond"] += 1
        elif near_other and place.item.masks:
            kinds["confused"] += 1
        else:
            kinds["elsewhere"] += 1
    assert min(kinds.values()) > 0.05 * len(missed), kinds


def test_weights_share_the_draws_between_data_sets_and_structures() -> None:
    weights = {"setCT": 3.0, "setMR": 1.0}
    sampler = PatchSampler(stack_of_slices(), ["gland", "other", "third"], weights, PLAN)
    names = [p.name for p in sampler.draw(4000, np.random.default_rng(2))]
    shares = [names.count(n) / 4000 for n in ("gland", "other", "third")]
    assert np.allclose(shares, [0.375, 0.375, 0.25], atol=0.03)


def test_the_border_is_black_and_fixed_patches_stay_the_same() -> None:
    item = made_slice(0, {"gland": (5, 5)})
    images, masks = cut([Place(item, "gland", (5, 5)), Place(item, "none", (300, 5))], 32)
    assert float(images[0, 0, :11].sum()) == 0 and float(masks[0].sum()) == 49
    assert float(images[1].sum()) == float(masks[1].sum()) == 0
    sampler = PatchSampler(stack_of_slices(), ["gland"], {}, PLAN)
    first, second = sampler.fixed(), sampler.fixed()
    assert [p.centre for p in first] == [p.centre for p in second] and len(first) == 4


def test_augmentation_turns_picture_and_mask_together() -> None:
    config = AugmentConfig(
        rotation=15,
        scale=(0.9, 1.2),
        shift=0.02,
        gamma=(1, 1),
        contrast=0,
        brightness=0,
        noise=0,
        probability=1.0,
    )
    places = [Place(made_slice(0, {"gland": (40, 40)}), "gland", (40, 40))] * 8
    images, masks = augmented(places, PLAN, config, np.random.default_rng(0))
    assert images.shape == (8, 1, 32, 32) and float(images.min()) > 0.3  # no black corners
    inside = images[masks > 0].mean()
    assert inside > 0.7 and images[masks == 0].mean() < 0.45
    assert len({float(m.sum()) for m in masks}) > 1


def test_input_spec_fixes_the_pixel_size() -> None:
    spec = InputSpec(size=640, multiple=64, spacing_mm=0.8)
    assert fit_slice_size(256, 200, spec, (1.2, 1.6)) == ((384, 400), (384, 448))
    assert fit_slice_size(35, 51, spec, (1.0, 1.0))[1] == (64, 64)
    # a picture of unknown size is taken to be 380 mm long, a huge slice is reduced to the size
    assert fit_slice_size(384, 192, spec) == ((475, 238), (512, 256))
    assert fit_slice_size(512, 256, spec, (2.0, 2.0))[0] == (640, 320)
    with pytest.raises(ValueError, match="spacing_mm"):
        InputSpec(spacing_mm=0.0)


@pytest.mark.parametrize(("ratio", "expected"), [(0.0, 4), (0.25, 5), (0.75, 7), (1.0, 8)])
def test_ratio_counts_synthetic_per_real_patches_with_their_masks(
    ratio: float, expected: int
) -> None:
    net = tiny().train()
    batch = batch_of(net, count=4)
    batch["mask"] = torch.arange(4.0).view(4, 1, 1, 1).expand(-1, -1, 16, 16)
    torch.manual_seed(3)
    first, second = (with_synthetic(batch, net, ratio, 1.0) for _ in range(2))
    assert len(first["image"]) == len(first["text"]) == len(first["mask"]) == expected
    assert first["real"] == 4 and torch.equal(first["image"][:4], batch["image"])
    origin = first["mask"][4:, 0, 0, 0].long()
    assert len(set(origin.tolist())) == expected - 4  # every one of another real patch
    assert torch.equal(first["text"].pooled[4:], batch["text"].pooled[origin])
    if expected > 4:  # drawn anew each time
        assert not torch.equal(first["image"][4:], second["image"][4:])
        assert float(first["image"].min()) >= 0 and float(first["image"].max()) <= 1


@pytest.mark.parametrize(("synthetic", "imagined"), [("prior", 4), ("both", 2)])
def test_patches_of_the_prior_bring_their_own_mask(synthetic: str, imagined: int) -> None:
    net = tiny(skips="dropout").train()
    batch = batch_of(net, count=4)
    batch["mask"] = torch.full_like(batch["mask"], 7.0)  # no mask of the network's
    torch.manual_seed(3)
    made = with_synthetic(batch, net, 1.0, 1.0, synthetic)
    assert len(made["image"]) == len(made["mask"]) == len(made["text"]) == 8
    own = made["mask"][4:]
    assert set(own[:imagined].unique().tolist()) <= {0.0, 1.0} and bool((own[imagined:] == 7).all())
    assert made["present"].tolist() == made["mask"].flatten(1).any(1).float().tolist()
    terms = net.loss(made)
    terms["loss"].backward()
    assert torch.isfinite(terms["loss"])


def test_only_the_prior_makes_patches_that_are_no_reconstructions() -> None:
    net = tiny(skips="dropout").eval()
    found = synthetic_distances(net, [batch_of(net, count=6)], temperature=0.1)
    assert found["posterior"] < 0.5 * found["posterior_nearest"]
    assert found["prior_nearest"] > 2 * found["posterior"]
    still = synthetic_distances(net, [batch_of(net, count=6)], temperature=0.0)
    assert still["posterior"] == pytest.approx(0, abs=1e-6)
    assert still["posterior_nearest"] == pytest.approx(still["real_nearest"], abs=1e-6)
    (line,) = [x for x in distance_lines({(0.5, 2): found}) if x.startswith("| 0.5 | 2 |")]
    assert f"{found['prior_nearest']:.4f}" in line


def test_training_patches_lie_where_the_localiser_points() -> None:
    items = stack_of_slices()
    plan = PatchPlan(size=32, jitter=2, peaks=1.0)
    held = [item for item in items if "gland" in item.masks]
    peaks = {peak_key(item, "gland"): [(20, 70), (40, 30)] for item in held}
    places = PatchSampler(items, ["gland"], {}, plan, None, peaks).draw(
        200, np.random.default_rng(0)
    )
    centres = np.array([p.centre for p in places])
    assert np.abs(centres[:, None] - [(20, 70), (40, 30)]).max(2).min(1).max() <= 2
    there = cut(places, 32)[1].flatten(1).any(1).float()
    assert 0.35 < float(there.mean()) < 0.65  # the other peak misses the organ: an empty mask
    without = PatchPlan(size=32, jitter=2)
    draws = [
        [p.centre for p in PatchSampler(items, ["gland"], {}, without, None, given).draw(20, rng)]
        for given, rng in ((peaks, np.random.default_rng(1)), (None, np.random.default_rng(1)))
    ]
    assert draws[0] == draws[1]  # a plan without peaks draws as it always did


def test_the_localisers_peaks_are_found_in_the_slices_that_hold_the_structure(
    tmp_path: Path,
) -> None:
    clip = load_text_encoder(
        {"kind": "open_clip", "id": "tiny"}, folder=tiny_clip.write_tiny_clip(tmp_path / "tiny")
    )
    items = stack_of_slices()[:8]
    where = {"window": 32, "stride": 16, "views": [1], "top_k": 3}
    peaks = find_peaks(items, ["gland", "other"], clip, where, 32)
    held = {peak_key(item, name) for item in items[4:] for name in ("gland", "other")}
    assert set(peaks) == held
    assert all(0 <= y < 96 and 0 <= x < 128 for found in peaks.values() for y, x in found)
    assert all(1 <= len(found) <= 3 for found in peaks.values())
    with pytest.raises(InputError, match="no image tower"):
        find_peaks(items, ["gland"], SimpleNamespace(id="bert"), where)


RECIPE: dict[str, Any] = {
    "name": "tiny-patches",
    "system": "patch-unet-vae",
    "config": {
        "patch": 32,
        "channels": [8, 16, 16],
        "latent_channels": 4,
        "text": "film",
        "perceptual": "none",
        "critic_channels": 4,
        "critic_layers": 1,
    },
    "input": {"size": 64, "multiple": 32},
    "data": [{"name": "tiny", "drop": ["pair"]}],
    "steps": 30,
    "lr": 0.01,
    "precision": "32-true",
    "augment": None,
    "validate_every": 15,
    "trainer": {
        "ratios": [0.0, 0.5],
        "seeds": [1, 2],
        "warmup": 20,
        "patches": {"size": 32, "batch": 8, "jitter": 4},
        "figures": 2,
    },
}


@pytest.fixture()
def text_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    tiny_bert.write_tiny_bert(tmp_path / "encoders" / "tiny-text")
    monkeypatch.setenv("TEXTPROMPTSEG_ENCODERS", str(tmp_path / "encoders"))
    return {"id": "test/tiny-text", "sha256": None}


def test_one_recipe_makes_the_whole_study(tmp_path: Path, text_encoder: dict[str, Any]) -> None:
    folder = write_dataset(tmp_path, cases=8)
    values = json.loads((folder / "dataset.json").read_text())
    values["cases"][0]["split"] = values["cases"][1]["split"] = "test"
    (folder / "dataset.json").write_text(json.dumps(values))
    recipe = Recipe.from_dict({**RECIPE, "text_encoder": text_encoder})
    made = train(recipe, [tmp_path], tmp_path / "run", progress_bar=False)
    run = tmp_path / "run"
    for ratio, seed in ((0, 1), (0, 2), (0.5, 1), (0.5, 2)):
        assert (run / f"ratio_{ratio}-seed_{seed}" / "done.json").is_file()
    with (run / "table2.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["Ratio"] for row in rows] == ["0", "0.5"]
    assert {"Dice", "Dice sd", "Hausdorff (px)", "Hausdorff (mm)"} <= set(rows[0])
    assert float(rows[0]["Dice sd"]) >= 0
    with (run / "patches.csv").open() as stream:
        patches = list(csv.DictReader(stream))
    assert len(patches) == 4 * 2 * 2  # runs, test pictures, structures
    for row in patches:
        psnr = 10 * np.log10(4 / float(row["mse"]))
        assert float(row["psnr_db"]) == pytest.approx(psnr, abs=0.02)
        assert float(row["rmse"]) == pytest.approx(float(row["mse"]) ** 0.5, rel=1e-3)
    tables = (run / "tables.md").read_text()
    assert "Table 1. Reconstruction" in tables and "± standard deviation over 2 seeds" in tables
    assert "Table 2. Segmentation" in tables and "right kidney" in tables
    assert "Table S. Mean absolute distance of synthetic patches" in tables
    assert (run / "patches_tiny.png").stat().st_size > 10_000
    config = read_config(made)
    assert config["system"] == "patch-unet-vae" and config["metrics"]["ratio"] in (0.0, 0.5)
    assert set(config["trained_prompts"]) == {"right kidney", "liver"}
    assert "tiny/liver" in config["metrics"]["patches"]["test"]
    assert load(made).model.locates is False  # this text encoder has no image tower
    # a finished study is read, not trained again
    (run / "tables.md").unlink()
    train(recipe, [tmp_path], run, resume=True, progress_bar=False)
    assert (run / "tables.md").read_text() == tables
    with pytest.raises(InputError, match="already holds a run"):
        train(recipe, [tmp_path], run, progress_bar=False)


def test_the_adversarial_part_starts_after_the_warm_up(
    tmp_path: Path, text_encoder: dict[str, Any]
) -> None:
    from TextPromptSegLib.training.curves import read_metrics

    write_dataset(tmp_path, cases=8)
    changes = {"ratios": [0.5], "seeds": [3], "warmup": 20}
    values = {**RECIPE, "text_encoder": text_encoder, "trainer": {**RECIPE["trainer"], **changes}}
    train(Recipe.from_dict(values), [tmp_path], tmp_path / "run", progress_bar=False)
    folder = tmp_path / "run" / "ratio_0.5-seed_3"
    curves = read_metrics(folder / "logs")
    assert "train/mse" in curves
    state = torch.load(folder / "last.ckpt", weights_only=True)
    assert state["patch_steps"] == 30 and len(state["optimizer_states"]) == 2
    generator, critic = (found["state"] for found in state["optimizer_states"])
    assert {int(v["step"]) for v in generator.values()} == {30}
    assert {int(v["step"]) for v in critic.values()} == {10}  # after the warm-up of 20


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"ratios": [9]}, "ratios"),
        ({"colour": 1}, "trainer cannot be used"),
        ({"synthetic": "dreams"}, "posterior, prior or both"),
        ({"synthetic": "prior"}, '"skips": "dropout"'),
        ({"schedule": "steps"}, "schedule"),
        ({"patches": {"sides": 3}}, "trainer cannot be used"),
    ],
)
def test_a_recipe_with_a_wrong_trainer_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        AdversarialPlan.of(Recipe.from_dict({**RECIPE, "trainer": values}))
