"""SAM's, MedSAM's and transformers' weights in OMT-SAM: every tensor, and the same answers."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_sam import tiny_omt, tiny_sam, transformers_sam

from TextPromptSegLib.checkpoints.layout import sha256_of
from TextPromptSegLib.outcome import CheckpointError
from TextPromptSegLib.systems.omt_sam import OMTSAM, OMTSAMConfig
from TextPromptSegLib.systems.omt_sam.mask_decoder import presence_score, single_mask
from TextPromptSegLib.systems.omt_sam.weights import (
    find_weights,
    from_transformers,
    load_sam_weights,
    sam_targets,
)
from TextPromptSegLib.text.features import TextFeatures


def no_text(rows: int) -> TextFeatures:
    nothing = torch.zeros(rows, 8)
    return TextFeatures(nothing[:, None], torch.ones(rows, 1) > 0, nothing).without_words()


def low_resolution(net: OMTSAM, features: Any, box: torch.Tensor) -> tuple[Any, Any]:
    """Return the decoder's own mask (1, 1, 4 h, 4 w) and score (1,) for a box without text."""
    ((_, states, places),) = net._answer(features, no_text(1), box, None, None)
    low = single_mask(net.mask_decoder, states, places, net.config.grid)
    return low, presence_score(net.mask_decoder, states)


@pytest.fixture(scope="module")
def sam_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in the layout of medsam_vit_b.pth, small sizes."""
    path = tmp_path_factory.mktemp("sam") / "medsam_tiny.pth"
    torch.save(tiny_sam().state_dict(), path)
    return path


# -- the key mappings ------------------------------------------------------------------------------


def test_every_key_of_sam_vit_b_is_mapped() -> None:
    from segment_anything import sam_model_registry

    with torch.device("meta"):
        sam, net = sam_model_registry["vit_b"](), OMTSAM(OMTSAMConfig())
    expected = {key: value.shape for key, value in sam.state_dict().items()}
    own = net.state_dict()
    targets = sam_targets(net)
    assert len(expected) == 314
    assert set(targets) == set(expected)
    for name, keys in targets.items():
        assert len(keys) == (4 if ".neck." in name else 1)
        assert all(own[key].shape == expected[name] for key in keys)
    new = set(own) - {key for keys in targets.values() for key in keys}
    assert {key.split(".")[0] for key in new} == {"image_encoder", "image_text"}
    assert {k for k in new if k.startswith("image_enc")} == {
        "image_encoder.fusion.conv.weight",
        "image_encoder.fusion.conv.bias",
    }


def test_every_key_of_transformers_sam_vit_b_is_mapped() -> None:
    from segment_anything import sam_model_registry
    from transformers import SamConfig, SamModel

    with torch.device("meta"):
        theirs = SamModel(SamConfig()).state_dict()
        sam = sam_model_registry["vit_b"]().state_dict()
    mapped = {key: from_transformers(key) for key in theirs}
    twice = {k for k in mapped if "positional_embedding" in k}
    assert len(theirs) == 315 and len(twice) == 2
    assert {mapped[k] for k in twice} == {
        "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"
    }
    assert set(mapped.values()) == set(sam)
    for key, name in mapped.items():
        assert theirs[key].shape == sam[name].shape, key


def test_both_layouts_hold_the_same_network(tmp_path: Path) -> None:
    """The same picture and box through transformers' code and through ours on its weights."""
    theirs = transformers_sam()
    path = tmp_path / "pytorch_model.bin"
    torch.save(theirs.state_dict(), path)
    net = tiny_omt()
    source = load_sam_weights(net, path)
    assert source.layout == "transformers" and source.sha256 == sha256_of(path)
    net.eval()
    image = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        expected = theirs(
            pixel_values=image,
            input_boxes=torch.tensor([[[10.0, 12.0, 40.0, 50.0]]]),
            multimask_output=False,
        )
        box = torch.tensor([[10.0, 12.0, 40.0, 50.0]])
        low, score = low_resolution(net, net.encode_image(image), box)
    assert low is not None
    assert torch.allclose(low[:, 0], expected.pred_masks[0, :, 0], atol=1e-4, rtol=1e-4)
    assert torch.allclose(score, expected.iou_scores[0, :, 0], atol=1e-4)


# -- the same answers as SAM -----------------------------------------------------------------------


def predictions(sam: Any, image: np.ndarray, **prompt: Any) -> tuple[np.ndarray, float]:
    from segment_anything import SamPredictor

    predictor = SamPredictor(sam)
    predictor.set_image(image)
    logits, score, _ = predictor.predict(multimask_output=False, return_logits=True, **prompt)
    return logits[0], float(score[0])


