"""Predicted probabilities against what came true, by hand."""

import pytest

from training.evaluation import calibration_error, reliability


def test_calibration_error_by_hand() -> None:
    """Two bins: 0.1 predicted for three rows, one positive; 0.9 for one row, positive."""
    labels, predicted = [1, 0, 0, 1], [0.1, 0.1, 0.1, 0.9]
    assert calibration_error(labels, predicted) == pytest.approx(0.75 * (1 / 3 - 0.1) + 0.25 * 0.1)
    bins = reliability(labels, predicted)
    assert bins.rows.tolist() == [3, 1]
    assert calibration_error([0, 1], [0.0, 1.0]) == 0
