"""Columns of numbers, cut out of an array of Python objects, become numbers again.

In a DataFrame, each column has a dtype of its own. In an array, one column of strings makes Python
objects of all numbers, of which `numpy.log1p` for one knows nothing.
"""

from typing import Any

from training.artifact.frames import is_number
from training.artifact.transforming import is_own, same_values, transformed, transformed_array

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


def become_numbers(step: Any, frame: Any, array: Any) -> bool:
    """Whether a step saw numbers in a DataFrame, and would see Python objects in an array.

    Parameters
    ----------
    step : estimator
    frame : DataFrame, Series, ndarray, sparse matrix or None
        What it saw.
    array : ndarray, sparse matrix or None
        What it would see.
    """
    import numpy as np

    if getattr(frame, "ndim", 1) != 2 or not hasattr(frame, "iloc"):
        return False
    if getattr(getattr(array, "dtype", None), "kind", None) != "O" or not all(
        map(is_number, frame.dtypes)
    ):
        return False
    # What passes through becomes an array as a whole: of objects, if it has numbers and booleans.
    if _is_identity(step):
        return bool(np.asarray(frame).dtype != object)
    # A function of one's own may turn 3 into "3", and 3.0 into "3.0".
    first = _first(step)
    before = transformed(first, frame) if is_own(first) else None
    if before is None or _gives(first, array.astype(float), before):
        return True
    return not _gives(first, array, before)


def _gives(step: Any, array: Any, values: Any) -> bool:
    """Whether a transformer makes these values of an array."""
    found = transformed_array(step, array)
    return found is not None and same_values(values, found)


def _first(step: Any) -> Any:
    from sklearn.pipeline import Pipeline

    while isinstance(step, Pipeline):
        step = step.steps[0][1]
    return step


def _is_identity(step: Any) -> bool:
    from sklearn.preprocessing import FunctionTransformer

    # Another class may do more, even one that is derived from it.
    return type(step) is FunctionTransformer and step.func is None and not step.validate


def from_numbers(step: Any, width: int) -> Any:
    """Return a step that turns its input into floats first, if it does not do so itself.

    Parameters
    ----------
    step : estimator
        Fitted.
    width : int
        Number of columns of its input.
    """
    import numpy as np
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    first = _first(step)
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
