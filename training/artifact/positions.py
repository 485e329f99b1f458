"""Fitted on a DataFrame, served without pandas: the names of columns become their positions.

The rewriter follows the data through a copy of the pipeline, once as the DataFrame that the
pipeline was fitted on and once as the array that it will be served with. At each step it

- replaces names, masks, slices and selectors of a `ColumnTransformer` by positions;
- has columns of numbers read as numbers (`floats`);
- resets `set_output` and removes `feature_names_in_`, so that nothing asks for a DataFrame
  (`traces`);
- checks that transformers work on the array at all, so that a message can name the step.

Whether the copy predicts the same is a question for `training.artifact.comparison`.
"""

import copy
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from sklearn_api.errors import ArtifactError
from sklearn_api.rows import rows_as_array
from training.artifact.floats import become_numbers, from_numbers
from training.artifact.frames import Frame, columns_of, instances_of
from training.artifact.traces import forget_frame, forget_frames
from training.artifact.transforming import (
    is_own,
    same_values,
    transform_array,
    transformed,
    transformed_array,
)

_SAMPLE = 20
"""Rows that are followed through the pipeline."""

_SAME_ROWS = frozenset(
    (
        "best_estimator_",
        "calibrated_classifiers_",
        "estimator",
        "estimator_",
        "estimators_",
        "regressor_",
    )
)
"""Attributes with fitted estimators that see the rows that the estimator itself sees."""

_TEMPLATES = {
    "estimator": ("best_estimator_", "estimator_", "estimators_", "calibrated_classifiers_"),
    "regressor": ("regressor_",),
    "final_estimator": ("final_estimator_",),
}
"""Parameters that hold an unfitted estimator, and the attributes with what was fitted from it."""


def by_position(pipeline: Any, frame: Frame) -> Any:
    """Return a copy of a fitted pipeline that predicts from an array, without pandas.

    The array has the columns of `frame` in the same order, as
    `sklearn_api.rows.rows_as_array` builds it.

    Parameters
    ----------
    pipeline : estimator
        Fitted on a DataFrame with the columns of `frame`; it stays as it is.
    frame : DataFrame
        Some rows that the pipeline can predict from, with the dtypes that it was fitted on.

    Raises
    ------
    ArtifactError
        It is not fitted, or not on these columns, or something in it works on DataFrames only;
        the message names the step, and what to write.
    """
    _check_fitted(pipeline)
    columns = columns_of(frame)
    check_columns(pipeline, [column.name for column in columns])
    sample = frame.head(_SAMPLE).copy()
    array = rows_as_array(instances_of(sample), columns)
    rewritten = copy.deepcopy(_predicting(pipeline))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _rewrite(rewritten, sample, array, ())
    forget_frames(rewritten)
    return rewritten


def _predicting(pipeline: Any) -> Any:
    """Return what predicts: of a search, the best pipeline, refitted."""
    # Private, but the only thing that all searches have in common.
    from sklearn.model_selection._search import BaseSearchCV

    while isinstance(pipeline, BaseSearchCV):
        if not hasattr(pipeline, "best_estimator_"):
            raise ArtifactError(
                f"{type(pipeline).__name__} has no best_estimator_: fit it, with refit=True"
            )
        pipeline = pipeline.best_estimator_
    return pipeline


def _check_fitted(pipeline: Any) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(pipeline)
    except (NotFittedError, TypeError) as exc:
        raise ArtifactError(f"{type(pipeline).__name__} is not a fitted estimator: {exc}") from exc


def check_columns(pipeline: Any, names: Sequence[str]) -> None:
    """Raise unless a pipeline was fitted on these columns.

    Parameters
    ----------
    pipeline : estimator
        A fitted one.
    names : sequence of str
        In the order of the rows.

    Raises
    ------
    ArtifactError
        It was fitted on others, or in another order.
    """
    fitted = getattr(pipeline, "feature_names_in_", None)
    if fitted is not None and list(fitted) != list(names):
        raise ArtifactError(
            f"the pipeline was fitted on the columns {list(fitted)}, in this order, and the rows "
            f"have {list(names)}: give it rows[list(pipeline.feature_names_in_)]"
        )
    number = getattr(pipeline, "n_features_in_", len(names))
    if number != len(names):
        raise ArtifactError(
            f"the pipeline was fitted on {number} columns, and the rows have {len(names)}"
        )


