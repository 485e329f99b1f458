"""Two forms of a pipeline are compared on rows as they are, on gaps, and on unseen values."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from sklearn_api.errors import ArtifactError
from tests.helpers.customers import churned, customers
from tests.helpers.tables import Fitted, fitted, impute_scale_one_hot_logistic
from training.artifact.comparison import compare
from training.artifact.positions import by_position

USUAL = "impute_scale_one_hot_logistic"


class Changed:
    """A pipeline whose answers to some rows are others.

    Parameters
    ----------
    case : Fitted
    rows : callable
        From an array to which of its rows are concerned.
    error : Exception, optional
        What those rows raise; by default their probabilities move by 1e-9.
    """

    def __init__(self, case: Fitted, rows: Any, error: Exception | None = None) -> None:
        self._pipeline = case.rewritten
        self._rows = rows
        self._error = error

    def predict(self, array: Any) -> Any:
        self._check(array)
        return self._pipeline.predict(array)

    def predict_proba(self, array: Any) -> Any:
        self._check(array)
        answer = self._pipeline.predict_proba(array)
        return np.where(self._rows(array)[:, None], answer + 1e-9, answer)

    def decision_function(self, array: Any) -> Any:
        return self._pipeline.decision_function(array)

    def _check(self, array: Any) -> None:
        if self._error is not None and self._rows(array).any():
            raise self._error


class Picky:
    """A pipeline that does not take all of the rows that it was fitted on."""

    def __init__(self, case: Fitted) -> None:
        self._pipeline = case.pipeline

    def predict(self, frame: Any) -> Any:
        if (frame["plan"] == "pro").any():
            raise ValueError("no pros")
        return self._pipeline.predict(frame)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (lambda array: array[:, 0] == array[0, 0], r"On row \d+, predict_proba of a DataFrame: \["),
        (lambda array: array[:, 3] != array[:, 3], "predict_proba of a DataFrame"),
        (lambda array: array[:, 1] != array[:, 1], r"row \d with 'tenure' missing, predict_proba"),
        (lambda array: array[:, 0] != array[:, 0], r"row \d+ with 'plan' missing, predict_proba"),
        (lambda array: array[:, 0] == " ", r"row \d+ with ' ' as 'plan', predict_proba"),
        (
            lambda array: array[:, 2] == 1e9,
            r"row \d+ with 1000000000.0 as 'charges', predict_proba",
        ),
        (lambda array: array[:, 1] == 10**9, r"row \d+ with 1000000000 as 'tenure', predict_proba"),
    ],
)
def test_the_slightest_difference_is_found(rows: Any, message: str) -> None:
    """The message names the row, what was changed about it, and both answers."""
    case = fitted(USUAL)
    with pytest.raises(ArtifactError, match=message):
        compare(case.pipeline, Changed(case, rows), case.rows)


def test_columns_of_another_order_are_found() -> None:
    """Two columns of numbers have changed places."""
    case = fitted("numbers_alone")
    with pytest.raises(ArtifactError, match="On row 0, predict"):
        compare(case.pipeline, case.rewritten, case.rows, columns=case.columns[::-1])


def test_a_gap_that_stays_none_is_found() -> None:
    """A Lambda that left None in the array would answer with other probabilities."""
    case = fitted(USUAL)
    columns = [column._replace(missing=None) for column in case.columns]
    with pytest.raises(ArtifactError, match="predict"):
        compare(case.pipeline, case.rewritten, case.rows, columns=columns)


def test_an_error_of_one_form_only_is_found() -> None:
    """Both have to raise, or none of them."""
    case = fitted(USUAL)
    broken = Changed(case, lambda array: array[:, 0] == "pro", ValueError("no more pros"))
    with pytest.raises(ArtifactError, match="gives a prediction; of an array: ValueError: no more"):
        compare(case.pipeline, broken, case.rows)
    with pytest.raises(
        ArtifactError, match=r"predict of a DataFrame: ValueError: no pros; of an a"
    ):
        compare(Picky(case), case.rewritten, case.rows)
    strict = fitted("an_unknown_word_is_an_error")
    compare(strict.pipeline, strict.rewritten, strict.rows)


def test_rows_after_one_that_fails_are_compared() -> None:
    """Where the original raises on some rows, the others are compared without them."""
    case = fitted("an_unknown_word_is_an_error")
    rows = case.rows.copy()
    rows.iloc[0, rows.columns.get_loc("plan")] = "unheard of"
    rows.iloc[-1, rows.columns.get_loc("tenure")] = 71_000
    changed = Changed(case, lambda array: array[:, 1] == 71_000)
    with pytest.raises(ArtifactError, match=rf"On row {len(rows) - 1}, predict_proba"):
        compare(case.pipeline, changed, rows)


def test_a_pipeline_that_answers_nothing_is_reported() -> None:
    """Errors on both sides are equal, but not on all of the rows."""
    rows = pd.DataFrame({"x": [1.0, 2.0]})
    pipeline = make_pipeline(StandardScaler(), LinearRegression()).fit(rows, [1.0, 2.0])
    gaps = pd.DataFrame({"x": [np.nan, np.nan]})
    with pytest.raises(ArtifactError, match="predict fails on all of the rows given: ValueError: "):
        compare(pipeline, by_position(pipeline, rows), gaps)


def test_only_what_may_be_missing_is_left_out() -> None:
    """pandas.NA makes an imputer fail where NaN does not; a column without gaps never has it."""
    rows = customers().astype({"plan": "string"})
    pipeline = impute_scale_one_hot_logistic().fit(rows, churned())
    rewritten = by_position(pipeline, rows)
    compare(pipeline, rewritten, rows, nullable={"region", "tenure"})
    with pytest.raises(
        ArtifactError, match=r"row \d+ with 'plan' missing.* \['plan'\] mark gaps wi"
    ):
        compare(pipeline, rewritten, rows)


def test_single_precision_is_named_as_a_reason() -> None:
    """scikit-learn computes in float32 where the DataFrame had it, and JSON does not have it."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"x": rng.normal(size=50), "y": rng.normal(size=50)}).astype("float32")
    pipeline = make_pipeline(StandardScaler(), LinearRegression()).fit(rows, rng.normal(size=50))
    with pytest.raises(ArtifactError, match=r"columns \['x', 'y'\] are less precise than JSON's"):
        compare(pipeline, by_position(pipeline, rows), rows)


def test_booleans_alone_are_compared() -> None:
    """Nothing can be made up but gaps, and that is no failure."""
    rows = customers()[["senior"]]
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    pipeline = make_pipeline(encoder, LinearRegression()).fit(rows, churned())
    compare(pipeline, by_position(pipeline, rows), rows)
