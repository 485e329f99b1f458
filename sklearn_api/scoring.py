"""The numbers of a compiled model: from a text to its weighed terms, and from them to scores.

They are computed as scikit-learn computes them, but for rounding; and where that matters, in its
order.
"""

import math
from collections.abc import Callable, Sequence
from functools import reduce
from operator import add, mul
from typing import NamedTuple

from sklearn_api.analysis import Analyzer
from sklearn_api.calibration import sigmoid
from sklearn_api.terms import NONE, picked

Dot = Callable[[Sequence[float], Sequence[float]], float]
"""Sum of the products of two sequences of one length."""


def in_order(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the sum as scikit-learn computes it, from left to right and rounded at each step."""
    return reduce(add, map(mul, one, other), 0.0)


# From Python 3.12 on: faster, and less rounded.
quick_dot: Dot = getattr(math, "sumprod", in_order)

Row = Sequence[float]
"""A number by column."""


class Weighing(NamedTuple):
    """What `TfidfTransformer` does to the values of a text, and `normalize`.

    Attributes
    ----------
    sublinear : bool
        Whether a count of n becomes ``1 + log(n)``.
    idf : sequence of float or None
        Factor by column, and at the end 0: that of `NONE`.
    norm : str or None
        What values are divided by: ``l1``, the sum of their absolute values, or ``l2``, the root
        of the sum of their squares.
    """

    sublinear: bool
    idf: Row | None
    norm: str | None

    def weigh(
        self, columns: Sequence[int], values: list[float], dot: Dot
    ) -> tuple[list[float], float]:
        """Return the values weighed, and what they are still to be divided by."""
        if self.sublinear:
            values = [1.0 if value == 1 else 1.0 + math.log(value) for value in values]
        if self.idf is not None:
            values = list(map(mul, values, picked(self.idf, columns)))
        if self.norm is None:
            return values, 1.0
        if self.norm == "l2":
            total = math.sqrt(dot(values, values))
        else:
            total = dot([abs(value) for value in values], [1.0] * len(values))
        return values, total or 1.0

    def __call__(self, columns: Sequence[int], values: list[float], dot: Dot) -> list[float]:
        """Return the values weighed."""
        values, total = self.weigh(columns, values, dot)
        return values if total == 1.0 else [value / total for value in values]


class Part(NamedTuple):
    """From a text to columns and their values.

    Attributes
    ----------
    preprocess, analyze : callable
        From a text to a text, and from that to counts by column.
    binary : bool
        Whether every count becomes 1.
    weighings : sequence of Weighing
        In their order.
    first : int
        Where this part's columns begin among those of all parts.
    scale : float
        Factor of all values.
    """

    preprocess: Callable[[str], str]
    analyze: Analyzer
    binary: bool
    weighings: Sequence[Weighing]
    first: int
    scale: float

    def values(self, text: str, dot: Dot) -> tuple[list[int], list[float]]:
        """Return the columns of a text and their values."""
        found, counts = self.analyze(self.preprocess(text))
        pairs = [pair for pair in zip(found, counts, strict=True) if pair[0] != NONE]
        if dot is in_order:
            pairs.sort()
        columns = [column for column, _ in pairs]
        values: list[float] = [1 if self.binary else count for _, count in pairs]
        for weighing in self.weighings:
            values = weighing(columns, values, dot)
        if self.first:
            columns = [column + self.first for column in columns]
        if self.scale != 1.0:
            values = [value * self.scale for value in values]
        return columns, values


class Weighed(NamedTuple):
    """A text as a classifier sees it.

    Attributes
    ----------
    columns : sequence of int
        Those that are not 0; there may be `NONE` among them, whose value is 0.
    values : sequence of float
        As many.
    divisor : float
        What the values are to be divided by.
    """

    columns: Sequence[int]
    values: Sequence[float]
    divisor: float


class Scorer(NamedTuple):
    """Scores of a text.

    Attributes
    ----------
    rows : sequence of sequence of float
        Coefficients by column, of each class, or of the second of two.
    intercepts : sequence of float
        As many.
    sigmoids : sequence of pairs of float
        Slope and intercept of as many calibrations, where there are any.
    """

    rows: Sequence[Row]
    intercepts: Sequence[float]
    sigmoids: Sequence[Sequence[float]]

    def scores(self, text: Weighed, dot: Dot) -> list[float]:
        """Return as many scores as there are rows."""
        columns, values, divisor = text
        return [
            dot(values, picked(row, columns)) / divisor + intercept
            for row, intercept in zip(self.rows, self.intercepts, strict=True)
        ]

    def probabilities(self, text: Weighed, dot: Dot) -> list[float]:
        """Return the calibrated probabilities of all classes."""
        found = [
            sigmoid(slope * score + intercept)
            for score, (slope, intercept) in zip(self.scores(text, dot), self.sigmoids, strict=True)
        ]
        return of_all(found)


def of_all(probabilities: list[float]) -> list[float]:
    """Return probabilities that were found one by one as those of all classes."""
    if len(probabilities) == 1:
        return [1.0 - probabilities[0], probabilities[0]]
    total = sum(probabilities)
    if not total:
        return [1.0 / len(probabilities)] * len(probabilities)
    return [probability / total for probability in probabilities]
