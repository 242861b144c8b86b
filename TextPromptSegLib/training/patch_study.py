"""The patch paper's Tables 1 and 2 and its figures, for one network or a study of ratios.

Every measure is a mean over patches that hold the organ, cut as in training (centred on the mask
with the same jitter, always the same ones). PSNR and SSIM take the range [-1, 1], so 2.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..metrics import overlap_counts, surface_distances
from .patch_synthetic import distance_lines, synthetic_distances

if TYPE_CHECKING:
    from ..systems.patch_unet_vae.system import PatchUNetVAE
    from .adversarial import AdversarialPlan
    from .recipe import Recipe

RECONSTRUCTION = ("mse", "mae", "rmse", "psnr_db", "ssim")
SEGMENTATION = ("dice", "iou", "precision", "recall", "hausdorff_px", "hausdorff_mm")
HEADINGS = {
    "mse": "MSE",
    "mae": "MAE",
    "rmse": "RMSE",
    "psnr_db": "PSNR (dB)",
    "ssim": "SSIM",
    "dice": "Dice",
    "iou": "IoU",
    "precision": "Precision",
    "recall": "Recall",
    "hausdorff_px": "Hausdorff (px)",
    "hausdorff_mm": "Hausdorff (mm)",
}
DIGITS = {"mse": 6, "mae": 5, "rmse": 5, "psnr_db": 2, "hausdorff_px": 2, "hausdorff_mm": 2}
Key = tuple[float, int]
"""(ratio, seed) of a run."""


def measure_patches(
    network: PatchUNetVAE, batches: Sequence[Mapping[str, Any]], pixel_mm: float
) -> list[dict[str, Any]]:
    """Return one row of measures for each patch that holds the organ.

    Args:
        network: in evaluation mode; its code's mean is decoded.
        batches: of `data.patches.fixed_batches`.
        pixel_mm: side of a pixel, mm.
    """
    import torch
    from monai.metrics import SSIMMetric

    ssim = SSIMMetric(spatial_dims=2, data_range=2.0)
    rows: list[dict[str, Any]] = []
    for batch in batches:
        with torch.inference_mode():
            terms = network.loss(batch)
        patches = batch["image"] * 2.0 - 1.0
        made = terms["reconstruction"].clamp(-1.0, 1.0)
        alike = ssim(made, patches).flatten().tolist()
        found = (terms["logits"] > 0)[:, 0].numpy()
        truth = (batch["mask"] > 0)[:, 0].numpy()
        error = (made - patches).flatten(1)
        for index in np.flatnonzero(truth.any((1, 2))).tolist():
            counts = overlap_counts(found[index], truth[index])
            far = surface_distances(found[index], truth[index]).hd
            mse = float(error[index].square().mean())
            rows.append(
                {
                    "dataset": batch["datasets"][index],
                    "structure": batch["names"][index],
                    "mse": mse,
                    "mae": float(error[index].abs().mean()),
                    "rmse": math.sqrt(mse),
                    "psnr_db": 10.0 * math.log10(4.0 / max(mse, 1e-12)),
                    "ssim": alike[index],
                    "dice": counts.dice,
                    "iou": counts.iou,
                    "precision": counts.precision,
                    "recall": counts.recall,
                    "hausdorff_px": far,
                    "hausdorff_mm": far * pixel_mm,
                }
            )
    return rows


def mean_of(rows: Sequence[Mapping[str, Any]], measure: str) -> float:
    """Return the mean of a measure over rows."""
    return float(np.mean([row[measure] for row in rows]))


def write_study(
    out: Path,
    recipe: Recipe,
    plan: AdversarialPlan,
    networks: Mapping[Key, PatchUNetVAE],
    encoder: Any,
    roots: Sequence[Path],
) -> tuple[Key, dict[str, Any]]:
    """Measure every run of a recipe on its val and test patches and write tables and figures.

    The best ratio is the one with the best validation Dice, mean over its seeds; of its seeds the
    best one is exported. The test split takes no part in the choice.

    Writes ``patches.csv`` (one row a test patch and run), ``table1.csv``, ``table2.csv``,
    ``tables.md`` (also how far synthetic patches lie from real ones) and ``patches_DATASET.png``.

    Returns:
        The best run's key, and the numbers for the checkpoint's ``metrics``.
    """
    from ..data.patches import PatchPlan, PatchSampler, fixed_batches
    from .material import read_split

    size = PatchPlan(**plan.patches)
    pixel = float(recipe.input.get("spacing_mm") or 1.0)
    batches: dict[str, list[dict[str, Any]]] = {}
    for split in ("val", "test"):
        slices = read_split(recipe, roots, split)
        names = sorted({name for item in slices for name in item.masks})
        if names:
            places = PatchSampler(slices, names, {}, size).fixed()
            batches[split] = fixed_batches(places, encoder.encode, size.size)
    rows = {
        split: {key: measure_patches(net, found, pixel) for key, net in networks.items()}
        for split, found in batches.items()
    }
    chosen_on = "val" if rows.get("val") else "test"
    score = {key: balanced_dice(found) for key, found in rows[chosen_on].items()}
    ratios = list(dict.fromkeys(ratio for ratio, _ in networks))
    means = {r: float(np.mean([v for (q, _), v in score.items() if q == r])) for r in ratios}
    ratio = max(means, key=lambda r: means[r])
    best = max((key for key in networks if key[0] == ratio), key=lambda key: score[key])
    shown = rows.get("test") or rows[chosen_on]
    _write_rows(out / "patches.csv", shown)
    text = [
        f"Best ratio on the {chosen_on} patches: {ratio:g} "
        f"(mean Dice over structures {means[ratio]:.4f}); exported: seed {best[1]}.",
        "",
    ]
    for structure in ("all", *sorted({r["structure"] for found in shown.values() for r in found})):
        for number, measures in ((1, RECONSTRUCTION), (2, SEGMENTATION)):
            text += table(shown, structure, number, measures)
            if structure == "all":
                _write_table(out / f"table{number}.csv", shown, measures)
    measured = batches.get("test") or batches[chosen_on]
    distances = {
        key: synthetic_distances(net, measured, plan.temperature) for key, net in networks.items()
    }
    text += distance_lines(distances)
    (out / "tables.md").write_text("\n".join(text), encoding="utf-8")
    if "test" in batches:
        draw_patches(networks[best], batches["test"], out, plan.figures)
    return best, {
        "patches": {
            "val": summary(rows.get("val", {}).get(best, [])),
            "test": summary(shown[best]),
        },
        "ratio": ratio,
        "seed": best[1],
        "synthetic": plan.synthetic,
        "synthetic_distance": {k: round(v, 5) for k, v in distances[best].items()},
    }


def balanced_dice(rows: Sequence[Mapping[str, Any]]) -> float:
    """Return the mean over structures and data sets of their mean Dice."""
    groups: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        groups[row["dataset"], row["structure"]].append(row["dice"])
    return float(np.mean([np.mean(values) for values in groups.values()])) if groups else 0.0


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return the mean measures of each data set and structure, JSON-ready."""
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[f"{row['dataset']}/{row['structure']}"].append(row)
    return {
        name: {"patches": len(found)}
        | {m: round(mean_of(found, m), DIGITS.get(m, 4)) for m in RECONSTRUCTION + SEGMENTATION}
        for name, found in sorted(groups.items())
    }


