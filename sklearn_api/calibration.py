"""From a decision score to a probability, in plain Python."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Calibration:
    """Platt's sigmoid over the decision scores of a binary classifier.

    ``probability = 1 / (1 + exp(-(slope * score + intercept)))``, fitted on scores of rows that the
    classifier had not seen: J. Platt, Probabilistic Outputs for Support Vector Machines, 1999.

    Attributes
    ----------
    slope, intercept : float
        Finite; `slope` is positive where a higher score speaks for class 1.
    """

    slope: float
    intercept: float

    def probability(self, score: float) -> float:
        """Return the probability of class 1, from 0 to 1."""
        exponent = self.slope * score + self.intercept
        if exponent >= 0:  # `exp` overflows beyond 709; it is only given what is not positive.
            return 1.0 / (1.0 + math.exp(-exponent))
        odds = math.exp(exponent)
        return odds / (1.0 + odds)
