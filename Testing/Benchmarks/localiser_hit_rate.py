"""Measure how often the localiser's region holds the organ: table and JSON of one split.

Run: localiser_hit_rate.py MODEL ../shared/data/ct_abdomen_btcv test NAME ...
Regions are made by the rule of the checkpoint. Cases in which all names are hit are counted, too.
"""

from __future__ import annotations

import json
import sys

from TextPromptSegLib.checkpoints.layout import input_spec
from TextPromptSegLib.data.datasets import Dataset
from TextPromptSegLib.evaluation.hit_rate import as_rows, judge, look, summary
from TextPromptSegLib.inference.engines.locating_engine import LOOK_MM
from TextPromptSegLib.inference.loaded_checkpoint import load
from TextPromptSegLib.systems.patch_unet_vae import PatchUNetVAE


def main(model: str, folder: str, split: str, *names: str) -> None:
    """Print one row per structure, then the rows of all cases as JSON."""
    checkpoint = load(model)
    network = checkpoint.model
    assert isinstance(network, PatchUNetVAE) and network.localiser is not None
    config, spec = network.config, input_spec(checkpoint.config)
    localiser = network.localiser
    hits = []
    for case in Dataset.read(folder).split(split):
        seen = look(localiser, checkpoint.text_encoder, case, names, spec, slice_mm=LOOK_MM)
        hits += judge(
            seen,
            names,
            margin_mm=config.region_margin * localiser.spec.pixel_mm,
            slack_mm=config.region_slack,
            threshold=config.evidence,
            extent=config.extent,
        )
    for name, row in summary(hits).items():
        print(name, {key: round(value, 3) for key, value in row.items()})
    cases = {hit.case for hit in hits}
    both = [all(h.inside >= 0.9 for h in hits if h.case == case) for case in cases]
    print(f"all of {', '.join(names)}: {sum(both)} of {len(both)} cases")
    print(json.dumps(as_rows(hits)))


if __name__ == "__main__":
    main(*sys.argv[1:])
