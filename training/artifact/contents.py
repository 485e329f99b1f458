"""Finds and replaces what a pipeline contains, before it is dumped."""

import copy
import functools
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from sklearn_api.errors import ArtifactError

_LEAVES = (str, bytes, type, ModuleType)


def contents(pipeline: object) -> Iterator[Any]:
    """Yield every object in a pipeline once, itself included; but no strings, types and modules.

    A module would lead to everything in the process, and a spline of newer versions of scipy refers
    to numpy itself. Nor are the integers in a dict yielded, such as the indices in a vocabulary.

    Parameters
    ----------
    pipeline : estimator
        It is not changed.
    """
    import numpy as np

    seen: dict[int, Any] = {}  # By keeping the objects, it keeps their ids from being reused.
    pending: list[Any] = [pipeline]
    while pending:
        value = pending.pop()
        if id(value) in seen or isinstance(value, _LEAVES):
            continue
        seen[id(value)] = value
        yield value
        if isinstance(value, np.ndarray):
            pending.extend(value.flat if value.dtype.hasobject else ())
        elif type(value) is dict and _is_flat(value):
            continue
        elif isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, (list, tuple, set)):
            pending.extend(value)
        elif isinstance(value, functools.partial):
            pending.extend((value.func, *value.args, *value.keywords.values()))
        elif hasattr(value, "__dict__"):
            pending.extend(vars(value).values())


def _is_flat(value: dict[Any, Any]) -> bool:
    """Return whether a dict has nothing but integers as values."""
    import numpy as np

    return set(map(type, value.values())) <= {int, np.int64}


def find_vocabularies(pipeline: object) -> tuple[dict[int, dict[str, Any]], dict[int, Any]]:
    """Return the vocabularies in a pipeline, and a memo for `deepcopy`.

    The memo replaces each vocabulary with an empty dict, and the vocabularies are returned by the
    ids of these dicts. The memo also keeps arrays from being copied.

    Parameters
    ----------
    pipeline : estimator
        It is not changed.
    """
    import numpy as np

    vocabularies: dict[int, dict[str, Any]] = {}
    memo: dict[int, Any] = {}
    for value in contents(pipeline):
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            memo[id(value)] = value
        elif _is_vocabulary(value):
            memo[id(value)] = {}
            vocabularies[id(memo[id(value)])] = value
    return vocabularies, memo


def _is_vocabulary(value: object) -> bool:
    """Return whether a value maps strings to the integers from 0 on, all of one type."""
    import numpy as np

    if type(value) is not dict or not value or set(map(type, value)) != {str}:
        return False
    if set(map(type, value.values())) not in ({int}, {np.int64}):
        return False
    return sorted(value.values()) == list(range(len(value)))


def without_searches(pipeline: object) -> object:
    """Return a pipeline in which the best estimator of each search replaces the search.

    The best estimator is what predicts. What else a search contains is about its candidates:
    scores, distributions of parameters, the estimator that was not fitted. A search that is not
    fitted, the template of an ensemble for instance, is replaced with its estimator.

    Parameters
    ----------
    pipeline : estimator
        It is not changed. Without searches in it, it is returned itself.

    Raises
    ------
    ArtifactError
        A search was fitted with ``refit=False``: it has no best estimator.
    """
    import numpy as np

    while True:
        replacements, arrays = {}, {}
        for value in contents(pipeline):
            if _is_search(value):
                replacements[id(value)] = _estimator(value)
            elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
                arrays[id(value)] = value
        if not replacements:
            return pipeline
        # Where the memo has an entry for the id of an object, `deepcopy` uses it instead. A best
        # estimator may contain another search, which the next round replaces.
        pipeline = copy.deepcopy(pipeline, {**arrays, **replacements})


def without_samplers(pipeline: Any) -> Any:
    """Return a pipeline in which scikit-learn's Pipeline replaces imblearn's, without samplers.

    Samplers change rows only while fitting; predicting passes them by.

    Parameters
    ----------
    pipeline : estimator
        It is not changed. Without imblearn's pipelines in it, it is returned itself.
    """
    from sklearn.pipeline import Pipeline

    while True:
        replacements: dict[int, Any] = {}
        for value in contents(pipeline):
            kind = type(value)
            if kind.__name__ == "Pipeline" and kind.__module__ == "imblearn.pipeline":
                steps = [step for step in value.steps if not hasattr(step[1], "fit_resample")]
                replacements[id(value)] = Pipeline(steps)
        if not replacements:
            return pipeline
        # As in `without_searches`; one of these pipelines may contain another.
        pipeline = copy.deepcopy(pipeline, replacements)


def _is_search(value: object) -> bool:
    """Return whether a value is one of scikit-learn's searches; others may predict differently."""
    from sklearn.model_selection._search import BaseSearchCV

    return isinstance(value, BaseSearchCV) and type(value).__module__.startswith("sklearn.")


def _estimator(search: Any) -> Any:
    if hasattr(search, "best_estimator_"):
        return search.best_estimator_
    if hasattr(search, "cv_results_"):
        raise ArtifactError(
            f"the pipeline contains a {type(search).__name__} that was fitted with refit=False and "
            "has no best estimator; fit it with refit=True, or store a pipeline that is fitted "
            "with its best_params_"
        )
    return search.estimator
