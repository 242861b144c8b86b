"""Training from a recipe: learns, resumes, exports a checkpoint that the text steers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_data import write_dataset
from tiny_training import RECIPE, make_encoder, recipe

from TextPromptSegLib.checkpoints.layout import read_config
from TextPromptSegLib.outcome import InputError
from TextPromptSegLib.training import train
from TextPromptSegLib.training.curves import read_metrics
from TextPromptSegLib.training.material import find_dataset, gather
from TextPromptSegLib.training.recipe import Recipe


@pytest.fixture(scope="module")
def module_encoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        yield make_encoder(tmp_path_factory.mktemp("encoders"), patch)


def test_a_small_training_learns_to_obey_the_text(tmp_path: Path, module_encoder: Any) -> None:
    from tiny_data import picture

    from TextPromptSegLib import SlicePredictor, Volume

    write_dataset(tmp_path, cases=12)
    folder = train(
        recipe(module_encoder, steps=80, validate_every=80, calibrate=True),
        [tmp_path],
        tmp_path / "run",
        progress_bar=False,
    )
    config = read_config(folder)
    assert config["metrics"]["validation"]["val/dice"] > 0.7
    assert set(config["trained_prompts"]) == {"right kidney", "liver", "pair"}
    assert config["training"]["data"][0]["name"] == "tiny"
    assert config["metrics"]["calibration"]["absent_questions"] == 0  # spleen was never trained
    assert config["metrics"]["calibration"]["validation_dice"] > 0.6
    for name in ("recipe.json", "curves.png", "last.ckpt"):
        assert (tmp_path / "run" / name).stat().st_size > 0
    image, label = picture(99)
    predictor = SlicePredictor.from_pretrained(str(folder), device="cpu")
    predictor.set_volume(Volume.from_array(image, modality="MR"))
    for answer, value in zip(predictor.segment(["right kidney", "liver"]), (1, 2), strict=True):
        truth = label == value
        mask = answer.mask[0] > 0
        assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) > 0.6, answer.prompt.name


def test_int8_weights_of_a_trained_network_answer_alike(
    tmp_path: Path, module_encoder: Any
) -> None:
    from tiny_data import picture

    from TextPromptSegLib import SlicePredictor, Volume

    write_dataset(tmp_path, cases=12)
    config = {**RECIPE["config"], "channels": [16, 32, 32], "decoder_channels": [32, 16]}
    plan = recipe(module_encoder, config=config, steps=80, validate_every=80)
    dices, sizes = {}, {}
    for store in ("float32", "int8"):
        changed = Recipe.from_dict({**plan.to_dict(), "store": store})
        exists = bool(dices)  # trained once, exported in both ways
        run = tmp_path / "run"
        folder = train(changed, [tmp_path], run, export_only=exists, progress_bar=False)
        assert read_config(folder)["weights_dtype"] == store
        sizes[store] = (folder / "model.safetensors").stat().st_size
        predictor = SlicePredictor.from_pretrained(str(folder), device="cpu")
        found = []
        for seed in range(100, 108):
            image, label = picture(seed)
            predictor.set_volume(Volume.from_array(image, modality="MR"))
            answers = predictor.segment(["right kidney", "liver"])
            for answer, value in zip(answers, (1, 2), strict=True):
                mask, truth = answer.mask[0] > 0, label == value
                found.append(2 * (mask & truth).sum() / (mask.sum() + truth.sum()))
        dices[store] = sum(found) / len(found)
    assert dices["float32"] > 0.7
    assert abs(dices["int8"] - dices["float32"]) <= 0.002
    assert sizes["int8"] < 0.5 * sizes["float32"]


def test_resume_goes_on_where_it_stopped(tmp_path: Path, module_encoder: Any) -> None:
    write_dataset(tmp_path)
    run = tmp_path / "run"
    train(recipe(module_encoder, steps=20, ema=0.9), [tmp_path], run, progress_bar=False)
    with pytest.raises(InputError, match="already holds a run"):
        train(recipe(module_encoder), [tmp_path], run, progress_bar=False)
    train(recipe(module_encoder, ema=0.9), [tmp_path], run, resume=True, progress_bar=False)
    steps = [step for step, _ in read_metrics(run / "logs")["train/loss"]]
    assert steps == [19, 39], "the log of the first part is kept"
    assert torch.load(run / "last.ckpt", weights_only=True)["global_step"] == 40


def test_resume_without_a_run_is_refused(tmp_path: Path, module_encoder: Any) -> None:
    write_dataset(tmp_path)
    with pytest.raises(InputError, match="no run to resume"):
        train(recipe(module_encoder), [tmp_path], tmp_path / "new", resume=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "JSON object"),
        ("{}", "missing config"),
        ('{"name":"a","system":"b","config":{},"input":{},"data":[],"store":"int4"}', "store is"),
        (json.dumps({**RECIPE, "colour": 1}), "unknown colour"),
        (json.dumps({**RECIPE, "data": [{"folder": "x"}]}), "data entries cannot be used"),
    ],
)
def test_bad_recipes_get_one_sentence(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "recipe.json").write_text(content)
    with pytest.raises(InputError, match=message):
        Recipe.read(tmp_path / "recipe.json")


def test_a_text_encoder_of_another_kind_gets_a_sentence() -> None:
    recipe = Recipe.from_dict({**RECIPE, "text_encoder": ["minilm"]})
    with pytest.raises(InputError, match="text_encoder is one of"):
        recipe.text_spec()


def test_missing_data_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'nowhere' was not found; give its folder with --data"):
        find_dataset("nowhere", [tmp_path])


def test_mixed_modalities_and_partial_labels_are_kept_apart(
    tmp_path: Path, module_encoder: Any
) -> None:
    write_dataset(tmp_path, "abdomen")
    write_dataset(tmp_path, "liver-only", modality="CT", labels={"2": "liver"}, groups={})
    file = tmp_path / "liver-only/dataset.json"
    values = json.loads(file.read_text())
    for case in values["cases"]:
        case["present"] = ["liver"]
    file.write_text(json.dumps(values))
    plan = recipe(module_encoder, data=[{"name": "abdomen"}, {"name": "liver-only"}])
    material = gather(plan, [tmp_path])
    assert material.modalities["liver"] == {"MR", "CT"}
    assert material.modalities["right kidney"] == {"MR"}
    partial = [s for s in material.train if s.dataset == "liver-only"]
    assert partial and all(s.absent == () for s in partial)


def test_the_shipped_recipes_are_readable_and_fit_their_system() -> None:
    from TextPromptSegLib import systems
    from TextPromptSegLib.image.intensity import InputSpec
    from TextPromptSegLib.systems.registry import make_config

    files = sorted(Path(systems.__file__).parent.glob("*/recipe*.json"))
    assert files
    for file in files:
        plan = Recipe.read(file)
        config = make_config(plan.system, plan.config)
        spec = InputSpec.from_dict(plan.input)
        assert spec.channels == getattr(config, "in_channels", spec.channels), file.name
        assert set(plan.licence) == {"spdx", "line", "permissive"}, file.name
