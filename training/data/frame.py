"""Makes a pandas DataFrame of columns: of numbers, booleans and words, with NaN for missing values.

pandas comes with `datasets`. Only training has it, so nothing imports this module but training on
tables.
"""

import re
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from training.data.table import Table, is_missing, rows_where, shown_rows
from training.errors import TrainingError

MISSING = ("NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "#N/A", "?")
"""Usual spellings of a missing value."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_CODE = re.compile(r"[+-]?0[0-9]", re.ASCII)  # such as the postcode 01069: not a number
_BOOLEANS = {"true": True, "false": False}
_MOSTLY = 0.8  # share of numbers from which a column of words is reported


def to_frame(table: Table, *, missing: Collection[str] = ()) -> tuple[pd.DataFrame, list[str]]:
    """Return a table as a DataFrame.

    Parameters
    ----------
    table : Table
        The table.
    missing : collection of str
        Spellings of missing values, such as `MISSING`, besides blanks and None.

    Returns
    -------
    frame : DataFrame
        A column is int64 if all of its values are whole numbers, float64 if all are numbers or
        missing, bool if all are ``true`` or ``false`` (in any case), and object otherwise: strings
        as they are in the source. Missing values are NaN.
    notes : list of str
        A sentence about each column that is not numeric because of a few values.

    Raises
    ------
    TrainingError
        A column holds lists, or values of several types.
    """
    notes: list[str] = []
    decimal = "," if table.separator == ";" else "."
    columns = {
        name: _typed(
            values, frozenset(missing), decimal, f"column '{name}' of {table.source}", notes
        )
        for name, values in table.columns.items()
    }
    return pd.DataFrame(columns), notes


def _typed(
    values: Sequence[Any], missing: frozenset[str], decimal: str, where: str, notes: list[str]
) -> "pd.Series[Any]":
    gaps = [
        is_missing(value) or (isinstance(value, str) and value.strip() in missing)
        for value in values
    ]
    present = [value for value, gap in zip(values, gaps, strict=True) if not gap]
    types = {_type_name(value) for value in present}
    if len(types) > 1 or "lists or objects" in types:
        raise TrainingError(
            f"{where} holds {' and '.join(sorted(types))}; it must hold numbers, booleans or texts"
        )
    converted: list[Any] = present
    if types == {"texts"}:
        converted = _converted(present, decimal)
        if converted is present:
            _report(values, gaps, decimal, where, notes)
    filled = iter(converted)
    complete = [np.nan if gap else next(filled) for gap in gaps]
    kinds = {type(value) for value in converted}
    if not present or (kinds <= {int, float} and (float in kinds or len(present) < len(values))):
        return pd.Series(complete, dtype=np.float64)
    if kinds == {bool} and len(present) == len(values):
        return pd.Series(complete, dtype=np.bool_)
    if kinds == {int}:
        if all(-(2**63) <= value < 2**63 for value in converted):
            return pd.Series(complete, dtype=np.int64)
        return pd.Series(complete, dtype=np.float64)
    return pd.Series(complete, dtype=object)


def _type_name(value: Any) -> str:
    if isinstance(value, bool):
        return "booleans"
    if isinstance(value, int | float):
        return "numbers"
    return "texts" if isinstance(value, str) else "lists or objects"


def _converted(values: list[str], decimal: str) -> list[Any]:
    """Return strings as booleans or as numbers where all of them are, or else the same list."""
    if all(value.strip().lower() in _BOOLEANS for value in values):
        return [_BOOLEANS[value.strip().lower()] for value in values]
    numbers = [_number(value, decimal) for value in values]
    if any(number is None for number in numbers):
        return values
    return numbers


def _number(value: str, decimal: str) -> int | float | None:
    written = value.strip()
    if decimal != "." and "." not in written:
        written = written.replace(decimal, ".", 1)
    if not _NUMBER.fullmatch(written) or _CODE.match(written):
        return None
    return int(written) if written.lstrip("+-").isdecimal() else float(written)


def _report(
    values: Sequence[Any], gaps: Sequence[bool], decimal: str, where: str, notes: list[str]
) -> None:
    """Add a note about a column in which nearly all values are numbers."""
    words = rows_where(
        not gap and _number(value, decimal) is None for value, gap in zip(values, gaps, strict=True)
    )
    if len(words) <= (1 - _MOSTLY) * (len(values) - sum(gaps)):
        shown = values[words[0] - 1]
        notes.append(
            f"{where} is taken for words, although nearly all of its values are numbers: "
            f"{shown_rows(words)} {'has' if len(words) == 1 else 'have'} others, such as {shown!r}"
        )