def spread(
    rows: Mapping[Key, Sequence[Mapping[str, Any]]], ratio: float, measure: str, structure: str
) -> tuple[float, float | None]:
    """Return the mean over a ratio's seeds and their standard deviation (None for one seed)."""
    values = []
    for key, found in rows.items():
        wanted = [r for r in found if structure in ("all", r["structure"])]
        if key[0] == ratio and wanted:
            values.append(mean_of(wanted, measure))
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None


def table(
    rows: Mapping[Key, Sequence[Mapping[str, Any]]],
    structure: str,
    number: int,
    measures: Sequence[str],
) -> list[str]:
    """Return one table in the paper's form as lines of Markdown, mean ± deviation over seeds."""
    what = "Reconstruction" if number == 1 else "Segmentation"
    seeds = len({seed for _, seed in rows})
    place = "all structures" if structure == "all" else structure
    lines = [
        f"Table {number}. {what} metrics for different synthetic:real patch ratios, {place}"
        + (f", mean ± standard deviation over {seeds} seeds." if seeds > 1 else "."),
        "",
        "| Ratio | " + " | ".join(HEADINGS[m] for m in measures) + " |",
        "|---" * (len(measures) + 1) + "|",
    ]
    for ratio in dict.fromkeys(key[0] for key in rows):
        cells = []
        for measure in measures:
            mean, deviation = spread(rows, ratio, measure, structure)
            digits = DIGITS.get(measure, 4)
            more = "" if deviation is None else f" ± {deviation:.{digits}f}"
            cells.append(f"{mean:.{digits}f}{more}")
        lines.append(f"| {ratio:g} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _write_table(
    path: Path, rows: Mapping[Key, Sequence[Mapping[str, Any]]], measures: Sequence[str]
) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["Ratio", *(f"{HEADINGS[m]}{end}" for m in measures for end in ("", " sd"))]
        )
        for ratio in dict.fromkeys(key[0] for key in rows):
            cells: list[Any] = [f"{ratio:g}"]
            for measure in measures:
                mean, deviation = spread(rows, ratio, measure, "all")
                cells += [f"{mean:.6f}", "" if deviation is None else f"{deviation:.6f}"]
            writer.writerow(cells)


