"""What goes into a fitted pipeline is found from rows, and by asking the pipeline."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from sklearn_api.signature import (
    BOOLEAN,
    INTEGER,
    NUMBER,
    STRING,
    TABLE,
    TEXT,
    Input,
    Label,
    Signature,
)
from tests.helpers.customers import TRAINED, churned, customers
from tests.helpers.tables import CASES, fitted
from training.errors import TrainingError
from training.signature import infer_signature

TEXTS = ["good film", "bad film", "a nice film", "awful", "good and nice", "bad and awful"]
CLASSES = ["yes", "no", "yes", "no", "yes", "no"]


@pytest.fixture(scope="module")
def texts() -> Pipeline:
    return make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, CLASSES)


def inputs_of(pipeline: Any, rows: Any, **keywords: Any) -> dict[str, Input]:
    return {one.name: one for one in infer_signature(pipeline, rows, **keywords).inputs}


def usual(name: str = "impute_scale_one_hot_logistic") -> dict[str, Input]:
    return inputs_of(fitted(name).pipeline, customers()[TRAINED])


@pytest.mark.parametrize(
    "rows", [TEXTS, tuple(TEXTS), np.array(TEXTS), np.array(TEXTS, dtype=object), pd.Series(TEXTS)]
)
def test_strings_make_a_signature_of_texts(texts: Pipeline, rows: Any) -> None:
    """However they are held, texts are one string that is never missing."""
    assert infer_signature(texts, rows) == Signature(
        TEXT,
        "binary",
        (Input("text", STRING, nullable=False, objects=True, example="a nice film"),),
        (Label("no", "no"), Label("yes", "yes")),
    )


def test_a_text_has_the_name_of_its_series_or_the_one_that_was_given(texts: Pipeline) -> None:
    """The name that was given wins."""
    series = pd.Series(TEXTS, name="review")
    assert infer_signature(texts, series).inputs[0].name == "review"
    assert infer_signature(texts, series, field="body").inputs[0].name == "body"


def test_the_example_of_long_texts_is_a_short_one(texts: Pipeline) -> None:
    """Documentation and clients show it."""
    rows = ["word " * 300, "word " * 400, "short"]
    assert infer_signature(texts, rows).inputs[0].example == "short"


def test_columns_are_described_as_the_pipeline_sees_them() -> None:
    """Types, categories and examples; whole numbers are numbers, since they may have gaps."""
    inputs = usual()
    assert list(inputs) == list(customers().columns)
    types = {name: one.type for name, one in inputs.items()}
    assert types == {
        "plan": STRING,
        "tenure": NUMBER,
        "charges": NUMBER,
        "region": STRING,
        "calls": NUMBER,
        "senior": BOOLEAN,
        "note": STRING,
    }
    assert inputs["plan"].categories == ("basic", "plus", "pro")
    assert inputs["senior"].categories == (False, True)
    assert inputs["note"].categories is None
    for name, one in inputs.items():
        assert one.example in set(customers()[name].dropna())
        assert type(one.example) in (str, bool, int, float)
    assert type(inputs["tenure"].example) is int
    assert all(one.nullable for one in inputs.values())


def test_whole_numbers_that_are_named_stay_whole() -> None:
    """Such a column is never missing, even if the pipeline could fill it."""
    rows = customers()[TRAINED]
    pipeline = fitted("impute_scale_one_hot_logistic").pipeline
    tenure = inputs_of(pipeline, rows, integers=["tenure"])["tenure"]
    assert (tenure.type, tenure.nullable) == (INTEGER, False)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("charges", "which has .* gaps"),
        ("calls", "values of the type number"),
        ("plan", "values of the type string"),
        ("salary", "names the column 'salary', and the rows have"),
    ],
)
def test_only_columns_of_whole_numbers_can_be_named(name: str, message: str) -> None:
    """The message says what the column has instead."""
    pipeline = fitted("impute_scale_one_hot_logistic").pipeline
    with pytest.raises(TrainingError, match=message):
        infer_signature(pipeline, customers(), integers=[name])


def test_a_column_may_be_missing_if_the_pipeline_answers_without_it() -> None:
    """An imputer and an encoder do; what has neither raises, and is not nullable."""
    rows = customers()[TRAINED][["plan", "tenure", "calls"]]
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["plan"]),
        (make_pipeline(SimpleImputer(), StandardScaler()), ["tenure"]),
        (StandardScaler(), ["calls"]),
    )
    pipeline = make_pipeline(columns, LogisticRegression()).fit(rows, churned()[TRAINED])
    found = inputs_of(pipeline, rows)
    assert {name: one.nullable for name, one in found.items()} == {
        "plan": True,
        "tenure": True,
        "calls": False,
    }


def test_gaps_that_the_pipeline_cannot_answer_are_an_error() -> None:
    """The message names the column, the number of rows, and two ways out."""
    rows = customers()[["tenure", "charges"]]
    full = rows[TRAINED].dropna()
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    pipeline.fit(full, churned()[TRAINED][rows[TRAINED].notna().all(axis=1)])
    with pytest.raises(TrainingError, match=r"'charges' is missing, .*SimpleImputer.*dropna"):
        infer_signature(pipeline, rows)
    assert not inputs_of(pipeline, rows.dropna(subset=["charges"]))["charges"].nullable


@pytest.mark.parametrize("name", CASES)
def test_the_pipeline_answers_wherever_the_signature_says_so(name: str) -> None:
    """Asked one by one: a gap in each nullable column, and something new in each open one."""
    case = fitted(name)
    row = case.rows.dropna()[:1]
    for one in infer_signature(case.pipeline, case.rows).inputs:
        if one.nullable:
            assert len(predicted(case, row, one.name, None)) == 1
        if one.type == STRING and one.categories is not None:
            if one.closed:
                with pytest.raises(ValueError, match="unknown categories"):
                    predicted(case, row, one.name, "never seen")
            else:
                assert len(predicted(case, row, one.name, "never seen")) == 1


def predicted(case: Any, row: Any, name: str, value: Any) -> Any:
    """Return what a pipeline predicts for a row with another value in one column."""
    dtype = row[name].dtype
    if value is None and isinstance(dtype, np.dtype):
        dtype, value = (
            (object if dtype.kind in "bO" else dtype if dtype.kind == "f" else float),
            np.nan,
        )
    elif hasattr(dtype, "categories"):
        dtype = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        changed = row.assign(**{name: pd.Series([value], index=row.index, dtype=dtype)})
        return case.pipeline.predict(changed)


def test_categories_are_those_of_the_fitted_encoder() -> None:
    """The rows may not contain all of them."""
    pipeline = fitted("an_unknown_word_is_an_error").pipeline
    rows = customers()[customers()["plan"] == "pro"]
    plan = inputs_of(pipeline, rows)["plan"]
    assert (plan.categories, plan.closed) == (("basic", "plus", "pro"), True)


def test_all_categories_are_listed_where_others_are_an_error() -> None:
    """A client can only be told what is allowed if the signature has it, numbers included."""
    rows = pd.DataFrame({"code": np.arange(200) % 80, "name": [f"n{i % 90}" for i in range(200)]})
    encoder = make_column_transformer((OneHotEncoder(), ["code", "name"]))
    pipeline = make_pipeline(encoder, LogisticRegression()).fit(rows, rows["code"] > 40)
    found = inputs_of(pipeline, rows)
    assert (found["code"].closed, found["name"].closed) == (True, True)
    assert found["code"].categories == tuple(range(80))
    assert len(found["name"].categories or ()) == 90


def test_many_categories_are_not_listed_where_others_are_answered() -> None:
    """They would only make the signature long."""
    rows = pd.DataFrame({"name": [f"n{i % 90}" for i in range(200)]})
    encoder = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["name"]))
    pipeline = make_pipeline(encoder, LogisticRegression()).fit(rows, np.arange(200) % 2)
    name = inputs_of(pipeline, rows)["name"]
    assert (name.categories, name.closed) == (None, False)


def test_an_array_has_numbered_columns() -> None:
    """Without names, the columns are x0, x1 and so on."""
    rows, target = load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, target)
    signature = infer_signature(pipeline, rows)
    assert signature.kind == TABLE
    assert [(one.name, one.type, one.nullable) for one in signature.inputs] == [
        (f"x{number}", NUMBER, False) for number in range(4)
    ]


def test_an_array_has_the_names_that_the_pipeline_was_fitted_on() -> None:
    """They come from the DataFrame that `fit` saw, or from one of scikit-learn's data sets."""
    data = load_iris(as_frame=True)
    pipeline = LogisticRegression(max_iter=1000).fit(data.data, data.target)
    names = [one.name for one in infer_signature(pipeline, data.data.to_numpy()).inputs]
    assert names == list(data.data.columns)
    plain = load_iris()
    pipeline = LogisticRegression(max_iter=1000).fit(plain.data, plain.target)
    assert [one.name for one in infer_signature(pipeline, plain).inputs] == plain.feature_names


