"""Rows of a pipeline's input, in whichever of the usual shapes they are given."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sklearn_api.errors import ArtifactError
from sklearn_api.signature import TABLE, TEXT
from training.artifact.changes import spread
from training.artifact.frames import Frame

_PANDAS = "pandas.DataFrame(rows, columns=[…])"


class Sample(NamedTuple):
    """Rows of a pipeline's input.

    Attributes
    ----------
    kind : str
        ``text`` or ``table``.
    rows : list of str, or DataFrame
        The rows.
    field : str or None
        The name that texts came with.
    arrays : bool
        Whether the pipeline takes arrays, and not DataFrames.
    """

    kind: str
    rows: Any
    field: str | None = None
    arrays: bool = False

    def original(self, pipeline: Any) -> Any:
        """Return a pipeline that predicts from `rows`: itself, or one that makes arrays of them."""
        return OnArrays(pipeline) if self.arrays else pipeline

    def spread(self, count: int) -> "Sample":
        """Return at most as many of the rows, evenly spread over all of them."""
        return self._replace(rows=spread(self.rows, count))


class OnArrays:
    """A pipeline that was fitted on an array, and is asked with DataFrames.

    Parameters
    ----------
    pipeline : estimator
        It takes arrays with the columns of the DataFrames.
    """

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the pipeline; its methods that predict take DataFrames."""
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self.pipeline, name)
        if name not in ("predict", "predict_proba", "decision_function"):
            return found
        return lambda frame: found(frame.to_numpy())


def sample_of(rows: Any, pipeline: Any) -> Sample:
    """Return rows as a sample.

    Parameters
    ----------
    rows : sequence or Series of str, DataFrame, ndarray of shape (n, columns), Bunch, or Sample
        Texts; or rows of a table. A Bunch is what `sklearn.datasets` has. A sample is returned as
        it is.
    pipeline : estimator
        It knows the columns' names if it was fitted on a DataFrame. Otherwise the columns of an
        array are called ``x0``, ``x1``, ….

    Raises
    ------
    ArtifactError
        They are neither; the message says what to give instead.
    """
    import numpy as np
    from scipy import sparse

    if isinstance(rows, Sample):
        return rows
    names = None
    if isinstance(rows, dict) and hasattr(rows, "data") and "data" in rows:
        names = rows.get("feature_names")
        rows = rows["data"]
    if sparse.issparse(rows):
        raise ArtifactError(
            "the rows are a sparse matrix, which clients cannot send: put the step that makes it, "
            "such as a vectorizer or an encoder, into the pipeline, and give its input; or give "
            "rows.toarray() if it is small"
        )
    if hasattr(rows, "columns") and hasattr(rows, "iloc"):
        sample = Sample(TABLE, rows)
    elif isinstance(rows, np.ndarray) and rows.ndim == 2:
        sample = _table(rows, names, pipeline)
    elif isinstance(rows, (list, tuple)):
        sample = Sample(TEXT, _texts(list(rows)))
    elif getattr(rows, "ndim", None) == 1 and hasattr(rows, "tolist"):
        name = getattr(rows, "name", None)
        named = isinstance(name, str) and bool(name)
        sample = Sample(TEXT, _texts(rows.tolist()), name if named else None)
    else:
        raise ArtifactError(_advice(rows))
    if not len(sample.rows):
        raise ArtifactError(
            "there are no rows: give some rows of the pipeline's input, at best held-out ones"
        )
    return sample


def _texts(values: list[Any]) -> list[str]:
    wrong = [number for number, value in enumerate(values) if not isinstance(value, str)]
    if not wrong:
        return list(map(str, values))
    first = values[wrong[0]]
    if isinstance(first, dict):
        raise ArtifactError("the rows are dicts: give them as a DataFrame, pandas.DataFrame(rows)")
    if isinstance(first, Sequence) or hasattr(first, "__len__"):
        raise ArtifactError(
            f"the rows are of type {type(first).__name__}: give them as an array, "
            f"numpy.array(rows), or with names of columns, {_PANDAS}"
        )
    if len(wrong) == len(values):
        raise ArtifactError(
            f"the rows are single values of type {type(first).__name__}: give a table with one "
            f"column, {_PANDAS}"
        )
    raise ArtifactError(
        f"{len(wrong):,} of {len(values):,} texts are not strings; the first one, row {wrong[0]}, "
        f"is {str(first)[:50]}: leave them out, or make strings of them"
    )


def _table(array: Any, names: Any, pipeline: Any) -> Sample:
    import pandas as pd

    fitted = getattr(pipeline, "feature_names_in_", None)
    if fitted is not None:
        names = fitted
    if names is None:
        names = [f"x{number}" for number in range(array.shape[1])]
    if len(names) != array.shape[1]:
        raise ArtifactError(
            f"the pipeline was fitted on {len(names)} columns, and the rows have {array.shape[1]}"
        )
    frame: Frame = pd.DataFrame(array, columns=[str(name) for name in names])
    # A pipeline that knows names was fitted on columns of all types.
    return Sample(
        TABLE, frame.infer_objects() if fitted is not None else frame, arrays=fitted is None
    )


def _advice(rows: Any) -> str:
    kind = f"{type(rows).__module__.split('.')[0]}.{type(rows).__qualname__}"
    kind = kind.removeprefix("builtins.")
    if isinstance(rows, str):
        return "the rows are one string: give a list of texts"
    if hasattr(rows, "to_pandas"):
        return f"the rows are a {kind}: give rows.to_pandas()"
    if isinstance(rows, dict):
        return "the rows are a dict: give a DataFrame, pandas.DataFrame(rows)"
    if getattr(rows, "ndim", 0) > 2:
        return (
            f"the rows have {rows.ndim} dimensions, and a table has two: give "
            "rows.reshape(len(rows), -1) if the pipeline was fitted on that"
        )
    return (
        f"the rows are a {kind}: give a list of texts, a pandas DataFrame, or a numpy array of "
        "shape (rows, columns)"
    )
