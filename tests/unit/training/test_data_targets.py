"""What is to be predicted: decided by the values, or by the user."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from training.data import Table
from training.data.targets import as_reviews, target_values, targets_like, targets_of
from training.errors import TrainingError


def values_of(values: Sequence[Any], separator: str | None = None) -> list[Any]:
    return target_values(Table({"y": list(values)}, "rows.csv", separator=separator), "y")


def targets(values: Sequence[Any], **options: Any) -> Any:
    return targets_of(values_of(values), "y", "rows.csv", **options)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "2.0", " 3 "], [1.0, 2.0, 3.0]),
        (["1", "", "NA", "4"], [1.0, None, None, 4.0]),
        (["1", "-2"], [1, -2]),
        (["yes", " ", "NA", "1"], ["yes", None, "NA", "1"]),
        (["007", "12"], ["007", "12"]),
        ([1, None, 2.5], [1.0, None, 2.5]),
        ([True, False], [True, False]),
        ([["a", "b"], None], [["a", "b"], None]),
    ],
)
def test_values_are_numbers_or_as_they_were_read(values: list[Any], expected: list[Any]) -> None:
    """Usual spellings of a missing value are missing among numbers, and words among words."""
    assert values_of(values) == expected


def test_a_comma_may_separate_decimals() -> None:
    """Where semicolons separate fields, as spreadsheets write them in most of Europe."""
    assert values_of(["1,5", "2"], separator=";") == [1.5, 2.0]
    assert values_of(["1,5", "2"]) == ["1,5", "2"]


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        (["a", "b"] * 10, "binary", ["a", "b"]),
        (["c", "b", "a"] * 10, "multiclass", ["a", "b", "c"]),
        (["0", "1"] * 10, "binary", [0, 1]),
        (["1", "5"] * 10, "binary", [1, 5]),
        (["0.5", "1.5"] * 10, "binary", ["0.5", "1.5"]),
        ([True, False] * 10, "binary", ["False", "True"]),
        (["1", "2", "3", "4", "5"] * 10, "multiclass", [1, 2, 3, 4, 5]),
        ([str(n) for n in range(10)] * 5, "multiclass", [*range(10)]),
        ([str(n) for n in range(11)] * 5, "regression", []),
        (["1", "2", "3", "4", "5"] * 4, "regression", []),
        (["1.5", "2", "3"] * 10, "regression", []),
        ([f"{n / 7}" for n in range(30)], "regression", []),
    ],
)
def test_the_values_decide_the_task(values: list[Any], task: str, classes: list[Any]) -> None:
    """Words, two values, and few whole numbers are classes; all others are numbers; a note says so."""
    found = targets(values)
    assert (found.task, found.classes) == (task, classes)
    if task == "regression":
        assert found.values.tolist() == [float(value) for value in values]
        assert "'y' is taken for numbers" in found.notes[0]
        assert ("--task multiclass" in found.notes[0]) == (len(set(values)) * 5 <= len(values))
    else:
        assert sorted(set(found.values.tolist())) == classes
        assert f"'y' has {len(classes)} classes: {classes[0]}, " in found.notes[0]
        assert ("--task regression" in found.notes[0]) == (classes[2:] != [] and classes[0] != "a")


@pytest.mark.parametrize(
    ("values", "task", "expected"),
    [
        (["1", "2", "3", "4", "5"] * 10, "regression", "regression"),
        ([str(n) for n in range(20)] * 5, "multiclass", "multiclass"),
        (["1.0", "1.5", "2.0"] * 10, "multiclass", "multiclass"),
        (["0", "1"] * 10, "multiclass", "binary"),
        (["0", "1"] * 10, "regression", "regression"),
    ],
)
def test_the_user_may_decide(values: list[Any], task: str, expected: str) -> None:
    """`--task` decides what numbers are, and gets the task that the number of classes makes."""
    assert targets(values, task=task).task == expected


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (["a"] * 30, {}, "the same value, 'a', in every row: there is nothing to predict"),
        (["a", "b"] * 10, {"task": "regression"}, "holds words, and --task regression needs"),
        (["a", "b", "c"] * 10, {"task": "binary"}, r"has 3 classes \(a, b, c\), and --task binary"),
        (["a"] * 20 + ["b"] * 4, {}, r"too few rows: 'b' \(4\); at least 5 of each are needed$"),
        (
            [str(n) for n in range(30)],
            {"task": "multiclass"},
            "5 more; at least 5 of each.*choose --task regression",
        ),
        (["a|b", "a", "b"] * 10, {}, r"such as 'a\|b': --label-separator '\|' .*--task multiclass"),
        (["a|b", "a", "b"] * 10, {"task": "multilabel"}, r"looks like '\|', with --label-separ"),
        (
            ["a", "b"] * 10,
            {"task": "binary", "separator": "|"},
            "--label-separator does not apply to --task binary",
        ),
        (["a", "b|c"] * 4, {"separator": "|"}, "0 labels with 5 or more rows"),
        ([["a"], ["b"]] * 10, {}, "holds lists: --task multilabel"),
    ],
)
def test_what_cannot_be_learned_is_refused(
    values: list[Any], options: dict[str, str], message: str
) -> None:
    """The message names the column and its file, and what to do."""
    with pytest.raises(TrainingError, match=message) as caught:
        targets(values, **options)
    assert "column 'y' of rows.csv" in str(caught.value) or "--label-separator does" in message


def test_joined_labels_are_single_classes_only_if_asked_for() -> None:
    """`--task multiclass` has a class for each combination."""
    found = targets(["a|b", "a", "b"] * 10, task="multiclass")
    assert found.classes == ["a", "a|b", "b"]


def test_several_labels_become_indicators() -> None:
    """In ascending order; a row may have none, and rare labels are left out; notes say so."""
    values = ["b | a", "a", "", None, "c|a", "a|a"] * 5 + ["a|rare"]
    found = targets(values, separator="|")
    assert (found.task, found.classes) == ("multilabel", ["a", "b", "c"])
    assert found.values[:6].tolist() == [
        [1, 1, 0],
        [1, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
        [1, 0, 1],
        [1, 0, 0],
    ]
    assert found.values[-1].tolist() == [1, 0, 0]
    assert found.notes == (
        "any of 3 labels of 'y' may apply: a, b, c",
        "labels in fewer than 5 rows are not learned: rare",
        "10 rows of column 'y' of rows.csv have no label",
    )


def test_lists_are_several_labels() -> None:
    """As json files have them; no character joins them."""
    found = targets([["a", "b"], ["b"], []] * 6, task="multilabel")
    assert found.classes == ["a", "b"]
    assert found.values[:3].tolist() == [[1, 1], [0, 1], [0, 0]]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (["a", "b"], ["b", " a"], ["b", "a"]),
        (["1", "5"], ["5", "1.0"], [5, 1]),
        (["0.5", "1.5"], ["1.5", "0.5"], ["1.5", "0.5"]),
        (["neg", "pos"], ["1", "0"], [1, 0]),
        (["0", "1"], ["good", "bad"], [1, 0]),
    ],
)
def test_other_rows_have_the_same_classes(
    first: list[str], second: list[str], expected: list[Any]
) -> None:
    """Spelled as numbers or words; names of reviews' labels are the same as 0 and 1."""
    fitted = as_reviews(targets(first * 10))
    found = targets_like(values_of(second), fitted, "column 'y' of test.csv")
    assert found.values.tolist() == expected
    assert found.classes == fitted.classes


