"""The model card: a checkpoint's README.md, from its configuration and an evaluation report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .report import Report


def write_model_card(
    folder: Path, report: Report | None = None, sections: Mapping[str, str] | None = None
) -> Path:
    """Write ``README.md`` of a checkpoint folder, and the report's numbers into its config.json.

    Args:
        folder: the checkpoint.
        report: an evaluation of it; None leaves the results out.
        sections: further headings and their Markdown, for example known failures.

    Returns:
        The card's path.

    Raises:
        CheckpointError: when the folder holds no readable checkpoint.
        InputError: when the report holds nothing of the checkpoint.
    """
    import json

    from ..checkpoints.layout import CARD, CONFIG, read_config, write_atomically
    from .card import card_table, metrics_block

    config = read_config(folder)
    results = ""
    if report is not None:
        name = str(config["name"])
        config["metrics"] = {**config.get("metrics", {}), "test": metrics_block(report, name)}
        text = json.dumps(config, indent=1, ensure_ascii=False) + "\n"
        write_atomically(folder / CONFIG, text.encode())
        results = card_table(report, name)
    card = folder / CARD
    write_atomically(card, card_text(config, results, sections or {}).encode())
    return card


def card_text(config: Mapping[str, Any], results: str, sections: Mapping[str, str]) -> str:
    """Return the card's Markdown."""
    name, licence = str(config["name"]), config["licence"]
    training, training_data = config.get("training", {}), config.get("training", {}).get("data", [])
    by_modality = _prompts_by_modality(config["trained_prompts"])
    example = ", ".join(next(iter(by_modality.values()), [])[:2])
    lines = [
        f"# {config.get('title') or name}",
        "",
        f"**Licence of the weights: {licence.get('spdx') or 'see below'}.** {licence['line']}",
        "",
        "```",
        f'textpromptseg segment image.nii.gz -p "{example}" -m {name} -o out.seg.nrrd',
        "```",
        "",
        "## What it is",
        "",
        f"System `{config['system']}`, input {config['input']['size']} px slices "
        f"({', '.join(config['input']['planes'])}), text encoder "
        f"`{config['text_encoder']['id']}` (frozen, not in this folder).",
        "Research software: not a medical device, not for diagnosis or treatment.",
        "",
        f"## What may be asked ({len(config['trained_prompts'])} structures)",
        "",
        *(f"* **{m}**: {', '.join(names)}" for m, names in by_modality.items()),
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
            "Chosen on the validation cases: presence gates, thresholds and largest-part rules per "
            "structure (`config.json`).",
        ]
    for title, text in sections.items():
        lines += ["", f"## {title}", "", text.strip()]
    if results:
        lines += ["", "## Results", "", results.strip()]
    return "\n".join(lines) + "\n"


def _prompts_by_modality(trained: Mapping[str, Any]) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {}
    for name, entry in sorted(trained.items()):
        for modality in entry.get("modalities", ["any"]):
            result.setdefault(modality, []).append(name)
    return dict(sorted(result.items()))


def _data_row(entry: Mapping[str, Any]) -> str:
    drawn = " (the images are synthetic)" if entry.get("synthetic") else ""
    cells: Sequence[str] = (
        f"`{entry['name']}`",
        str(entry.get("label_quality") or "not stated") + drawn,
        str(entry.get("licence") or "not stated"),
        "yes" if entry.get("non_commercial") else "no",
    )
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
