"""The module's panel: run, results table, output, script, undo, overlays, state in the scene."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import pump
from helpers import PanelBench, add_ct, install_checkpoint, mask_of, segment_names

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def ready(panel, slicer):
    """A panel with a volume selected."""
    panel.volume = add_ct(slicer)
    panel.find("Volume").setCurrentNode(panel.volume)
    return panel


def output(bench):
    return bench.find("Output").currentNode()


# -- opening ---------------------------------------------------------------------------------------


def test_opens_without_heavy_packages_and_reads_little(tmp_path: Path) -> None:
    """In a process of its own: pytest's conftest imports torch. Testing/Benchmarks has seconds."""
    script = f"""
import sys
sys.path[:0] = [{str(ROOT / "Testing" / "GUI")!r}, {str(ROOT / "Testing" / "Lib" / "support")!r}]
from pathlib import Path
from bed.install import install, load_module
app = install(Path({str(tmp_path)!r}))
from helpers import PanelBench
import slicer
before = set(sys.modules)
module = load_module()
bench = PanelBench(slicer)
bench.window.show()
app.processEvents()
named = {{"torch", "monai", "transformers", "SimpleITK", "matplotlib", "pydicom"}}
heavy = named & set(sys.modules)
alive = bench.panel.session.client.alive
bench.close()
new = [n for n in set(sys.modules) - before if not n.startswith("TextPromptSeg")]
print("RESULT", len(new), sorted(heavy), alive)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, timeout=200
    )
    assert "RESULT" in done.stdout, done.stderr[-3000:]
    foreign, rest = done.stdout.split("RESULT")[1].split(maxsplit=1)
    assert rest.strip() == "[] False", rest
    assert int(foreign) < 60, f"{foreign} modules of others are imported"


def test_opens_with_nothing_installed(slicer, session, monkeypatch) -> None:
    from TextPromptSegGUI.shared import dependencies

    lacking = [
        dependencies.Package("torch>=2.6", "torch", "", 200),
        dependencies.Package("transformers>=4.57", "transformers", "", 25),
    ]
    monkeypatch.setattr(dependencies, "missing", lambda: lacking)
    bench = PanelBench(slicer)
    assert not bench.panel.setup.button.collapsed
    plan = bench.find("Plan").text
    assert "torch" in plan and "MB" in plan and bench.find("Install").enabled
    bench.find("Volume").setCurrentNode(add_ct(slicer))
    bench.type("liver")
    bench.find("Apply").click()
    assert 'href="install"' in bench.outcome()
    bench.close()


# -- a run -----------------------------------------------------------------------------------------


def test_run_makes_a_segmentation_and_a_table(ready) -> None:
    ready.type("liver\nright kidney, thyroid gland\nurinary bladder")
    said = ready.apply()
    assert segment_names(output(ready)) == ["liver", "right kidney"]
    rows = ready.rows()
    assert [row[:2] for row in rows] == [
        ["liver", "found"],
        ["right kidney", "found"],
        ["thyroid gland", "not trained"],
        ["urinary bladder", "not found"],
    ]
    size, unit = rows[0][2].split()
    assert float(size.replace(",", "")) > 100 and unit == "ml" and rows[3][3] == "0.07"
    assert said.count("found") == 3 and "not trained" in said


def test_existing_segmentation_keeps_its_segments(ready, slicer) -> None:
    ready.type("liver")
    ready.apply()
    node = output(ready)
    before = mask_of(slicer, node, "liver", ready.volume).copy()
    ready.type("spleen")
    ready.apply()
    assert output(ready) is node and segment_names(node) == ["liver", "spleen"]
    assert np.array_equal(mask_of(slicer, node, "liver", ready.volume), before)


def test_new_segmentation_on_request(ready) -> None:
    ready.type("liver")
    ready.apply()
    first = output(ready)
    ready.find("Output").setCurrentNode(None)
    ready.apply()
    assert output(ready) is not first and segment_names(first) == ["liver"]


def test_nothing_found_leaves_no_empty_node(ready, slicer) -> None:
    ready.type("urinary bladder")
    assert "not found" in ready.apply()
    assert not slicer.util.getNodesByClass("vtkMRMLSegmentationNode")


def test_undo(ready) -> None:
    ready.type("liver")
    ready.apply()
    ready.type("spleen, left kidney")
    ready.apply()
    assert segment_names(output(ready)) == ["liver", "spleen", "left kidney"]
    ready.find("Undo").click()
    assert segment_names(output(ready)) == ["liver"] and "Undone" in ready.outcome()


def test_threshold_and_region(ready, slicer) -> None:
    ready.type("liver")
    ready.apply()
    whole = mask_of(slicer, output(ready), "liver", ready.volume).copy()
    ready.find("Output").setCurrentNode(None)
    ready.find("Threshold").value = 0.9
    box = ready.find("Range")
    box.currentIndex = box.findData("slices")
    ready.panel.segment.region.first.value, ready.panel.segment.region.last.value = 8, 10
    ready.apply()
    part = mask_of(slicer, output(ready), "liver", ready.volume)
    assert 0 < part.sum() < whole[7:10].sum() and not part[:7].any() and not part[10:].any()


def test_cancel(ready, slicer) -> None:
    ready.type("slow liver, liver")
    ready.find("Apply").click()
    assert ready.find("Apply").text == "Cancel" and not ready.find("Prompts").enabled
    assert pump(60, until=lambda: ready.find("Progress").value > 2)
    ready.find("Apply").click()
    assert ready.find("Apply").text == "Apply" and "Cancelled" in ready.outcome()
    assert not slicer.util.getNodesByClass("vtkMRMLSegmentationNode")


@pytest.mark.parametrize(
    ("text", "volume", "sentence"),
    [("", True, "Type what to segment"), ("liver", False, "No volume is selected")],
)
def test_refusals(panel, slicer, text: str, volume: bool, sentence: str) -> None:
    if volume:
        panel.find("Volume").setCurrentNode(add_ct(slicer))
    panel.type(text)
    panel.find("Apply").click()
    assert sentence in panel.outcome()


def test_crash_is_a_sentence(ready) -> None:
    ready.type("crash now")
    assert "stopped unexpectedly" in ready.apply()
    ready.type("liver")
    assert "found" in ready.apply()


def test_deleted_volume_during_a_run(ready, slicer) -> None:
    ready.type("slow liver, liver")
    ready.find("Apply").click()
    assert pump(60, until=lambda: ready.find("Progress").value > 2)
    slicer.mrmlScene.RemoveNode(ready.volume)
    assert pump(60, until=ready.idle)
    assert "deleted" in ready.outcome()


def test_closed_scene_during_a_run(ready, slicer) -> None:
    ready.type("slow liver, liver")
    ready.find("Apply").click()
    assert pump(60, until=lambda: ready.find("Progress").value > 2)
    slicer.mrmlScene.Clear(0)
    assert pump(60, until=ready.idle)
    ready.find("Volume").setCurrentNode(add_ct(slicer, "next"))
    ready.type("spleen")
    assert "found" in ready.apply()


# -- results ---------------------------------------------------------------------------------------


def test_show_jumps_to_the_structure(ready, slicer) -> None:
    ready.type("left kidney")
    ready.apply()
    node = output(ready)
    segment_id = node.GetSegmentation().GetSegmentIdBySegmentName("left kidney")
    node.GetDisplayNode().SetSegmentVisibility(segment_id, False)
    ready.find("Show0").click()
    assert node.GetDisplayNode().GetSegmentVisibility(segment_id)
    red = slicer.mrmlScene.GetSingletonNode("Red", "vtkMRMLSliceNode")
    from TextPromptSegGUI.shared import views
    from TextPromptSegMRML.volumes import volume_from_node

    number = views.slice_number(red, volume_from_node(ready.volume))
    assert mask_of(slicer, node, "left kidney", ready.volume)[number].any()


def test_probability_and_uncertainty_as_volumes(ready, slicer) -> None:
    ready.type("liver")
    ready.apply()
    ready.find("Probability").click()
    ready.find("Uncertainty").click()
    names = [n.GetName() for n in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")]
    assert "liver probability" in names and "liver uncertainty" in names
    node = slicer.util.getNode("liver probability")
    voxels = slicer.util.arrayFromVolume(node)
    assert voxels.shape == (16, 64, 64) and 0.9 < voxels.max() <= 1.0
    mask = mask_of(slicer, output(ready), "liver", ready.volume)
    assert voxels[mask > 0].min() >= 0.5
    unsure = slicer.util.arrayFromVolume(slicer.util.getNode("liver uncertainty"))
    assert np.allclose(unsure, 4 * voxels * (1 - voxels), atol=0.01)


def test_copy_as_python_runs_and_gives_the_same(ready, slicer, monkeypatch) -> None:
    ready.type("liver\nright kidney")
    ready.find("Threshold").value = 0.6
    ready.apply()
    expected = mask_of(slicer, output(ready), "liver", ready.volume).copy()
    ready.find("Output").setCurrentNode(None)
    ready.find("Copy").click()
    code = slicer.app.clipboard().text()
    assert "['liver', 'right kidney']" in code and "threshold=0.60" in code
    from TextPromptSegLib.worker import remote

    # The console asks the same worker as the panel.
    client = ready.panel.session.client
    monkeypatch.setattr(remote, "_clients", [client])
    starts = client.starts
    scope: dict = {"slicer": slicer}
    exec(compile(code, "copied", "exec"), scope)
    node = scope["segmentationNode"]
    assert segment_names(node) == ["liver", "right kidney"]
    assert np.array_equal(mask_of(slicer, node, "liver", ready.volume), expected)
    assert client.starts == starts


def test_another_checkpoint_in_the_console_keeps_the_worker(ready, monkeypatch) -> None:
    from TextPromptSeg import TextPromptSegLogic
    from TextPromptSegLib.worker import remote

    client = ready.panel.session.client
    monkeypatch.setattr(remote, "_clients", [client])
    TextPromptSegLogic().segment(ready.volume, "liver", model="fake")
    pid = client.pid
    for model in ("large", "fake"):
        TextPromptSegLogic().segment(ready.volume, "liver", model=model)
        assert client.pid == pid
    TextPromptSegLogic().unload()
    assert not client.alive


# -- state -----------------------------------------------------------------------------------------


def test_choices_are_kept_in_the_scene(slicer, session) -> None:
    volume = add_ct(slicer)
    first = PanelBench(slicer)
    first.find("Volume").setCurrentNode(volume)
    first.type("liver\nspleen")
    first.find("Threshold").value = 0.42
    first.close()
    second = PanelBench(slicer)
    assert second.panel.segment.text == "liver\nspleen"
    assert second.find("Threshold").value == pytest.approx(0.42)
    assert second.find("Volume").currentNode() is volume
    second.close()


def test_choices_come_back_with_another_scene(ready, slicer) -> None:
    ready.type("liver")
    slicer.mrmlScene.Clear(0)
    pump(0.1)
    assert ready.panel.segment.text == "" and ready.find("Volume").currentNode() is None
    ready.find("Volume").setCurrentNode(add_ct(slicer, "b"))
    ready.type("spleen")
    assert ready.panel.logic.getParameterNode().GetParameter("prompts") == "spleen"


def test_cleanup_takes_everything_back(slicer, session) -> None:
    from bed import pythonqt

    listeners = len(session._listeners)
    bench = PanelBench(slicer)
    assert pythonqt.connection_count(bench.window) > 15
    assert len(session._listeners) > listeners
    bench.close()
    assert pythonqt.connection_count(bench.window) == 0
    assert len(session._listeners) == listeners


def test_devices_are_asked_for_on_request(ready, monkeypatch) -> None:
    assert not ready.panel.session.client.active
    box = ready.find("Device")
    assert [box.itemData(n) for n in range(box.count)] == ["auto", "cpu"]
    assert "A run will need about" in ready.find("Memory").text
    ready.panel.session.devices = [
        {"id": "cuda:0", "name": "Test GPU", "free_bytes": 5_000_000_000},
        {"id": "cpu", "name": "CPU", "free_bytes": 100_000_000},
    ]
    ready.panel.session.changed()
    assert "5.0 GB free" in box.itemText(1)
    box.currentIndex = 2
    assert "100.0 MB are free" in ready.find("Memory").text
    assert "smaller range" in ready.find("Memory").text
    box.currentIndex = 0


def test_sequence_frame_by_frame(panel, slicer) -> None:
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "heart")
    for frame in range(3):
        volume = add_ct(slicer, f"frame {frame}", shape=(8, 32, 32))
        sequence.SetDataNodeAtValue(volume, str(frame))
        slicer.mrmlScene.RemoveNode(volume)
    panel.find("Volume").setCurrentNode(sequence)
    panel.type("liver")
    said = panel.apply(20)
    assert "3 frames were segmented" in said
    (result,) = [
        n
        for n in slicer.util.getNodesByClass("vtkMRMLSequenceNode")
        if n.GetDataNodeClassName() == "vtkMRMLSegmentationNode"
    ]
    assert result.GetNumberOfDataNodes() == 3
    assert segment_names(result.GetNthDataNode(2)) == ["liver"]


def test_damaged_checkpoint_is_not_offered(slicer, session) -> None:
    folder = install_checkpoint("broken")
    (folder / "model.safetensors").unlink()
    bench = PanelBench(slicer)
    box = bench.find("Model")
    assert box.findData("broken") < 0 <= box.findData("fake")
    assert any(row[1] == "damaged" for row in bench.rows("Models"))
    bench.close()
    import shutil

    shutil.rmtree(folder)


def test_candidates_of_a_generative_checkpoint(ready, slicer) -> None:
    install_checkpoint("generative", config={"latent": "morphology"})
    ready.panel.session.changed()
    box = ready.find("Model")
    box.currentIndex = box.findData("fake")
    assert ready.find("Samples").isHidden()
    box.currentIndex = box.findData("generative")
    assert not ready.find("Samples").isHidden()
    ready.find("Samples").value = 4
    ready.type("liver")
    ready.apply()
    assert segment_names(output(ready)) == ["liver"]
    ready.find("Candidates").click()
    names = segment_names(output(ready))
    assert len(names) == 5 and "4 candidates" in ready.outcome()
    sizes = [int(mask_of(slicer, output(ready), n, ready.volume).sum()) for n in names[1:]]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > sizes[-1]
    ready.find("Uncertainty").click()
    assert slicer.util.arrayFromVolume(slicer.util.getNode("liver uncertainty")).max() > 0.2
    ready.find("Undo").click()
    assert segment_names(output(ready)) == ["liver"]
    box.currentIndex = box.findData("fake")
