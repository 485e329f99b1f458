"""Reads csv and tsv files to the letter: a row has as many fields as the header, or is refused."""

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NoReturn, TextIO

from training.data.encodings import find_encoding, open_text
from training.data.files import File
from training.data.table import Select, Table, listed, selected
from training.errors import TrainingError

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_NAMES = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "bar": "|", "pipe": "|"}
_DEFAULTS = {"csv": ",", "tsv": "\t"}
_SNIFFED = 2**18  # characters
_SNIFFED_ROWS = 50
_WIDTH = 40  # characters that an error shows of a field


def read_delimited(
    file: File, select: Select, *, encoding: str | None, separator: str | None
) -> Table:
    """Read columns of a csv or tsv file.

    Parameters
    ----------
    file : File
        A csv or tsv file. Its first row names the columns.
    select : Select
        Chooses the columns.
    encoding : str or None
        See `training.data.encodings.find_encoding`.
    separator : str or None
        What separates the fields: a character, or its name; None to recognise it.

    Raises
    ------
    TrainingError
        The file cannot be read without doubt; the message names the row.
    """
    wanted = None if separator is None else _character(separator)
    encoding, notes = find_encoding(file, encoding)
    with open_text(file, encoding) as text, _any_length():
        directive, start = _start(text)
        found = wanted or directive or _recognised(start, file)
        # In "text, label", blanks belong to the separators, not to the values.
        spaced = _spaced(start, found)
    if wanted is None and found != _DEFAULTS[file.type]:
        notes += (f"the fields of {file.name} are separated by {_SEPARATORS.get(found, found)}",)
    with open_text(file, encoding) as text, _any_length():
        if directive:
            text.readline()
        reader = csv.reader(text, delimiter=found, strict=True, skipinitialspace=spaced)
        rows = _Rows(reader, file, found, first_line=2 if directive else 1)
        header = [name.strip() for name in rows.header()]
        unnamed = [number for number, name in enumerate(header, 1) if not name]
        if unnamed:
            notes += (
                f"column {listed([*map(str, unnamed)])} of {file.name} has no name and is not read",
            )
        names = selected(select, [name for name in header if name], file.name)
        columns = rows.columns([header.index(name) for name in names], len(header))
    return Table(dict(zip(names, columns, strict=True)), file.name, "", notes, found)


class _Rows:
    """The rows of a file, with their numbers.

    Parameters
    ----------
    reader : csv.reader
        The rows.
    file : File
        The file.
    separator : str
        What separates the fields.
    first_line : int
        The line of the header.
    """

    def __init__(self, reader: Any, file: File, separator: str, first_line: int) -> None:
        self._reader = reader
        self._file = file
        self._separator = separator
        self._offset = first_line - 1
        self._number = -1  # the header is row 0
        self._line = first_line

    def header(self) -> list[str]:
        """Return the first row."""
        for row in self._iterate():
            if any(field.strip() for field in row):
                return row
            raise TrainingError(
                f"the first row of {self._file.name} is blank; it must name the columns"
            )
        raise TrainingError(f"{self._file.path} is empty")

    def columns(self, positions: Sequence[int], width: int) -> list[list[str]]:
        """Return the fields of columns, each of shape ``(n,)``, of rows with `width` fields."""
        columns: list[list[str]] = [[] for _ in positions]
        pairs = [
            (column.append, position) for column, position in zip(columns, positions, strict=True)
        ]
        for row in self._iterate():
            if len(row) != width:
                self._refuse_width(row, width)
            for append, position in pairs:
                append(row[position])
        for column in columns:
            for number, value in enumerate(column, 1):
                if "\0" in value:
                    raise TrainingError(f"row {number} of {self._file.name} has a zero byte")
        if not self._number:
            raise TrainingError(f"{self._file.name} has a header but no rows")
        return columns

    def _iterate(self) -> Iterator[list[str]]:
        while True:
            self._line = self._reader.line_num + self._offset + 1
            try:
                row = next(self._reader)
            except StopIteration:
                return
            except csv.Error as exc:
                self._refuse_quotes(exc)
            if len(row) < 2 and not "".join(row).strip():
                continue  # a blank line
            self._number += 1
            yield row

    def _refuse_width(self, row: Sequence[str], width: int) -> NoReturn:
        shown = f" {self._separator.replace(chr(9), '⇥')} ".join(map(_shortened, row[:6]))
        more = " …" if len(row) > 6 else ""
        name = _SEPARATORS.get(self._separator, repr(self._separator)).removesuffix("s")
        raise TrainingError(
            f"{self._where()} has {_fields(len(row))}, but the header has {width}: {shown}{more}. "
            f"A field that contains a {name} must be in double quotes; if the fields are not "
            f"separated by {name}s, name what separates them with --separator"
        )

    def _refuse_quotes(self, error: csv.Error) -> NoReturn:
        end = self._reader.line_num + self._offset
        self._number += 1
        if "unexpected end" in str(error):
            problem = "has a quote that is never closed"
        elif "expected after" in str(error):
            until = f" (it ends in line {end})" if end > self._line else ""
            problem = f"has text after the closing quote of a field{until}"
        else:
            problem = f"cannot be read: {error}"
        raise TrainingError(
            f"{self._where()} {problem}; a field that contains a quote must be in double quotes, "
            'with the quotes inside it doubled: "like ""this"""'
        )

    def _where(self) -> str:
        row = f"row {self._number}" if self._number else "the header"
        return f"{row} of {self._file.name} (line {self._line})"


