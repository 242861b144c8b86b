"""Draw where the localiser looked, its region and the answer for one prompt in cases of one slice.

``draw_region.py DATASET PROMPT OUT.png MODEL CASE ...``; only for data that may
be passed on, with its credit beside the picture.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

BORDER = 30  # px around the bright part of the body
ANSWER, TRUTH, REGION = "#d55e00", "#f0e442", "#56b4e9"


def region_of(predictor: Any, prompt: str) -> tuple[float, float, float, float] | None:
    """Return x0, y0, x1, y1 of the region in px of the picture, as the run made it."""
    stack, model = predictor._stack, predictor._model
    with torch.inference_mode():
        features = model.encode_image(stack.images(0, 1).contiguous())
        logits = model.similarity(features, predictor._encode([prompt]))
    (found,) = model.regions(logits, 1.0, stack.canvas)
    if found.box is None:
        return None
    (top, left), (h, w) = stack.offset, stack.inner
    _, height, width = stack.slices.shape
    x0, y0, x1, y1 = found.box
    rows = [(y + 0.5 - top) * height / h - 0.5 for y in (y0, y1)]
    columns = [(x + 0.5 - left) * width / w - 0.5 for x in (x0, x1)]
    return columns[0], rows[0], columns[1], rows[1]


def main(dataset: str, prompt: str, out: str, model: str, *cases: str) -> None:
    """Segment the cases by text and write the picture, one row a case."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle
    from PIL import Image

    from TextPromptSegLib.data.datasets import Dataset
    from TextPromptSegLib.image.boxes import bounding_box
    from TextPromptSegLib.inference.predictor import SlicePredictor
    from TextPromptSegLib.training.trials import largest_part

    predictor = SlicePredictor.from_pretrained(model, device="cpu")
    found = {c.id: c for c in Dataset.read(dataset).cases}
    figure = Figure(figsize=(7.8, 1.9 * len(cases) + 0.3), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    titles = ("image", "heat map and region", "answer (red), reference (yellow)")
    for number, (case, row) in enumerate(
        zip(cases, figure.subplots(len(cases), 3, squeeze=False), strict=True)
    ):
        volume = found[case].volume()
        predictor.set_volume(volume)
        (answer,) = predictor.segment([prompt], heat_map=True)
        assert answer.heat_map is not None
        reference = found[case].mask(prompt)[0]
        heat = np.asarray(answer.heat_map[0], np.float32)
        body = bounding_box(largest_part((volume.array > 30).astype(np.uint8)))
        assert body is not None
        for axis in row:
            axis.set_axis_off()
            axis.imshow(volume.array[0], cmap="gray")
            axis.set_xlim(body[2].start - BORDER, body[2].stop + BORDER)
            axis.set_ylim(body[1].stop + BORDER, body[1].start - BORDER)
        row[1].imshow(heat, cmap="inferno", alpha=np.clip(heat * 0.75, 0, 0.75), vmin=0, vmax=1)
        if box := region_of(predictor, prompt):
            size = box[2] - box[0], box[3] - box[1]
            row[1].add_patch(Rectangle(box[:2], *size, fill=False, ec=REGION, lw=1.4))
        for mask, colour in ((reference, TRUTH), (answer.mask[0], ANSWER)):
            if mask.any():
                row[2].contour(mask, [0.5], colors=colour, linewidths=1.2)
        inside = 2 * (answer.mask[0] & reference).sum()
        dice = inside / max(1, answer.mask.sum() + reference.sum())
        for axis, title in zip(row, titles, strict=True):
            if not number:
                axis.set_title(title, fontsize=9)
        row[2].text(0.02, 0.03, f"Dice {dice:.2f}", color="white", transform=row[2].transAxes)
        print(f"{Path(out).name}: {case} {answer.message}, Dice {dice:.3f}")
    figure.savefig(out, facecolor="white")
    with Image.open(out) as picture:
        few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(out, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
