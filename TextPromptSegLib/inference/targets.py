"""From a parsed prompt to what the network is asked: trained prompts, their union, side, thirds.

The network answers only the names it was trained on; everything else a person may type is put
together from those, or refused with a sentence.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..checkpoints.layout import ANYTHING
from ..outcome import PromptError
from ..prompting.clinical_text import name_of, query
from ..prompting.free_text import NOTE
from .asked_words import words_for
from .wholes import WHOLES

if TYPE_CHECKING:
    from ..prompting.prompt import Prompt
    from ..prompting.vocabulary import Structure, Vocabulary

SIDES = ("left", "right")
_CLOSE = 3


@dataclass(frozen=True)
class Target:
    """How one prompt is answered.

    Attributes:
        prompt: the parsed prompt.
        names: trained prompts whose union is the structure.
        threshold: probability above which a voxel belongs to it.
        side: ``left`` or ``right`` when the side has to be cut out of the unsided result.
        left: trained prompts whose union is the left container, empty for "unknown".
        right: the same on the right.
        thirds: vertical thirds to keep.
        container: trained prompts whose union is divided into thirds.
        minus: what is taken away.
        notes: sentences for the user.
        alike: of words that were not trained, the nearest names with their similarity.
        check: the network reads the report itself; side, number and zones are not cut out of its
            answer but compared with it.
    """

    prompt: Prompt
    names: tuple[str, ...]
    threshold: float
    side: str | None = None
    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    thirds: tuple[str, ...] = ()
    container: tuple[str, ...] = ()
    minus: tuple[Target, ...] = ()
    notes: tuple[str, ...] = ()
    check: bool = False
    alike: tuple[tuple[str, float], ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether the union of ``names`` is already the answer."""
        return not (self.side or self.thirds or self.minus)

    def groups(self) -> set[tuple[str, ...]]:
        """Return every set of names whose union is needed, those of ``minus`` included."""
        needed = {self.names}
        if (self.side or self.check) and self.left and self.right:
            needed |= {self.left, self.right}
        if self.container:
            needed.add(self.container)
        for part in self.minus:
            needed |= part.groups()
        return needed


@dataclass(frozen=True)
class Refusal:
    """Why a prompt cannot be answered, in one sentence."""

    prompt: Prompt
    message: str


