"""What goes into a fitted pipeline: its inputs, described from rows and by asking the pipeline."""

import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sklearn_api.signature import BOOLEAN, INTEGER, NUMBER, STRING, TABLE, Input, LabelValue
from training.artifact.changes import repeated, spread, with_gaps, with_values
from training.artifact.checks import answers
from training.artifact.encoders import fitted_categories
from training.artifact.frames import Frame, columns_of
from training.artifact.sample import Sample
from training.errors import TrainingError

TEXT_FIELD = "text"
"""The field of a text that has no name."""

RESERVED = "instances"
"""The field of a request that holds many instances."""

_MOST_CATEGORIES = 50
_MOST_BYTES = 1_000_000  # of the categories of a closed input, in a signature of up to 4 MB
_ASKED = 20  # rows
_UNSEEN = "\u2400 never seen \u4e2d"
_LONGEST_EXAMPLE = 200  # characters of a text, if there is a shorter one


def text_input(texts: Sequence[str], field: str | None) -> Input:
    """Return the input of a pipeline of texts.

    Parameters
    ----------
    texts : sequence of str
    field : str or None
        Its name in a request; ``text`` by default.

    Raises
    ------
    TrainingError
        The name is taken, or all texts are empty.
    """
    name = field or TEXT_FIELD
    _check_names([name])
    full = sorted((text for text in texts if text.strip()), key=len)
    if not full:
        raise TrainingError("all texts are empty: give rows with some text")
    typical = full[len(full) // 2]
    example = typical if len(typical) <= _LONGEST_EXAMPLE else full[0]
    return Input(name, STRING, nullable=False, objects=True, example=example)


def table_inputs(
    pipeline: Any, sample: Sample, integers: Collection[str] = ()
) -> tuple[Input, ...]:
    """Return the inputs of a pipeline of tables.

    Whether a value may be missing or unknown is asked of the pipeline itself.

    Parameters
    ----------
    pipeline : estimator
        A fitted one.
    sample : Sample
        Rows that it can predict from.
    integers : collection of str
        Columns of whole numbers that never have gaps or fractions. Others become numbers that may
        be missing: a column without gaps today may have one tomorrow.

    Raises
    ------
    ArtifactError
        A column holds what JSON does not have.
    TrainingError
        A column has no values, or the pipeline fails on gaps that there are.
    """
    assert sample.kind == TABLE
    frame = sample.rows
    columns = columns_of(frame)
    _check_names([column.name for column in columns])
    _check_integers(columns, frame, integers)
    empty = [column.name for column in columns if frame[column.name].isna().all()]
    if empty:
        raise TrainingError(
            f"columns {empty} have no value in any of the {len(frame):,} rows given: give rows "
            "that have some, or fit the pipeline without these columns"
        )
    original = sample.original(pipeline)
    known = fitted_categories(pipeline, [column.name for column in columns])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nullable = _nullable(original, frame, columns)
        failing = _failing_on_unseen(original, frame, columns, known)
    inputs = []
    for column in columns:
        values = frame[column.name].dropna().tolist()
        whole = column.type == INTEGER and column.name not in integers
        closed = column.name in failing and _size(known[column.name]) <= _MOST_BYTES
        inputs.append(
            column._replace(
                type=NUMBER if whole else column.type,
                nullable=column.name in nullable and column.name not in integers,
                categories=_categories(column, values, known, closed, frame[column.name].dtype),
                closed=closed,
                example=_example(column.type, values),
            )
        )
    return tuple(inputs)


def full_rows(frame: Frame) -> Frame:
    """Return a few rows, at best those without gaps.

    Parameters
    ----------
    frame : DataFrame
    """
    full = frame[:1000].dropna()
    return spread(full if len(full) else frame, _ASKED)


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if name == RESERVED:
            raise TrainingError(
                f"a column is called {RESERVED!r}, which is how requests with many instances call "
                "their list: give it another name, and fit again"
            )
        if not name:
            raise TrainingError("a column has an empty name: give it one, and fit again")


def _check_integers(columns: Sequence[Input], frame: Frame, integers: Collection[str]) -> None:
    types = {column.name: column.type for column in columns}
    for name in integers:
        if name not in types:
            raise TrainingError(
                f"integers names the column {name!r}, and the rows have {list(types)}"
            )
        gaps = int(frame[name].isna().sum())
        if gaps or types[name] != INTEGER:
            what = f"{gaps:,} gaps" if gaps else f"values of the type {types[name]}"
            raise TrainingError(
                f"integers names the column {name!r}, which has {what} in the rows given: leave it "
                "out of integers, or make the column whole numbers (astype('int64')) and fit again"
            )


def _nullable(original: Any, frame: Frame, columns: Sequence[Input]) -> set[str]:
    """Return the columns without which the pipeline answers."""
    rows = repeated(full_rows(frame), len(columns))
    for number, column in enumerate(columns):
        rows = with_gaps(rows, column, {number})
    given = answers(original, rows)
    nullable = {column.name for column, answer in zip(columns, given, strict=True) if answer}
    for column in columns:
        gaps = frame[column.name].isna()
        if (
            column.name not in nullable
            and gaps.any()
            and not all(answers(original, frame[gaps][:1]))
        ):
            raise TrainingError(
                f"the pipeline fails where {column.name!r} is missing, as it is in {gaps.sum():,} "
                f"of the {len(frame):,} rows given: add a step that fills gaps, such as "
                "sklearn.impute.SimpleImputer, and fit again, or leave these rows out "
                f"(rows.dropna(subset=[{column.name!r}]))"
            )
    return nullable


def _failing_on_unseen(
    original: Any, frame: Frame, columns: Sequence[Input], known: dict[str, list[Any]]
) -> set[str]:
    """Return the columns with encoders for which the pipeline fails on a value that is new."""
    asked: list[tuple[str, Any]] = []
    for column in columns:
        if column.name in known:
            unseen = _unseen(column.type, known[column.name])
            if unseen is not None:
                asked.append((column.name, unseen))
    rows = repeated(full_rows(frame), len(asked))
    for number, (name, value) in enumerate(asked):
        rows = with_values(rows, name, {number: value})
    given = answers(original, rows)
    return {name for (name, _), answer in zip(asked, given, strict=True) if not answer}


def _unseen(kind: str, categories: Sequence[Any]) -> Any:
    """Return a value of a type that is not among categories, None if there is none."""
    if kind == STRING:
        return _UNSEEN
    if kind == BOOLEAN:
        return next((value for value in (False, True) if value not in categories), None)
    numbers = [value for value in categories if isinstance(value, (int, float))]
    return int(max(numbers, default=0)) + 1234567


def _categories(
    column: Input, values: Sequence[Any], known: dict[str, list[Any]], closed: bool, dtype: Any
) -> tuple[LabelValue, ...] | None:
    """Return the categories of a column, None where they are many or unknown."""
    if closed:
        return tuple(known[column.name])
    if column.type not in (STRING, BOOLEAN):
        return None
    kind = str if column.type == STRING else bool
    found = known.get(column.name, [])
    if not found or not all(isinstance(one, kind) for one in found):
        of_dtype = getattr(dtype, "categories", None)
        found = _frequent(column, values) if of_dtype is None else of_dtype.tolist()
    if not 0 < len(found) <= _MOST_CATEGORIES or not all(isinstance(one, kind) for one in found):
        return None
    return tuple(found)


def _frequent(column: Input, values: Sequence[Any]) -> list[Any]:
    """Return the values in a column, none if they hardly ever occur twice, as texts do not."""
    found = set(values)
    return sorted(found) if column.type == BOOLEAN or len(found) * 2 <= len(values) else []


def _size(categories: Iterable[Any]) -> int:
    return sum(len(str(value)) + 4 for value in categories)


def _example(kind: str, values: Sequence[Any]) -> LabelValue:
    """Return a typical value: the median of numbers, the most frequent one of others."""
    if kind in (NUMBER, INTEGER):
        middle = sorted(values)[len(values) // 2]
        number: LabelValue = middle.item() if hasattr(middle, "item") else middle
        return number
    (most, count), *_ = Counter(values).most_common(1)
    if count == 1 and kind == STRING:
        by_length = sorted(values, key=len)
        most = by_length[len(values) // 2]
    typical: LabelValue = most.item() if hasattr(most, "item") else most
    return typical
