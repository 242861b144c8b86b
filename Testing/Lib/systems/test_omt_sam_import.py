"""Published weights become a checkpoint of OMT-SAM, and what else a network can start from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_checkpoint
import torch
from tiny_sam import SIZES, tiny_omt, tiny_sam, transformers_sam

from TextPromptSegLib.checkpoints import weights
from TextPromptSegLib.checkpoints.layout import sha256_of
from TextPromptSegLib.cli import main
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference.loaded_checkpoint import load
from TextPromptSegLib.inference.predictor import SlicePredictor
from TextPromptSegLib.outcome import CheckpointError
from TextPromptSegLib.systems.foreign_weights import import_path
from TextPromptSegLib.systems.omt_sam import OMTSAMConfig
from TextPromptSegLib.systems.omt_sam.convert import IMAGENET_MEAN, convert_sam, sizes_of
from TextPromptSegLib.systems.omt_sam.weights import load_stem, start_from
from TextPromptSegLib.systems.registry import create
from TextPromptSegLib.text.features import TextFeatures


def no_text(rows: int) -> TextFeatures:
    nothing = torch.zeros(rows, 8)
    return TextFeatures(nothing[:, None], torch.ones(rows, 1) > 0, nothing).without_words()


@pytest.fixture(scope="module")
def sam_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in the layout of medsam_vit_b.pth, small sizes."""
    path = tmp_path_factory.mktemp("sam") / "medsam_tiny.pth"
    torch.save(tiny_sam().state_dict(), path)
    return path


# -- import ----------------------------------------------------------------------------------------


def test_sizes_are_read_from_the_tensors() -> None:
    from segment_anything import sam_model_registry

    with torch.device("meta"):
        stored = sam_model_registry["vit_b"]().state_dict()
    assert sizes_of(stored) == OMTSAMConfig(image_text=False)
    with pytest.raises(CheckpointError, match="not SAM's"):
        sizes_of({"a": torch.zeros(1)})


