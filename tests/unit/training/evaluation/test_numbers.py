"""Figures of several labels, of numbers, and of models without targets."""

import math
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from sklearn_api.signature import (
    CLUSTER,
    MULTILABEL,
    NUMBER,
    REGRESSION,
    TABLE,
    Input,
    Label,
    Signature,
)
from training.evaluation import Multilabel, Regression, Unmeasured


def signature(task: str, *words: str) -> Signature:
    labels = tuple(Label(number, word) for number, word in enumerate(words))
    return Signature(TABLE, task, (Input("x", NUMBER),), labels)


def multilabel(truth: Any, predicted: Any, seen: Any = None) -> Multilabel:
    shown, wanted = np.array(predicted, dtype=bool), np.array(truth, dtype=bool)
    words = [*"abcdefgh"][: shown.shape[1]]
    return Multilabel(
        signature(MULTILABEL, *words), [*range(len(shown))], seen, wanted, shown, None
    )


def regression(truth: Any, predicted: Any, seen: Any = None) -> Regression:
    rows = [*range(len(truth))]
    return Regression(
        signature(REGRESSION), rows, seen, np.array(truth, float), np.array(predicted, float)
    )


def test_figures_of_several_labels_by_hand() -> None:
    """Of six decisions five are right; of two rows, one in full."""
    evaluation = multilabel([[1, 0, 1], [0, 1, 0]], [[1, 0, 0], [0, 1, 0]])
    found = evaluation.metrics()
    assert found["hamming_loss"] == pytest.approx(1 / 6, 1e-5)
    assert found["subset_accuracy"] == 0.5
    assert found["micro_f1"] == pytest.approx(0.8)  # 2 of 2 predictions, 2 of 3 labels
    assert found["macro_f1"] == pytest.approx(2 / 3, 1e-5)
    assert found["labels"]["c"] == {"precision": None, "recall": 0, "f1": 0, "support": 1}
    assert found["micro_f1_unseen"] is None
    assert evaluation.headline == ("micro F1", 0.8)
    assert evaluation.worst(5) == [0]


def test_figures_of_several_labels_are_those_of_scikit_learn() -> None:
    """On random decisions about seven labels."""
    rng = np.random.default_rng(1)
    truth, predicted = rng.random((2, 200, 7)) < 0.3
    found = multilabel(truth, predicted).metrics()
    assert found["micro_f1"] == pytest.approx(
        metrics.f1_score(truth, predicted, average="micro"), abs=1e-6
    )
    assert found["macro_f1"] == pytest.approx(
        metrics.f1_score(truth, predicted, average="macro"), abs=1e-6
    )
    assert found["subset_accuracy"] == pytest.approx(metrics.accuracy_score(truth, predicted))
    assert found["hamming_loss"] == pytest.approx(metrics.hamming_loss(truth, predicted), abs=1e-6)


def test_several_labels_without_seen_rows() -> None:
    """The second F1 leaves out the rows that the model was fitted on."""
    evaluation = multilabel([[1, 0], [0, 1]], [[1, 0], [1, 0]], np.array([True, False]))
    found = evaluation.metrics()
    assert (found["micro_f1"], found["micro_f1_unseen"], found["rows_seen"]) == (0.5, 0, 1)


def test_figures_of_numbers_by_hand() -> None:
    """Errors of 1, 1, 1 and 3 around a mean of 2.5."""
    evaluation = regression([1, 2, 3, 4], [2, 1, 4, 7])
    found = evaluation.metrics()
    assert found["mean_absolute_error"] == 1.5
    assert found["median_absolute_error"] == 1
    assert found["root_mean_squared_error"] == pytest.approx(math.sqrt(3), 1e-5)
    assert found["r2"] == pytest.approx(1 - 12 / 5)
    assert found["target_mean"] == 2.5
    assert evaluation.headline == ("R²", found["r2"])
    assert evaluation.worst(2) == [3, 0]


def test_numbers_without_seen_rows() -> None:
    """The second R² is that of the others."""
    seen = np.array([True, True, False, False, False])
    found = regression([9, 9, 1, 2, 3], [0, 0, 1, 2, 4], seen).metrics()
    assert found["r2_unseen"] == pytest.approx(1 - 1 / 2)
    assert found["rows_seen"] == 2
    assert regression([1, 2], [1, 2], np.array([True, True])).metrics()["r2_unseen"] is None


def test_the_variance_of_a_constant_cannot_be_explained() -> None:
    """R² is undefined for equal targets, and for one row."""
    assert regression([5, 5], [4, 6]).metrics()["r2"] is None
    assert regression([5], [5]).metrics()["r2"] is None
    assert regression([5], [5]).worst(3) == []


def test_small_and_large_amounts_keep_six_digits() -> None:
    """Errors have the unit of the target, so that six decimal places could be all zeros."""
    found = regression([1e-9, 2e-9], [1.5e-9, 2.5e-9]).metrics()
    assert found["mean_absolute_error"] == 5e-10
    assert regression([123456789.0, 0], [0, 0]).metrics()["target_mean"] == 61728400


@pytest.mark.parametrize(
    ("task", "words", "predicted", "expected"),
    [
        (CLUSTER, "abc", [0, 2, 2], {"a": 1, "b": 0, "c": 2}),
        (MULTILABEL, "ab", [[True, True], [True, False]], {"a": 2, "b": 1}),
        (REGRESSION, "", [3.0, 1.0, 8.0], {"smallest": 1, "median": 3, "largest": 8}),
    ],
)
def test_without_targets_predictions_are_counted(
    task: str, words: str, predicted: Any, expected: dict[str, float]
) -> None:
    """There is no metric and no headline, but how often each label was predicted."""
    evaluation = Unmeasured(
        signature(task, *words), [*range(len(predicted))], None, np.array(predicted)
    )
    found = evaluation.metrics()
    assert found == {"predicted": expected, "rows": len(predicted), "rows_seen": None}
    assert evaluation.headline is None
