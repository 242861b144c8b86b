"""How a prompt was understood, shown before anything runs; every part can be changed by a click."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import qt
from slicer.i18n import tr as _

from TextPromptSegLib.outcome import TextPromptSegError
from TextPromptSegLib.prompting.prompt import Prompt
from TextPromptSegLib.prompting.shades import display_colour

from ..shared.links import Links
from ..shared.quality_words import quality_words
from .run_bar import flat

if TYPE_CHECKING:
    from TextPromptSegLib.inference.prospect import Prospect

_MISSING = "\N{WARNING SIGN}"


class ParseView:
    """A label that lists the prompts as links; a link opens a menu to change that prompt.

    Changes rewrite the text, so that what is typed stays the only truth.
    """

    def __init__(self, on_text: Callable[[str], None]) -> None:
        """Make the label.

        Args:
            on_text: called with the new text after a change by the menu.
        """
        self.label = qt.QLabel()
        self.label.objectName = "TextPromptParse"
        self.label.wordWrap = True
        flat(self.label)
        self.label.toolTip = _("How the prompt was understood. Click a name to change it.")
        self.prompts: list[Prompt] = []
        self.error = ""
        self._on_text = on_text
        self._trained: frozenset[str] = frozenset()
        self._menu: Any = None
        self._links = Links()
        self._links.connect(self.label, "linkActivated(QString)", self._clicked)

    def show(
        self, text: str, trained: Mapping[str, Any] | None = None, typing: bool = False
    ) -> list[Prompt]:
        """Parse and show a text.

        Args:
            text: what was typed.
            trained: the checkpoint's trained prompts, None when there is no checkpoint.
            typing: whether more is about to be typed: what is shown then changes only with the
                prompts, and warnings about half a word wait.

        Returns:
            The prompts, empty when the text is empty or unreadable (see ``error``).
        """
        from TextPromptSegLib.inference.prospect import prospects
        from TextPromptSegLib.prompting.prompts import parse_prompts

        self.error, self.prompts = "", []
        if text.strip():
            try:
                self.prompts = parse_prompts(text)
            except TextPromptSegError as error:
                self.error = str(error)
        if (
            typing
            and text.strip()
            and not all(p.structure for p in self.prompts or [Prompt("", "")])
        ):
            return self.prompts
        answers = prospects(self.prompts, trained)
        self.label.text = (
            self._html(answers, not typing) if self.prompts else html.escape(self.error)
        )
        self.label.visible = bool(self.label.text)
        return self.prompts

    def cleanup(self) -> None:
        """Disconnect."""
        self._links.clear()
        if self._menu is not None:
            self._menu.deleteLater()
            self._menu = None

    def _html(self, answers: Sequence[Prospect], with_notes: bool) -> str:
        parts, notes = [], []
        for number, (prompt, answer) in enumerate(zip(self.prompts, answers, strict=True)):
            mark = _MISSING if answer.refusal or not prompt.answerable else _dot(prompt)
            link = f'{mark}&nbsp;<a href="{number}">{html.escape(prompt.phrase())}</a>'
            words = "" if answer.quality is None else quality_words(answer.quality)
            parts.append(f"{link} <small>({html.escape(words)})</small>" if words else link)
            notes += [*prompt.notes, *filter(None, (answer.refusal, answer.warning))]
        text = ", ".join(parts)
        for note in dict.fromkeys(notes if with_notes else ()):
            text += f"<br><small>{html.escape(note)}</small>"
        return text

    def _clicked(self, number: str) -> None:
        self.menu_for(int(number)).popup(qt.QCursor.pos())

    def menu_for(self, number: int) -> Any:
        """Return the menu that changes one prompt."""
        prompt = self.prompts[number]
        if self._menu is not None:
            self._menu.deleteLater()
        self._menu = qt.QMenu(self.label)
        for label, phrase in changes(prompt):
            action = qt.QAction(label, self._menu)
            action.connect("triggered()", partial(self._replace, number, phrase))
            self._menu.addAction(action)
        return self._menu

    def _replace(self, number: int, phrase: str) -> None:
        phrases = [prompt.phrase() for prompt in self.prompts]
        phrases[number : number + 1] = [phrase] if phrase else []
        self._on_text(", ".join(phrases))


def changes(prompt: Prompt) -> list[tuple[str, str]]:
    """Return what may be done to a prompt: (what the menu says, the new words; empty removes)."""
    from TextPromptSegLib.prompting.vocabulary import Vocabulary

    found = [(_("Use '{name}'").format(name=text), text) for text in prompt.suggestions]
    if prompt.structure is None and not prompt.free_text:
        found.append((_("Ask the network in these words"), f'"{prompt.name}"'))
    vocabulary = Vocabulary.load()
    try:
        entry = vocabulary.entry(prompt.structure) if prompt.structure else None
    except TextPromptSegError:
        entry = None
    if entry is not None:
        if entry.paired:
            sides = {"left": entry.sided("left"), "right": entry.sided("right"), "": entry.unsided}
            found += [
                (_("Use '{name}'").format(name=name), name)
                for name in sides.values()
                if name != prompt.phrase()
            ]
        whole = prompt.name
        if (prompt.thirds or prompt.container or prompt.minus) and whole != prompt.phrase():
            found.append((_("Whole '{name}'").format(name=whole), whole))
    found.append((_("Remove"), ""))
    return list(dict.fromkeys(found))


def _dot(prompt: Prompt) -> str:
    """Return a dot in the colour that the segment will have."""
    from TextPromptSegLib.prompting.vocabulary import Vocabulary

    terminology, grey = Vocabulary.load().terminology(prompt), (128, 128, 128)
    red, green, blue = grey if terminology is None else display_colour(terminology, prompt)
    return f'<span style="color:#{red:02x}{green:02x}{blue:02x}">\N{BLACK CIRCLE}</span>'
