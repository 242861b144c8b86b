"""Whether an answer can be the structure: size, height, pieces, and how it lies to others.

What is compared is measured in the mask and the image's geometry; nothing is guessed. What the
image or the searched part cuts off cannot be too small or in pieces, and only what is found in the
same image is compared with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image.parts import parts_of
from ..prompting.boxed import Boxed, kept_of
from ..prompting.expected import RELATIONS, expected
from ..prompting.vocabulary import Vocabulary

if TYPE_CHECKING:
    from ..image.slice_stack import Block, SliceStack
    from ..image.volume import Volume
    from ..prompting.prompt import Prompt
    from ..prompting.segmentation import Segmentation

UNUSUAL = "found, but unusual"
WHOLE_SHARE = 0.75
"""A structure of one piece is in pieces when its largest part has less than this share of it."""
SLACK_MM = {"above": 10.0, "left_of": 10.0, "not_below": 30.0}
"""How far a relation may be violated before it is told."""
_STRAIGHT = 0.9  # least cosine between an axis of the array and a direction of the patient
_WORDS = {"above": "above", "left_of": "left of", "not_below": "no deeper than"}
_WORDS_BACK = {"above": "below", "left_of": "right of", "not_below": "as deep as"}


@dataclass(frozen=True)
class Extent:
    """Where a found structure lies, in the patient, mm; what others are compared with.

    Attributes:
        name: its canonical name without the side.
        side: "left", "right" or "".
        low, high, height: lowest and highest point and centre, towards the head.
        left: centre, towards the patient's left.
        cut_low, cut_high: whether the image or the searched part ends there.
    """

    name: str
    side: str
    low: float
    high: float
    height: float
    left: float
    cut_low: bool
    cut_high: bool

    @property
    def words(self) -> str:
        """The name with its side."""
        return f"{self.side} {self.name}".strip()

    def is_one(self, name: str) -> bool:
        """Return whether a name of a relation means it."""
        return name in (self.name, self.words)


def place_of(stack: SliceStack, block: Block) -> dict[str, Any] | None:
    """Return what an answer is measured with, JSON-ready; None where it cannot be measured.

    Args:
        stack: the image.
        block: the part of it that is searched.
    """
    volume = stack.volume
    axes = [_axis(volume, row) for row in (2, 0)]
    picture = min(volume.shape) < 2 or volume.meta.get("geometry") == "assumed"
    if picture or None in axes:
        return None
    box = stack.file_box(block.slices, block.rows, block.columns)
    if min(part.stop - part.start for part in box) < 2:
        return None
    up, right = axes
    assert up is not None and right is not None
    left = [right[0], -right[1], -right[2]]
    return {"up": up, "left": left, "searched": [[int(p.start), int(p.stop)] for p in box]}


def oddities(
    prompt: Prompt, mask: Boxed, volume_ml: float, facts: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return why a found structure is doubtful; () when nothing speaks against it.

    Args:
        prompt: what was asked.
        mask: (K, J, I) uint8, not empty, as an answer keeps it.
        volume_ml: its volume.
        facts: the provenance: ``place`` of `place_of` and ``relations`` of `related`.
    """
    place = facts.get("place")
    if not place or not _is_whole(prompt):
        return ()
    name = str(prompt.structure)
    size, entry = expected().sizes.get(name), Vocabulary.load().entry(name)
    sides = 2 if entry.paired and prompt.side not in ("left", "right") else 1
    found = extent_of(prompt, mask, place)
    if found is None or min(mask.shape) < 2:
        return ()
    tight = mask.tight()
    cut = any(
        part.start <= low or part.stop >= high
        for part, (low, high) in zip(tight.box, place["searched"], strict=True)
    )
    said = []
    if size is not None and volume_ml > sides * size.most_ml:
        said.append(f"{volume_ml:,.0f} ml is more than {sides * size.most_ml:,.0f} ml")
    if size is not None and volume_ml < size.least_ml and not cut:
        said.append(f"{volume_ml:.2g} ml is less than {size.least_ml:g} ml")
    height = found.high - found.low
    if size is not None and size.height_mm is not None and height > size.height_mm:
        said.append(f"{height:,.0f} mm along the body is more than {size.height_mm:,.0f} mm")
    if entry.one_piece and not cut:
        share, count = _largest_part(tight.values, sides)
        if share < WHOLE_SHARE:
            said.append(f"it is in {count} pieces")
    return (*said, *facts.get("relations", ()))


def extent_of(prompt: Prompt, mask: Boxed, place: Mapping[str, Any]) -> Extent | None:
    """Return where a mask (K, J, I) lies; None when it is empty."""
    tight = mask.tight()
    if not tight.size:
        return None
    box = tight.box
    (axis, step, origin), (across, width, start) = place["up"], place["left"]
    first, past = box[axis].start, box[axis].stop
    ends = sorted((origin + step * (first - 0.5), origin + step * (past - 0.5)))
    low, high = place["searched"][axis]
    cut = (bool(first <= low), bool(past >= high))
    return Extent(
        str(prompt.structure),
        prompt.side if prompt.side in ("left", "right") else "",
        float(ends[0]),
        float(ends[1]),
        float(origin + step * (first + _middle(tight.values, axis))),
        float(start + width * (box[across].start + _middle(tight.values, across))),
        *(cut if step > 0 else cut[::-1]),
    )


