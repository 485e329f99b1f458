"""Tables as DataFrames: types, and missing values."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from training.data import Table
from training.data.frame import MISSING, to_frame
from training.errors import TrainingError

NAN = np.nan


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (["1", "-2", "+3"], "int64", [1, -2, 3]),
        (["1", "", " "], "float64", [1.0, NAN, NAN]),
        (["1.5", "2", ".5", "1e3"], "float64", [1.5, 2.0, 0.5, 1000.0]),
        (["9" * 30, "1"], "float64", [1e30, 1.0]),
        (["01069", "99999"], "object", ["01069", "99999"]),
        (["0", "0.5"], "float64", [0.0, 0.5]),
        (["True", "FALSE"], "bool", [True, False]),
        (["true", ""], "object", [True, NAN]),
        (["basic", "", "plus "], "object", ["basic", NAN, "plus "]),
        (["inf", "1"], "object", ["inf", "1"]),
        (["NA", "1"], "object", ["NA", "1"]),
        (["", ""], "float64", [NAN, NAN]),
        ([1, 2.5, None], "float64", [1.0, 2.5, NAN]),
        ([1, 2], "int64", [1, 2]),
        ([True, False], "bool", [True, False]),
    ],
)
def test_types_follow_from_the_values(values: list[Any], kind: str, expected: list[Any]) -> None:
    """Numbers and booleans become what they are; codes and words stay strings; gaps are NaN."""
    frame, _ = to_frame(Table({"x": values}, "data.csv", separator=","))
    assert frame["x"].dtype == kind
    pd.testing.assert_series_equal(frame["x"], pd.Series(expected, dtype=kind, name="x"))


def test_spellings_of_missing_values_apply_where_asked(tmp_path: object) -> None:
    """A word such as NA is a word, unless it is said to mean that the value is missing."""
    table = Table({"x": ["1", "NA", "null", "3"]}, "data.csv")
    assert to_frame(table)[0]["x"].tolist() == ["1", "NA", "null", "3"]
    frame, notes = to_frame(table, missing=MISSING)
    assert frame["x"].dtype == np.float64
    assert frame["x"].isna().tolist() == [False, True, True, False]
    assert notes == []


def test_decimal_commas_are_read_between_semicolons(tmp_path: object) -> None:
    """Where semicolons separate the fields, commas are decimal; between commas they are not."""
    values = {"x": ["1,5", "2", "3.5"]}
    assert to_frame(Table(values, "data.csv", separator=";"))[0]["x"].tolist() == [1.5, 2.0, 3.5]
    assert to_frame(Table(values, "data.csv", separator=","))[0]["x"].dtype == object


def test_a_column_that_is_nearly_numeric_is_reported() -> None:
    """The note names the rows that keep it from being one."""
    table = Table({"x": [*map(str, range(30)), "n/a", "?"], "y": ["a"] * 32}, "data.csv")
    frame, notes = to_frame(table)
    assert frame["x"].dtype == object
    assert notes == [
        "column 'x' of data.csv is taken for words, although nearly all of its values are "
        "numbers: rows 31 and 32 have others, such as 'n/a'"
    ]


@pytest.mark.parametrize("values", [[1, "a"], [True, 1], [[1], [2]], [{}, "a"]])
def test_mixed_columns_are_refused(values: list[Any]) -> None:
    """Which of the types is right is not guessed."""
    with pytest.raises(TrainingError, match=r"column 'x' of data\.json holds .*it must hold"):
        to_frame(Table({"x": values}, "data.json"))
