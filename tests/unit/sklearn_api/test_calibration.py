"""The probability that belongs to a score."""

import math

import pytest

from sklearn_api.calibration import Sigmoid


def test_the_probability_is_platts_sigmoid() -> None:
    """Slope and intercept shift and stretch the logistic function."""
    calibration = Sigmoid(slope=2.0, intercept=-1.0)
    assert calibration.probability(0.5) == 0.5
    assert calibration.probability(1.5) == pytest.approx(1 / (1 + math.exp(-2)))


@pytest.mark.parametrize(("score", "expected"), [(1e6, 1.0), (-1e6, 0.0)])
def test_an_extreme_score_does_not_overflow(score: float, expected: float) -> None:
    """However far a score is from the boundary, the result is a probability."""
    assert Sigmoid(slope=3.0, intercept=0.1).probability(score) == expected
