"""Reading images of every accepted kind into a `Volume`."""

from __future__ import annotations

from pathlib import Path

from ..outcome import InputError
from ..volume import Volume


def read_volume(
    path: str | Path, *, frame: int | None = None, series: str | int | None = None
) -> Volume:
    """Read an image file into a `Volume`.

    Raises:
        InputError: with one sentence that says what is wrong and what to do.
    """
    import SimpleITK as sitk

    path = Path(path)
    if not path.exists():
        raise InputError(f"There is no file or folder {path}.")
    name = path.name.split(".")[0]
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError:
        raise InputError(f"{path.name} cannot be read as an image.") from None
    volume = Volume.from_sitk(image, name=name, meta={"path": str(path)})
    if path.suffix.lower() in (".png", ".jpg", ".jpeg"):
        return Volume.from_array(
            volume.array, name=name, meta={"path": str(path), "geometry": "assumed"}
        )
    return volume
