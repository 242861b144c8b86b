"""Loss and Dice curves of a run as one picture."""

from __future__ import annotations

import csv
from pathlib import Path


def read_metrics(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return {metric: [(step, value)]} of a run's ``metrics.csv``; empty when there is none."""
    curves: dict[str, list[tuple[int, float]]] = {}
    for file in sorted(folder.rglob("metrics.csv")):
        with file.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                for key, value in row.items():
                    if key not in ("step", "epoch") and value:
                        curves.setdefault(key, []).append((int(row["step"]), float(value)))
    return curves


def draw_curves(folder: Path, path: Path) -> None:
    """Draw training loss, its terms and the validation Dice over the steps."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    curves = read_metrics(folder)
    if not curves:
        return
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
    for name, points in sorted(curves.items()):
        if name.startswith("train/") and not name.endswith("_epoch"):
            steps, values = zip(*points, strict=True)
            width = 2.0 if name == "train/loss" else 1.0
            left.plot(steps, _smooth(list(values)), label=name[6:], linewidth=width)
    left.set(title="Training objective", xlabel="step", ylabel="loss")
    left.set_ylim(bottom=0)
    for name, points in sorted(curves.items()):
        if name.startswith("val/"):
            steps, values = zip(*points, strict=True)
            right.plot(steps, values, marker="o", markersize=3, label=name[4:])
    right.set(title="Validation", xlabel="step", ylim=(0, 1))
    for axis in (left, right):
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _smooth(values: list[float], weight: float = 0.9) -> list[float]:
    """Return an exponential mean without its start-up bias."""
    result, mean = [], 0.0
    for count, value in enumerate(values, 1):
        mean = weight * mean + (1 - weight) * value
        result.append(mean / (1 - weight**count))
    return result
