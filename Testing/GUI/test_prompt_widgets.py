"""Completion, the parse that is shown before a run, translation of every text."""

from __future__ import annotations

import pytest
from conftest import pump

NAMES = ["liver", "left kidney", "right kidney", "kidneys", "gallbladder", "left lung"]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("li", "liver"),
        ("kid", "kidneys"),
        ("liver, le", "liver, left kidney"),
        ("liver and gall", "liver and gallbladder"),
        ("liver without gall", "liver without gallbladder"),
    ],
)
def test_last_name_is_completed(slicer, text: str, first: str) -> None:
    from TextPromptSegGUI.effect.completion import complete

    assert complete(text, NAMES)[0] == first


def test_completion_order(slicer) -> None:
    from TextPromptSegGUI.effect.completion import complete

    assert complete("kidney", NAMES) == ["kidneys", "left kidney", "right kidney"]
    assert complete("liver", NAMES) == []
    more = [*NAMES, "liver vessel"]
    assert complete("spleen, Liver", more) == complete("liver", more, ["liver, spleen"]) == []
    assert complete("liver ", more, ["liver, spleen"]) == []
    assert complete("liver v", more) == complete("live", more)[1:] == ["liver vessel"]
    assert complete("li", NAMES, ["liver, spleen", "lung"]) == ["liver, spleen", "liver"]
    assert complete("", NAMES, ["liver"]) == ["liver"]


def test_trained_names_come_first(bench) -> None:
    bench.widget("Line").textEdited.emit("s")
    offered = bench.controller.options.completion._model.stringList()
    assert offered.index("spleen") < 3 and len(offered) <= 12


def test_parse_is_shown_while_typing(bench) -> None:
    label = bench.widget("Parse")
    bench.type("both kidneys, liver without tumor")
    assert "kidneys" in label.text and "liver without" in label.text
    bench.type("upper left lung")
    assert "third" in label.text and "left lung" in label.text
    bench.type("")
    assert label.text == "" and label.isHidden()


def test_untrained_and_unknown_are_marked(bench) -> None:
    bench.type("thyroid gland")
    assert "not trained" in bench.widget("Parse").text
    bench.type("lver")
    assert "\N{WARNING SIGN}" in bench.widget("Parse").text


def menu_texts(bench, number: int) -> list[str]:
    return [action.text for action in bench.controller.options.parse.menu_for(number).actions()]


def choose(bench, number: int, text: str) -> None:
    menu = bench.controller.options.parse.menu_for(number)
    next(action for action in menu.actions() if action.text == text).trigger()


def test_parts_are_changed_by_a_menu(bench) -> None:
    bench.type("left kidney, liver")
    assert menu_texts(bench, 0) == ["Use 'right kidney'", "Use 'kidneys'", "Remove"]
    choose(bench, 0, "Use 'right kidney'")
    assert bench.widget("Line").text == "right kidney, liver"
    choose(bench, 0, "Remove")
    assert bench.widget("Line").text == "liver"
    bench.type("lver")
    assert "Use 'liver'" in menu_texts(bench, 0)
    choose(bench, 0, "Use 'liver'")
    assert bench.widget("Line").text == "liver"


def test_unknown_words_can_be_asked_as_they_were_typed(bench) -> None:
    bench.type("spongy thing, liver")
    assert "Ask the network in these words" in menu_texts(bench, 0)
    choose(bench, 0, "Ask the network in these words")
    assert bench.widget("Line").text == '"spongy thing", liver'
    assert "Ask the network in these words" not in menu_texts(bench, 0)


def test_link_opens_the_menu(bench) -> None:
    bench.type("left kidney")
    bench.widget("Parse").linkActivated.emit("0")
    menu = bench.controller.options.parse._menu
    assert menu.visible
    menu.close()


def test_panel_parses_lines(panel) -> None:
    panel.type("liver\nleft kidney")
    assert "left kidney" in panel.find("Parse").text
    panel.panel.segment.parse._replace(1, "right kidney")
    assert panel.panel.segment.text == "liver, right kidney"


# -- translation -----------------------------------------------------------------------------------


def shown_texts(widget) -> dict[str, str]:
    """Return every text that a person sees in a widget: name of the widget and kind -> text."""
    from PySide6 import QtWidgets

    found: dict[str, str] = {}
    for child in [widget, *widget.findChildren(QtWidgets.QWidget)]:
        name = f"{child.metaObject().className()} {child.objectName}"
        for kind in ("text", "toolTip", "placeholderText", "title"):
            if isinstance(child, QtWidgets.QLineEdit) and kind == "text":
                continue
            value = child.property(kind)
            if isinstance(value, str) and any(c.isalpha() for c in value):
                found[f"{name} {kind}"] = value
        if isinstance(child, QtWidgets.QComboBox) and child.objectName not in (
            "TextPromptModel",
            "TextPromptSegModel",
        ):
            for row in range(child.count):
                found[f"{name} item {row}"] = child.itemText(row)
    return found


@pytest.fixture
def foreign(slicer):
    """A translation that puts every text between guillemets."""
    slicer.app.__dict__["_bed_translator"] = lambda text: (
        f"\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}{text}"
    )
    yield
    slicer.app.__dict__.pop("_bed_translator")


_NOT_OURS = ("CTtest", "cpu: ", "None", "Seg")


def untranslated(widget) -> dict[str, str]:
    return {
        name: text
        for name, text in shown_texts(widget).items()
        if "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}" not in text
        and not text.startswith(_NOT_OURS)
    }


def test_every_text_of_the_effect_is_translated(foreign, slicer, session) -> None:
    from helpers import EditorBench

    bench = EditorBench(slicer)
    assert untranslated(bench.effect.optionsFrame()) == {}
    assert bench.effect.title.startswith("\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}")
    bench.close()


def test_every_text_of_the_panel_is_translated(foreign, slicer, session) -> None:
    from helpers import PanelBench, add_ct

    bench = PanelBench(slicer)
    bench.find("Volume").setCurrentNode(add_ct(slicer))
    pump(0.0)
    left = untranslated(bench.window)
    # what a checkpoint says of itself, and whose weights can be imported, are data
    data = ("ModelDetails", "TextPromptSegImportAs")
    assert {k: v for k, v in left.items() if not any(name in k for name in data)} == {}
    bench.close()
