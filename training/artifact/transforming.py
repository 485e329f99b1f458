"""What transformers make of rows, as a DataFrame and as an array."""

from numbers import Real
from typing import Any


def is_own(step: Any) -> bool:
    """Whether a transformer runs code that is not scikit-learn's.

    Parameters
    ----------
    step : estimator
    """
    return hasattr(step, "func") or type(step).__module__.split(".")[0] != "sklearn"


def same_values(before: Any, after: Any) -> bool:
    """Whether a transformer returned the same, but for rounding.

    Rounding is a question for the comparison of whole pipelines.

    Parameters
    ----------
    before, after : DataFrame, Series, ndarray or sparse matrix
        What it returned. Sparse matrices are not looked into.
    """
    import numpy as np
    from scipy import sparse

    if sparse.issparse(before) or sparse.issparse(after):
        return True
    one, other = np.asarray(before, dtype=object), np.asarray(after, dtype=object)
    if one.shape != other.shape:
        return False
    return all(map(_same_value, one.flat, other.flat))


def _same_value(one: Any, other: Any) -> bool:
    if _is_missing(one) or _is_missing(other):
        return _is_missing(one) and _is_missing(other)
    if isinstance(one, Real) and isinstance(other, Real):
        return abs(float(one) - float(other)) <= 1e-5 * max(1.0, abs(float(one)))
    return bool(one == other)


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ == "NAType" or bool(value != value)


def transformed(step: Any, rows: Any) -> Any:
    """Return what a step makes of rows, None if it raises or is no transformer.

    Parameters
    ----------
    step : estimator
    rows : DataFrame, Series, ndarray, sparse matrix or None
    """
    if rows is None or not hasattr(step, "transform"):
        return None
    try:
        return step.transform(rows)
    # Whatever a step raises here, it raises when the two forms are compared, too.
    except Exception:
        return None


def transform_array(step: Any, array: Any) -> Any:
    """Return what a step makes of an array, whatever output the trainer's process prefers.

    Parameters
    ----------
    step : estimator
    array : ndarray or sparse matrix
    """
    from sklearn import config_context

    with config_context(transform_output="default"):
        return step.transform(array)


def transformed_array(step: Any, array: Any) -> Any:
    """Return what a step makes of an array, None if it raises.

    Parameters
    ----------
    step : estimator
    array : ndarray, sparse matrix or None
    """
    try:
        return None if array is None else transform_array(step, array)
    # As in `transformed`.
    except Exception:
        return None
