"""A predictor and a batch that run in the worker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.outcome import Cancelled, InputError, Outcome
from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.worker import wire
from TextPromptSegLib.worker.client import WorkerClient
from TextPromptSegLib.worker.remote import RemotePredictor, shared_client

# -- a predictor that runs there -----------------------------------------------------------------


def test_remote_predictor_is_a_predictor(client: WorkerClient, volume: Volume) -> None:
    remote = RemotePredictor.from_pretrained("fake", client=client)
    assert "liver" in remote.config["trained_prompts"]
    with pytest.raises(InputError, match="set_volume"):
        remote.segment("liver")
    remote.set_volume(volume, slices=slice(None, 4))
    found = remote.segment(["liver", "spleen"], threshold=0.4)
    assert [s.prompt.name for s in found] == ["liver", "spleen"] and found[0].threshold == 0.4
    assert not found[0].mask[4:].any()
    assert remote.segment("liver")[0].provenance["voxels"] == 1
    with pytest.raises(Cancelled):
        remote.segment("slow liver", progress=lambda done, *_: done < 5)
    remote.unload()
    assert not client.alive
    assert remote.segment("liver")[0].voxels


def test_a_mask_goes_to_the_worker_and_once_more_when_its_file_is_lost(
    client: WorkerClient, volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    from TextPromptSegLib.worker.arrays import ArrayStore

    remote = RemotePredictor("fake", client=client)
    remote.set_volume(volume)
    mask = np.zeros(volume.shape, np.uint8)
    mask[1:3, 2:5, 3:7] = 1
    put, lost = ArrayStore.put, []

    def lose_the_mask(self: ArrayStore, array: np.ndarray) -> dict:
        reference = put(self, array)
        if array.dtype == np.uint8 and not lost:
            lost.append(reference)
            Path(reference["path"]).unlink()
        return reference

    monkeypatch.setattr(ArrayStore, "put", lose_the_mask)
    plain, (found,) = remote.segment("prostate")[0], remote.segment("prostate", mask=mask)
    assert len(lost) == 1 and not plain.voxels
    np.testing.assert_array_equal(found.mask, mask)
    assert not any(list(folder.iterdir()) for folder in client._store.folders)


def test_modality_goes_to_the_worker(client: WorkerClient, volume: Volume) -> None:
    remote = RemotePredictor.from_pretrained("fake", client=client)
    said = []
    for modality in (None, "MR", "CT"):
        remote.set_volume(volume, modality=modality)
        said.append(remote.segment("liver")[0].provenance["taken_for"])
    assert "as you said" not in said[0]
    assert "MR, as you said" in said[1] and "CT" in said[2] and "as you said" in said[2]
    with pytest.raises(InputError, match="use CT, MR or CXR"):
        remote.set_volume(volume, modality="PET")


def test_there_is_one_shared_client() -> None:
    assert shared_client() is shared_client() and not shared_client().alive


def test_real_tiny_checkpoint_in_the_worker(
    volume: Volume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way: process, safetensors, networks, probabilities back; equal to doing it here."""
    pytest.importorskip("transformers")
    from tiny_bert import SIZES as BERT
    from tiny_bert import write_tiny_bert
    from tiny_checkpoint import SIZES, tiny_config

    from TextPromptSegLib.checkpoints import weights
    from TextPromptSegLib.inference.predictor import SlicePredictor
    from TextPromptSegLib.systems.registry import create

    write_tiny_bert(tmp_path / "encoders" / "tiny")
    monkeypatch.setenv("TEXTPROMPTSEG_ENCODERS", str(tmp_path / "encoders"))
    sizes = {**SIZES, "text_dim": BERT["text_dim"]}
    config = tiny_config(config=sizes, text_encoder={"id": "tiny", "max_length": 24})
    folder = tmp_path / "tiny"
    weights.save(folder, create("film-unet", sizes).eval(), config, card="# Tiny\n")

    local = SlicePredictor.from_pretrained(folder, device="cpu")
    local.set_volume(volume)
    (expected,) = local.segment(["liver"])
    client = WorkerClient()
    try:
        remote = RemotePredictor(str(folder), "cpu", client)
        remote.set_volume(volume)
        (found,) = remote.segment(["liver"])
        assert np.allclose(found.probability, expected.probability, atol=0.02)
        assert found.outcome is expected.outcome and remote.seconds["total"] > 0
        devices = client.wait(client.submit({"type": "devices"}))["devices"]
        assert devices[-1]["id"] == "cpu" and devices[-1]["free_bytes"] > 0
        (again,) = remote.segment(["liver"])
        assert np.array_equal(again.probability, found.probability)
        (unknown,) = remote.segment(["spleen"])
        assert unknown.outcome is Outcome.UNKNOWN_PROMPT and "not trained" in unknown.message
        client.wait(client.submit({"type": "unload"}))
        assert client.wait(client.submit({"type": "ping"}))["model"] is None
    finally:
        client.stop()


def test_batch_runs_in_the_worker(client: WorkerClient, tmp_path: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    (tmp_path / "in").mkdir()
    image = sitk.GetImageFromArray(np.zeros((4, 16, 16), np.int16))
    sitk.WriteImage(image, str(tmp_path / "in" / "a.nrrd"))
    request = {
        "type": "batch",
        "inputs": str(tmp_path / "in"),
        "output_dir": str(tmp_path / "out"),
        "model": "fake",
        "prompts": [wire.prompt_to_dict(p) for p in parse_prompts("liver")],
    }
    job = client.submit(request)
    summary = client.wait(job)["summary"]
    assert summary["done"] == 1 and job.total > 0
    assert (tmp_path / "out" / "a.seg.nrrd").exists()
