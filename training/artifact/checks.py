"""Refuses what cannot answer, by its name, before anything is written."""

import warnings
from typing import Any

from sklearn_api.errors import ArtifactError
from training.artifact.advice import advice
from training.artifact.contents import contents
from training.artifact.sample import OnArrays

_FAILING = 100  # rows


def check_estimator(pipeline: Any) -> None:
    """Raise unless something is an estimator that can predict.

    Raises
    ------
    ArtifactError
        It is not an estimator, has no `predict`, or would open files that clients name; the message
        says which, and what to do.
    """
    reason = _not_an_estimator(pipeline)
    if reason:
        raise ArtifactError(reason)
    if not hasattr(pipeline, "predict"):
        raise ArtifactError(_cannot_predict(pipeline))
    _check_vectorizers(pipeline)


def predicted(pipeline: Any, rows: Any) -> Any:
    """Return what a pipeline predicts for a few rows.

    Parameters
    ----------
    pipeline : estimator
    rows : list of str, or DataFrame

    Raises
    ------
    ArtifactError
        It is not fitted, fails, or does not give one answer for each row; the message names the
        step, and what to do.
    """
    import numpy as np

    wrapped = pipeline.pipeline if isinstance(pipeline, OnArrays) else pipeline
    unfitted = unfitted_step(wrapped)  # failing can leave a step that looks fitted
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = pipeline.predict(rows)
    # Whatever a step raises, the pipeline cannot answer.
    except Exception as exc:
        if unfitted:
            raise ArtifactError(
                f"{unfitted} is not fitted: fit the whole pipeline, pipeline.fit(rows, targets)"
            ) from exc
        raise ArtifactError(
            f"the pipeline's predict fails on the rows given: {type(exc).__name__}: "
            f"{str(exc)[:300]}; give rows of the very input that it was fitted on"
        ) from exc
    if isinstance(answer, list):
        answer = np.asarray(answer)
    found = getattr(answer, "shape", (0,))
    if not found or found[0] != len(rows):
        hint = ""
        if getattr(rows, "ndim", 1) == 2 and rows.shape[1] == 1:
            hint = f"; if it takes texts, give the column, rows[{rows.columns[0]!r}]"
        raise ArtifactError(
            f"the pipeline's predict does not give one answer for each row: {len(rows)} rows gave "
            f"an answer of shape {found}{hint}"
        )
    return answer


