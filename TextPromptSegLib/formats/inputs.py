"""The files that a volume was read from, which no result may replace."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from ..files.checks import KnownFiles
from ..image.volume import Volume
from ..outcome import InputError, OutputError
from .members import input_files


def check_not_input(volume: Volume, targets: Iterable[Path]) -> None:
    """Make sure that results do not replace the files that the image was read from.

    Args:
        volume: the image; one that was never a file has nothing to lose.
        targets: where results go.

    Raises:
        OutputError: naming the file that would be lost.
    """
    source = volume.meta.get("path")
    files = [Path(str(name)) for name in volume.meta.get("dicom_files") or ()]
    if source and not files:
        with contextlib.suppress(OSError, ValueError, InputError):  # gone since it was read
            files = list(input_files(str(source)))
    known = KnownFiles(files)
    for target in targets:
        if (member := known.same(target)) is not None:
            raise OutputError(f"This would overwrite the input {member.name}; choose another name.")
