"""From evaluation reports to what each trained prompt says of itself: `checkpoints.quality`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..checkpoints.quality import ANY, EXPERT, SPLITS, pooled, tier_of
from ..inference.targets import Resolver, Target
from ..outcome import InputError, TextPromptSegError
from ..prompting.prompts import parse_prompts
from ..prompting.vocabulary import Vocabulary
from .card import TEXT_ONLY
from .summary import SYNTHETIC

if TYPE_CHECKING:
    from .report import Report

Measured = dict[str, dict[str, dict[str, Any]]]
"""Trained name -> modality -> ``dice``, ``n``, ``labels``."""


def measured_of(report: Report, config: Mapping[str, Any], mode: str = TEXT_ONLY) -> Measured:
    """Return the mean Dice over the cases of a report that show a structure.

    A question counts for the one trained prompt that answers it as it is; synthetic images never
    count. Where experts labelled some of the cases, only those count.

    Args:
        report: an evaluation of the checkpoint.
        config: the checkpoint's configuration.
        mode: the way of asking that counts.

    Raises:
        InputError: when the report is of another checkpoint or of other weights.
    """
    name = str(config["name"])
    if (name, mode) not in report.runs:
        raise InputError(f"The report of split '{report.split}' holds nothing of {name} ({mode}).")
    if report.models.get(name, {}).get("weights_sha256") != config.get("weights_sha256"):
        raise InputError(
            f"The report of split '{report.split}' was made with other weights of {name}; "
            "evaluate it again."
        )
    names = _Names(config["trained_prompts"])
    dices: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in report.rows:
        info = report.dataset(row.dataset)
        if (row.model, row.mode) != (name, mode) or row.dice is None or not row.scored:
            continue
        if info.label_kind != SYNTHETIC and (asked := names.find(row.prompt, info.modality)):
            dices[asked, info.modality or ANY][info.label_kind].append(row.dice)
    result: Measured = defaultdict(dict)
    for (asked, modality), kinds in sorted(dices.items()):
        counted = {EXPERT: kinds[EXPERT]} if kinds.get(EXPERT) else kinds
        values = [value for found in counted.values() for value in found]
        result[asked][modality] = {
            "dice": round(sum(values) / len(values), 4),
            "n": len(values),
            "labels": ", ".join(sorted(counted)),
        }
    return dict(result)


def with_quality(config: Mapping[str, Any], reports: Sequence[Report]) -> dict[str, Any]:
    """Return a configuration whose trained prompts carry what reports measured, and a tier.

    What an earlier report of another split said stays. A trained prompt that no test case shows is
    experimental.

    Raises:
        InputError: when no report of the test split was ever given, or one does not belong here.
    """
    trained = {name: dict(entry) for name, entry in config["trained_prompts"].items()}
    known = any("tier" in entry for entry in trained.values())
    if not known and not any(report.split == "test" for report in reports):
        raise InputError("None of the reports is of the test split, which the tiers are made of.")
    for report in reports:
        found = measured_of(report, config)
        for name, entry in trained.items():
            splits = {**entry.get("measured", {}), report.split: found.get(name)}
            entry["measured"] = {key: splits[key] for key in SPLITS if splits.get(key)}
    for entry in trained.values():
        entry["tier"] = tier_of(pooled(entry.get("measured", {}).get("test", {})).dice)
    return {**config, "trained_prompts": trained}


class _Names:
    """Finds the trained prompt that answers a question as it is."""

    def __init__(self, trained: Mapping[str, Any]) -> None:
        self._trained, self._vocabulary = trained, Vocabulary.load()
        self._known: dict[tuple[str, str], str] = {}

    def find(self, prompt: str, modality: str) -> str:
        """Return its name, empty where several have to be put together."""
        key = (prompt, modality)
        if key not in self._known:
            self._known[key] = self._find(prompt, modality)
        return self._known[key]

    def _find(self, prompt: str, modality: str) -> str:
        resolver = Resolver(self._trained, self._vocabulary, modality or None)
        try:
            parsed = parse_prompts(prompt, self._vocabulary)
        except TextPromptSegError:
            return ""
        target = resolver.resolve(parsed[0]) if len(parsed) == 1 else None
        if not isinstance(target, Target) or not target.is_plain or len(target.names) != 1:
            return ""
        return target.names[0] if target.names[0] in self._trained else ""
