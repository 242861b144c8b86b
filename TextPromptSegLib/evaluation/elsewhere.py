"""Names of other regions of the body: whatever is found of them is invented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..prompting.segmentation import Segmentation
from ..prompting.vocabulary import Vocabulary
from .asking import Predictor, Question, ask_by_text

if TYPE_CHECKING:
    from ..data.datasets import Case

ELSEWHERE = "names of another region of the body"
ASKED = 4
"""Names that are asked in a case; others in each case."""
_TRUNK = {"neck", "chest", "abdomen"}
SEEN: Mapping[str, set[str]] = {
    "brain": {"head", "neck"},
    "head": {"head", "neck"},
    "neck": {"head", "neck", "chest"},
    "chest": _TRUNK,
    "heart": _TRUNK,
    "spine": {*_TRUNK, "pelvis", "head"},
    "abdomen": {"chest", "abdomen", "pelvis", "limbs"},
    "pelvis": {"abdomen", "pelvis", "limbs"},
}
"""Region of a data set's images -> regions of the body that may be seen in them, at their ends."""
ANYWHERE = frozenset(
    {
        "cerebrospinal fluid",
        "edema",
        "enhancing tumor",
        "necrosis",
        "non-enhancing tumor",
        "scalp and soft tissue",
        "tumor core",
        "whole tumor",
    }
)
"""Trained names whose words may be true of any region, though they were taught of one."""


class AskElsewhere:
    """Asks what cannot be in an image, as far as the checkpoint answers it in that modality."""

    def __call__(
        self, predictor: Predictor, prompts: Sequence[str], case: Case
    ) -> list[Segmentation]:
        """Ask by text alone."""
        return ask_by_text(predictor, prompts, case)

    def questions(self, predictor: Predictor, case: Case) -> list[Question]:
        """List what is asked in a case; nothing where nobody says which region it shows."""
        trained = getattr(predictor, "config", {}).get("trained_prompts", {})
        names = elsewhere(
            trained, str(case.dataset.info.get("body_region", "")), str(case.dataset.modality)
        )
        first = ASKED * [c.id for c in case.dataset.cases].index(case.id)
        chosen = [names[(first + k) % len(names)] for k in range(min(ASKED, len(names)))]
        return [Question(name, name, present=False) for name in chosen]


def elsewhere(
    trained: Mapping[str, Mapping[str, Any]], body_region: str, modality: str
) -> list[str]:
    """Return the trained names that cannot be in images of a region of the body.

    Args:
        trained: a checkpoint's ``trained_prompts``.
        body_region: of the images; several with commas between.
        modality: of the images; names of others are refused anyway.
    """
    regions = [part.strip() for part in body_region.split(",")]
    if not all(region in SEEN for region in regions):
        return []
    seen = set().union(*(SEEN[region] for region in regions))
    vocabulary = Vocabulary.load()

    def cannot_be_there(name: str) -> bool:
        places = vocabulary.regions(name)
        return bool(places) and name not in ANYWHERE and seen.isdisjoint(places)

    return [
        name
        for name, entry in sorted(trained.items())
        if modality in (entry.get("modalities") or (modality,)) and cannot_be_there(name)
    ]
