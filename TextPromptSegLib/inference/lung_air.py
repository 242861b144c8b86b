"""Lungs in CT: what the network calls lung, completed by the air that belongs to it.

Works on axial slices in HU. The air inside the body is cut into pieces, slice by slice, where it
is narrow (the line between both lungs, the mouth of a bronchus). A piece that the network calls
lung for the most part is lung as a whole; a piece beside lung in the next slice, of the same
place and of the density of lung, is lung too, so that a tip which the network missed comes back.
Gas is thinner than lung: bowel, trachea and the room outside are never taken. What the network
called lung without being lung's air stays only where it is thick (a consolidation), and specks
are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from ..image.boxes import bounding_box
from ..image.cores import on_cores
from ..image.parts import parts_of
from .lung_pieces import AIR_HU, GAS_HU, Pieces, counted, cut_air, thin

MOSTLY = 0.65
"""Share of a piece that the network calls lung, from which all of it is."""
BESIDE = 0.6
"""Share of a piece that lies over lung in the next slice, from which it is lung too."""
UNCLAIMED = 0.3
"""Such a piece is either mostly lung for the network or less than this; in between it may be
both lungs in one, unless it lies `WITHIN` lung."""
WITHIN = 0.85
"""Share of a piece over lung in the next slice, from which it is that lung's end: of two lungs in
one piece the other does not lie over it."""
LEAST_CLAIMED = 0.4
"""Pieces that hang together through the slices are completed where the network calls so much of
their whole volume lung."""
THICK_MM = 6.0
"""Lung without air counts where it is thicker than twice as much; less is the edge of the wall."""
HOLE_MM2 = 200.0
"""Vessels: holes up to this size in a slice are filled."""
SPECK = 0.05
"""Parts smaller than this share of the largest are dropped."""
GRID_MM = 2.0
"""Pieces are cut on a grid about so fine."""
FILLED = 0.9
"""Probability of what was completed: it stays at every usual threshold."""

LUNG, KEPT, SOLID, HOLE = 1, 2, 4, 8
"""What the grid says of a voxel: air of it is lung; air of it stays where the network called it
lung; tissue of it stays there; tissue of it is a vessel in the lung."""


class LungAir:
    """The air of one CT, cut into pieces once for every lung that is asked for.

    Args:
        hu: (K, J, I) canonical LPS, HU.
        spacing: distance of the slices, height and width of a pixel, mm.
    """

    def __init__(self, hu: np.ndarray, spacing: tuple[float, float, float]) -> None:
        self.hu = hu
        # whole numbers are compared as such: as fractions they would all be copied
        self.limit = int(AIR_HU) if hu.dtype.kind in "iu" else AIR_HU
        self.step = (max(1, round(GRID_MM / spacing[1])), max(1, round(GRID_MM / spacing[2])))
        self.pixel = (spacing[1] * self.step[0], spacing[2] * self.step[1])

    def coarse(self, array: np.ndarray) -> np.ndarray:
        """Return an array (K, J, I) on the grid of the pieces."""
        return array[:, :: self.step[0], :: self.step[1]]

    @cached_property
    def grid(self) -> np.ndarray:
        """HU on the grid of the pieces, (K, J, I) float32."""
        return np.ascontiguousarray(self.coarse(self.hu), np.float32)

    @cached_property
    def air(self) -> np.ndarray:
        """Air on the grid, (K, J, I) bool."""
        return self.grid < AIR_HU

    @cached_property
    def spread(self) -> np.ndarray:
        """The pieces of air, grown by one where a cell of the grid is several pixels."""
        return _spread(self.pieces.numbers, self.step)

    @cached_property
    def pieces(self) -> Pieces:
        """The pieces of air."""
        return cut_air(self.grid, self.pixel)

    def complete(self, mask: np.ndarray) -> np.ndarray | None:
        """Return what is lung, or None where the image or the mask does not allow to tell.

        Args:
            mask: (K, J, I) bool, what the network calls lung, of one side or both.

        Returns:
            (K, J, I) bool; None where less than half of the mask is air inside the body by its
            HU (a picture that is clipped or not in HU, a mask elsewhere), or most of its air is
            as thin as gas.
        """
        claimed = np.asarray(mask, bool)
        seeds = np.ascontiguousarray(self.coarse(claimed))
        in_air = seeds & self.air
        if not seeds.any() or 2 * np.count_nonzero(in_air) < np.count_nonzero(seeds):
            return None
        if float(np.median(self.grid[in_air])) < GAS_HU:
            return None
        pieces = self.pieces
        lung, kept = _choose(self.grid, seeds, pieces)
        said = (lung * LUNG | kept * KEPT).astype(np.uint8)
        codes, spread = np.empty(seeds.shape, np.uint8), self.spread

        def look(k: int) -> None:
            here = said[pieces.numbers[k]]
            own = ((here & LUNG) != 0) | (in_air[k] & ((here & KEPT) != 0))
            np.take(said, spread[k], out=codes[k])
            _tissue(seeds[k] & ~in_air[k], own, self.pixel, codes[k])

        on_cores(look, range(len(spread)))
        return _without_specks(self._fine(codes, claimed))

    def _fine(self, codes: np.ndarray, claimed: np.ndarray) -> np.ndarray:
        """Return what is lung (K, J, I) bool by what the coarse grid says of each voxel."""
        result = np.zeros(claimed.shape, bool)
        rows, columns = (
            np.arange(n) // s for n, s in zip(claimed.shape[1:], self.step, strict=True)
        )

        def decide(k: int) -> None:
            said = codes[k].any(1), codes[k].any(0)
            if not said[0].any():
                return
            # only the rows and columns of which the grid says anything
            some, others = (
                np.flatnonzero(s[at]) for s, at in zip(said, (rows, columns), strict=True)
            )
            place = (slice(some[0], some[-1] + 1), slice(others[0], others[-1] + 1))
            # columns first, on the coarse rows: whole rows are then copied at once
            upper = rows[place[0]]
            wide = codes[k][upper[0] : upper[-1] + 1].take(columns[place[1]], 1)
            code = wide.take(upper - upper[0], 0)
            air, own = self.hu[k][place] < self.limit, claimed[k][place].view(np.uint8)
            inside = own * np.uint8(KEPT) + np.uint8(LUNG)
            beside = own * np.uint8(SOLID) + np.uint8(HOLE)
            np.not_equal(code & np.where(air, inside, beside), 0, out=result[k][place])

        on_cores(decide, range(len(claimed)))
        return result


def _choose(grid: np.ndarray, seeds: np.ndarray, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
    """Return for each piece whether it is lung, and whether the network's mask stays in it."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    size, gas, outside, count = pieces.sizes, pieces.gas, pieces.outside, len(pieces.sizes)
    one, other, shared = pieces.one, pieces.other, pieces.shared
    claims = counted(pieces.numbers, count, seeds)
    claims[0] = 0
    gas_claims = np.zeros(count, bool)
    touched = np.flatnonzero(claims)
    if len(touched):
        gas_claims[touched] = thin(grid, pieces.numbers, touched, seeds)
    possible = ~gas & ~outside
    possible[0] = False
    mostly = claims >= MOSTLY * np.maximum(size, 1)
    first = possible & mostly
    lung = first.copy()
    while True:
        beside = np.zeros(count)
        for a, b in ((one, other), (other, one)):
            over = np.bincount(b, weights=shared * lung[a], minlength=count)
            beside = np.maximum(beside, over)
        new = possible & ~lung & (beside >= BESIDE * size)
        new &= mostly | (claims < UNCLAIMED * size) | (beside >= WITHIN * size)
        if not new.any():
            break
        lung |= new
    both = lung[one] & lung[other]
    graph = coo_matrix((both[both], (one[both], other[both])), shape=(count, count))
    _, group = connected_components(graph, directed=False)
    volume = np.bincount(group, weights=size * lung)
    called = np.bincount(group, weights=claims * lung)
    lung &= first | (called >= LEAST_CLAIMED * volume)[group]
    # Claims on gas go, unless they are all of a piece: a bulla, or lung that air trapping thinned.
    kept = ~gas_claims & (~gas | mostly)
    kept[0] = True
    kept[outside] = ~gas_claims[outside]
    return lung, kept


