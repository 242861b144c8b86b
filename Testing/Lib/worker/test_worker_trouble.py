"""What goes wrong between client and worker ends in a sentence, and never in waiting for ever."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from worker_bench import HERE, ROOT, alive, ask, finish, wait_until

from TextPromptSegLib.files.messages import read_message, write_message
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.outcome import OutputError, TextPromptSegError
from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.worker import arrays, wire
from TextPromptSegLib.worker.arrays import ArrayMissing, ArrayStore
from TextPromptSegLib.worker.client import WorkerClient

WORKER = [sys.executable, "-m", "TextPromptSegLib.worker"]
FAKE = ["--predictor", "fake_predictor:FakePredictor.load"]


@pytest.fixture
def volume() -> Volume:
    return Volume.from_array(np.zeros((4, 16, 16), np.int16), (2.0, 2.0, 5.0), modality="CT")


def framed(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


@pytest.fixture
def bare():
    """A worker without a client: its two pipes."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)])}
    process = subprocess.Popen(
        [*WORKER, *FAKE], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    assert read_message(process.stdout)["type"] == "hello"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_no_temporary_folder_is_a_sentence(
    client: WorkerClient, volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(*_args, **_options):
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(arrays.tempfile, "mkdtemp", nowhere)
    with pytest.raises(OutputError, match="TMPDIR"):
        client.wait(ask(client, volume, "liver"))
    assert not client.alive and not client.active
    monkeypatch.setattr(arrays.tempfile, "gettempdir", nowhere)
    monkeypatch.setattr(arrays, "_SHARED_MEMORY", Path("/nowhere"))
    with pytest.raises(OutputError, match="TMPDIR"):
        ArrayStore()


def test_one_folder_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "_parents", lambda: ["/proc/nowhere", str(tmp_path)])
    store = ArrayStore()
    assert [folder.parent for folder in store.folders] == [tmp_path]
    store.close()


@pytest.mark.parametrize(
    "body",
    [
        b'{"type": "cancel"}',
        b'{"type": "cancel", "id": "x"}',
        b'{"type": "cancel", "id": [[]]}',
        b'{"type": "segment"}',
        b'{"type": "segment", "id": {}, "model": 1}',
        b'{"type": ["x"], "id": null}',
        b'{"type": "configure", "id": 1, "folders": 5}',
        b'{"type": "batch", "id": 1}',
        b"{}",
    ],
)
def test_an_odd_message_neither_ends_nor_deafens_the_worker(bare, body: bytes) -> None:
    bare.stdin.write(framed(body))
    write_message(bare.stdin, {"type": "ping", "id": 77})
    while (answer := read_message(bare.stdout)).get("id") != 77:
        assert answer["type"] in ("error", "cancelled", "progress")
    assert answer["type"] == "result"


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 100_000, b"\xff", b"[]", b""])
def test_a_worker_that_hears_nonsense_ends(bare, body: bytes) -> None:
    bare.stdin.write(framed(body))
    bare.stdin.flush()
    assert bare.wait(10) == 0, "the worker would outlive the application"


def test_a_worker_killed_while_idle_costs_nothing(client: WorkerClient, volume: Volume) -> None:
    for _ in range(2):
        assert client.wait(ask(client, volume, "liver"))
        pid = client.pid
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda pid=pid: not alive(pid) or client._process.returncode is not None)
    assert client.wait(ask(client, volume, "liver")) and client.starts > 2


