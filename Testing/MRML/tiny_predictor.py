"""A predictor without a network: a structure is what lies in its range of brightness and side.

Probabilities are smooth in the brightness, so that a threshold changes the mask; sides are judged
in canonical LPS, so that a wrong orientation puts a kidney on the wrong side.
"""

from __future__ import annotations

import numpy as np

from TextPromptSegLib.inference.answers import answer, refuse
from TextPromptSegLib.inference.postprocess import PostprocessRule
from TextPromptSegLib.outcome import Cancelled

BRIGHTNESS = {"liver": 100, "kidney": 200, "liver tumor": 110, "spleen": 300}


class TinyPredictor:
    """Offers what the bridge uses of `SlicePredictor`."""

    loads = 0

    def __init__(self, model, device="auto"):
        type(self).loads += 1
        self.model, self.device = model, device
        self.unloaded = False
        self.volumes = []

    def set_volume(self, volume, roi=None, slices=None, plane=None):
        self.volume, self.roi, self.slices, self.plane = volume, roi, slices, plane
        self.volumes.append(volume)

    def unload(self):
        self.unloaded = True

    def segment(self, prompts, threshold=None, samples=None, progress=None, **hints):
        self.asked = {"samples": samples, **hints}
        results = []
        for number, prompt in enumerate(prompts):
            if progress is not None and not progress(number, len(prompts), prompt.name):
                raise Cancelled
            results.append(self._one(prompt, 0.5 if threshold is None else threshold))
        return results

    def _one(self, prompt, threshold):
        facts = {
            "model": self.model,
            "weights_sha256": "cd" * 32,
            "device": self.device,
            "roi_ras_mm": self.roi,
            "spacing_mm": list(self.volume.spacing),
            "voxel_ml": self.volume.voxel_ml,
            "slice_axis": 0,
            "postprocess": PostprocessRule().to_dict(),
        }
        if prompt.structure not in BRIGHTNESS:
            text = f"This checkpoint was not trained on '{prompt.name}'."
            return refuse(prompt, text, self.volume.shape, threshold, facts)
        canonical = self.volume.canonical("LPS")
        distance = np.abs(canonical.array.astype(np.float32) - BRIGHTNESS[prompt.structure])
        probability = np.clip(1 - distance / 20, 0, 0.98)
        middle = canonical.shape[2] // 2
        if prompt.side == "right":
            probability[:, :, middle:] = 0
        elif prompt.side == "left":
            probability[:, :, :middle] = 0
        probability = self.volume.orientation("LPS").invert(probability).astype(np.float16)
        if self.roi is not None:
            searched = np.zeros(self.volume.shape, bool)
            searched[self.volume.box_to_slices(*self.roi)] = True
            probability = probability * searched
        return answer(prompt, probability, threshold, 0.01, facts)