def _tissue(
    tissue: np.ndarray, lung: np.ndarray, pixel: tuple[float, float], codes: np.ndarray
) -> None:
    """Mark in a slice's codes where the network's lung without air is thick, and vessels in lung.

    Args:
        tissue: (J, I) bool, called lung and no air.
        lung: (J, I) bool, the lung's air.
        pixel: height and width, mm.
        codes: (J, I) uint8, `SOLID` and `HOLE` are added.
    """
    from scipy.ndimage import distance_transform_edt, label

    reach = [int((THICK_MM + max(pixel)) / side) + 2 for side in pixel]
    if (box := _around(tissue, reach)) is not None:
        core = distance_transform_edt(tissue[box], sampling=pixel) > THICK_MM
        if core.any():
            near = distance_transform_edt(~core, sampling=pixel) <= THICK_MM + max(pixel)
            codes[box] |= near * np.uint8(SOLID)
    if (box := _around(lung, (1, 1))) is not None:
        spots, _ = label(~lung[box])
        sizes = np.bincount(spots.ravel()) * (pixel[0] * pixel[1])
        sizes[0] = np.inf  # the lung itself, and what is open to the edge
        for edge in (spots[0], spots[-1], spots[:, 0], spots[:, -1]):
            sizes[edge] = np.inf
        codes[box] |= (sizes <= HOLE_MM2).astype(np.uint8)[spots] * np.uint8(HOLE)


def _around(plane: np.ndarray, by: Sequence[int]) -> tuple[slice, slice] | None:
    """Return rows and columns around what is in a plane (J, I) bool and so many more each way."""
    rows = np.flatnonzero(plane.any(1))
    if not rows.size:
        return None
    columns = np.flatnonzero(plane[rows[0] : rows[-1] + 1].any(0))
    ends = ((int(n[0]), int(n[-1]) + 1) for n in (rows, columns))
    top, left = (slice(max(0, a - more), b + more) for (a, b), more in zip(ends, by, strict=True))
    return top, left


def _spread(grid: np.ndarray, step: tuple[int, int]) -> np.ndarray:
    """Return the pieces of the grid, grown by one where a cell of the grid is several pixels."""
    from scipy.ndimage import grey_dilation

    if step == (1, 1):
        return grid
    result = np.empty_like(grid)

    def grow(k: int) -> None:
        result[k] = np.where(grid[k] > 0, grid[k], grey_dilation(grid[k], size=(3, 3)))

    on_cores(grow, range(len(grid)))
    return result


def _without_specks(mask: np.ndarray) -> np.ndarray:
    """Return the mask without parts that are small beside the largest."""
    box = bounding_box(mask)
    if box is None:
        return mask
    parts = parts_of(mask[box], corners=False)
    keep = parts.sizes >= SPECK * parts.sizes.max()
    if not keep.all():
        mask[box] = parts.mask(keep)
    return mask
