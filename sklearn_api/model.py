"""What an endpoint needs of a model, whichever form of it serves."""

from typing import NamedTuple, Protocol


class Prediction(NamedTuple):
    """The prediction for one input.

    Attributes
    ----------
    label : int or str
        The predicted class.
    score : float
        With two classes, the signed distance to the decision boundary, positive for the second
        class, or the probability of the second class if the estimator has no decision function.
        With more classes, the largest of their scores.
    probability : float or None
        From 0 to 1: the probability of the second of two classes, or the largest of several. It
        comes from the model's calibration, or from the estimator if the model is not calibrated;
        None if neither gives one.
    """

    label: int | str
    score: float
    probability: float | None


class Model(Protocol):
    """A loaded model."""

    @property
    def form(self) -> str:
        """``compiled`` or ``sklearn``."""

    def predict(self, text: str) -> Prediction:
        """Return the prediction for one text."""
