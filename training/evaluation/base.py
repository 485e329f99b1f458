"""What the evaluations of all tasks have in common."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_api.signature import Signature
from training.metrics import headline

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Evaluation(ABC):
    """The predictions of a model for rows that it was not fitted on.

    Attributes
    ----------
    signature : Signature
        What goes into the model, and what comes out.
    rows : list of str, or DataFrame
        The ``n`` rows, as the pipeline predicts from them.
    seen : ndarray of bool or None
        Shape ``(n,)``: whether the same row is among those that the model was fitted on; None if
        that is not known.
    """

    signature: Signature
    rows: Any
    seen: Booleans | None

    @abstractmethod
    def metrics(self) -> dict[str, Any]:
        """Return the metrics by name, as a manifest stores them.

        Each has six digits, and is None if it is undefined. `rows` and `rows_seen` count the rows,
        and those of them that the model was also fitted on; a metric whose name ends with
        ``_unseen`` leaves out the latter.
        """

    @property
    def headline(self) -> tuple[str, float | None] | None:
        """Title and value of the most important metric; None if nothing was measured."""
        return headline(self.metrics())

    @property
    def words(self) -> list[str]:
        """What clients see for each label, in the order of the signature."""
        return [one.word for one in self.signature.labels]

    def counts(self) -> dict[str, int | None]:
        """Return the number of rows, and of those that the model was also fitted on."""
        return {
            "rows": len(self.rows),
            "rows_seen": None if self.seen is None else int(self.seen.sum()),
        }

    def unseen(self) -> Indices:
        """Return the positions of the rows that the model is known not to have been fitted on."""
        return np.flatnonzero(np.zeros(0) if self.seen is None else ~self.seen)


def ratio(part: Any, whole: Any) -> Floats:
    """Divide, and return NaN where the divisor is 0."""
    part, whole = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    quotient = np.full(part.shape, np.nan)
    np.divide(part, whole, out=quotient, where=whole != 0)
    return quotient


def f_measure(hits: Any, predicted: Any, actual: Any) -> Floats:
    """Return F1: the harmonic mean of precision and recall.

    Parameters
    ----------
    hits, predicted, actual : array_like of int
        For each label: the rows with it that it was predicted for, all that it was predicted for,
        and all that have it.

    Returns
    -------
    ndarray of float
        NaN for a label that no row has, and that was predicted for none.
    """
    return ratio(2 * np.asarray(hits), np.asarray(predicted) + np.asarray(actual))


def mean(values: Any) -> float:
    """Return the mean of the values that are defined, NaN if none is."""
    values = np.asarray(values, dtype=float)
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else float("nan")


def rounded(value: Any) -> float | None:
    """Return a share as a manifest stores it: with six digits, and None if it is undefined."""
    return round(float(value), 6) if np.isfinite(value) else None


def rounded_amount(value: Any) -> float | None:
    """Return an amount as a manifest stores it: with six significant digits, None if undefined."""
    return float(f"{float(value):.6g}") if np.isfinite(value) else None
