"""A client whose worker runs the fake predictor, and ways to ask it and wait for it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.worker.client import WorkerClient
from TextPromptSegLib.worker.process import default_command

ROOT = Path(__file__).resolve().parents[3]
HERE = ROOT / "Testing" / "Lib" / "support"


def fake_client(**options) -> WorkerClient:
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    command = [*default_command(), "--predictor", "fake_predictor:FakePredictor.load"]
    return WorkerClient(command, environment, **options)


def ask(client: WorkerClient, volume: Volume, text: str, **options):
    options = {"model": "fake", "volume_key": "v1", **options}
    return client.segment(volume, parse_prompts(text), **options)


def finish(client: WorkerClient, job, seconds: float = 20.0):
    end = time.monotonic() + seconds
    while not job.finished and time.monotonic() < end:
        client.poll()
        time.sleep(0.005)
    assert job.finished, f"the job is still {job.state}; {client.log_tail()}"
    return job


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def wait_until(condition, seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False
