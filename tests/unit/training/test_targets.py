"""Targets as an estimator has them."""

from typing import Any

import pytest

from sklearn_api.signature import (
    BINARY,
    CLUSTER,
    MULTICLASS,
    MULTILABEL,
    REGRESSION,
    STRING,
    TABLE,
    TEXT,
    Input,
    Label,
    Signature,
)
from training.errors import TrainingError
from training.targets import as_targets, with_usual_words

COLUMN = "column 'churned' of rows.csv"


def signature(task: str, *labels: Any, kind: str = TABLE) -> Signature:
    pairs = tuple(Label(label, str(label)) for label in labels)
    return Signature(kind, task, (Input("plan", STRING),), pairs)


@pytest.mark.parametrize(
    ("labels", "values", "expected"),
    [
        ((0, 1), ["1", "0", " 1 "], [1, 0, 1]),
        ((0, 1), [1.0, 0, "1.0"], [1, 0, 1]),
        ((0.0, 1.0), ["1", "0"], [1.0, 0.0]),
        (("0", "1"), [1, 0], ["1", "0"]),
        (("no", "yes"), ["yes", "no"], ["yes", "no"]),
        ((False, True), ["True", "false", True, "TRUE"], [True, False, True, True]),
        ((-1, 1), ["-1", "1"], [-1, 1]),
        (("007", "7"), ["007", "7"], ["007", "7"]),
    ],
)
def test_classes_are_recognised(
    labels: tuple[Any, ...], values: list[Any], expected: list[Any]
) -> None:
    """A class is the same, whether it is written as a number, a boolean or a word."""
    task = BINARY if len(labels) == 2 else MULTICLASS
    found = as_targets(values, signature(task, *labels), COLUMN).tolist()
    assert found == expected
    assert [type(one) for one in found] == [type(one) for one in expected]


def test_words_are_recognised() -> None:
    """A target may have the words that clients see."""
    named = signature(BINARY)._replace(labels=(Label(0, "stays"), Label(1, "leaves")))
    assert as_targets(["leaves", "stays", "1"], named, COLUMN).tolist() == [1, 0, 1]


def test_an_unknown_class_is_named() -> None:
    """The error shows what the target has, what the model has, and how to name words."""
    with pytest.raises(
        TrainingError,
        match=r"rows\.csv contains 'maybe', 'no', 'yes', but the model's classes are 0, 1;.*--labels, such as '0=maybe,",
    ):
        as_targets(["yes", "no", "maybe"], signature(BINARY, 0, 1), COLUMN)  # fmt: skip


def test_several_labels_become_a_matrix() -> None:
    """Each row has a 1 in the columns of its labels."""
    tags = signature(MULTILABEL, "access", "billing", "network")
    found = as_targets(["billing|access", "", "network"], tags, COLUMN, "|")
    assert found.tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]
    with pytest.raises(TrainingError, match="say what separates them in column 'churned'"):
        as_targets(["billing"], tags, COLUMN)
    with pytest.raises(TrainingError, match="contains 'sales'"):
        as_targets(["billing|sales"], tags, COLUMN, "|")


def test_numbers_stay_numbers() -> None:
    """The target of a regression holds numbers, and the error names a row that does not."""
    assert as_targets(["1.5", 2], signature(REGRESSION), COLUMN).tolist() == [1.5, 2.0]
    with pytest.raises(TrainingError, match=r"must hold numbers.*row 2 does not, such as 'dear'"):
        as_targets(["1.5", "dear"], signature(REGRESSION), COLUMN)


def test_clusters_have_no_target() -> None:
    """There is nothing to measure clusters with."""
    with pytest.raises(TrainingError, match=r"task is cluster.*leave out --target"):
        as_targets(["0"], signature(CLUSTER, 0, 1), COLUMN)


def test_film_reviews_have_words_of_their_own() -> None:
    """A model called `review` has the words of its endpoint, unless its classes are others."""

    def words(*labels: Any, name: str = "review") -> list[str]:
        found = with_usual_words(signature(BINARY, *labels, kind=TEXT), name)
        return [one.word for one in found.labels]

    assert words(0, 1) == ["Negative Review", "Positive Review"]
    assert words("neg", "pos") == ["Negative Review", "Positive Review"]
    assert words("ham", "spam") == ["ham", "spam"]
    assert words("bad", "neg") == ["bad", "neg"]
    assert words(0, 1, name="churn") == ["0", "1"]
    assert words(name="review") == []
