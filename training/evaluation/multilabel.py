"""The evaluation of a model that gives each row any number of labels."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from training.evaluation.base import Booleans, Evaluation, Floats, f_measure, mean, rounded
from training.evaluation.classification import by_label


@dataclass(frozen=True)
class Multilabel(Evaluation):
    """The predictions of a model that gives each row any number of labels.

    Attributes
    ----------
    truth, predicted : ndarray of bool
        Shape ``(n, labels)``: which labels apply, and which ones were predicted.
    probabilities : ndarray of float or None
        Shape ``(n, labels)``: the probability that each label applies.
    """

    truth: Booleans
    predicted: Booleans
    probabilities: Floats | None

    def metrics(self) -> dict[str, Any]:
        """Return the metrics by name.

        `micro_f1` is the F1 of all decisions together, `macro_f1` the mean F1 of the labels;
        `subset_accuracy` is the share of the rows whose labels are all right, and `hamming_loss`
        the share of the decisions that are wrong.
        """
        hits, predicted, actual = self._counts(slice(None))
        return {
            "micro_f1": rounded(f_measure(hits.sum(), predicted.sum(), actual.sum())),
            "micro_f1_unseen": rounded(
                f_measure(*(one.sum() for one in self._counts(self.unseen())))
            ),
            "macro_f1": rounded(mean(f_measure(hits, predicted, actual))),
            "subset_accuracy": rounded((self.truth == self.predicted).all(axis=1).mean()),
            "hamming_loss": rounded((self.truth != self.predicted).mean()),
            "labels": self.by_class(),
            **self.counts(),
        }

    def by_class(self) -> dict[str, dict[str, Any]]:
        """Return precision, recall, F1 and number of rows (`support`) by the word of each label."""
        return by_label(self.words, *self._counts(slice(None)))

    def worst(self, count: int) -> list[int]:
        """Return rows with wrong labels, those with the most of them first."""
        wrong = (self.truth != self.predicted).sum(axis=1)
        order = np.argsort(-wrong, kind="stable")
        return [int(row) for row in order[:count] if wrong[row]]

    def _counts(self, rows: Any) -> tuple[Any, Any, Any]:
        """Return how often each label was rightly predicted, predicted, and right."""
        truth, predicted = self.truth[rows], self.predicted[rows]
        return (truth & predicted).sum(axis=0), predicted.sum(axis=0), truth.sum(axis=0)
