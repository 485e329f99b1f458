"""What is to be predicted: classes, several labels of each row, or numbers.

The values decide, unless the user does:

- words are classes; words that are joined, such as ``access|billing``, are refused, since they may
  be several labels or one class for each combination;
- two different values are classes, whatever they are;
- whole numbers are classes if they are few: at most `MAX_NUMBERED` different ones, each of them in
  `MIN_OF_EACH` rows on average;
- all other numbers are numbers.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_api.signature import BINARY, MULTICLASS, MULTILABEL, REGRESSION
from training.data.labels import Label, joined_by, labels_as_read
from training.data.table import SHOWN, Table, is_missing
from training.errors import TrainingError

MIN_OF_EACH = 5
MAX_NUMBERED = 10
TASKS = (BINARY, MULTICLASS, MULTILABEL, REGRESSION)
"""What can be learned from a target."""

REVIEWS = {
    **dict.fromkeys(("0", "0.0", "neg", "negative", "false", "bad"), 0),
    **dict.fromkeys(("1", "1.0", "pos", "positive", "true", "good"), 1),
}
"""Usual names of negative and positive reviews."""

_NUMERIC = re.compile(r"[-+0-9.,eE]+")


@dataclass(frozen=True)
class Targets:
    """What is to be predicted for each row.

    Attributes
    ----------
    task : str
        One of `TASKS`.
    values : ndarray
        Shape ``(n,)``: classes or numbers. Shape ``(n, labels)``: 1 where a label applies, else 0.
    classes : list
        The classes or labels in ascending order; empty for a regression.
    notes : tuple of str
        What was decided, in a sentence.
    """

    task: str
    values: NDArray[Any]
    classes: list[Label]
    notes: tuple[str, ...] = ()


def target_values(table: Table, column: str) -> list[Any]:
    """Return the values of a target: numbers if all of them are, otherwise as they were read.

    Missing ones are None: blanks, and among numbers the usual spellings of a missing value.
    """
    read = table.columns[column]
    present = {value for value in read if isinstance(value, str) and not is_missing(value)}
    if any(_NUMERIC.fullmatch(value.strip()) for value in present):
        from training.data.frame import MISSING, to_frame  # it imports pandas

        if all(_NUMERIC.fullmatch(value.strip()) or value.strip() in MISSING for value in present):
            one = Table({column: read}, table.source, separator=table.separator)
            typed = to_frame(one, missing=MISSING)[0][column]
            if typed.dtype.kind in "if":
                return [None if is_missing(value) else value for value in typed.tolist()]
    return [None if is_missing(value) else value for value in read]


def targets_of(
    values: Sequence[Any],
    column: str,
    source: str,
    *,
    task: str | None = None,
    separator: str | None = None,
) -> Targets:
    """Return what is to be predicted.

    Parameters
    ----------
    values : sequence
        Shape ``(n,)``: as `target_values` returns them. None only where there are several labels.
    column, source : str
        For messages.
    task : str, optional
        One of `TASKS`. Default: what the values show.
    separator : str, optional
        What joins several labels in a value; only for ``multilabel``, which it implies.

    Raises
    ------
    TrainingError
        The values are not what the task needs, or a class has fewer than `MIN_OF_EACH` rows; the
        message says what to do.
    """
    where = f"column '{column}' of {source}"
    if task == MULTILABEL or separator is not None:
        if task not in (None, MULTILABEL):
            raise TrainingError(f"--label-separator does not apply to --task {task}")
        return _several(values, column, where, separator)
    _refuse_lists(values, where)
    distinct = set(values)
    if len(distinct) < 2:
        shown = (
            f"the same value, {next(iter(distinct))!r}, in every row" if distinct else "no value"
        )
        raise TrainingError(f"{where} has {shown}: there is nothing to predict")
    numbers = all(_is_number(value) for value in distinct)
    if task == REGRESSION:
        if not numbers:
            raise TrainingError(f"{where} holds words, and --task regression needs numbers")
        return Targets(REGRESSION, np.asarray(values, dtype=np.float64), [])
    if task is None and numbers and not _are_classes(distinct, len(values)):
        note = f"the target '{column}' is taken for numbers"
        if len(distinct) <= len(values) // MIN_OF_EACH:
            note += "; --task multiclass takes it for classes"
        return Targets(REGRESSION, np.asarray(values, dtype=np.float64), [], (note,))
    return _classes(values, column, where, task, numbers)


def targets_like(
    values: Sequence[Any], like: Targets, where: str, separator: str | None = None
) -> Targets:
    """Return what is to be predicted for other rows of the same kind.

    Parameters
    ----------
    values : sequence
        Shape ``(n,)``: as `target_values` returns them.
    like : Targets
        Those that a model is fitted on.
    where : str
        The column and its source, for messages.
    separator : str, optional
        See `targets_of`.

    Raises
    ------
    TrainingError
        Some rows have other classes, or words in place of numbers.
    """
    notes: tuple[str, ...] = ()
    strange: set[Any] = set()
    if like.task == REGRESSION:
        strange = {value for value in values if not _is_number(value)}
        found: Any = values
    elif like.task == MULTILABEL:
        parts = [_labels(value, separator) for value in values]
        others = sorted(set().union(*parts) - set(like.classes), key=str)
        notes = (f"{where} has labels that are not learned: {_shown(others)}",) if others else ()
        found = [[int(one in row) for one in like.classes] for row in parts]
    else:
        words = any(isinstance(one, str) for one in like.classes)
        labels: list[Any] = (
            [str(value).strip() for value in values] if words else labels_as_read(values).values
        )
        if not set(labels) <= set(like.classes) and like.classes == [0, 1]:
            labels = [REVIEWS.get(str(one).lower(), one) for one in labels]
        strange, found = set(labels) - set(like.classes), labels
    if strange:
        shown = _shown(sorted(strange, key=str))
        raise TrainingError(f"{where} has values that the rows to fit on do not have: {shown}")
    dtype = None if like.values.dtype.kind == "U" else like.values.dtype
    return Targets(like.task, np.asarray(found, dtype=dtype), like.classes, notes)


def as_reviews(targets: Targets) -> Targets:
    """Return targets with 0 and 1 for the usual names of negative and positive reviews.

    Others are returned as they are.
    """
    spelled = [str(one).lower() for one in targets.classes]
    numbers = [REVIEWS.get(one) for one in spelled]
    if targets.task != BINARY or None in numbers or len(set(numbers)) < 2:
        return targets
    known = dict(zip(targets.classes, numbers, strict=True))
    values = np.array([known[value] for value in targets.values.tolist()])
    return Targets(BINARY, values, [0, 1], targets.notes)


def _classes(
    values: Sequence[Any], column: str, where: str, task: str | None, numbers: bool
) -> Targets:
    labels = labels_as_read(values)
    if any(isinstance(one, float) for one in labels.classes):
        labels = labels_as_read([str(value) for value in values])
    joining = joined_by(labels.classes) if task is None else None
    if joining is not None:
        example = next(one for one in labels.classes if joining in str(one))
        raise TrainingError(
            f"{where} holds labels that are joined, such as {example!r}: --label-separator "
            f"{joining!r} predicts which of several labels apply to a row, and --task multiclass "
            "predicts one class for each combination"
        )
    if task == BINARY and len(labels.classes) > 2:
        raise TrainingError(
            f"{where} has {len(labels.classes):,} classes ({_shown(labels.classes)}), and --task "
            "binary needs two"
        )
    rare = [one for one in labels.classes if labels.counts[one] < MIN_OF_EACH]
    if rare:
        shown = ", ".join(f"{one!r} ({labels.counts[one]})" for one in rare[:SHOWN])
        more = f" and {len(rare) - SHOWN:,} more" if len(rare) > SHOWN else ""
        number = "; if it holds numbers, and not classes, choose --task regression"
        raise TrainingError(
            f"{where} has classes with too few rows: {shown}{more}; at least {MIN_OF_EACH} of each "
            f"are needed{number if numbers else ''}"
        )
    note = f"the target '{column}' has {len(labels.classes)} classes: {_shown(labels.classes)}"
    if numbers and task is None and len(labels.classes) > 2:
        note += "; --task regression takes it for numbers"
    found = BINARY if len(labels.classes) == 2 else MULTICLASS
    return Targets(found, np.asarray(labels.values), labels.classes, (note,))


def _several(values: Sequence[Any], column: str, where: str, separator: str | None) -> Targets:
    """Return several labels of each row; a row may have none."""
    words = [value for value in values if isinstance(value, str)]
    if separator is None and words:
        likely = joined_by(list(dict.fromkeys(words)))
        shown = f", which looks like {likely!r}" if likely else ""
        raise TrainingError(
            f"name what joins several labels in a value of {where}{shown}, with --label-separator"
        )
    parts = [_labels(value, separator) for value in values]
    counts = Counter(part for row in parts for part in row)
    classes: list[Label] = sorted(one for one in counts if counts[one] >= MIN_OF_EACH)
    rare = sorted(counts.keys() - set(classes), key=str)
    if len(classes) < 2:
        raise TrainingError(
            f"{where} has {len(classes)} labels with {MIN_OF_EACH} or more rows, and at least two "
            f"are needed; the separator is {separator!r}"
        )
    indicators = np.array([[int(one in row) for one in classes] for row in parts])
    notes = [f"any of {len(classes)} labels of '{column}' may apply: {_shown(classes)}"]
    if rare:
        notes.append(f"labels in fewer than {MIN_OF_EACH} rows are not learned: {_shown(rare)}")
    none = sum(not row for row in parts)
    if none:
        notes.append(f"{none:,} rows of {where} have no label")
    return Targets(MULTILABEL, indicators, classes, tuple(notes))


def _labels(value: Any, separator: str | None) -> set[str]:
    if value is None:
        return set()
    found = value if isinstance(value, list) else str(value).split(separator)
    return {str(part).strip() for part in found} - {""}


def _are_classes(distinct: set[Any], rows: int) -> bool:
    """Return whether numbers are classes."""
    if len(distinct) == 2:
        return True
    whole = all(value == value // 1 for value in distinct)
    return whole and len(distinct) <= min(MAX_NUMBERED, rows // MIN_OF_EACH)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refuse_lists(values: Sequence[Any], where: str) -> None:
    if any(isinstance(value, list | dict) for value in values):
        raise TrainingError(
            f"{where} holds lists: --task multilabel predicts which of several labels apply to a "
            "row"
        )


def _shown(classes: Sequence[Any]) -> str:
    first = ", ".join(map(str, classes[:MAX_NUMBERED]))
    more = len(classes) - MAX_NUMBERED
    return f"{first} and {more:,} more" if more > 0 else first
