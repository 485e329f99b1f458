"""Says which columns of a table a model can learn from, and why not from the others."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.spacing import is_unspaced
from training.recipes.tables import Frame, is_words

_SAMPLED = 1000  # values
_DATE = re.compile(r"\s*(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4})([T ].*)?\s*")
_FEW = 20  # values, below which trees learn nothing from a column
_LONG = 2.0  # words in a text, on average

NAMED = "name the columns to learn from with --inputs to use it all the same"


def usable_columns(
    frame: Frame, targets: NDArray[Any], target: str, classes: Sequence[Any]
) -> tuple[list[str], list[str]]:
    """Choose the columns of a table that a model can learn from.

    Left out are columns without values, or with one value only; numbers of rows; dates; words of
    which nearly all differ, as those of names, ids and texts do; and the target in other words.

    Parameters
    ----------
    frame : DataFrame
        The columns without the target.
    targets : ndarray
        Shape ``(n,)``.
    target : str
        Name of the target, for the notes.
    classes : sequence
        Empty for a regression.

    Returns
    -------
    kept : list of str
        Names of columns, in the order of the table.
    notes : list of str
        A sentence for each of the others.
    """
    reasons = {name: _useless(frame[name]) for name in frame.columns}
    same = {
        name: f"says the same as the target '{target}' in other words"
        for name, reason in reasons.items()
        if reason is None and _same(frame[name], targets, len(classes))
    }
    if len(same) < sum(reason is None for reason in reasons.values()):  # else nothing would be left
        reasons |= same
    kept = [name for name, reason in reasons.items() if reason is None]
    notes = [
        f"column '{name}' is left out: it {reason}" for name, reason in reasons.items() if reason
    ]
    return kept, [*notes[:-1], f"{notes[-1]}; {NAMED}"] if notes else []


def is_text(series: Any) -> bool:
    """Return whether a column holds texts in most rows: words, of which most differ."""
    values = [value for value in series if isinstance(value, str)]
    if len(values) <= len(series) / 2 or not _differ(values):
        return False
    length = sum(len(value.split()) for value in values) / len(values)
    return length >= _LONG or is_unspaced(values)


def _useless(series: Any) -> str | None:
    """Return what is wrong with a column, None if a model can learn from it."""
    present = series.dropna()
    rows, distinct = len(series), present.nunique()
    if distinct == 0:
        return "has no values"
    if distinct == 1 and len(present) == rows:
        return f"has the same value, {present.tolist()[0]!r}, in every row"
    if len(present) < max(min(_FEW, rows // 10), rows // 1000):
        return f"has values in only {len(present):,} of {rows:,} rows"
    if is_words(series):
        values = present.tolist()
        if all(_DATE.fullmatch(value) for value in values[:_SAMPLED]):
            return "holds dates; numbers such as a year or an age in days could be used"
        if _differ(values):
            kind = "texts, which --text-column uses alone" if is_text(series) else "names or ids"
            return f"has {distinct:,} different values in {len(present):,} rows, as of {kind}"
    elif series.dtype.kind == "i" and distinct == rows and np.ptp(series.to_numpy()) == rows - 1:
        return "numbers the rows"
    return None


def _differ(values: Sequence[Any]) -> bool:
    """Return whether most values occur once, so that they say nothing about other rows."""
    return len(set(values)) > len(values) / 2


def _same(series: Any, targets: NDArray[Any], classes: int) -> bool:
    """Return whether a column determines the target, and is determined by it."""
    if series.isna().any():
        return False
    if not classes:
        return series.dtype.kind in "if" and bool((series.to_numpy() == targets).all())
    if series.nunique() != classes:
        return False
    return len(set(zip(series.tolist(), targets.tolist(), strict=True))) == classes
