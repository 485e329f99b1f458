"""What a model is worth: calibrated on reviews that it was not fitted on, measured on others."""

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

from sklearn_api.calibration import Calibration
from training.data import Reviews
from training.estimator import TermClassifier

FOLDS = 5
BINS = 15
_CHUNK = 1000  # texts that are scored at once

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """What a model says about reviews that it was not fitted on.

    Attributes
    ----------
    texts : list of str
        Shape ``(n,)``.
    labels : ndarray of int
        Shape ``(n,)``, the true ones.
    scores : ndarray of float
        Shape ``(n,)``, positive for class 1.
    probabilities : ndarray of float
        Shape ``(n,)``, of class 1.
    seen : ndarray of bool
        Shape ``(n,)``: the same text stands among those that the model was fitted on.
    """

    texts: list[str]
    labels: NDArray[np.int64]
    scores: Floats
    probabilities: Floats
    seen: NDArray[np.bool_]

    def metrics(self) -> dict[str, Any]:
        """Return the figures, each a number from 0 to 1 unless it is a count.

        `ece` is that of `calibration_error`, `brier` the mean square of the probabilities' errors.
        Rows of `confusion` are the true labels, its columns the predicted ones, both in the order
        0, 1. `accuracy_unseen` leaves out the `rows_seen` that are in the training data too.
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
    calibration: Calibration,
    test: Reviews,
    fitted_on: Reviews,
    progress: Callable[[int], None] = lambda amount: None,
) -> Evaluation:
    """Ask a model about reviews that it was not fitted on.

    Parameters
    ----------
    pipeline, calibration
        The model.
    test, fitted_on : Reviews
        What to ask about, and what is compared with it for texts that stand in both.
    progress : callable, optional
        Called with the number of texts that have been scored more.
    """
    parts = []
    for begin in range(0, len(test.texts), _CHUNK):
        chunk = test.texts[begin : begin + _CHUNK]
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


def calibrate(estimator: TermClassifier, counts: csr_matrix, labels: ArrayLike) -> Calibration:
    """Fit Platt's sigmoid on scores of rows that the estimator was not fitted on.

    Those scores come from cross-validation, in as many folds as the rarer label allows, at most
    `FOLDS`. Targets are smoothed as in J. Platt, Probabilistic Outputs for Support Vector Machines,
    1999, so that a few rows, perfectly told apart, do not make the model certain.

    Parameters
    ----------
    estimator : TermClassifier
        As it is fitted on all rows; a copy of it is fitted on each fold.
    counts : csr_matrix
        Shape ``(n, terms)``.
    labels : array_like of int
        Shape ``(n,)``, 0 and 1.

    Raises
    ------
    ValueError
        There are fewer than two rows of one label.
    """
    labels = np.asarray(labels)
    rare = int(min(np.bincount(labels, minlength=2)))
    if rare < 2:
        raise ValueError(f"{rare} of the reviews to fit on have the rarer label; 2 are needed")
    folds = StratifiedKFold(min(FOLDS, rare), shuffle=True, random_state=estimator.random_state)
    scores = cross_val_predict(estimator, counts, labels, cv=folds, method="decision_function")
    return fit_sigmoid(scores, labels)


def fit_sigmoid(scores: ArrayLike, labels: ArrayLike) -> Calibration:
    """Return the sigmoid of Platt that fits scores to labels, each of shape ``(n,)``.

    Scores that speak against their labels say nothing: the probability is then that of the labels.
    """
    scores, labels = np.asarray(scores), np.asarray(labels)
    positive = int(labels.sum())
    negative = len(labels) - positive
    targets = np.where(labels == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))
    # A row with the target t is t of a positive row and 1 - t of a negative one.
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
    return Calibration(round(slope, 6), round(intercept, 6))


def calibration_error(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the expected calibration error over `BINS` bins of equal width.

    The mean difference between the probability that was said and the share of class 1, over bins of
    the former, weighed by their rows: C. Guo et al., On Calibration of Modern Neural Networks,
    ICML 2017, here with the probability of class 1 in place of the more probable class's.
    """
    bins = reliability(labels, probabilities)
    return float(np.abs(bins.said - bins.share) @ bins.rows / bins.rows.sum())


@dataclass(frozen=True)
class Reliability:
    """Bins of probabilities, without those that are empty.

    Attributes
    ----------
    said, share : ndarray of float
        Shape ``(bins,)``: the mean probability, and the share of class 1.
    rows : ndarray of int
        Shape ``(bins,)``.
    """

    said: Floats
    share: Floats
    rows: NDArray[np.int64]


def reliability(labels: ArrayLike, probabilities: ArrayLike) -> Reliability:
    """Return what was said against what was true, in `BINS` bins of equal width."""
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    index = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    rows = np.bincount(index, minlength=BINS)
    filled = rows > 0
    said = np.bincount(index, weights=probabilities, minlength=BINS)[filled] / rows[filled]
    share = np.bincount(index, weights=labels, minlength=BINS)[filled] / rows[filled]
    return Reliability(said, share, rows[filled])


def _rounded(value: float) -> float | None:
    """Return a figure as it stands in a manifest: six digits, and None where there is none."""
    return None if np.isnan(value) else round(float(value), 6)
