"""Labels: words or numbers, and several in one value."""

from typing import Any

import pytest

from training.data import joined_by, labels_as_read


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["ham", "spam", " ham "], ["ham", "spam", "ham"]),
        (["1", "5", "10", "5"], [1, 5, 10, 5]),
        (["1.0", "0.0", "-1"], [1, 0, -1]),
        ([1.0, 5, 5.0], [1, 5, 5]),
        ([True, False], ["True", "False"]),
        (["007", "7"], ["007", "7"]),
        (["1", "two"], ["1", "two"]),
        ([1, "two", "1"], ["1", "two", "1"]),
        (["1.5", "2"], ["1.5", "2"]),
        ([0.5, 2.0], [0.5, 2]),
        (["Spam", "spam"], ["Spam", "spam"]),
    ],
)
def test_labels_are_words_or_numbers(values: list[Any], labels: list[Any]) -> None:
    """Whole numbers are numbers; everything else is a word, as it is spelled."""
    found = labels_as_read(values)
    assert found.values == labels
    assert [type(label) for label in found.values] == [type(label) for label in labels]
    assert found.classes == sorted(set(labels))
    assert found.counts == {label: labels.count(label) for label in labels}


@pytest.mark.parametrize(
    ("labels", "character"),
    [
        (["access|billing", "billing|network", "hardware"], "|"),
        (["a; b", "b", "c"], ";"),
        (["a,b", "a", "b"], ","),
        (["Children, Family", "Drama", "Sport"], None),
        (["a", "b"], None),
        ([1, 5], None),
    ],
)
def test_joined_labels_are_recognised(labels: list[Any], character: str | None) -> None:
    """Several labels are joined in a value where parts of it recur in other values."""
    assert joined_by(labels) == character
