"""A batch on several machines: a worker's death, no scheduler, another checkpoint."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import fake_predictor
import pytest
from batch_bench import PROMPTS, write_image
from fake_predictor import FakePredictor

from TextPromptSegLib.jobs.batch import (
    run_batch,
)
from TextPromptSegLib.jobs.batch_case import BatchJob
from TextPromptSegLib.jobs.batch_stages import run_case
from TextPromptSegLib.jobs.cases import find_cases
from TextPromptSegLib.outcome import DeviceError

# ---- cluster ----


def test_a_cluster_survives_the_death_of_a_worker(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    import cloudpickle

    for n in range(6):
        write_image(tmp_path / "images" / f"{n}.nrrd", n)
    # The workers have no path to this folder's modules; the class travels as it is.
    cloudpickle.register_pickle_by_value(fake_predictor)
    marks = tmp_path / "marks"
    marks.mkdir()

    def factory(model: str, device: str):
        class Slow(FakePredictor):
            def set_volume(self, volume, **region) -> None:
                super().set_volume(volume, **region)
                (marks / f"case-{volume.name}-{os.getpid()}").touch()
                time.sleep(0.4)

        (marks / f"load-{os.getpid()}-{time.time_ns()}").touch()
        return Slow(model, device)

    killed: list[int] = []

    def progress(done: int, total: int, message: str) -> bool:
        if done >= 1000 and not killed:
            pid = int(
                sorted(marks.glob("case-*"), key=lambda p: p.stat().st_mtime_ns)[-1].name.split(
                    "-"
                )[2]
            )
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
        return True

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        summary = run_batch(
            tmp_path / "images",
            PROMPTS,
            tmp_path / "out",
            scheduler=cluster.scheduler_address,
            predictor_factory=factory,
            progress=progress,
        )
    assert killed
    assert [case.status for case in summary.cases] == ["done"] * 6, [c.error for c in summary.cases]
    assert [case.id for case in summary.cases] == [str(n) for n in range(6)]
    asked = [path.name.split("-") for path in marks.glob("case-*")]
    assert len({pid for _, _, pid in asked}) >= 2, "both workers worked"
    loads = [path.name.split("-")[1] for path in marks.glob("load-*")]
    assert len(loads) == len(set(loads)), "one model per worker"
    assert not [p for p in (tmp_path / "out").rglob(".*") if p.suffix]
    again = run_batch(
        tmp_path / "images", PROMPTS, tmp_path / "out", resume=True, predictor_factory=factory
    )
    assert again.count("resumed") == 6, "what the cluster did is done for everybody"


def test_no_scheduler_no_run(tmp_path: Path, images: Path, monkeypatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("TextPromptSegLib.jobs.cluster.CONNECT_SECONDS", 0.5)
    for address in ("tcp://127.0.0.1:1", "nonsense", "tcp://:x"):
        with pytest.raises(DeviceError, match="No Dask scheduler"):
            run_batch(
                images,
                PROMPTS,
                tmp_path / "out",
                scheduler=address,
                predictor_factory=FakePredictor,
            )


def test_a_worker_with_another_checkpoint_refuses(tmp_path: Path, images: Path) -> None:
    from TextPromptSegLib.jobs import cluster
    from TextPromptSegLib.prompting.prompts import parse_prompts

    job = BatchJob(
        prompts=tuple(parse_prompts("liver")),
        output_dir=tmp_path / "out",
        model_digest="0" * 64,
        factory=FakePredictor,
    )
    (case, *_) = find_cases(images)
    result = cluster.run_case_on_worker(case, job)
    assert result.status == "failed" and "another version" in result.error
    assert not (tmp_path / "out").exists()
    assert run_case(FakePredictor("m", "cpu"), case, job).status == "done"
