"""PNG and JPEG: shown as every viewer shows them, refused when rows are missing."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from TextPromptSegLib.image.volume import Volume
from TextPromptSegLib.outcome import InputError

Y, X = np.mgrid[0:40, 0:64]
SHOWN = (X * 3 + Y).astype(np.uint8)
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270,
}  # fmt: skip


@pytest.mark.parametrize("orientation", [None, 0, 1, *TURNS, 9])
@pytest.mark.parametrize("ending", ["jpg", "png"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_exif_orientation(tmp_path, orientation, ending, mode):
    picture = Image.fromarray(SHOWN).convert(mode)
    turned = TURNS.get(orientation or 1)
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    path = tmp_path / f"a.{ending}"
    (picture if turned is None else picture.transpose(turned)).save(path, exif=exif, quality=100)
    volume = Volume.read(path)
    seen = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("L")).astype(int)
    assert volume.array[0].shape == (40, 64)
    assert np.abs(volume.array[0] - seen).max() <= 3 and np.abs(seen - SHOWN).max() <= 3
    assert any("EXIF" in note for note in volume.notes) == (turned is not None)


@pytest.mark.parametrize("orientation", [1, 6])
def test_sixteen_bits_and_exif(tmp_path, orientation):
    picture = Image.fromarray(SHOWN.astype(np.uint16) * 200)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "a.png"
    picture.save(path, exif=exif)
    expected = SHOWN.astype(int) * 200
    expected = np.rot90(expected, -1) if orientation == 6 else expected
    np.testing.assert_array_equal(Volume.read(path).array[0], expected)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, rows: bytes, bits=8, colour=0, interlaced=0) -> bytes:
    header = struct.pack(">2I5B", width, height, bits, colour, 0, 0, interlaced)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


ROWS = b"".join(b"\0" + bytes(range(20)) for _ in range(48))


def refused(path, content):
    path.write_bytes(content)
    with pytest.raises(InputError):
        Volume.read(path)


@pytest.mark.parametrize("missing", [1, 20, 21, 500, len(ROWS)])
def test_missing_rows(tmp_path, missing):
    path = tmp_path / "a.png"
    path.write_bytes(png(20, 48, ROWS))
    assert Volume.read(path).shape == (1, 48, 20)
    refused(path, png(20, 48, ROWS[:-missing]))


@pytest.mark.parametrize(
    ("bits", "colour", "size"), [(16, 2, 6), (16, 6, 8), (1, 0, 0), (16, 4, 4)]
)
def test_missing_rows_of_other_kinds(tmp_path, bits, colour, size):
    row = b"\0" + bytes(20 * size if size else 3)
    path = tmp_path / "a.png"
    path.write_bytes(png(20, 48, row * 48, bits, colour))
    assert Volume.read(path).shape == (1, 48, 20)
    refused(path, png(20, 48, row * 47, bits, colour))


def test_interlaced(tmp_path):
    path = tmp_path / "a.png"
    sizes = [(3, 6), (2, 6), (5, 6), (5, 12), (10, 12), (10, 24), (20, 24)]
    rows = b"".join((b"\0" + bytes(width)) * height for width, height in sizes)
    path.write_bytes(png(20, 48, rows, interlaced=1))
    assert Volume.read(path).shape == (1, 48, 20)
    refused(path, png(20, 48, rows[:-1], interlaced=1))


def test_flipped_bits_of_a_png(tmp_path):
    content = png(20, 48, ROWS)
    rng = np.random.default_rng(0)
    path = tmp_path / "a.png"
    for place in rng.choice(8 * len(content), 100, replace=False):
        broken = bytearray(content)
        broken[place // 8] ^= 1 << (place % 8)
        path.write_bytes(broken)
        try:
            found = Volume.read(path).array
        except InputError:
            continue
        np.testing.assert_array_equal(found[0], np.tile(np.arange(20), (48, 1)))


def test_cut_off_jpeg(tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(SHOWN).save(path)
    refused(path, path.read_bytes()[:-100])


@pytest.mark.parametrize(("bits", "colour"), [(16, 2), (8, 0)])
def test_picture_that_would_fill_the_memory(tmp_path, bits, colour):
    refused(tmp_path / "a.png", png(60_000, 60_000, ROWS, bits, colour))
    refused(tmp_path / "b.png", png(13_000, 13_000, bytes(13_001 * 13_000), 8, 0))
