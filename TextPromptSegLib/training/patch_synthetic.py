"""How far synthetic patches lie from what the network makes of real ones (part of the study).

A synthetic patch that repeats a reconstruction adds nothing to training; one far from every real
patch shows nothing that exists. Both are told by the distance, so the study prints it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from ..systems.patch_unet_vae.system import PatchUNetVAE

DISTANCES = {
    "posterior": "drawn from the posterior, to the reconstruction of its own patch",
    "posterior_nearest": "drawn from the posterior, to the nearest other reconstruction",
    "prior_nearest": "drawn from the prior without skips, to the nearest reconstruction",
    "real_nearest": "a reconstruction, to the nearest other one (the yardstick)",
}


@torch.inference_mode()
def synthetic_distances(
    network: PatchUNetVAE,
    batches: Sequence[Mapping[str, Any]],
    temperature: float = 1.0,
    count: int = 96,
    seed: int = 0,
) -> dict[str, float]:
    """Return mean absolute distances in the range [-1, 1], see `DISTANCES`.

    Args:
        network: in evaluation mode.
        batches: of `data.patches.fixed_batches`; their first patches are used.
        temperature: of the noise.
        count: most patches.
        seed: of the noise.
    """
    net = network.net
    made: list[torch.Tensor] = []
    again: list[torch.Tensor] = []
    dreamt: list[torch.Tensor] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for batch in batches:
            if sum(map(len, made)) >= count:
                break
            patches, sentence = batch["image"] * 2.0 - 1.0, network.sentence(batch["text"])
            code = net.encode(patches)
            made.append(net.decode(code.mean, code.skips, sentence)[0].float())
            again.append(net.synthesise(patches, sentence, temperature))
            dreamt.append(net.imagine(len(patches), sentence, temperature)[0])
    real, posterior, prior = (torch.cat(x)[:count].flatten(1) for x in (made, again, dreamt))
    return {
        "posterior": float((posterior - real).abs().mean()),
        "posterior_nearest": _to_the_nearest(posterior, real, itself=True),
        "prior_nearest": _to_the_nearest(prior, real),
        "real_nearest": _to_the_nearest(real, real, itself=True),
    }


def _to_the_nearest(some: torch.Tensor, others: torch.Tensor, itself: bool = False) -> float:
    """Return the mean over rows of the smallest mean absolute distance to a row of others."""
    apart = torch.cdist(some, others, p=1) / some.shape[1]
    if itself:
        apart.fill_diagonal_(float("inf"))
    nearest = apart.amin(1)
    return float(nearest[nearest.isfinite()].mean()) if nearest.isfinite().any() else 0.0


def distance_lines(found: Mapping[tuple[float, int], Mapping[str, float]]) -> list[str]:
    """Return the distances of every run as lines of Markdown.

    Args:
        found: (ratio, seed) -> distances.
    """
    return [
        "Table S. Mean absolute distance of synthetic patches, grey values in [-1, 1].",
        "",
        "| Ratio | Seed | " + " | ".join(DISTANCES.values()) + " |",
        "|---" * (len(DISTANCES) + 2) + "|",
        *(
            f"| {ratio:g} | {seed} | " + " | ".join(f"{values[k]:.4f}" for k in DISTANCES) + " |"
            for (ratio, seed), values in found.items()
        ),
        "",
    ]
