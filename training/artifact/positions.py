"""Fitted on a DataFrame, served without pandas: the names of columns become their positions.

The rewriter follows the data through a copy of the pipeline, once as the DataFrame that the
pipeline was fitted on and once as the array that it will be served with. At each step it

- replaces names, masks, slices and selectors of a `ColumnTransformer` by positions;
- has columns of numbers read as numbers: cut out of an array that also holds strings, they are
  Python objects, of which `numpy.log1p` for one knows nothing;
- resets `set_output` and removes `feature_names_in_`, so that nothing asks for a DataFrame;
- checks that a step which is not a composite one works on the array at all.

Whether the copy predicts the same is a question for `training.artifact.comparison`.
"""

import copy
import warnings
from collections.abc import Iterator, Sequence
from types import FunctionType, ModuleType
from typing import Any

from sklearn_api.errors import ArtifactError
from training.artifact.frames import Frame, columns_of, instances_of, is_number
from training.artifact.rows import rows_as_array

_SAMPLE = 20
"""Rows that are followed through the pipeline."""

_LEAVES = (str, bytes, bool, int, float, type, FunctionType, ModuleType)
"""What holds no DataFrame, and need not be looked into."""

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

_CONVERTING = frozenset(
    f"sklearn.{name}"
    for name in (
        "KBinsDiscretizer",
        "KNNImputer",
        "MaxAbsScaler",
        "MinMaxScaler",
        "Normalizer",
        "PolynomialFeatures",
        "PowerTransformer",
        "QuantileTransformer",
        "RobustScaler",
        "SplineTransformer",
        "StandardScaler",
    )
)
"""Transformers that turn objects into floats themselves, so that nothing has to do it for them."""


def by_position(pipeline: Any, frame: Frame) -> Any:
    """Return a copy of a fitted pipeline that predicts from an array, without pandas.

    The array has the columns of `frame` in the same order, as
    `training.artifact.rows.rows_as_array` builds it.

    Parameters
    ----------
    pipeline : estimator
        Fitted on a DataFrame with the columns of `frame`; it stays as it is.
    frame : DataFrame
        Some rows that the pipeline can predict from, with the dtypes that it was fitted on.

    Raises
    ------
    ArtifactError
        Something in it works on DataFrames only; the message names the step and what to write.
    """
    columns = columns_of(frame)
    _check_columns(pipeline, [column.name for column in columns])
    sample = frame.head(_SAMPLE).copy()
    array = rows_as_array(instances_of(sample), columns)
    rewritten = copy.deepcopy(_predicting(pipeline))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _rewrite(rewritten, sample, array, ())
    _forget_frames(rewritten)
    return rewritten


def _predicting(pipeline: Any) -> Any:
    """Return what predicts: of a search, the best pipeline, refitted."""
    while hasattr(pipeline, "refit") and hasattr(pipeline, "estimator"):
        if not hasattr(pipeline, "best_estimator_"):
            raise ArtifactError(
                f"{type(pipeline).__name__} has no best_estimator_: fit it, with refit=True"
            )
        pipeline = pipeline.best_estimator_
    return pipeline


def _check_columns(pipeline: Any, names: Sequence[str]) -> None:
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
    _forget_frame(step)


def _rewrite_pipeline(pipeline: Any, frame: Any, array: Any, path: tuple[str, ...]) -> None:
    from sklearn.preprocessing import FunctionTransformer

    for number, (name, step) in enumerate(pipeline.steps, 1):
        if step is None or isinstance(step, str):
            continue
        # What only changes rows while fitting has no `transform`, and passes rows on.
        transforms = number < len(pipeline.steps) and hasattr(step, "transform")
        after = _transformed(step, frame) if transforms else frame
        numbers = isinstance(step, FunctionTransformer) and _become_numbers(step, frame, array)
        array = array.astype(float) if numbers else array
        _rewrite(step, frame, array, (*path, name))
        if numbers:
            pipeline.steps[number - 1] = (name, _from_numbers(step, array.shape[1]))
        array = _transformed_array(step, array) if transforms else array
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
            numbers = _become_numbers(inner, part, given)
            given = given.astype(float) if numbers else given
            _rewrite(inner, part, given, (*path, name))
            if numbers:
                inner = _from_numbers(inner, len(chosen))
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
    before = _transformed(step, frame) if hasattr(frame, "iloc") else None
    for name, inner, same in _held(step):
        _rewrite(inner, frame if same else None, array if same else None, (*path, name))
    _fill_templates(step)
    _forget_frame(step)
    if before is None or array is None:
        return
    try:
        _transform_array(step, array)
    # A transformer of one's own may raise anything.
    except Exception as exc:
        columns = list(getattr(frame, "columns", [getattr(frame, "name", None)]))
        function = getattr(getattr(step, "func", None), "__name__", None)
        what = f"the function {function!r}" if function else type(step).__name__
        raise ArtifactError(
            f"{_where(path)}: {what} works on a DataFrame only; on an array it raises "
            f"{type(exc).__name__}: {exc}. Write it for arrays (numpy.asarray(X), then X[:, 0] for "
            f"the first column) with the columns in the order {columns}, and fit again"
        ) from exc


