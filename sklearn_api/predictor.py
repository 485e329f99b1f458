"""A model in memory, asked for predictions."""

from dataclasses import dataclass

from sklearn_api.artifact import Model


@dataclass(frozen=True)
class Prediction:
    """What a model says of one input.

    Attributes
    ----------
    label : int
        The predicted class.
    score : float
        Signed distance to the decision boundary, positive for class 1; where an estimator has
        none, the probability of class 1.
    probability : float or None
        Of class 1, from 0 to 1: of the model's calibration, or else of an estimator that gives
        probabilities itself; None where there is neither.
    """

    label: int
    score: float
    probability: float | None


class Predictor:
    """What a model says of texts.

    Parameters
    ----------
    model : Model
        Its pipeline is a fitted binary classifier over texts.
    """

    def __init__(self, model: Model) -> None:
        self._model = model

    def predict(self, text: str) -> Prediction:
        """Return the prediction for one text."""
        pipeline, calibration = self._model.pipeline, self._model.calibration
        probability: float | None = None
        if calibration is None and hasattr(pipeline, "predict_proba"):
            probability = float(pipeline.predict_proba([text])[0][1])
        if hasattr(pipeline, "decision_function"):
            score = float(pipeline.decision_function([text])[0])
        else:
            score = float(pipeline.predict_proba([text])[0][1])
        if calibration is not None:
            probability = calibration.probability(score)
        return Prediction(int(pipeline.predict([text])[0]), score, probability)
