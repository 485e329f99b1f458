"""The categories that a fitted pipeline knows of each column."""

from collections.abc import Sequence
from typing import Any


def fitted_categories(pipeline: Any, names: Sequence[str]) -> dict[str, list[Any]]:
    """Return the categories that the encoders of a pipeline were fitted on, gaps left out.

    Parameters
    ----------
    pipeline : estimator
        A fitted one.
    names : sequence of str
        The columns that it sees.

    Returns
    -------
    dict
        By column, for those that an encoder was found for; if there were several, what all of them
        know.
    """
    found: dict[str, list[Any]] = {}
    _visit(pipeline, list(names), found)
    return found


def _visit(step: Any, names: list[str] | None, found: dict[str, list[Any]]) -> bool:
    """Add the categories of a step's encoders; return whether its columns stay what they are."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import FeatureUnion, Pipeline

    if names is None or isinstance(step, str) or step is None:
        return True
    if isinstance(step, Pipeline):
        # `names` are good for as long as the steps neither add, move nor replace columns.
        return all(_visit(inner, names, found) for _, inner in step.steps)
    if isinstance(step, FeatureUnion):
        for _, inner in step.transformer_list:
            _visit(inner, names, found)
    elif isinstance(step, ColumnTransformer) and hasattr(step, "transformers_"):
        # Private, because nothing public holds what callables and masks have selected.
        positions = step._transformer_to_input_indices
        for name, inner, _ in step.transformers_:
            _visit(inner, [names[position] for position in positions[name]], found)
    elif hasattr(step, "categories_") and len(step.categories_) == len(names):
        for name, categories in zip(names, step.categories_, strict=True):
            _add(name, categories, found)
    elif isinstance(step, SimpleImputer):
        return not step.add_indicator and len(step.statistics_) == len(names)
    elif getattr(step, "_preprocessor", None) is not None:  # private; of histogram boosting
        _visit(step._preprocessor, names, found)
    else:
        for inner in _inner(step):
            _visit(inner, names, found)
    return False


def _inner(step: Any) -> list[Any]:
    """Return the fitted estimators that see the rows that an estimator sees."""
    inner: list[Any] = []
    for attribute in ("best_estimator_", "estimator_", "regressor_"):
        inner.append(getattr(step, attribute, None))
    if not hasattr(step, "estimators_features_"):  # bagging shows each one other columns
        inner += list(getattr(step, "estimators_", []))
    inner += [one.estimator for one in getattr(step, "calibrated_classifiers_", [])]
    if type(step).__name__ == "FrozenEstimator":
        inner.append(step.estimator)
    return [one for one in inner if hasattr(one, "get_params")]


def _add(name: str, categories: Any, found: dict[str, list[Any]]) -> None:
    plain = [one.item() if hasattr(one, "item") else one for one in categories]
    known = [one for one in plain if one is not None and one == one]
    if name in found:
        known = [one for one in known if one in found[name]]
    found[name] = known
