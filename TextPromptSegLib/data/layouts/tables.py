"""Tables of picture names and texts: CSV, TSV and the XLSX files that LViT publishes."""

from __future__ import annotations

import csv
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ...outcome import DependencyError, InputError
from .pictures import key_of

ENDINGS = (".csv", ".tsv", ".xlsx")
_NAMES = ("image", "path", "name", "slice", "file", "filename")
_TEXTS = ("description", "text", "report", "caption")
_LARGEST = 512 << 20  # bytes of an unpacked workbook


def read_table(table: Path) -> dict[str, str]:
    """Return name (lower case, without ending and ``mask_``) -> text of a table.

    The first line holds headings. ``Image`` and ``Description`` (LViT) are found by name, else the
    first column names a picture or mask and the second one holds the text; a table of one column
    gives empty texts.

    Raises:
        InputError: when it is of another kind, cannot be read, or says two things of a picture.
        DependencyError: when openpyxl is needed and missing.
    """
    ending = table.suffix.lower()
    if ending not in ENDINGS:
        raise InputError(f"'{table.name}' is no table ({', '.join(ENDINGS)}).")
    rows = (
        _workbook(table) if ending == ".xlsx" else _lines(table, "\t" if ending == ".tsv" else ",")
    )
    rows = [row for row in rows if any(row)]
    if not rows:
        raise InputError(f"The table '{table.name}' is empty.")
    heading = [cell.lower() for cell in rows[0]]
    name = next((heading.index(word) for word in _NAMES if word in heading), 0)
    text = next((heading.index(word) for word in _TEXTS if word in heading), 1)
    found: dict[str, str] = {}
    for row in rows[1:]:
        key = key_of(row[name]) if len(row) > name else ""
        said = row[text] if len(row) > text and text != name else ""
        if key and found.setdefault(key, said) != said:
            raise InputError(f"The table '{table.name}' says two things of '{row[name]}'.")
    return found


def _lines(table: Path, delimiter: str) -> list[list[str]]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:
            return [_cells(row) for row in csv.reader(stream, delimiter=delimiter)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The table '{table.name}' cannot be read: {error}.") from error


def _workbook(table: Path) -> list[list[str]]:
    """Return the rows of a workbook's first sheet."""
    try:
        import openpyxl
    except ImportError as error:
        raise DependencyError(
            "XLSX tables need openpyxl; install the extra: pip install 'textpromptseg[train]'."
        ) from error
    try:
        with zipfile.ZipFile(table) as archive:
            if sum(member.file_size for member in archive.infolist()) > _LARGEST:
                raise InputError(f"The table '{table.name}' is far too large for a table.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles
            book = openpyxl.load_workbook(table, read_only=True, data_only=True)
            try:
                return [_cells(row) for row in book.worksheets[0].iter_rows(values_only=True)]
            finally:
                book.close()
    # a damaged workbook ends in whatever its XML breaks
    except (
        *(OSError, ValueError, LookupError, TypeError, AttributeError, SyntaxError, EOFError),
        *(OverflowError, NotImplementedError, RecursionError, zipfile.BadZipFile, zlib.error),
    ) as error:
        raise InputError(f"The table '{table.name}' is damaged; download it again.") from error


def _cells(row: Sequence[Any] | Iterable[Any]) -> list[str]:
    return ["" if cell is None else str(cell).strip() for cell in row]