def _rewrite(step: Any, frame: Any, array: Any, path: tuple[str, ...]) -> None:
    """Rewrite a fitted estimator in place.

    Parameters
    ----------
    step : estimator
    frame : DataFrame, Series, ndarray, sparse matrix or None
        What it saw so far; None where that is unknown.
    array : ndarray, sparse matrix or None
        What it will see.
    path : tuple of str
        The names of the steps down to it, for messages.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.pipeline import FeatureUnion, Pipeline

    if isinstance(step, Pipeline):
        _rewrite_pipeline(step, frame, array, path)
    elif isinstance(step, ColumnTransformer):
        _rewrite_columns(step, frame, array, path)
    elif isinstance(step, FeatureUnion):
        for name, inner in step.transformer_list:
            if not isinstance(inner, str):
                _rewrite(inner, frame, array, (*path, name))
    elif isinstance(step, (HistGradientBoostingClassifier, HistGradientBoostingRegressor)):
        # Private, because it encodes its categories with a ColumnTransformer of its own; that knows
        # its columns by masks, but also by names.
        if step._preprocessor is not None:
            _rewrite(step._preprocessor, None, None, path)
        step.categorical_features = step.is_categorical_
    else:
        _rewrite_estimator(step, frame, array, path)
    forget_frame(step)


def _rewrite_pipeline(pipeline: Any, frame: Any, array: Any, path: tuple[str, ...]) -> None:
    from sklearn.preprocessing import FunctionTransformer

    for number, (name, step) in enumerate(pipeline.steps, 1):
        if step is None or isinstance(step, str):
            continue
        # What only changes rows while fitting has no `transform`, and passes rows on.
        transforms = number < len(pipeline.steps) and hasattr(step, "transform")
        after = transformed(step, frame) if transforms else frame
        numbers = isinstance(step, FunctionTransformer) and become_numbers(step, frame, array)
        array = array.astype(float) if numbers else array
        _rewrite(step, frame, array, (*path, name))
        if numbers:
            pipeline.steps[number - 1] = (name, from_numbers(step, array.shape[1]))
        array = transformed_array(step, array) if transforms else array
        frame = after


def _rewrite_columns(step: Any, frame: Any, array: Any, path: tuple[str, ...]) -> None:
    """Rewrite a `ColumnTransformer`."""
    # Private, because nothing public holds what the callables of `transformers` have selected, nor
    # the columns of the remainder: a dict from names of transformers to lists of positions.
    positions = step._transformer_to_input_indices
    if not _is_frame_of(frame, step) or array is None:
        frame = array = None
    fitted = {}
    for name, inner, columns in step.transformers_:
        chosen = _chosen(columns, positions[name])
        if not isinstance(inner, str) and positions[name]:
            part: Any = None if frame is None else frame.iloc[:, chosen]
            given: Any = None if frame is None else array[:, chosen]
            numbers = become_numbers(inner, part, given)
            given = given.astype(float) if numbers else given
            _rewrite(inner, part, given, (*path, name))
            if numbers:
                inner = from_numbers(inner, len(chosen))
        fitted[name] = (inner, chosen)
    step.transformers_ = [(name, *fitted[name]) for name, _, _ in step.transformers_]
    # Here are the unfitted transformers, with names, selectors and functions of their own, of which
    # predicting reads nothing. The fitted ones take their places.
    step.transformers = [(name, *fitted[name]) for name, _, _ in step.transformers]
    if not isinstance(step.remainder, str) and "remainder" in fitted:
        step.remainder = fitted["remainder"][0]
    # Private, and of no use after `fit`, but they hold names, and the HTML display reads them.
    step._columns = [chosen for _, _, chosen in step.transformers]
    step._remainder = ("remainder", step.remainder, list(positions["remainder"]))


def _rewrite_estimator(step: Any, frame: Any, array: Any, path: tuple[str, ...]) -> None:
    """Rewrite an estimator, and those that it holds."""
    for part in _functions(step):
        if str(getattr(part, "__module__", "")).split(".")[0] == "pandas":
            raise ArtifactError(
                f"{_where(path)} calls pandas.{getattr(part, '__name__', part)}, and a Lambda has "
                "no pandas: write it with numpy, and fit again"
            )
    before = transformed(step, frame) if hasattr(frame, "iloc") else None
    for name, inner, same in _held(step):
        _rewrite(inner, frame if same else None, array if same else None, (*path, name))
    _fill_templates(step)
    forget_frame(step)
    if before is None or array is None:
        return
    # A transformer of one's own may raise anything, or return something else.
    try:
        after = transform_array(step, array)
    except Exception as exc:
        raise ArtifactError(
            _advise(step, frame, path, f"on an array it raises {type(exc).__name__}: {exc}")
        ) from exc
    if is_own(step) and not same_values(before, after):
        raise ArtifactError(_advise(step, frame, path, "on an array it returns other values"))


def _advise(step: Any, frame: Any, path: tuple[str, ...], reason: str) -> str:
    columns = list(getattr(frame, "columns", [getattr(frame, "name", None)]))
    function = getattr(getattr(step, "func", None), "__name__", None)
    what = f"the function {function!r}" if function else type(step).__name__
    return (
        f"{_where(path)}: {what} depends on DataFrames; {reason}. Write it for arrays "
        "(numpy.asarray(X, float) if all columns are numbers; X[:, 0] is the first column) with "
        f"the columns in the order {columns}, and fit again"
    )


def _functions(step: Any) -> Iterator[Any]:
    for name in ("func", "inverse_func"):
        function = vars(step).get(name)
        if function is not None:
            yield getattr(function, "func", function)  # of a `functools.partial`


def _chosen(columns: Any, positions: Sequence[int]) -> Any:
    """Return positions as the columns were given: one, whose values are 1-d, or several."""
    import numpy as np

    return int(positions[0]) if np.isscalar(columns) else [int(one) for one in positions]


def _is_frame_of(frame: Any, step: Any) -> bool:
    """Whether an estimator was fitted on a DataFrame with these columns."""
    names = getattr(step, "feature_names_in_", None)
    return hasattr(frame, "iloc") and names is not None and list(frame.columns) == list(names)


def _held(step: Any) -> Iterator[tuple[str, Any, bool]]:
    """Yield the fitted estimators that an estimator holds.

    Yields
    ------
    tuple of str, estimator, bool
        A name for messages, and whether it sees the same rows.
    """
    names = [name for name, inner in getattr(step, "estimators", None) or [] if inner != "drop"]
    for attribute, value in vars(step).items():
        for number, inner in enumerate(value if isinstance(value, (list, tuple)) else [value]):
            if attribute == "calibrated_classifiers_":
                inner = inner.estimator
            if not hasattr(inner, "get_params") or isinstance(inner, type):
                continue
            if attribute.endswith("_") or type(step).__name__ == "FrozenEstimator":
                many = attribute == "estimators_" and number < len(names)
                yield names[number] if many else attribute, inner, attribute in _SAME_ROWS


def _fill_templates(step: Any) -> None:
    """Put fitted estimators in the places of the unfitted ones, which are full of names."""
    for parameter, attributes in _TEMPLATES.items():
        if not hasattr(vars(step).get(parameter), "get_params"):
            continue
        for attribute in attributes:
            fitted = vars(step).get(attribute)
            if isinstance(fitted, list) and fitted:
                fitted = fitted[0]
            if attribute == "calibrated_classifiers_" and fitted is not None:
                fitted = fitted.estimator
            if hasattr(fitted, "get_params"):
                setattr(step, parameter, fitted)
                break
    if isinstance(vars(step).get("estimators"), list) and hasattr(step, "estimators_"):
        found = iter(step.estimators_)
        step.estimators = [
            (name, inner if isinstance(inner, str) else next(found, inner))
            for name, inner in step.estimators
        ]


def _where(path: tuple[str, ...]) -> str:
    return f"step {' > '.join(map(repr, path))}" if path else "the estimator"
