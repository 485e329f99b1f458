"""Turns a decision score into a probability, in plain Python."""

import math
from typing import NamedTuple


class Calibration(NamedTuple):
    """Platt's sigmoid over the decision scores of a binary classifier.

    ``probability = 1 / (1 + exp(-(slope * score + intercept)))``, fitted on scores of rows that the
    classifier has not seen: J. Platt, Probabilistic Outputs for Support Vector Machines, 1999.

    Attributes
    ----------
    slope, intercept : float
        Finite; `slope` is positive if a higher score favours class 1.
    """

    slope: float
    intercept: float

    def probability(self, score: float) -> float:
        """Return the probability of class 1, from 0 to 1."""
        return sigmoid(self.slope * score + self.intercept)


def sigmoid(exponent: float) -> float:
    """Return ``1 / (1 + exp(-exponent))``."""
    if exponent >= 0:  # `exp` overflows beyond 709, so it only gets arguments up to 0
        return 1.0 / (1.0 + math.exp(-exponent))
    odds = math.exp(exponent)
    return odds / (1.0 + odds)
