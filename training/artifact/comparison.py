"""The served form of a pipeline against the original, on rows that a client might send.

The original predicts from DataFrames, the rewritten one from what a Lambda makes of the same rows
in JSON: those given, and made-up ones with gaps, unseen categories and extreme numbers, in one
column after the other.
"""

import warnings
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from typing import Any, NamedTuple, NoReturn

from sklearn_api.errors import ArtifactError
from sklearn_api.rows import rows_as_array
from sklearn_api.signature import INTEGER, NUMBER, STRING, Input
from training.artifact.changes import repeated, with_gaps, with_values
from training.artifact.frames import Frame, columns_of, instances_of

TOLERANCE = 1e-12
"""Largest difference between two numbers, relative to the larger of 1 and the expected number.

Sums in another order differ in their last bits.
"""

_NARROW = frozenset(("float16", "float32"))
_METHODS = ("predict", "predict_proba", "decision_function")
_UNSEEN = ("", " ", "\u2400 never seen \u4e2d")
_WHOLE = (0, -1, 10**9, -(10**9))
_EXTREME = (0.0, -1.0, 1e-30, 1e9, -1e9, 1e30)
_GAPS = 2
"""Rows with a gap, for each column."""
_FAILING = 3
"""Rows with the same change on which both forms may fail before the others are left out."""


class _Group(NamedTuple):
    """Rows, and in words what was changed about each."""

    changes: list[str]
    frame: Frame


