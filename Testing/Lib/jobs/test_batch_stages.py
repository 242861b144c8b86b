"""Cases in step: the next is read and the last is written while the network is at one."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from batch_bench import files_below
from fake_predictor import FakePredictor

from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.jobs import batch_stages
from TextPromptSegLib.jobs.batch import run_batch
from TextPromptSegLib.outcome import Cancelled, CheckpointError, OutputError

LONG = 60.0  # s; nothing here takes it unless it hangs


class Watched:
    """What was begun to be read, and what was written, by case."""

    def __init__(self) -> None:
        self.read: dict[str, threading.Event] = {name: threading.Event() for name in "abc"}
        self.written: dict[str, threading.Event] = {name: threading.Event() for name in "abc"}
        self.broken: set[str] = set()

    @staticmethod
    def name(path: Path) -> str:
        return path.name.partition(".")[0]


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    """Read in this process, and see what happens; writing a case in ``broken`` fails."""
    seen, write = Watched(), batch_stages.write_results

    def read_image(source: Path, *_rest: Any, **_more: Any) -> Volume:
        seen.read[seen.name(source)].set()
        return Volume.read(source)

    def write_results(outputs: Any, *rest: Any) -> Any:
        name = seen.name(outputs.segmentation)
        if name in seen.broken:
            raise OutputError("The disk is full.")
        result = write(outputs, *rest)
        seen.written[name].set()
        return result

    monkeypatch.setattr(batch_stages, "read_image", read_image)
    monkeypatch.setattr(batch_stages, "write_results", write_results)
    return seen


def test_reading_and_writing_go_on_beside_the_network(
    tmp_path: Path, images: Path, watched: Watched
) -> None:
    """One case ahead and one behind, no more: what is in memory has a limit."""

    class Waits(FakePredictor):
        def segment(self, prompts: Any, **options: Any) -> Any:
            if self.volume.name == "a":
                assert watched.read["b"].wait(LONG) and not watched.read["c"].is_set()
            if self.volume.name == "b":
                assert watched.read["c"].wait(LONG) and watched.written["a"].wait(LONG)
            return super().segment(prompts, **options)

    summary = run_batch(images, "liver", tmp_path / "out", predictor_factory=Waits)
    assert [(case.id, case.status) for case in summary.cases] == [
        ("a", "done"),
        ("b", "done"),
        ("deep/c", "done"),
    ]


def test_results_that_cannot_be_written_are_one_failed_case(
    tmp_path: Path, images: Path, watched: Watched
) -> None:
    watched.broken = {"b"}
    summary = run_batch(images, "liver", tmp_path / "out", predictor_factory=FakePredictor)
    assert [case.status for case in summary.cases] == ["done", "failed", "done"]
    assert summary.cases[1].error == "The disk is full."
    assert "b.report.json" not in files_below(tmp_path / "out")


def test_cancel_while_a_case_is_written_keeps_it(
    tmp_path: Path, images: Path, watched: Watched
) -> None:
    """What was answered is not thrown away; what was only read leaves nothing, not even a gap."""
    out = tmp_path / "out"
    run_batch(images, "spleen", out, predictor_factory=FakePredictor)
    old = (out / "deep/c.report.json").read_bytes()

    def stop(_done: int, _total: int, message: str) -> bool:
        return not message.startswith("b: spleen")

    with pytest.raises(Cancelled):
        run_batch(images, "spleen, liver", out, predictor_factory=FakePredictor, progress=stop)
    assert b"liver" in (out / "a.report.json").read_bytes()
    assert not (out / "b.report.json").exists(), "what it answers is out of date"
    assert (out / "deep/c.report.json").read_bytes() == old


def test_a_model_that_cannot_be_loaded_ends_the_run_and_its_reading(
    tmp_path: Path, images: Path, watched: Watched
) -> None:
    def load(_model: str, _device: str) -> Any:
        assert watched.read["a"].wait(LONG), "the first image is read meanwhile"
        raise CheckpointError("It is damaged.")

    with pytest.raises(CheckpointError, match="damaged"):
        run_batch(images, "liver", tmp_path / "out", predictor_factory=load)
    assert {thread.name for thread in threading.enumerate()} & {"reading_0", "writing_0"} == set()
