"""How much a model of a table depends on each input."""

import time
import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.inspection import permutation_importance
from sklearn.metrics import get_scorer

from sklearn_api.signature import MULTILABEL, REGRESSION
from training.evaluation import Binary, Classification, Evaluation, Multilabel, Regression

SECONDS = 20.0
"""How long it may take."""

# Rows and repetitions: the last that fit into the time.
_SIZES = ((200, 2), (500, 3), (1000, 5), (2000, 5))


class Importance(NamedTuple):
    """How far a score falls when the values of one input are shuffled among rows.

    Attributes
    ----------
    score : str
        What is measured, such as ``accuracy``.
    rows, repeats : int
        How many rows, and how often their values are shuffled.
    inputs : list of tuple
        Input, mean fall, and the standard deviation over the repetitions; the largest fall first.
    """

    score: str
    rows: int
    repeats: int
    inputs: list[tuple[str, float, float]]


def importance(
    pipeline: Any, evaluation: Evaluation, seconds: float = SECONDS
) -> Importance | str | None:
    """Measure the importance of each input of a table, by permutation on held-out rows.

    L. Breiman, Random Forests, Machine Learning 45, 2001; see `sklearn.inspection`. The values of
    one input are shuffled among the rows, so that it says nothing any more, while the others stay.

    Parameters
    ----------
    pipeline : estimator
        The one that was evaluated.
    evaluation : Evaluation
        Its rows and their targets.
    seconds : float
        How long it may take; a slow model is asked about fewer rows.

    Returns
    -------
    Importance, str or None
        Or why it is not known; None if there is nothing to know, without targets or with a single
        input.
    """
    measured = isinstance(evaluation, (Classification, Multilabel, Regression))
    if not measured or len(evaluation.signature.inputs) < 2:
        return None
    targets, name, title = _scored(evaluation)
    scorer = get_scorer(name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the pipeline warns of, once more for each input
            chosen = _size(scorer, pipeline, evaluation, targets, seconds)
            if chosen is None:
                return "the model is too slow"
            rows, repeats = chosen
            found = permutation_importance(
                pipeline,
                _taken(evaluation.rows, rows),
                targets[rows],
                scoring=scorer,
                n_repeats=repeats,
                random_state=0,
            )
    # A pipeline can raise anything for values that do not belong together.
    except Exception as exc:
        return f"the model fails on shuffled values: {type(exc).__name__}: {exc}"[:300]
    names = [one.name for one in evaluation.signature.inputs]
    columns = zip(names, found.importances_mean, found.importances_std, strict=True)
    inputs = [(name, float(mean), float(deviation)) for name, mean, deviation in columns]
    inputs.sort(key=lambda one: -one[1])
    return Importance(title, len(rows), repeats, inputs)


def _scored(evaluation: Any) -> tuple[Any, str, str]:
    """Return targets as the estimator has them, scikit-learn's name of a score, and its title."""
    if evaluation.signature.task == REGRESSION:
        return evaluation.truth, "r2", "R²"
    if evaluation.signature.task == MULTILABEL:
        return evaluation.truth.astype(int), "f1_micro", "micro F1"
    targets = np.array([one.label for one in evaluation.signature.labels])[evaluation.truth]
    if isinstance(evaluation, Binary) and evaluation.ranking is not None:
        share = evaluation.truth.mean()
        # Shuffled samples keep both classes only where they are not too rare.
        if min(share, 1 - share) * min(len(evaluation.rows), _SIZES[0][0]) >= 5:
            return targets, "roc_auc", "ROC AUC"
    return targets, "accuracy", "accuracy"


def _size(
    scorer: Any, pipeline: Any, evaluation: Evaluation, targets: Any, seconds: float
) -> tuple[Any, int] | None:
    """Return rows and repetitions that fit into the time, None if none do."""
    chosen = None
    for most, repeats in _SIZES:
        rows = _some(len(targets), most)
        started = time.perf_counter()
        scorer(pipeline, _taken(evaluation.rows, rows), targets[rows])
        each = time.perf_counter() - started
        if each * repeats * len(evaluation.signature.inputs) > seconds:
            break
        chosen = rows, repeats
    return chosen


def _some(count: int, most: int) -> Any:
    """Return rows at equal distances."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(int))


def _taken(rows: Any, positions: Any) -> Any:
    return rows.iloc[positions] if hasattr(rows, "iloc") else np.asarray(rows)[positions]