def test_other_rows_with_other_values_are_refused() -> None:
    """A class that was not learned, or a word in place of a number, cannot be measured."""
    where = "column 'y' of test.csv"
    message = "column 'y' of test.csv has values that the rows to fit on do not have: c, d"
    with pytest.raises(TrainingError, match=message):
        targets_like(["a", "d", "c"], targets(["a", "b"] * 10), where)
    with pytest.raises(TrainingError, match="do not have: many"):
        targets_like([1, "many"], targets([f"{n / 7}" for n in range(30)]), where)


def test_labels_that_were_not_learned_are_reported() -> None:
    """They may have been too rare to learn; the other labels of these rows are measured."""
    fitted = targets(["a|b", "b", "a"] * 6, separator="|")
    found = targets_like(["a|c"], fitted, "column 'y' of test.csv", "|")
    assert found.values.tolist() == [[1, 0]]
    assert found.notes == ("column 'y' of test.csv has labels that are not learned: c",)


def test_numbers_and_indicators_of_other_rows() -> None:
    """They become arrays of the same kind."""
    numbers = targets_like([2, 3], targets(["1"] * 9 + ["2.5"] * 9, task="regression"), "y")
    several = targets_like(["a", None], targets(["a|b", "b", "a"] * 6, separator="|"), "y", "|")
    assert np.array_equal(several.values, [[1, 0], [0, 0]])
    assert numbers.values.tolist() == [2.0, 3.0]


def test_usual_names_of_reviews_labels_are_numbers() -> None:
    """Negative is 0, positive is 1; labels with any other name stay as they are."""
    found = as_reviews(targets(["Negative", "pos"] * 10))
    assert found.classes == [0, 1]
    assert found.values[:2].tolist() == [0, 1]
    for other in (["ham", "spam"], ["1", "5"], ["neg", "negative"], ["neg", "pos", "mixed"]):
        assert as_reviews(targets(other * 10)).classes == sorted(targets(other * 10).classes)