def test_what_was_fitted_on_an_array_is_asked_with_arrays() -> None:
    """A function of one's own may know nothing of DataFrames."""
    rows, target = load_iris(return_X_y=True)
    first = FunctionTransformer(lambda array: array[:, :2])
    pipeline = make_pipeline(first, LogisticRegression()).fit(rows, target)
    assert len(infer_signature(pipeline, rows).inputs) == 4


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "there are no rows"),
        ("a text", "one string: give a list of texts"),
        (["a", None, "b", 3.5], "2 of 4 texts are not strings; the first one, row 1, is None"),
        ([1, 2], "a table with one column"),
        ([[1, 2], [3, 4]], r"numpy\.array\(rows\)"),
        ([{"a": 1}], r"pandas\.DataFrame\(rows\)"),
        ({"a": [1]}, r"pandas\.DataFrame\(rows\)"),
        (np.zeros((2, 2, 2)), "3 dimensions"),
        (np.zeros(3), "a table with one column"),
        (sparse.csr_matrix((2, 2)), "sparse matrix.*toarray"),
        (iter(TEXTS), "list_iterator: give a list of texts"),
        (["", "  "], "all texts are empty"),
    ],
)
def test_other_rows_are_refused(texts: Pipeline, rows: Any, message: str) -> None:
    """The message says what to give instead."""
    with pytest.raises(TrainingError, match=message):
        infer_signature(texts, rows)


