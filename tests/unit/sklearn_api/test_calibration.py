"""The probability that belongs to a score."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_api.calibration import OneAgainstRest, Sigmoid, Temperature

SCORES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=6)


def test_the_probability_is_platts_sigmoid() -> None:
    """Slope and intercept shift and stretch the logistic function."""
    calibration = Sigmoid(slope=2.0, intercept=-1.0)
    assert calibration.probability(0.5) == 0.5
    assert calibration.probability(1.5) == pytest.approx(1 / (1 + math.exp(-2)))


@pytest.mark.parametrize(("score", "expected"), [(1e6, 1.0), (-1e6, 0.0)])
def test_an_extreme_score_does_not_overflow(score: float, expected: float) -> None:
    """However far a score is from the boundary, the result is a probability."""
    assert Sigmoid(slope=3.0, intercept=0.1).probability(score) == expected


def test_one_against_rest_shares_the_sigmoids() -> None:
    """Each class has its sigmoid's share of their sum."""
    calibration = OneAgainstRest((Sigmoid(1.0, 0.0), Sigmoid(2.0, -1.0), Sigmoid(0.5, 0.5)))
    each = [1 / (1 + math.exp(-exponent)) for exponent in (0.3, 2 * -0.4 - 1, 0.5 * 1.2 + 0.5)]
    assert calibration.probabilities([0.3, -0.4, 1.2]) == pytest.approx(
        [one / sum(each) for one in each], abs=1e-15
    )


def test_a_temperature_is_a_softmax() -> None:
    """A factor of 0 makes all classes equal, and a larger one a more certain prediction."""
    assert Temperature(0.0).probabilities([5.0, 1.0]) == [0.5, 0.5]
    total = math.exp(2.0) + math.exp(6.0)
    assert Temperature(2.0).probabilities([1.0, 3.0]) == pytest.approx(
        [math.exp(2.0) / total, math.exp(6.0) / total], abs=1e-15
    )


@given(scores=SCORES, factor=st.floats(0.0, 1e3))
def test_probabilities_of_all_classes_add_up_to_one(scores: list[float], factor: float) -> None:
    """However far apart the scores are, they are from 0 to 1, and their sum is 1."""
    sigmoids = OneAgainstRest(tuple(Sigmoid(factor, 0.0) for _ in scores))
    for calibration in (sigmoids, Temperature(factor)):
        found = calibration.probabilities(scores)
        assert all(0.0 <= one <= 1.0 for one in found)
        assert sum(found) == pytest.approx(1.0, abs=1e-12)


def test_no_support_for_any_class_makes_all_equal() -> None:
    """Sigmoids that are all 0 leave nothing to divide by."""
    never = Sigmoid(1.0, -1e6)
    assert OneAgainstRest((never, never)).probabilities([0.0, 0.0]) == [0.5, 0.5]