def compare(
    original: Any,
    rewritten: Any,
    frame: Frame,
    *,
    columns: Sequence[Input] | None = None,
    nullable: Container[str] | None = None,
) -> None:
    """Compare two forms of a pipeline, on rows of its input and on rows made from them.

    An input on which the original raises has to make the rewritten form raise as well.

    Parameters
    ----------
    original : estimator
        Predicts from a DataFrame.
    rewritten : estimator
        Predicts from an array, as `training.artifact.positions.by_position` returns it.
    frame : DataFrame
        Rows, at best held-out ones, with the dtypes that the pipeline was fitted on.
    columns : sequence of Input, optional
        What a Lambda builds the array with; by default the columns of `frame`.
    nullable : container of str, optional
        Names of the columns that a client may leave out; by default all of them.

    Raises
    ------
    ArtifactError
        The two differ, or the original predicts from none of the rows. The message names the row,
        what was changed about it, and both results.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for group in _groups(frame, nullable):
            _Comparison(original, rewritten, group, columns or columns_of(frame)).run()


def _groups(frame: Frame, nullable: Container[str] | None) -> Iterator[_Group]:
    """Yield the rows as they are, and then rows with a change to one column each."""
    yield _Group([""] * len(frame), frame)
    changes: list[tuple[str, str, Any]] = []
    empty = repeated(frame, _GAPS)
    for column in columns_of(frame):
        name = column.name
        gaps = with_gaps(repeated(frame, _GAPS), column)
        if nullable is not None and name not in nullable:
            pass
        elif gaps[name].dtype == frame[name].dtype:
            changes += [(f" with {name!r} missing", name, gap) for gap in gaps[name].tolist()]
            empty = with_gaps(empty, column)
        else:  # other rows would not keep their dtype, with which the pipeline was fitted
            yield _Group([f" with {name!r} missing"] * _GAPS, gaps)
            empty = with_gaps(empty, column)
        values = {STRING: _UNSEEN, INTEGER: _WHOLE, NUMBER: _EXTREME}.get(column.type, ())
        changes += [(f" with {value!r} as {name!r}", name, value) for value in values]
    changed = repeated(frame, len(changes))
    for name in frame.columns:
        rows = {row: value for row, (_, other, value) in enumerate(changes) if other == name}
        changed = with_values(changed, name, rows)
    if changes:  # of booleans alone there is nothing to make up
        yield _Group([change for change, _, _ in changes], changed)
    yield _Group([" with all that may be missing"] * _GAPS, empty)


class _Comparison:
    """Compares two forms of a pipeline on one group of rows.

    Parameters
    ----------
    original, rewritten : estimator
    group : _Group
    columns : sequence of Input
    """

    def __init__(
        self, original: Any, rewritten: Any, group: _Group, columns: Sequence[Input]
    ) -> None:
        self._original = original
        self._rewritten = rewritten
        self._changes, self._frame = group
        self._array = rows_as_array(instances_of(group.frame), columns)
        self._failed: Counter[str] = Counter()
        self._answered: list[tuple[int, int]] = []
        self._error: Exception | None = None

    def run(self) -> None:
        """Compare, with every method that the original has.

        Raises
        ------
        ArtifactError
            They differ.
        """
        first, *others = [method for method in _METHODS if hasattr(self._original, method)]
        self._compare(first, 0, len(self._array))
        if not any(self._changes) and not self._answered:
            raise ArtifactError(
                f"the pipeline's {first} fails on all of the rows given: {_words(self._error)}"
            )
        for rows in self._answered:
            for method in others:
                self._compare_once(method, *rows)

    def _compare(self, method: str, first: int, last: int) -> None:
        """Compare on some rows; where the original raises, on ever fewer of them."""
        if all(self._failed[change] >= _FAILING for change in set(self._changes[first:last])):
            return
        error = self._compare_once(method, first, last)
        if error is None:
            self._answered.append((first, last))
        elif last - first > 1:
            middle = (first + last) // 2
            self._compare(method, first, middle)
            self._compare(method, middle, last)
        else:
            self._failed[self._changes[first]] += 1
            self._error = error
            found, failure = self._found(method, first, last)
            if failure is None:
                self._raise(method, first, _words(error), repr(found[0].tolist()))

    def _compare_once(self, method: str, first: int, last: int) -> Exception | None:
        """Compare on some rows, and return what the original raises on them, if it does."""
        expected, error = _outcome(self._original, method, self._frame.iloc[first:last])
        if error is not None:
            return error
        found, failure = self._found(method, first, last)
        if failure is not None:
            failing = (row for row in range(first, last) if self._found(method, row, row + 1)[1])
            self._raise(method, next(failing, first), "gives a prediction", _words(failure))
        if found.shape != expected.shape:
            self._raise(method, first, f"shape {expected.shape}", f"shape {found.shape}")
        for row, (one, other) in enumerate(zip(found, expected, strict=True), first):
            if not _same(one, other):
                self._raise(method, row, repr(other.tolist()), repr(one.tolist()))
        return None

    def _found(self, method: str, first: int, last: int) -> tuple[Any, Exception | None]:
        """Return the outcome of the rewritten form, whatever output the process prefers."""
        from sklearn import config_context

        with config_context(transform_output="default"):
            return _outcome(self._rewritten, method, self._array[first:last])

    def _raise(self, method: str, row: int, expected: str, found: str) -> NoReturn:
        advice = "write the step that makes the difference for arrays"
        dtypes = {name: self._frame[name].dtype for name in self._frame.columns}
        narrow = [name for name, dtype in dtypes.items() if str(dtype).lower() in _NARROW]
        unknown = [
            name
            for name, dtype in dtypes.items()
            if type(getattr(dtype, "na_value", None)).__name__ == "NAType"
        ]
        if narrow:
            advice = (
                f"mind that the columns {narrow} are less precise than JSON's numbers: make them "
                "float64 (rows.astype('float64'))"
            )
        elif unknown:
            advice = (
                f"mind that the columns {unknown} mark gaps with pandas.NA, of which numpy knows "
                "nothing: make strings 'str', numbers 'float64', and booleans 'object' with NaN"
            )
        raise ArtifactError(
            "without pandas the pipeline does not answer as it does with pandas. On row "
            f"{row}{self._changes[row]}, {method} of a DataFrame: {expected}; of an array: "
            f"{found}. To publish it, {advice}, and fit again"
        )


def _outcome(estimator: Any, method: str, rows: Any) -> tuple[Any, Exception | None]:
    """Return what a method of an estimator returns, or what it raises."""
    import numpy as np

    try:
        answer = getattr(estimator, method)(rows)
    # What estimators raise is part of the comparison.
    except Exception as exc:
        return None, exc
    # The probabilities of several outputs come as a list, one array for each.
    return (np.hstack(answer) if isinstance(answer, list) else np.asarray(answer)), None


def _same(found: Any, expected: Any) -> bool:
    """Whether two answers for one row are the same: scalars or arrays of numbers or labels."""
    import numpy as np

    equal = np.asarray(found == expected)
    if np.asarray(expected).dtype.kind == "f" and np.asarray(found).dtype.kind == "f":
        close = np.abs(found - expected) <= TOLERANCE * np.maximum(1.0, np.abs(expected))
        equal = equal | close | (np.isnan(found) & np.isnan(expected))
    return bool(equal.all())


def _words(error: Exception | None) -> str:
    return f"{type(error).__name__}: {error}"[:300]
