"""What one piece of a text prompt means, as it is shown before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Zone = tuple[str, tuple[str, ...]]
"""(canonical name of the organ, vertical thirds of it; none = all of it)."""


@dataclass(frozen=True)
class Prompt:
    """One thing to segment.

    Attributes:
        text: the piece as it was typed.
        name: canonical name with its side ("right kidney", "kidneys", "pulmonary infection"); of an
            unknown piece the cleaned text.
        structure: key of the vocabulary entry, or None when it is unknown.
        side: "left", "right", "both" or None; always the patient's side. See `half`.
        thirds: vertical thirds ("upper", "middle", "lower") of `container` to keep; none = all.
        container: canonical name of the organ inside which the thing is sought, or None. Where a
            checkpoint cannot show the organ, `side` still limits the answer to half of the body.
        minus: prompts whose result is taken away from this one.
        attributes: what a report says beyond that: "laterality", "number", "zones", "extent",
            "direction", "absent"; for display, for the text encoder and for `zones` checks.
        suggestions: texts that may have been meant; never used without asking.
        notes: plain sentences about how the text was understood.
        zones: every place a report names; a single zone equals `container` and `thirds`. Made to
            compare a result with its report ("prompt says left, mask lies right").
        report: the words of a report as they were written, for systems that read them; empty
            where the text only names things.
        free_text: the words that the network is asked with as they were typed, where the
            vocabulary knows no name and that was allowed; see `free_text`.
        everything: where all was asked for that a checkpoint knows: "any" or a region of the body,
            and " organs" where findings are not meant; else empty.
    """

    text: str
    name: str
    structure: str | None = None
    side: str | None = None
    thirds: tuple[str, ...] = ()
    container: str | None = None
    minus: tuple[Prompt, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    suggestions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    zones: tuple[Zone, ...] = ()
    report: str = ""
    free_text: str = ""
    everything: str = ""

    @property
    def answerable(self) -> bool:
        """True when it is known, or the network may be asked in the words that were typed."""
        own = self.structure is not None or bool(self.free_text or self.everything)
        return own and all(prompt.answerable for prompt in self.minus)

    @property
    def known(self) -> bool:
        """True when the vocabulary knows the thing and everything that is taken away from it."""
        return self.structure is not None and all(prompt.known for prompt in self.minus)

    @property
    def half(self) -> str | None:
        """The half of the body to keep ("left", "right") when name and container have no side.

        "left liver" and "left glioma" name single things: what lies on the other side of the body's
        middle is not part of the answer.
        """
        if not (self.structure or self.free_text) or self.side not in ("left", "right"):
            return None
        named = self.name if self.container is None else f"{self.name} {self.container}"
        return None if self.side in named.split() else self.side

    def phrase(self) -> str:
        """Return the meaning in words that `parse_prompts` reads as the same prompt again."""
        words = self._quoted(self.name)
        if self.zones and self.container != self.name:
            words += " in " + " and ".join(_zone_words(*zone) for zone in self.zones)
        elif self.container is not None and (self.thirds or self.container != self.name):
            place = _zone_words(self._quoted(self.container), self.thirds)
            words = (
                place.removeprefix("the ") if self.container == self.name else f"{words} in {place}"
            )
        if self.side == "both" and not {"left", "right"} & set(words.split()):
            words = f"bilateral {words}" if self.structure is not None else words
        if self.half:
            words += f" on the {self.half} side"
        if self.minus:
            words += " without " + " and ".join(prompt.phrase() for prompt in self.minus)
        return words

    def _quoted(self, name: str) -> str:
        """Return a name, in quotation marks where it is a person's own words."""
        return f'"{name}"' if self.free_text and name == self.free_text else name

    def describe(self) -> str:
        """Return one line for the user: the meaning, then the notes in brackets."""
        notes = list(self.notes)
        if self.structure is None and not notes:
            notes.append("not in the vocabulary")
        notes += [f"{key}: {value}" for key, value in self.attributes.items()]
        if self.suggestions and not self.free_text:
            notes.append("did you mean " + " or ".join(f'"{s}"' for s in self.suggestions) + "?")
        line = self.phrase() + (f" [note: {'; '.join(notes)}]" if notes else "")
        return " ".join(line.split())

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values, with `known` and `describe`."""
        values = asdict(self)
        values["minus"] = [prompt.to_dict() for prompt in self.minus]
        values["zones"] = [[name, list(thirds)] for name, thirds in self.zones]
        for key in ("thirds", "suggestions", "notes"):
            values[key] = list(values[key])
        return {
            **values,
            "attributes": dict(self.attributes),
            "known": self.known,
            "answerable": self.answerable,
            "line": self.describe(),
        }


def _zone_words(container: str, thirds: tuple[str, ...]) -> str:
    if not thirds:
        return f"the {container}"
    return f"the {' and '.join(thirds)} third{'s' if len(thirds) > 1 else ''} of the {container}"
