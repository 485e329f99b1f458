"""Measures a model on rows that it was not fitted on."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sklearn_api.calibration import Calibration
from sklearn_api.signature import (
    BINARY,
    CLASSIFICATIONS,
    CLUSTER,
    MULTILABEL,
    OUTLIER,
    TEXT,
    Signature,
)
from training.errors import TrainingError
from training.evaluation.answers import ask
from training.evaluation.base import Booleans, Evaluation, Floats, Indices
from training.evaluation.classification import Binary, Multiclass
from training.evaluation.multilabel import Multilabel
from training.evaluation.regression import Regression
from training.evaluation.unmeasured import Unmeasured

_SHOWN = 5  # unknown targets in a message


def evaluate(
    pipeline: Any,
    calibration: Calibration | None,
    signature: Signature,
    rows: Any,
    targets: Any,
    *,
    seen: ArrayLike | None = None,
    progress: Callable[[int], None] = lambda amount: None,
) -> Evaluation:
    """Compare a model's predictions with the right answers.

    Parameters
    ----------
    pipeline : estimator
        Fitted; one that was fitted on a DataFrame predicts from it.
    calibration : Calibration or None
        Turns its decision scores into probabilities.
    signature : Signature
        What goes into the model, and what comes out.
    rows : sequence or Series of str, or DataFrame, or ndarray of shape (n, columns)
        At least one row that it was not fitted on.
    targets : array_like or None
        The right answer for each row: classes as the estimator has them, numbers, or an indicator
        matrix of shape ``(n, labels)``. None if they are not known. Clusters and outliers have
        none.
    seen : array_like of bool, optional
        Shape ``(n,)``, as `seen_rows` returns it. Default: it is not known.
    progress : callable, optional
        Called with the number of rows in each chunk that was predicted.

    Raises
    ------
    TrainingError
        There is no row, the targets do not fit the rows or the signature, or the model predicts
        what the signature has no label for.
    """
    if not len(rows):
        raise TrainingError("there are no rows to measure the model on")
    if signature.kind == TEXT:
        rows = list(rows)  # of a Series, whose index counts in its own way
    predicted, scores, probabilities = ask(pipeline, calibration, signature, rows, progress)
    task = signature.task
    known = (signature, rows, None if seen is None else np.asarray(seen, dtype=bool))
    if targets is None or task in (CLUSTER, OUTLIER):
        return Unmeasured(*known, _answers(predicted, signature, "predictions"))
    truth = _answers(targets, signature, "targets")
    if len(truth) != len(rows):
        raise TrainingError(f"there are {len(truth):,} targets for {len(rows):,} rows")
    found = _answers(predicted, signature, "predictions")
    if task == MULTILABEL:
        return Multilabel(*known, truth, found, probabilities)
    if task in CLASSIFICATIONS:
        kind = Binary if task == BINARY else Multiclass
        return kind(*known, truth, found, scores, probabilities)
    return Regression(*known, truth, found)


def seen_rows(rows: Any, fitted_on: Any) -> Booleans:
    """Return which rows are also among others, word for word and value for value.

    Parameters
    ----------
    rows, fitted_on : sequence or Series of str, or DataFrame, or ndarray of shape (n, columns)
        Tables have equal columns.

    Returns
    -------
    ndarray of bool
        Shape ``(n,)``.
    """
    if getattr(rows, "ndim", 1) == 1:
        known = set(fitted_on)
        return np.fromiter((row in known for row in rows), dtype=bool, count=len(rows))
    import pandas as pd
    from pandas.util import hash_pandas_object

    frames = (pd.DataFrame(table) for table in (rows, fitted_on))
    hashes, others = (hash_pandas_object(frame, index=False) for frame in frames)
    return np.isin(hashes.to_numpy(), others.to_numpy())


def _answers(values: Any, signature: Signature, what: str) -> Any:
    """Return targets or predictions as an `Evaluation` has them."""
    if hasattr(values, "toarray"):
        values = values.toarray()
    if signature.task == MULTILABEL:
        return _indicators(values, signature, what)
    if signature.task in (*CLASSIFICATIONS, CLUSTER, OUTLIER):
        return _positions(values, signature, what)
    return _numbers(values, what)


def _positions(values: Any, signature: Signature, what: str) -> Indices:
    """Return labels as positions in the signature's labels."""
    position = {one.label: number for number, one in enumerate(signature.labels)}
    array = np.asarray(values, dtype=object)
    listed = array.reshape(len(array), -1)[:, 0].tolist()
    if array.size != len(array) or any(isinstance(value, (list, set)) for value in listed):
        raise TrainingError(f"the {what} of a model with one label a row must be one label each")
    unknown = dict.fromkeys(value for value in listed if value not in position)
    if unknown:
        shown = ", ".join(map(repr, _plain([*unknown][:_SHOWN])))
        rest = f" and {len(unknown) - _SHOWN:,} more" if len(unknown) > _SHOWN else ""
        raise TrainingError(
            f"the {what} contain {shown}{rest}, which are not among the model's labels: "
            f"{', '.join(repr(one.label) for one in signature.labels)}"[:500]
        )
    return np.array([position[value] for value in listed], dtype=np.int64)


def _plain(values: list[Any]) -> list[Any]:
    return [value.item() if hasattr(value, "item") else value for value in values]


def _indicators(values: Any, signature: Signature, what: str) -> Booleans:
    matrix = np.asarray(values)
    wanted = len(signature.labels)
    if matrix.ndim != 2 or matrix.shape[1] != wanted or not np.isin(matrix, (0, 1)).all():
        raise TrainingError(
            f"the {what} of a model with several labels must be a matrix of 0 and 1 with "
            f"{wanted} columns, one for each label; these have shape {matrix.shape}"
        )
    return matrix.astype(bool)


def _numbers(values: Any, what: str) -> Floats:
    try:
        numbers = np.asarray(values, dtype=float)
        numbers = numbers.reshape(len(numbers))
    except (TypeError, ValueError) as exc:
        raise TrainingError(f"the {what} of a regression must be one number a row: {exc}") from exc
    missing = np.flatnonzero(~np.isfinite(numbers))
    if len(missing):
        raise TrainingError(
            f"{len(missing):,} of the {what} are not finite numbers, the first in row {missing[0]}"
        )
    return numbers
