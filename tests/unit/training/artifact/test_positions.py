"""Pipelines fitted on DataFrames predict the same from arrays, without pandas."""

import json
import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from scripts.lib.project import ROOT
from sklearn_api.errors import ArtifactError
from sklearn_api.rows import rows_as_array
from sklearn_api.signature import INTEGER, NUMBER
from tests.helpers.customers import NUMBERS, churned, customers
from tests.helpers.tables import CASES, fitted, impute_scale_one_hot_logistic
from training.artifact.comparison import compare
from training.artifact.frames import columns_of, instances_of
from training.artifact.positions import by_position


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Threads that wait for each other are slower than the small arrays here."""
    with threadpool_limits(1):
        yield


def objects_in(root: Any) -> Iterator[Any]:
    """Yield all that a pipeline holds."""
    seen: dict[int, Any] = {}
    pending = [root]
    while pending:
        value = pending.pop()
        if id(value) in seen:
            continue
        seen[id(value)] = value
        yield value
        if isinstance(value, dict):
            pending += value.values()
        elif isinstance(value, (list, tuple)):
            pending += value
        elif isinstance(value, np.ndarray) and value.dtype == object:
            pending += value.flat
        elif hasattr(value, "__dict__") and not isinstance(value, (type, ModuleType)):
            pending += vars(value).values()


@pytest.mark.parametrize("name", CASES)
def test_the_rewritten_pipeline_answers_as_the_original_does(name: str) -> None:
    """On held-out rows, on gaps, on unseen categories and on extremes."""
    case = fitted(name)
    compare(case.pipeline, case.rewritten, case.rows, columns=case.columns)


@pytest.mark.parametrize("name", CASES)
def test_nothing_of_a_frame_is_left(name: str) -> None:
    """No names, no output setting, no object of pandas, and no warning about names."""
    case = fitted(name)
    for value in objects_in(case.rewritten):
        assert type(value).__module__.split(".")[0] != "pandas"
        assert not isinstance(value, make_column_selector)
        if hasattr(value, "__dict__"):
            assert not {"feature_names_in_", "_sklearn_output_config"} & set(vars(value))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Found unknown categories")
        case.rewritten.predict(case.array()[:1])


@pytest.mark.parametrize("name", CASES)
def test_one_row_answers_as_among_many(name: str) -> None:
    """A Lambda asks for one row at a time, or for many."""
    case = fitted(name)
    rows = case.array()
    try:
        expected = case.rewritten.predict(rows)
    except ValueError:
        pytest.skip("the original cannot predict them either")
    found = np.concatenate([case.rewritten.predict(rows[row : row + 1]) for row in range(9)])
    assert np.array_equal(found, expected[:9]) or np.allclose(found, expected[:9], rtol=1e-12)


@pytest.mark.parametrize("name", ["impute_scale_one_hot_logistic", "codes_among_words"])
def test_whole_numbers_may_be_sent_as_any_number(name: str) -> None:
    """A column that was int64 may be declared a number, and 3 may arrive as 3.0."""
    case = fitted(name)
    numbers = [
        column._replace(type=NUMBER) if column.type == INTEGER else column
        for column in case.columns
    ]
    compare(case.pipeline, case.rewritten, case.rows, columns=numbers)
    instances = [
        {key: float(value) if type(value) is int else value for key, value in instance.items()}
        for instance in instances_of(case.rows)
    ]
    found = case.rewritten.predict_proba(rows_as_array(instances, case.columns))
    assert np.array_equal(found, case.rewritten.predict_proba(case.array()))


def test_none_is_not_a_gap() -> None:
    """None where NaN belongs moves the probabilities, and nothing reports it: hence the NaN."""
    case = fitted("impute_scale_one_hot_logistic")
    array = case.array()
    gaps = array != array
    assert gaps.any()
    expected = case.pipeline.predict_proba(case.rows)
    assert np.array_equal(case.rewritten.predict_proba(array), expected)
    array[gaps] = None
    assert np.abs(case.rewritten.predict_proba(array) - expected).max() > 0.005


def test_the_original_stays_as_it_is() -> None:
    """Rewriting changes a copy."""
    case = fitted("grid_search")
    before = pickle.dumps(case.pipeline)
    by_position(case.pipeline, case.rows)
    assert pickle.dumps(case.pipeline) == before
    assert list(case.pipeline.best_estimator_.feature_names_in_) == list(case.rows.columns)


def test_pandas_need_not_be_there(tmp_path: Path) -> None:
    """Every rewritten pipeline predicts the same where importing pandas fails."""
    cases = {}
    for name in CASES:
        case = fitted(name)
        instances = json.dumps(instances_of(case.rows)[:3], allow_nan=False)
        try:
            expected = case.rewritten.predict(rows_as_array(json.loads(instances), case.columns))
        except ValueError:
            continue
        cases[name] = (case.rewritten, [tuple(one) for one in case.columns], instances, expected)
    assert len(cases) >= 45
    file = tmp_path / "cases.pickle"
    file.write_bytes(pickle.dumps(cases))
    code = (
        "import json, pickle, sys, warnings\n"
        "from pathlib import Path\n"
        "class NoPandas:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'pandas':\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, NoPandas())\n"
        "warnings.simplefilter('ignore')\n"
        "import numpy as np\n"
        "from sklearn_api.rows import rows_as_array\n"
        "from sklearn_api.signature import Input\n"
        "cases = pickle.loads(Path(sys.argv[1]).read_bytes())\n"
        "for name, (pipeline, columns, instances, expected) in cases.items():\n"
        "    columns = [Input(*one) for one in columns]\n"
        "    found = pipeline.predict(rows_as_array(json.loads(instances), columns))\n"
        "    assert np.array_equal(found, expected), name\n"
        "try:\n"
        "    import pandas\n"
        "except ImportError:\n"
        "    print(len(cases))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, str(file)], cwd=ROOT, capture_output=True, text=True
    )
    assert found.stdout == f"{len(cases)}\n", found.stderr


def test_the_output_that_a_process_prefers_does_not_matter() -> None:
    """`sklearn.set_config(transform_output="pandas")` in a notebook changes nothing."""
    with sklearn.config_context(transform_output="pandas"):
        rows = customers().drop(columns="region")
        pipeline = make_pipeline(
            make_column_transformer(
                (FunctionTransformer(np.sqrt), ["tenure"]), ("passthrough", ["calls"])
            ),
            make_column_transformer((StandardScaler(), ["passthrough__calls"])),
            LogisticRegression(),
        ).fit(rows, churned())
        rewritten = by_position(pipeline, rows)
        compare(pipeline, rewritten, rows)
    assert rewritten.predict(rows_as_array(instances_of(rows), columns_of(rows))).shape == (150,)


def ratio(frame: Any) -> Any:
    return (frame["charges"] / (frame["tenure"] + 1)).fillna(0).to_frame()


def counted(rows: Any) -> Any:
    return np.full((len(rows), 1), float(isinstance(rows, pd.DataFrame)))


def written(rows: Any) -> Any:
    return np.asarray(rows).astype(str)


class Filler(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A transformer as people write it for a DataFrame."""

    def fit(self, rows: Any, labels: Any = None) -> "Filler":
        self.fitted_ = True
        return self

    def transform(self, rows: Any) -> Any:
        return rows.fillna(0)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (FunctionTransformer(ratio), r"step 'prep' > 'own': the function 'ratio' depends on DataF"),
        (Filler(), "'own': Filler depends on DataFrames; on an array it raises AttributeError"),
        (FunctionTransformer(counted), "'counted' depends .*; on an array it returns other values"),
        (FunctionTransformer(pd.isna), r"'own' calls pandas\.isna, and a Lambda has no pandas"),
    ],
)
def test_what_needs_a_frame_is_refused(step: Any, message: str) -> None:
    """The message names the step, the reason, and what to write instead."""
    columns = make_column_transformer((step, ["charges", "tenure"]))
    columns.transformers = [("own", step, ["charges", "tenure"])]
    pipeline = make_pipeline(columns, LogisticRegression())
    pipeline.steps[0] = ("prep", columns)
    pipeline.fit(customers(), churned())
    with pytest.raises(ArtifactError, match=message) as error:
        by_position(pipeline, customers())
    assert "fit again" in str(error.value)


