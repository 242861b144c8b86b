"""Every text of the window stands in every language, whole, and nothing else does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "Tools"))

import translations


def test_every_text_is_translated_and_none_is_stale() -> None:
    assert len(translations.texts()) > 300
    assert translations.differences() == [], "python Testing/Tools/translations.py --write"


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_files_are_as_the_tool_writes_them(language: str, tmp_path: Path) -> None:
    """Well formed, in the order of the code, with the language that Slicer's Language Tools ask."""
    path = translations.path_of(language)
    written = tmp_path / path.name
    translations.write(written, language, translations.texts(), translations.read(path))
    assert written.read_bytes() == path.read_bytes()
    assert all(file.is_file() for file in translations.compiled(language))


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    first, *_, last = wanted = translations.texts()
    placed = next(text for text in wanted if "{" in text[1])
    for language in translations.LANGUAGES:
        known = translations.read(translations.path_of(language))
        known[placed] = "x"
        known[first] = ""
        known["gone.file", "Gone"] = "x"
        texts = [text for text in wanted if text != last and text[1] != first[1]]
        path = translations.path_of(language, tmp_path)
        translations.write(path, language, [*texts, first, ("gone.file", "Gone")], known)
    said = translations.differences(tmp_path)
    for sentence in ("lacks", "which no code shows", "does not translate", "placeholders differ"):
        assert sum(sentence in line for line in said) == len(translations.LANGUAGES), said


def test_a_new_text_takes_over_what_the_same_one_says_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "x.ts"
    known = {("a.b", "Cancel & <b>stop</b>"): "Abbrechen & <b>halten</b>"}
    translations.write(path, "de", [("c.d", "Cancel & <b>stop</b>"), ("c.d", "New")], known)
    assert translations.read(path) == {
        ("c.d", "Cancel & <b>stop</b>"): "Abbrechen & <b>halten</b>",
        ("c.d", "New"): "",
    }


@pytest.mark.parametrize("line", ["_(f'{x}')", "_('a' + b)", "translate('mine', 'text')"])
def test_a_text_that_no_translator_would_see_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "file.py").write_text(f"{line}\n")
    with pytest.raises(ValueError, match="file.py:1"):
        translations.texts(tmp_path)


def test_contexts_are_those_of_slicer(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    assert translations.context_of(tmp_path / "package" / "part.py") == "package.part"
    assert translations.context_of(tmp_path / "Module.py") == "Module"
