"""The evaluation of a model that predicts numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from training.evaluation.base import Evaluation, Floats, Indices, rounded, rounded_amount


@dataclass(frozen=True)
class Regression(Evaluation):
    """The predictions of a model that predicts numbers.

    Attributes
    ----------
    truth, predicted : ndarray of float
        Shape ``(n,)``.
    """

    truth: Floats
    predicted: Floats

    @property
    def residuals(self) -> Floats:
        """Shape ``(n,)``: what was predicted, less what is true."""
        return self.predicted - self.truth

    def metrics(self) -> dict[str, Any]:
        """Return the metrics by name.

        `r2` is the share of the target's variance that the predictions account for, negative if
        they are worse than the mean. The errors have the unit of the target, whose mean,
        `target_mean`, shows their scale.
        """
        size = np.abs(self.residuals)
        return {
            "r2": rounded(self._r2(np.arange(len(size)))),
            "r2_unseen": rounded(self._r2(self.unseen())),
            "mean_absolute_error": rounded_amount(size.mean()),
            "median_absolute_error": rounded_amount(np.median(size)),
            "root_mean_squared_error": rounded_amount(np.sqrt((size**2).mean())),
            "target_mean": rounded_amount(self.truth.mean()),
            **self.counts(),
        }

    def worst(self, count: int) -> list[int]:
        """Return rows, those with the largest errors first."""
        size = np.abs(self.residuals)
        order = np.argsort(-size, kind="stable")
        return [int(row) for row in order[:count] if size[row] > 0]

    def _r2(self, rows: Indices) -> float:
        truth = self.truth[rows]
        if len(truth) < 2 or (truth == truth[0]).all():
            return float("nan")
        left = (self.residuals[rows] ** 2).sum()
        return float(1 - left / ((truth - truth.mean()) ** 2).sum())