@pytest.mark.parametrize(
    "prompt",
    [
        {"box": np.array([8.0, 10.0, 40.0, 55.0])},
        {"box": np.array([0.0, 0.0, 63.0, 63.0])},
        {
            "box": np.array([8.0, 10.0, 40.0, 55.0]),
            "point_coords": np.array([[20.0, 20.0], [50.0, 3.0]]),
            "point_labels": np.array([1, 0]),
        },
        {"point_coords": np.array([[20.0, 30.0]]), "point_labels": np.array([1])},
    ],
    ids=["box", "whole image", "box and points", "point"],
)
def test_a_network_started_from_sam_answers_as_sam_predictor(
    sam_file: Path, prompt: dict[str, np.ndarray]
) -> None:
    sam, net = tiny_sam(), tiny_omt()
    load_sam_weights(net, sam_file)
    net.eval()
    image = np.random.default_rng(5).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    expected, score = predictions(sam, image, **prompt)
    boxes = points = None
    if "box" in prompt:
        boxes = torch.from_numpy(prompt["box"])[None]
    if "point_coords" in prompt:
        table = np.column_stack([prompt["point_coords"], prompt["point_labels"]])
        points = torch.cat([torch.from_numpy(table), torch.tensor([[7.0, 7.0, -1.0]])])[None]
    with torch.inference_mode():
        features = net.encode_image(torch.from_numpy(image).permute(2, 0, 1)[None] / 255)
        logits, presence = net.decode(features, no_text(1), boxes, points)
    found = logits[0, 0].numpy()
    assert np.allclose(found, expected, atol=1e-4)
    assert abs(float(presence) - score) < 1e-5
    level = float(np.median(expected))  # random weights: zero may lie outside their range
    a, b = found > level, expected > level
    assert (a & b).sum() / (a | b).sum() >= 0.999


def test_the_further_scales_change_nothing_at_the_start_and_something_after_a_step(
    sam_file: Path,
) -> None:
    one, four = tiny_omt(scales=1), tiny_omt(scales=4)
    for net in (one, four):
        load_sam_weights(net, sam_file)
        net.eval()
    image = torch.rand(2, 3, 64, 64)
    assert torch.allclose(one.encode_image(image)[0], four.encode_image(image)[0], atol=1e-5)
    four.encode_image(image)[0].square().sum().backward()
    weight = four.image_encoder.fusion.conv.weight.grad
    assert weight is not None and weight[:, :32].abs().sum() > 0


# -- strict, and nothing is run --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("mask_decoder.iou_token.weight"), "missing"),
        (lambda s: s.update(more=torch.zeros(1)), "unknown"),
        (lambda s: s.update({"image_encoder.neck.1.bias": torch.zeros(5)}), "of another size"),
    ],
    ids=["missing", "unknown", "size"],
)
def test_every_tensor_of_a_file_is_accounted_for(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], message: str
) -> None:
    stored = dict(tiny_sam().state_dict())
    change(stored)
    torch.save(stored, tmp_path / "sam.pth")
    net = tiny_omt()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    with pytest.raises(CheckpointError, match=message):
        load_sam_weights(net, tmp_path / "sam.pth")
    assert all(v.equal(before[k]) for k, v in net.state_dict().items())


class Harmful:
    """Would write a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return Path.touch, (self.target,)


def test_a_file_that_would_run_something_is_not_opened(tmp_path: Path) -> None:
    trap, path = tmp_path / "ran", tmp_path / "sam.pth"
    torch.save({"a": Harmful(trap)}, path)
    with pytest.raises(CheckpointError, match="was not opened"):
        load_sam_weights(tiny_omt(), path)
    path.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(CheckpointError):
        load_sam_weights(tiny_omt(), path)
    assert not trap.exists()


def test_two_different_tensors_of_one_name_are_refused(tmp_path: Path) -> None:
    stored = dict(transformers_sam().state_dict())
    stored["shared_image_embedding.positional_embedding"] = torch.zeros(2, 16)
    torch.save(stored, tmp_path / "sam.bin")
    with pytest.raises(CheckpointError, match="twice"):
        load_sam_weights(tiny_omt(), tmp_path / "sam.bin")


def test_weights_are_found_in_the_encoders_folder(
    sam_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTPROMPTSEG_ENCODERS", str(sam_file.parent))
    assert find_weights("medsam_tiny.pth") == sam_file
    with pytest.raises(CheckpointError, match="TEXTPROMPTSEG_ENCODERS"):
        find_weights("medsam_other.pth")
    net = tiny_omt(start_from="medsam_tiny.pth")
    net.start_training()
    own = tiny_sam().state_dict()["mask_decoder.iou_token.weight"]
    assert net.state_dict()["mask_decoder.iou_token.weight"].equal(own)
