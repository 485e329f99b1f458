"""Importance by permutation on held-out rows."""

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from sklearn_api.signature import (
    BINARY,
    MULTICLASS,
    MULTILABEL,
    NUMBER,
    REGRESSION,
    TABLE,
    Input,
    Label,
    Signature,
)
from tests.helpers.reports import clusters
from training.evaluation import evaluate
from training.report.importance import Importance, importance

FRAME = pd.DataFrame(np.random.default_rng(0).normal(size=(400, 3)), columns=["a", "b", "c"])


def found(model: Any, task: str, targets: Any, labels: Any = (), seconds: float = 20) -> Any:
    """Fit a model on the frame, and return the importance of its columns."""
    signature = Signature(
        TABLE,
        task,
        tuple(Input(name, NUMBER) for name in FRAME),
        tuple(Label(one, str(one)) for one in labels),
    )
    model.fit(FRAME, targets)
    return importance(model, evaluate(model, None, signature, FRAME, targets), seconds)


def test_the_importance_of_a_linear_model_is_known() -> None:
    """Shuffling x in a·x + b·y adds twice the variance that a·x has: 2·16 of 17."""
    result = found(LinearRegression(), REGRESSION, 4 * FRAME["a"] + FRAME["b"])
    assert isinstance(result, Importance)
    assert (result.score, result.rows, result.repeats) == ("R²", 400, 5)
    assert [name for name, *_ in result.inputs] == ["a", "b", "c"]
    mean = {name: value for name, value, _ in result.inputs}
    assert mean["a"] == pytest.approx(2 * 16 / 17, rel=0.15)
    assert mean["b"] == pytest.approx(2 * 1 / 17, rel=0.25)
    assert mean["c"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("labels", [("no", "yes"), (False, True), (0, 1), (-1.0, 1.0)])
def test_two_classes_are_ranked(labels: Any) -> None:
    """The area under the ROC curve falls to a half when the only input that matters is shuffled."""
    targets = np.array(labels)[(FRAME["b"] > 0).astype(int)]
    result = found(LogisticRegression(), BINARY, targets, labels)
    assert result.score == "ROC AUC"
    assert result.inputs[0][0] == "b"
    assert result.inputs[0][1] == pytest.approx(0.5, abs=0.06)


def test_many_classes_and_labels_have_a_score() -> None:
    """The accuracy of classes, and the F1 of labels."""
    classes = np.digitize(FRAME["c"], [-0.5, 0.5])
    result = found(DecisionTreeClassifier(random_state=0), MULTICLASS, classes, range(3))
    assert (result.score, result.inputs[0][0]) == ("accuracy", "c")
    several = np.column_stack([FRAME["a"] > 0, FRAME["a"] > 1]).astype(int)
    result = found(DecisionTreeClassifier(random_state=0), MULTILABEL, several, "xy")
    assert (result.score, result.inputs[0][0]) == ("micro F1", "a")


def test_a_slow_model_is_asked_about_fewer_rows() -> None:
    """And not at all, if even those take too long; the reason is given."""

    class Slow(LinearRegression):  # type: ignore[misc]  # scikit-learn ships no types
        def predict(self, X: Any) -> Any:
            time.sleep(0.001 if len(X) <= 200 else 1)
            return super().predict(X)

    target = FRAME["a"]
    assert found(Slow(), REGRESSION, target, seconds=5)[1:3] == (200, 2)
    assert found(Slow(), REGRESSION, target, seconds=0.001) == "the model is too slow"
    assert found(LinearRegression(), REGRESSION, target, seconds=60)[1:3] == (400, 5)


def test_a_model_that_fails_on_shuffled_values_is_said_to() -> None:
    """Some pipelines only take values that belong together."""

    class Strict(LinearRegression):  # type: ignore[misc]  # scikit-learn ships no types
        def predict(self, X: Any) -> Any:
            if not (X["c"] - X["a"] - X["b"]).abs().max() < 1e-9:
                raise ValueError("c is not a + b")
            return super().predict(X)

    frame = FRAME.assign(c=FRAME["a"] + FRAME["b"])
    signature = Signature(TABLE, REGRESSION, tuple(Input(name, NUMBER) for name in frame))
    model = Strict().fit(frame, frame["a"])
    evaluation = evaluate(model, None, signature, frame, frame["a"])
    assert importance(model, evaluation) == (
        "the model fails on shuffled values: ValueError: c is not a + b"
    )


def test_without_targets_there_is_nothing_to_know() -> None:
    """Nor is there with a single input."""
    made = clusters()
    assert importance(made.pipeline, made.evaluation) is None
    frame = FRAME[["a"]]
    model = LinearRegression().fit(frame, frame["a"])
    signature = Signature(TABLE, REGRESSION, (Input("a", NUMBER),))
    evaluation = evaluate(model, None, signature, frame, frame["a"])
    assert importance(model, evaluation) is None
