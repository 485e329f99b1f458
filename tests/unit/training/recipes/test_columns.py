"""Columns that a model can learn from, and the reasons against the others."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from training.recipes.columns import is_text, usable_columns

SIZE = 400
RANDOM = np.random.default_rng(0)
LABELS = np.where(RANDOM.random(SIZE) < 0.5, "yes", "no")


def column(values: Any, **others: Any) -> Any:
    return pd.DataFrame({"x": pd.Series(values, dtype=object).infer_objects(), **others})


def reason(values: Any, targets: Any = LABELS, classes: Any = ("no", "yes")) -> str | None:
    """Return why a column is left out, beside one that is not."""
    frame = column(values, other=RANDOM.normal(size=len(values)))
    kept, notes = usable_columns(frame, targets, "y", classes)
    assert ("x" in kept) == (not notes)
    assert "other" in kept
    return notes[0].split(": it ")[1] if notes else None


@pytest.mark.parametrize(
    "values",
    [
        [f"town {n % 150}" for n in range(SIZE)],
        [True, False] * (SIZE // 2),
        RANDOM.permutation(SIZE) * 3,
        np.arange(SIZE) / 7,
        [np.nan] * (SIZE - 20) + [1.0] * 20,
        [np.nan] * 200 + ["yes"] * 200,
        ["2024-01-01", "soon"] * (SIZE // 2),
        ["1.2.3"] * 399 + ["1.2.4"],
    ],
    ids=["towns", "booleans", "codes", "numbers", "few", "gaps", "mixed", "versions"],
)
def test_columns_that_say_something_stay(values: Any) -> None:
    """Also with many words, with gaps that mean something, or with few values."""
    assert reason(values) is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([np.nan] * SIZE, "has no values"),
        ([7] * SIZE, "has the same value, 7, in every row"),
        ([np.nan] * 381 + [1.0] * 19, "has values in only 19 of 400 rows"),
        (RANDOM.permutation(SIZE) + 1000, "numbers the rows"),
        ([f"{n % 28 + 1}.{n % 12 + 1}.2024" for n in range(SIZE)], "holds dates"),
        ([f"2024-0{n % 9 + 1}-0{n % 7 + 1} 10:00" for n in range(SIZE)], "holds dates"),
        ([f"A{n % 201}" for n in range(SIZE)], "has 201 different values in 400 rows, as of names"),
        ([f"it is {n}" for n in range(SIZE)], "has 400 different values in 400 rows, as of texts"),
        (np.where(LABELS == "yes", 1, 0), "says the same as the target 'y' in other words"),
        (LABELS == "no", "says the same as the target 'y' in other words"),
    ],
)
def test_columns_that_say_nothing_are_left_out(values: Any, expected: str) -> None:
    """The note says what was found, and how to use the column all the same."""
    found = reason(values)
    assert found is not None
    assert found.startswith(expected)
    assert "--inputs" in found


def test_a_copy_of_a_number_is_left_out() -> None:
    """What only follows from the target, such as another unit, stays: it may be the rule."""
    prices = RANDOM.normal(size=SIZE)
    assert reason(prices, prices, ()) is not None
    assert reason(prices * 2, prices, ()) is None


def test_the_only_column_is_used_although_it_tells_all() -> None:
    """In a made-up table, a column may determine the target; there is nothing else to learn."""
    frame = column(np.where(LABELS == "yes", "pro", "basic"), id=np.arange(SIZE))
    kept, notes = usable_columns(frame, LABELS, "y", ["no", "yes"])
    assert kept == ["x"]
    assert len(notes) == 1


def test_texts_are_words_that_differ() -> None:
    """Names and ids are none, nor are sentences that recur, nor numbers; scripts without spaces are."""
    texts = [f"a film of {n} hours" for n in range(30)]
    assert is_text(pd.Series(texts))
    assert is_text(pd.Series([f"物流很快包装完好{n}" for n in range(30)]))
    assert not is_text(pd.Series([f"C-{n}" for n in range(30)]))
    assert not is_text(pd.Series(texts[:3] * 10))
    assert not is_text(pd.Series([*texts[:10], *[np.nan] * 20], dtype=object))
    assert not is_text(pd.Series(range(30)))
