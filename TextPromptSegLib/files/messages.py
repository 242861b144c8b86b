"""Framed JSON messages over a byte stream: four bytes of length, then UTF-8 JSON.

A length in front of every message means that a stray print of some library can never be taken
for an answer, and that a prompt may hold any character, line breaks included.
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

from ..outcome import TextPromptSegError
from .text import parse_json

VERSION = 1
MAX_BYTES = 16 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class ProtocolError(TextPromptSegError):
    """The other side of the pipe sent something that is not a message."""


def write_message(stream: BinaryIO, message: dict[str, Any]) -> None:
    """Write one message and flush.

    Args:
        stream: a binary stream open for writing.
        message: JSON-ready values only.

    Raises:
        ProtocolError: when the message is larger than 16 MiB; arrays do not belong in messages.
        OSError: when the other side is gone.
    """
    text = json.dumps(message, ensure_ascii=False, allow_nan=True)
    data = text.encode("utf-8", errors="backslashreplace")  # names of files may be no UTF-8
    if len(data) > MAX_BYTES:
        raise ProtocolError("A message to the worker is larger than 16 MiB; send fewer prompts.")
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def read_message(stream: BinaryIO) -> dict[str, Any] | None:
    """Read one message, waiting for it.

    Returns:
        The message, or None at the end of the stream (also inside a cut-off message).

    Raises:
        ProtocolError: when the bytes are not a message.
    """
    head = _read(stream, _LENGTH.size)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > MAX_BYTES:
        raise ProtocolError("The worker sent bytes that are not a message; it was ended.")
    body = _read(stream, length)
    if body is None:
        return None
    try:
        message = parse_json(body.decode("utf-8"))
    except ValueError as error:
        raise ProtocolError("The worker sent bytes that are not a message.") from error
    if not isinstance(message, dict):
        raise ProtocolError("The worker sent a message of an unknown kind.")
    return message


def _read(stream: BinaryIO, count: int) -> bytes | None:
    parts = []
    while count:
        part = stream.read(count)
        if not part:
            return None
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
