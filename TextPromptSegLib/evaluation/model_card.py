"""The model card: a checkpoint's README.md, from its configuration and an evaluation report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..checkpoints.layout import CARD, CONFIG, PLOT, input_spec, read_config, write_atomically
from ..checkpoints.quality import (
    ANY,
    EXPERT,
    FAIR_FROM,
    GOOD_FROM,
    SPLITS,
    TIERS,
    pooled,
    quality_of,
)
from ..outcome import InputError, OutputError
from .card import TEXT_ONLY, card_table, metrics_block
from .measured import with_quality
from .trust import card_plot
from .worst import worst_cases

if TYPE_CHECKING:
    from .report import Report


_GENERATED = ("What it is", "What may be asked", "Training data", "Results")
"""How the headings begin that `card_text` writes itself."""


def write_model_card(
    folder: Path, reports: Sequence[Report] = (), sections: Mapping[str, str] | None = None
) -> Path:
    """Write ``README.md`` of a checkpoint folder, and the reports' numbers into its config.json.

    Args:
        folder: the checkpoint.
        reports: evaluations of it, at most one of each split; without any the results are left
            out.
        sections: further headings and their Markdown, for example known failures; None keeps
            those of the card that is there.

    Returns:
        The card's path.

    Raises:
        CheckpointError: when the folder holds no readable checkpoint.
        InputError: when a report holds nothing of the checkpoint, or was made with other weights.
        OutputError: when the folder cannot be written.
    """
    import json

    config = read_config(folder)
    name, results, card = str(config["name"]), "", folder / CARD
    splits = [report.split for report in reports]
    if len(set(splits)) != len(splits):
        raise InputError("Two of the reports are of one split; merge them, or give one of them.")
    try:
        if reports:
            config = with_quality(config, reports)
        for report in reports:
            if report.split == "test":
                block = metrics_block(report, name)
                config["metrics"] = {**config.get("metrics", {}), "test": block}
                results = "\n".join([card_table(report, name), *_further(report, name, folder)])
        if reports:
            text = json.dumps(config, indent=1, ensure_ascii=False) + "\n"
            write_atomically(folder / CONFIG, text.encode())
        if sections is None:
            sections = own_sections(card.read_text(encoding="utf-8")) if card.is_file() else {}
        write_atomically(card, card_text(config, results, sections).encode())
    except OSError as error:
        raise OutputError(f"'{folder}' cannot be written: {error.strerror or error}.") from error
    return card


def _further(report: Report, name: str, folder: Path) -> list[str]:
    """Return what the card says after the table; write the plot beside it."""
    parts = [worst_cases(report, name)]
    plot = card_plot(report, name, TEXT_ONLY)
    if plot is None:
        (folder / PLOT).unlink(missing_ok=True)
        return parts
    write_atomically(folder / PLOT, plot)
    parts.append(
        f"### How far its probabilities can be believed ({report.split})\n\n"
        f"![Calibration of voxels and of answers]({PLOT})\n\n"
        "On the dashed line a probability means what it says; below it the checkpoint is too sure. "
        "Left: voxels with a probability from 5 % or inside the reference (ECE: expected "
        "calibration error). Right: answers, by the highest probability in the "
        "image.\n"
    )
    return parts


def own_sections(card: str) -> dict[str, str]:
    """Return heading -> Markdown of what people wrote into a card."""
    parts = [part.partition("\n") for part in card.split("\n## ")[1:]]
    return {
        head.strip(): text.strip()
        for head, _, text in parts
        if not head.strip().startswith(_GENERATED)
    }


def card_text(config: Mapping[str, Any], results: str, sections: Mapping[str, str]) -> str:
    """Return the card's Markdown."""
    name, licence, spec = str(config["name"]), config["licence"], input_spec(config)
    line = licence.get("line") or ""
    training, training_data = config.get("training", {}), config.get("training", {}).get("data", [])
    by_modality = _best_first(config["trained_prompts"])
    example = ", ".join(next(iter(by_modality.values()), [])[:2])
    lines = [
        f"# {config.get('title') or name}",
        "",
        f"**Licence of the weights: {licence.get('spdx') or 'see below'}.** {line}",
        "",
        "```",
        f'textpromptseg segment image.nii.gz -p "{example}" -m {name} -o out.seg.nrrd',
        "```",
        "",
        "## What it is",
        "",
        f"System `{config['system']}`, input {spec.size} px slices "
        f"({', '.join(spec.planes)}), text encoder "
        f"`{config['text_encoder']['id']}` (frozen, not in this folder).",
        "Research software: not a medical device, not for diagnosis or treatment.",
        "",
        f"## What may be asked ({len(config['trained_prompts'])} structures)",
        "",
        *_asked(config["trained_prompts"], by_modality),
        "",
        "## Training data",
        "",
        "| data set | labels | licence | non-commercial |",
        "|---|---|---|---|",
        *(_data_row(d) for d in training_data),
        "",
        "Trained on the `train` split, settings chosen on `val`, numbers below from `test`; the "
        "splits are by patient where patients are known.",
        f"Steps {training.get('steps')}, seed {training.get('seed')}, commit "
        f"`{training.get('commit')}`; the recipe lies beside the system's code.",
    ]
    if config.get("metrics", {}).get("calibration"):
        lines += [
            "",
            "Chosen on the validation cases: presence gates, thresholds, rules of evidence and "
            "largest-part rules per structure (`config.json`).",
        ]
    for title, text in sections.items():
        lines += ["", f"## {title}", "", text.strip()]
    if results:
        lines += ["", "## Results", "", results.strip()]
    return "\n".join(lines) + "\n"


