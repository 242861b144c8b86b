"""The worker: messages, arrays, a persistent process, cancel, crash, memory, the end."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from worker_bench import HERE, ROOT, alive, ask, fake_client, finish, wait_until

from TextPromptSegLib.files import messages as protocol
from TextPromptSegLib.files.processes import child_environment, explain_exit
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.outcome import (
    Cancelled,
    DeviceError,
    InputError,
    Outcome,
    TextPromptSegError,
)
from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.worker import arrays, wire
from TextPromptSegLib.worker.arrays import ArrayStore
from TextPromptSegLib.worker.client import WorkerClient
from TextPromptSegLib.worker.remote import RemotePredictor, shared_client


@pytest.fixture
def client():
    made = fake_client()
    yield made
    made.stop()


@pytest.fixture
def volume() -> Volume:
    generator = np.random.default_rng(1)
    array = generator.integers(-100, 200, (6, 24, 32)).astype(np.int16)
    return Volume.from_array(array, (2.0, 2.0, 5.0), modality="CT", name="synthetic")


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
    monkeypatch.setattr(arrays, "_parents", lambda: [str(tmp_path)])
    dead = tmp_path / "textpromptseg-999999999-x"
    mine = tmp_path / f"textpromptseg-{os.getpid()}-y"
    other = tmp_path / "somebody-else"
    for folder in (dead, mine, other):
        folder.mkdir()
    assert arrays.sweep() == 0  # too young
    assert arrays.sweep(now=time.time() + 2 * 86400) == 1
    assert not dead.exists() and mine.exists() and other.exists()


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
    import json

    for prompt in parse_prompts(text):
        message = json.loads(json.dumps(wire.prompt_to_dict(prompt)))
        assert wire.prompt_from_dict(message) == prompt


def test_volume_survives(volume: Volume) -> None:
    store = ArrayStore()
    back = wire.volume_from_dict(wire.volume_to_dict(volume, store), store)
    assert np.array_equal(back.array, volume.array) and back.array.dtype == np.int16
    assert np.allclose(back.ijk_to_ras, volume.ijk_to_ras) and back.modality == "CT"
    store.close()


# -- the process -------------------------------------------------------------------------------


def test_segments_and_stays_loaded(client: WorkerClient, volume: Volume) -> None:
    first = client.wait(ask(client, volume, "liver, left kidney, thyroid gland"))
    assert [s.outcome for s in first] == [Outcome.FOUND, Outcome.FOUND, Outcome.UNKNOWN_PROMPT]
    assert [s.prompt.name for s in first] == ["liver", "left kidney", "thyroid gland"]
    assert first[0].mask.shape == volume.shape and first[0].voxels == first[0].mask.sum() > 0
    assert first[0].probability.dtype == np.float16 and first[2].probability is None
    pid = client.pid
    again = ask(client, volume, "spleen")
    client.wait(again)
    assert client.pid == pid and client.starts == 1
    # The image was sent and set once for two runs.
    assert again.result[0].provenance["voxels"] == 1
    assert again.info["device"] == "cpu" and again.info["seconds"]["total"] >= 0


def test_changed_voxels_are_sent_again(client: WorkerClient, volume: Volume) -> None:
    client.wait(ask(client, volume, "liver"))
    job = ask(client, volume, "liver", volume_key="v2")
    client.wait(job)
    assert job.result[0].provenance["voxels"] == 2


def test_region_reaches_the_predictor(client: WorkerClient, volume: Volume) -> None:
    (found,) = client.wait(ask(client, volume, "liver", slices=(3, 4), plane="axial"))
    assert found.mask[3].any() and not found.mask[[0, 1, 2, 4, 5]].any()


def test_one_slice_is_not_sent_as_a_volume(
    client: WorkerClient, volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    take = ArrayStore.take

    def taken(store, reference):
        array = take(store, reference)
        sizes.append(array.size)
        return array

    monkeypatch.setattr(ArrayStore, "take", taken)
    (whole,) = client.wait(ask(client, volume, "liver"))
    (part,) = client.wait(ask(client, volume, "liver", slices=(3, 4)))
    assert sizes[-1] == volume.array[0].size and max(sizes) == volume.array.size
    assert part.mask.shape == volume.shape and np.array_equal(part.mask[3], whole.mask[3])
    assert np.array_equal(part.probability[3], whole.probability[3])
    assert not part.probability[[0, 1, 2, 4, 5]].any()


def test_only_wanted_arrays_come_back(client: WorkerClient, volume: Volume) -> None:
    (found,) = client.wait(ask(client, volume, "liver", want=("mask",)))
    assert found.mask.any() and found.probability is None


def test_candidates_and_uncertainty_come_along(client: WorkerClient, volume: Volume) -> None:
    (found,) = client.wait(ask(client, volume, "liver", samples=3))
    assert len(found.candidates) == 3 and found.uncertainty.shape == volume.shape
    sizes = [int(mask.sum()) for mask in found.candidates]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > sizes[-1]
    assert not any(list(f.iterdir()) for f in client._store.folders)


def test_prints_of_libraries_do_no_harm(client: WorkerClient, volume: Volume) -> None:
    (found,) = client.wait(ask(client, volume, "noise liver"))
    assert found.outcome is not None
    assert wait_until(lambda: "even a C library" in client.log_tail())


def test_errors_keep_their_kind(client: WorkerClient, volume: Volume) -> None:
    with pytest.raises(InputError, match="no checkpoint"):
        client.wait(ask(client, volume, "liver", model="missing"))
    with pytest.raises(DeviceError, match="too little memory"):
        client.wait(ask(client, volume, "memory test"))
    with pytest.raises(TextPromptSegError, match="ZeroDivisionError"):
        client.wait(ask(client, volume, "bug"))
    assert client.wait(ask(client, volume, "liver"))[0].voxels and client.starts == 1


def test_progress_and_time_left(client: WorkerClient, volume: Volume) -> None:
    seen = []
    job = ask(client, volume, "slow liver", on_progress=lambda j: seen.append((j.done, j.total)))
    left = []
    while not job.finished:
        client.poll()
        left.append(job.eta_seconds)
        time.sleep(0.01)
    steps = [done for done, total in seen if total == 60]
    assert seen[0] == (0, 0) and len(steps) > 5 and steps == sorted(steps)
    known = [seconds for seconds in left if seconds is not None]
    assert known and 0 <= known[-1] < 5


def test_cancel_by_message_keeps_the_process(client: WorkerClient, volume: Volume) -> None:
    client.wait(ask(client, volume, "liver"))
    pid, job = client.pid, ask(client, volume, "slow liver")
    assert wait_until(lambda: client.poll() or job.done > 0)
    started = time.monotonic()
    client.cancel(job)
    assert job.state == "cancelled" and time.monotonic() - started < 0.2
    client.wait(ask(client, volume, "spleen"))
    assert client.pid == pid and client.starts == 1


def test_deaf_run_is_ended_and_the_next_one_works(volume: Volume) -> None:
    client = fake_client(grace_seconds=0.3)
    try:
        client.wait(ask(client, volume, "liver"))
        pid, job = client.pid, ask(client, volume, "deaf liver")
        time.sleep(0.1)
        client.poll()
        client.cancel(job)
        assert job.state == "cancelled"
        assert client.wait(ask(client, volume, "liver"))[0].voxels
        assert client.pid != pid and not alive(pid)
    finally:
        client.stop()


def test_waiting_job_is_cancelled_without_a_message(client: WorkerClient, volume: Volume) -> None:
    first, second = ask(client, volume, "slow liver"), ask(client, volume, "spleen")
    client.cancel(second)
    assert second.state == "cancelled" and first.state == "running"
    client.cancel(first)


@pytest.mark.parametrize(
    ("word", "sentence"),
    [("crash", "exit code 7.*about to crash"), ("kill", "memory ran out")],
)
def test_dead_worker_is_a_sentence_and_the_next_run_works(
    client: WorkerClient, volume: Volume, word: str, sentence: str
) -> None:
    client.wait(ask(client, volume, "liver"))
    job, waiting = ask(client, volume, f"{word} it"), ask(client, volume, "spleen")
    finish(client, job)
    assert isinstance(job.error, TextPromptSegError)
    import re

    assert re.search(sentence, str(job.error)), job.error
    assert client.wait(waiting)[0].voxels
    assert client.starts >= 2


def test_worker_killed_from_outside(client: WorkerClient, volume: Volume) -> None:
    job = ask(client, volume, "slow liver")
    assert wait_until(lambda: client.poll() or job.done > 0)
    os.kill(client.pid, 9)
    finish(client, job)
    assert "memory ran out" in str(job.error)
    assert client.wait(ask(client, volume, "liver"))[0].voxels


def test_wait_passes_progress_and_cancels(client: WorkerClient, volume: Volume) -> None:
    with pytest.raises(Cancelled):
        client.wait(ask(client, volume, "slow liver"), progress=lambda done, *_: done < 10)
    assert client.wait(ask(client, volume, "liver"))[0].voxels and client.starts == 1


def test_stop_leaves_nothing(volume: Volume) -> None:
    client = fake_client()
    client.wait(ask(client, volume, "liver"))
    pid, folders = client.pid, client._store.folders
    job = ask(client, volume, "slow liver")
    client.stop()
    assert job.state == "cancelled" and not client.alive and not client.active
    assert not alive(pid) and not any(f.exists() for f in folders)
    assert client.wait(ask(client, volume, "liver"))[0].voxels  # starts again
    client.stop()


def test_wrong_interpreter_is_a_sentence(volume: Volume) -> None:
    client = WorkerClient(["/nowhere/python"])
    job = ask(client, volume, "liver")
    assert job.state == "failed" and "could not be started" in str(job.error)


def test_program_that_is_no_worker(volume: Volume) -> None:
    client = WorkerClient([sys.executable, "-c", "print('hello, this is not a worker at all')"])
    job = finish(client, ask(client, volume, "liver"))
    assert job.state == "failed" and "stopped unexpectedly" in str(job.error)
    client.stop()


def test_worker_ends_with_its_parent(tmp_path: Path) -> None:
    script = f"""
