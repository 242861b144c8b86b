"""Measure what the user of the effect waits for, on the test bed with the shipped checkpoint.

`python Testing/Benchmarks/measure_gui.py` prints one JSON line of seconds and counts; see
test_gui_numbers.py. The image is the tutorial's chest CT, its slices made 512 x 512.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "Testing" / "GUI"), str(ROOT / "Testing" / "Lib" / "support")]
CHECKPOINT = "film-unet-compact"
HEAVY = {"torch", "monai", "transformers", "SimpleITK", "matplotlib", "pydicom"}
PREVIEWS, REDRAWS = 11, 30


def main(runs: int = 200) -> dict[str, Any]:
    """Return the measured numbers."""
    home = Path(tempfile.mkdtemp(prefix="textpromptseg-bench-"))
    os.environ["TEXTPROMPTSEG_HOME"] = str(home)
    from bed.install import install, load_module

    app = install(home)
    import slicer
    from bed.application import add_slice_nodes
    from conftest import pump
    from helpers import EditorBench, PanelBench

    add_slice_nodes()
    found: dict[str, Any] = {}
    began, cpu = time.perf_counter(), time.process_time()
    load_module()
    panel = PanelBench(slicer)
    panel.window.show()
    app.processEvents()
    found["panel_seconds"] = time.perf_counter() - began
    found["panel_cpu_seconds"] = time.process_time() - cpu
    found["panel_heavy"] = sorted(HEAVY & set(sys.modules))
    found["panel_worker"] = bool(panel.panel.session.client.alive)
    panel.close()

    from TextPromptSegLib.checkpoints import catalogue, licence

    licence.acknowledge(catalogue.show(CHECKPOINT))
    bench = EditorBench(slicer, large_ct(slicer))
    session, requests = bench.controller.session, []
    ask = session.client.segment

    def counted(volume: Any, prompts: Any, **options: Any) -> Any:
        requests.append(options["slices"])
        return ask(volume, prompts, **options)

    session.client.segment = counted
    bench.choose("Model", CHECKPOINT)
    drawing = bench.controller.preview.drawing
    outcome = bench.widget("Outcome")

    def preview(number: int) -> float:
        started = time.perf_counter()
        bench.scroll_to(number)
        bench.controller.preview.update()
        done = pump(300, until=lambda: "this slice" in outcome.text and not session.busy)
        assert done, outcome.text
        return time.perf_counter() - started

    bench.type("left lung")
    bench.scroll_to(5)
    bench.widget("Preview").click()
    assert pump(300, until=lambda: drawing.visible and not session.busy), outcome.text
    requests.clear()
    times = [preview(number) for number in range(8, 8 + PREVIEWS)]
    found["preview_seconds"] = statistics.median(times)
    found["preview_worst_seconds"] = max(times)
    found["preview_slices"] = [last - first for first, last in requests]

    requests.clear()
    redraws = []
    for step in range(REDRAWS):
        started = time.perf_counter()
        bench.widget("Threshold").value = 0.2 + 0.02 * step
        redraws.append(time.perf_counter() - started)
    found["threshold_seconds"] = statistics.median(redraws)
    found["threshold_runs"] = len(requests)
    bench.widget("ThresholdAuto").click()
    bench.widget("Preview").click()

    started = time.perf_counter()
    bench.apply(600)
    found["whole_seconds"] = time.perf_counter() - started
    found["whole_slices"] = int(bench.slicer.util.arrayFromVolume(bench.volume).shape[0])
    found["segments"] = bench.names()

    pid = session.client.pid
    bench.type("right lung, left lung, heart, liver")
    bench.widget("Apply").click()
    assert pump(300, until=lambda: bench.controller._run.job.done > 0), bench.outcome()
    started = time.perf_counter()
    bench.widget("Apply").click()
    found["cancel_seconds"] = time.perf_counter() - started
    found["cancel_free"] = bench.widget("Apply").text == "Apply"
    assert pump(60, until=lambda: not session.busy)
    found["cancel_worker_idle_seconds"] = time.perf_counter() - started
    found["cancel_same_worker"] = session.client.pid == pid

    found.update(growth(bench, pump, runs))
    bench.close()
    session.close()
    return found


def large_ct(slicer: Any) -> Any:
    """Return the tutorial's CT as a volume node with 512 x 512 voxels in a slice."""
    import SampleData
    from scipy import ndimage

    small = SampleData.downloadSample("TextPromptSegChestCT")
    voxels = slicer.util.arrayFromVolume(small)
    large = ndimage.zoom(voxels, (1, 4, 4), order=1)
    import vtk

    matrix = vtk.vtkMatrix4x4()
    small.GetIJKToRASMatrix(matrix)
    for row in range(3):
        for column in range(2):
            matrix.SetElement(row, column, matrix.GetElement(row, column) * 127 / 511)
    node = slicer.util.addVolumeFromArray(large, name="ct512")
    node.SetIJKToRASMatrix(matrix)
    slicer.mrmlScene.RemoveNode(small)
    return node


def growth(bench: Any, pump: Any, runs: int) -> dict[str, Any]:
    """Return what ``runs`` runs over one slice leave behind, in counts and MB."""
    from helpers import left_behind, resident

    session = bench.controller.session
    segments = bench.segmentation.GetSegmentation()
    bench.editor.setCurrentSegmentID(segments.AddEmptySegment("s", "mine"))
    bench.choose("Range", "slice")
    bench.type("left lung")
    bench.scroll_to(14)

    def run(number: int) -> None:
        bench.controller._applied = None  # a new run each time
        bench.widget("Threshold").value = 0.3 + 0.4 * (number % 2)
        bench.widget("Apply").click()
        assert pump(120, until=lambda: bench.widget("Apply").text == "Apply"), bench.outcome()

    def settled() -> dict[str, Any]:
        pump(0.2)
        return left_behind(bench.slicer, session)

    for number in range(15):
        run(number)
    before, memory = settled(), (resident(), resident(session.client.pid))
    for number in range(runs):
        run(number)
    after = settled()
    changed = {name: after[name] - before[name] for name in before if after[name] != before[name]}
    return {
        "runs": runs,
        "growth": changed,
        "growth_mb": (resident() - memory[0]) / 1e6,
        "growth_worker_mb": (resident(session.client.pid) - memory[1]) / 1e6,
    }


if __name__ == "__main__":
    print("RESULT " + json.dumps(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)))
