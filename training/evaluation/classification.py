"""Evaluations of classifiers: one label for each row."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import metrics

from training.evaluation.base import (
    Evaluation,
    Floats,
    Indices,
    f_measure,
    mean,
    ratio,
    rounded,
)
from training.evaluation.reliability import Reliability, calibration_error, reliability

LARGEST_CONFUSION = 100
"""Number of classes up to which a manifest stores the confusion matrix."""


@dataclass(frozen=True)
class Classification(Evaluation):
    """The predictions of a classifier.

    Attributes
    ----------
    truth, predicted : ndarray of int
        Shape ``(n,)``: the true and the predicted classes, as positions in the signature's labels.
    scores : ndarray of float or None
        Shape ``(n,)`` with two classes, positive for the second one; ``(n, classes)`` with more.
        None if the pipeline has no decision function.
    probabilities : ndarray of float or None
        Shape ``(n, classes)``: those that the model answers with; None if it has none.
    """

    truth: Indices
    predicted: Indices
    scores: Floats | None
    probabilities: Floats | None

    @property
    def confusion(self) -> Indices:
        """Shape ``(classes, classes)``: row counts, the true classes down, the predicted across."""
        counts = np.zeros((len(self.words),) * 2, dtype=np.int64)
        np.add.at(counts, (self.truth, self.predicted), 1)
        return counts

    def by_class(self) -> dict[str, dict[str, Any]]:
        """Return precision, recall, F1 and number of rows (`support`) by the word of each class."""
        confusion = self.confusion
        return by_label(self.words, confusion.diagonal(), confusion.sum(axis=0), confusion.sum(1))

    def reliability(self) -> Reliability | None:
        """Return how often the probability comes true: see `_outcomes`."""
        outcomes = self._outcomes()
        return None if outcomes is None else reliability(*outcomes)

    def worst(self, count: int) -> list[int]:
        """Return misclassified rows, those that the model was most certain about first."""
        wrong = np.flatnonzero(self.truth != self.predicted)
        order = np.argsort(-self._margins(wrong), kind="stable")
        return [int(row) for row in wrong[order][:count]]

    def _margins(self, rows: Indices) -> Floats:
        """Return how far the predicted class of some rows is ahead of the true one."""
        if self.scores is not None and self.scores.ndim == 1:
            return np.abs(self.scores[rows])
        columns = self.probabilities if self.scores is None else self.scores
        if columns is None:
            return np.zeros(len(rows))
        margins: Floats = columns[rows, self.predicted[rows]] - columns[rows, self.truth[rows]]
        return margins

    def _outcomes(self) -> tuple[Any, Floats] | None:
        """Return whether the predicted class is the true one, and its probability."""
        if self.probabilities is None:
            return None
        return self.truth == self.predicted, self.probabilities[
            np.arange(len(self.truth)), self.predicted
        ]

    def _accuracy(self) -> dict[str, float | None]:
        correct = self.truth == self.predicted
        return {
            "accuracy": rounded(mean(correct)),
            "accuracy_unseen": rounded(mean(correct[self.unseen()])),
        }

    def _calibration_error(self) -> float | None:
        outcomes = self._outcomes()
        return None if outcomes is None else rounded(calibration_error(*outcomes))


@dataclass(frozen=True)
class Binary(Classification):
    """The predictions of a classifier with two classes; the second one is the positive one."""

    @property
    def ranking(self) -> Floats | None:
        """Shape ``(n,)``: what ranks the rows, from the first class to the second."""
        if self.scores is not None or self.probabilities is None:
            return self.scores
        return self.probabilities[:, 1]

    @property
    def both_classes(self) -> bool:
        """Whether there are rows of both classes, without which no curve can be drawn."""
        return len(set(self.truth.tolist())) == 2

    def metrics(self) -> dict[str, Any]:
        """Return the metrics by name.

        `precision`, `recall` and `f1` are those of the second class. `ece` is the
        `calibration_error` of its probability, and `brier` the mean squared error of the latter.
        """
        second = self.by_class()[self.words[1]]
        ranking, outcomes = self.ranking, self._outcomes()
        area = brier = None
        if ranking is not None and self.both_classes:
            area = rounded(metrics.roc_auc_score(self.truth, ranking))
        if outcomes is not None:
            brier = rounded(np.mean((outcomes[1] - self.truth) ** 2))
        return {
            **self._accuracy(),
            **{name: second[name] for name in ("precision", "recall", "f1")},
            "roc_auc": area,
            "ece": self._calibration_error(),
            "brier": brier,
            "confusion": self.confusion.tolist(),
            **self.counts(),
        }

    def _outcomes(self) -> tuple[Any, Floats] | None:
        """Return whether a row is of the second class, and the probability of that."""
        if self.probabilities is None:
            return None
        return self.truth, self.probabilities[:, 1]


@dataclass(frozen=True)
class Multiclass(Classification):
    """The predictions of a classifier with more than two classes."""

    def metrics(self) -> dict[str, Any]:
        """Return the metrics by name.

        `balanced_accuracy` is the mean recall of the classes that there are rows of, `macro_f1` the
        mean F1 of the classes that there are rows or predictions of. `ece` is the
        `calibration_error` of the predicted class.
        """
        confusion = self.confusion
        hits, predicted, actual = confusion.diagonal(), confusion.sum(axis=0), confusion.sum(axis=1)
        loss = None
        if self.probabilities is not None:
            given = self.probabilities[np.arange(len(self.truth)), self.truth]
            smallest = np.finfo(float).eps  # scikit-learn's
            loss = rounded(-np.log(np.clip(given, smallest, 1)).mean())
        return {
            **self._accuracy(),
            "balanced_accuracy": rounded(mean(ratio(hits, actual))),
            "macro_f1": rounded(mean(f_measure(hits, predicted, actual))),
            "log_loss": loss,
            "ece": self._calibration_error(),
            "classes": self.by_class(),
            "confusion": confusion.tolist() if len(confusion) <= LARGEST_CONFUSION else None,
            **self.counts(),
        }


def by_label(
    words: list[str], hits: Indices, predicted: Indices, actual: Indices
) -> dict[str, dict[str, Any]]:
    """Return precision, recall, F1 and support of each label, by its word.

    Parameters
    ----------
    words : list of str
    hits, predicted, actual : ndarray of int
        Shape ``(labels,)``: see `f_measure`.
    """
    columns = zip(
        words,
        ratio(hits, predicted),
        ratio(hits, actual),
        f_measure(hits, predicted, actual),
        actual,
        strict=True,
    )
    return {
        word: {
            "precision": rounded(precision),
            "recall": rounded(recall),
            "f1": rounded(f1),
            "support": int(support),
        }
        for word, precision, recall, f1, support in columns
    }
