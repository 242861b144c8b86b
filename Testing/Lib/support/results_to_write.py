"""Results of four structures in an oblique scan, and their codes, for the tests of writers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from TextPromptSegLib.image.volume import LPS_RAS, Volume
from TextPromptSegLib.outcome import Outcome
from TextPromptSegLib.prompting.prompts import Prompt
from TextPromptSegLib.prompting.segmentation import Segmentation

SHAPE = (6, 7, 8)
STRUCTURE = ("SCT", "123037004", "Anatomical Structure")
LIVER = ("SCT", "10200004", "Liver")
KIDNEY = ("SCT", "64033007", "Kidney")
RIGHT = ("SCT", "24028007", "Right")
ABNORMAL = ("SCT", "49755003", "Morphologically Abnormal Structure")
TUMOR = ("SCT", "108369006", "Neoplasm")


class Codes:
    """Codes of one structure, as the vocabulary gives them."""

    def __init__(self, category, type, modifier, colour, region=None):
        self.category, self.type, self.modifier, self.colour = category, type, modifier, colour
        self.region, self.region_modifier = region, None


class Names:
    """A small vocabulary, so that these tests do not depend on the words that ship."""

    known = {
        "liver": Codes(STRUCTURE, LIVER, None, (221, 130, 101)),
        "kidney": Codes(STRUCTURE, KIDNEY, RIGHT, (185, 102, 83)),
        "tumor": Codes(ABNORMAL, TUMOR, None, (144, 238, 144), LIVER),
    }

    def terminology(self, prompt):
        return self.known.get(prompt.structure)


def box(*ranges: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    mask[tuple(slice(a, b) for a, b in ranges)] = 1
    return mask


def result(name: str, structure: str | None, mask: np.ndarray, text: str | None = None, **facts):
    outcome = Outcome.FOUND if mask.any() else Outcome.NOT_FOUND
    provenance = {"model": "film-unet-tiny", "weights_sha256": "ab" * 32, "version": "0.1.0",
                  "slices": [0, 6], **facts}  # fmt: skip
    return Segmentation(
        prompt=Prompt(text=text or name, name=name, structure=structure),
        outcome=outcome,
        mask=mask,
        probability=mask.astype(np.float16),
        seconds=0.1,
        max_probability=float(mask.max()),
        voxels=int(mask.sum()),
        volume_ml=0.0,
        threshold=0.5,
        provenance=provenance,
    )


def oblique(sheared: bool = False) -> np.ndarray:
    angle = 0.3
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix = LPS_RAS @ turn @ np.diag([0.7, 0.8, 2.5, 1.0])
    if sheared:
        matrix[1, 2] = 0.6
    matrix[:3, 3] = (11.5, -20.25, 33.125)
    return matrix


def scan() -> Volume:
    array = np.random.default_rng(0).integers(-100, 300, SHAPE).astype(np.int16)
    return Volume(array, oblique(), "CT", "scan")


def organs() -> list[Segmentation]:
    liver = box((1, 5), (1, 6), (1, 7))
    return [
        result("liver", "liver", liver, text="please segment the liver"),
        result("right kidney", "kidney", box((0, 2), (6, 7), (0, 3))),
        result("liver tumor", "tumor", box((2, 4), (2, 4), (2, 5))),  # inside the liver
        result("spleen", None, np.zeros(SHAPE, np.uint8)),
    ]


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
