"""What is known to be absent from a picture besides what its labels say.

Three sources, each only where it is certain: the words of the case's own notes ("no nodule"), what
holds for a whole data set (no brain tumor in volunteers), and what another structure in the same
axial slice rules out (no urinary bladder beside an adrenal gland). Absence by the region of the
body is `sampling.ForeignNames`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..outcome import InputError
from .slices import TrainingSlice


@dataclass(frozen=True)
class AbsenceRules:
    """What rules out what, in one data set.

    Every list holds names of structures or of the recipe's regions, which stand for their names.

    Attributes:
        absent: absent from every picture.
        absent_where: words of a case's notes -> absent from that case.
        absent_above: name -> share of a volume's height above which no axial slice shows it.
        apart: structure -> absent from every axial slice of a CT or MR that shows it.
        regions: region -> its names.
    """

    absent: Sequence[str] = ()
    absent_where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    absent_above: Mapping[str, float] = field(default_factory=dict)
    apart: Mapping[str, Sequence[str]] = field(default_factory=dict)
    regions: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def names(self, listed: Iterable[str]) -> set[str]:
        """Return the names a list of names and regions stands for."""
        return {name for item in listed for name in self.regions.get(item, (item,))}

    def of_case(self, text: str) -> set[str]:
        """Return the names absent from a case with these notes."""
        said = text.lower()
        listed = [self.absent]
        listed += [names for words, names in self.absent_where.items() if words.lower() in said]
        return self.names(name for names in listed for name in names)


def add_absences(slices: Sequence[TrainingSlice], text: str, rules: AbsenceRules) -> None:
    """Add what the rules know to the slices of one case, in place.

    Args:
        slices: of one case; those of a volume in the order of `case_slices`, inferior first.
        text: the case's own notes, "" without any.
        rules: what rules out what.

    Raises:
        InputError: when a structure is labelled where the data set's rules call it absent.
    """
    stated = rules.of_case(text)
    last = max((_axial_index(item) or 0 for item in slices), default=0)
    for item in slices:
        gone = set(stated)
        index = _axial_index(item)
        if index is not None and last:
            high = {name for name, share in rules.absent_above.items() if index > share * last}
            gone |= rules.names(high)
        if wrong := sorted(gone & set(item.masks)):
            raise InputError(
                f"The recipe calls '{wrong[0]}' absent in {item.dataset}, but {item.key} shows it; "
                "correct absent, absent_where or absent_above."
            )
        if index is not None and item.modality in ("CT", "MR"):
            beside = [names for name, names in rules.apart.items() if name in item.masks]
            gone |= rules.names(n for names in beside for n in names) - set(item.masks)
        item.absent = tuple(sorted(gone.union(item.absent)))


def _axial_index(item: TrainingSlice) -> int | None:
    """Return the number of an axial slice within its volume, None for another plane."""
    plane = item.key.rpartition("/c")[0] if "/c" in item.key.rpartition("/axial")[2] else item.key
    _, found, number = plane.rpartition("/axial")
    return int(number) if found and number.isdigit() else None
