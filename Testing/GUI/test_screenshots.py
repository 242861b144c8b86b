"""Pictures of panel and effect, to be looked at.

``TEXTPROMPTSEG_SCREENSHOTS=Resources/Screenshots pytest Testing/GUI/test_screenshots.py`` renews
those of the README. The ones with a real segmentation need the shipped checkpoint.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import pump
from helpers import EditorBench, add_ct, mask_of
from pictures import side_by_side, slice_picture

ROOT = Path(__file__).resolve().parents[2]
CHECKPOINT = ROOT / "Resources" / "Checkpoints" / "film-unet-compact"


def show(widget, width: int, height: int):
    widget.resize(width, height)
    widget.show()
    pump(0.1)
    return widget.grab()


def test_screenshot_of_the_effect(bench, output) -> None:
    bench.type("left kidney, liver")
    bench.scroll_to(6)
    bench.widget("Preview").click()
    assert pump(60, until=lambda: bench.controller.preview.drawing.visible)
    assert show(bench.editor, 430, 540).save(str(output / "test-effect.png"))


def test_screenshot_of_a_run(bench, output) -> None:
    bench.type("slow liver, liver")
    bench.widget("Apply").click()
    assert pump(60, until=lambda: bench.widget("Progress").value > 8)
    assert show(bench.editor, 430, 540).save(str(output / "test-effect-running.png"))
    bench.widget("Apply").click()


def test_screenshot_of_the_panel(panel, slicer, output) -> None:
    panel.find("Volume").setCurrentNode(add_ct(slicer))
    panel.type("liver\nright kidney\nthyroid gland\nurinary bladder")
    panel.apply()
    assert show(panel.window, 560, 900).save(str(output / "test-panel.png"))


def test_screenshot_of_the_other_sections(panel, slicer, output, monkeypatch) -> None:
    from TextPromptSegGUI.shared import dependencies

    lacking = [
        dependencies.Package("torch>=2.6", "torch", "", 200),
        dependencies.Package("transformers>=4.57", "transformers", "", 25),
    ]
    monkeypatch.setattr(dependencies, "missing", lambda: lacking)
    panel.panel.setup.refresh()
    panel.panel.segment.button.collapsed = panel.panel.results.button.collapsed = True
    panel.panel.batch.button.collapsed = panel.panel.models.button.collapsed = False
    panel.type("liver, spleen")
    for number in range(2):
        add_ct(slicer, f"patient {number + 1}", shape=(6, 32, 32))
    monkeypatch.setattr(dependencies, "missing", list)
    panel.find("BatchApply").click()
    assert pump(60, until=lambda: panel.find("BatchApply").text == "Apply")
    assert show(panel.window, 560, 980).save(str(output / "test-sections.png"))


# -- real segmentations ----------------------------------------------------------------------------


@pytest.fixture
def real(slicer, tmp_path, monkeypatch):
    """The demo CT of slicerio and a worker with the shipped checkpoint."""
    slicerio = pytest.importorskip("slicerio")
    sitk = pytest.importorskip("SimpleITK")
    if not (CHECKPOINT / "model.safetensors").is_file():
        pytest.skip("the shipped checkpoint is not there: skipped")
    from TextPromptSegGUI.shared import session as module
    from TextPromptSegLib.checkpoints import licence
    from TextPromptSegLib.checkpoints.catalogue import show as describe
    from TextPromptSegLib.image.volume import Volume
    from TextPromptSegLib.worker.client import WorkerClient

    client = WorkerClient()
    own = module.Session(client)
    monkeypatch.setattr(module, "_sessions", [own])
    licence.acknowledge(describe(CHECKPOINT.name))
    file = Path(slicerio.__file__).parent / "data" / "CTChest4.nrrd"
    volume = Volume.from_sitk(sitk.ReadImage(str(file)))
    node = slicer.util.addVolumeFromArray(np.array(volume.array), volume.ijk_to_ras, "CTChest")
    from TextPromptSegLib.checkpoints.catalogue import user_checkpoints_dir

    shutil.rmtree(user_checkpoints_dir(), ignore_errors=True)  # only the shipped ones
    yield node
    own.close()


def drawing_of(slicer, node, number: int, segmentation):
    """Return the picture of one axial slice with the segments of a segmentation."""
    from TextPromptSegMRML.volumes import volume_from_node

    upright = volume_from_node(node).orientation("LPS")
    voxels, masks = upright.apply(slicer.util.arrayFromVolume(node)), []
    for segment_id in segmentation.GetSegmentation().GetSegmentIDs():
        segment = segmentation.GetSegmentation().GetSegment(segment_id)
        mask = upright.apply(mask_of(slicer, segmentation, segment.GetName(), node))
        masks.append((mask[number], segment.GetColor()))
    return slice_picture(voxels[number], masks, (-1000.0, 300.0), height=520)


def test_picture_of_the_effect_with_a_real_segmentation(real, slicer, output) -> None:
    bench = EditorBench(slicer, real)
    bench.choose("Model", CHECKPOINT.name)
    bench.scroll_to(18)
    bench.type("right lung, left lung, urinary bladder")
    bench.widget("Preview").click()
    assert pump(120, until=lambda: bench.controller.preview.drawing.visible), bench.outcome()
    bench.apply(300)
    assert {"right lung", "left lung"} <= set(bench.names()), bench.outcome()
    side_by_side(
        drawing_of(slicer, real, 18, bench.segmentation),
        show(bench.editor, 500, 520),
        output / "effect.png",
    )
    bench.close()


def test_picture_of_the_panel_with_a_real_segmentation(real, slicer, output) -> None:
    from helpers import PanelBench

    bench = PanelBench(slicer)
    bench.find("Volume").setCurrentNode(real)
    box = bench.find("Model")
    box.currentIndex = box.findData(CHECKPOINT.name)
    bench.type("right lung\nleft lung\nurinary bladder")
    bench.apply(300)
    node = bench.find("Output").currentNode()
    side_by_side(
        drawing_of(slicer, real, 18, node), show(bench.window, 520, 860), output / "panel.png"
    )
    bench.close()


def test_screenshot_with_hints_and_candidates(bench, slicer, output) -> None:
    from helpers import install_checkpoint

    install_checkpoint("hinted", takes=["box", "points", "samples", "heat_map"])
    bench.controller.session.changed()
    bench.choose("Model", "hinted")
    bench.choose("Hints", "both")
    bench.widget("BoxDraw").click()
    bench.widget("Box").currentNode().SetSize(300.0, 300.0, 200.0)
    bench.widget("PointsDraw").click()
    bench.widget("Points").currentNode().AddControlPointWorld(40.0, 0.0, 20.0)
    bench.type("left kidney, liver")
    bench.scroll_to(6)
    bench.widget("Samples").value = 4
    bench.widget("Preview").click()
    assert pump(60, until=lambda: bench.controller.preview.drawing.visible)
    bench.widget("Next").click()
    assert show(bench.editor, 430, 640).save(str(output / "test-effect-hints.png"))
    bench.choose("Model", "fake")
