"""Calibrates the scores of a binary classifier."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from sklearn_api.calibration import Sigmoid
from training.estimator import TermClassifier

FOLDS = 5


def calibrate(estimator: TermClassifier, counts: csr_matrix, labels: ArrayLike) -> Sigmoid:
    """Fit Platt's sigmoid on scores of rows that the estimator was not fitted on.

    The scores come from cross-validation, in as many folds as the rarer label allows, at most
    `FOLDS`. The targets are smoothed as in J. Platt, Probabilistic Outputs for Support Vector
    Machines, 1999, so that a model that separates a few rows perfectly does not become certain.

    Parameters
    ----------
    estimator : TermClassifier
        With the parameters of the model to calibrate; a clone of it is fitted on each fold.
    counts : csr_matrix
        Shape ``(n, terms)``.
    labels : array_like of int
        Shape ``(n,)``, 0 and 1.

    Raises
    ------
    ValueError
        A label has fewer than two rows.
    """
    labels = np.asarray(labels)
    rare = int(min(np.bincount(labels, minlength=2)))
    if rare < 2:
        raise ValueError(
            f"{rare} of the reviews to fit on have the rarer label; at least 2 are needed"
        )
    folds = StratifiedKFold(min(FOLDS, rare), shuffle=True, random_state=estimator.random_state)
    scores = cross_val_predict(estimator, counts, labels, cv=folds, method="decision_function")
    return fit_sigmoid(scores, labels)


def fit_sigmoid(scores: ArrayLike, labels: ArrayLike) -> Sigmoid:
    """Return Platt's sigmoid, fitted to scores and labels of shape ``(n,)``.

    If higher scores do not favour class 1, the scores say nothing: the probability is then constant
    and equals the smoothed share of class 1.
    """
    scores, labels = np.asarray(scores), np.asarray(labels)
    positive = int(labels.sum())
    negative = len(labels) - positive
    targets = np.where(labels == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))
    # A row with target t is a positive row of weight t and a negative row of weight 1 - t.
    sigmoid = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(
        np.concatenate([scores, scores])[:, np.newaxis],
        np.repeat([1, 0], len(scores)),
        sample_weight=np.concatenate([targets, 1 - targets]),
    )
    slope, intercept = float(sigmoid.coef_[0, 0]), float(sigmoid.intercept_[0])
    if slope <= 0:
        share = targets.mean()
        slope, intercept = 0.0, float(np.log(share / (1 - share)))
    # The last digits of a sum depend on the number of cores; an artifact must not.
    return Sigmoid(round(slope, 6), round(intercept, 6))
