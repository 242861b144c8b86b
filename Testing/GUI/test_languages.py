"""The window in another language: compiled files, loaded as Slicer loads them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from bed import pythonqt

sys.path.append(str(Path(__file__).resolve().parents[1] / "Tools"))

import translations

pythonqt.properties_in(__name__)


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_compiled_files_hold_what_the_ts_files_say(language: str) -> None:
    """`python Testing/Tools/translations.py --write` compiles them."""
    from PySide6 import QtCore

    known = translations.read(translations.path_of(language))
    for path in translations.compiled(language):
        translator = QtCore.QTranslator()
        assert translator.load(str(path)), path.name
        found = {text: translator.translate(*text) for text in known}
        assert found == known, path.name


@pytest.mark.parametrize(
    ("setting", "language"),
    [("de", "de"), ("fr_FR", "fr"), ("es_419", "es"), ("ja_JP", "ja"), ("zh_CN", "zh-Hans"),
     ("zh-Hans", "zh-Hans"), ("zh_Hans", "zh-Hans")],
)  # fmt: skip
def test_the_effect_speaks_the_chosen_language(slicer, session, setting, language) -> None:
    from helpers import EditorBench
    from PySide6 import QtCore

    import TextPromptSeg

    known = translations.read(translations.path_of(language))
    QtCore.QSettings().setValue("language", setting)
    TextPromptSeg._loadTranslations()
    try:
        bench = EditorBench(slicer)
        assert bench.widget("Preview").text == known["effect.options", "Preview"]
        assert bench.effect.title == known["TextPromptSegEffect.SegmentEditorEffect", "Text prompt"]
        tip = known["boxes.parse_view", "How the prompt was understood. Click a name to change it."]
        assert bench.widget("Parse").toolTip == tip
        bench.close()
    finally:
        slicer.app.forgetTranslations()
    assert slicer.app.translate("effect.options", "Preview") == "Preview"


def test_names_stay_readable_beside_longer_words(slicer, session) -> None:
    """The panel at its usual width, in a language whose words are long."""
    from conftest import pump
    from helpers import PanelBench
    from PySide6 import QtCore

    import TextPromptSeg

    QtCore.QSettings().setValue("language", "de")
    TextPromptSeg._loadTranslations()
    try:
        bench = PanelBench(slicer)
        bench.panel.models.button.collapsed = False
        bench.window.resize(460, 1500)
        bench.window.show()
        pump(0.0)
        assert bench.find("Models").horizontalHeaderItem(0).text() == "Modell"
        assert bench.find("Models").columnWidth(0) >= 120
        bench.close()
    finally:
        slicer.app.forgetTranslations()


def test_without_a_choice_it_is_english(slicer) -> None:
    import TextPromptSeg

    TextPromptSeg._loadTranslations()
    assert not slicer.app.__dict__.get("_bed_translators")
