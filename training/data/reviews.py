"""Reads labelled texts, and checks that a model can be trained on them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from training.data.labels import Labels, binary, labels_as_read
from training.data.source import read_table
from training.data.table import Table, is_missing, listed, rows_where, shown_rows
from training.errors import TrainingError

MIN_ROWS = 20
MIN_OF_EACH = 5

TEXT_COLUMNS = ("text", "review_text", "review", "movie_text", "sentence", "content")
LABEL_COLUMNS = ("label", "labels", "sentiment", "target", "class")


@dataclass(frozen=True)
class LabelledTexts:
    """Texts with labels of any kind.

    Attributes
    ----------
    texts : list of str
        Shape ``(n,)``.
    labels : Labels
        The labels as they were read.
    source : str
        File name, or id of the data set on the hub.
    revision : str
        SHA-256 of the file, or commit of the data set.
    columns : tuple of str
        Names of the text column and of the label column.
    notes : tuple of str
        How the source was read, where that is not obvious, and which rows were left out.
    """

    texts: list[str]
    labels: Labels
    source: str
    revision: str
    columns: tuple[str, str]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reviews:
    """Texts with one of two labels.

    Attributes
    ----------
    texts : list of str
        Shape ``(n,)``.
    labels : list of int
        Shape ``(n,)``, each 0 (negative) or 1 (positive).
    source, revision, columns, notes
        See `LabelledTexts`.
    """

    texts: list[str]
    labels: list[int]
    source: str
    revision: str
    columns: tuple[str, str]
    notes: tuple[str, ...] = field(default=(), compare=False)


def read(
    source: str | None = None,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    revision: str | None = None,
    split: str = "train",
    encoding: str | None = None,
    separator: str | None = None,
    drop_empty: bool = False,
) -> Reviews:
    """Read reviews and check that a model can be trained on them.

    Parameters
    ----------
    source, text_column, label_column, revision, split, encoding, separator, drop_empty
        See `read_texts`.

    Raises
    ------
    TrainingError
        The source cannot be read, or no model can be trained on it; the message says why.
    """
    found = read_texts(
        source,
        text_column=text_column,
        label_column=label_column,
        revision=revision,
        split=split,
        encoding=encoding,
        separator=separator,
        drop_empty=drop_empty,
    )
    labels = binary(found.labels, found.columns[1], found.source)
    _check(found.texts, labels, found.source)
    return Reviews(found.texts, labels, found.source, found.revision, found.columns, found.notes)


def read_texts(
    source: str | None = None,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    revision: str | None = None,
    split: str = "train",
    encoding: str | None = None,
    separator: str | None = None,
    drop_empty: bool = False,
) -> LabelledTexts:
    """Read texts and their labels, whatever the labels are.

    Parameters
    ----------
    source : str, optional
        A file, or the id of a data set on the hub. Default: the sample reviews.
    text_column, label_column : str, optional
        Default: the first of `TEXT_COLUMNS` and of `LABEL_COLUMNS` that exists.
    revision, split, encoding, separator
        See `training.data.read_table`.
    drop_empty : bool
        Whether to leave out rows without a text or without a label, instead of refusing them.

    Raises
    ------
    TrainingError
        The source cannot be read, or a row has no text or no label.
    """

    def select(present: Sequence[str], name: str) -> Sequence[str]:
        text = _column(present, text_column, TEXT_COLUMNS, "text", name)
        return text, _column(present, label_column, LABEL_COLUMNS, "label", name)

    table = read_table(
        source, select, revision=revision, split=split, encoding=encoding, separator=separator
    )
    text, *others = table.columns
    if not others:
        raise TrainingError(f"column '{text}' of {table.source} cannot be both text and label")
    label = others[0]
    _refuse_numbers(table.columns[text], text, table.source)
    table, notes = _complete(table, text, label, drop_empty)
    return LabelledTexts(
        table.columns[text],
        labels_as_read(table.columns[label]),
        table.source,
        table.revision,
        (text, label),
        (*table.notes, *notes),
    )


def _column(
    present: Sequence[str], wanted: str | None, usual: Sequence[str], kind: str, name: str
) -> str:
    if wanted is not None:
        if wanted.strip() not in present:
            raise TrainingError(f"{name} has no column '{wanted}'; it has: {listed(present)}")
        return wanted.strip()
    lower = {column.lower(): column for column in present}
    for candidate in usual:
        if candidate in lower:
            return lower[candidate]
    raise TrainingError(
        f"{name} has no {kind} column with a usual name ({', '.join(usual)}); it has: "
        f"{listed(present)}. Name the column with --{kind}-column"
    )


def _refuse_numbers(values: Sequence[Any], column: str, name: str) -> None:
    """Refuse a column of numbers, which is named by mistake."""
    strange = rows_where(not isinstance(value, str) and not is_missing(value) for value in values)
    if not strange and all(_is_number(value) for value in values if not is_missing(value)):
        strange = rows_where(not is_missing(value) for value in values)
    if strange:
        raise TrainingError(
            f"row {strange[0]} of {name} is not a text in column '{column}'; every row needs a "
            "text, and numbers are none"
        )


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return value.strip()[-1].isdigit()  # not "nan"


def _complete(
    table: Table, text: str, label: str, drop_empty: bool
) -> tuple[Table, tuple[str, ...]]:
    """Return the rows that have a text and a label, and a note if others are left out.

    Raises
    ------
    TrainingError
        There are others, and they may not be left out.
    """
    no_text = [is_missing(value) for value in table.columns[text]]
    no_label = [is_missing(value) for value in table.columns[label]]
    if not any(no_text) and not any(no_label):
        return table, ()
    if not drop_empty:
        problems = [
            _emptiness(rows, column, table.source)
            for column, rows in ((text, rows_where(no_text)), (label, rows_where(no_label)))
            if rows
        ]
        raise TrainingError(
            f"{', and '.join(problems)}; every row needs a text and a label, and --drop-empty "
            "leaves out the others"
        )
    only_label = [missing and not text for missing, text in zip(no_label, no_text, strict=True)]
    left = table.take([not (a or b) for a, b in zip(no_text, no_label, strict=True)])
    counts = [
        f"{count:,} without a {kind}"
        for count, kind in ((sum(no_text), "text"), (sum(only_label), "label"))
        if count
    ]
    dropped = len(table) - len(left)
    return left, (
        f"{dropped:,} of {len(table):,} rows of {table.source} are left out: "
        f"{' and '.join(counts)}",
    )


def _emptiness(rows: Sequence[int], column: str, name: str) -> str:
    if len(rows) == 1:
        return f"row {rows[0]} of {name} is empty in column '{column}'"
    return f"{len(rows):,} rows of {name} are empty in column '{column}' ({shown_rows(rows)})"


def _check(texts: Sequence[str], labels: Sequence[int], name: str) -> None:
    if len(texts) < MIN_ROWS:
        raise TrainingError(f"{name} has {len(texts)} rows; at least {MIN_ROWS} are needed")
    counts = Counter(labels)
    if min(counts[0], counts[1]) < MIN_OF_EACH:
        raise TrainingError(
            f"{name} has {counts[0]} negative and {counts[1]} positive reviews; "
            f"at least {MIN_OF_EACH} of each are needed"
        )