def _transformed(step: Any, rows: Any) -> Any:
    """Return what a step makes of rows, None if that is unknown."""
    if rows is None or not hasattr(step, "transform"):
        return None
    try:
        return step.transform(rows)
    # Whatever a step raises here, it raises when the two forms are compared, too.
    except Exception:
        return None


def _transform_array(step: Any, array: Any) -> Any:
    """Return what a step makes of an array, whatever output the trainer's process prefers."""
    from sklearn import config_context

    with config_context(transform_output="default"):
        return step.transform(array)


def _transformed_array(step: Any, array: Any) -> Any:
    try:
        return None if array is None else _transform_array(step, array)
    # As in `_transformed`.
    except Exception:
        return None


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


def _become_numbers(step: Any, frame: Any, array: Any) -> bool:
    """Whether a step saw numbers in a DataFrame, and would see Python objects in an array."""
    import numpy as np

    if getattr(frame, "ndim", 1) != 2 or not hasattr(frame, "iloc"):
        return False
    if getattr(getattr(array, "dtype", None), "kind", None) != "O" or not all(
        map(is_number, frame.dtypes)
    ):
        return False
    # What passes through becomes an array as a whole: of objects, if it has numbers and booleans.
    return not _is_identity(step) or np.asarray(frame).dtype != object


def _is_identity(step: Any) -> bool:
    from sklearn.preprocessing import FunctionTransformer

    # Another class may do more, even one that is derived from it.
    return type(step) is FunctionTransformer and step.func is None and not step.validate


def _from_numbers(step: Any, width: int) -> Any:
    """Return a step that turns its input into floats first, if it does not do so itself."""
    import numpy as np
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    first = step
    while isinstance(first, Pipeline):
        first = first.steps[0][1]
    if f"{type(first).__module__.split('.')[0]}.{type(first).__name__}" in _CONVERTING:
        return step
    if type(first) is SimpleImputer and first.strategy in ("mean", "median"):
        return step
    # With neither mean nor scale, all that a StandardScaler does is to make floats of its input,
    # gaps included. A FunctionTransformer would name a function, and artifacts name few.
    floats = StandardScaler(copy=False, with_mean=False, with_std=False)
    floats.fit(np.zeros((1, width)))
    if _is_identity(step):
        return floats
    return Pipeline([("floats", floats), ("step", step)])


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
                fitted = getattr(fitted[0], "estimator", fitted[0])
            if hasattr(fitted, "get_params"):
                setattr(step, parameter, fitted)
                break
    if isinstance(vars(step).get("estimators"), list) and hasattr(step, "estimators_"):
        found = iter(step.estimators_)
        step.estimators = [
            (name, inner if isinstance(inner, str) else next(found))
            for name, inner in step.estimators
        ]


def _where(path: tuple[str, ...]) -> str:
    return f"step {' > '.join(map(repr, path))}" if path else "the estimator"


def _forget_frame(step: Any) -> None:
    """Remove what an estimator remembers of DataFrames."""
    for attribute in (
        "feature_names_in_",
        # Private, because `set_output` cannot take back what it has set: with "default" it would
        # outdo the setting of whoever predicts.
        "_sklearn_output_config",
        # Private; a ColumnTransformer keeps the names that its transformers' DataFrames had.
        "_transformers_feature_names_out",
    ):
        vars(step).pop(attribute, None)


def _forget_frames(root: Any) -> None:
    """Remove DataFrames' traces from all that a pipeline holds, or raise where that is impossible.

    Indexes and series among its parameters become arrays, and `pandas.NA` becomes NaN: in the
    array, that is what a gap is.
    """
    import numpy as np

    seen: dict[int, Any] = {}

    def visit(value: Any, path: tuple[str, ...]) -> Any:
        if str(type(value).__module__).split(".")[0] == "pandas":
            return _without_pandas(value, path)
        if isinstance(value, _LEAVES) or value is None or id(value) in seen:
            return value
        seen[id(value)] = value  # the value as well, or else its id could be given to another one
        if isinstance(value, dict):
            for key in list(value):
                value[key] = visit(value[key], (*path, str(key)))
        elif isinstance(value, list):
            value[:] = [visit(one, (*path, str(number))) for number, one in enumerate(value)]
        elif type(value) is tuple:
            return tuple(visit(one, (*path, str(number))) for number, one in enumerate(value))
        elif isinstance(value, np.ndarray):
            for place in np.ndindex(value.shape if value.dtype == object else (0,)):
                value[place] = visit(value[place], (*path, str(place)))
        elif hasattr(value, "__dict__"):
            _forget_frame(value)
            for name in list(vars(value)):
                vars(value)[name] = visit(vars(value)[name], (*path, name))
        return value

    visit(root, ())


def _without_pandas(value: Any, path: tuple[str, ...]) -> Any:
    import numpy as np

    if type(value).__name__ == "NAType":
        return float("nan")
    if hasattr(value, "to_numpy"):
        kind = getattr(value.dtype, "kind", "O") if hasattr(value, "dtype") else "O"
        return np.asarray(value, dtype=None if kind in "iufb" else object)
    raise ArtifactError(
        f"{'.'.join(path)} is a {type(value).__name__} of pandas, which a Lambda does not have: "
        "use lists, numpy arrays or plain values, and fit again"
    )