def test_a_function_of_numbers_and_booleans_is_served() -> None:
    """A DataFrame has both as numbers, an array as Python objects."""
    rows = customers()[NUMBERS]
    pipeline = make_pipeline(FunctionTransformer(np.sqrt), SimpleImputer(), LogisticRegression())
    pipeline.fit(rows, churned())
    compare(pipeline, by_position(pipeline, rows), rows, nullable=set(NUMBERS) - {"senior"})


def test_whole_numbers_stay_whole_for_a_function() -> None:
    """What writes 3 does not come to write 3.0."""
    encoder = make_pipeline(FunctionTransformer(written), OneHotEncoder(handle_unknown="ignore"))
    columns = make_column_transformer((encoder, ["tenure"]))
    pipeline = make_pipeline(columns, LogisticRegression()).fit(customers(), churned())
    compare(pipeline, by_position(pipeline, customers()), customers(), nullable=())


def test_a_function_of_arrays_and_frames_is_served() -> None:
    """A transformer of one's own that reads its input as an array is no problem."""

    def first(rows: Any) -> Any:
        return np.nan_to_num(np.asarray(rows, float)[:, :1])

    pipeline = make_pipeline(
        make_column_transformer((FunctionTransformer(first), ["charges", "tenure"])),
        LogisticRegression(),
    ).fit(customers(), churned())
    compare(pipeline, by_position(pipeline, customers()), customers())


