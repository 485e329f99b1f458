"""Finds columns by their names, and refuses rows that nothing can be learned from."""

from collections.abc import Sequence
from typing import Any

from training.data.table import Table, is_missing, listed, rows_where, shown_rows
from training.errors import TrainingError

TEXT_COLUMNS = ("text", "review_text", "review", "movie_text", "sentence", "content")
LABEL_COLUMNS = ("label", "labels", "sentiment", "target", "class")


def find_column(
    present: Sequence[str], wanted: str | None, usual: Sequence[str] = ()
) -> str | None:
    """Return the column that is wanted, or else the first with a usual name.

    Returns
    -------
    str or None
        None if there is none. Usual names may be in upper case.
    """
    if wanted is not None:
        return wanted.strip() if wanted.strip() in present else None
    lower = {column.lower(): column for column in present}
    return next((lower[name] for name in usual if name in lower), None)


def check_columns(present: Sequence[str], wanted: Sequence[str | None], source: str) -> None:
    """Raise `TrainingError` for a wanted column that does not exist."""
    for name in wanted:
        if name is not None and name.strip() not in present:
            raise TrainingError(f"{source} has no column '{name}'; it has: {listed(present)}")


def refuse_numbers(values: Sequence[Any], column: str, source: str) -> None:
    """Refuse a column of texts that holds numbers, since it is named by mistake.

    Raises
    ------
    TrainingError
        A value is not a string, or all of them are written as numbers.
    """
    strange = rows_where(not isinstance(value, str) and not is_missing(value) for value in values)
    if not strange and all(_is_number(value) for value in values if not is_missing(value)):
        strange = rows_where(not is_missing(value) for value in values)
    if strange:
        raise TrainingError(
            f"row {strange[0]} of {source} is not a text in column '{column}'; every row needs a "
            "text, and numbers are none"
        )


def complete_rows(
    table: Table, needed: Sequence[str], words: Sequence[str], drop_empty: bool
) -> tuple[Table, tuple[str, ...]]:
    """Return the rows that have a value in each needed column, and a note if others are left out.

    Parameters
    ----------
    table : Table
    needed : sequence of str
        Names of columns.
    words : sequence of str
        What each of them holds, for messages, such as ``text``.
    drop_empty : bool
        Whether rows may be left out.

    Raises
    ------
    TrainingError
        There are others, and they may not be left out.
    """
    gaps = {name: [is_missing(value) for value in table.columns[name]] for name in needed}
    if not any(map(any, gaps.values())):
        return table, ()
    if not drop_empty:
        problems = [
            _emptiness(rows_where(missing), name, table.source)
            for name, missing in gaps.items()
            if any(missing)
        ]
        raise TrainingError(
            f"{', and '.join(problems)}; every row needs a {' and a '.join(words)}, and "
            "--drop-empty leaves out the others"
        )
    reasons = [
        next((word for word, gap in zip(words, row, strict=True) if gap), None)
        for row in zip(*gaps.values(), strict=True)
    ]
    left = table.take([reason is None for reason in reasons])
    counts = [f"{reasons.count(word):,} without a {word}" for word in words if word in reasons]
    return left, (
        f"{len(table) - len(left):,} of {len(table):,} rows of {table.source} are left out: "
        f"{' and '.join(counts)}",
    )


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return value.strip()[-1].isdigit()  # not "nan"


def _emptiness(rows: Sequence[int], column: str, source: str) -> str:
    if len(rows) == 1:
        return f"row {rows[0]} of {source} is empty in column '{column}'"
    return f"{len(rows):,} rows of {source} are empty in column '{column}' ({shown_rows(rows)})"
