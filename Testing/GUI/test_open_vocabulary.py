"""A checkpoint of an open vocabulary in the effect: SAM 3 in small, in a real worker."""

from __future__ import annotations

import shutil

import pytest
from helpers import EditorBench, add_ct


@pytest.fixture
def anything(slicer, tmp_path, monkeypatch):
    """A bench whose worker runs a tiny SAM 3, imported as Medical-SAM3's weights."""
    pytest.importorskip("transformers")
    from tiny_sam3 import install_tiny_sam3

    from TextPromptSegGUI.shared import session as module
    from TextPromptSegGUI.shared import settings
    from TextPromptSegLib.worker.client import WorkerClient

    folder = install_tiny_sam3(tmp_path)
    own = module.Session(WorkerClient())
    own.devices = [{"id": "cpu", "name": "CPU", "free_bytes": None}]
    monkeypatch.setattr(module, "_sessions", [own])
    settings.set_text("Model", "medical-sam3")
    made = EditorBench(slicer, add_ct(slicer, shape=(3, 32, 32)))
    yield made
    made.close()
    own.close()
    shutil.rmtree(folder)


def test_any_words_become_a_segment(anything) -> None:
    from bed import ctk_module

    bench = anything
    bench.choose("Model", "medical-sam3")
    bench.type('"bright gland", left kidney')
    parse = bench.widget("Parse").text
    assert "asked in your words" in parse and "not trained" not in parse
    said = bench.apply(600.0)
    assert "bright gland" in said and bench.mask("bright gland").any()
    asked = [message for message in ctk_module.messages if "SAM License" in message]
    assert len(asked) == 1, "the licence is shown once"
    bench.type("spleen")
    bench.apply(600.0)
    assert len([m for m in ctk_module.messages if "SAM License" in m]) == 1
