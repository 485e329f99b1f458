"""The words that a linear model of texts goes by."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, NuSVC

from training.evaluation.answers import unwrapped


class Words(NamedTuple):
    """The strongest words of a model.

    Attributes
    ----------
    rising, falling : list of tuple
        Words and their weights, the strongest first: those that raise a score, and those that lower
        it.
    """

    rising: list[tuple[str, float]]
    falling: list[tuple[str, float]]


def strongest(pipeline: Any, count: int) -> list[Words]:
    """Return the strongest words for each score of a linear model.

    A word's weight says how far it moves the scores of all texts. It is the product of the word's
    coefficient, of its inverse document frequency (together its contribution to one text, up to the
    text's length), and of the root of the number of texts that it occurs in. That number follows
    from the inverse document frequency, up to a factor that is the same for all words. If words are
    only counted, their frequency is not known, and the weight is the coefficient.

    Parameters
    ----------
    pipeline : estimator
        Fitted on texts.
    count : int
        How many words for each score.

    Returns
    -------
    list of Words
        One for each score: one of two classes, for the second of them, or of a regression; else one
        for each class or label. Empty if the model is not linear, or its words are not known.
    """
    pipeline = unwrapped(pipeline)
    if not isinstance(pipeline, Pipeline) or len(pipeline) < 2:
        return []
    coefficients = _coefficients(pipeline[-1])
    if coefficients is None:
        return []
    try:
        names = pipeline[:-1].get_feature_names_out()
    except (AttributeError, ValueError, TypeError):  # such as a hashing vectorizer
        return []
    if coefficients.shape[1] != len(names):
        return []
    weights = coefficients * _frequencies(pipeline, len(names))
    return [_strongest(row, names, count) for row in weights]


def _coefficients(estimator: Any) -> NDArray[np.float64] | None:
    """Return coefficients of shape ``(scores, words)``, None if the estimator is not linear."""
    if isinstance(estimator, OneVsRestClassifier):
        parts = [_coefficients(one) for one in estimator.estimators_]
        return np.vstack(parts) if all(part is not None for part in parts) else None
    if isinstance(estimator, (SVC, NuSVC)) and len(estimator.classes_) > 2:
        return None  # its coefficients are those of pairs of classes
    found = getattr(estimator, "coef_", None)
    if found is None:
        return None
    dense = found.toarray() if issparse(found) else np.asarray(found, dtype=float)
    return np.atleast_2d(dense)


def _frequencies(pipeline: Pipeline, count: int) -> Any:
    """Return the factor of each word that does not depend on its coefficient."""
    for step in pipeline[:-1]:
        idf = getattr(step, "idf_", None)
        if idf is not None and len(idf) == count:
            return np.asarray(idf) * np.exp(-np.asarray(idf) / 2)
    return 1.0


def _strongest(weights: NDArray[np.float64], names: NDArray[Any], count: int) -> Words:
    order = np.argsort(weights, kind="stable")
    pairs = [(str(names[i]), float(weights[i])) for i in (*order[:count], *order[::-1][:count])]
    low, high = pairs[: len(order[:count])], pairs[len(order[:count]) :]
    return Words([pair for pair in high if pair[1] > 0], [pair for pair in low if pair[1] < 0])
