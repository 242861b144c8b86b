"""Make the image and the thumbnail that the module registers in Slicer's Sample Data.

`python Testing/Tools/make_sample_data.py` derives them from the chest CT that the package slicerio
carries (MIT licence): the same voxels as 16 instead of 32 bits, under a name of this project. The
sha256 that it prints belongs into TextPromptSegGUI/shared/sample_data.py.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import matplotlib.image
import numpy as np
import SimpleITK as sitk
import slicerio
from scipy import ndimage

FOLDER = Path(__file__).resolve().parents[2] / "TextPromptSeg" / "Resources" / "SampleData"
IMAGE = FOLDER / "TextPromptSegChestCT.nrrd"
THUMBNAIL = FOLDER / "TextPromptSegChestCT.png"
LICENCE = FOLDER / "TextPromptSegChestCT-LICENSE.txt"
THUMBNAIL_SIZE = (280, 260)  # height, width, px: as Sample Data shows it
SLICE = 18
WINDOW = (-1000.0, 400.0)  # HU


def main() -> None:
    """Write the three files and print the sha256 of the image."""
    package = Path(slicerio.__file__).parent
    original = sitk.ReadImage(str(package / "data" / "CTChest4.nrrd"))
    FOLDER.mkdir(parents=True, exist_ok=True)
    image = sitk.Cast(original, sitk.sitkInt16)
    for key in image.GetMetaDataKeys():
        image.EraseMetaData(key)
    sitk.WriteImage(image, str(IMAGE), useCompression=True, compressionLevel=9)

    upright = sitk.DICOMOrient(image, "LPS")
    plane = np.clip(sitk.GetArrayViewFromImage(upright)[SLICE], *WINDOW).astype(np.float32)
    width = THUMBNAIL_SIZE[1]
    square = ndimage.zoom(plane, width / plane.shape[1], order=3)
    picture = np.full(THUMBNAIL_SIZE, WINDOW[0], np.float32)
    top = (THUMBNAIL_SIZE[0] - square.shape[0]) // 2
    picture[top : top + square.shape[0]] = np.clip(square, *WINDOW)
    matplotlib.image.imsave(THUMBNAIL, picture, cmap="gray", vmin=WINDOW[0], vmax=WINDOW[1])

    (licence,) = (package.parent).glob("slicerio-*.dist-info/licenses/LICENSE*")
    notice = "TextPromptSegChestCT.nrrd is CTChest4.nrrd of slicerio, its voxels as 16 bits.\n\n"
    LICENCE.write_text(notice + licence.read_text(encoding="utf-8"), encoding="utf-8")
    print(f"{IMAGE.name}: {IMAGE.stat().st_size} bytes")
    print(f"SHA256:{hashlib.sha256(IMAGE.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
