"""OMT-SAM against the paper: sizes, independence, prompts, objective, learning, the predictor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_clip
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_data import picture, write_dataset
from tiny_omt_sam import TINY, tiny
from two_organs import ablation_rows, batch_of

from TextPromptSegLib.checkpoints.weights import save
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference.loaded_checkpoint import load
from TextPromptSegLib.inference.predictor import SlicePredictor
from TextPromptSegLib.outcome import CheckpointError
from TextPromptSegLib.systems import omt_sam
from TextPromptSegLib.systems.omt_sam import OMTSAM, OMTSAMConfig
from TextPromptSegLib.systems.omt_sam.prompts import prompt_groups
from TextPromptSegLib.systems.registry import create, make_config, systems
from TextPromptSegLib.text.features import TextFeatures
from TextPromptSegLib.training import train
from TextPromptSegLib.training.recipe import Recipe

FOLDER = Path(omt_sam.__file__).parent
ABLATIONS = json.loads((FOLDER / "ablations.json").read_text())
ROWS = ablation_rows(ABLATIONS)
WORDS = ("right kidney", "the liver", "spleen", "segment the left kidney please")
NONE = [float("nan")] * 4


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tiny_clip.tiny_clip(tmp_path_factory.mktemp("clip"))


def count(module: torch.nn.Module | None) -> int:
    return 0 if module is None else sum(p.numel() for p in module.parameters())


def pairs(seed: int = 2) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Images, boxes and points of four pairs whose prompts are all of different kinds."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(4, 1, 64, 64, generator=generator)
    boxes = torch.tensor([[5.0, 6.0, 30.0, 40.0], NONE, [0.0, 0.0, 63.0, 63.0], NONE])
    points = torch.tensor(
        [
            [[10.0, 12.0, 1.0], [9.0, 9.0, -1.0], [40.0, 50.0, 0.0]],
            [[10.0, 12.0, -1.0], [33.0, 20.0, 1.0], [0.0, 0.0, -1.0]],
            [[0.0, 0.0, -1.0]] * 3,
            [[0.0, 0.0, -1.0]] * 3,
        ]
    )
    return images, boxes, points


# -- sizes -----------------------------------------------------------------------------------------


def test_paper_size_has_the_derived_numbers_of_parameters() -> None:
    with torch.device("meta"):
        net, single = OMTSAM(OMTSAMConfig()), OMTSAM(OMTSAMConfig(scales=1, image_text=False))
    assert count(single) == 93_735_472  # SAM ViT-B
    assert count(single.image_encoder) == 89_670_912
    assert count(single.prompt_encoder) == 6_220
    assert count(single.mask_decoder) == 4_058_340
    assert count(net) - count(net.image_text) == 96_360_240  # four necks and the fusion
    assert count(net.image_encoder.fusion.conv) == 262_400
    # two projections and the attention, as the public code has them, and LayerNorm and one query
    assert count(net.image_text) == 656_896 + 512 + 256


def test_the_system_is_registered_and_its_configuration_is_checked() -> None:
    assert "omt-sam" in systems()
    assert isinstance(create("omt-sam", TINY), OMTSAM)
    for wrong in (
        {"image_size": 65},
        {"scales": 6},
        {"width": 20},
        {"box_share": 0.8},
        {"global_blocks": (5,)},
        {"pixel_mean": (0.5, 0.5)},
        {"stem_channels": (8, 16), "stem_patch": 1},
        {"prompt_tokens": 0},
        {"fusion_heads": 0},
        {"patch": 0},
    ):
        with pytest.raises(CheckpointError, match="cannot be used"):
            make_config("omt-sam", {**TINY, **wrong})


@pytest.mark.parametrize("file", sorted(p.name for p in FOLDER.glob("recipe_*.json")))
def test_every_recipe_can_be_built(file: str) -> None:
    recipe = Recipe.read(FOLDER / file)
    config = make_config(recipe.system, recipe.config)
    with torch.device("meta"):
        net = OMTSAM(config)
    assert (
        recipe.input["size"] == config.image_size
        and config.in_channels == (recipe.input["in_channels"])
    )
    mix = (0.45, 0.15) if recipe.initial else (0.4, 0.3)  # the last stage: more boxes without text
    mix = (1.0, 0.0) if "paper" in file else mix
    assert (config.box_share, config.whole_share) == mix
    if "paper" in file or "large" in file:
        assert count(net) == 97_017_904 and recipe.text_spec()["id"].startswith("microsoft/Biomed")
    else:
        assert count(net) * 2 <= 10_000_000


@pytest.mark.parametrize("changes", ROWS)
def test_every_row_of_the_ablations_learns(clip: Any, changes: dict[str, Any]) -> None:
    net = tiny(clip, **changes)
    assert changes == {} or make_config("omt-sam", {**TINY, **changes}) != OMTSAMConfig(**TINY)
    terms = net.loss(batch_of(clip))
    terms["loss"].backward()
    moved = {n for n, p in net.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    assert any(n.startswith("image_encoder.blocks.0") for n in moved)
    assert any(n.startswith("image_text") for n in moved) == bool(net.config.image_text)
    assert any("fusion.conv" in n for n in moved) == (net.config.scales > 1)


def test_the_paper_freezes_the_geometric_prompts(clip: Any) -> None:
    net = tiny(clip, freeze_prompts=True)
    net.loss(batch_of(clip))["loss"].backward()
    assert all(p.grad is None for p in net.prompt_encoder.parameters())


# -- independence: the defects of the public code --------------------------------------------------


def test_a_pair_does_not_depend_on_its_batch(clip: Any) -> None:
    net = tiny(clip).eval()
    images, boxes, points = pairs()
    text = clip.encode(WORDS).without_words(torch.tensor([False, False, True, False]))
    features = net.encode_image(images)
    together = net.decode(features, text, boxes, points)
    seen = net.presence(features, text)
    for row in range(4):
        one = slice(row, row + 1)
        features = net.encode_image(images[one])
        alone = net.decode(features, text.index(one), boxes[one], points[one])
        assert (together[0][row] - alone[0][0]).abs().max() < 1e-5
        assert abs(float(together[1][row] - alone[1][0])) < 1e-5
        assert abs(float(seen[row] - net.presence(features, text.index(one))[0])) < 1e-5
    order = torch.tensor([2, 0, 3, 1])
    turned = net.decode(
        net.encode_image(images[order]), text.index(order), boxes[order], points[order]
    )
    assert (turned[0] - together[0][order]).abs().max() < 1e-5


def test_anothers_text_moves_nothing_and_the_image_has_its_say_alone(clip: Any) -> None:
    """The public code attends between samples, and with one sample the image has no influence."""
    net = tiny(clip).eval()
    assert net.image_text is not None
    images = pairs()[0][:2]
    tokens = net.encode_image(images)[1]
    first = net.image_text(tokens, clip.encode(["liver", "spleen"]))
    second = net.image_text(tokens, clip.encode(["liver", "right kidney"]))
    # equal to rounding: kernels of another processor may add up in another order
    assert (first[0] - second[0]).abs().max() < 1e-5
    assert (first[1] - second[1]).abs().max() > 1e-2
    other = net.image_text(net.encode_image(1 - images[:1])[1], clip.encode(["liver"]))
    assert first.shape == (2, TINY["prompt_tokens"], TINY["width"])
    assert (first[:1] - other).abs().max() > 1e-3


def test_the_padding_of_the_text_has_no_influence(clip: Any) -> None:
    net = tiny(clip).eval()
    text = clip.encode(["liver"])
    more = torch.randn(1, 7, TINY["text_dim"])
    longer = TextFeatures(
        torch.cat([text.tokens, more], 1),
        torch.cat([text.mask, torch.zeros(1, 7, dtype=torch.bool)], 1),
        text.pooled,
    )
    features = net.encode_image(pairs()[0][:1])
    short, long = (net.decode(features, t) for t in (text, longer))
    assert (short[0] - long[0]).abs().max() < 1e-5 and (short[1] - long[1]).abs().max() < 1e-5


def test_text_box_and_points_all_change_the_answer(clip: Any) -> None:
    net = tiny(clip).eval()
    features = net.encode_image(pairs()[0][:1])
    liver = clip.encode(["liver"])
    box = torch.tensor([[5.0, 6.0, 30.0, 40.0]])
    point = torch.tensor([[[20.0, 20.0, 1.0]]])
    mask = torch.randn(1, 1, 32, 32)
    answers = [
        net.decode(features, liver)[0],
        net.decode(features, clip.encode(["left kidney"]))[0],
        net.decode(features, liver.without_words())[0],
        net.decode(features, liver, box)[0],
        net.decode(features, liver, box + 5)[0],
        net.decode(features, liver, None, point)[0],
        net.decode(features, liver, None, point * torch.tensor([1.0, 1.0, 0.0]))[0],
        net.decode(features, liver, box, point)[0],
        net.decode(features, liver, masks=mask)[0],
    ]
    for index, one in enumerate(answers):
        assert one.shape == (1, 1, 64, 64)
        for other in answers[:index]:
            assert (one - other).abs().max() > 1e-3
    nothing = net.decode(
        features, liver, torch.tensor([NONE]), point * torch.tensor([1.0, 1.0, -1.0])
    )[0]
    assert torch.equal(nothing, answers[0])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 3)), min_size=1, max_size=6))
def test_pairs_are_split_by_the_kinds_of_their_prompts(kinds: list[tuple[bool, bool, int]]) -> None:
    rows = len(kinds)
    mask = torch.tensor([[text, text] for text, _, _ in kinds])
    text = TextFeatures(torch.zeros(rows, 2, 1), mask, torch.zeros(rows, 1))
    boxes = torch.tensor([[float(n)] * 4 if b else NONE for n, (_, b, _) in enumerate(kinds)])
    points = torch.full((rows, 4, 3), -1.0)
    for row, (_, _, number) in enumerate(kinds):
        for place in range(number):
            points[row, 3 - place] = torch.tensor([row, place, 1.0])
    found = list(prompt_groups(text, boxes, points, rows))
    seen = [g.rows.tolist() if g.rows is not None else list(range(rows)) for g in found]
    assert sorted(n for group in seen for n in group) == list(range(rows))
    assert len(found) == len(set(kinds))
    for group, members in zip(found, seen, strict=True):
        has_text, boxed, number = kinds[members[0]]
        assert all(kinds[n] == (has_text, boxed, number) for n in members)
        assert group.text == has_text and (group.boxes is not None) == boxed
        if boxed and group.boxes is not None:
            assert group.boxes[:, 0].tolist() == [float(n) for n in members]
        assert (group.points is not None) == (number > 0)
        if group.points is not None:
            assert group.points[0].shape == (len(members), number, 2)
            assert group.points[0][:, 0, 1].tolist() == [float(number - 1)] * len(members)
            assert (group.points[1] == 1).all()


# -- cost ------------------------------------------------------------------------------------------


def test_a_further_prompt_runs_neither_image_encoder(clip: Any) -> None:
    net = tiny(clip).eval()
    calls: list[str] = []
    net.image_encoder.register_forward_hook(lambda *_: calls.append("sam"))
    handle = clip.visual.register_forward_hook(lambda *_: calls.append("clip"))
    upscaling = net.mask_decoder.output_upscaling
    upscaling.register_forward_hook(lambda *_: calls.append("mask"))
    features = net.encode_image(pairs()[0])
    assert sorted(calls) == ["clip", "sam"]
    net.presence(features, clip.encode(WORDS))
    assert "mask" not in calls
    net.decode(features, clip.encode(WORDS))
    assert sorted(calls) == ["clip", "mask", "sam"]
    handle.remove()


# -- CLIP ------------------------------------------------------------------------------------------


def test_clip_is_received_and_not_stored(clip: Any, tmp_path: Path) -> None:
    net = tiny(clip)
    assert not any("visual" in key or "tower" in key for key in net.state_dict())
    assert net.to(torch.float64) is net
    assert clip.visual.mean.dtype == torch.float64  # moved along
    net.to(torch.float32)
    assert net.takes() == ("box", "points")
    bare = OMTSAM(OMTSAMConfig(**TINY))
    with pytest.raises(CheckpointError, match="attach_text_encoder"):
        bare.encode_image(torch.zeros(1, 1, 64, 64))
    with pytest.raises(CheckpointError, match="image tower"):
        bare.attach_text_encoder(object())
    with pytest.raises(CheckpointError, match="tokens of 24"):
        OMTSAM(OMTSAMConfig(**{**TINY, "clip_dim": 8})).attach_text_encoder(clip)
    with pytest.raises(ValueError, match="64 x 64"):
        net.encode_image(torch.zeros(1, 1, 64, 32))


# -- the whole way ---------------------------------------------------------------------------------


def test_recipe_to_answer_with_text_box_points_and_two_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dataset(tmp_path / "data")
    tiny_clip.write_tiny_clip(tmp_path / "encoders" / "tiny-clip")
    monkeypatch.setenv("TEXTPROMPTSEG_ENCODERS", str(tmp_path / "encoders"))
    recipe = Recipe.from_dict(
        {
            "name": "tiny-omt",
            "system": "omt-sam",
            "config": {**TINY, "silent_share": 0.3, "point_share": 0.5},
            "input": {"size": 64, "multiple": 64, "canvases": [64], "in_channels": 1},
            "text_encoder": {"kind": "open_clip", "id": "tiny-clip", "max_length": 24},
            "data": [{"name": "tiny"}],
            "steps": 25,
            "batch": {"slices": 4, "pairs": 8, "questions": 1},
            "augment": None,
            "lr": 3e-3,
            "warmup": 3,
            "precision": "32-true",
            "validate_every": 25,
        }
    )
    folder = train(recipe, [tmp_path / "data"], tmp_path / "run", progress_bar=False)
    config = json.loads((folder / "config.json").read_text())
    assert config["takes"] == ["box", "points"] and config["system"] == "omt-sam"
    predictor = SlicePredictor.from_pretrained(folder, device="cpu", precision="float32")
    predictor.set_volume(Volume(picture(3)[0][None], np.diag([-1.0, -1.0, 1.0, 1.0])))
    answers = [
        predictor.segment("right kidney", threshold=0.5, **more)[0]
        for more in (
            {},
            {"box": (-5, -30, -5, -30, 0, 0)},
            {"points": [(-10, -12, 0, 1), (-50, -50, 0, 0)]},
            {"two_pass": True},
            {"propagate": True},
        )
    ]
    shares = [np.asarray(a.probability, np.float32) for a in answers]
    assert all(np.isfinite(share).all() for share in shares)
    for other in shares[1:3]:
        assert np.abs(shares[0] - other).max() > 1e-3
    made = load(folder)
    save(tmp_path / "again", made.model, made.config, dtype="float32")
    assert load(tmp_path / "again").model.config == made.model.config


def test_boxes_of_the_reference_are_a_way_of_asking(
    clip: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from TextPromptSegLib.evaluation import evaluate
    from TextPromptSegLib.evaluation.modes import ways_with_boxes
    from TextPromptSegLib.outcome import InputError

    net = tiny(clip)
    config = {
        "name": "tiny",
        "system": "omt-sam",
        "config": TINY,
        "input": {"size": 64, "multiple": 64, "canvases": [64], "in_channels": 1},
        "text_encoder": {"kind": "open_clip", "id": "tiny-clip", "max_length": 24},
        "planes": ["axial"],
        "presence_threshold": 0.0,
        "trained_prompts": {n: {"modalities": ["MR"]} for n in ("right kidney", "liver")},
        "licence": {"spdx": "none", "line": "made by a test", "permissive": True},
    }
    tiny_clip.write_tiny_clip(tmp_path / "encoders" / "tiny-clip")
    monkeypatch.setenv("TEXTPROMPTSEG_ENCODERS", str(tmp_path / "encoders"))
    save(tmp_path / "tiny", net, config, dtype="float32")
    seen: list[tuple[bool, list[float] | None]] = []
    plain = OMTSAM.decode

    def watched(self: OMTSAM, features: Any, text: Any, boxes: Any = None, *more: Any) -> Any:
        seen.append((bool(text.mask.any()), None if boxes is None else boxes[0].tolist()))
        return plain(self, features, text, boxes, *more)

    monkeypatch.setattr(OMTSAM, "decode", watched)
    data = write_dataset(tmp_path / "data", cases=4) / "dataset.json"
    modes = ways_with_boxes(["text", "text+box", "box"])
    report = evaluate([str(tmp_path / "tiny")], [data], "val", modes=modes, device="cpu")
    assert not report.failures
    scored = {(r.mode, r.structure): r for r in report.rows if r.present}
    assert {mode for mode, _ in scored} == {"text only", "text + box", "box only"}
    label = picture(3)[1]
    columns, rows = (np.flatnonzero((label == 1).any(axis)) for axis in (0, 1))
    box = [columns[0] - 0.5, rows[0] - 0.5, columns[-1] + 0.5, rows[-1] + 0.5]
    shown = [(text, b) for text, b in seen if b is not None and b == pytest.approx(box)]
    assert {text for text, _ in shown} == {True, False}
    assert not any(b is None for text, b in seen if not text)
    seen.clear()
    modes = ways_with_boxes(["text+point", "point", "text+3d-box"])
    report = evaluate([str(tmp_path / "tiny")], [data], "val", modes=modes, device="cpu")
    assert not report.failures
    assert {text for text, b in seen if b is None} == {True, False}, "points with and without text"
    assert any(text and b == pytest.approx(box, abs=0.02) for text, b in seen if b is not None)
    with pytest.raises(InputError, match="must be one of"):
        ways_with_boxes(["guess"])