def test_a_table_given_to_a_pipeline_of_texts_is_refused(texts: Pipeline) -> None:
    """A vectorizer takes the names of columns for texts, and answers once."""
    frame = pd.DataFrame({"review": TEXTS})
    with pytest.raises(TrainingError, match=r"6 rows gave .*give the column, rows\['review'\]"):
        infer_signature(texts, frame)
    assert infer_signature(texts, frame["review"]).inputs[0].name == "review"


def table(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"size": [1.0, 2.0, 3.0, 4.0], **columns})


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (table(instances=[1.0, 2.0, 3.0, 4.0]), "a column is called 'instances'"),
        (table(empty=[np.nan] * 4), r"\['empty'\] have no value in any of the 4 rows"),
        (table(none=[None] * 4), r"\['none'\] have no value in any of the 4 rows"),
        (table(when=pd.to_datetime(["2026-01-01"] * 4)), "'when' holds dates"),
        (table(mixed=["a", 1, "b", 2]), "'mixed' .* holds values of type int, str"),
        (table(**{"": [1.0, 2.0, 3.0, 4.0]}), "an empty name"),
        (table().set_axis([7], axis=1), "column 7 is not named by a string"),
    ],
)
def test_columns_that_no_client_could_send_are_refused(rows: Any, message: str) -> None:
    """The message names the column."""
    first = FunctionTransformer(lambda frame: np.zeros((len(frame), 1)))
    pipeline = make_pipeline(first, LogisticRegression()).fit(rows, [0, 1, 0, 1])
    with pytest.raises(TrainingError, match=message):
        infer_signature(pipeline, rows)


def test_other_columns_than_the_fitted_ones_are_refused() -> None:
    """With the line that gives the right ones."""
    rows = customers()[["tenure", "calls"]]
    pipeline = LogisticRegression().fit(rows, churned())
    with pytest.raises(TrainingError, match=r"rows\[list\(pipeline\.feature_names_in_\)\]"):
        infer_signature(pipeline, customers())


def test_a_field_belongs_to_texts_and_whole_numbers_to_tables(texts: Pipeline) -> None:
    """Neither is ignored in silence."""
    with pytest.raises(TrainingError, match="texts have no columns"):
        infer_signature(texts, TEXTS, integers=["a"])
    with pytest.raises(TrainingError, match="columns as fields"):
        infer_signature(fitted("clusters").pipeline, fitted("clusters").rows, field="text")
    with pytest.raises(TrainingError, match="'instances'"):
        infer_signature(texts, TEXTS, field="instances")


@pytest.mark.parametrize("count", [1, 2, 100_000])
def test_any_number_of_rows_will_do(count: int) -> None:
    """The pipeline is only asked about a few of them."""
    rows = pd.DataFrame({"size": np.arange(count, dtype=float), "kind": ["a"] * count})
    columns = make_column_transformer(
        (OneHotEncoder(), ["kind"]), (SimpleImputer(), ["size"]), sparse_threshold=0
    )
    pipeline = make_pipeline(columns, KMeans(1, n_init=1)).fit(rows)
    signature = infer_signature(pipeline, rows)
    assert signature.labels == (Label(0, "0"),)
    assert signature.inputs[1].categories == ("a",)


def test_a_signature_survives_its_json_form() -> None:
    """What was inferred is what an artifact holds."""
    for name in CASES:
        signature = infer_signature(fitted(name).pipeline, fitted(name).rows)
        assert Signature.from_json(signature.to_json()) == signature


def test_boosting_takes_missing_values_that_it_has_never_seen() -> None:
    """It learned without gaps, and answers with them."""
    rows = customers()[["tenure", "calls"]]
    pipeline = HistGradientBoostingClassifier(max_iter=2).fit(rows, churned())
    assert all(one.nullable for one in infer_signature(pipeline, rows).inputs)


def test_a_wide_table_does_not_take_minutes() -> None:
    """Columns are asked about in groups, and a thousand of them cannot all be asked alone."""
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 1000))).add_prefix("c")
    asked = 0

    class Counting(LogisticRegression):  # type: ignore[misc]  # scikit-learn has no types
        def predict(self, table: Any) -> Any:
            nonlocal asked
            asked += 1
            return super().predict(table)

    pipeline = Counting().fit(rows, np.arange(30) % 2)
    assert not any(one.nullable for one in infer_signature(pipeline, rows).inputs)
    assert asked < 500
