"""What an endpoint needs of a model, whichever form of it serves."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from sklearn_api.signature import Signature


class Prediction(NamedTuple):
    """The prediction for one instance.

    Attributes
    ----------
    value : bool, int, float, str, or a list of them
        The predicted label as the estimator has it; a list of those that apply, if there are
        several (``multilabel``); the predicted number of a regression.
    score : float or None
        With two classes, the signed distance to the decision boundary, positive for the second
        class, or the probability of the second class if the estimator has no decision function.
        With more classes, the largest of their scores. Of an outlier detector, how far the instance
        is inside. None if the estimator has none.
    probabilities : sequence of float or None
        From 0 to 1, one for each label in the signature. They come from the model's calibration, or
        from the estimator if the model is not calibrated; None if neither gives any.
    """

    value: Any
    score: float | None = None
    probabilities: Sequence[float] | None = None

    @property
    def probability(self) -> float | None:
        """The probability of the second of two classes, or the largest of several."""
        if self.probabilities is None or isinstance(self.value, list):
            return None
        return self.probabilities[1] if len(self.probabilities) == 2 else max(self.probabilities)


class Model(Protocol):
    """A loaded model."""

    @property
    def form(self) -> str:
        """``compiled`` or ``sklearn``."""

    @property
    def signature(self) -> Signature:
        """What goes in and what comes out."""

    def predict(self, instances: Sequence[Any]) -> list[Prediction]:
        """Return the predictions for one or more instances.

        Parameters
        ----------
        instances : sequence of str, or of mapping
            Texts; or rows of a table, from names of inputs to values of JSON. They fit the
            signature.
        """
