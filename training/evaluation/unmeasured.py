"""The evaluation of a model whose right answers are not known."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_api.signature import MULTILABEL, REGRESSION
from training.evaluation.base import Evaluation, rounded_amount


@dataclass(frozen=True)
class Unmeasured(Evaluation):
    """The predictions of a model for rows without targets: clusters, outliers, or any other task.

    Attributes
    ----------
    predicted : ndarray
        Shape ``(n,)``: positions in the signature's labels, or numbers of a regression;
        ``(n, labels)`` of bool if there may be several labels.
    """

    predicted: Any

    def metrics(self) -> dict[str, Any]:
        """Return what was predicted: the number of rows by label, or where the numbers lie."""
        return {"predicted": self.summary(), **self.counts()}

    def summary(self) -> dict[str, float | None]:
        """Return the number of rows with each predicted label, or smallest, median and largest."""
        if self.signature.task == REGRESSION:
            names = ("smallest", "median", "largest")
            quantiles = np.quantile(self.predicted, (0, 0.5, 1))
            return dict(zip(names, map(rounded_amount, quantiles), strict=True))
        if self.signature.task == MULTILABEL:
            counts = self.predicted.sum(axis=0)
        else:
            counts = np.bincount(self.predicted, minlength=len(self.words))
        return dict(zip(self.words, map(int, counts), strict=True))