def answers(pipeline: Any, rows: Any) -> list[bool]:
    """Return for each row whether a pipeline predicts anything but NaN for it.

    Rows that fail are found by halving. Once there are many of them, those that are left among
    others that fail count as failing, so that wide tables do not take minutes.

    Parameters
    ----------
    pipeline : estimator
    rows : DataFrame
    """
    import numpy as np

    found: list[bool] = []

    def ask(part: Any) -> None:
        try:
            answer = predicted(pipeline, part)
        except ArtifactError:
            if len(part) == 1 or found.count(False) >= _FAILING:
                found.extend([False] * len(part))
            else:
                ask(part.iloc[: len(part) // 2])
                ask(part.iloc[len(part) // 2 :])
            return
        if getattr(getattr(answer, "dtype", None), "kind", "O") == "f":
            found.extend((~np.isnan(answer)).reshape(len(part), -1).all(axis=1).tolist())
        else:
            found.extend([True] * len(part))

    if len(rows):
        ask(rows)
    return found


def unfitted_step(step: Any, path: tuple[str, ...] = ()) -> str | None:
    """Return which step of a pipeline is not fitted, in words; None if all are.

    Parameters
    ----------
    step : estimator
    path : tuple of str
        The names of the steps down to it.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.exceptions import NotFittedError
    from sklearn.pipeline import FeatureUnion, Pipeline
    from sklearn.utils.validation import check_is_fitted

    if isinstance(step, Pipeline):
        inner = [(name, one) for name, one in step.steps]
    elif isinstance(step, FeatureUnion):
        inner = [(name, one) for name, one in step.transformer_list]
    elif isinstance(step, ColumnTransformer) and hasattr(step, "transformers_"):
        inner = [(name, one) for name, one, _ in step.transformers_]
    else:
        inner = []
        try:
            check_is_fitted(step)
        except NotFittedError:
            return f"step {' > '.join(map(repr, path))} ({_name(step)})" if path else _name(step)
        except (TypeError, AttributeError):  # not an estimator of scikit-learn
            return None
    for name, one in inner:
        if one is not None and not isinstance(one, str):
            found = unfitted_step(one, (*path, name))
            if found:
                return found
    return None


def final_estimator(pipeline: Any) -> Any:
    """Return the estimator that predicts at the end of a pipeline, or of the best one of a search.

    Parameters
    ----------
    pipeline : estimator
    """
    while True:
        if getattr(pipeline, "steps", None):
            pipeline = pipeline.steps[-1][1]
        elif hasattr(pipeline, "best_estimator_"):
            pipeline = pipeline.best_estimator_
        elif type(pipeline).__name__ == "FrozenEstimator":
            pipeline = pipeline.estimator
        else:
            return pipeline


def _name(value: Any) -> str:
    return type(value).__name__


def _not_an_estimator(pipeline: Any) -> str | None:
    if isinstance(pipeline, type):
        return (
            f"{pipeline.__name__} is a class, not a fitted estimator: give what "
            f"{pipeline.__name__}(…).fit(rows, targets) returns"
        )
    if isinstance(pipeline, dict):
        parts = {f"[{key!r}]": value for key, value in pipeline.items()}
        return _several(pipeline, parts)
    if isinstance(pipeline, (list, tuple)):
        parts = {}
        for number, value in enumerate(pipeline):
            named = isinstance(value, tuple) and len(value) == 2 and _is_estimator(value[1])
            parts[f"[{number}][1]" if named else f"[{number}]"] = value[1] if named else value
        return _several(pipeline, parts)
    if _is_estimator(pipeline):
        return None
    full = f"{type(pipeline).__module__}.{type(pipeline).__qualname__}"
    if callable(pipeline) and hasattr(pipeline, "__code__"):
        return (
            f"{getattr(pipeline, '__qualname__', pipeline)} is a function, not a fitted estimator: "
            "build a Pipeline of scikit-learn of what it calls; a function that prepares the rows "
            "can be a step, sklearn.preprocessing.FunctionTransformer(function)"
        )
    if hasattr(pipeline, "predict"):
        return f"{full} is not an estimator of scikit-learn; {advice([full])}"
    return (
        f"{full.removeprefix('builtins.')} is not a fitted estimator: give a Pipeline of "
        "scikit-learn with all that happens to the rows, and the model as its last step"
    )


def _is_estimator(value: Any) -> bool:
    return hasattr(value, "get_params") and hasattr(value, "fit") and not isinstance(value, type)


def _several(container: Any, parts: dict[str, Any]) -> str:
    """Return what to make of a container of estimators."""
    kind = f"a {_name(container)}"
    estimators = {where: one for where, one in parts.items() if _is_estimator(one)}
    models = [where for where, one in estimators.items() if hasattr(one, "predict")]
    others = [where for where in estimators if where not in models]
    if len(models) == 1 and others:
        steps = ", ".join(f"given{where}" for where in (*others, *models))
        return (
            f"{kind} of estimators is not a pipeline: build one of its fitted parts, in the order "
            f"in which they see the rows: sklearn.pipeline.make_pipeline({steps})"
        )
    if models:
        return (
            f"{kind} of models is not an estimator: store each of them under a name of its own, "
            f"beginning with given{models[0]}"
        )
    return (
        f"{kind} is not a fitted estimator: give a Pipeline of scikit-learn with all that happens "
        "to the rows, and the model as its last step"
    )


def _cannot_predict(pipeline: Any) -> str:
    from sklearn.model_selection._search import BaseSearchCV  # all searches have only it in common

    final = final_estimator(pipeline)
    name = _name(final)
    if isinstance(final, BaseSearchCV):
        if not hasattr(final, "cv_results_"):
            return f"{name} is not fitted: fit it, with refit=True"
        return (
            f"{name} was fitted with refit=False and has no best estimator: fit it with refit=True"
        )
    if name == "LocalOutlierFactor":
        return f"{name} has no predict for new rows: fit it with novelty=True"
    if hasattr(final, "fit_predict"):
        return (
            f"{name} has no predict: it can only label the rows that it is fitted on. Fit a "
            "classifier on its labels, such as sklearn.neighbors.KNeighborsClassifier(1)"
            ".fit(rows, labels)"
        )
    if final is None or isinstance(final, str) or hasattr(final, "transform"):
        what = "a transformer" if hasattr(final, "transform") else repr(final)
        return (
            f"the pipeline has no predict: its last step {name} is {what}. Add a model as the last "
            "step, such as sklearn.linear_model.LogisticRegression(), and fit again"
        )
    return f"{name} has no predict: use an estimator that predicts something for new rows"


def _check_vectorizers(pipeline: Any) -> None:
    from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer

    for value in contents(pipeline):
        if isinstance(value, (CountVectorizer, HashingVectorizer)) and value.input != "content":
            raise ArtifactError(
                f"{_name(value)} has input={value.input!r}: it would open a client's text as a "
                'file. Give texts as rows, and set the parameter to "content", for which nothing '
                'has to be fitted again: vectorizer.set_params(input="content")'
            )
