"""Calibrating and measuring a pipeline on the same rows."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from sklearn_api.signature import BINARY, MULTICLASS, NUMBER, TABLE, Input, Label, Signature
from training.evaluation import Classification, evaluate
from training.fitted import MIN_OF_EACH, calibrated


def evaluation(classes: int, rows: int) -> Any:
    """Evaluate a support vector machine on made-up rows of each class."""
    import pandas as pd

    rng = np.random.default_rng(classes)
    truth = np.arange(rows * classes) % classes
    frame = pd.DataFrame({"x": truth + rng.normal(0, 1, len(truth)), "y": rng.random(len(truth))})
    task = BINARY if classes == 2 else MULTICLASS
    labels = tuple(Label(number, str(number)) for number in range(classes))
    signature = Signature(TABLE, task, (Input("x", NUMBER), Input("y", NUMBER)), labels)
    return evaluate(LinearSVC().fit(frame, truth), None, signature, frame, truth)


@pytest.mark.parametrize("classes", [2, 4])
def test_probabilities_are_measured_on_rows_that_no_calibration_has_seen(classes: int) -> None:
    """Each row's probability comes from a calibration that was fitted on other rows."""
    measured = evaluation(classes, 50)
    assert measured.probabilities is None
    calibration, found, note = calibrated(measured)
    assert calibration is not None
    assert isinstance(found, Classification)
    assert found.probabilities is not None
    assert note is not None
    columns = measured.scores.reshape(len(measured.scores), -1).tolist()
    same_rows = np.array([calibration.probabilities(column) for column in columns])
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
    assert (found.probabilities != same_rows).any(axis=1).mean() > 0.9
    np.testing.assert_allclose(found.probabilities, same_rows, atol=0.15)
    assert found.metrics()["ece"] is not None


def test_a_calibration_needs_enough_rows_of_each_class() -> None:
    """With fewer, there are no probabilities, and a note says how many are needed."""
    assert calibrated(evaluation(3, MIN_OF_EACH))[0] is not None
    calibration, found, note = calibrated(evaluation(3, MIN_OF_EACH - 1))
    assert calibration is None
    assert found.metrics()["ece"] is None
    assert f"{MIN_OF_EACH} rows of each class are needed" in str(note)


def test_scores_of_pairs_of_classes_are_not_calibrated() -> None:
    """With three classes there are as many pairs, and their scores are no scores of classes."""
    measured = evaluation(3, 50)
    pairs = replace(measured, scores=-measured.scores)
    calibration, found, note = calibrated(pairs)
    assert calibration is None
    assert found is pairs
    assert "the largest score is not that of the predicted class" in str(note)
