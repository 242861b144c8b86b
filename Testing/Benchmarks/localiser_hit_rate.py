"""Measure how often the localiser's region holds the organ: table and JSON of one split.

Run: python Testing/Benchmarks/localiser_hit_rate.py ../shared/data/ct_abdomen_btcv test pancreas
"""

from __future__ import annotations

import json
import sys

from TextPromptSegLib.data.datasets import Dataset
from TextPromptSegLib.intensity import InputSpec
from TextPromptSegLib.systems.patch_unet_vae.hit_rate import as_rows, judge, look, summary
from TextPromptSegLib.systems.patch_unet_vae.localiser import Localiser
from TextPromptSegLib.text import CLIP_COMPACT, load_text_encoder


def main(folder: str, split: str, *names: str) -> None:
    """Print one row per structure, then the rows of all cases as JSON."""
    clip = load_text_encoder(CLIP_COMPACT)
    localiser = Localiser(clip)  # type: ignore[arg-type]
    hits = []
    for case in Dataset.read(folder).split(split):
        hits += judge(look(localiser, clip, case, names, InputSpec(), slice_mm=4.0), names)
    for name, row in summary(hits).items():
        print(name, {key: round(value, 3) for key, value in row.items()})
    print(json.dumps(as_rows(hits)))


if __name__ == "__main__":
    main(*sys.argv[1:])
