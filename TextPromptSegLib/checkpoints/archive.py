"""Taking a checkpoint out of a folder or a zip that somebody else made."""

from __future__ import annotations

import lzma
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from ..files.leftovers import owned_prefix, sweep
from ..outcome import CheckpointError
from .layout import CONFIG, WEIGHTS

_STAGING = ".import-"
LARGEST_BYTES = 8 << 30
LARGEST_RATIO = 200
MOST_ENTRIES = 2000
TEXT_BYTES = 16 << 20
KEPT = (".json", ".safetensors", ".md", ".txt")
"""File names' ends that are taken along; everything else (pickles above all) stays outside."""

# What zipfile and its decompressors raise for a stream that is damaged or made to hurt.
_BROKEN = (
    OSError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, KeyError,
    IndexError, OverflowError, zlib.error, lzma.LZMAError, struct.error, MemoryError,
)  # fmt: skip


def staging(root: Path) -> tempfile.TemporaryDirectory[str]:
    """Return a temporary folder in the final place, so that moving out of it is one rename.

    Raises:
        CheckpointError: when the place cannot be written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        sweep(root, _STAGING)
        return tempfile.TemporaryDirectory(prefix=owned_prefix(_STAGING), dir=root)
    except OSError as error:
        raise CheckpointError(
            f"'{root}' cannot be written: {error.strerror or error}; choose another folder with "
            "the environment variable TEXTPROMPTSEG_HOME."
        ) from error


def gather(path: Path, stage: str | Path) -> Path:
    """Copy the files of a checkpoint from a folder or zip into a folder under ``stage``.

    Raises:
        CheckpointError: when it is no checkpoint or is unsafe to unpack.
    """
    target = Path(stage) / "checkpoint"
    target.mkdir()
    try:
        if path.is_dir():
            _from_folder(path, target)
        elif path.is_file() and zipfile.is_zipfile(path):
            _from_zip(path, target)
        elif path.exists():
            raise CheckpointError(f"'{path}' is neither a checkpoint folder nor a zip file.")
        else:
            raise CheckpointError(f"There is no '{path}'.")
    except _BROKEN as error:
        raise CheckpointError(f"'{path}' cannot be read: {error}.") from error
    return target


def _from_folder(path: Path, target: Path) -> None:
    """Copy the plain files; links are refused because they may point anywhere."""
    if not (path / CONFIG).is_file():
        raise CheckpointError(f"'{path}' is not a checkpoint: it has no {CONFIG}.")
    for file in sorted(path.iterdir()):
        if file.suffix.lower() not in KEPT:
            continue
        if file.is_symlink():
            raise CheckpointError(f"'{file.name}' is a link; a checkpoint holds plain files only.")
        if file.is_file():
            _check_size(file.name, file.stat().st_size)
            shutil.copyfile(file, target / file.name)


def _from_zip(path: Path, target: Path) -> None:
    """Unpack the files beside ``config.json``; every entry of the zip must be harmless."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if len(entries) > MOST_ENTRIES:
            raise CheckpointError(f"The zip holds {len(entries)} files; it is not a checkpoint.")
        for entry in entries:
            _check_entry(entry)
        if sum(entry.file_size for entry in entries) > LARGEST_BYTES:
            raise CheckpointError(f"The zip unpacks to more than {LARGEST_BYTES >> 30} GB.")
        roots = [PurePosixPath(e.filename).parent for e in entries if _base(e) == CONFIG]
        if len(roots) != 1:
            raise CheckpointError(
                f"The zip must hold one {CONFIG}; it holds {len(roots) or 'none'}."
            )
        for entry in entries:
            name = PurePosixPath(entry.filename)
            if entry.is_dir() or name.parent != roots[0] or name.suffix.lower() not in KEPT:
                continue
            _unpack(archive, entry, target / name.name)


def _base(entry: zipfile.ZipInfo) -> str:
    """Return the file's name without folders."""
    return PurePosixPath(entry.filename).name


def _check_entry(entry: zipfile.ZipInfo) -> None:
    """Refuse what could write elsewhere, link elsewhere, or swell."""
    name = entry.filename
    parts = PurePosixPath(name).parts
    if "\\" in name or ":" in name or name.startswith("/") or ".." in parts or "\0" in name:
        raise CheckpointError(f"The zip has an unsafe path '{name}'; nothing was unpacked.")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise CheckpointError(f"The zip holds a link or device '{name}'; nothing was unpacked.")
    if entry.flag_bits & 1:
        raise CheckpointError("The zip is locked by a password; unpack it first.")
    if entry.file_size > LARGEST_RATIO * max(entry.compress_size, 1) and entry.file_size > 1 << 20:
        raise CheckpointError(f"'{name}' in the zip unpacks suspiciously large; it was refused.")
    _check_size(_base(entry), entry.file_size)


def _check_size(name: str, size: int) -> None:
    """Refuse files far larger than a checkpoint's."""
    limit = LARGEST_BYTES if name == WEIGHTS or name.endswith(".safetensors") else TEXT_BYTES
    if size > limit and name.lower().endswith(KEPT):
        raise CheckpointError(f"'{name}' has {size:,} bytes; a checkpoint's is smaller.")


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    """Write one entry, stopping when it is longer than the zip's directory says."""
    with archive.open(entry) as source, path.open("xb") as sink:
        left = entry.file_size
        while block := source.read(1 << 20):
            left -= len(block)
            if left < 0:
                raise CheckpointError(f"'{entry.filename}' in the zip is longer than it says.")
            sink.write(block)
