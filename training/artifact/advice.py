"""Says what to do about types and functions that an artifact may not contain."""

from collections.abc import Iterable

_BOOSTING = {"lightgbm", "xgboost", "catboost"}
_OWN = {"builtins", "collections", "functools", "numpy", "scipy", "sklearn", "_loss"}
"""What fitted estimators of scikit-learn consist of."""


def advice(names: Iterable[str]) -> str:
    """Return what to do about types and functions that are not trusted.

    Parameters
    ----------
    names : iterable of str
        Their full names.
    """
    names = list(names)
    packages = {name.split(".")[0] for name in names}
    sentences = []
    if any(name.endswith(" (method)") for name in names):
        sentences.append(
            "instead of a method of an object, use a function, or the object itself with a __call__"
        )
    if boosting := packages & _BOOSTING:
        sentences.append(
            f"the layer does not contain {' or '.join(sorted(boosting))}: use scikit-learn's "
            "HistGradientBoostingClassifier or HistGradientBoostingRegressor, which work alike on "
            "dense arrays (ColumnTransformer(…, sparse_threshold=0)), or "
            "GradientBoostingClassifier or GradientBoostingRegressor after a vectorizer"
        )
    if any(name.startswith("imblearn.ensemble.") for name in names):
        sentences.append(
            "instead of imblearn's ensembles, use scikit-learn's with weights, such as "
            'RandomForestClassifier(class_weight="balanced_subsample") or '
            'BaggingClassifier(DecisionTreeClassifier(class_weight="balanced"))'
        )
    elif "imblearn" in packages:
        sentences.append(
            "imblearn's samplers do nothing when predicting: put the fitted steps of the pipeline, "
            "without the sampler, into a scikit-learn Pipeline, such as "
            "sklearn.pipeline.Pipeline([step for step in pipeline.steps if not hasattr(step[1], "
            '"fit_resample")])'
        )
    if "__main__" in packages:
        sentences.append(
            "a Lambda cannot import what a notebook or a script defines: move it to a module in "
            "the endpoint's folder, such as handlers/<name>/steps.py, and name it in own_code"
        )
    # What another package keeps in Python's own types goes with the package.
    named = packages & {*_BOOSTING, "imblearn", "__main__"}
    if packages - named - (_OWN if named else {"sklearn"}):
        sentences.append(
            "an artifact contains scikit-learn's own types only, and what own_code names: use an "
            "estimator of scikit-learn, or a FunctionTransformer of one of the functions that "
            "sklearn_api/artifact/trusted.py lists, such as numpy.log1p; code of your own can ship "
            "with the endpoint if its declaration names it in own_code"
        )
    if "sklearn" in packages:
        sentences.append(
            "add a name that belongs to scikit-learn to sklearn_api/artifact/trusted.py after a "
            "review, or use another of its estimators"
        )
    return "; ".join(sentences)


def foreign(names: Iterable[str]) -> list[str]:
    """Return the names that belong neither to Python nor to what scikit-learn itself consists of.

    Parameters
    ----------
    names : iterable of str
        Full names of types.
    """
    return sorted({name for name in names if name.split(".")[0] not in _OWN})
