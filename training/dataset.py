"""Rows to learn from: texts or a table, and what is to be predicted for each of them.

A source is a text if one of its columns is: the one that is named by ``--text-column``, the first
with a usual name, or the only column besides the target that a model could learn from, if its words
differ in nearly all rows. Everything else is a table. Of a text, only two columns are read.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sklearn_api.signature import MULTILABEL, TABLE, TEXT
from training import data
from training.data.checks import (
    LABEL_COLUMNS,
    TEXT_COLUMNS,
    check_columns,
    complete_rows,
    find_column,
    refuse_numbers,
)
from training.data.labels import Label
from training.data.table import Table, listed
from training.data.targets import (
    Targets,
    as_reviews,
    target_values,
    targets_like,
    targets_of,
)
from training.errors import TrainingError
from training.options import EXAMPLES, MODEL_NAME, Options

MIN_ROWS = 20

Rows = Any
"""A list of str, or a pandas DataFrame; pandas ships no types."""


@dataclass(frozen=True)
class Dataset:
    """Rows with targets.

    Attributes
    ----------
    kind : str
        ``text`` or ``table``.
    task : str
        ``binary``, ``multiclass``, ``multilabel`` or ``regression``.
    rows : list of str, or DataFrame
        Shape ``(n,)``, or ``(n, inputs)``.
    targets : ndarray
        Shape ``(n,)``: classes or numbers. Shape ``(n, labels)`` for several labels of each row: 1
        where a label applies, else 0.
    classes : list
        The classes or labels in ascending order; empty for a regression.
    source : str
        File name, or id of the data set on the hub.
    revision : str
        SHA-256 of the file, or commit of the data set.
    columns : tuple of str
        The text column, or the columns of the table that a model learns from.
    target : str
        The column that is predicted.
    notes : tuple of str
        How the source was read, where that is not obvious: a sentence each.
    """

    kind: str
    task: str
    rows: Rows
    targets: NDArray[Any]
    classes: list[Label]
    source: str
    revision: str
    columns: tuple[str, ...]
    target: str
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.targets)

    def class_counts(self) -> dict[Label, int]:
        """Return how many rows have each class or label."""
        if self.task == MULTILABEL:
            counts = self.targets.sum(axis=0).tolist()
            return dict(zip(self.classes, counts, strict=True))
        found = Counter(self.targets.tolist())
        return {one: found[one] for one in self.classes}

    def take(self, chosen: ArrayLike) -> "Dataset":
        """Return some of the rows.

        Parameters
        ----------
        chosen : array_like
            Indices, or a bool for each row.
        """
        indices = np.asarray(chosen)
        if indices.dtype == bool:
            indices = np.flatnonzero(indices)
        if self.kind == TEXT:
            rows: Rows = [self.rows[index] for index in indices]
        else:
            rows = self.rows.iloc[indices].reset_index(drop=True)
        return replace(self, rows=rows, targets=self.targets[indices])


def read_dataset(options: Options) -> Dataset:
    """Read the rows to fit on.

    Parameters
    ----------
    options : Options
        Names the source and, where that is not obvious, its columns and the task.

    Raises
    ------
    TrainingError
        The source cannot be read without doubt, or no model can be fitted on it; the message says
        why, and what to do.
    """
    if options.source is None:
        if options.name not in EXAMPLES:
            raise TrainingError(
                f"there is no sample for a model called {options.name}: name the data with --data"
            )
        target = options.target or EXAMPLES[options.name].target
        options = replace(options, source=options.data, target=target)
    chosen: dict[str, str | None] = {}
    notes: list[str] = []

    def select(present: Sequence[str], source: str) -> Sequence[str]:
        named = (options.text_column, options.target, *options.inputs, *options.leave_out)
        check_columns(present, named, source)
        chosen["target"] = target = _target(present, options, source)
        chosen["text"] = text = _text_column(present, target, options, source)
        if text is None:
            return _inputs(present, target, options, source)
        if options.text_column is None and len(present) > 2:
            notes.append(
                f"the texts of column '{text}' alone are learned from; --inputs names the columns "
                "of a table instead"
            )
        return [text, target]

    table = data.read_table(
        options.source,
        select,
        revision=options.revision,
        encoding=options.encoding,
        separator=options.separator,
    )
    target, text = str(chosen["target"]), chosen["text"]
    table = _complete(table, target, text, options)
    if len(table) < MIN_ROWS:
        raise TrainingError(f"{table.source} has {len(table)} rows; at least {MIN_ROWS} are needed")
    targets = targets_of(
        table.columns[target],
        target,
        table.source,
        task=options.task,
        separator=options.label_separator,
    )
    if text is not None:
        if options.name == MODEL_NAME:
            targets = as_reviews(targets)
        return _dataset(table, TEXT, table.columns[text], (text,), target, targets, notes)
    if targets.task == MULTILABEL:
        raise TrainingError(
            f"several labels of a row can be predicted from texts only; name the text column of "
            f"{table.source} with --text-column"
        )
    from training.data.tabular import read_inputs  # it imports pandas, which texts do not need

    rows, text, more = read_inputs(table, target, targets, options)
    if text is not None:
        return read_dataset(replace(options, text_column=text))
    return _dataset(table, TABLE, rows, tuple(rows.columns), target, targets, more)


def read_test(options: Options, dataset: Dataset) -> Dataset:
    """Read the rows to measure on, with the same columns and classes as those to fit on.

    Encoding and separator apply to both, but the rows to measure on may come in another type of
    file.

    Raises
    ------
    TrainingError
        The source cannot be read without doubt, or does not fit; the message says why.
    """
    source, target = options.test_source, dataset.target
    table = data.read_table(
        source,
        data.named_columns(*dataset.columns, target),
        revision=options.test_revision,
        split="test",
        encoding=options.encoding if data.has_format(source, "encoding") else None,
        separator=options.separator if data.has_format(source, "separator") else None,
    )
    text = dataset.columns[0] if dataset.kind == TEXT else None
    table = _complete(table, target, text, options)
    targets = targets_like(
        table.columns[target],
        Targets(dataset.task, dataset.targets, dataset.classes),
        f"column '{target}' of {table.source}",
        options.label_separator,
    )
    if text is not None:
        return _dataset(table, TEXT, table.columns[text], (text,), target, targets)
    from training.data.tabular import frame_like

    rows = frame_like(table, dataset.rows, dataset.source)
    return _dataset(table, TABLE, rows, dataset.columns, target, targets)


def _target(present: Sequence[str], options: Options, source: str) -> str:
    found = find_column(present, options.target, LABEL_COLUMNS)
    if found is None:
        raise TrainingError(
            f"{source} has no label column with a usual name ({', '.join(LABEL_COLUMNS)}); it has: "
            f"{listed(present)}. Name the column to predict with --target"
        )
    return found


def _text_column(present: Sequence[str], target: str, options: Options, source: str) -> str | None:
    """Return the text column by its name, None if there is none."""
    if options.inputs and options.text_column is None:
        return None
    others = [name for name in present if name not in options.leave_out]
    found = find_column(others, options.text_column, TEXT_COLUMNS)
    if found == target:
        if options.text_column is None:
            return None
        raise TrainingError(f"column '{found}' of {source} cannot be both text and label")
    return found


def _inputs(present: Sequence[str], target: str, options: Options, source: str) -> list[str]:
    """Return the columns of a table to read, with the target."""
    inputs = [
        name
        for name in options.inputs or present
        if name not in options.leave_out and name != target
    ]
    if not inputs:
        raise TrainingError(
            f"{source} has no column to learn from besides '{target}'; it has: {listed(present)}"
        )
    return [*inputs, target]


def _complete(table: Table, target: str, text: str | None, options: Options) -> Table:
    """Check the texts, read the target, and leave out rows without either if that is asked for."""
    needed = {}
    if text is not None:
        refuse_numbers(table.columns[text], text, table.source)
        needed[text] = "text"
    several = options.label_separator is not None or options.task == MULTILABEL
    if not several:  # of several labels, a row may have none
        needed[target] = "label" if text else "target"
    values = target_values(table, target)
    table = replace(table, columns={**table.columns, target: values})
    table, notes = complete_rows(table, [*needed], [*needed.values()], options.drop_empty)
    return replace(table, notes=(*table.notes, *notes))


def _dataset(
    table: Table,
    kind: str,
    rows: Rows,
    columns: tuple[str, ...],
    target: str,
    targets: Targets,
    notes: Sequence[str] = (),
) -> Dataset:
    return Dataset(
        kind,
        targets.task,
        rows,
        targets.values,
        targets.classes,
        table.source,
        table.revision,
        columns,
        target,
        (*table.notes, *targets.notes, *notes),
    )
