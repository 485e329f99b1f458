"""Reads the rows that a pipeline from elsewhere is measured on."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.artifact.encoders import fitted_categories
from training.data import TEXT_COLUMNS, Table, read_table
from training.data.table import is_missing, listed, rows_where, shown_rows
from training.errors import TrainingError
from training.importing.options import ImportOptions

MISSING = (
    *("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)
"""What pandas.read_csv takes for a missing value, as most pipelines were fitted with it:
https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html"""


@dataclass(frozen=True)
class Rows:
    """Rows of a pipeline's input.

    Attributes
    ----------
    rows : list of str, or DataFrame
        Texts, or a table with the pipeline's columns.
    target : list or None
        Shape ``(n,)``: what is right for each row, as it was read; None without a target.
    source, revision : str
        Where they come from, see `Table`.
    columns : tuple of str
        The columns that were read.
    notes : tuple of str
        How they were read, where that is not obvious.
    """

    rows: Any
    target: list[Any] | None
    source: str
    revision: str
    columns: tuple[str, ...]
    notes: tuple[str, ...]


def read_rows(pipeline: Any, options: ImportOptions) -> Rows:
    """Read the columns that a pipeline was fitted on, and the target.

    A pipeline that was fitted on a DataFrame names its columns. One that was fitted on an array
    takes all columns but the target, in their order. Any other one takes texts.

    Raises
    ------
    TrainingError
        The data cannot be read, or do not have these columns.
    """
    wanted = _Columns(pipeline, options)
    table = read_table(
        options.data,
        wanted.select,
        revision=options.revision,
        split="test",
        encoding=options.encoding,
        separator=options.separator,
    )
    inputs = wanted.inputs
    table, notes = _complete(table, inputs[0] if wanted.texts else None, options)
    target = None if options.target is None else _target(table, options.target)
    rows: Any
    if wanted.texts:
        rows = _texts(table, inputs[0])
    else:
        rows, more = _frame(table, inputs, pipeline)
        notes += tuple(more)
    return Rows(rows, target, table.source, table.revision, tuple(inputs), (*table.notes, *notes))


class _Columns:
    """Chooses the columns to read, as a `Select` whose choice is known afterwards.

    Parameters
    ----------
    pipeline : estimator
    options : ImportOptions
    """

    def __init__(self, pipeline: Any, options: ImportOptions) -> None:
        self._named = getattr(pipeline, "feature_names_in_", None)
        self._count = getattr(pipeline, "n_features_in_", None)
        self._options = options
        self.texts = options.text_column is not None
        self.inputs: list[str] = []

    def select(self, present: Sequence[str], source: str) -> Sequence[str]:
        """Return the names of the columns to read."""
        target = self._options.target
        if target is not None:
            _check([target], present, source, "target")
        others = [name for name in present if name != target]
        if self._options.text_column is not None:
            self.inputs = [self._options.text_column]
        elif self._named is not None:
            self.inputs = [str(name) for name in self._named]
        elif self._count is not None:
            self.inputs = list(self._options.inputs) or others
            if len(self.inputs) != self._count:
                raise TrainingError(
                    f"the pipeline was fitted on an array with {self._count} columns, and not on "
                    f"{len(self.inputs)}: {listed(self.inputs)}; name those of {source} with "
                    "--inputs, in the order that it was fitted on"
                )
        else:
            self.texts = True
            self.inputs = [_text_column(others, source)]
        _check(self.inputs, present, source, "input")
        if target in self.inputs:
            raise TrainingError(
                f"column '{target}' cannot be the target: the pipeline predicts from it"
            )
        return [*self.inputs, *([] if target is None else [target])]


def _check(wanted: Sequence[str], present: Sequence[str], source: str, role: str) -> None:
    missing = [name for name in wanted if name not in present]
    if not missing:
        return
    close = [found for name in missing for found in difflib.get_close_matches(name, present, 1)]
    similar = f"; did you mean {listed(close)}?" if close else ""
    what = f"no column '{missing[0]}'" if len(missing) == 1 else f"no columns {listed(missing)}"
    why = "" if role == "target" else ", which the pipeline was fitted on"
    raise TrainingError(f"{source} has {what}{why}; it has: {listed(present)}{similar}")


def _text_column(others: Sequence[str], source: str) -> str:
    if len(others) == 1:
        return others[0]
    lower = {name.lower(): name for name in others}
    for usual in TEXT_COLUMNS:
        if usual in lower:
            return lower[usual]
    raise TrainingError(
        f"the pipeline takes texts, and {source} has several columns: {listed(others)}. Name the "
        "one with the texts with --text-column"
    )


def _complete(
    table: Table, text: str | None, options: ImportOptions
) -> tuple[Table, tuple[str, ...]]:
    """Return the rows that have a target and a text, and a note if others are left out."""
    needed = [name for name in (text, options.target) if name is not None]
    kept = [True] * len(table)
    for name in needed:
        missing = [is_missing(value) for value in table.columns[name]]
        if any(missing) and not options.drop_empty:
            raise TrainingError(
                f"{shown_rows(rows_where(missing))} of {table.source} "
                f"{'is' if sum(missing) == 1 else 'are'} empty in column '{name}'; --drop-empty "
                "leaves such rows out"
            )
        kept = [one and not gap for one, gap in zip(kept, missing, strict=True)]
    if not any(kept):
        raise TrainingError(f"{table.source} has no rows to measure on")
    if all(kept):
        return table, ()
    dropped = len(kept) - sum(kept)
    note = (
        f"{dropped:,} of {len(kept):,} rows of {table.source} are left out, which have no "
        f"{' or no '.join(needed)}"
    )
    return table.take(kept), (note,)


def _frame(table: Table, inputs: Sequence[str], pipeline: Any) -> tuple[Any, list[str]]:
    """Return columns as a DataFrame, with the types that the pipeline's encoders know.

    Whether 0 is a number or a word, a file does not say: a column of codes such as 01069 may have
    been read either way before the pipeline was fitted.
    """
    from training.data.frame import to_frame

    columns = {name: table.columns[name] for name in inputs}
    part = Table(columns, table.source, separator=table.separator)
    frame, notes = to_frame(part, missing=MISSING)
    for name, known in fitted_categories(pipeline, inputs).items():
        series, values = frame[name], columns[name]
        kinds = {type(one) for one in known}
        if kinds == {str}:
            words = [_word(value, known) for value in values]
            frame[name] = type(series)(words, index=series.index, dtype=object)
        elif kinds and kinds <= {int, float} and series.dtype == object:
            numbers = [_number(value) for value in values]
            frame[name] = type(series)(numbers, index=series.index, dtype=float)
    return frame, notes


def _word(value: Any, known: Sequence[Any]) -> Any:
    """Return a value as a word, a missing one as NaN."""
    missing = is_missing(value) or value in MISSING
    return float("nan") if missing and value not in known else str(value)


def _number(value: Any) -> float:
    """Return a value as a number, NaN if it is none: no category that is known, in any case."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _target(table: Table, name: str) -> list[Any]:
    """Return the target, with numbers as numbers: they may have a decimal comma."""
    from training.data.frame import to_frame

    values = table.columns[name]
    if any(isinstance(value, list | dict) for value in values):
        return values  # several labels
    frame, _ = to_frame(Table({name: values}, table.source, separator=table.separator))
    typed: list[Any] = frame[name].tolist()
    return typed


def _texts(table: Table, name: str) -> list[str]:
    values = table.columns[name]
    strange = rows_where(not isinstance(value, str) for value in values)
    if strange:
        raise TrainingError(
            f"{shown_rows(strange)} of {table.source} is not a text in column '{name}'"
        )
    return values
