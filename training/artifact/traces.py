"""What a fitted pipeline remembers of DataFrames, and how it forgets."""

from types import FunctionType, ModuleType
from typing import Any

from sklearn_api.errors import ArtifactError

_LEAVES = (str, bytes, bool, int, float, type, FunctionType, ModuleType)
"""What holds no DataFrame, and need not be looked into."""


def forget_frame(step: Any) -> None:
    """Remove what an estimator remembers of DataFrames.

    Parameters
    ----------
    step : estimator
        It is changed in place; the estimators that it holds are not.
    """
    for attribute in (
        "feature_names_in_",
        # Private, because `set_output` cannot take back what it has set: with "default" it would
        # outdo the setting of whoever predicts.
        "_sklearn_output_config",
        # Private; a ColumnTransformer keeps the names that its transformers' DataFrames had.
        "_transformers_feature_names_out",
    ):
        vars(step).pop(attribute, None)


def forget_frames(root: Any) -> None:
    """Remove DataFrames' traces from all that a pipeline holds, or raise where that is impossible.

    Indexes and series among its parameters become arrays, and `pandas.NA` becomes NaN: in the
    array, that is what a gap is.

    Parameters
    ----------
    root : estimator
        It is changed in place, with all that it holds.

    Raises
    ------
    ArtifactError
        It holds an object of pandas that has no counterpart; the message says where.
    """
    import numpy as np

    seen: dict[int, Any] = {}

    def visit(value: Any, path: tuple[str, ...]) -> Any:
        if str(type(value).__module__).split(".")[0] == "pandas":
            return visit(_without_pandas(value, path), path)
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
            forget_frame(value)
            for name in list(vars(value)):
                vars(value)[name] = visit(vars(value)[name], (*path, name))
        return value

    visit(root, ())


def _without_pandas(value: Any, path: tuple[str, ...]) -> Any:
    import numpy as np

    if type(value).__name__ == "NAType":
        return float("nan")
    if hasattr(value, "to_numpy") and hasattr(value, "__len__"):
        kind = getattr(value.dtype, "kind", "O") if hasattr(value, "dtype") else "O"
        return np.asarray(value, dtype=None if kind in "iufb" else object)
    raise ArtifactError(
        f"{'.'.join(path)} is a {type(value).__name__} of pandas, which a Lambda does not have: "
        "use lists, numpy arrays or plain values, and fit again"
    )
