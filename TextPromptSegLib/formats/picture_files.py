"""PNG and JPEG pictures: as every viewer shows them, with every row there."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

from ..image.volume import LPS_RAS, Volume
from ..outcome import InputError
from .budget import check_budget
from .pixels import luminance
from .stored_voxels import DAMAGED

_PNG = b"\x89PNG\r\n\x1a\n"
_ORIENTATION = 0x0112  # of EXIF
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # PNG colour type -> values of a pixel
# First column and row, and steps, of the seven passes of an interlaced PNG.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
           (0, 1, 1, 2))  # fmt: skip


def read_picture(path: Path, name: str) -> Volume:
    """Read a PNG or JPEG; its place in the patient is assumed: shown as radiologists do.

    Args:
        path: the file.
        name: of the volume.

    Raises:
        InputError: when it is damaged or too large.
    """
    from PIL import Image, UnidentifiedImageError

    with path.open("rb") as stream:
        start = stream.read(32)
    is_png = start[:8] == _PNG
    if is_png:
        _check_png(path)
    notes = [
        "A picture carries no geometry: patient right is taken to be on its left, and its pixels "
        "to be 1 mm."
    ]
    try:
        with Image.open(path) as picture:
            check_budget(4 * picture.width * picture.height, path.stat().st_size, path.name)
            turned = int(picture.getexif().get(_ORIENTATION, 1) or 1)
            # Pillow cuts 16-bit colour down to 8 bits; ITK does not.
            if is_png and start[24] == 16 and start[25] in (2, 6):
                pixels = _sixteen_bits(path)
            else:
                plain = picture.mode in ("L", "LA", "RGB", "RGBA", "I", "F", "I;16", "I;16B")
                colour = "L" if picture.mode == "1" else "RGB"
                pixels = np.asarray(picture if plain else picture.convert(colour))
    except (OSError, SyntaxError, ValueError, struct.error, UnidentifiedImageError):
        raise InputError(DAMAGED.format(path.name)) from None
    except Image.DecompressionBombError:
        raise InputError(f"{path.name} has too many pixels; shrink it first.") from None
    if pixels.ndim == 3:
        pixels = luminance(pixels)
    if 2 <= turned <= 8:
        pixels = _upright(pixels, turned)
        notes.append("The picture was turned as its EXIF orientation says, as viewers show it.")
    meta = {
        "path": str(path),
        "format": "PNG" if is_png else "JPEG",
        "geometry": "assumed",
        "notes": tuple(notes),
    }
    return Volume(np.ascontiguousarray(pixels)[None], LPS_RAS, name=name, meta=meta)


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn and mirror a picture (H, W) as EXIF asks for."""
    if orientation >= 5:
        pixels = pixels.T
    flips = {2: "h", 3: "hv", 4: "v", 5: "", 6: "h", 7: "hv", 8: "v"}[orientation]
    if "h" in flips:
        pixels = pixels[:, ::-1]
    return pixels[::-1] if "v" in flips else pixels


def _check_png(path: Path) -> None:
    """Make sure that a PNG has every piece with the right checksum, and every row.

    Raises:
        InputError: when it has not.
    """
    damaged = InputError(DAMAGED.format(path.name))
    wanted, found = -1, 0
    unpacker = zlib.decompressobj()
    try:
        with path.open("rb") as stream:
            stream.seek(len(_PNG))
            size = path.stat().st_size
            while True:
                length, kind = struct.unpack(">I4s", stream.read(8))
                if length > size:
                    raise damaged
                body = stream.read(length)
                (checksum,) = struct.unpack(">I", stream.read(4))
                if zlib.crc32(kind + body) != checksum:
                    raise damaged
                if kind == b"IHDR":
                    wanted = _png_bytes(body)
                    check_budget(wanted, size, path.name)
                elif kind == b"IDAT":
                    while body and found <= wanted:
                        found += len(unpacker.decompress(body, 1 << 20))
                        body = unpacker.unconsumed_tail
                elif kind == b"IEND":
                    break
    except (struct.error, zlib.error, KeyError):
        raise damaged from None
    if found < wanted:
        raise damaged


def _png_bytes(header: bytes) -> int:
    """Return the size of the unpacked rows, each with its filter byte."""
    width, height, bits, colour, _, _, interlaced = struct.unpack(">2I5B", header)
    depth = bits * _CHANNELS[colour]
    if not interlaced:
        return int(height * (1 + -(-width * depth // 8)))
    total = 0
    for left, top, step, down in _PASSES:
        columns, rows = -(-(width - left) // step), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * depth // 8))
    return total


def _sixteen_bits(path: Path) -> np.ndarray:
    import SimpleITK as sitk

    try:
        return sitk.GetArrayFromImage(sitk.ReadImage(str(path), imageIO="PNGImageIO"))
    except RuntimeError:
        raise InputError(DAMAGED.format(path.name)) from None