import sys, time
sys.path[:0] = [{str(ROOT)!r}, {str(HERE)!r}]
import numpy as np
from worker_bench import fake_client, ask
from TextPromptSegLib.image.volume import Volume
client = fake_client()
volume = Volume.from_array(np.zeros((2, 8, 8), np.int16))
client.wait(ask(client, volume, "liver"))
ask(client, volume, "deaf liver")
print(client.pid, *client._store.folders, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    words = parent.stdout.readline().split()
    pid, folders = int(words[0]), [Path(w) for w in words[1:]]
    assert alive(pid) and all(f.exists() for f in folders)
    parent.kill()
    parent.wait()
    assert wait_until(lambda: not alive(pid)), "the worker outlived its parent"
    assert wait_until(lambda: not any(f.exists() for f in folders))
    parent.stdout.close()


def test_client_and_wire_need_no_torch() -> None:
    code = (
        "import sys; import TextPromptSegLib.worker.client, TextPromptSegLib.worker.server;"
        "sys.exit(bool({'torch', 'scipy', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_missing_torch_is_a_sentence(volume: Volume, tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(
        "raise ModuleNotFoundError('No module named torch', name='torch')"
    )
    client = WorkerClient(environment={**os.environ, "PYTHONPATH": str(tmp_path)})
    job = finish(client, ask(client, volume, "liver", model="film-unet-compact"))
    assert "torch is not installed" in str(job.error) or "PyTorch is not installed" in str(
        job.error
    )
    client.stop()


def test_200_runs_leave_no_growth(client: WorkerClient, volume: Volume) -> None:
    import threading

    def state():
        descriptors = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
        maps = Path("/proc/self/maps").read_text().count("textpromptseg-")
        return descriptors, threading.active_count(), maps

    for _ in range(20):
        client.wait(ask(client, volume, "liver"))
    worker = Path(f"/proc/{client.pid}/statm")
    before, pages = state(), int(worker.read_text().split()[1])
    for _ in range(200):
        client.wait(ask(client, volume, "liver"))
    assert state() == before
    assert client.starts == 1 and not any(list(f.iterdir()) for f in client._store.folders)
    assert int(worker.read_text().split()[1]) - pages < 1000  # pages of 4 KiB


def test_environment_and_exit_sentences() -> None:
    environment = child_environment({"PYTHONPATH": "/x"})
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(ROOT), "/x"]
    assert "memory" in explain_exit(-9) and "crashed" in explain_exit(-11)
    assert explain_exit(1, " why ").endswith("Last message: why")


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

    from TextPromptSegLib.checkpoints import checkpoint
    from TextPromptSegLib.inference.predictor import SlicePredictor
    from TextPromptSegLib.systems.registry import create

    write_tiny_bert(tmp_path / "encoders" / "tiny")
    monkeypatch.setenv("TEXTPROMPTSEG_ENCODERS", str(tmp_path / "encoders"))
    sizes = {**SIZES, "text_dim": BERT["text_dim"]}
    config = tiny_config(config=sizes, text_encoder={"id": "tiny", "max_length": 24})
    folder = tmp_path / "tiny"
    checkpoint.save(folder, create("film-unet", sizes).eval(), config, card="# Tiny\n")

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
