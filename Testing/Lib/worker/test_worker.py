"""A run in the worker's process: results, progress, cancel, errors that keep their kind."""

from __future__ import annotations

import time

import numpy as np
import pytest
from worker_bench import alive, ask, fake_client, wait_until

from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.outcome import Cancelled, DeviceError, InputError, Outcome, TextPromptSegError
from TextPromptSegLib.worker.arrays import ArrayStore
from TextPromptSegLib.worker.client import WorkerClient

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
    assert 0 < sizes[-1] <= volume.array[0].size < max(sizes) <= volume.array.size
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


def test_wait_passes_progress_and_cancels(client: WorkerClient, volume: Volume) -> None:
    with pytest.raises(Cancelled):
        client.wait(ask(client, volume, "slow liver"), progress=lambda done, *_: done < 10)
    assert client.wait(ask(client, volume, "liver"))[0].voxels and client.starts == 1
