"""Maps of what SSGM and CBSM answer, beside their fusion (SVP-CVAE, Figure 7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...data.datasets import Case
from ...data.phrases import canonical_name
from ...image.intensity import InputSpec
from ...image.slice_stack import SliceStack, choose_plane
from ...inference.loaded_checkpoint import LoadedCheckpoint, load
from ...outcome import InputError
from ...prompting.vocabulary import Vocabulary
from ...training.material import find_dataset
from ..plots import INK, png_bytes
from .runs import Run

CASES = 4
MAPS = ("SSGM", "CBSM", "fused")


def draw_maps(runs: Sequence[Run], out: Path, data: Sequence[Path]) -> list[Path]:
    """Draw the maps of the first run whose network has both modules, on test cases of its data.

    Args:
        runs: of any rows.
        out: folder.
        data: folders below which the runs' data sets lie.

    Returns:
        The picture; nothing where no run has both modules.

    Raises:
        InputError: when the run's data sets are not below the folders.
    """
    for run in runs:
        if run.row is None or not (run.checkpoint / "config.json").is_file():
            continue
        loaded = load(str(run.checkpoint))
        marl = getattr(loaded.model, "marl", None)
        if getattr(marl, "ssgm", None) is None or getattr(marl, "cbsm", None) is None:
            continue
        sets = [find_dataset(entry.name, data) for entry in run.recipe.data]
        cases = [case for found in sets for case in found.split("test")]
        rows = [row for case in cases if (row := maps_of(loaded, case)) is not None][:CASES]
        if not rows:
            raise InputError(
                "None of the run's data sets has a test case with a structure to show."
            )
        path = out / "figure_7.png"
        path.write_bytes(png_bytes(_figure(rows)))
        return [path]
    return []


def maps_of(loaded: LoadedCheckpoint, case: Case) -> dict[str, Any] | None:
    """Return one slice of a case with its maps, None where nothing that was trained is in it.

    Args:
        loaded: an SVP-CVAE with SSGM and CBSM.
        case: a labelled image; the slice that shows most of its first structure is taken.

    Returns:
        ``image``, ``truth``, ``answer`` (H, W) and each of `MAPS` (H, W) in [0, 1]: the mean size
        of a module's responses over its channels.
    """
    trained = loaded.config["trained_prompts"]
    names = {label: canonical_name(label, Vocabulary.load()) for label in case.present}
    label = next((label for label, name in names.items() if name in trained), None)
    if label is None:
        return None
    volume, spec = case.volume(), InputSpec.from_dict(loaded.config["input"])
    plane = choose_plane(
        volume.orientation("LPS").apply(volume.array).shape, loaded.config["planes"], None
    )
    stack = SliceStack(volume, plane, spec, volume.modality)
    truth = stack.view(case.mask(label))
    number = int(truth.sum((1, 2), dtype=np.int64).argmax())
    model: Any = loaded.model
    modules = dict(zip(MAPS, (model.marl.ssgm, model.marl.cbsm, model.marl), strict=True))
    with torch.no_grad(), _Listening(modules) as heard:
        features = model.encode_image(stack.images(number, number + 1))
        text = model.encode_text(loaded.text_encoder.encode([names[label]]))
        logits, _ = model.decode(features, text)
    return {
        "name": label,
        "image": np.asarray(stack.slices[number], np.float32),
        "truth": truth[number] > 0,
        "answer": stack.probabilities(logits)[0] > 0.5,
        **{name: _on_slice(stack, response) for name, response in heard.items()},
    }


class _Listening:
    """Keeps what modules answer while it is open."""

    def __init__(self, modules: dict[str, nn.Module]) -> None:
        self.heard: dict[str, Tensor] = {}
        self._hooks = [
            module.register_forward_hook(self._keep(name)) for name, module in modules.items()
        ]

    def _keep(self, name: str) -> Callable[..., None]:
        def hook(module: nn.Module, given: Any, answer: Tensor) -> None:
            self.heard[name] = answer

        return hook

    def __enter__(self) -> dict[str, Tensor]:
        return self.heard

    def __exit__(self, *details: object) -> None:
        for hook in self._hooks:
            hook.remove()


def _on_slice(stack: SliceStack, response: Tensor) -> np.ndarray:
    """Return a response (1, C, h, w) as one map (H, W) of the slice, in [0, 1]."""
    size = response.abs().mean(1, keepdim=True)
    size = F.interpolate(size, stack.canvas, mode="bilinear", align_corners=False)
    (top, left), (height, width) = stack.offset, stack.inner
    size = size[:, :, top : top + height, left : left + width]
    size = F.interpolate(size, stack.slices.shape[1:], mode="bilinear", align_corners=False)
    low, high = size.min(), size.max()
    return ((size - low) / (high - low).clamp_min(1e-12))[0, 0].numpy()


def _figure(rows: Sequence[dict[str, Any]]) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    titles = ("image and truth", *MAPS, "answer")
    size = (1.9 * len(titles), 2.0 * len(rows) + 0.2)
    figure = Figure(figsize=size, dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(rows), len(titles), squeeze=False)
    for line, row in zip(axes, rows, strict=True):
        for axis, title in zip(line, titles, strict=True):
            axis.imshow(row["image"], cmap="gray")
            if title in MAPS:
                axis.imshow(row[title], cmap="jet", alpha=0.45, vmin=0, vmax=1)
            mask = row["answer"] if title == "answer" else row["truth"]
            if title not in MAPS and mask.any():
                axis.contour(mask, [0.5], colors="#ffb000" if title == "answer" else "#40c0ff")
            axis.set_xticks([])
            axis.set_yticks([])
        line[0].set_ylabel(row["name"], fontsize=8, color=INK)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=9, color=INK)
    return figure
