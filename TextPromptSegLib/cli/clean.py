"""Texts of others (names of files, headers, titles) as a terminal may show them."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

# Control characters (C0 but tab and newline, C1: some terminals obey 0x9b like ESC [), marks that
# turn the direction of writing, separators of lines, and bytes of names that are no UTF-8.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb]"
)


def clean(text: str) -> str:
    """Return a text in which characters that a terminal would obey are shown as escapes."""
    return _UNSAFE.sub(_escape, text)


def clean_json(data: Any) -> str:
    """Return data as JSON that a terminal only shows; it reads back as the same data."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


class CleanFormatter(logging.Formatter):
    """Writes records of a log as a terminal may show them."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line or lines of a record."""
        return clean(super().format(record))
