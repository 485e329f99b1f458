"""Figures of classifiers, checked by hand and against scikit-learn's."""

from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from sklearn_api.signature import Signature
from training.evaluation import Binary, Multiclass
from training.signature import text_signature


def signature(*classes: Any) -> Signature:
    return text_signature(classes, words=[f"the {one}" for one in classes])


def texts(count: int) -> list[str]:
    return [f"text {number}" for number in range(count)]


def binary(labels: list[int], scores: list[float], seen: list[bool] | None = None) -> Binary:
    found = np.array(scores)
    positive = 1 / (1 + np.exp(-found))
    return Binary(
        signature(0, 1),
        texts(len(labels)),
        None if seen is None else np.array(seen),
        np.array(labels),
        (found > 0).astype(int),
        found,
        np.column_stack([1 - positive, positive]),
    )


def multiclass(labels: list[int], probabilities: Any, classes: int = 3) -> Multiclass:
    found = np.array(probabilities)
    return Multiclass(
        signature(*range(classes)),
        texts(len(labels)),
        None,
        np.array(labels),
        found.argmax(axis=1),
        None,
        found,
    )


def test_binary_figures_follow_from_the_confusion_matrix() -> None:
    """Three of five are right, two of three positives are found, two of three alarms are true."""
    evaluation = binary([0, 0, 1, 1, 1], [-1, 2, 3, 1, -2], [False] * 5)
    found = evaluation.metrics()
    assert found["confusion"] == [[1, 1], [1, 2]]
    assert found["accuracy"] == 0.6
    assert found["precision"] == found["recall"] == found["f1"] == pytest.approx(2 / 3, 1e-6)
    # Of six pairs of a positive and a negative, three are in the right order.
    assert found["roc_auc"] == 0.5
    assert (found["rows"], found["rows_seen"]) == (5, 0)
    assert found["accuracy_unseen"] == found["accuracy"]
    assert evaluation.headline == ("accuracy", 0.6)


def test_binary_probabilities_are_those_of_the_second_class() -> None:
    """Scores of ln 3 and -ln 3 are probabilities of 3/4 and 1/4; one of four comes true less."""
    found = binary([1, 1, 0, 0], [np.log(3), -np.log(3), -np.log(3), np.log(3)]).metrics()
    assert found["brier"] == pytest.approx((0.25**2 + 0.75**2) / 2)
    assert found["ece"] == pytest.approx(0.25)


def test_accuracy_is_also_computed_without_seen_rows() -> None:
    """The rows that the model was fitted on are counted, and left out of a second accuracy."""
    found = binary([0, 1, 1], [-1, 1, -1], [True, True, False]).metrics()
    assert found["rows_seen"] == 2
    assert found["accuracy"] == pytest.approx(2 / 3, 1e-6)
    assert found["accuracy_unseen"] == 0
    assert binary([0, 1], [-1, 1], [True, True]).metrics()["accuracy_unseen"] is None
    unknown = binary([0, 1], [-1, 1]).metrics()
    assert unknown["rows_seen"] is unknown["accuracy_unseen"] is None


def test_undefined_binary_figures_are_none() -> None:
    """With rows of one class alone, none of which is found, no curve and no precision exists."""
    found = binary([0, 0], [-1, -2]).metrics()
    assert found["accuracy"] == 1
    for name in ("precision", "recall", "f1", "roc_auc"):
        assert found[name] is None
    evaluation = binary([0, 1], [-1, 1])
    silent = Binary(*known(evaluation), None, None).metrics()
    assert silent["accuracy"] == 1
    for name in ("roc_auc", "ece", "brier"):
        assert silent[name] is None


def known(evaluation: Any) -> tuple[Any, Any, Any, Any, Any]:
    """Return all but the scores and the probabilities."""
    one = evaluation
    return one.signature, one.rows, one.seen, one.truth, one.predicted


def test_probabilities_rank_where_there_are_no_scores() -> None:
    """A forest has no decision function; its probabilities give the same area."""
    evaluation = binary([0, 1, 0, 1], [-2, -1, 1, 2])
    forest = Binary(*known(evaluation), None, evaluation.probabilities)
    assert forest.metrics()["roc_auc"] == evaluation.metrics()["roc_auc"] == 0.75


