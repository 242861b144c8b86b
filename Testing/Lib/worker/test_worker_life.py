"""How a worker starts and ends: killed, crashed, without torch, with its parent, after 200 runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from worker_bench import HERE, ROOT, alive, ask, fake_client, finish, wait_until

from TextPromptSegLib.files.processes import child_environment, explain_exit
from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.outcome import TextPromptSegError
from TextPromptSegLib.worker.client import WorkerClient


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
