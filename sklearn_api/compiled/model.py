"""A linear pipeline in plain Python, served without numpy and scikit-learn.

`training.artifact.compiler` writes it into the artifact: `compiled.json`, which this module reads,
beside the arrays and vocabularies that it shares with the scikit-learn form. An example::

    {"parts": […], "weighings": […], "columns": 74849, "threshold": null,
     "scorers": […], "method": "linear", "probability": null, "classes": [0, 1]}

A part is a vectorizer: it turns a text into columns by an analyzer and its terms, and weighs them
(TF-IDF, norms). The columns of all parts are concatenated; further weighings follow. A scorer is a
matrix of coefficients with an intercept for each class, or one row for two classes. `method` says
what its scores are: distances (``linear``), log-likelihoods (``bayes``), or distances that sigmoids
turn into probabilities, averaged over all scorers (``calibrated``).
"""

import json
from collections.abc import Callable, Sequence

from sklearn_api.artifact.archive import Archive
from sklearn_api.artifact.header import COMPILED
from sklearn_api.calibration import Calibration, complete, sigmoid, softmax
from sklearn_api.compiled.plan import PlanReader, read_labels
from sklearn_api.compiled.scoring import (
    Dot,
    Encoder,
    Strategy,
    TfidfEncoder,
    Weighed,
    fast_dot,
    ordered_dot,
)
from sklearn_api.compiled.tasks import Task
from sklearn_api.errors import ArtifactError
from sklearn_api.model import Prediction
from sklearn_api.signature import Signature

_MAX_PLAN = 4 * 1024 * 1024
_TIE = 1e-9  # Scores that are closer are decided by how sums are rounded.


class CompiledModel:
    """A model that predicts in plain Python.

    Parameters
    ----------
    archive : Archive
        An artifact with a compiled form.
    signature : Signature
        Of a text.
    calibration : Calibration or None
        Turns scores into probabilities.

    Raises
    ------
    ArtifactError
        The compiled form is damaged.
    """

    form = "compiled"

    def __init__(
        self, archive: Archive, signature: Signature, calibration: Calibration | None
    ) -> None:
        self.signature = signature
        self._calibration = calibration
        try:
            plan = json.loads(archive.read(COMPILED, _MAX_PLAN))
            reader = PlanReader(archive)
            # zlib lets other threads run, and numbers take about as long to unpack as terms.
            numbers = Task(lambda: reader.numbers(plan))
            analyzers = reader.analyzers(plan["parts"])
            part_weighings, weighings, self._scorers = numbers.result()
            parts = list(reader.parts(plan, analyzers, part_weighings))
            threshold = plan["threshold"]
            threshold = None if threshold is None else float(threshold)
            method = plan["method"]
            self._decide = _DECISIONS[method]
            self._probabilities = _PROBABILITIES[plan["probability"]]
            self._classes = read_labels(plan["classes"])
        except ArtifactError:
            raise
        # Whatever Python stumbles over in a damaged plan, the artifact is to blame.
        except Exception as exc:
            raise ArtifactError(
                f"the artifact's {COMPILED} is damaged: {type(exc).__name__}: {exc}"
            ) from exc
        encoder: Encoder | TfidfEncoder = Encoder(parts, weighings, threshold, in_order=False)
        if TfidfEncoder.fits(parts, weighings, threshold) and method != "bayes":
            encoder = TfidfEncoder(parts[0])
        self._fast = Strategy(encoder.encode, fast_dot)
        ordered = Encoder(parts, weighings, threshold, in_order=True)
        self._as_scikit_learn = Strategy(ordered.encode, ordered_dot)
        classes = len(self._classes)
        rows = {len(scorer.rows) for scorer in self._scorers}
        # One score is enough for two classes, unless it is a likelihood.
        one_score = classes == 2 and method != "bayes"
        if classes < 2 or (rows != {classes} and not (one_score and rows == {1})):
            raise ArtifactError(f"the artifact's {COMPILED} is damaged: a class has no score")

    def predict(self, instances: Sequence[str]) -> list[Prediction]:
        """Return the predictions for one or more texts."""
        return [self._predict_one(text) for text in instances]

    def _predict_one(self, text: str) -> Prediction:
        prediction, margin = self._predict(text, self._fast)
        if margin < _TIE:
            prediction, _ = self._predict(text, self._as_scikit_learn)
        return prediction

    def _predict(self, text: str, strategy: Strategy) -> tuple[Prediction, float]:
        """Return the prediction and its margin over the runner-up."""
        return self._decide(self, strategy.encode(text), strategy.dot)

    def _linear(self, text: Weighed, dot: Dot) -> tuple[Prediction, float]:
        scores = self._scorers[0].scores(text, dot)
        if len(scores) > 1:
            best, margin = _best(scores)
            return Prediction(self._classes[best], scores[best], self._given(scores)), margin
        score = scores[0]
        return Prediction(self._classes[score > 0], score, self._given(scores)), abs(score)

    def _given(self, scores: list[float]) -> list[float] | None:
        """Return the probabilities of the calibration, or those of the estimator."""
        if self._calibration is not None:
            return self._calibration.probabilities(scores)
        return self._probabilities(scores) if self._probabilities else None

    def _bayes(self, text: Weighed, dot: Dot) -> tuple[Prediction, float]:
        likelihoods = self._scorers[0].scores(text, dot)
        # The likelihoods decide: their probabilities may be equal where they are not.
        best, margin = _best(likelihoods)
        return self._from_probabilities(softmax(likelihoods), best), margin

    def _calibrated(self, text: Weighed, dot: Dot) -> tuple[Prediction, float]:
        each = [scorer.probabilities(text, dot) for scorer in self._scorers]
        means = [sum(column) / len(each) for column in zip(*each, strict=True)]
        best, margin = _best(means)
        return self._from_probabilities(means, best), margin

    def _from_probabilities(self, probabilities: list[float], best: int) -> Prediction:
        """Return the prediction of an estimator that has probabilities instead of scores."""
        two = len(probabilities) == 2
        score = probabilities[1] if two else max(probabilities)
        if self._calibration is not None and two:
            probabilities = self._calibration.probabilities([score])
        return Prediction(self._classes[best], score, probabilities)


def _expit(scores: list[float]) -> list[float]:
    return complete([sigmoid(score) for score in scores])


def _huber(scores: list[float]) -> list[float]:
    return complete([(min(1.0, max(-1.0, score)) + 1.0) / 2.0 for score in scores])


def _best(scores: Sequence[float]) -> tuple[int, float]:
    """Return the index of the largest score, the first on a tie, and its lead over the next."""
    second, first = sorted(scores)[-2:]
    return scores.index(first), first - second


_DECISIONS = {
    "linear": CompiledModel._linear,
    "bayes": CompiledModel._bayes,
    "calibrated": CompiledModel._calibrated,
}
_PROBABILITIES: dict[str | None, Callable[[list[float]], list[float]] | None] = {
    None: None,
    "expit": _expit,
    "huber": _huber,
    "softmax": softmax,
}
