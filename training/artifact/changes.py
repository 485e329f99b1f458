"""Rows made from other rows: with gaps, or with other values, in single columns."""

from collections.abc import Container, Mapping
from typing import Any

from sklearn_api.signature import Input
from training.artifact.frames import Frame


def repeated(frame: Frame, count: int) -> Frame:
    """Return as many rows, over and over again.

    Parameters
    ----------
    frame : DataFrame
        At least one row.
    count : int
    """
    return frame.iloc[[row % len(frame) for row in range(count)]].reset_index(drop=True)


def spread(rows: Any, count: int) -> Any:
    """Return at most as many rows, evenly spread over all of them.

    Parameters
    ----------
    rows : list or DataFrame
    count : int
    """
    positions = [number * len(rows) // count for number in range(min(count, len(rows)))]
    if len(rows) <= count:
        return rows
    if hasattr(rows, "iloc"):
        return rows.iloc[positions]
    return [rows[position] for position in positions]


def with_values(frame: Frame, name: str, values: Mapping[int, Any]) -> Frame:
    """Return rows with other values in some rows of one column, which keeps its dtype.

    Parameters
    ----------
    frame : DataFrame
    name : str
        The column.
    values : mapping
        From positions of rows to values.
    """
    series = frame[name]
    dtype = series.dtype
    if hasattr(dtype, "categories"):
        known = set(dtype.categories)
        new = [value for value in values.values() if value == value and value not in known]
        dtype = series.cat.add_categories(new).dtype
    elif getattr(dtype, "kind", "O") in "iu" and "64" not in str(dtype):
        dtype = "Int64" if str(dtype)[0] in "IU" else "int64"  # smaller ones could not hold them
    both = [values.get(row, value) for row, value in enumerate(series.tolist())]
    return frame.assign(**{name: type(series)(both, index=series.index, dtype=dtype)})


def with_gaps(frame: Frame, column: Input, rows: Container[int] | None = None) -> Frame:
    """Return rows with gaps in one column, as pandas has them for its dtype.

    Parameters
    ----------
    frame : DataFrame
    column : Input
        As `columns_of` describes it.
    rows : container of int, optional
        Positions of the rows that get a gap; by default all of them.
    """
    import numpy as np

    series = frame[column.name]
    dtype, gap = series.dtype, None
    if isinstance(dtype, np.dtype):
        # Neither whole numbers nor booleans of numpy know gaps.
        dtype = {"i": np.dtype(float), "u": np.dtype(float), "b": np.dtype(object)}.get(
            dtype.kind, dtype
        )
        gap = column.missing
    gaps = [
        gap if rows is None or row in rows else value for row, value in enumerate(series.tolist())
    ]
    return frame.assign(**{column.name: type(series)(gaps, index=series.index, dtype=dtype)})
