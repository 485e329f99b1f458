"""Measures a model on reviews that it was not fitted on, and calibrates its probabilities."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline

from sklearn_api.calibration import Sigmoid
from training.data import Reviews
from training.estimator import TermClassifier

FOLDS = 5
BINS = 15
_CHUNK = 1000  # texts that are scored in one call

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """The predictions of a model for reviews that it was not fitted on.

    Attributes
    ----------
    texts : list of str
        Shape ``(n,)``.
    labels : ndarray of int
        Shape ``(n,)``: the true labels.
    scores : ndarray of float
        Shape ``(n,)``: decision scores, positive for class 1.
    probabilities : ndarray of float
        Shape ``(n,)``: calibrated probabilities of class 1.
    seen : ndarray of bool
        Shape ``(n,)``: whether the same text is among those that the model was fitted on.
    """

    texts: list[str]
    labels: NDArray[np.int64]
    scores: Floats
    probabilities: Floats
    seen: NDArray[np.bool_]

    def metrics(self) -> dict[str, Any]:
        """Return the metrics by name, each from 0 to 1 unless it is a count.

        `ece` is the `calibration_error`, and `brier` the mean squared error of the probabilities.
        The rows of `confusion` are the true labels, its columns the predicted ones, both in the
        order 0, 1. `accuracy_unseen` leaves out the `rows_seen` that are also in the training data.
        """
        predicted = (self.scores > 0).astype(int)
        correct = predicted == self.labels
        figures = {
            "accuracy": correct.mean(),
            "accuracy_unseen": correct[~self.seen].mean() if not self.seen.all() else np.nan,
            "precision": metrics.precision_score(self.labels, predicted, zero_division=0),
            "recall": metrics.recall_score(self.labels, predicted, zero_division=0),
            "f1": metrics.f1_score(self.labels, predicted, zero_division=0),
            "roc_auc": metrics.roc_auc_score(self.labels, self.scores),
            "ece": calibration_error(self.labels, self.probabilities),
            "brier": metrics.brier_score_loss(self.labels, self.probabilities),
        }
        confusion = metrics.confusion_matrix(self.labels, predicted, labels=[0, 1])
        return {
            **{name: _rounded(value) for name, value in figures.items()},
            "confusion": confusion.tolist(),
            "rows": len(self.texts),
            "rows_seen": int(self.seen.sum()),
        }


def evaluate(
    pipeline: Pipeline,
    calibration: Sigmoid,
    test: Reviews,
    fitted_on: Reviews,
    progress: Callable[[int], None] = lambda amount: None,
) -> Evaluation:
    """Score reviews that a model was not fitted on.

    Parameters
    ----------
    pipeline, calibration
        The model.
    test : Reviews
        The reviews to score.
    fitted_on : Reviews
        The reviews that the model was fitted on, to find texts that are in both.
    progress : callable, optional
        Called with the number of texts in each chunk that has been scored.
    """
    parts = []
    for start in range(0, len(test.texts), _CHUNK):
        chunk = test.texts[start : start + _CHUNK]
        parts.append(pipeline.decision_function(chunk))
        progress(len(chunk))
    scores = np.concatenate(parts)
    known = set(fitted_on.texts)
    return Evaluation(
        test.texts,
        np.array(test.labels),
        scores,
        expit(calibration.slope * scores + calibration.intercept),
        np.array([text in known for text in test.texts]),
    )


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


def calibration_error(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the expected calibration error over `BINS` bins of equal width.

    It is the mean difference between the predicted probability and the share of class 1 in each
    bin, weighted by the rows of the bin: C. Guo et al., On Calibration of Modern Neural Networks,
    ICML 2017, here with the probability of class 1 instead of the more probable class.
    """
    bins = reliability(labels, probabilities)
    return float(np.abs(bins.predicted - bins.share) @ bins.rows / bins.rows.sum())


@dataclass(frozen=True)
class Reliability:
    """Bins of predicted probabilities, without the empty ones.

    Attributes
    ----------
    predicted : ndarray of float
        Shape ``(bins,)``: the mean predicted probability of class 1.
    share : ndarray of float
        Shape ``(bins,)``: the actual share of class 1.
    rows : ndarray of int
        Shape ``(bins,)``: the number of rows.
    """

    predicted: Floats
    share: Floats
    rows: NDArray[np.int64]


def reliability(labels: ArrayLike, probabilities: ArrayLike) -> Reliability:
    """Return predicted probabilities and actual shares, in `BINS` bins of equal width."""
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    index = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    rows = np.bincount(index, minlength=BINS)
    filled = rows > 0
    predicted = np.bincount(index, weights=probabilities, minlength=BINS)[filled] / rows[filled]
    share = np.bincount(index, weights=labels, minlength=BINS)[filled] / rows[filled]
    return Reliability(predicted, share, rows[filled])


def _rounded(value: float) -> float | None:
    """Return a metric as a manifest stores it: with six digits, and None if it is undefined."""
    return None if np.isnan(value) else round(float(value), 6)