def _asked(
    trained: Mapping[str, Mapping[str, Any]], by_modality: Mapping[str, Sequence[str]]
) -> list[str]:
    """Return the list of structures, with what was measured of each."""
    if not any("tier" in entry for entry in trained.values()):
        return [f"* **{m}**: {', '.join(names)}" for m, names in by_modality.items()]
    lines = [
        f"**good**: mean Dice of the test cases that show it from {GOOD_FROM:.2f}; **fair**: from "
        f"{FAIR_FROM:.2f}; **experimental**: below, or without a test case: check every slice. "
        "With validation cases only, fair at best. "
        "Dice (cases); where experts labelled some cases only those count, else the kind of label "
        "is named.",
        "",
        f"| images | structure | tier | {' | '.join(SPLITS)} |",
        f"|---|---|---|{'---:|' * len(SPLITS)}",
    ]
    for modality, names in by_modality.items():
        for name in names:
            splits = trained[name].get("measured", {})
            cells = [_measured(splits.get(split, {}), modality) for split in SPLITS]
            quality = quality_of([name], trained, modality)
            tier = quality.tier if quality else "not measured"
            lines.append(f"| {modality} | {name} | {tier} | {' | '.join(cells)} |")
    return lines


def _measured(split: Mapping[str, Mapping[str, Any]], modality: str) -> str:
    """Return "0.931 (12)", and the kind of the labels where no expert drew them."""
    found = pooled(split, modality)
    kind = "" if found.labels == EXPERT else f", {found.labels}"
    return "\N{EN DASH}" if found.dice is None else f"{found.dice:.3f} ({found.n}{kind})"


def _best_first(trained: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return modality -> its trained names, by tier, then by name."""

    def place(name: str, modality: str) -> int:
        quality = quality_of([name], trained, modality)
        return -TIERS.index(quality.tier) if quality else len(TIERS)

    result: dict[str, list[str]] = {}
    for name, entry in sorted(trained.items()):
        for modality in entry.get("modalities", [ANY]):
            result.setdefault(modality, []).append(name)
    return {m: sorted(result[m], key=lambda name: place(name, m)) for m in sorted(result)}


def _data_row(entry: Mapping[str, Any]) -> str:
    drawn = " (the images are synthetic)" if entry.get("synthetic") else ""
    cells: Sequence[str] = (
        f"`{entry['name']}`",
        str(entry.get("label_quality") or "not stated") + drawn,
        str(entry.get("licence") or "not stated"),
        "yes" if entry.get("non_commercial") else "no",
    )
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
