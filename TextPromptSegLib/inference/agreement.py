"""Whether a result agrees with the report sentence that asked for it.

The attributes that the parser found (side, number, zones) are compared with the mask, so that
"left" and a mask on the right do not go by unseen.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..image.regions import half, nearer_side, thirds
from ..prompting.prompt import Prompt

_COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
LEAST_SIDE = 0.05
"""Share of the mask from which a side counts."""
LEAST_PART = 0.02
"""Share of the mask from which a connected part counts."""


def disagreements(
    prompt: Prompt,
    mask: np.ndarray,
    image: np.ndarray,
    modality: str | None,
    lungs: Mapping[str, np.ndarray] | None = None,
    ijk_to_ras: np.ndarray | None = None,
    picture: bool = False,
) -> tuple[str, ...]:
    """Return sentences about what the text says and the mask does not show.

    Args:
        prompt: with side, attributes and zones.
        mask: (K, J, I), canonical LPS.
        image: (K, J, I) intensities, for the middle of the body.
        modality: of the image.
        lungs: side -> mask (K, J, I) of the organ on that side; None where it is not known.
        ijk_to_ras: (4, 4) of the canonical volume, mm, for the heights.
        picture: the image's top is up.
    """
    if not mask.any():
        return ()
    shares, zones = _shares(mask, image, modality, lungs), []
    if lungs is not None and ijk_to_ras is not None:
        zones = _heights(prompt, mask, lungs, ijk_to_ras, picture)
    return (*_sides(prompt, shares), *_number(prompt, mask), *zones)


def _shares(
    mask: np.ndarray,
    image: np.ndarray,
    modality: str | None,
    lungs: Mapping[str, np.ndarray] | None,
) -> dict[str, float]:
    """Return the share of the mask on each side of the patient."""
    region = None
    if lungs is not None:
        region = nearer_side(lungs["left"], lungs["right"], "left")
    if region is None:
        region = half(image, modality, "left")
    inside = sum(int(((plane != 0) & region.at(k)).sum()) for k, plane in enumerate(mask))
    left = inside / int(np.count_nonzero(mask))
    return {"left": left, "right": 1 - left}


def _sides(prompt: Prompt, shares: Mapping[str, float]) -> list[str]:
    found = [side for side, share in shares.items() if share >= LEAST_SIDE]
    said = prompt.attributes.get("laterality")
    if prompt.side in ("left", "right"):
        other = "right" if prompt.side == "left" else "left"
        if found == [other]:
            return [f"the text says {prompt.side}, the mask lies {other}"]
        if other in found:
            return [
                f"the text says {prompt.side} only, {100 * shares[other]:.0f} % of the mask "
                f"lies {other}"
            ]
    elif (prompt.side == "both" or said == "bilateral") and len(found) == 1:
        return [f"the text says both sides, the mask lies {found[0]} only"]
    elif said == "unilateral" and len(found) == 2:
        return ["the text says one side, the mask lies on both"]
    return []


def _number(prompt: Prompt, mask: np.ndarray) -> list[str]:
    from scipy import ndimage

    said = prompt.attributes.get("number")
    if said is None:
        return []
    parts = ndimage.label(mask, np.ones((3, 3, 3), int))[0]
    sizes = np.bincount(parts.ravel())[1:]
    count = int((sizes >= max(1.0, LEAST_PART * sizes.sum())).sum())
    right = count == _COUNTS.index(said) + 1 if said in _COUNTS else count > 1
    if right:
        return []
    return [f"the text says {said}, the mask has {count} part{'s' if count > 1 else ''}"]


def _heights(
    prompt: Prompt,
    mask: np.ndarray,
    lungs: Mapping[str, np.ndarray],
    ijk_to_ras: np.ndarray,
    picture: bool,
) -> list[str]:
    """Compare the thirds of each side that the text names."""
    wanted: dict[str, tuple[str, ...]] = {}
    for name, heights in prompt.zones:
        side = next((s for s in lungs if name.startswith(f"{s} ")), None)
        if heights:
            wanted.update(dict.fromkeys([side] if side else list(lungs), heights))
    left = nearer_side(lungs["left"], lungs["right"], "left")
    if left is None:
        return []
    sentences = []
    for side, heights in wanted.items():
        region = thirds([lungs[side]], heights, ijk_to_ras, picture)
        if region is None:
            continue
        here = inside = 0
        for k, plane in enumerate(mask):
            own = (plane != 0) & (left.at(k) == (side == "left"))
            here += int(own.sum())
            inside += int((own & region.at(k)).sum())
        if here and inside < 0.5 * here:
            sentences.append(
                f"the text says {' and '.join(heights)} {side}, {100 * (1 - inside / here):.0f} % "
                f"of the mask there lies elsewhere"
            )
    return sentences
