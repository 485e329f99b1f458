"""What a model says of a text, and how scikit-learn itself says it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sklearn_api.calibration import Calibration


class Prediction(NamedTuple):
    """What a model says of one input.

    Attributes
    ----------
    label : int or str
        The predicted class.
    score : float
        Of two classes: signed distance to the decision boundary, positive for the second class;
        where an estimator has none, the probability of the second one. Of more classes: the
        greatest of their scores.
    probability : float or None
        Of the second of two classes, or the greatest of more, from 0 to 1: of the model's
        calibration, or else of an estimator that gives probabilities itself; None where there is
        neither.
    """

    label: int | str
    score: float
    probability: float | None


class EstimatedModel:
    """A model that predicts with scikit-learn.

    Parameters
    ----------
    pipeline : estimator
        A fitted classifier of texts.
    calibration : Calibration or None
        From the scores of two classes to probabilities.
    """

    form = "sklearn"

    def __init__(self, pipeline: Any, calibration: Calibration | None = None) -> None:
        self._pipeline = pipeline
        self._calibration = calibration

    def predict(self, text: str) -> Prediction:
        """Return the prediction for one text."""
        return self.predict_all([text])[0]

    def predict_all(self, texts: Sequence[str]) -> list[Prediction]:
        """Return the predictions for texts, of which there is at least one."""
        pipeline, calibration = self._pipeline, self._calibration
        distances = hasattr(pipeline, "decision_function")
        likely = None
        if hasattr(pipeline, "predict_proba") and not (distances and calibration):
            likely = pipeline.predict_proba(texts)
        rows: Any = pipeline.decision_function(texts) if distances else likely
        predictions = []
        for number, label in enumerate(pipeline.predict(texts)):
            score = _one(rows[number])
            probability = None if likely is None else _one(likely[number])
            # A calibration is that of two classes.
            if calibration is not None:
                probability = calibration.probability(score)
            # `str_` is a text as well.
            predictions.append(
                Prediction(str(label) if isinstance(label, str) else int(label), score, probability)
            )
        return predictions


def _one(row: Any) -> float:
    """Return what is said of the second of two classes, or the greatest of more."""
    if row.ndim == 0:
        return float(row)
    return float(row[1] if len(row) == 2 else row.max())
