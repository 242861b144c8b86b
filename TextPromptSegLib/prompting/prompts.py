"""From the text a user types to the list of things to segment; shown before anything runs."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from ..outcome import PromptError
from .prompt import Prompt, Zone
from .prompt_draft import Draft
from .prompt_grammar import (
    AND,
    EXTENT,
    MINUS,
    NEGATIONS,
    NUMBERS,
    PLACE,
    Chunk,
    sentences,
    without_imaging,
)
from .prompt_reading import Reader
from .vocabulary import Vocabulary
from .wording import singular

LONGEST_TEXT = 4000
MOST_PROMPTS = 100

_WITH = ("with", "including", "incl", "mit", "avec")
_SPOTS = {
    "area", "region", "lesion", "focus", "foci", "site", "spot", "patch", "zone", "shadow",
    "opacity", "infiltrate", "field", "nodule", "location",
}  # fmt: skip
_INVOLVED = {"infected", "affected", "involved", "infectious", "abnormal", "diseased"}


def parse_prompts(
    text: str | Prompt | Sequence[str | Prompt], vocabulary: Vocabulary | None = None
) -> list[Prompt]:
    """Understand a text, or several, as a list of things to segment.

    Names with their sides, lists, commands, vertical thirds, subtraction ("liver without tumor")
    and report sentences ("bilateral infection, two infected areas, all left lung") are understood.
    What is not known comes back with ``known`` False and suggestions; it is never replaced.

    Args:
        text: what the user typed; items that already are prompts pass unchanged.
        vocabulary: the names to use; None for the one that ships.

    Raises:
        PromptError: when nothing is asked for, or the text is too long.
    """
    vocabulary = vocabulary or Vocabulary.load()
    items: Sequence[object] = [text] if isinstance(text, str | Prompt) else list(text)
    prompts: list[Prompt] = []
    for item in items:
        if isinstance(item, Prompt):
            prompts.append(item)
        elif isinstance(item, str):
            prompts.extend(_List(_reader(vocabulary)).parse(item))
        else:
            raise PromptError("A prompt must be text.")
    unique: dict[tuple[object, ...], Prompt] = {}
    for prompt in prompts:
        zones = (prompt.side, prompt.container, prompt.thirds, prompt.zones)
        unique.setdefault((prompt.name, zones, tuple(m.phrase() for m in prompt.minus)), prompt)
    if not unique:
        raise PromptError('Say what to segment, for example "liver" or "left kidney, spleen".')
    if len(unique) > MOST_PROMPTS:
        raise PromptError(
            f"These are {len(unique)} prompts; give at most {MOST_PROMPTS} at a time."
        )
    return list(unique.values())


@lru_cache(maxsize=4)
def _reader(vocabulary: Vocabulary) -> Reader:
    return Reader(vocabulary)


class _List:
    """The drafts of one text, sentence by sentence."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.drafts: list[Draft] = []
        self.words: list[list[str]] = []  # of each draft; later pieces refine the last one
        self.absent: list[str] = []

    def parse(self, text: str) -> list[Prompt]:
        """Return the prompts of a text, in its order."""
        if len(text) > LONGEST_TEXT:
            raise PromptError(f"The text has {len(text)} characters; use at most {LONGEST_TEXT}.")
        if not text.strip() or all(unicodedata.category(c)[0] in "CZ" for c in text):
            raise PromptError('The prompt is empty; say what to segment, for example "liver".')
        for chunks in sentences(text):
            self._sentence(chunks)
        if not self.drafts and self.absent:
            raise PromptError("The text only says what to leave out; name what to segment as well.")
        if not self.drafts:
            raise PromptError(
                f'"{text.strip()[:60]}" names no structure or finding; name one, e.g. "liver".'
            )
        findings = [draft for draft in self.drafts if self._kind(draft) == "finding"]
        for draft in self.drafts:
            if self.absent and draft.structure is not None:
                draft.attributes["absent"] = ", ".join(self.absent)
            if len(findings) == 1 and draft is findings[0]:
                draft.report = " ".join(text.split())
        return [draft.build(self.reader.vocabulary) for draft in self.drafts]

    def _sentence(self, chunks: Sequence[Chunk]) -> None:
        first = len(self.drafts)
        pending: list[str] = []
        for chunk in chunks:
            said = without_imaging(list(chunk.words))
            words = self.reader.strip(said)
            if not words or (len(self.drafts) > first and self._number_clause(said)):
                continue
            if words[0] in NEGATIONS and self.reader.find(words) is None:
                self._leave_out(words[1:], first)
            elif self.reader.qualifiers_only(words) or self._split_qualifiers(words):
                if len(self.drafts) > first:
                    self._refine(words)
                else:
                    pending += words
            elif len(self.drafts) > first and self._report_clause(words):
                continue
            else:
                self._add(pending + words, chunk.text)
                pending = []
        if pending:
            self._append(self.reader.read(pending, " ".join(pending)), pending)
        for draft in self.drafts[first:]:
            draft.report = ", ".join(chunk.text for chunk in chunks)

    def _kind(self, draft: Draft) -> str | None:
        return self.reader.vocabulary.entry(draft.structure).kind if draft.structure else None

    def _append(self, draft: Draft, words: Sequence[str]) -> None:
        self.drafts.append(draft)
        self.words.append(list(words))

    # ------------------------------------------------------------------ lists
    def _add(self, words: list[str], text: str) -> None:
        """Add the drafts of one chunk."""
        if self.reader.find(words) is not None:
            self._append(self.reader.read(words, text), words)
            return
        joined = " ".join(words)
        minus = MINUS.search(joined)
        if minus is not None and joined[: minus.start()].strip() and joined[minus.end() :].strip():
            self._subtract(joined[: minus.start()].split(), joined[minus.end() :].split(), text)
            return
        one = self.reader.read(words, text, suggest=False)
        if one.structure is None:
            for i, word in enumerate(words):
                if word in _WITH and 0 < i < len(words) - 1:
                    self._add(words[:i], text)
                    rest = " ".join(words[i + 1 :])
                    self.drafts[-1].notes.append(
                        f'"{word} {rest}" is not separated; ask for it by its own name'
                    )
                    return
        if one.structure is None and self._split_after_place(words, text):
            return
        if one.structure is not None or not any(w in AND for w in words):
            self._append(one if one.structure is not None else self.reader.read(words, text), words)
            return
        pieces = self.reader.complete(self._pieces(words))
        side_said = False
        for piece in pieces:
            draft = self.reader.read(piece, " ".join(piece) if len(pieces) > 1 else text)
            entry = self.reader.vocabulary.entry(draft.structure) if draft.structure else None
            if side_said and entry is not None and entry.paired and draft.side is None:
                draft.notes.append(f"no side is said for {entry.name}: both are meant")
            side_said = side_said or draft.side in ("left", "right")
            self._append(draft, piece)

    def _split_after_place(self, words: list[str], text: str) -> bool:
        """Split "nodule in the left lung and edema" where the first part is complete."""
        for i in reversed(range(1, len(words) - 1)):
            if words[i] in AND and any(w in PLACE for w in words[:i]):
                draft = self.reader.read(words[:i], text, suggest=False)
                if draft.structure is not None:
                    self._append(draft, words[:i])
                    more = len(self.drafts)
                    self._add(self.reader.strip(words[i + 1 :]), text)
                    for item in self.drafts[more : more + 1]:
                        if self._kind(item) == "anatomy":
                            item.notes.append(
                                f"read as a structure of its own, not as a place of {draft.name}"
                            )
                    return True
        return False

    def _pieces(self, words: Sequence[str], strip: bool = True) -> list[list[str]]:
        """Split at "and", but keep names that have an "and": portal and splenic vein."""
        parts: list[list[str]] = [[]]
        for word in words:
            if word in AND:
                parts.append([])
            else:
                parts[-1].append(word)
        parts = [kept for part in parts if (kept := self.reader.strip(part) if strip else part)]
        pieces: list[list[str]] = []
        i = 0
        while i < len(parts):
            for j in range(min(len(parts), i + 4), i, -1):
                joined = [w for part in parts[i:j] for w in (*part, "and")][:-1]
                if j == i + 1 or self.reader.find(joined) is not None:
                    pieces.append(joined)
                    i = j
                    break
        return pieces

    def _split_qualifiers(self, words: Sequence[str]) -> bool:
        """True for "left and right", "upper and middle third": only qualifiers around "and"."""
        return any(w in AND for w in words) and self.reader.qualifiers_only(
            [w for w in words if w not in AND]
        )

    def _refine(self, words: list[str]) -> None:
        """Apply qualifiers to the last draft: "kidney, left" or "kidney, left and right"."""
        noun = self.words[-1]
        for piece in self._pieces(words):
            side = self.reader.sides(piece)
            if side and self.reader.sides(noun):
                completed = self.reader.borrow(piece, noun)
                self._append(self.reader.read(completed, " ".join(completed)), completed)
                continue
            completed = piece + [w for w in noun if w not in piece]
            draft = self.reader.read(completed, f"{self.drafts[-1].text}, {' '.join(piece)}")
            draft.minus, draft.notes = self.drafts[-1].minus, self.drafts[-1].notes
            self.drafts[-1], self.words[-1] = draft, completed
            noun = completed

    # ------------------------------------------------------------------ taking away
    def _subtract(self, head: list[str], tail: list[str], text: str) -> None:
        before, head = len(self.drafts), self.reader.strip(head)
        if not head:
            self._leave_out(tail, before)
            return
        self._add(head, text)
        owner, others = self.drafts[-1], self.drafts[before:-1]
        items = self.reader.complete(self._pieces(tail, strip=False))
        for n, piece in enumerate(items):
            item = self._without(owner, piece)
            if n and self._is_new(owner, owner.minus[0], item):
                item.notes.append(
                    f'read as a further structure, not as a part of "without {" ".join(items[0])}"'
                )
                self._append(item, piece)
            else:
                owner.minus.append(item)
        if others and owner.minus:
            owner.notes.append(f"only {owner.name} is taken without it")

    def _without(self, owner: Draft, words: list[str]) -> Draft:
        """Read what to take away; generic words belong to the owner: vessels -> liver vessels."""
        organ = owner.structure
        while organ is not None:
            match = self.reader.find([*organ.split(), *words])
            if match is not None and match.structure != owner.structure:
                return Draft(match.name, structure=match.structure, text=" ".join(words))
            organ = self.reader.vocabulary.entry(organ).parent
        return self.reader.read(words, " ".join(words))

    def _is_new(self, owner: Draft, first: Draft, item: Draft) -> bool:
        """In "liver without tumor and spleen" the spleen is a new structure."""
        if self._kind(first) != "finding" or self._kind(item) != "anatomy":
            return False
        structure = item.structure
        while structure is not None and structure != owner.structure:
            structure = self.reader.vocabulary.entry(structure).parent
        return structure is None

    def _leave_out(self, words: list[str], first: int) -> None:
        """Take "no spleen" away from what the sentence named before, or only note it."""
        for piece in self.reader.complete(self._pieces(words, strip=False)):
            if len(self.drafts) == first:
                self.absent.append(self.reader.read(piece, "").build(self.reader.vocabulary).name)
            for draft in self.drafts[first:]:
                draft.minus.append(self._without(draft, piece))

    # ------------------------------------------------------------------ reports
    def _report_clause(self, words: list[str]) -> bool:
        """Attach "two infected areas" or "all left lung" to the finding before it."""
        draft = self.drafts[-1]
        if draft.structure is None:
            return False
        entry = self.reader.vocabulary.entry(draft.structure)
        if entry.kind != "finding":
            return False
        places = self.reader.places(words, entry.container)
        if places is None or (
            entry.container
            and self.reader.root(places[0].structure) != self.reader.root(entry.container)
        ):
            return False
        report = draft.places or {"laterality", "number"} & set(draft.attributes)
        if not report and not any(p.thirds or p.whole for p in places):
            name = entry.unsided
            draft.notes.append(
                f'read as a list; write "{name} in {" ".join(words)}" to look only there'
            )
            return False
        draft.places += places
        return True

    def _number_clause(self, words: Sequence[str]) -> bool:
        """Attach "two infected areas" to the finding before it."""
        draft = self.drafts[-1]
        if self._kind(draft) != "finding" or len(words) < 2 or words[0] not in NUMBERS:
            return False
        plain = [w for w in words[1:] if w not in EXTENT and w not in _INVOLVED]
        match = self.reader.find(plain) or self.reader.find(words[1:])
        if not all(singular(w) in _SPOTS for w in plain) and (
            match is None or match.structure != draft.structure
        ):
            return False
        draft.attributes["number"] = NUMBERS[words[0]]
        return True


__all__ = ["Prompt", "Zone", "parse_prompts"]