def test_multiclass_figures_by_hand() -> None:
    """Recalls of 1/2, 1 and 1; a third of the rows is missed for one class."""
    probabilities = [[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.1, 0.8, 0.1], [0, 0.5, 0.5]]
    evaluation = multiclass([0, 0, 1, 1], probabilities)
    found = evaluation.metrics()
    assert found["accuracy"] == 0.75
    assert found["confusion"] == [[1, 1, 0], [0, 2, 0], [0, 0, 0]]
    assert found["balanced_accuracy"] == 0.75  # of the two classes that there are rows of
    assert found["classes"]["the 0"] == {
        "precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3, 1e-5), "support": 2,
    }  # fmt: skip
    assert found["classes"]["the 2"] == {
        "precision": None, "recall": None, "f1": None, "support": 0,
    }  # fmt: skip
    assert found["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2, 1e-5)
    given = [0.8, 0.2, 0.8, 0.5]
    assert found["log_loss"] == pytest.approx(-np.log(given).mean(), 1e-5)
    # The predicted classes: 0.8 twice, both right; 0.6, wrong; 0.5, right.
    assert found["ece"] == pytest.approx((2 * 0.2 + 0.6 + 0.5) / 4, 1e-6)
    assert evaluation.headline == ("accuracy", 0.75)


def test_multiclass_figures_are_those_of_scikit_learn() -> None:
    """On random predictions of five classes, one of which has no row and is never predicted."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 300)
    probabilities = np.column_stack([rng.dirichlet([1, 1, 1, 1], 300), np.zeros(300)])
    evaluation = multiclass(truth.tolist(), probabilities, classes=5)
    found, predicted = evaluation.metrics(), evaluation.predicted
    expected = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
        "macro_f1": metrics.f1_score(truth, predicted, average="macro"),
        "log_loss": metrics.log_loss(truth, probabilities, labels=range(5)),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-6), name
    columns = metrics.precision_recall_fscore_support(truth, predicted)
    for number, expected_row in enumerate(zip(*columns, strict=True)):
        row = found["classes"][f"the {number}"].values()
        assert [*row] == pytest.approx(expected_row, abs=1e-6)


def test_without_probabilities_there_are_no_figures_of_them() -> None:
    """Log loss and calibration error are None for a model that only votes."""
    evaluation = multiclass([0, 1, 2], np.eye(3))
    found = Multiclass(*known(evaluation), None, None).metrics()
    assert found["accuracy"] == 1
    assert found["log_loss"] is found["ece"] is None


def test_a_wrong_certainty_has_a_finite_loss() -> None:
    """A probability of 0 for the true class would make the log loss infinite."""
    assert multiclass([1], [[1.0, 0.0, 0.0]]).metrics()["log_loss"] == pytest.approx(36.04, abs=0.1)


def test_a_huge_confusion_matrix_is_not_stored() -> None:
    """Beyond a hundred classes a manifest would be mostly zeros."""
    found = multiclass([0, 1], np.eye(101)[:2], classes=101).metrics()
    assert found["confusion"] is None
    assert found["classes"]["the 100"]["support"] == 0
    assert len(multiclass([0, 1], np.eye(100)[:2], classes=100).metrics()["confusion"]) == 100


def test_the_worst_errors_come_first() -> None:
    """Only errors, by their distance from the boundary; a score of zero predicts class 0."""
    evaluation = binary([1, 0, 1, 1, 1], [-3.0, 0.5, 2.0, -0.1, 0.0])
    assert evaluation.worst(5) == [0, 1, 3, 4]
    assert evaluation.worst(1) == [0]


def test_the_worst_of_several_classes_were_the_most_certain() -> None:
    """The predicted class is farthest ahead of the true one, by scores or else probabilities."""
    evaluation = multiclass([2, 1, 2], [[0.5, 0.1, 0.4], [0.9, 0.1, 0], [0.2, 0.2, 0.6]])
    assert evaluation.worst(5) == [1, 0]
    scored = Multiclass(
        *known(evaluation),
        np.array([[2.0, 0, -3], [1, 0.5, 0], [0, 0, 1]]),
        evaluation.probabilities,
    )
    assert scored.worst(5) == [0, 1]
    assert Multiclass(*known(evaluation), None, None).worst(5) == [0, 1]
