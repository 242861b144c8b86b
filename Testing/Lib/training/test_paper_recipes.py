"""A recipe that is named after a paper does what the paper says, and says what it leaves open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fake_layouts
import numpy as np
import pytest
import tiny_clip
import torch
from monai.losses import DiceCELoss, DiceLoss, TverskyLoss
from tiny_data import write_dataset
from tiny_sam import SIZES

from TextPromptSegLib import systems
from TextPromptSegLib.data.batches import BatchStream
from TextPromptSegLib.data.layouts.kinds import index_layout
from TextPromptSegLib.outcome import InputError
from TextPromptSegLib.systems.film_unet import FiLMUNetConfig
from TextPromptSegLib.systems.film_unet.objective import SMOOTH, film_unet_objective
from TextPromptSegLib.systems.omt_sam import OMTSAMConfig
from TextPromptSegLib.systems.omt_sam.prompting import draw_prompts
from TextPromptSegLib.systems.registry import create
from TextPromptSegLib.training import train
from TextPromptSegLib.training.material import (
    batch_plan,
    gather,
    in_steps,
    phrase_book,
    samplers,
    stream_options,
)
from TextPromptSegLib.training.module import SegmenterModule
from TextPromptSegLib.training.recipe import Recipe
from TextPromptSegLib.training.run import _choosing

FOLDER = Path(str(systems.__file__)).parent
FILM = {
    "epochs": 500,
    "batch": {"slices": 512, "pairs": 512, "questions": 0},
    "optimizer": "adamw",
    "schedule": "cosine",
    "decay_all": True,
    "text_encoder": "bert-base",
    "watch": "last",
}
SVP = {
    "batch": {"slices": 32, "pairs": 32, "questions": 0, "texts": 1.0},
    "optimizer": "adamw",
    "decay_all": True,
    "schedule": "cosine",
    "min_lr": 1e-6,
    "watch": "miou",
    "patience": 30,
}
PAPER: dict[str, dict[str, Any]] = {
    "film_unet/recipe_paper_brain.json": {**FILM, "config": {"loss": "dice"}},
    "film_unet/recipe_paper_chaos.json": {**FILM, "config": {"loss": "jaccard"}},
    "film_unet/recipe_paper_chaos_ct.json": {**FILM, "config": {"loss": "jaccard"}},
    "omt_sam/recipe_paper_flare.json": {
        "epochs": 30,
        "batch": {"slices": 8, "pairs": 8, "questions": 0, "small_factor": 1},
        "optimizer": "adam",
        "weight_decay": 0.0,
        "lr": 1e-4,
        "min_lr": 1e-4,
        "templates": ("segment the {x}",),
        "synonyms": False,
        "text_encoder": "biomed-clip",
        "watch": "last",
        "config": {
            "text_dim": 768,
            "clip_dim": 768,
            "start_from": "medsam_vit_b.pth",
            "box_share": 1.0,
            "whole_share": 0.0,
            "presence_weight": 0.0,
        },
    },
    # epochs of 5716, 2183, 875 and 92 x 5 pictures in batches of 32
    "svp_cvae/recipe_paper_qata.json": {**SVP, "validate_every": 179, "steps": 150 * 179},
    "svp_cvae/recipe_paper_mosmed.json": {**SVP, "validate_every": 69, "steps": 150 * 69},
    "svp_cvae/recipe_paper_brats.json": {**SVP, "validate_every": 28, "steps": 150 * 28},
    "svp_cvae/recipe_paper_liver.json": {**SVP, "validate_every": 15, "steps": 150 * 15},
}


@pytest.mark.parametrize("file", PAPER)
def test_it_carries_the_papers_values_and_can_be_built(file: str) -> None:
    recipe = Recipe.read(FOLDER / file)
    values = {key: getattr(recipe, key) for key in PAPER[file]}
    assert json.loads(json.dumps(values)) == json.loads(json.dumps(PAPER[file]))
    assert "as the paper" in recipe.title and recipe.notes
    # none of ours: absent prompts, a limit on the gradient, a warm-up, averaged weights
    assert recipe.absent == recipe.empty_weight == recipe.clip == recipe.ema == 0
    assert recipe.warmup == 0 and not recipe.calibrate and batch_plan(recipe).questions == 0
    assert recipe.rarity == 0 and not any(entry.mirror for entry in recipe.data)
    phrase_book(recipe)
    stream_options(recipe)
    with torch.device("meta"):
        network = create(recipe.system, recipe.config)
    assert not getattr(network.config, "presence", False)
    assert sum(p.numel() for p in network.parameters()) > 9e6


def test_every_recipe_of_a_paper_is_checked_and_the_others_do_not_claim_it() -> None:
    found = {path.relative_to(FOLDER).as_posix(): path for path in FOLDER.glob("*/recipe*.json")}
    named = {name for name in found if "recipe_paper" in name}
    baselines = {f"monai_unet/recipe_paper_{name}.json" for name in ("flare", "qata", "mosmed")}
    assert named == {*PAPER, "patch_unet_vae/recipe_paper_adrenal.json", *baselines}
    for name in set(found) - named:
        assert "as the paper" not in Recipe.read(found[name]).title, name
    for name in named:
        assert Recipe.read(found[name]).notes, name


def literal(file: str, **changes: Any) -> Recipe:
    """A paper's recipe on the tiny data set, in small pictures."""
    values = json.loads((FOLDER / file).read_text(encoding="utf-8"))
    values |= {"data": [{"name": "tiny"}], "input": {"size": 64, "multiple": 64, "canvases": [64]}}
    return Recipe.from_dict(
        {**values, "batch": {"slices": 4, "pairs": 4, "questions": 0}, **changes}
    )


