"""Rows of tables: from a DataFrame to JSON, and from JSON to what a pipeline saw in training."""

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sklearn_api.errors import ArtifactError
from sklearn_api.rows import rows_as_array
from sklearn_api.signature import BOOLEAN, INTEGER, NAN, NUMBER, STRING, Input
from training.artifact.frames import columns_of, instances_of

AGE, PLAN = Input("age", NUMBER), Input("plan", STRING, objects=True)


def test_numbers_become_an_array_of_floats() -> None:
    """A missing key and null are NaN; a field of no column is ignored."""
    columns = [AGE, Input("calls", INTEGER)]
    array = rows_as_array([{"age": 3, "calls": None, "more": "x"}, {"calls": 2}], columns)
    assert array.dtype == np.float64
    assert np.array_equal(array, [[3.0, NAN], [NAN, 2.0]], equal_nan=True)


def test_words_make_it_an_array_of_objects() -> None:
    """Values keep their types, and words all of their letters."""
    columns = [PLAN, AGE, Input("n", INTEGER), Input("ok", BOOLEAN, objects=True)]
    array = rows_as_array([{"plan": "a\0", "age": 3, "n": 3.0, "ok": True}, {"n": 3.5}], columns)
    assert array.dtype == object
    assert array[0].tolist() == ["a\0", 3.0, 3, True]
    assert [type(value) for value in array[0]] == [str, float, int, bool]
    assert [type(value) for value in array[1]] == [float] * 4
    assert math.isnan(array[1, 0])
    assert array[1, 2] == 3.5


def test_none_stays_none_where_the_training_had_it() -> None:
    """A pipeline that knows None as a category gets None."""
    assert rows_as_array([{}], [PLAN._replace(missing=None)])[0, 0] is None


def test_no_instances_make_an_empty_array() -> None:
    """Its columns are those of the pipeline."""
    assert rows_as_array([], [AGE, PLAN]).shape == (0, 2)


@pytest.mark.parametrize(
    ("values", "dtype", "expected", "sent"),
    [
        ([1, 2], "int64", (INTEGER, False, NAN), [1, 2]),
        ([1, 2], "uint8", (INTEGER, False, NAN), [1, 2]),
        ([1.5, NAN], "float64", (NUMBER, False, NAN), [1.5, None]),
        ([0.5, NAN], "float32", (NUMBER, False, NAN), [0.5, None]),
        ([True, False], "bool", (BOOLEAN, True, NAN), [True, False]),
        ([True, None], "boolean", (BOOLEAN, True, NAN), [True, None]),
        ([True, NAN], object, (BOOLEAN, True, NAN), [True, None]),
        ([1, None], "Int64", (INTEGER, False, NAN), [1, None]),
        ([1.5, None], "Float64", (NUMBER, False, NAN), [1.5, None]),
        ([1, 2.5], object, (NUMBER, True, NAN), [1, 2.5]),
        ([np.int64(1), None], object, (INTEGER, True, None), [1, None]),
        (["a", None], object, (STRING, True, None), ["a", None]),
        (["a", NAN], object, (STRING, True, NAN), ["a", None]),
        (["a", None], "str", (STRING, True, NAN), ["a", None]),
        (["a", None], "string", (STRING, True, NAN), ["a", None]),
        (["a", None], "category", (STRING, True, NAN), ["a", None]),
        ([3, 4], "category", (INTEGER, False, NAN), [3, 4]),
        ([3.5, NAN], "category", (NUMBER, False, NAN), [3.5, None]),
        ([NAN, NAN], object, (STRING, True, NAN), [None, None]),
    ],
)
def test_columns_are_those_of_the_frame(
    values: list[Any], dtype: Any, expected: tuple[Any, ...], sent: list[Any]
) -> None:
    """Each dtype has a type, and rows that JSON can carry."""
    frame = pd.DataFrame({"x": pd.Series(values, dtype=dtype)})
    (column,) = columns_of(frame)
    found = (column.type, column.objects, column.missing)
    assert repr(found) == repr(expected)
    instances = json.loads(json.dumps(instances_of(frame), allow_nan=False))
    assert [instance["x"] for instance in instances] == sent


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"x": pd.to_datetime(["2026-01-01"])}, r"'x' holds dates or times \(datetime64.*frame\['"),
        ({"x": pd.to_timedelta([1])}, "'x' holds dates or times"),
        ({"x": pd.Series([pd.Timestamp(0).date()], dtype=object)}, "'x' holds dates or times"),
        ({"x": ["a", 1]}, r"'x' \(object\) holds values of type int, str: make it a column of"),
        ({"x": [[1], [2]]}, "'x' .* holds values of type list"),
        ({3: [1]}, "column 3 is not named by a string"),
        ({"x": pd.Series(["a", None, NAN], dtype=object)}, "'x' marks gaps both with None and wit"),
    ],
)
def test_what_json_does_not_have_is_refused(frame: Any, message: str) -> None:
    """The message names the column, and what to do."""
    with pytest.raises(ArtifactError, match=message):
        columns_of(pd.DataFrame(frame))


def test_a_name_that_occurs_twice_is_refused() -> None:
    """JSON knows a field by its name."""
    with pytest.raises(ArtifactError, match=r"columns \['x'\] occur more than once"):
        columns_of(pd.DataFrame([[1, 2]], columns=["x", "x"]))
