"""The names TextPromptSeg knows: canonical names, synonyms, SNOMED CT codes, colours, parts, sides.

The words live in ``Resources/Anatomy.json``; this module only reads and looks up. It uses the
standard library alone, so that the panel can complete names before torch is installed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..files.text import read_json
from ..outcome import InputError, PromptError
from ..resources import resource_path
from .anatomy import Code, Match, Structure, Terminology, code, structure
from .wording import BOTH_WORDS, LEFT_WORDS, RIGHT_WORDS, key_tokens, tokens

if TYPE_CHECKING:
    from .prompt import Prompt


_SIDES = {**dict.fromkeys(LEFT_WORDS, "left"), **dict.fromkeys(RIGHT_WORDS, "right")}


class Vocabulary:
    """All entries with an index of every way to write them."""

    def __init__(self, structures: Iterable[Structure], laterality: Mapping[str, Code]) -> None:
        self._entries: dict[str, Structure] = {s.name: s for s in structures}
        self._laterality = dict(laterality)
        self._index: dict[tuple[str, ...], Match] = {}
        self._bags: dict[tuple[str, ...], Match | None] = {}
        self._writings: dict[str, list[str]] = defaultdict(list)
        self._doubtful = {key_tokens(w) for s in self._entries.values() for w in s.ambiguous}
        for entry in self._entries.values():
            for writing in dict.fromkeys(self._ways(entry)):
                self._add(writing, Match(entry.unsided, entry.name))
            for short, side in (*entry.side_abbreviations, *_written_together(entry)):
                self._add(short, Match(entry.sided(side), entry.name, side))
        for entry in self._entries.values():
            for writing in self._compositions(entry):
                if self._index.get(key_tokens(writing)) is None:  # a name of its own goes first
                    self._add(writing, Match(entry.unsided, entry.name))
        self._longest = max(map(len, self._index), default=0)

    # ------------------------------------------------------------------ reading
    @classmethod
    def load(cls, path: str | Path | None = None) -> Vocabulary:
        """Read a vocabulary file; without a path the one that ships (read once, then shared).

        Raises:
            InputError: when the file is missing, is not JSON, or contradicts itself.
        """
        return _default() if path is None else cls._read(Path(path))

    @classmethod
    def _read(cls, path: Path) -> Vocabulary:
        try:
            document = read_json(path)
            laterality = {k: code(v) for k, v in document["laterality"].items()}
            parts: dict[str, list[str]] = defaultdict(list)
            for item in document["structures"]:
                if "parent" in item:
                    parts[item["parent"]].append(item["name"])
            whole = set(document.get("one_piece", ()))
            entries = [
                structure(item, parts, item["name"] in whole) for item in document["structures"]
            ]
        except OSError as error:
            raise InputError(
                f"The vocabulary {path.name} cannot be read: {error.strerror}."
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"The vocabulary {path.name} is damaged ({error!r}); install it again."
            ) from error
        return cls(entries, laterality)

    def _ways(self, s: Structure) -> Iterator[str]:
        """Every way to write the name of an entry without a side."""
        yield from (s.name, s.plural, s.unsided, *s.synonyms, *s.held_out, *s.abbreviations)
        for names in s.languages.values():
            yield from names

    def _compositions(self, s: Structure) -> Iterator[str]:
        """Every way to put the name of a finding together from its organ and its kind."""
        if s.base and s.container:
            organ, base = self._entries[s.container], self._entries[s.base]
            nouns = (organ.name, organ.plural, *organ.synonyms[:1], *organ.adjectives)
            for noun in nouns:
                yield from (f"{noun} {word}" for word in (base.name, base.plural, *base.synonyms))

    def _add(self, writing: str, match: Match) -> None:
        key = key_tokens(writing)
        known = self._index.setdefault(key, match)
        if known.structure != match.structure:
            raise InputError(
                f'The vocabulary has "{writing}" for {known.structure} and {match.structure}.'
            )
        bag = tuple(sorted(key))
        if bag in self._bags and self._bags[bag] not in (None, known):
            self._bags[bag] = (
                None  # two entries differ only in word order: order decides, the bag does not
            )
        else:
            self._bags.setdefault(bag, known)
        self._writings[match.structure].append(writing)

    # ------------------------------------------------------------------ looking up
    def find(self, text: str) -> Match | None:
        """Find the entry a text names exactly, or None.

        Case, plural, hyphens, British spelling, articles and word order do not matter. A side
        counts only for a paired structure: "left liver" is not a name, "left ventricle" is a single
        structure.
        """
        return self.find_tokens(tokens(text))

    def find_tokens(self, words: Iterable[str]) -> Match | None:
        """As `find`, for words that `wording.tokens` already made."""
        words = list(words)
        if len(words) > 2 * self._longest:
            return None
        match = self._lookup(words) or self._lookup([_SIDES.get(word, word) for word in words])
        if match is not None:
            return match
        rest, sides = split_sides(words)
        if len(sides) != 1 or not rest:
            return None
        match = self._lookup(rest)
        if match is None or match.side is not None or not self._entries[match.structure].paired:
            return None
        (side,) = sides
        return Match(self._entries[match.structure].sided(side), match.structure, side)

    def _lookup(self, words: list[str]) -> Match | None:
        key = key_tokens(words)
        return self._index.get(key) or self._bags.get(tuple(sorted(key)))

    def ambiguity(self, words: Iterable[str]) -> tuple[str, ...]:
        """Return a note on a name that others use for other things too, else nothing."""
        key = key_tokens(list(words))
        match = self._index.get(key) if key in self._doubtful else None
        return (f'"{" ".join(key)}" is taken as {match.name}',) if match is not None else ()

    def suggest(self, text: str, n: int = 3) -> tuple[str, ...]:
        """Return up to n canonical names written like the text; a side in the text is kept."""
        rest, sides = split_sides(tokens(text)[:12])
        query = " ".join(key_tokens(rest or tokens(text)[:12]))[:60]
        if len(query) < 2:
            return ()
        grams = Counter(_bigrams(query))
        shared: Counter[str] = Counter()
        for gram in grams:
            for writing in self._bigram_index.get(gram, ()):
                shared[writing] += 1
        rough = sorted(shared, key=lambda w: (-2 * shared[w] / (len(grams) + len(w) + 1), w))[:80]
        scores: dict[str, float] = {}
        for writing in rough:
            if len(writing) < 4 < len(query):
                continue  # abbreviations look like anything
            ratio = SequenceMatcher(None, query, writing, autojunk=False).ratio()
            match = self._index[self._keys[writing]]
            for side in sorted(sides) or ("",):
                name = self._entries[match.structure].sided(match.side or side)
                scores[name] = max(ratio, scores.get(name, 0.0))
        good = sorted(
            (name for name, r in scores.items() if r >= 0.7), key=lambda k: (-scores[k], k)
        )
        return tuple(good[:n])

    @cached_property
    def _keys(self) -> dict[str, tuple[str, ...]]:
        return {" ".join(key): key for key in self._index}

    @cached_property
    def _bigram_index(self) -> dict[str, list[str]]:
        index: dict[str, list[str]] = defaultdict(list)
        for writing in self._keys:
            for gram in set(_bigrams(writing)):
                index[gram].append(writing)
        return index

    # ------------------------------------------------------------------ entries
    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Structure]:
        return iter(self._entries.values())

    def entry(self, name: str) -> Structure:
        """Return the entry of a canonical name, synonym or sided name.

        Raises:
            PromptError: when the vocabulary does not know the name.
        """
        entry = self._entries.get(name)
        if entry is None:
            match = self.find(name)
            if match is None:
                raise PromptError(f'"{name}" is not in the vocabulary.')
            entry = self._entries[match.structure]
        return entry

    def regions(self, name: str) -> tuple[str, ...]:
        """Return the regions of the body of a name, of a finding those of its organ too.

        Nothing is known of a name that is not in the vocabulary.
        """
        try:
            known = self.entry(name)
        except PromptError:
            return ()
        organ = self.entry(known.container).regions if known.container else ()
        return (*known.regions, *organ)

    def is_one_piece(self, name: str) -> bool:
        """Return whether a name means one connected piece of anatomy; False for unknown names.

        A paired structure is one piece only where its side is said.
        """
        match = self.find(name)
        if match is None:
            return False
        entry = self._entries[match.structure]
        return entry.one_piece and (match.side is not None or not entry.paired)

    def related(self, one: str, other: str) -> bool:
        """Tell whether one structure is the other, or a part of it."""

        def line(name: str) -> list[str]:
            found: list[str] = []
            up: str | None = name
            while up is not None and up not in found:
                found.append(up)
                up = self._entries[up].parent
            return found

        return one in line(other) or other in line(one)

    def words(self) -> set[str]:
        """Return every single word that occurs in a name, plural endings taken off."""
        return {word for key in self._index for word in key}

    def names(self, kind: str | None = None) -> list[str]:
        """Return all canonical names, sided ones too; `kind` keeps one kind only."""
        result: list[str] = []
        for s in self._entries.values():
            if kind in (None, s.kind):
                result += [
                    s.sided(side) for side in ((None, "left", "right") if s.paired else (None,))
                ]
        return result

    def parts(self, name: str) -> tuple[str, ...]:
        """Return the canonical names of the direct parts: "left lung" -> its two lobes."""
        entry, side = self.entry(name), self._side_of(name)
        result = []
        for part in (self._entries[p] for p in entry.parts):
            if part.paired or side in (None, "both") or part.expected_side in (None, side):
                result.append(part.sided(side))
        return tuple(result)

    def phrases(self, name: str) -> tuple[str, ...]:
        """Return the English phrases for a canonical name, the name first, sides put in front."""
        entry, side = self.entry(name), self._side_of(name)
        if entry.paired and side in ("left", "right"):
            return tuple(dict.fromkeys(f"{side} {w}" for w in (entry.name, *entry.synonyms)))
        return tuple(dict.fromkeys((entry.unsided, entry.name, *entry.synonyms)))

    def terminology(self, prompt: Prompt | str) -> Terminology | None:
        """Return the SNOMED CT description of a prompt or canonical name; None when it is unknown.

        A side becomes the type modifier of a paired structure ("Right and left" when none is said),
        and the modifier of the anatomic region of a finding.
        """
        if isinstance(prompt, str):
            match = self.find(prompt)
            name, side = (match.structure, match.side) if match else (None, None)
        else:
            name, side = prompt.structure, prompt.side
        if name is None:
            return None
        entry = self._entries[name]
        modifier = self._laterality[side or "both"] if entry.paired else entry.modifier
        region = region_modifier = None
        if entry.container:
            organ = self._entries[entry.container]
            region = organ.type
            region_modifier = self._laterality[side] if organ.paired and side else None
        return Terminology(
            entry.category, entry.type, modifier, entry.colour, region, region_modifier
        )

    def _side_of(self, name: str) -> str | None:
        match = self.find(name)
        return match.side if match else None


def _written_together(entry: Structure) -> Iterator[tuple[str, str]]:
    """Chinese and Japanese names of one of a pair: the side is written together with the name."""
    if entry.paired:
        for language in ("zh", "ja"):
            for name in entry.languages.get(language, ()):
                yield f"左{name}", "left"
                yield f"右{name}", "right"
                yield from ((f"{both}{name}", "both") for both in "双両")


def split_sides(words: Iterable[str]) -> tuple[list[str], set[str]]:
    """Take the words of side out: ["left", "kidney"] -> (["kidney"], {"left"})."""
    rest: list[str] = []
    sides: set[str] = set()
    before = ""
    for word in words:
        before, last = word, before
        if word in LEFT_WORDS:
            sides.add("left")
        elif word in RIGHT_WORDS:
            sides.add("right")
        elif word in BOTH_WORDS:
            sides.add("both")
        elif not (sides and word in ("side", "sided")) and not (word == "hand" and last in _SIDES):
            rest.append(word)
    return rest, sides


def _bigrams(text: str) -> list[str]:
    padded = f"^{text}$"
    return [padded[i : i + 2] for i in range(len(padded) - 1)]


@lru_cache(maxsize=1)
def _default() -> Vocabulary:
    return Vocabulary._read(resource_path("Anatomy.json"))


__all__ = ["Code", "Match", "Structure", "Terminology", "Vocabulary", "split_sides"]