def test_importing_published_weights_gives_a_checkpoint_that_takes_boxes(
    sam_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("TEXTPROMPTSEG_HOME", str(tmp_path))
    row = import_path(sam_file, kind="medsam")
    assert row.name == "omt-sam" and "no text" in row.title and row.folder is not None
    card = (row.folder / "README.md").read_text()
    assert sha256_of(sam_file) in card and "no text part" in card
    assert main(["models", "show", "omt-sam"]) == 0
    assert "no text part" in capsys.readouterr().out
    predictor = SlicePredictor.from_pretrained("omt-sam", device="cpu", precision="float32")
    image = np.random.default_rng(0).integers(0, 255, (1, 64, 64)).astype(np.float32)
    predictor.set_volume(Volume(image, np.diag([-1.0, -1.0, 1.0, 1.0])))
    (found,) = predictor.segment("liver", box=(-40, -8, -55, -10, 0, 0))
    assert found.probability is not None
    net = load(row.folder).model
    with torch.inference_mode():
        grey = torch.from_numpy(image)[None].expand(1, 3, -1, -1)
        low, high = np.percentile(image, (0.5, 99.5))
        features = net.encode_image(((grey - low) / (high - low)).clamp(0, 1))
        box = torch.tensor([[8.0, 10.0, 40.0, 55.0]])
        expected = net.decode(features, no_text(1), box)[0].sigmoid()[0, 0].numpy()
    answer = np.asarray(found.probability[0], np.float32)
    assert np.abs(answer[10:56, 8:41] - expected[10:56, 8:41]).max() < 5e-3
    assert answer.std() > 0.01


def test_a_folder_of_the_hub_is_imported_with_sams_normalisation(tmp_path: Path) -> None:
    folder = tmp_path / "sam-vit-tiny"
    folder.mkdir()
    torch.save(transformers_sam().state_dict(), folder / "pytorch_model.bin")
    (folder / "config.json").write_text('{"model_type": "sam"}')
    (folder / "preprocessor_config.json").write_text("{}")
    made = load(convert_sam(folder, tmp_path / "made", "sam", "sam-tiny"))
    assert made.model.config.pixel_mean == IMAGENET_MEAN
    assert made.model.config.depth == SIZES["depth"] and made.model.config.window == SIZES["window"]


def test_whose_weights_they_are_is_said_and_not_read_from_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "medsam_project"
    folder.mkdir()
    torch.save(tiny_sam().state_dict(), folder / "sam_vit_b.pth")
    with pytest.raises(CheckpointError, match="say whose they are: --as sam or --as medsam"):
        convert_sam(folder / "sam_vit_b.pth", tmp_path / "made", None)
    made = load(convert_sam(folder / "sam_vit_b.pth", tmp_path / "made", "sam"))
    assert made.model.config.pixel_mean == IMAGENET_MEAN  # it became MedSAM by its folder's name


def test_with_biomedclip_the_text_comes_along_untrained(
    sam_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tiny_clip

    from TextPromptSegLib.systems.omt_sam import convert

    name = "BiomedCLIP-PubMedBERT_256-vit_base_patch16_224"
    tiny_clip.write_tiny_clip(tmp_path / name)
    monkeypatch.setenv("TEXTPROMPTSEG_ENCODERS", str(tmp_path))
    with pytest.raises(CheckpointError, match="another checksum"):  # here, so not left out
        convert_sam(sam_file, tmp_path / "other", "medsam")
    monkeypatch.setattr(convert, "BIOMED_CLIP", {**convert.BIOMED_CLIP, "sha256": None})
    made = load(convert_sam(sam_file, tmp_path / "made", "medsam"))
    net: Any = made.model
    assert net.config.image_text and not net.config.text_trained
    assert (
        "untrained" in made.config["title"]
        and "untrained" in (made.folder / "README.md").read_text()
    )
    words = made.text_encoder.encode(["liver", "liver"])
    features = net.encode_image(torch.rand(1, 3, 64, 64).expand(2, -1, -1, -1))
    boxes = torch.tensor([[8.0, 10.0, 40.0, 55.0], [float("nan")] * 4])
    with_text, silent = (net.decode(features, text, boxes)[0] for text in (words, no_text(2)))
    assert torch.allclose(with_text[0], silent[0], atol=1e-6)
    assert (with_text[1] - silent[1]).abs().max() > 1e-3


def test_foreign_files_and_a_missing_model_are_answered_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("TEXTPROMPTSEG_HOME", str(tmp_path / "home"))
    torch.save({"conv.weight": torch.zeros(2, 2)}, tmp_path / "unet.pth")
    assert main(["models", "import", str(tmp_path / "unet.pth")]) == 2
    assert "weights of SAM 3, SAM and MedSAM are known" in " ".join(capsys.readouterr().err.split())
    assert main(["models", "show", "omt-sam"]) == 0
    shown = capsys.readouterr().out
    assert "medsam_vit_b.pth" in shown and "BiomedCLIP" in shown and "models import" in shown
    assert main(["models", "show", "omt-sam-none"]) == 2


# -- other starts ----------------------------------------------------------------------------------


def test_the_stem_starts_from_the_encoder_of_a_film_unet(tmp_path: Path) -> None:
    film_sizes = {
        "in_channels": 2,
        "channels": [24, 48, 96, 160, 256],
        "patch": 2,
        "text_dim": 1,
        "cbam_channel": False,
    }
    film = create("film-unet", film_sizes).eval()
    for layer in film.modules():  # not as they begin: the norms' statistics are copied too
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(layer.running_mean)
            torch.nn.init.uniform_(layer.running_var, 0.5, 2.0)
    facts = tiny_checkpoint.tiny_config(name="film", config=film_sizes)
    folder = weights.save(tmp_path / "film", film, facts, dtype="float32")
    sizes = {
        "image_size": 64,
        "in_channels": 2,
        "stem_channels": (24, 48, 96, 160, 256),
        "rel_pos": False,
    }
    net = tiny_omt(**sizes)
    assert load_stem(net, str(folder)).startswith("film (sha256 ")
    net.eval()
    image = torch.rand(1, 2, 64, 64)
    stem: Any = net.image_encoder.patch_embed
    x = torch.nn.functional.pixel_unshuffle(image, 2)
    for index, stage in enumerate(stem.stages):
        x = stage(x if index == 0 else torch.nn.functional.max_pool2d(x, 2))
        assert torch.allclose(x, film.encode_image(image)[index], atol=1e-5)
    with pytest.raises(CheckpointError, match="does not fit the stem"):
        load_stem(tiny_omt(**{**sizes, "stem_channels": (24, 48, 96, 160)}), str(folder))


def test_a_second_stage_starts_as_the_first_one_answered(tmp_path: Path) -> None:
    import tiny_clip

    from TextPromptSegLib.checkpoints.weights import save

    clip = tiny_clip.tiny_clip(tmp_path / "clip")
    sizes = {"image_text": True, "text_dim": clip.token_dim}
    first = tiny_omt(**sizes, clip_image=False, clip_dim=4).eval()
    config = {
        "name": "first",
        "system": "omt-sam",
        "config": {},
        "input": {},
        "text_encoder": {},
        "trained_prompts": {},
        "licence": {},
    }
    save(tmp_path / "first", first, config, dtype="float32")
    second = tiny_omt(**sizes, clip_dim=clip.patch_dim).eval()
    second.attach_text_encoder(clip)
    assert start_from(second, tmp_path / "first").startswith("first (sha256 ")
    image, text = torch.rand(2, 3, 64, 64), clip.encode(["liver", "spleen"])
    answers = [net.decode(net.encode_image(image), text)[0] for net in (first, second)]
    assert torch.allclose(*answers, atol=1e-4)
    answers[1].sum().backward()
    gradient = second.image_text.image_projection.weight.grad  # type: ignore[union-attr]
    assert gradient is not None and gradient.abs().sum() > 0
    with pytest.raises(CheckpointError, match="does not fit the network"):
        start_from(tiny_omt(**sizes, clip_dim=4, width=64), tmp_path / "first")
