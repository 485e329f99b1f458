"""Reads jsonl files, and json files in the shapes that programs write tables in.

Those are a list of objects, one for each row, and what pandas' `to_json` writes with its other
values of `orient`: columns, index, split and table.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from training.data.encodings import find_encoding, open_text
from training.data.files import File
from training.data.table import Select, Table, selected
from training.errors import TrainingError

_ADVICE = (
    'write one object for each row, such as pandas\' DataFrame.to_json(path, orient="records", '
    "lines=True) does into a .jsonl file"
)
_FIRST = 1000  # rows whose names are the columns

Row = Mapping[str, Any]


def read_json(file: File, select: Select, *, encoding: str | None) -> Table:
    """Read columns of a json or jsonl file.

    Parameters
    ----------
    file : File
        A json or jsonl file; which of the shapes it has depends on its content.
    select : Select
        Chooses the columns. A name that a row does not have is None there.
    encoding : str or None
        See `training.data.encodings.find_encoding`.

    Raises
    ------
    TrainingError
        The file cannot be read without doubt; the message says where.
    """
    encoding, notes = find_encoding(file, encoding)
    with open_text(file, encoding) as text:
        lines = (
            (number, line) for number, line in enumerate(text, 1) if line.strip(" \t\r\n\ufeff")
        )
        first = next(lines, None)
        if first is None:
            raise TrainingError(f"{file.path} is empty")
        second = next(lines, None)
        by_line = second is not None and _is_object(first[1]) and second[1].lstrip().startswith("{")
        rows: Iterable[Row]
        if second is not None and by_line:
            rows = _lines(file, chain((first, second), lines))
        else:
            rest = (line for _, line in chain(filter(None, [second]), lines))
            # Blank lines in front keep the numbers of lines in errors right.
            whole = "\n" * (first[0] - 1) + "".join(chain([first[1]], rest))
            rows = _document(file, whole)
        columns = _columns(file, iter(rows), select)
    return Table(columns, file.name, "", notes)


def _is_object(line: str) -> bool:
    """Return whether a line is a whole JSON object."""
    try:
        return isinstance(json.loads(line.strip(" \t\r\n\ufeff")), dict)
    except ValueError:
        return False


def _lines(file: File, lines: Iterable[tuple[int, str]]) -> Iterator[Row]:
    for number, line in lines:
        try:
            row = json.loads(line.strip(" \t\r\n\ufeff"))
        except ValueError as exc:
            raise _damaged(file, exc, number) from exc
        except RecursionError as exc:
            raise TrainingError(f"line {number} of {file.name} is nested too deeply") from exc
        if not isinstance(row, dict):
            raise TrainingError(f"line {number} of {file.name} is not an object; {_ADVICE}")
        yield row


def _document(file: File, text: str) -> Iterable[Row]:
    try:
        document = json.loads(text.lstrip("\ufeff"))
    except ValueError as exc:
        raise _damaged(file, exc) from exc
    except RecursionError as exc:
        raise TrainingError(f"{file.name} is nested too deeply") from exc
    rows = _rows(document)
    if rows is None:
        raise TrainingError(
            f"{file.name} does not hold rows in a shape that can be read "
            f"({_description(document)}); {_ADVICE}"
        )
    return rows


def _rows(document: Any) -> Sequence[Row] | None:
    """Return the rows of a document, None if it has none of the known shapes."""
    if isinstance(document, list):
        return document if all(isinstance(row, dict) for row in document) else None
    if not isinstance(document, dict) or not document:
        return None
    data = document.get("data")
    if isinstance(data, list) and isinstance(document.get("columns"), list):
        return _split(document["columns"], data)
    if isinstance(data, list) and isinstance(document.get("schema"), dict):
        return _without(data, document["schema"].get("primaryKey", []))
    values = list(document.values())
    if all(isinstance(value, list) for value in values):
        if len(values) == 1 and values[0] and isinstance(values[0][0], dict):
            return _rows(values[0])  # such as {"data": [...]}
        return _zipped(document) if len({len(value) for value in values}) == 1 else None
    if all(isinstance(value, dict) for value in values):
        return _nested(document)
    if not any(isinstance(value, dict | list) for value in values):
        return [document]  # a jsonl file of one row
    return None


def _split(names: list[Any], data: list[Any]) -> list[Row] | None:
    """Return the rows of ``orient="split"``."""
    if not all(isinstance(row, list) and len(row) == len(names) for row in data):
        return None
    if len(set(map(str, names))) < len(names):
        return None
    return [dict(zip(map(str, names), row, strict=True)) for row in data]


def _without(data: list[Any], index: Any) -> list[Row] | None:
    """Return the rows of ``orient="table"``, without the index."""
    if not all(isinstance(row, dict) for row in data):
        return None
    left_out = set(index if isinstance(index, list) else [index])
    return [{key: value for key, value in row.items() if key not in left_out} for row in data]


def _zipped(columns: Mapping[str, list[Any]]) -> list[Row]:
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _nested(document: Mapping[str, Mapping[str, Any]]) -> list[Row] | None:
    """Return the rows of ``orient="columns"`` and ``orient="index"``, which have the same form.

    The names of the rows are numbers, unless the index is another one; then there are more rows
    than columns.
    """
    outer, inner = list(document), list(next(iter(document.values())))
    if any(value.keys() != set(inner) for value in document.values()):
        return None
    numbered = [all(name.isdecimal() for name in names) for names in (outer, inner)]
    by_column = numbered[1] if numbered[0] != numbered[1] else len(inner) > len(outer)
    if not by_column:
        return list(document.values())
    return [{name: document[name][row] for name in outer} for row in inner]


def _columns(file: File, rows: Iterator[Row], select: Select) -> dict[str, list[Any]]:
    first = list(islice(rows, _FIRST))
    if not first:
        raise TrainingError(f"{file.name} has no rows")
    written = [*dict.fromkeys(name for row in first for name in row)]
    present = [name.strip() for name in written]
    names = selected(select, present, file.name)
    columns: dict[str, list[Any]] = {name: [] for name in names}
    appends = [(columns[name].append, written[present.index(name)]) for name in names]
    for row in chain(first, rows):
        for append, name in appends:
            append(row.get(name))
    for name, values in columns.items():
        for number, value in enumerate(values, 1):
            if isinstance(value, str) and not value.isascii():
                _refuse_halves(file, name, number, value)
    return columns


def _refuse_halves(file: File, name: str, number: int, value: str) -> None:
    r"""Refuse half of a character outside the basic plane, such as ``\ud83d``: it is no text."""
    try:
        value.encode()
    except UnicodeEncodeError as exc:
        raise TrainingError(
            f"row {number} of {file.name} has half a character in column '{name}' "
            f"(\\u{ord(value[exc.start]):04x}); was the text cut off inside an emoji?"
        ) from exc


def _damaged(file: File, error: ValueError, line: int = 0) -> TrainingError:
    where = ""
    if isinstance(error, json.JSONDecodeError):
        where = f" in line {line or error.lineno}, column {error.colno}"
    reason = error.msg if isinstance(error, json.JSONDecodeError) else error
    return TrainingError(f"{file.path} cannot be read as {file.type}: {reason}{where}")


def _description(document: Any) -> str:
    if isinstance(document, dict):
        keys = ", ".join(map(repr, list(document)[:3]))
        return f"an object with {keys}{' and others' if len(document) > 3 else ''}"
    return (
        f"a list of {len(document)} values" if isinstance(document, list) else repr(document)[:40]
    )
