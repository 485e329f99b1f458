"""A linear pipeline in plain Python: neither numpy nor scikit-learn is needed to serve it.

`compiler.py` writes it into the artifact: `compiled.json`, which this reads, beside the arrays and
vocabularies that the scikit-learn form needs as well. An object of it::

    {"parts": […], "weighings": […], "columns": 74849, "threshold": null,
     "scorers": […], "method": "linear", "probability": null, "classes": [0, 1]}

A part turns a text into columns, and weighs them: an analyzer, terms, weighings (TF-IDF, norms).
The columns of all parts stand side by side; further weighings follow. A scorer is a matrix of
coefficients and an intercept for each class, or one for two classes. What comes of their scores
says `method`: they are distances (``linear``), or logarithms of likelihoods (``bayes``), or they
become probabilities by sigmoids, of which the means over all scorers are taken (``calibrated``).
"""

import json
import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from itertools import chain
from operator import add, mul
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sklearn_api.analysis import (
    Analyzer,
    char_analyzer,
    inner_char_analyzer,
    preprocessor,
    word_analyzer,
)
from sklearn_api.calibration import Calibration, sigmoid
from sklearn_api.errors import ArtifactError
from sklearn_api.estimated import Prediction
from sklearn_api.header import COMPILED
from sklearn_api.runs import RunTerms
from sklearn_api.terms import (
    EVERY,
    NONE,
    HashedTerms,
    ListedTerms,
    SortedTerms,
    Terms,
    picked,
)

if TYPE_CHECKING:
    from sklearn_api.archive import Archive

Dot = Callable[[Sequence[float], Sequence[float]], float]
"""Sum of the products of two sequences of one length."""


