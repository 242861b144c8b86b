"""Draw image, answer, uncertainty and candidates of one prompt in one slice as a picture.

``python Testing/Tools/draw_candidates.py DATASET CASE PROMPT OUT.png [MODEL]``; only for data that
may be passed on, with its credit beside the picture.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

SHOWN = 4
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")


def main(dataset: str, case: str, prompt: str, out: str, model: str = "svp-cvae-compact") -> None:
    """Segment the case with eight samples and write the picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from TextPromptSegLib.data.datasets import Dataset
    from TextPromptSegLib.inference.predictor import SlicePredictor

    (one,) = (c for c in Dataset.read(dataset).cases if c.id == case)
    volume = one.volume()
    predictor = SlicePredictor.from_pretrained(model, device="cpu")
    predictor.set_volume(volume)
    (answer,) = predictor.segment([prompt], samples=8)
    assert answer.uncertainty is not None
    reference = np.logical_or.reduce(list(one.label_arrays().values()))
    k = int(reference.reshape(len(reference), -1).sum(1).argmax())
    picture = volume.array[k]
    figure = Figure(figsize=(10.4, 2.85), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 4)
    for axis in axes:
        axis.set_axis_off()
        axis.imshow(picture, cmap="gray")
    axes[0].set_title("image", fontsize=10)
    axes[1].contour(reference[k], [0.5], colors="#f0e442", linewidths=1.2)
    axes[1].contour(answer.mask[k], [0.5], colors="#d55e00", linewidths=1.4)
    axes[1].set_title("answer (red), reference (yellow)", fontsize=10)
    spread = np.asarray(answer.uncertainty[k], np.float32)
    shade = axes[2].imshow(spread, cmap="magma", alpha=np.clip(spread * 8, 0, 1))
    figure.colorbar(shade, ax=axes[2], shrink=0.8, pad=0.02).ax.tick_params(labelsize=8)
    axes[2].set_title("standard deviation, 8 samples", fontsize=10)
    for mask, colour in zip(answer.candidates, COLOURS, strict=False):
        axes[3].contour(mask[k], [0.5], colors=colour, linewidths=1.2)
    diversity = answer.provenance["samples"]["diversity"]
    axes[3].set_title(f"{SHOWN} candidates, diversity {diversity:.2f}", fontsize=10)
    figure.savefig(out, facecolor="white")
    inside = 2 * (answer.mask.astype(bool) & reference).sum()
    print(f"{Path(out).name}: Dice {inside / (answer.mask.sum() + reference.sum()):.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
