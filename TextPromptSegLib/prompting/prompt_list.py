"""The pieces of one text, put in order: lists, sides said once, what is taken away or denied."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from ..outcome import PromptError
from .anatomy import Structure
from .prompt import Prompt
from .prompt_denial import Scope, affirmed, clauses, denied_within, leads
from .prompt_draft import Draft
from .prompt_grammar import (  # fmt: skip
    ABSENT,
    AND,
    BESIDE,
    MINUS,
    NEGATIONS,
    OR,
    PLACE,
    SIDE_WORDS,
    everything,
)
from .prompt_reading import LONGEST_PIECE, Reader
from .prompt_reports import number_clause, report_clause
from .prompt_text import Chunk, denial, heading_side, sentences, without_imaging
from .wording import singular

LONGEST_TEXT = 4000
MOST_PROMPTS = 100
MOST_SUGGESTED = 6
"""Unknown pieces of one text for which a spelling is sought."""

_WITH = ("with", "including", "incl", "mit", "avec")


class PromptList:
    """The drafts of one text, sentence by sentence."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.drafts: list[Draft] = []
        self.words: list[list[str]] = []  # of each draft; later pieces refine the last one
        self.absent: list[str] = []
        self.names: set[tuple[str, ...]] = set()
        self.heading: list[str] = []  # the side of a heading, "left:"
        self.said: list[str] = []  # the clause at hand, as it was typed
        self.pending: list[str] = []  # qualifiers whose noun is still to come
        self.unknown = 0  # pieces for which a spelling was sought
        self.start = 0  # number of drafts before the last piece
        self.first = 0  # and before the sentence

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
        self.first = first = len(self.drafts)
        scope, self.pending = Scope.of(chunks), []
        for index, chunk in enumerate(chunks):
            if side := heading_side(chunk):
                self.heading = side
                continue
            if denial(chunk.words) and len(self.drafts) > first:
                self._withdraw(self.start)
                continue
            self.start = len(self.drafts)
            for n, said in enumerate(clauses(without_imaging(list(chunk.words)))):
                scope.active = scope.active and not n
                self._clause(said, chunk, (index, first), scope)
        if self.pending:
            self._append(self._read(self.pending, " ".join(self.pending)), self.pending)
        self._sides_of_list(first)
        for draft in self.drafts[first:]:
            draft.report = ", ".join(chunk.text for chunk in chunks)

    def _clause(self, said: list[str], chunk: Chunk, place: tuple[int, int], scope: Scope) -> None:
        """Read one clause; ``place`` is its number in the sentence and the first draft of it."""
        index, first = place
        self.said, words = said, self.reader.strip(said)
        last = self.drafts[-1] if len(self.drafts) > first else None
        if not words or (last is not None and number_clause(self.reader, last, said)):
            return
        if every := everything(words) or everything(self.reader.as_typed(said)):
            region, organs = every.removesuffix(" organs"), every.endswith("organs")
            name = "all organs" if organs else "everything"
            name += "" if region == "any" else f" in the {region}"
            note = "all that the checkpoint knows well in such an image"
            self._append(Draft(name, notes=[note], text=chunk.text, everything=every), words)
            return
        if self.reader.find(words) is None:
            if leads(words):
                scope.active = True
                scope.places = self._leave_out(words[1:], first)
                return
            if words[-1] in ABSENT:
                if any(w in AND for w in said):
                    self._withdraw(first)
                self._leave_out(words[:-1], first, only_note=True)
                return
            if (at := denied_within(words)) and not MINUS.search(" ".join(words)):
                head = words[:at]
                if not affirmed(self.reader.strip(head)) and self.reader.strip(head):
                    self._clause(head, chunk, place, scope)
                elif kept := [w for w in head if w not in ("shows", "show", "with", "has", "have")]:
                    self._clause(kept, chunk, place, scope)
                scope.active = True
                scope.places = self._leave_out(words[at + 1 :], first, only_note=True)
                return
            if any(w in NEGATIONS for w in words):
                scope.active, scope.places = True, False
                self._add(self.pending + words, chunk.text)
                self.pending = []
                return
        if scope.covers(index, said, self.reader):
            self._leave_out(words, first)
        elif self.reader.qualifiers_only(words) or self._split_qualifiers(words):
            if len(self.drafts) > first:
                self._refine(words)
            else:
                self.pending += words
        elif last is not None and report_clause(self.reader, last, words):
            return
        else:
            self._add(self.pending + words, chunk.text)
            self.pending = []

    def _withdraw(self, start: int) -> None:
        """Take back the findings from ``start`` on: the text says that they are absent."""
        kept = [
            i
            for i, d in enumerate(self.drafts)
            if i < start or (start != self.start and (self._kind(d) != "finding" or d.places))
        ]
        for i in range(start, len(self.drafts)):
            if i not in kept:
                self.absent.append(self.drafts[i].build(self.reader.vocabulary).name)
        self.drafts, self.words = [self.drafts[i] for i in kept], [self.words[i] for i in kept]

    def _kind(self, draft: Draft) -> str | None:
        return self.reader.vocabulary.entry(draft.structure).kind if draft.structure else None

    def _append(self, draft: Draft, words: Sequence[str]) -> None:
        self.drafts.append(draft)
        self.words.append(list(words))
        self.names.add((*map(str, (draft.name, draft.side, draft.thirds, draft.places)),))
        if len(self.names) > MOST_PROMPTS:
            most = f"at most {MOST_PROMPTS} at a time"
            raise PromptError(f"These are more than {MOST_PROMPTS} prompts; give {most}.")

    def _read(self, words: Sequence[str], text: str, suggest: bool = True) -> Draft:
        """Read one piece; only the first unknown ones of a text get suggestions."""
        draft = self.reader.read(words, text, suggest and self.unknown < MOST_SUGGESTED)
        self.unknown += suggest and draft.structure is None
        return draft

    # ------------------------------------------------------------------ lists
    def _add(self, words: list[str], text: str) -> None:
        """Add the drafts of one chunk."""
        if self.heading and not self.reader.sides(words) and not any(w in AND for w in words):
            words = self.heading + words
        if self.reader.find(words) is not None:
            self._append(self._read(words, text), words)
            return
        joined = " ".join(words)
        minus = MINUS.search(joined)
        if minus is not None and joined[: minus.start()].strip() and joined[minus.end() :].strip():
            self._subtract(joined[: minus.start()].split(), joined[minus.end() :].split(), text)
            return
        one = self._read(words, text, suggest=False)
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
            if one.structure is None:  # unknown words stay as they were typed
                whole = self.reader.strip(self.said) == words
                one = self._read(self.said if whole else words, text)
            self._append(one, words)
            return
        pieces = self._pieces(words)
        last = self.reader.sides(pieces[-1][-2:]) if len(pieces) > 1 else []
        pieces = self.reader.complete(pieces)
        for piece in pieces:
            if self.heading and not self.reader.sides(piece):
                piece = self.heading + piece
            draft = self._read(piece, " ".join(piece) if len(pieces) > 1 else text)
            if len(last) == 1 and piece is not pieces[-1] and not self.reader.sides(piece):
                draft = self._with_side(draft, piece, last) or draft
            self._append(draft, piece)
        if len(last) == 1:  # "femur, tibia and fibula on the left"
            for i in range(self.first, len(self.drafts) - len(pieces)):
                self.drafts[i] = (
                    self._with_side(self.drafts[i], self.words[i], last) or self.drafts[i]
                )

    def _with_side(self, draft: Draft, words: Sequence[str], side: Sequence[str]) -> Draft | None:
        """Return a draft with the side said at the end of its list; None where it has no side."""
        entry = self.reader.vocabulary.entry(draft.structure) if draft.structure else None
        if (
            entry is None
            or draft.side
            or (entry.kind == "anatomy" and not _one_of_a_pair(entry, words))
        ):
            return None
        sided = self._read([*side, *words], draft.text, suggest=False)
        if sided.structure is None:
            return None
        sided.notes.append(f'"{side[0]}" at the end of the list is taken for all of it')
        return sided

    def _sides_of_list(self, first: int) -> None:
        """Say of which structures of a sentence no side is said, where one is said of others."""
        sides = {draft.side for draft in self.drafts[first:]} & {"left", "right"}
        for draft, words in zip(self.drafts[first:], self.words[first:], strict=True):
            entry = self.reader.vocabulary.entry(draft.structure) if draft.structure else None
            if sides and entry is not None and not draft.side and _one_of_a_pair(entry, words):
                draft.notes.append(f"no side is said for {entry.name}: both are meant")

    def _split_after_place(self, words: list[str], text: str) -> bool:
        """Split "nodule in the left lung and edema" where the first part is complete."""
        for i in reversed(range(1, min(len(words) - 1, LONGEST_PIECE))):
            if words[i] in AND and any(w in PLACE or w in BESIDE for w in words[:i]):
                draft = self._read(words[:i], text, suggest=False)
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
                self._append(self._read(completed, " ".join(completed)), completed)
                continue
            completed = piece + [w for w in noun if w not in piece]
            draft = self._read(completed, f"{self.drafts[-1].text}, {' '.join(piece)}")
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
        if len(self.drafts) == before:
            self._leave_out(tail, before)
            return
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
        return self._read(words, " ".join(words))

    def _is_new(self, owner: Draft, first: Draft, item: Draft) -> bool:
        """In "liver without tumor and spleen" the spleen is a new structure."""
        if self._kind(first) != "finding" or self._kind(item) != "anatomy":
            return False
        structure = item.structure
        while structure is not None and structure != owner.structure:
            structure = self.reader.vocabulary.entry(structure).parent
        return structure is None

    def _leave_out(self, words: Sequence[str], first: int, only_note: bool = False) -> bool:
        """Take "no spleen" away from what the sentence named before, or only note it.

        What a report denies of its findings is noted: an effusion is no part of a consolidation.
        An organ after "and" ("no effusion and liver") is asked for.

        Returns:
            Whether the denied thing has a place, so that a list goes on with places.
        """
        pieces = self.reader.complete(self._pieces(list(words)))
        listed, placed = any(w in OR for w in words), False
        owners = self.drafts[first:]
        for n, piece in enumerate(pieces):
            while len(piece) > 1 and piece[0] in NEGATIONS:
                piece = piece[1:]
            item = self._read(piece, "", suggest=False)
            finding = self._kind(item) == "finding"
            placed = placed or (finding and bool(item.places))
            if n and not listed and not placed and self._kind(item) == "anatomy":
                self._append(self._read(piece, " ".join(piece)), piece)
                continue
            takers = [d for d in owners if not only_note and self._holds(d, item)]
            read = {d.structure: d for d in reversed(takers)}  # the same for all of one structure
            taken = {structure: self._without(d, piece) for structure, d in read.items()}
            for draft in takers:
                draft.minus.append(taken[draft.structure])
            if not takers:
                self.absent.append(item.build(self.reader.vocabulary).name)
        return placed

    def _holds(self, owner: Draft, item: Draft) -> bool:
        """Tell whether a denied thing can be a part of what was asked for, or is another thing."""
        if self._kind(item) != "finding":
            return True
        found = self.reader.vocabulary.entry(str(item.structure))
        if self._kind(owner) != "anatomy":
            return False
        return found.container is None or self.reader.vocabulary.related(
            str(owner.structure), found.container
        )


def _one_of_a_pair(entry: Structure, words: Sequence[str]) -> bool:
    """Tell whether words name one of a pair, in the singular: "kidney", not "kidneys"."""
    noun = next((w for w in reversed(words) if w not in SIDE_WORDS and w != "side"), "")
    one = singular(noun) == noun or entry.plural == entry.name
    return entry.kind == "anatomy" and entry.paired and one
