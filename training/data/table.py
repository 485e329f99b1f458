"""Named columns, as every kind of source gives them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

from training.errors import TrainingError

SHOWN = 5

Select = Callable[[Sequence[str], str], Sequence[str]]
"""Chooses the columns to read: takes the names of all columns and the source's name, returns the
wanted names or raises a `TrainingError`. No other column is read."""


@dataclass(frozen=True)
class Table:
    """Columns of a source.

    Attributes
    ----------
    columns : dict of str to list
        The values of each column that was asked for, each of shape ``(n,)``. Values of csv and tsv
        files are strings; other types of source have numbers, booleans and None, too.
    source : str
        File name, or id of the data set on the hub.
    revision : str
        SHA-256 of the file, or commit of the data set.
    notes : tuple of str
        How the source was read, where that is not obvious: a sentence each.
    separator : str or None
        What separates the fields, None where there is no such character.
    """

    columns: dict[str, list[Any]]
    source: str
    revision: str = ""
    notes: tuple[str, ...] = ()
    separator: str | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self.columns.values()), ()))

    def take(self, kept: Sequence[bool]) -> "Table":
        """Return the rows for which `kept`, of shape ``(n,)``, is true."""
        columns = {name: list(compress(values, kept)) for name, values in self.columns.items()}
        return replace(self, columns=columns)


def all_columns(present: Sequence[str], source: str) -> Sequence[str]:
    """Select every column."""
    return present


def named_columns(*wanted: str) -> Select:
    """Return a function that selects the named columns, and refuses names that do not exist."""

    def select(present: Sequence[str], source: str) -> Sequence[str]:
        for name in wanted:
            if name not in present:
                raise TrainingError(f"{source} has no column '{name}'; it has: {listed(present)}")
        return list(dict.fromkeys(wanted))

    return select


def selected(select: Select, present: Sequence[str], source: str) -> list[str]:
    """Apply `select` to the names of columns, and refuse a name that two columns have."""
    names = list(select([*dict.fromkeys(present)], source))
    for name in names:
        if present.count(name) > 1:
            raise TrainingError(
                f"{source} has {present.count(name)} columns with the name '{name}'; rename all "
                "but one of them"
            )
    return names


def is_missing(value: Any) -> bool:
    """Return whether a value is missing: None, NaN or a blank string."""
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def rows_where(condition: Iterable[bool]) -> list[int]:
    """Return the numbers of the rows, from 1, for which a condition of shape ``(n,)`` holds."""
    return [number for number, holds in enumerate(condition, 1) if holds]


def shown_rows(rows: Sequence[int]) -> str:
    """Return numbers of rows for a message, such as ``rows 3, 5 and 9``."""
    if len(rows) == 1:
        return f"row {rows[0]}"
    if len(rows) > SHOWN:
        first = ", ".join(map(str, rows[:SHOWN]))
        return f"rows {first} and {len(rows) - SHOWN:,} more"
    return f"rows {', '.join(map(str, rows[:-1]))} and {rows[-1]}"


def listed(names: Sequence[str]) -> str:
    """Return names for a message."""
    return ", ".join(names) or "none"