def test_other_columns_are_refused() -> None:
    """The rows have to have the columns of the training, in their order."""
    pipeline = fitted("impute_scale_one_hot_logistic").pipeline
    turned = customers()[list(customers().columns)[::-1]]
    with pytest.raises(
        ArtifactError, match=r"was fitted on the columns \['plan', .* in this order"
    ):
        by_position(pipeline, turned)
    unnamed = make_pipeline(StandardScaler(), LogisticRegression())
    unnamed.fit(customers()[["tenure", "calls"]].to_numpy(), churned())
    with pytest.raises(ArtifactError, match="fitted on 2 columns, and the rows have 1"):
        by_position(unnamed, customers()[["tenure"]])
    rows = customers()[["tenure", "calls"]]
    compare(unnamed, by_position(unnamed, rows), rows)


def test_an_unfitted_pipeline_is_refused() -> None:
    """So is what is not an estimator."""
    for pipeline in (impute_scale_one_hot_logistic(), (1, 2)):
        with pytest.raises(ArtifactError, match="is not a fitted estimator"):
            by_position(pipeline, customers())


def test_a_parameter_that_only_pandas_has_is_refused() -> None:
    """The message says where it is, and what to use."""
    rows = customers()[["tenure", "calls"]]
    step = FunctionTransformer(np.nan_to_num)
    pipeline = make_pipeline(step, LogisticRegression()).fit(rows, churned())
    pipeline.steps[0][1].since = pd.Timestamp(0)
    with pytest.raises(ArtifactError, match=r"steps\.0\.1\.since is a Timestamp of pandas.*fit ag"):
        by_position(pipeline, rows)


def test_a_search_without_a_best_pipeline_is_refused() -> None:
    """There is nothing that predicts."""
    rows = customers()[["tenure", "calls"]]
    search = GridSearchCV(LogisticRegression(), {"C": [1.0, 2.0]}, refit=False, cv=2)
    with pytest.raises(ArtifactError, match="GridSearchCV has no best_estimator_: fit it, with re"):
        by_position(search.fit(rows, churned()), rows)


def test_boosting_knows_its_categories_by_a_mask() -> None:
    """Neither by names nor by dtypes, of which an array has none."""
    for name in ("boosting_on_names", "boosting_on_dtypes"):
        mask = fitted(name).rewritten.categorical_features
        assert mask.dtype == bool
        assert mask.sum() == 2
    assert fitted("boosting_on_numbers").rewritten.categorical_features is None


def test_a_search_becomes_its_best_pipeline() -> None:
    """Its scorers, grids and tables are of no use to a Lambda."""
    assert type(fitted("grid_search").rewritten).__name__ == "Pipeline"