def test_a_broken_pipe_before_the_request_is_tried_again(
    client: WorkerClient, volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.wait(ask(client, volume, "liver"))
    write, failed = client._write, []

    def once(message):
        if not failed:
            failed.append(message)
            raise BrokenPipeError
        write(message)

    monkeypatch.setattr(client, "_write", once)
    assert client.wait(ask(client, volume, "liver")) and failed


SAYS = """
import sys, json, struct
def send(message):
    data = json.dumps(message).encode()
    sys.stdout.buffer.write(struct.pack(">I", len(data)) + data)
    sys.stdout.buffer.flush()
for message in json.loads(sys.argv[1]):
    send(message)
sys.stdin.buffer.read()
"""


def speaker(*messages: object) -> WorkerClient:
    """A client whose worker says these messages and then listens."""
    return WorkerClient([sys.executable, "-c", SAYS, json.dumps(messages)])


def test_another_version_is_called_by_its_name(volume: Volume) -> None:
    client = speaker({"type": "hello", "protocol": 999, "pid": 1})
    job = finish(client, ask(client, volume, "liver"))
    assert "another version" in str(job.error) and "memory" not in str(job.error)
    client.stop()


HELLO = {"type": "hello", "protocol": 1, "pid": 1}


@pytest.mark.parametrize(
    "answer",
    [
        {"type": "result", "segmentations": [{}]},
        {"type": "result", "segmentations": 5},
        {"type": "result", "segmentations": [{"prompt": {}, "outcome": "x", "shape": [1]}]},
        {"type": "progress", "done": "x"},
        {"type": "progress", "done": 1e999, "total": 0, "message": ""},
        {"type": "error", "kind": ["x"], "message": {}},
        {"type": ["result"]},
    ],
)
def test_an_answer_that_cannot_be_used_is_a_sentence(volume: Volume, answer) -> None:
    client = speaker(HELLO, {**answer, "id": 1})
    job = finish(client, ask(client, volume, "liver"))
    assert isinstance(job.error, TextPromptSegError)
    client.stop()


def test_an_array_that_cannot_be_is_refused(tmp_path: Path) -> None:
    store = ArrayStore([str(tmp_path)])
    good = {"path": str(tmp_path / "a"), "dtype": "<i2", "shape": [2, 2]}
    for change in (
        {"shape": [-1, 2]}, {"shape": "x"}, {"shape": [10**18, 10**18]}, {"dtype": "O"},
        {"dtype": 3.5}, {"path": "/etc/hostname"}, {"path": None}, {"shape": [1] * 40}, {},
    ):  # fmt: skip
        with pytest.raises(TextPromptSegError):
            store.take({**good, **change})
        store.discard({**good, **change})


def test_a_reader_thread_that_fails_ends_the_process() -> None:
    from TextPromptSegLib.worker.server import Server

    class Broken:
        def read(self, _count):
            raise ValueError("I/O operation on closed file")

    ended = threading.Event()
    Server(Broken(), Broken(), end_process=ended.set)._read()
    assert ended.is_set()


def test_an_answer_that_nobody_takes_clears_up_too(tmp_path: Path) -> None:
    """The application is gone, the answer fails, and the reader still waits for its end."""
    from TextPromptSegLib.worker.server import Server

    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "left.bin").write_bytes(b"x")
    requests = io.BytesIO()
    write_message(requests, {"type": "configure", "id": 1, "folders": [str(folder)]})
    requests.seek(0)
    waiting = threading.Event()

    class Reader:
        def read(self, count):
            return requests.read(count) or (waiting.wait(20) and b"") or b""

    class Writer:
        def write(self, data):
            if b"hello" not in data:
                raise BrokenPipeError

        def flush(self): ...

    Server(Reader(), Writer(), end_process=lambda: None).run()
    assert not folder.exists() and not waiting.is_set()
    waiting.set()


def test_voxels_that_no_run_took_are_removed(tmp_path: Path) -> None:
    """A run that was cancelled before it began, one without a checkpoint, one known already."""
    from fake_predictor import FakePredictor

    from TextPromptSegLib.worker.server import Server

    store = ArrayStore([str(tmp_path)])
    array = np.zeros((2, 8, 8), np.int16)
    requests, answers = io.BytesIO(), io.BytesIO()
    write_message(requests, {"type": "configure", "id": 1, "folders": [str(tmp_path)]})
    for number, model in ((2, "fake"), (3, "missing"), (4, "fake"), (5, "fake")):
        volume = wire.volume_to_dict(Volume.from_array(array), store)
        message = {"type": "segment", "id": number, "model": model, "prompts": []}
        write_message(requests, {**message, "volume": {"key": "k", **volume}})
    requests.seek(0)
    server = Server(requests, answers, FakePredictor.load, end_process=lambda: None)
    server._cancelled.add(2)
    server._clear = lambda: None  # type: ignore[method-assign]
    server.run()
    answers.seek(0)
    kinds = [message["type"] for message in iter(lambda: read_message(answers), None)]
    assert [kind for kind in kinds if kind != "progress"] == [
        "hello", "result", "cancelled", "error", "result", "result",
    ]  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_being_written_to_is_removed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    rmtree, calls = shutil.rmtree, []

    def once_in_vain(path, **options):
        calls.append(path)
        if len(calls) > 1:
            rmtree(path, **options)

    monkeypatch.setattr(arrays.shutil, "rmtree", once_in_vain)
    ArrayStore([str(folder)]).close()
    assert not folder.exists() and len(calls) == 2


@pytest.mark.parametrize("side", ["ours", "the worker's"])
def test_a_file_that_is_gone_is_written_again(
    client: WorkerClient, volume: Volume, monkeypatch: pytest.MonkeyPatch, side: str
) -> None:
    """Something else cleared the shared folder between the writing and the reading, once."""
    lost: list[str] = []

    def lose(path: str) -> None:
        if not lost:
            lost.append(path)
            Path(path).unlink()

    put, take = ArrayStore.put, ArrayStore.take

    def lost_on_the_way(self: ArrayStore, array: np.ndarray) -> dict:
        reference = put(self, array)
        lose(reference["path"])
        return reference

    def lost_before_it_was_read(self: ArrayStore, reference: dict) -> np.ndarray:
        lose(reference["path"])
        return take(self, reference)

    if side == "ours":
        monkeypatch.setattr(ArrayStore, "put", lost_on_the_way)
    else:
        monkeypatch.setattr(ArrayStore, "take", lost_before_it_was_read)
    (prompt,) = parse_prompts("liver")
    job = client.segment(volume, [prompt], model="fake", volume_key=f"lost {side}")
    (result,) = client.wait(job)
    assert len(lost) == 1 and result.voxels > 0


def test_files_that_stay_gone_are_a_sentence(
    client: WorkerClient, volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_self: ArrayStore, reference: dict) -> np.ndarray:
        raise ArrayMissing(f"{reference['path']} is not there")

    monkeypatch.setattr(ArrayStore, "take", gone)
    (prompt,) = parse_prompts("liver")
    job = client.segment(volume, [prompt], model="fake", volume_key="gone")
    with pytest.raises(TextPromptSegError, match="cannot be used"):
        client.wait(job)
