"""A menu of what the checkpoint knows well: everything, the organs of a region, one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import qt
from slicer.i18n import tr as _

from TextPromptSegLib.outcome import TextPromptSegError

from ..shared.links import Links

REGIONS = ("head", "neck", "chest", "abdomen", "pelvis", "limbs")


class NamesMenu:
    """A button beside the prompt line; what is checked stands in the line."""

    def __init__(self, text: Callable[[], str], on_text: Callable[[str], None]) -> None:
        """Make the button.

        Args:
            text: returns what is typed.
            on_text: called with the new text after a choice.
        """
        self._text, self._on_text = text, on_text
        self._trained: Mapping[str, Any] = {}
        self.button = qt.QToolButton()
        self.button.objectName = "TextPromptNames"
        self.button.text = _("Names")
        self.button.popupMode = qt.QToolButton.InstantPopup
        self.button.toolTip = _(
            "What this checkpoint knows well: everything, the organs of a region, or one by one."
        )
        self.menu = qt.QMenu(self.button)
        self.button.setMenu(self.menu)
        self._links, self._item_links = Links(), Links()
        self._links.connect(self.menu, "aboutToShow()", self.fill)

    def set_trained(self, trained: Mapping[str, Any] | None) -> None:
        """Choose the checkpoint's trained prompts; without any there is no menu."""
        self._trained = trained or {}
        self.button.enabled = bool(self._trained)

    def fill(self) -> None:
        """Fill the menu: nothing is looked up before it opens."""
        self._item_links.clear()
        self.menu.clear()
        every = names_of("everything", self._trained)
        self._add(self.menu, "everything", _("Everything ({count})").format(count=len(every)))
        typed, rest = phrases(self._text()), dict.fromkeys(every)
        for region in REGIONS:
            words = f"all organs in the {region}"
            found = names_of(words, self._trained)
            if len(found) < 2:
                continue
            title = _("{region} ({count})").format(region=region_word(region), count=len(found))
            below = self.menu.addMenu(title)
            self._add(below, words, _("All organs of the region"))
            below.addSeparator()
            for name in sorted(found):
                self._add(below, name, name, name in typed)
                rest.pop(name, None)
        if rest:
            below = self.menu.addMenu(_("Other ({count})").format(count=len(rest)))
            for name in sorted(rest):
                self._add(below, name, name, name in typed)

    def cleanup(self) -> None:
        """Disconnect."""
        self._item_links.clear()
        self._links.clear()

    def _add(self, menu: Any, words: str, label: str, checked: bool | None = None) -> None:
        action = qt.QAction(label, menu)
        if checked is None:
            self._item_links.connect(action, "triggered()", partial(self._on_text, words))
        else:
            action.checkable, action.checked = True, checked
            self._item_links.connect(action, "toggled(bool)", partial(self._toggle, words))
        menu.addAction(action)

    def _toggle(self, name: str, on: bool) -> None:
        kept = [phrase for phrase in phrases(self._text()) if phrase != name]
        self._on_text(", ".join([*kept, name] if on else kept))


def names_of(words: str, trained: Mapping[str, Any]) -> list[str]:
    """Return the names that "everything" or "all organs in the chest" means for a checkpoint."""
    from TextPromptSegLib.inference.everything import known_well
    from TextPromptSegLib.prompting.prompts import parse_prompts
    from TextPromptSegLib.prompting.vocabulary import Vocabulary

    (prompt,) = parse_prompts(words)
    return known_well(prompt, trained, Vocabulary.load())[0]


def phrases(text: str) -> list[str]:
    """Return what a text asks for, one phrase per prompt; [] for one that cannot be read."""
    from TextPromptSegLib.prompting.prompts import parse_prompts

    try:
        return [prompt.phrase() for prompt in parse_prompts(text)] if text.strip() else []
    except TextPromptSegError:
        return []


def region_word(region: str) -> str:
    """Return a region of the body in words of the user's language."""
    words = {
        "head": _("Head"),
        "neck": _("Neck"),
        "chest": _("Chest"),
        "abdomen": _("Abdomen"),
        "pelvis": _("Pelvis"),
        "limbs": _("Limbs"),
    }
    return words[region]
