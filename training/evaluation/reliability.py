"""Whether predicted probabilities come true."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 15


@dataclass(frozen=True)
class Reliability:
    """Bins of predicted probabilities, without the empty ones.

    Attributes
    ----------
    predicted : ndarray of float
        Shape ``(bins,)``: the mean predicted probability.
    share : ndarray of float
        Shape ``(bins,)``: the share of the rows that it came true for.
    rows : ndarray of int
        Shape ``(bins,)``: the number of rows.
    """

    predicted: NDArray[np.float64]
    share: NDArray[np.float64]
    rows: NDArray[np.int64]


def reliability(outcomes: ArrayLike, probabilities: ArrayLike) -> Reliability:
    """Return predicted probabilities and actual shares, in `BINS` bins of equal width.

    Parameters
    ----------
    outcomes : array_like of bool
        Shape ``(n,)``: whether what was predicted came true.
    probabilities : array_like of float
        Shape ``(n,)``: its probability, from 0 to 1.
    """
    outcomes, probabilities = np.asarray(outcomes), np.asarray(probabilities)
    index = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    rows = np.bincount(index, minlength=BINS)
    filled = rows > 0
    predicted = np.bincount(index, weights=probabilities, minlength=BINS)[filled] / rows[filled]
    share = np.bincount(index, weights=outcomes, minlength=BINS)[filled] / rows[filled]
    return Reliability(predicted, share, rows[filled])


def calibration_error(outcomes: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the expected calibration error over `BINS` bins of equal width.

    It is the mean difference between the predicted probability and the actual share in each bin,
    weighted by the rows of the bin: C. Guo et al., On Calibration of Modern Neural Networks,
    ICML 2017. Its parameters are those of `reliability`.
    """
    bins = reliability(outcomes, probabilities)
    return float(np.abs(bins.predicted - bins.share) @ bins.rows / bins.rows.sum())
