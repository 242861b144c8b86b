"""From a thresholded mask to the mask that is shown: small parts, gaps between slices, holes.

Every step is off unless the checkpoint's configuration asks for it: what tidies a liver deletes
the second metastasis. Only small islands go by themselves, where anatomy knows one piece.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from ..image.parts import parts_of
from ..outcome import CheckpointError
from ..prompting.boxed import zeros
from ..prompting.vocabulary import Vocabulary

ISLAND = 0.05
"""Parts below this share of the largest one are islands, where a structure is one piece."""


@dataclass(frozen=True)
class PostprocessRule:
    """What is done to the mask of one structure; the defaults do nothing.

    Attributes:
        min_mm3: connected parts smaller than this are dropped, mm3 (a single slice counts with
            its thickness).
        min_fraction: connected parts smaller than this share of the largest one are dropped.
        keep_components: only that many of the largest parts are kept; 0 keeps all.
        fill_gaps: up to that many empty slices between two slices that hold the structure are
            filled by interpolating its outline.
        fill_holes: holes inside a slice are filled.
        lung_air: a lung in CT is completed by the air that belongs to it; that needs the image
            and is done to the probability, see `lung_air`, not to the mask.
    """

    min_mm3: float = 0.0
    min_fraction: float = 0.0
    keep_components: int = 0
    fill_gaps: int = 0
    fill_holes: bool = False
    lung_air: bool = False

    def __bool__(self) -> bool:
        """Return whether there is anything to do."""
        return self != PostprocessRule()

    def to_dict(self) -> dict[str, Any]:
        """Return what differs from doing nothing, JSON-ready."""
        plain = asdict(PostprocessRule())
        return {key: value for key, value in asdict(self).items() if value != plain[key]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PostprocessRule:
        """Read what `to_dict` wrote.

        Raises:
            CheckpointError: for an unknown key or an impossible value.
        """
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise CheckpointError(
                f"The checkpoint asks for unknown post-processing: {', '.join(sorted(unknown))}."
            )
        try:
            rule = cls(
                float(values.get("min_mm3", 0.0)),
                float(values.get("min_fraction", 0.0)),
                int(values.get("keep_components", 0)),
                int(values.get("fill_gaps", 0)),
                bool(values.get("fill_holes", False)),
                bool(values.get("lung_air", False)),
            )
        except (TypeError, ValueError) as error:
            raise CheckpointError(
                f"The checkpoint's post-processing is unusable: {error}."
            ) from error
        if min(rule.min_mm3, rule.min_fraction, rule.keep_components, rule.fill_gaps) < 0:
            raise CheckpointError("The checkpoint's post-processing has a negative number.")
        return rule


def rule_for(names: tuple[str, ...], trained: Mapping[str, Any]) -> PostprocessRule:
    """Return the rule for a result made of one or several trained prompts.

    A union of several prompts has several parts by nature: the smallest ``min_mm3`` of its
    members, gap, hole and lung filling that all of them want, and as many parts as they keep
    together, if each of them keeps a number, survive.

    Args:
        names: trained prompts whose union the result is.
        trained: the checkpoint's ``trained_prompts``; each entry may hold ``postprocess``
            (fields of `PostprocessRule`) and the short form ``min_mm3``.
    """
    rules = []
    for name in names:
        entry = trained.get(name, {})
        values = dict(entry.get("postprocess", {}))
        for key in ("min_mm3", "min_voxels_mm3"):
            if entry.get(key):
                values.setdefault("min_mm3", entry[key])
        rules.append(PostprocessRule.from_dict(values))
    if len(rules) == 1:
        return rules[0]
    if not rules:
        return PostprocessRule()
    kept = [rule.keep_components for rule in rules]
    return PostprocessRule(
        min_mm3=min(rule.min_mm3 for rule in rules),
        keep_components=sum(kept) if all(kept) else 0,
        fill_gaps=min(rule.fill_gaps for rule in rules),
        fill_holes=all(rule.fill_holes for rule in rules),
        lung_air=all(rule.lung_air for rule in rules),
    )


def without_islands(rule: PostprocessRule, names: tuple[str, ...]) -> PostprocessRule:
    """Return a rule that also drops islands, where the structure is one piece by anatomy.

    What the checkpoint says about connected parts stays as it is.

    Args:
        rule: of `rule_for`.
        names: trained prompts whose union the result is.
    """
    chosen = rule.min_mm3 or rule.min_fraction or rule.keep_components
    known = Vocabulary.load()
    if chosen or len(names) != 1 or not known.is_one_piece(names[0]):
        return rule
    return replace(rule, min_fraction=ISLAND)


def apply_rule(
    mask: np.ndarray,
    rule: PostprocessRule,
    spacing: tuple[float, float, float],
    slice_axis: int = 0,
) -> np.ndarray:
    """Return the tidied mask; the input is not changed, and returned when nothing is to be done.

    Args:
        mask: (K, J, I) uint8, 0 or 1; the box around what is in it is enough, and less work.
        rule: what to do.
        spacing: voxel size along (i, j, k), mm.
        slice_axis: axis of the array (0 K, 1 J, 2 I) along which the network saw slices.

    Returns:
        (K, J, I) uint8, 0 or 1.
    """
    if not rule:
        return mask
    part = mask.copy()
    if rule.fill_gaps:
        fill_gaps(np.moveaxis(part, slice_axis, 0), rule.fill_gaps)
    if rule.min_mm3 or rule.min_fraction or rule.keep_components:
        part = select_components(part, rule, float(np.prod(spacing)))
    if rule.fill_holes:
        from scipy.ndimage import binary_fill_holes

        for plane in np.moveaxis(part, slice_axis, 0):
            if plane.any():
                plane |= binary_fill_holes(plane).astype(np.uint8)
    return part


def select_components(mask: np.ndarray, rule: PostprocessRule, voxel_mm3: float) -> np.ndarray:
    """Return the mask without the connected parts (26 neighbours) that the rule drops."""
    parts = parts_of(mask)
    sizes = parts.sizes
    if not sizes.size:
        return mask
    keep = sizes * voxel_mm3 >= rule.min_mm3
    keep &= sizes >= rule.min_fraction * sizes.max()
    if rule.keep_components:
        keep[np.argsort(-sizes, kind="stable")[rule.keep_components :]] = False
    return mask if keep.all() else parts.mask(keep)


def fill_gaps(stack: np.ndarray, largest: int) -> None:
    """Fill runs of at most ``largest`` empty slices of ``stack`` (N, H, W) uint8, in place.

    The outline in between is the zero level of the linear blend of both neighbours' signed
    distances, px; outlines that do not overlap leave the gap empty.
    """
    filled = np.flatnonzero([bool(plane.any()) for plane in stack])
    for before, after in zip(filled[:-1], filled[1:], strict=True):
        gap = int(after - before - 1)
        if not 0 < gap <= largest:
            continue
        first, last = signed_distance(stack[before]), signed_distance(stack[after])
        for step in range(1, gap + 1):
            share = step / (gap + 1)
            stack[before + step] = (1 - share) * first + share * last > 0


def signed_distance(mask: np.ndarray) -> np.ndarray:
    """Return the distance to the outline of ``mask`` (H, W), px, positive inside."""
    from scipy.ndimage import distance_transform_edt

    padded = np.pad(mask != 0, 1)  # a mask that fills its box still has an outside
    return (distance_transform_edt(padded) - distance_transform_edt(~padded))[1:-1, 1:-1]


def over_threshold(probability: np.ndarray, threshold: float) -> np.ndarray:
    """Return uint8 1 where ``probability`` (float16, not negative) reaches the threshold.

    Numpy compares float16 in software; the bit patterns of non-negative halves are in the same
    order as the numbers, and comparing those is twenty times faster.
    """
    limit = np.float16(threshold)
    if limit <= 0:  # a slider at zero: whatever has any probability
        limit = np.float16(6e-8)
    bits, least = probability.view(np.uint16), limit.view(np.uint16)
    if probability.ndim != 3:
        return (bits >= least).view(np.uint8)
    mask = zeros(probability.shape, np.uint8)  # memory is taken where something is found
    for plane, found in zip(bits, mask, strict=True):
        filled = plane >= least
        rows = np.flatnonzero(filled.any(1))
        if rows.size:
            some = slice(rows[0], rows[-1] + 1)
            found[some] = filled[some]
    return mask


def largest(probability: np.ndarray) -> float:
    """Return the largest value of a float16 array without negative numbers."""
    bits = probability.view(np.uint16).max(initial=0)
    return float(np.uint16(bits).view(np.float16))
