"""The image of the tutorial, offered by Slicer's module Sample Data; it ships with the module."""

from __future__ import annotations

import logging
from pathlib import Path

CATEGORY = "TextPromptSeg"
NAME = "TextPromptSegChestCT"
SHA256 = "eb2f263955d1ca26a6cd71cf7b5287711f15216758c1c41ef4a1744e1da05f91"
FOLDER = Path(__file__).resolve().parents[2] / "Resources" / "SampleData"

_log = logging.getLogger(__name__)


def register() -> None:
    """Offer the image in Sample Data; nothing is copied or loaded before it is asked for."""
    try:
        import SampleData
    except ImportError:  # a Slicer that was built without the module
        _log.info("The module Sample Data is not there; the tutorial's image is not offered")
        return
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=NAME,
        thumbnailFileName=str(FOLDER / f"{NAME}.png"),
        uris=(FOLDER / f"{NAME}.nrrd").as_uri(),
        fileNames=f"{NAME}.nrrd",
        nodeNames=NAME,
        checksums=f"SHA256:{SHA256}",
        loadFileType="VolumeFile",
    )
