"""How good a checkpoint is at a structure, seen before the run and in its outcome."""

from __future__ import annotations

import pytest
from helpers import add_ct, install_checkpoint


@pytest.fixture
def measured(slicer, session):
    """A checkpoint that says how good it is; the predictor answers as it says."""
    from fake_predictor import BALLS, MEASURED

    install_checkpoint("measured", trained_prompts={**{name: {} for name in BALLS}, **MEASURED})
    session.changed()
    return "measured"


SENTENCE = "'spleen' is experimental: no test case; check every slice"


def test_effect_tells_it_before_the_run_and_in_the_outcome(measured, bench) -> None:
    bench.choose("Model", measured)
    bench.type("liver, spleen, stomach")
    parts = bench.widget("Parse").text.split("<br>")
    liver, spleen, stomach = parts[0].split("</a>")[1:]
    assert "(good, Dice 0.93 in 31 cases)" in liver
    assert "(experimental)" in spleen and "(" not in stomach
    assert SENTENCE.replace("'", "&#x27;") in parts[1]
    said = bench.apply()
    lines = said.split("<br>")
    assert [SENTENCE in line for line in lines[:3]] == [False, True, False]
    assert bench.widget("Model").itemData(bench.widget("Model").currentIndex) == measured
    bench.choose("Model", "fake")


def test_panel_tells_it_in_the_table_and_of_the_checkpoint(measured, panel, slicer) -> None:
    panel.find("Volume").setCurrentNode(add_ct(slicer))
    box = panel.find("Model")
    box.currentIndex = box.findData(measured)
    panel.type("liver, spleen, stomach")
    assert "(experimental)" in panel.panel.segment.parse.label.text
    panel.apply()
    outcomes = [row[1] for row in panel.rows()]
    assert outcomes == ["found", "found, experimental", "found"]
    table = panel.find("Results")
    header = table.horizontalHeader()  # a long outcome must not squeeze the name away
    assert header.sectionResizeMode(0) == header.sectionResizeMode(1) != header.sectionResizeMode(2)
    models = panel.panel.models
    names = [model.name for model in models._models]
    models.table.selectRow(names.index(measured))
    assert "Measured: 1 good, 1 experimental" in models.details.text
    box.currentIndex = box.findData("fake")