@pytest.mark.parametrize(
    "file", ["film_unet/recipe_paper_brain.json", "omt_sam/recipe_paper_flare.json"]
)
def test_every_pair_shows_its_structure_in_the_papers_words(file: str, tmp_path: Path) -> None:
    write_dataset(tmp_path)
    recipe = literal(file)
    material = gather(recipe, [tmp_path])
    stream = iter(
        BatchStream(
            samplers(recipe, material),
            phrase_book(recipe),
            list,
            batch_plan(recipe),
            **stream_options(recipe),
        )
    )
    for _ in range(5):
        batch = next(stream)
        assert batch["present"].tolist() == [1.0] * 4
        said = [text.split(" the ")[0] for text in batch["text"]]
        assert set(said) <= {"segment", "identify", "your goal is to spot"}
        if "omt" in file:
            assert set(batch["text"]) <= {
                f"segment the {n}" for n in ("liver", "right kidney", "pair", "kidneys")
            }
    # 6 slices of train, each with two labels and their union
    pairs = sum(len(item.masks) for item in material.train)
    assert in_steps(recipe, material).steps == recipe.epochs * -(-pairs // 4)
    assert in_steps(literal(file, epochs=0, steps=7), material).steps == 7


def test_the_four_losses_are_what_their_names_say() -> None:
    """Cross entropy was in all of them, through the absent pairs."""
    torch.manual_seed(0)
    logits = torch.randn(3, 1, 8, 8)
    mask = (torch.rand(3, 1, 8, 8) > 0.5).float()
    smooth = {"smooth_nr": SMOOTH, "smooth_dr": SMOOTH}
    wanted = {
        "dice": DiceLoss(sigmoid=True, **smooth),
        "jaccard": DiceLoss(sigmoid=True, jaccard=True, **smooth),
        "tversky": TverskyLoss(sigmoid=True, alpha=0.7, beta=0.3, **smooth),
        "dice_bce": DiceCELoss(sigmoid=True, **smooth),
    }
    for name, loss in wanted.items():
        terms = film_unet_objective(
            logits,
            mask,
            torch.ones_like(mask),
            torch.zeros(3),
            torch.ones(3),
            FiLMUNetConfig(loss=name),
        )
        assert terms["loss"].item() == pytest.approx(loss(logits, mask).item(), abs=1e-5), name


def test_omt_sam_gets_a_box_of_the_reference_with_every_pair() -> None:
    config = OMTSAMConfig(**PAPER["omt_sam/recipe_paper_flare.json"]["config"])
    masks = torch.zeros(8, 1, 64, 64)
    masks[:, :, 20:31, 8:17] = 1
    drawn = draw_prompts(masks, config, torch.Generator().manual_seed(0))
    far = (drawn.boxes - torch.tensor([8.0, 20.0, 16.0, 30.0])).abs().max()
    assert 0 < far <= 64 * 20 / 1024 + 1 and not drawn.silent.any() and drawn.points is None


class Bright(torch.nn.Module):
    """Draws what is bright."""

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        return images

    def index_features(self, features: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        return features[index]

    def decode(self, features: torch.Tensor, text: Any) -> tuple[torch.Tensor, torch.Tensor]:
        return features - 0.5, torch.ones(len(features))


def test_svp_cvae_watches_the_iou_pooled_over_validation(tmp_path: Path) -> None:
    """Of 4 of 16 pixels found and 1 of 1: mean IoU of the pairs 0.625, pooled 5 of 17."""
    recipe = Recipe.read(FOLDER / "svp_cvae/recipe_paper_qata.json")
    best, stop = _choosing(recipe, tmp_path)
    assert best.monitor == stop.monitor == "val/miou" and stop.patience == 30
    assert stop.mode == best.mode == "max" and stop.min_delta == 0
    usual, late = _choosing(literal("svp_cvae/recipe_paper_qata.json", watch="score"), tmp_path)
    assert (usual.monitor, late.monitor) == ("val/score", "val/dice")
    assert not _choosing(Recipe.read(FOLDER / "omt_sam/recipe_paper_flare.json"), tmp_path)
    module = SegmenterModule(Bright(), recipe)  # type: ignore[arg-type]
    logged: dict[str, float] = {}
    module.log = lambda key, value, **_: logged.update({key: value})  # type: ignore[assignment]
    images, masks = torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 4, 4)
    masks[0], images[0, 0, 0] = 1, 255
    masks[1, 0, 0, 0], images[1, 0, 0, 0] = 1, 255
    text = type("Text", (), {"index": lambda self, rows: self})()
    batch = {"image": images, "valid": torch.ones(2, 1, 4, 4), "index": torch.arange(2)}
    batch |= {"text": text, "mask": masks, "present": torch.ones(2)}
    module.validation_step({**batch, "dataset": ["q", "q"], "names": ["x", "x"]}, 0)
    module.on_validation_epoch_end()
    assert logged["val/miou"] == pytest.approx(5 / 17)
    assert logged["val/dice"] == pytest.approx((2 * 4 / 20 + 1) / 2)


@pytest.mark.parametrize(
    ("changes", "kind", "decays"),
    [
        ({}, torch.optim.AdamW, [0.01, 0.0]),
        ({"decay_all": True}, torch.optim.AdamW, [0.01]),
        ({"optimizer": "adam", "weight_decay": 0.0}, torch.optim.Adam, [0.0, 0.0]),
    ],
)
def test_the_optimiser_is_the_recipes(
    changes: dict[str, Any], kind: type, decays: list[float]
) -> None:
    values = {"decay_all": False, "watch": "score", **changes}
    recipe = literal("svp_cvae/recipe_paper_qata.json", **values)
    module = SegmenterModule(torch.nn.Linear(2, 2), recipe)  # type: ignore[arg-type]
    optimizer = module.configure_optimizers()["optimizer"]
    assert type(optimizer) is kind
    found = [g["weight_decay"] for g in optimizer.param_groups if g["params"]]
    assert found == decays


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    file = "film_unet/recipe_paper_brain.json"
    for key in ("optimizer", "watch", "schedule", "store"):
        with pytest.raises(InputError, match=f"A recipe's {key} is one of"):
            literal(file, **{key: "luck"})
    with pytest.raises(InputError, match="adam has weight_decay 0"):
        literal(file, optimizer="adam", weight_decay=0.1)
    patches = json.loads((FOLDER / "patch_unet_vae/recipe_study.json").read_text())
    with pytest.raises(InputError, match="leave out epochs"):
        train(Recipe.from_dict({**patches, "epochs": 3}), [tmp_path], tmp_path / "run")


def test_the_literal_recipe_trains_from_flares_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything of the recipe but the sizes, the epochs and the published weights."""
    root = fake_layouts.flare(tmp_path / "as downloaded", patients=4)
    index_layout("flare21", root)
    tiny_clip.write_tiny_clip(tmp_path / "encoders" / "tiny-clip")
    monkeypatch.setenv("TEXTPROMPTSEG_ENCODERS", str(tmp_path / "encoders"))
    values = json.loads((FOLDER / "omt_sam/recipe_paper_flare.json").read_text(encoding="utf-8"))
    widths = {"text_dim": tiny_clip.TOKEN_DIM, "clip_dim": tiny_clip.PATCH_DIM, "fusion_heads": 4}
    values["config"] |= {**SIZES, **widths, "start_from": None}
    values["input"] |= {"size": 64, "multiple": 64, "canvases": [64]}
    values["text_encoder"] = {"kind": "open_clip", "id": "tiny-clip", "max_length": 24}
    values |= {"epochs": 1, "validate_every": 2, "workers": 0}
    folder = train(Recipe.from_dict(values), [root], tmp_path / "run", progress_bar=False)
    config = json.loads((folder / "config.json").read_text())
    assert set(config["trained_prompts"]) == {"liver", "kidneys", "spleen", "pancreas"}
    assert config["training"]["steps"] == np.ceil(2 * 2 * 4 / 8), "2 CTs, 2 slices, 4 organs"
    assert json.loads((tmp_path / "run/recipe.json").read_text())["epochs"] == 1
    assert not (tmp_path / "run/best.ckpt").exists() and (tmp_path / "run/last.ckpt").is_file()
