"""What passes between client and worker: messages, arrays, prompts, volumes."""

from __future__ import annotations

import io
import json
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from TextPromptSegLib.files import messages as protocol
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.inference.answers import answer, rethreshold
from TextPromptSegLib.outcome import TextPromptSegError
from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.worker import arrays, wire
from TextPromptSegLib.worker.arrays import ArrayStore

# -- messages ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message", [{}, {"text": "Niere\nµ{}\x00"}, {"n": [1, 2.5, None, True], "d": {"a": "b"}}]
)
def test_message_survives_the_pipe(message) -> None:
    pipe = io.BytesIO()
    protocol.write_message(pipe, message)
    protocol.write_message(pipe, {"next": 1})
    pipe.seek(0)
    assert protocol.read_message(pipe) == message
    assert protocol.read_message(pipe) == {"next": 1}
    assert protocol.read_message(pipe) is None


@pytest.mark.parametrize("data", [b"\x00\x00\x00\x05hello", b"printed text", b"\x00\x00\x00\x02[]"])
def test_bytes_that_are_no_message_are_refused(data) -> None:
    with pytest.raises(protocol.ProtocolError):
        protocol.read_message(io.BytesIO(data))


def test_cut_off_message_is_the_end() -> None:
    assert protocol.read_message(io.BytesIO(b"\x00\x00\x00\x05he")) is None


def test_too_large_message_is_refused() -> None:
    with pytest.raises(protocol.ProtocolError, match="16 MiB"):
        protocol.write_message(io.BytesIO(), {"x": "a" * (protocol.MAX_BYTES + 1)})


# -- arrays ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16, np.float64])
@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 1, 1), (0, 3, 4)])
def test_arrays_pass_and_leave_no_file(dtype, shape) -> None:
    store = ArrayStore()
    try:
        array = np.arange(int(np.prod(shape))).reshape(shape).astype(dtype)
        other = ArrayStore([str(f) for f in store.folders])
        back = other.take(store.put(array[::1]))
        assert back.dtype == array.dtype and np.array_equal(back, array)
        back += 1  # private pages: writing is allowed
        assert not any(list(f.iterdir()) for f in store.folders)
    finally:
        store.close()
    assert not any(f.exists() for f in store.folders)


def test_strided_views_are_copied_in_order() -> None:
    store = ArrayStore()
    array = np.arange(24).reshape(2, 3, 4)[:, ::-1, ::2].transpose(2, 0, 1)
    assert np.array_equal(store.take(store.put(array)), array)
    store.close()


def test_reference_outside_the_folder_is_refused(tmp_path: Path) -> None:
    store = ArrayStore([str(tmp_path / "mine")])
    secret = tmp_path / "other.bin"
    secret.write_bytes(b"12345678")
    with pytest.raises(protocol.ProtocolError, match="refused"):
        store.take({"path": str(secret), "dtype": "|u1", "shape": [8]})
    assert secret.exists()


def test_full_disk_is_a_sentence(monkeypatch) -> None:
    store = ArrayStore()
    monkeypatch.setattr(arrays.shutil, "disk_usage", lambda _: type("U", (), {"free": 10})())
    with pytest.raises(TextPromptSegError, match="no room"):
        store.put(np.zeros(100))
    store.close()


def test_old_folders_of_dead_sessions_are_swept(tmp_path: Path, monkeypatch) -> None:
    """A process of another container sees the shared memory, but not whose process number it is."""
    monkeypatch.setattr(arrays, "_parents", lambda: [str(tmp_path)])
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(os, "getpid", lambda: 999999999)
        store = ArrayStore()
    dead, other = tmp_path / "textpromptseg-999999999-x", tmp_path / "somebody-else"
    for folder in (dead, other):
        folder.mkdir()
    reference = store.put(np.arange(4))
    assert arrays.sweep() == 0  # too young
    later = time.time() + 2 * 86400
    assert arrays.sweep(now=later) == 1 and not dead.exists() and other.exists()
    np.testing.assert_array_equal(store.take(reference), np.arange(4))
    store.close()
    store.folders[0].mkdir()  # what a crash leaves: nobody holds its lock
    assert arrays.sweep(now=later) == 1


def test_a_cleared_folder_is_made_again_until_it_is_closed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(arrays, "_parents", lambda: [str(tmp_path)])
    ours = ArrayStore()
    theirs = ArrayStore([str(folder) for folder in ours.folders])
    (folder,) = ours.folders
    for store in (ours, theirs):
        folder.rmdir()
        np.testing.assert_array_equal(theirs.take(store.put(np.ones(3))), np.ones(3))
    assert arrays.sweep(now=time.time() + 2 * 86400) == 1, "made by the other side: nobody's lock"
    ours.put(np.ones(3))
    assert arrays.sweep(now=time.time() + 2 * 86400) == 0
    ours.close()
    with pytest.raises(TextPromptSegError):
        ours.put(np.ones(3))
    assert not folder.exists()


# -- prompts and volumes as messages -------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "liver",
        "left kidney",
        "upper left lung",
        "liver without tumor",
        "bilateral infection",
        "xyzzy",
    ],
)
def test_prompts_survive(text: str) -> None:
    for prompt in parse_prompts(text):
        message = json.loads(json.dumps(wire.prompt_to_dict(prompt)))
        assert wire.prompt_from_dict(message) == prompt


def test_volume_survives(volume: Volume) -> None:
    store = ArrayStore()
    back = wire.volume_from_dict(wire.volume_to_dict(volume, store), store)
    assert np.array_equal(back.array, volume.array) and back.array.dtype == np.int16
    assert np.allclose(back.ijk_to_ras, volume.ijk_to_ras) and back.modality == "CT"
    store.close()


def test_an_answer_travels_as_its_box() -> None:
    probability = np.zeros((20, 200, 220), np.float16)
    probability[3:7, 20:60, 30:90] = 0.75
    facts = {"spacing_mm": [1, 1, 1], "voxel_ml": 0.001, "slice_axis": 0, "postprocess": {}}
    found = answer(parse_prompts("liver")[0], probability, 0.5, 0.0, facts)
    found = replace(found, candidates=(found.mask, np.zeros_like(found.mask)))
    store = ArrayStore()
    try:
        message = wire.segmentation_to_dict(found, store, ("mask", "probability", "candidates"))
        sent = sum(f.stat().st_size for folder in store.folders for f in folder.iterdir())
        assert sent == 4 * 40 * 60 * (1 + 2 + 1)  # mask, probability, the one candidate
        message = json.loads(json.dumps(message))
        back = wire.segmentation_from_dict(message, store)
        for name in ("mask", "probability"):
            assert np.array_equal(getattr(back, name), getattr(found, name))
            assert getattr(back, name).dtype == getattr(found, name).dtype
        assert [mask.any() for mask in back.candidates] == [True, False]
        assert back.candidates[1].shape == probability.shape and back.uncertainty is None
        moved = rethreshold(back, 0.8)
        assert not moved.mask.any() and rethreshold(moved, 0.5).voxels == found.voxels
        message = wire.segmentation_to_dict(found, store, ("mask",))
        message["mask"]["start"] = [19, 0, 0]
        with pytest.raises(protocol.ProtocolError, match="cannot be"):
            wire.segmentation_from_dict(message, store)
    finally:
        store.close()
