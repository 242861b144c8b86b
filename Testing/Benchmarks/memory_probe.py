"""Runs one large segmentation, prints the peak memory of the process and the volume's, MB."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]


def main(slices: int, prompts: int) -> None:
    """Segment structures in a chest CT of 512 x 512 int16 with the shipped checkpoint."""
    from bench_setup import CHEST_NAMES, chest_ct
    from peak_memory import peak_mb

    from TextPromptSegLib.inference.device import keep_freed_memory
    from TextPromptSegLib.inference.predictor import SlicePredictor

    keep_freed_memory()
    volume = chest_ct(slices)
    predictor = SlicePredictor.from_pretrained("film-unet-compact", "cpu")
    predictor.set_volume(volume)
    answers = predictor.segment(list(CHEST_NAMES[:prompts]))
    assert len(answers) == prompts and all(a.probability is not None for a in answers)
    print(peak_mb(), volume.array.nbytes / 1e6)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
