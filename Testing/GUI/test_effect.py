"""The effect "Text prompt" in the editor: type, preview, threshold, apply, undo."""

from __future__ import annotations

from conftest import pump


def test_type_and_apply(bench) -> None:
    bench.type("left kidney")
    said = bench.apply()
    assert "found" in said and "left kidney" in said
    assert bench.names() == ["left kidney"]
    mask = bench.mask("left kidney")
    assert mask.sum() > 50
    # i grows to the patient's left in this volume.
    assert mask.nonzero()[2].mean() > 32