def _write_rows(path: Path, rows: Mapping[Key, Sequence[Mapping[str, Any]]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        fields = ("dataset", "structure", *RECONSTRUCTION, *SEGMENTATION)
        writer.writerow(["ratio", "seed", *fields])
        for (ratio, seed), found in rows.items():
            for row in found:
                values = [row[f] if isinstance(row[f], str) else f"{row[f]:.6g}" for f in fields]
                writer.writerow([f"{ratio:g}", seed, *values])


def draw_patches(
    network: PatchUNetVAE, batches: Sequence[Mapping[str, Any]], folder: Path, count: int
) -> None:
    """Draw patch, reconstruction, error, prediction and truth, one picture a data set.

    The rows are evenly spread over the patches from the best Dice to the worst.
    """
    import torch

    by_set: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for batch in batches:
        with torch.inference_mode():
            terms = network.loss(batch)
        made = (terms["reconstruction"].clamp(-1, 1) + 1) / 2
        for row in range(len(made)):
            truth = batch["mask"][row, 0].numpy() > 0
            if truth.any():
                found = terms["logits"][row, 0].numpy() > 0
                by_set[batch["datasets"][row]].append(
                    {
                        "patch": batch["image"][row, 0].numpy(),
                        "made": made[row, 0].numpy(),
                        "found": found,
                        "truth": truth,
                        "name": batch["names"][row],
                        "dice": overlap_counts(found, truth).dice,
                    }
                )
    for dataset, items in by_set.items():
        items.sort(key=lambda item: -item["dice"])
        spread_over = np.linspace(0.05, 0.95, count) * (len(items) - 1)
        _draw([items[round(i)] for i in spread_over], folder / f"patches_{dataset}.png")


def _draw(items: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw rows of five pictures."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    titles = ("patch", "reconstruction", "error", "prediction", "truth")
    size = (2.1 * len(titles) + 0.6, 2.2 * len(items) + 0.2)
    figure, axes = plt.subplots(
        len(items), len(titles), figsize=size, layout="constrained", squeeze=False
    )
    for row, item in zip(axes, items, strict=True):
        error = np.abs(item["made"] - item["patch"]) * 2.0
        for axis, picture in zip(row, ("patch", "made", None, "patch", "patch"), strict=True):
            if picture is None:
                shown = axis.imshow(error, cmap="inferno", vmin=0.0, vmax=0.2)
                figure.colorbar(shown, ax=axis, shrink=0.8)
            else:
                axis.imshow(item[picture], cmap="gray", vmin=0.0, vmax=1.0)
            axis.set_xticks([])
            axis.set_yticks([])
        for axis, mask, colour in ((row[3], "found", "#ffb000"), (row[4], "truth", "#40c0ff")):
            if item[mask].any():
                axis.contour(item[mask], [0.5], colors=colour, linewidths=1.4)
        row[0].set_ylabel(f"{item['name']}\nDice {item['dice']:.2f}", fontsize=8)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=9)
    figure.savefig(path, dpi=110)
    plt.close(figure)
