"""Runs one large segmentation and prints the peak memory of the process, MB; see test_memory."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]


def main() -> None:
    """Segment three structures in a CT of 512 x 512 x 300 int16."""
    import pytest
    from bench_setup import PROFILE, ct, give_presence, stand_in
    from peak_memory import peak_mb

    from TextPromptSegLib.inference.device import keep_freed_memory
    from TextPromptSegLib.inference.predictor import SlicePredictor

    keep_freed_memory()
    with pytest.MonkeyPatch.context() as patch:
        give_presence(patch)
        volume = ct((300, 512, 512))
        predictor = SlicePredictor(stand_in(), "cpu")
        predictor.set_volume(volume)
        answers = predictor.segment(list(PROFILE)[:3])
    assert len(answers) == 3 and all(a.probability is not None for a in answers)
    print(peak_mb())


if __name__ == "__main__":
    main()
