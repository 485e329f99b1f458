"""The arithmetic of a compiled model: from a text to weighed terms, and from them to scores.

It computes what scikit-learn computes, but for rounding. Where rounding decides, it computes in
scikit-learn's order: a `Strategy` is one or the other.
"""

import math
from collections.abc import Callable, Sequence
from functools import reduce
from operator import add, mul
from typing import NamedTuple

from sklearn_api.calibration import complete, sigmoid
from sklearn_api.compiled.analyzers import Analyzer
from sklearn_api.compiled.terms import NONE, picked

Dot = Callable[[Sequence[float], Sequence[float]], float]
"""Dot product of two sequences of equal length."""


def ordered_dot(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the dot product as scikit-learn computes it: left to right, rounding each step."""
    return reduce(add, map(mul, one, other), 0.0)


# From Python 3.12 on: faster, and with less rounding.
fast_dot: Dot = getattr(math, "sumprod", ordered_dot)

Row = Sequence[float]
"""A number for each column."""


class Weighing(NamedTuple):
    """What `TfidfTransformer` or `normalize` does to the values of a text.

    Attributes
    ----------
    sublinear : bool
        Whether a count of n becomes ``1 + log(n)``.
    idf : sequence of float or None
        Factor of each column, followed by 0, the factor of `NONE`.
    norm : str or None
        Divisor of the values: ``l1``, the sum of their absolute values, or ``l2``, the root of the
        sum of their squares.
    """

    sublinear: bool
    idf: Row | None
    norm: str | None

    def weigh(
        self, columns: Sequence[int], values: list[float], dot: Dot
    ) -> tuple[list[float], float]:
        """Return the weighed values, and their divisor, which has not been applied."""
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
        """Return the weighed values."""
        values, total = self.weigh(columns, values, dot)
        return values if total == 1.0 else [value / total for value in values]


class Part(NamedTuple):
    """One vectorizer: from a text to columns and their values.

    Attributes
    ----------
    preprocess, analyze : callable
        From a text to a text, and from that to counts by column.
    binary : bool
        Whether every count becomes 1.
    weighings : sequence of Weighing
        Applied in this order.
    first : int
        Its first column among those of all parts.
    scale : float
        Factor of all values.
    """

    preprocess: Callable[[str], str]
    analyze: Analyzer
    binary: bool
    weighings: Sequence[Weighing]
    first: int
    scale: float

    def values(self, text: str, dot: Dot, in_order: bool) -> tuple[list[int], list[float]]:
        """Return the columns of a text and their values, sorted by column if `in_order`."""
        found, counts = self.analyze(self.preprocess(text))
        pairs = [pair for pair in zip(found, counts, strict=True) if pair[0] != NONE]
        if in_order:
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
        Columns whose value is not 0; `NONE` may be among them, with the value 0.
    values : sequence of float
        One for each column.
    divisor : float
        Divides all values.
    """

    columns: Sequence[int]
    values: Sequence[float]
    divisor: float


class Strategy(NamedTuple):
    """How to compute: as fast as possible, or in scikit-learn's order.

    Attributes
    ----------
    encode : callable
        From a text to its weighed terms.
    dot : callable
        The dot product for the scores.
    """

    encode: Callable[[str], Weighed]
    dot: Dot


class Encoder:
    """Weighs the terms of a text by any parts.

    Parameters
    ----------
    parts : sequence of Part
        One or more.
    weighings : sequence of Weighing
        Applied to the columns of all parts.
    threshold : float or None
        Values above it become 1, all others 0.
    in_order : bool
        Whether to add up in scikit-learn's order.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        weighings: Sequence[Weighing],
        threshold: float | None,
        *,
        in_order: bool,
    ) -> None:
        self._parts = parts
        self._weighings = weighings
        self._threshold = threshold
        self._in_order = in_order
        self._dot = ordered_dot if in_order else fast_dot

    def encode(self, text: str) -> Weighed:
        """Return the weighed terms of a text."""
        columns: list[int] = []
        values: list[float] = []
        for part in self._parts:
            more_columns, more_values = part.values(text, self._dot, self._in_order)
            columns += more_columns
            values += more_values
        for weighing in self._weighings:
            values = weighing(columns, values, self._dot)
        if self._threshold is not None:
            values = [float(value > self._threshold) for value in values]
        return Weighed(columns, values, 1.0)


class TfidfEncoder:
    """Weighs the terms of a text by a single `TfidfVectorizer`, without looking at each term.

    A term without a column may stay: its weight is 0, and no coefficient is infinite.

    Parameters
    ----------
    part : Part
        The vectorizer.
    """

    def __init__(self, part: Part) -> None:
        self._part = part
        self._weighing = part.weighings[0]

    @staticmethod
    def fits(parts: Sequence[Part], weighings: Sequence[Weighing], threshold: float | None) -> bool:
        """Return whether the parts are a single `TfidfVectorizer`, and nothing follows it."""
        first = parts[0]
        return (
            len(parts) == len(first.weighings) == 1
            and first.weighings[0].idf is not None
            and first.scale == 1.0
            and not weighings
            and threshold is None
        )

    def encode(self, text: str) -> Weighed:
        """Return the weighed terms of a text."""
        part = self._part
        columns, counts = part.analyze(part.preprocess(text))
        values: list[float] = [1] * len(counts) if part.binary else list(counts)
        return Weighed(columns, *self._weighing.weigh(columns, values, fast_dot))


class Scorer(NamedTuple):
    """Scores of a text.

    Attributes
    ----------
    rows : sequence of sequence of float
        Coefficients by column: a row for each class, or one for the second of two.
    intercepts : sequence of float
        One for each row.
    sigmoids : sequence of pairs of float
        Slope and intercept of a calibration for each row, or none.
    """

    rows: Sequence[Row]
    intercepts: Sequence[float]
    sigmoids: Sequence[Sequence[float]]

    def scores(self, text: Weighed, dot: Dot) -> list[float]:
        """Return one score for each row."""
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
        return complete(found)