class Neighbours:
    """The found structures of one image, so that later answers are compared with earlier ones.

    What was called unusual is no measure for what is asked later: a heart in the belly does not
    make a right lung doubtful.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._image: Any = None
        self._known: dict[str, Extent] = {}
        self._doubted: set[str] = set()

    def use(self, image: Any) -> None:
        """Forget what was found when this is another image."""
        if image != self._image:
            self._image, self._known, self._doubted = image, {}, set()

    def relate(self, results: Sequence[Segmentation]) -> list[tuple[str, ...]]:
        """Take notice of answers; return what speaks against each, by how it lies to others."""
        extents: list[Extent | None] = []
        for result in results:
            place = result.provenance.get("place") or {}
            usable = place and result.voxels and _is_whole(result.prompt)
            mask = kept_of(result, "mask") if usable else None
            extents.append(extent_of(result.prompt, mask, place) if mask is not None else None)
        asked = {extent.words: extent for extent in extents if extent is not None}
        self._known |= asked
        new, before = asked.keys() - self._doubted, self._doubted - asked.keys()
        broken = [
            (one, kind, other)
            for one, kind, other in _violations(self._known.values())
            if not (one.words in new and other.words in before)
            and not (other.words in new and one.words in before)
        ]
        counts: dict[str, int] = {}
        for one, _kind, other in broken:
            for name in (one.words, other.words):
                counts[name] = counts.get(name, 0) + 1
        said = [() if e is None else _sentences(e, broken, counts) for e in extents]
        for extent, result, sentences in zip(extents, results, said, strict=True):
            if extent is not None:
                odd = bool(sentences or result.unusual)
                (self._doubted.add if odd else self._doubted.discard)(extent.words)
        return said


def _is_whole(prompt: Prompt) -> bool:
    """Return whether a prompt means a structure of the anatomy as a whole, or one side of it."""
    if prompt.structure is None or prompt.thirds or prompt.minus or prompt.free_text or prompt.half:
        return False
    return Vocabulary.load().entry(prompt.structure).kind == "anatomy" and not prompt.container


def _violations(known: Iterable[Extent]) -> Iterable[tuple[Extent, str, Extent]]:
    """Return pairs that do not lie as they should: (one, which relation, other)."""
    everything, rules = list(known), expected()
    for kind in RELATIONS:
        for first, others in getattr(rules, kind).items():
            for one in everything:
                if not one.is_one(first):
                    continue
                for other in everything:
                    if any(map(other.is_one, others)) and _broken(kind, one, other):
                        yield one, kind, other


def _broken(kind: str, one: Extent, other: Extent) -> bool:
    if kind == "left_of":
        amiss = other.left - one.left
    elif kind == "above":
        # A cut moves a centre: of what ends above the image down, of what ends below it up.
        amiss = 0.0 if one.cut_high or other.cut_low else other.height - one.height
    else:
        amiss = 0.0 if other.cut_low else other.low - one.low
    return amiss > SLACK_MM[kind]


def _sentences(
    extent: Extent, broken: Sequence[tuple[Extent, str, Extent]], counts: Mapping[str, int]
) -> tuple[str, ...]:
    """Return what is said of one structure: of two, the one that disagrees with more is named."""
    said = []
    for one, kind, other in broken:
        if extent not in (one, other):
            continue
        partner = other if extent is one else one
        if counts[extent.words] < counts[partner.words]:
            continue
        words = (_WORDS if extent is one else _WORDS_BACK)[kind]
        said.append(f"it should lie {words} {partner.words}")
    return tuple(dict.fromkeys(said))


def _axis(volume: Volume, row: int) -> list[float] | None:
    """Return (axis of the array, mm per voxel, mm of voxel 0) along R (row 0) or S (row 2)."""
    matrix = np.asarray(volume.ijk_to_ras, float)
    columns = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    column = int(np.argmax(np.abs(columns[row])))
    if abs(columns[row, column]) < _STRAIGHT:
        return None
    middle = (np.array(volume.shape[::-1]) - 1) / 2.0
    step = float(matrix[row, column])
    centre = float(matrix[row, :3] @ middle + matrix[row, 3])
    return [2 - column, step, centre - step * float(middle[column])]


def _middle(mask: np.ndarray, axis: int) -> float:
    """Return the mean index of a mask's voxels along an axis."""
    counts = np.count_nonzero(mask, axis=tuple(other for other in range(3) if other != axis))
    return float(np.average(np.arange(len(counts)), weights=counts))


def _largest_part(mask: np.ndarray, sides: int) -> tuple[float, int]:
    """Return the share of the largest parts, one for each side, and how many parts count."""
    sizes = np.sort(parts_of(mask).sizes)[::-1]
    count, total = len(sizes), sizes.sum()
    large = int(np.count_nonzero(sizes >= (1 - WHOLE_SHARE) / 5 * total))
    return float(sizes[:sides].sum() / max(1, total)), max(large, min(count, sides + 1))
