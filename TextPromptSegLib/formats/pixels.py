"""Small steps that several readers share: colour to grey, one frame of many."""

from __future__ import annotations

import numpy as np

from ..outcome import InputError


def luminance(colours: np.ndarray) -> np.ndarray:
    """Return the grey value (ITU-R BT.601) of (..., C) colours, C 1 to 4, in the same type.

    C: grey, grey + alpha, red-green-blue, red-green-blue + alpha; transparency is ignored. Grey
    pictures stored as colour come out exactly as they were.
    """
    if colours.shape[-1] < 3:
        return colours[..., 0]
    weights = np.array([0.299, 0.587, 0.114])
    kind = np.float32 if colours.dtype.itemsize < 4 else np.float64
    result = np.empty(colours.shape[:-1], colours.dtype)
    # Row by row or slice by slice: a large picture would take twelve times its size at once.
    for part, grey in zip(colours, result, strict=True):
        values = part[..., :3].astype(kind) @ weights
        grey[...] = np.rint(values) if colours.dtype.kind in "iu" else values
    return result


def pick_frame(frames: np.ndarray, frame: int | None, name: str) -> np.ndarray:
    """Return one of (N, ...) frames.

    Raises:
        InputError: when none was chosen, or there is no such frame.
    """
    check_frame(len(frames), frame, name)
    return frames[frame or 0]


def check_frame(count: int, frame: int | None, name: str, what: str = "time points") -> None:
    """Make sure that one of several frames was chosen.

    Raises:
        InputError: when none was chosen, or there is no such frame.
    """
    if frame is None and count > 1:
        raise InputError(
            f"{name} holds {count} volumes ({what} or channels), but one is needed: save one as a "
            f"file of its own, or pick one with --frame 0..{count - 1} (in Python "
            "Volume.read(path, frame=N))."
        )
    if frame is not None and not 0 <= frame < count:
        raise InputError(f"{name} has no frame {frame}; it has {count}, counted from 0.")
