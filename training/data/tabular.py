"""Reads the columns of a table that a model learns from, as a pandas DataFrame.

pandas comes with `datasets`. Only training has it, and only tables need it.
"""

from typing import Any

import numpy as np

from training.data.frame import MISSING, to_frame
from training.data.table import Table, is_missing
from training.data.targets import Targets
from training.errors import TrainingError
from training.options import Options
from training.recipes.columns import is_text, usable_columns
from training.recipes.tables import Frame, is_words


def read_inputs(
    table: Table, target: str, targets: Targets, options: Options
) -> tuple[Frame, str | None, list[str]]:
    """Return the columns to learn from.

    Parameters
    ----------
    table : Table
        With the target.
    target : str
        Its name.
    targets : Targets
        Its values.
    options : Options
        `inputs` names columns that are kept whatever they hold.

    Returns
    -------
    rows : DataFrame
        Strings are objects, gaps are NaN.
    text : str or None
        The column that makes it a text rather than a table.
    notes : list of str
        How columns were read, and which of them are left out.

    Raises
    ------
    TrainingError
        A model can learn from none of them, or a column holds values of several types.
    """
    columns = {name: values for name, values in table.columns.items() if name != target}
    inputs = Table(columns, table.source, separator=table.separator)
    frame, notes = to_frame(inputs, missing=MISSING)
    if options.inputs:
        return frame, None, notes
    kept, reasons = usable_columns(frame, targets.values, target, targets.classes)
    texts = [name for name in frame.columns if is_text(frame[name])]
    if len(texts) == 1 and set(kept) <= set(texts):
        return frame, texts[0], notes
    if not kept:
        raise TrainingError(
            f"a model can learn from no column of {table.source}: {'; '.join(reasons)}"
        )
    return frame[kept], None, [*notes, *reasons]


def frame_like(table: Table, like: Frame, source: str) -> Frame:
    """Return the columns of other rows with the types of those that a model is fitted on.

    Raises
    ------
    TrainingError
        A column holds words in one source, and numbers in the other.
    """
    columns = {name: table.columns[name] for name in like.columns}
    frame, _ = to_frame(Table(columns, table.source, separator=table.separator), missing=MISSING)
    for name in like.columns:
        if is_words(like[name]):
            frame[name] = _as_words(columns[name], type(frame[name]))
        elif is_words(frame[name]):
            raise TrainingError(
                f"column '{name}' of {table.source} holds words, and that of {source} does not"
            )
        elif like[name].dtype.kind == "f":
            frame[name] = frame[name].astype(float)
    return frame


def _as_words(values: list[Any], series: Any) -> Any:
    """Return values as strings, although all of them may look like numbers."""
    return series(
        [
            np.nan if is_missing(value) or str(value).strip() in MISSING else str(value)
            for value in values
        ],
        dtype=object,
    )