class Resolver:
    """Finds the target of a prompt for one checkpoint and one kind of image.

    Args:
        trained: the checkpoint's ``trained_prompts``; entries may hold ``modalities`` and
            ``threshold``.
        vocabulary: the structures that the library knows.
        modality: ``CT``, ``MR``, ``CXR`` or None when nobody knows.
        guessed: whether the modality was guessed from the intensities.
        vertical: whether the image has an up and a down (several slices, or an X-ray).
        name: the checkpoint's name, for the sentences.
    """

    def __init__(
        self,
        trained: Mapping[str, Mapping[str, Any]],
        vocabulary: Vocabulary,
        modality: str | None = None,
        guessed: bool = False,
        vertical: bool = True,
        name: str = "this checkpoint",
    ) -> None:
        self.trained = trained
        self.vocabulary = vocabulary
        self.modality, self.guessed = modality, guessed
        self.vertical, self.name = vertical, name
        self._known = {key.casefold(): key for key in trained}
        self._usable = {
            key.casefold(): key
            for key, entry in trained.items()
            if modality is None or modality in (entry.get("modalities") or (modality,))
        }

    def resolve(self, prompt: Prompt) -> Target | Refusal:
        """Return how a prompt is answered, or why it is not."""
        result = self._resolve(prompt, self._usable)
        own_words = bool(prompt.free_text) and prompt.structure is None
        if isinstance(result, Target) or self.modality is None or own_words:
            return result
        anyway = self._resolve(prompt, self._known)
        if isinstance(anyway, Refusal):
            return result
        learnt = sorted(
            {m for n in anyway.names for m in self.trained[name_of(n)].get("modalities", ())}
        )
        sentence = (
            f"this checkpoint learned '{prompt.name}' on {', '.join(learnt)} only, "
            f"and this image {'looks like' if self.guessed else 'is'} {self.modality}"
        )
        if not self.guessed:
            return Refusal(prompt, sentence)
        return _with_note(anyway, sentence)

    # -- names ---------------------------------------------------------------------------------

    def _resolve(self, prompt: Prompt, usable: Mapping[str, str]) -> Target | Refusal:
        """Resolve with the trained names of one kind of image."""
        if (report := self._report(prompt, usable)) is not None:
            return report
        side = prompt.side if prompt.side in SIDES else None
        cut: dict[str, Any] = {}
        notes: list[str] = []
        names = self._sided(prompt, side, usable)
        if not names and side:
            # Only the structure as a whole was trained: its side is cut out afterwards.
            names = self._exact((_without_side(prompt.name),), usable)
            if not names and prompt.structure:
                names = self._union(prompt.structure, None, usable)
            left, right = self._containers(prompt, usable)
            cut = {"side": side, "left": left, "right": right}
        if not names and usable and (prompt.free_text or ANYTHING in usable):
            words, cut = words_for(prompt, self.vocabulary)
            names = (query(words, words),) if words else ()
            notes += [f'{NOTE}: "{words}"'] if prompt.free_text else []
        elif prompt.free_text and len(names) == 1:  # known, but asked in these words
            names = (query(names[0], prompt.free_text),)
            notes.append(f'asked in the words "{prompt.free_text}"')
        if not names:
            return Refusal(prompt, self._unknown(prompt, usable))
        if len(names) > 1:
            notes.append(f"the union of {', '.join(names)}")
        elif (
            known := self._entry(_without_side(name_of(names[0])))
        ) and known.name != prompt.structure:
            notes.append(f"'{prompt.name}' was taken for {names[0]}: no other is known here")
        if prompt.thirds:
            container = self._thirds_of(prompt, names, usable)
            if isinstance(container, str):
                return Refusal(prompt, container)
            cut["thirds"], cut["container"] = tuple(prompt.thirds), container
        minus = []
        for part in prompt.minus:
            taken = self._resolve(part, usable)
            if isinstance(taken, Refusal):
                return Refusal(prompt, f"'{part.text}' cannot be taken away: {taken.message}")
            minus.append(taken)
        limits = [self._threshold(name) for name in names]
        return Target(prompt, names, min(limits), **cut, minus=tuple(minus), notes=tuple(notes))

    def _report(self, prompt: Prompt, usable: Mapping[str, str]) -> Target | None:
        """Return the target of a report that the network reads itself, None for any other."""
        names = self._exact((prompt.name,), usable) if prompt.report and not prompt.minus else ()
        if not names or not self.trained[names[0]].get("reports"):
            return None
        left, right = self._containers(prompt, usable) if self.vertical else ((), ())
        return Target(
            prompt,
            (query(names[0], prompt.report),),
            self._threshold(names[0]),
            left=left,
            right=right,
            notes=("the whole text was read by the network",),
            check=True,
        )

    def _sided(
        self, prompt: Prompt, side: str | None, usable: Mapping[str, str]
    ) -> tuple[str, ...]:
        """Return the trained names of a structure together with its side, if it has one."""
        texts = [prompt.text, prompt.name]
        if side and side not in prompt.name.split():
            texts[1] = f"{side} {prompt.name}"
        found = self._exact(tuple(texts), usable)
        if not found and prompt.structure:
            found = self._union(prompt.structure, side, usable)
        return found

    def _threshold(self, name: str) -> float:
        """Return the threshold that the checkpoint wants for one name."""
        entry = self.trained.get(name_of(name))
        return free_threshold(self.trained) if entry is None else float(entry.get("threshold", 0.5))

    @staticmethod
    def _exact(texts: tuple[str, ...], usable: Mapping[str, str]) -> tuple[str, ...]:
        """Return the trained prompt that is spelt like one of the texts."""
        for text in texts:
            if text and text.casefold() in usable:
                return (usable[text.casefold()],)
        return ()

    def _union(
        self, structure: str, side: str | None, usable: Mapping[str, str], depth: int = 0
    ) -> tuple[str, ...]:
        """Return trained names whose union is a structure; empty when there are none."""
        entry = self._entry(structure)
        if entry is None or depth > 4:
            return ()
        if side and not entry.paired:
            return ()
        texts = (f"{side} {entry.name}",) if side else (entry.unsided, entry.plural, entry.name)
        if found := self._exact(texts, usable):
            return found
        if entry.paired and not side:
            both = [self._union(entry.name, s, usable, depth + 1) for s in SIDES]
            if all(both):
                return both[0] + both[1]
        if entry.kind == "finding":  # parts are kinds of it: any of them will do
            kinds = [self._union(part, None, usable, depth + 1) for part in entry.parts]
            return tuple(dict.fromkeys(name for kind in kinds for name in kind))
        pieces = [p for p in map(self._entry, WHOLES.get(entry.name, ())) if p is not None]
        pieces = [p for p in pieces if not (side and p.expected_side not in (None, side))]
        parts = [self._union(p.name, side if p.paired else None, usable, depth + 1) for p in pieces]
        return tuple(dict.fromkeys(n for part in parts for n in part)) if all(parts) else ()

    def _entry(self, name: str | None) -> Structure | None:
        """Return the vocabulary's structure, None for an unknown name."""
        try:
            return self.vocabulary.entry(name) if name else None
        except PromptError:
            return None

    # -- side and thirds -----------------------------------------------------------------------

    def _containers(
        self, prompt: Prompt, usable: Mapping[str, str]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the trained names of the left and right container of a finding."""
        entry = self._entry(prompt.structure)
        names = [prompt.container]
        if entry is not None:
            names += [entry.container, entry.parent]
        for name in filter(None, names):
            left, right = (self._union(_without_side(name), side, usable) for side in SIDES)
            if left and right:
                return left, right
        return (), ()

    def _thirds_of(
        self, prompt: Prompt, names: tuple[str, ...], usable: Mapping[str, str]
    ) -> tuple[str, ...] | str:
        """Return the names of what is divided into thirds, or a sentence why it cannot be."""
        which = " and ".join(prompt.thirds)
        if not self.vertical:
            return f"a single axial slice has no {which} third; give more slices or leave it out"
        container = prompt.container
        if not container or _without_side(container) in (prompt.structure, prompt.name):
            return names
        side = next((s for s in SIDES if container.startswith(f"{s} ")), None)
        found = self._exact((container,), usable) or self._union(
            _without_side(container), side, usable
        )
        if not found and side:
            found = self._union(_without_side(container), None, usable)
        if not found and ANYTHING in usable:
            found = (query(_without_side(container), _without_side(container)),)
        return found or (
            f"the {which} third of '{container}' cannot be found, because this checkpoint was "
            f"not trained on '{container}'"
        )

    # -- sentences -----------------------------------------------------------------------------

    def _unknown(self, prompt: Prompt, usable: Mapping[str, str]) -> str:
        """Say that the checkpoint does not know a prompt, with what is close."""
        if prompt.everything:
            return f"nothing that '{prompt.name}' could mean is known well here; name what you seek"
        entry = self._entry(prompt.structure)
        shown = prompt.name or prompt.text
        typed = prompt.text.casefold()
        if entry is not None and shown == entry.unsided and entry.unsided.casefold() not in typed:
            shown = entry.name if entry.name.casefold() in typed else shown  # patella, not patellae
        close = self.close_names(prompt, usable)
        sentence = (
            f"this checkpoint was not trained on '{shown}'"
            if entry is not None
            else f"'{shown}' is not known, and this checkpoint was not trained on it"
        )
        if close:
            return f"{sentence}; close: {', '.join(close)}"
        if entry is None and prompt.suggestions:
            return f"{sentence}; did you mean {' or '.join(prompt.suggestions)}?"
        return sentence

    def close_names(self, prompt: Prompt, usable: Mapping[str, str]) -> list[str]:
        """Return up to three trained names that the user may have meant, none for none."""
        shown = prompt.name or prompt.text
        found: list[str] = []
        entry = self._entry(prompt.structure)
        if entry is not None:
            relatives = map(self._entry, (entry.name, *entry.parts, entry.parent))
            for kin in filter(None, relatives):
                texts = (kin.unsided, kin.name, *(f"{s} {kin.name}" for s in SIDES))
                found += [usable[text.casefold()] for text in texts if text.casefold() in usable]
            for name in usable.values():
                other = self._entry(_without_side(name))
                if other is not None and entry.name in (other.parent, other.container):
                    found.append(name)
        for text in prompt.suggestions:
            found += self._exact((text, _without_side(text)), usable)
        if entry is None:  # a left lung is not close to a left kidney, but for its letters
            named = [text for text in usable if text != ANYTHING]
            for text in difflib.get_close_matches(shown.casefold(), named, _CLOSE, 0.6):
                found.append(usable[text])
        return list(dict.fromkeys(found))[:_CLOSE]


def free_threshold(trained: Mapping[str, Mapping[str, Any]]) -> float:
    """Return the threshold of words that were not trained: the upper middle of the trained ones."""
    limits = sorted(float(entry.get("threshold", 0.5)) for entry in trained.values())
    return max(0.5, limits[len(limits) // 2]) if limits else 0.5


def thresholds(trained: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return the threshold of every trained name, and `free_threshold` for any other."""
    free = free_threshold(trained)
    found = {name: float(entry.get("threshold", 0.5)) for name, entry in trained.items()}
    return defaultdict(lambda: free, found)


def _without_side(name: str) -> str:
    """Return a name without a leading "left " or "right "."""
    for side in SIDES:
        if name.startswith(f"{side} "):
            return name[len(side) + 1 :]
    return name


def _with_note(target: Target, note: str) -> Target:
    """Return the target with one more sentence for the user."""
    return replace(target, notes=(*target.notes, note))
