"""Effect and panel say what the image was taken for, and let the user correct it."""

from __future__ import annotations

import pytest
from helpers import EditorBench, add_ct


def test_effect_says_it_and_takes_the_choice(bench) -> None:
    bench.type("liver")
    assert "The image is taken for" in bench.apply()
    bench.choose("Modality", "MR")
    assert "MR, as you said" in bench.apply()
    assert bench.effect.parameter("Modality") == "MR"


def test_effect_keeps_the_choice_in_the_scene(bench) -> None:
    bench.choose("Modality", "CXR")
    other = EditorBench(bench.slicer, bench.volume)
    other.effect.setParameter("Modality", "CT")
    other.controller.options.read_parameters()
    assert other.widget("Modality").currentIndex == other.widget("Modality").findData("CT")
    other.close()


def test_another_choice_is_another_run(bench) -> None:
    options = bench.controller.options
    bench.type("liver")
    before = bench.controller.source.key(bench.controller.source.request("whole"))
    bench.choose("Modality", "MR")
    assert options.modality.modality == "MR"
    assert bench.controller.source.key(bench.controller.source.request("whole")) != before


@pytest.mark.parametrize("modality", ["CT", "MR", "CXR"])
def test_panel_says_it_and_takes_the_choice(panel, slicer, modality: str) -> None:
    panel.find("Volume").setCurrentNode(add_ct(slicer))
    box = panel.find("Modality")
    box.currentIndex = box.findData(modality)
    panel.type("liver")
    panel.apply()
    name = "X-ray" if modality == "CXR" else modality
    assert f"taken for {name}" in panel.outcome() and "as you said" in panel.outcome()
    assert panel.panel.segment._parameters.modality == modality
