"""Turns decision scores into probabilities, in plain Python."""

import math
from collections.abc import Sequence
from typing import NamedTuple


class Sigmoid(NamedTuple):
    """Platt's sigmoid over the decision scores of a binary classifier.

    ``probability = 1 / (1 + exp(-(slope * score + intercept)))``, fitted on scores of rows that the
    classifier has not seen: J. Platt, Probabilistic Outputs for Support Vector Machines, 1999.

    Attributes
    ----------
    slope, intercept : float
        Finite; `slope` is positive if a higher score favours the second class.
    """

    slope: float
    intercept: float

    def probability(self, score: float) -> float:
        """Return the probability of the second class, from 0 to 1."""
        return sigmoid(self.slope * score + self.intercept)

    def probabilities(self, scores: Sequence[float]) -> list[float]:
        """Return the probabilities of both classes for a score alone in a sequence."""
        return complete([self.probability(scores[0])])


class OneAgainstRest(NamedTuple):
    """A sigmoid for the score of each class, divided by their sum.

    B. Zadrozny and C. Elkan, Transforming Classifier Scores into Accurate Multiclass Probability
    Estimates, KDD 2002.

    Attributes
    ----------
    sigmoids : tuple of Sigmoid
        One for each class.
    """

    sigmoids: tuple[Sigmoid, ...]

    def probabilities(self, scores: Sequence[float]) -> list[float]:
        """Return the probabilities of all classes for a score of each."""
        pairs = zip(self.sigmoids, scores, strict=True)
        return complete([one.probability(score) for one, score in pairs])


class Temperature(NamedTuple):
    """Softmax of scores that are multiplied by the same factor.

    C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017. The factor is the inverse of
    the temperature there.

    Attributes
    ----------
    factor : float
        Finite, 0 or more.
    """

    factor: float

    def probabilities(self, scores: Sequence[float]) -> list[float]:
        """Return the probabilities of all classes for a score of each."""
        return softmax([self.factor * score for score in scores])


Calibration = Sigmoid | OneAgainstRest | Temperature
"""A sigmoid for two classes, one of the others for more."""


def sigmoid(exponent: float) -> float:
    """Return ``1 / (1 + exp(-exponent))``."""
    if exponent >= 0:  # `exp` overflows beyond 709, so it only gets arguments up to 0
        return 1.0 / (1.0 + math.exp(-exponent))
    odds = math.exp(exponent)
    return odds / (1.0 + odds)


def softmax(scores: Sequence[float]) -> list[float]:
    """Return probabilities in proportion to the exponentials of scores."""
    largest = max(scores)
    powers = [math.exp(score - largest) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def complete(probabilities: list[float]) -> list[float]:
    """Return the probabilities of all classes, which add up to 1.

    Parameters
    ----------
    probabilities : list of float
        That of the second of two classes alone, or one for each class by itself.
    """
    if len(probabilities) == 1:
        return [1.0 - probabilities[0], probabilities[0]]
    total = sum(probabilities)
    if not total:
        return [1.0 / len(probabilities)] * len(probabilities)
    return [probability / total for probability in probabilities]
