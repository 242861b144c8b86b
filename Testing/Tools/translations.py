"""The window's texts and their translations, in the files that Qt Linguist and Slicer read.

`python Testing/Tools/translations.py` prints what is out of date; `--write` puts new texts into the
files (`type="unfinished"`, or translated as the same text elsewhere), drops those that no code has
any more, and compiles `.qm` files with the `lrelease` of PySide6-Essentials.
"""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "TextPromptSeg"
FOLDER = MODULE / "Resources" / "Translations"
LANGUAGES = ("de", "es", "fr", "ja", "zh-Hans")
"""As Slicer's own translation files are named."""
COMPILED = {**{language: (language,) for language in LANGUAGES}, "zh-Hans": ("zh-Hans", "zh")}
"""Endings of the compiled files: Slicer looks for the chosen language, then for its first part."""
SHARED_CONTEXT = "qSlicerAbstractCoreModule"
"""Slicer's own translation holds the names of module categories."""

Text = tuple[str, str]
"""Context and source."""


def context_of(file: Path) -> str:
    """Return the context that ``slicer.i18n.tr`` uses for the texts of a file."""
    inside = (file.parent / "__init__.py").is_file()
    return f"{file.parent.name}.{file.stem}" if inside else file.stem


@functools.cache
def texts(module: Path = MODULE) -> tuple[Text, ...]:
    """Return every text that the window shows, in the order of files and lines.

    Raises:
        ValueError: when the argument of ``_`` is no plain text, which no translator would see.
    """
    found: dict[Text, None] = {}
    for file in sorted(module.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
        for call in sorted(calls, key=lambda n: (n.lineno, n.col_offset)):
            name = call.func.id if isinstance(call.func, ast.Name) else ""
            if name not in ("_", "translate"):
                continue
            last = call.args[-1]
            if not isinstance(last, ast.Constant) or not isinstance(last.value, str):
                raise ValueError(f"{file.name}:{call.lineno}: {name}() takes a plain text")
            if name == "_":
                found[context_of(file), last.value] = None
            elif ast.literal_eval(call.args[0]) != SHARED_CONTEXT:
                raise ValueError(f"{file.name}:{call.lineno}: use _() for texts of this extension")
    return tuple(found)


def path_of(language: str, folder: Path = FOLDER) -> Path:
    """Return the file that holds a language's translations."""
    return folder / f"TextPromptSeg_{language}.ts"


def read(path: Path) -> dict[Text, str]:
    """Return the translations of a file; an unfinished one is empty."""
    if not path.is_file():
        return {}
    found = {}
    for context in ElementTree.parse(path).getroot().iter("context"):
        for message in context.iter("message"):
            translation = message.find("translation")
            done = translation is not None and translation.get("type") is None
            source = str(message.findtext("source"))
            found[str(context.findtext("name")), source] = (translation.text or "") if done else ""
    return found


def write(path: Path, language: str, wanted: Sequence[Text], known: dict[Text, str]) -> None:
    """Write the translations of ``wanted``, from ``known`` where they are there."""
    elsewhere = {source: translation for (_, source), translation in known.items() if translation}
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        "<!DOCTYPE TS>",
        f'<TS version="2.1" language="{language}" sourcelanguage="en">',
    ]
    for context in dict.fromkeys(context for context, _ in wanted):
        lines += ["<context>", f"    <name>{escape(context)}</name>"]
        for text in [text for text in wanted if text[0] == context]:
            translation = known.get(text) or elsewhere.get(text[1], "")
            kind = "" if translation else ' type="unfinished"'
            lines += [
                "    <message>",
                f"        <source>{escape(text[1])}</source>",
                f"        <translation{kind}>{escape(translation)}</translation>",
                "    </message>",
            ]
        lines.append("</context>")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, "</TS>", ""]), encoding="utf-8", newline="\n")


def compiled(language: str, folder: Path = FOLDER) -> list[Path]:
    """Return the compiled files of a language."""
    return [folder / f"TextPromptSeg_{ending}.qm" for ending in COMPILED[language]]


def compile_all(folder: Path = FOLDER) -> None:
    """Compile every language.

    Raises:
        subprocess.CalledProcessError: when `lrelease` fails.
    """
    import PySide6

    lrelease = Path(PySide6.__file__).parent / "lrelease"
    for language in LANGUAGES:
        for target in compiled(language, folder):
            command = [str(lrelease), "-silent", str(path_of(language, folder)), "-qm", str(target)]
            subprocess.run(command, check=True)


def placeholders(text: str) -> set[str]:
    """Return what `slicer.i18n.tr` compares: a translation without them is not shown."""
    return set(re.findall(r"(?<!\{)\{([^{}]+)\}(?!\})", text))


def differences(folder: Path = FOLDER) -> list[str]:
    """Return one line for each text that a file lacks or that no code has, and each wrong one."""
    wanted, lines = texts(), []
    for language in LANGUAGES:
        known = read(path_of(language, folder))
        name = path_of(language, folder).name
        lines += [f"{name} lacks {text!r}" for text in wanted if text not in known]
        lines += [f"{name} has {text!r}, which no code shows" for text in set(known) - set(wanted)]
        for text, translation in known.items():
            if not translation:
                lines.append(f"{name} does not translate {text!r}")
            elif placeholders(translation) != placeholders(text[1]):
                lines.append(f"{name}: placeholders differ: {text[1]!r}, {translation!r}")
            elif _edges(translation) != _edges(text[1]):
                lines.append(f"{name}: spaces or tags differ: {text[1]!r}, {translation!r}")
    return lines


def _edges(text: str) -> tuple[object, ...]:
    """Return what a translation keeps besides the placeholders: spaces at its ends, HTML tags."""
    ends = (text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :])
    return (*ends, sorted(re.findall(r"</?[a-z]+(?: [^>]*)?>", text)))


def main(arguments: list[str]) -> int:
    """Print the differences, or with --write put the files right."""
    if "--write" in arguments:
        for language in LANGUAGES:
            path = path_of(language)
            write(path, language, texts(), read(path))
        compile_all()
    lines = differences()
    print("\n".join(lines) or "The translations are up to date.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