def _in_order(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the sum as scikit-learn computes it, from left to right and rounded at each step."""
    return reduce(add, map(mul, one, other), 0.0)


# From Python 3.12 on: faster, and less rounded.
_dot: Dot = getattr(math, "sumprod", _in_order)

_MAX_PLAN = 4 * 1024 * 1024
_TIE = 1e-9  # Scores that are closer are decided by how sums are rounded.
_Row = Sequence[float]
N = TypeVar("N", int, float)


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
    idf: _Row | None
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
        if dot is _in_order:
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

    rows: Sequence[_Row]
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
        return _of_all(found)


class CompiledModel:
    """A model that predicts in plain Python.

    Parameters
    ----------
    archive : Archive
        An artifact with a compiled form.
    calibration : Calibration or None
        From the scores to probabilities.

    Raises
    ------
    ArtifactError
        The compiled form is damaged.
    """

    form = "compiled"

    def __init__(self, archive: "Archive", calibration: Calibration | None) -> None:
        self._calibration = calibration
        try:
            plan = json.loads(archive.read(COMPILED, _MAX_PLAN))
            reader = _Reader(archive)
            self._parts = list(reader.parts(plan["parts"], plan["columns"]))
            self._weighings = reader.weighings(plan["weighings"], plan["columns"])
            threshold = plan["threshold"]
            self._threshold = None if threshold is None else float(threshold)
            self._scorers = [reader.scorer(one, plan["columns"]) for one in plan["scorers"]]
            self._outcome = _OUTCOMES[plan["method"]]
            self._likely = _PROBABILITIES[plan["probability"]]
            self._classes = _labels(plan["classes"])
        except ArtifactError:
            raise
        # Whatever a damaged plan makes Python stumble over, the artifact is to blame.
        except Exception as exc:
            raise ArtifactError(
                f"the artifact's {COMPILED} is damaged: {type(exc).__name__}: {exc}"
            ) from exc
        first = self._parts[0]
        # What has no column may stay where its weight is 0, and no coefficient is infinite.
        self._quick = (
            len(self._parts) == len(first.weighings) == 1
            and first.weighings[0].idf is not None
            and first.scale == 1.0
            and not self._weighings
            and plan["method"] != "bayes"
        )
        count = len(self._classes)
        rows = {len(scorer.rows) for scorer in self._scorers}
        # Of two classes, one score is enough, but for likelihoods.
        alone = count == 2 and plan["method"] != "bayes"
        if count < 2 or (rows != {count} and not (alone and rows == {1})):
            raise ArtifactError(f"the artifact's {COMPILED} is damaged: a class has no score")

    def predict(self, text: str) -> Prediction:
        """Return the prediction for one text."""
        prediction, margin = self._predict(text, _dot)
        if margin < _TIE:
            prediction, _ = self._predict(text, _in_order)
        return prediction

    def _predict(self, text: str, dot: Dot) -> tuple[Prediction, float]:
        """Return the prediction, and how much less another class speaks for itself."""
        if self._quick and dot is not _in_order:
            return self._outcome(self, self._quickly(text, dot), dot)
        columns, values = self._parts[0].values(text, dot)
        for part in self._parts[1:]:
            more = part.values(text, dot)
            columns += more[0]
            values += more[1]
        for weighing in self._weighings:
            values = weighing(columns, values, dot)
        if self._threshold is not None:
            values = [float(value > self._threshold) for value in values]
        return self._outcome(self, Weighed(columns, values, 1.0), dot)

    def _quickly(self, text: str, dot: Dot) -> Weighed:
        """Return the same of `TfidfVectorizer` alone, without a look at each term by itself."""
        part = self._parts[0]
        columns, counts = part.analyze(part.preprocess(text))
        values: list[float] = [1] * len(counts) if part.binary else list(counts)
        return Weighed(columns, *part.weighings[0].weigh(columns, values, dot))

    def _linear(self, text: Weighed, dot: Dot) -> tuple[Prediction, float]:
        scores = self._scorers[0].scores(text, dot)
        if len(scores) > 1:
            best, margin = _best(scores)
            probability = max(self._likely(scores)) if self._likely else None
            return Prediction(self._classes[best], scores[best], probability), margin
        score = scores[0]
        if self._calibration is not None:
            probability = self._calibration.probability(score)
        else:
            probability = self._likely(scores)[1] if self._likely else None
        return Prediction(self._classes[score > 0], score, probability), abs(score)

    def _bayes(self, text: Weighed, dot: Dot) -> tuple[Prediction, float]:
        likelihoods = self._scorers[0].scores(text, dot)
        # The class is that of the likelihoods: probabilities may be equal where they are not.
        best, margin = _best(likelihoods)
        return self._probable(_softmax(likelihoods), best), margin

    def _calibrated(self, text: Weighed, dot: Dot) -> tuple[Prediction, float]:
        each = [scorer.probabilities(text, dot) for scorer in self._scorers]
        means = [sum(column) / len(each) for column in zip(*each, strict=True)]
        best, margin = _best(means)
        return self._probable(means, best), margin

    def _probable(self, probabilities: list[float], best: int) -> Prediction:
        """Return the prediction of an estimator that has no score but probabilities."""
        two = len(probabilities) == 2
        score = probabilities[1] if two else max(probabilities)
        probability = score
        if self._calibration is not None and two:
            probability = self._calibration.probability(score)
        return Prediction(self._classes[best], score, probability)


class _Reader:
    """Makes objects of what a plan says.

    Parameters
    ----------
    archive : Archive
        Holds the members that it names.
    """

    def __init__(self, archive: "Archive") -> None:
        self._archive = archive

    def parts(self, plans: list[dict[str, Any]], columns: int) -> Iterator[Part]:
        first = 0
        for plan in plans:
            count = plan["columns"]
            yield Part(
                preprocess=preprocessor(plan["lowercase"], plan["accents"]),
                analyze=self._analyzer(plan),
                binary=bool(plan["binary"]),
                weighings=self.weighings(plan["weighings"], count),
                first=first,
                scale=float(plan["scale"]),
            )
            first += count
        if first != columns or not plans:
            raise _wrong("its parts have not as many columns as it says")

    def _analyzer(self, plan: dict[str, Any]) -> Analyzer:
        shortest, longest = (int(length) for length in plan["ngrams"])
        terms = self._terms(plan["terms"], plan["columns"])
        if plan["analyzer"] == "word":
            words = plan["stop_words"]
            stop_words = None if words is None else frozenset(words)
            return word_analyzer(terms, plan["pattern"], stop_words, shortest, longest)
        make = {"char": char_analyzer, "char_wb": inner_char_analyzer}[plan["analyzer"]]
        return make(terms, shortest, longest)

    def _terms(self, plan: dict[str, Any], count: int) -> Terms:
        if plan["kind"] == "hashed":
            return HashedTerms(count, plan["signed"])
        if plan["kind"] == "sorted":
            return self._sorted(plan, count)
        if plan["kind"] == "runs":
            return RunTerms(
                self._sorted(plan["words"], plan["words"]["columns"]),
                self._numbers(plan["starts"], 4, plan["words"]["columns"] + 1),
                [self._numbers(name, plan["bytes"], count) for name in plan["following"]],
                count,
            )
        if plan["kind"] != "listed":
            raise _wrong("it has terms of an unknown kind")
        from sklearn_api.vocabulary import decode_terms

        terms = decode_terms(plan["file"], self._archive.read(plan["file"]))
        if len(terms) != count:
            raise _wrong("its vocabulary has not as many terms as it says")
        return ListedTerms(terms)

    def _sorted(self, plan: dict[str, Any], count: int) -> SortedTerms:
        text = self._archive.read(plan["file"])
        return SortedTerms(text, self._numbers(plan["places"], 4, -(-count // EVERY)), count)

    def _numbers(self, name: str, size: int, count: int) -> "array[int]":
        """Return whole numbers of 2 or 4 bytes."""
        if self._archive.size(name) != size * count:
            raise _wrong(f"{name} has not as many numbers as it says")
        return _filled(array({2: "H", 4: "I"}[size], [0]) * count, self._archive.pieces(name))

    def weighings(self, plans: list[dict[str, Any]], columns: int) -> list[Weighing]:
        made = []
        for plan in plans:
            idf = None
            if plan["idf"] is not None:
                idf = self._floats(plan["idf"], columns)
                idf.append(0.0)  # that of `NONE`
            if plan["norm"] not in (None, "l1", "l2"):
                raise _wrong("it has a norm of an unknown kind")
            made.append(Weighing(plan["sublinear"], idf, plan["norm"]))
        return made

    def scorer(self, plan: dict[str, Any], columns: int) -> Scorer:
        intercepts = [float(one) for one in plan["intercepts"]]
        sigmoids = [(float(slope), float(at)) for slope, at in plan["sigmoids"]]
        classes = len(intercepts)
        if sigmoids and len(sigmoids) != classes:
            raise _wrong("it has not as many sigmoids as scores")
        values = self._floats(plan["coefficients"], classes * columns)
        if classes == 1:
            return Scorer([values], intercepts, sigmoids)
        view = memoryview(values)
        if plan["by_column"]:
            rows = [view[number::classes] for number in range(classes)]
        else:
            rows = [view[number * columns :][:columns] for number in range(classes)]
        return Scorer(rows, intercepts, sigmoids)

    def _floats(self, name: str, count: int) -> "array[float]":
        """Return the numbers of an ``.npy`` file, in their order in it.

        The processors of a Lambda keep them in memory as the file does: least byte first.
        """
        pieces = self._archive.pieces(name)
        first = memoryview(next(pieces, b""))
        start = 10 + int.from_bytes(first[8:10], "little")
        header = bytes(first[:start])
        if not header.startswith(b"\x93NUMPY\x01\x00") or b"'descr': '<f8'" not in header:
            raise _wrong(f"{name} is no array of floats")
        if self._archive.size(name) != start + 8 * count:
            raise _wrong(f"{name} has not as many numbers as there are columns")
        return _filled(array("d", [0.0]) * count, chain((first[start:],), pieces))


def _filled(numbers: "array[N]", pieces: Iterable[bytes | memoryview]) -> "array[N]":
    """Overwrite numbers with as many bytes; quicker than to append them one piece after another."""
    at, target = 0, memoryview(numbers).cast("B")
    for piece in pieces:
        target[at : at + len(piece)] = piece
        at += len(piece)
    return numbers


def _labels(values: list[Any]) -> list[int | str]:
    """Return the labels of classes, which are whole numbers or texts."""
    if {type(value) for value in values} not in ({int}, {str}):
        raise _wrong("its labels are neither whole numbers nor texts")
    return values


def _of_all(probabilities: list[float]) -> list[float]:
    """Return probabilities that were found one by one as those of all classes."""
    if len(probabilities) == 1:
        return [1.0 - probabilities[0], probabilities[0]]
    total = sum(probabilities)
    if not total:
        return [1.0 / len(probabilities)] * len(probabilities)
    return [probability / total for probability in probabilities]


def _expit(scores: list[float]) -> list[float]:
    return _of_all([sigmoid(score) for score in scores])


def _huber(scores: list[float]) -> list[float]:
    return _of_all([(min(1.0, max(-1.0, score)) + 1.0) / 2.0 for score in scores])


def _softmax(scores: list[float]) -> list[float]:
    greatest = max(scores)
    powers = [math.exp(score - greatest) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def _best(scores: Sequence[float]) -> tuple[int, float]:
    """Return the place of the greatest, the first of equal ones, and its lead over the next."""
    second, first = sorted(scores)[-2:]
    return scores.index(first), first - second


def _wrong(reason: str) -> ArtifactError:
    return ArtifactError(f"the artifact's compiled form is damaged: {reason}")


_OUTCOMES = {
    "linear": CompiledModel._linear,
    "bayes": CompiledModel._bayes,
    "calibrated": CompiledModel._calibrated,
}
_PROBABILITIES: dict[str | None, Callable[[list[float]], list[float]] | None] = {
    None: None,
    "expit": _expit,
    "huber": _huber,
    "softmax": _softmax,
}