def _character(separator: str) -> str:
    character = _NAMES.get(separator.lower(), separator)
    if len(character) != 1 or character in '"\r\n\0':
        raise TrainingError(
            f"--separator is {separator!r}; it must be one character, or one of: "
            f"{', '.join(name for name in _NAMES if name.isalpha())}"
        )
    return character


def _start(text: TextIO) -> tuple[str | None, str]:
    """Return the separator that a first line such as ``sep=;`` names, and the text after it."""
    start = text.read(_SNIFFED)
    first, _, rest = start.partition("\n")
    first = first.rstrip("\r")
    if len(first) == 5 and first.lower().startswith("sep=") and first[4] != '"':
        return first[4], rest
    return None, start


def _recognised(start: str, file: File) -> str:
    """Return the character that separates the fields in the first rows of a file."""
    default = _DEFAULTS[file.type]
    consistent, splitting = [], []
    for separator in _SEPARATORS:
        rows = _first_rows(start, separator)
        width = len(rows[0]) if rows else 0
        if width > 1:
            splitting.append(separator)
            if all(len(row) == width for row in rows):
                consistent.append(separator)
    for candidates in (consistent, splitting):
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            if default in candidates:
                return default
            break
    if not splitting:
        return default
    raise TrainingError(
        f"the fields of {file.name} could be separated by "
        f"{' or '.join(_SEPARATORS[separator] for separator in consistent or splitting)}; name the "
        "character with --separator"
    )


def _first_rows(start: str, separator: str) -> list[list[str]]:
    """Return the first rows, without blank lines, and without one that is cut off."""
    reader = csv.reader(io.StringIO(start, newline=""), delimiter=separator, skipinitialspace=True)
    rows = [row for row in islice(reader, _SNIFFED_ROWS) if "".join(row).strip()]
    cut = len(start) == _SNIFFED and 1 < len(rows) < _SNIFFED_ROWS
    return rows[:-1] if cut else rows


def _spaced(start: str, separator: str) -> bool:
    """Return whether each name in the header but the first comes after a blank."""
    header = next(csv.reader(io.StringIO(start, newline=""), delimiter=separator), [])
    return len(header) > 1 and all(name.startswith(" ") for name in header[1:])


@contextmanager
def _any_length() -> Iterator[None]:
    """Let fields have any length; the csv module's limit holds for the whole process."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _fields(count: int) -> str:
    return f"{count} field" if count == 1 else f"{count} fields"


def _shortened(field: str) -> str:
    return repr(field if len(field) <= _WIDTH else f"{field[:_WIDTH]}…")
