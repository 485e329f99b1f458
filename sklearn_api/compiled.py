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
from collections.abc import Callable, Sequence

from sklearn_api.archive import Archive
from sklearn_api.calibration import Calibration, sigmoid
from sklearn_api.errors import ArtifactError
from sklearn_api.estimated import Prediction
from sklearn_api.header import COMPILED
from sklearn_api.plan import PlanReader, labels
from sklearn_api.scoring import Dot, Weighed, in_order, of_all, quick_dot
from sklearn_api.tasks import Task

_MAX_PLAN = 4 * 1024 * 1024
_TIE = 1e-9  # Scores that are closer are decided by how sums are rounded.


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

    def __init__(self, archive: Archive, calibration: Calibration | None) -> None:
        self._calibration = calibration
        try:
            plan = json.loads(archive.read(COMPILED, _MAX_PLAN))
            reader = PlanReader(archive)
            # Unpacking lets other threads run, and numbers take about as long as terms.
            numbers = Task(lambda: reader.numbers(plan))
            analyzers = reader.analyzers(plan["parts"])
            weighings, self._weighings, self._scorers = numbers.result()
            self._parts = list(reader.parts(plan, analyzers, weighings))
            threshold = plan["threshold"]
            self._threshold = None if threshold is None else float(threshold)
            self._outcome = _OUTCOMES[plan["method"]]
            self._likely = _PROBABILITIES[plan["probability"]]
            self._classes = labels(plan["classes"])
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
        prediction, margin = self._predict(text, quick_dot)
        if margin < _TIE:
            prediction, _ = self._predict(text, in_order)
        return prediction

    def _predict(self, text: str, dot: Dot) -> tuple[Prediction, float]:
        """Return the prediction, and how much less another class speaks for itself."""
        if self._quick and dot is not in_order:
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


def _expit(scores: list[float]) -> list[float]:
    return of_all([sigmoid(score) for score in scores])


def _huber(scores: list[float]) -> list[float]:
    return of_all([(min(1.0, max(-1.0, score)) + 1.0) / 2.0 for score in scores])


def _softmax(scores: list[float]) -> list[float]:
    greatest = max(scores)
    powers = [math.exp(score - greatest) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def _best(scores: Sequence[float]) -> tuple[int, float]:
    """Return the place of the greatest, the first of equal ones, and its lead over the next."""
    second, first = sorted(scores)[-2:]
    return scores.index(first), first - second


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
