"""DataFrames as JSON has them: the types of their columns, and their rows as instances.

pandas is not imported: whoever has a DataFrame has imported it already.
"""

from collections.abc import Iterator
from typing import Any

from sklearn_api.errors import ArtifactError
from sklearn_api.signature import BOOLEAN, INTEGER, NAN, NUMBER, STRING, Input

Frame = Any
"""A pandas DataFrame; pandas ships no types."""


def columns_of(frame: Frame) -> tuple[Input, ...]:
    """Return the columns of a DataFrame, as a pipeline that is fitted on it sees them.

    Parameters
    ----------
    frame : DataFrame
        The more of the training rows, the better: whether a column of objects marks gaps with
        None or NaN can only be seen at a gap.

    Raises
    ------
    ArtifactError
        A column holds what JSON does not have, or is not of one type; the message names it.
    """
    names = list(frame.columns)
    for name in names:
        if not isinstance(name, str):
            raise ArtifactError(
                f"column {name!r} is not named by a string: rename the columns and fit again"
            )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ArtifactError(f"columns {twice} occur more than once: rename them and fit again")
    return tuple(_column(name, frame[name]) for name in names)


def instances_of(frame: Frame) -> list[dict[str, Any]]:
    """Return the rows of a DataFrame as a client would send them.

    Returns
    -------
    list of dict
        Of str, bool, int, float, and None for each missing value.
    """
    values = [list(_values(frame[name])) for name in frame.columns]
    return [dict(zip(frame.columns, row, strict=True)) for row in zip(*values, strict=True)]


def is_number(dtype: Any) -> bool:
    """Whether scikit-learn reads a column of this dtype as numbers, booleans included.

    Those are numpy's dtypes and pandas' nullable ones, with or without pyarrow.
    """
    return getattr(dtype, "kind", "O") in "iufb" and not hasattr(dtype, "categories")


def _values(series: Any) -> Iterator[Any]:
    for value, missing in zip(series.tolist(), series.isna().tolist(), strict=True):
        yield None if missing else value.item() if hasattr(value, "item") else value


def _column(name: str, series: Any) -> Input:
    dtype = series.dtype
    categories = getattr(dtype, "categories", None)
    if categories is not None:
        found = _type(name, categories.tolist(), dtype)
        return Input(name, found, objects=not is_number(categories.dtype))
    if is_number(dtype):
        found = {"i": INTEGER, "u": INTEGER, "f": NUMBER, "b": BOOLEAN}[dtype.kind]
        return Input(name, found, objects=found == BOOLEAN)
    known = [value for value in _values(series) if value is not None]
    return Input(name, _type(name, known, dtype), objects=True, missing=_missing(name, series))


def _type(name: str, values: list[Any], dtype: Any) -> str:
    """Return the type of values that are not missing, a string if there are none."""
    types = {type(value.item() if hasattr(value, "item") else value) for value in values}
    if getattr(dtype, "kind", "O") in "Mm" or any(hasattr(value, "isoformat") for value in values):
        raise ArtifactError(
            f"column {name!r} holds dates or times ({dtype}), which JSON does not have: turn them "
            "into numbers or strings before the pipeline and fit again, such as "
            f"frame[{name!r}].dt.year, or a number of days"
        )
    if types <= {str}:
        return STRING
    if types == {bool}:
        return BOOLEAN
    if types <= {int, float}:
        return INTEGER if types == {int} else NUMBER
    found = ", ".join(sorted(kind.__name__ for kind in types))
    raise ArtifactError(
        f"column {name!r} ({dtype}) holds values of type {found}: make it a column of strings, "
        "numbers or booleans, all of one type, and fit again"
    )


def _missing(name: str, series: Any) -> float | None:
    """Return what marks a gap in a column of objects."""
    gaps = series[series.isna()].tolist()
    nones = sum(gap is None for gap in gaps)
    if nones not in (0, len(gaps)):
        raise ArtifactError(
            f"column {name!r} marks gaps both with None and with NaN, which pipelines tell apart: "
            f"write frame[{name!r}] = frame[{name!r}].fillna(float('nan')) and fit again"
        )
    return None if nones else NAN
