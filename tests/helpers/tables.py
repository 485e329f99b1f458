"""Pipelines on tables as people write them, to be fitted on made-up customers with gaps."""

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import (
    ColumnTransformer,
    TransformedTargetRegressor,
    make_column_selector,
    make_column_transformer,
)
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  # makes it importable
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from sklearn_api.rows import rows_as_array
from tests.helpers.customers import (
    HELD_OUT,
    NUMBERS,
    TRAINED,
    WORDS,
    categorical,
    churned,
    classes,
    customers,
    prices,
)
from training.artifact.frames import columns_of, instances_of
from training.artifact.positions import by_position


def numbers() -> Pipeline:
    return make_pipeline(SimpleImputer(strategy="median"), StandardScaler())


def words() -> Pipeline:
    return make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    )


def usual(**keywords: Any) -> ColumnTransformer:
    """What most people write."""
    return ColumnTransformer([("num", numbers(), NUMBERS), ("cat", words(), WORDS)], **keywords)


def logistic(first: Any) -> Pipeline:
    return Pipeline([("prep", first), ("model", LogisticRegression())])


Case = tuple[Callable[[], Any], Callable[[], Any], Callable[[Any], Any]]
CASES: dict[str, Case] = {}


def case(
    target: Callable[[], Any] = churned, rows: Callable[[Any], Any] = lambda frame: frame
) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Add a pipeline to the cases, with its target and with what is done to the rows before."""

    def add(build: Callable[[], Any]) -> Callable[[], Any]:
        CASES[build.__name__] = (build, target, rows)
        return build

    return add


@case()
def impute_scale_one_hot_logistic() -> Any:
    return logistic(usual())


@case(classes)
def three_classes_as_words() -> Any:
    return logistic(usual())


@case()
def one_hot_drops_and_groups_the_infrequent() -> Any:
    encoder = OneHotEncoder(min_frequency=25, handle_unknown="infrequent_if_exist")
    return logistic(ColumnTransformer([("cat", encoder, WORDS), ("num", numbers(), NUMBERS)]))


@case(prices)
def ordinal_and_boosting() -> Any:
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return make_pipeline(
        make_column_transformer((encoder, WORDS), ("passthrough", NUMBERS)),
        HistGradientBoostingRegressor(max_iter=10, categorical_features=[0, 1]),
    )


@case(rows=lambda frame: categorical(frame[[*WORDS, *NUMBERS]]))
def boosting_on_dtypes() -> Any:
    return HistGradientBoostingClassifier(max_iter=10, categorical_features="from_dtype")


@case(rows=lambda frame: frame[[*NUMBERS, *WORDS]])
def boosting_on_names() -> Any:
    return HistGradientBoostingClassifier(max_iter=10, categorical_features=WORDS)


@case(rows=lambda frame: frame[["charges", "tenure"]])
def boosting_on_numbers() -> Any:
    return HistGradientBoostingClassifier(max_iter=10)


@case()
def boosting_after_set_output() -> Any:
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    columns = make_column_transformer(
        (encoder, WORDS), ("passthrough", NUMBERS), verbose_feature_names_out=False
    )
    boosting = HistGradientBoostingClassifier(max_iter=10, categorical_features=WORDS)
    return make_pipeline(columns, boosting).set_output(transform="pandas")


@case()
def text_and_numbers() -> Any:
    return logistic(
        ColumnTransformer(
            [("text", TfidfVectorizer(), "note"), ("num", numbers(), NUMBERS)],
        )
    )


@case()
def text_by_itself() -> Any:
    return logistic(ColumnTransformer([("text", CountVectorizer(), "note")]))


@case()
def nested_column_transformers() -> Any:
    inner = ColumnTransformer(
        [("log", FunctionTransformer(np.log1p), ["tenure"])], remainder="passthrough"
    )
    outer = ColumnTransformer(
        [
            ("some", make_pipeline(inner, SimpleImputer()), ["calls", "tenure", "charges"]),
            ("others", ColumnTransformer([("one", words(), ["region"])]), ["plan", "region"]),
        ],
        remainder="drop",
    )
    return logistic(outer)


@case()
def mixed_columns_into_a_nested_one() -> Any:
    inner = ColumnTransformer(
        [("log", FunctionTransformer(np.log1p), ["tenure"]), ("word", words(), ["plan"])],
        remainder=FunctionTransformer(np.sqrt),
    )
    return logistic(ColumnTransformer([("all", inner, ["plan", "calls", "tenure"])]))


@case(rows=lambda frame: frame[[*NUMBERS, "plan"]])
def remainder_passes_through() -> Any:
    columns = make_column_transformer((OneHotEncoder(), ["plan"]), remainder="passthrough")
    return make_pipeline(columns, SimpleImputer(), LogisticRegression(max_iter=1000))


@case(rows=lambda frame: frame[[*NUMBERS, *WORDS]])
def remainder_is_an_estimator() -> Any:
    return logistic(ColumnTransformer([("cat", words(), WORDS)], remainder=numbers()))


@case()
def functions_of_numpy() -> Any:
    log = make_pipeline(FunctionTransformer(np.log1p), SimpleImputer())
    root = make_pipeline(
        SimpleImputer(strategy="constant", fill_value=0), FunctionTransformer(np.sqrt)
    )
    return logistic(
        ColumnTransformer([("log", log, ["charges", "tenure"]), ("root", root, ["calls"])])
    )


@case()
def selectors_by_dtype() -> Any:
    return logistic(
        make_column_transformer(
            (numbers(), make_column_selector(dtype_include=["number", "bool"])),
            (words(), make_column_selector(pattern="plan|region")),
        )
    )


@case()
def masks_slices_and_callables() -> Any:
    return logistic(
        ColumnTransformer(
            [
                ("mask", words(), [True, False, False, True, False, False, False]),
                ("slice", numbers(), slice("tenure", "charges")),
                ("callable", "passthrough", lambda frame: ["calls"]),
                ("one", "drop", ["note"]),
                ("none", StandardScaler(), []),
            ],
            remainder="passthrough",
            sparse_threshold=0,
        )
    )


@case()
def set_output_and_names_downstream() -> Any:
    first = ColumnTransformer(
        [
            ("num", SimpleImputer(), ["charges", "tenure"]),
            ("cat", SimpleImputer(strategy="most_frequent"), WORDS),
        ],
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    second = ColumnTransformer(
        [
            ("cat", OneHotEncoder(handle_unknown="ignore"), WORDS),
            ("num", FunctionTransformer(np.log1p), ["tenure", "charges"]),
        ]
    )
    return Pipeline([("fill", first), ("encode", second), ("model", LogisticRegression())])


@case()
def union_of_columns() -> Any:
    union = FeatureUnion(
        [
            ("usual", usual()),
            ("bins", make_pipeline(
                ColumnTransformer([("t", "passthrough", ["tenure", "calls"])]),
                KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"),
            )),
        ]
    )  # fmt: skip
    return logistic(union)


@case()
def grid_search() -> Any:
    grid = {"model__C": [0.1, 1.0], "prep__num__simpleimputer__strategy": ["mean", "median"]}
    return GridSearchCV(logistic(usual()), grid, cv=2)


@case()
def search_with_selectors() -> Any:
    columns = make_column_transformer((numbers(), make_column_selector(dtype_include="number")))
    return RandomizedSearchCV(logistic(columns), {"model__C": [0.1, 1.0]}, n_iter=2, cv=2)


@case()
def calibrated() -> Any:
    model = make_pipeline(usual(), LinearSVC())
    return CalibratedClassifierCV(model, cv=2)


@case()
def calibrated_with_selectors() -> Any:
    columns = make_column_transformer((numbers(), make_column_selector(dtype_include="number")))
    return CalibratedClassifierCV(logistic(columns), cv=2)


@case()
def vote_and_stack_with_selectors() -> Any:
    columns = make_column_transformer((numbers(), make_column_selector(dtype_include="number")))
    stack = StackingClassifier([("one", logistic(columns))], logistic(StandardScaler()), cv=2)
    return VotingClassifier([("stack", stack), ("one", logistic(columns))], voting="soft")


@case(classes)
def calibrated_of_a_frozen_one() -> Any:
    model = logistic(usual()).fit(customers()[TRAINED], classes()[TRAINED])
    return CalibratedClassifierCV(FrozenEstimator(model), cv=2)


@case(prices)
def target_on_a_log_scale() -> Any:
    return TransformedTargetRegressor(
        make_pipeline(usual(), Ridge()), func=np.log1p, inverse_func=np.expm1
    )


@case()
def soft_vote() -> Any:
    return VotingClassifier(
        [
            ("linear", logistic(usual())),
            ("trees", make_pipeline(usual(sparse_threshold=0), RandomForestClassifier(5))),
            ("dropped", "drop"),
        ],
        voting="soft",
    )


@case()
def hard_vote() -> Any:
    return VotingClassifier([("one", logistic(usual())), ("two", logistic(numbers_only()))])


@case(prices)
def vote_of_regressors() -> Any:
    return VotingRegressor(
        [("a", make_pipeline(usual(), Ridge())), ("b", make_pipeline(usual(), LinearRegression()))]
    )


@case()
def stack() -> Any:
    return StackingClassifier(
        [("one", logistic(usual())), ("two", logistic(numbers_only()))],
        make_pipeline(StandardScaler(), LogisticRegression()),
        cv=2,
    )


@case(rows=lambda frame: frame[["tenure", "calls"]])
def bagging() -> Any:
    return BaggingClassifier(
        make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=2)), 3
    )


@case(classes)
def one_against_rest() -> Any:
    return OneVsRestClassifier(logistic(usual()))


@case(lambda: np.column_stack([churned(), customers()["calls"] > 3]))
def two_outputs() -> Any:
    return MultiOutputClassifier(logistic(usual()))


@case()
def target_encoder() -> Any:
    encoder = TargetEncoder(cv=2, random_state=0)
    return logistic(ColumnTransformer([("cat", encoder, [*WORDS, "senior"])]))


@case(prices)
def bins_polynomials_splines() -> Any:
    bins = KBinsDiscretizer(4, encode="ordinal", quantile_method="averaged_inverted_cdf")
    columns = make_column_transformer(
        (bins, ["tenure"]),
        (make_pipeline(SimpleImputer(), PolynomialFeatures(2)), ["charges", "calls"]),
        (SplineTransformer(4), ["calls"]),
        (make_pipeline(SimpleImputer(add_indicator=True), RobustScaler()), ["charges"]),
    )
    return make_pipeline(columns, Ridge())


@case()
def iterative_imputer() -> Any:
    columns = make_column_transformer(
        (make_pipeline(IterativeImputer(max_iter=3, random_state=0)), NUMBERS), (words(), WORDS)
    )
    return make_pipeline(columns, StandardScaler(with_mean=False), LogisticRegression())


@case()
def neighbours_fill_gaps() -> Any:
    columns = make_column_transformer(
        (KNNImputer(), NUMBERS), (OrdinalEncoder(encoded_missing_value=-1), ["plan"])
    )
    return make_pipeline(columns, MinMaxScaler(), SelectKBest(k=2), KNeighborsClassifier())


@case()
def quantiles_and_powers() -> Any:
    columns = make_column_transformer(
        (QuantileTransformer(n_quantiles=20), ["charges"]),
        (PowerTransformer(), ["tenure", "charges"]),
    )
    return make_pipeline(columns, SimpleImputer(), GaussianNB())


@case(rows=lambda frame: frame[["tenure", "charges", "calls"]])
def numbers_alone() -> Any:
    return make_pipeline(FunctionTransformer(np.abs), SimpleImputer(), LogisticRegression())


@case(rows=lambda frame: frame[NUMBERS])
def numbers_and_booleans_alone() -> Any:
    return make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), ["senior", "tenure"]),
            (numbers(), ["charges", "senior"]),
        ),
        LogisticRegression(),
    )


@case(lambda: None, rows=lambda frame: frame[["tenure", "charges", "plan"]])
def clusters() -> Any:
    columns = make_column_transformer((numbers(), ["tenure", "charges"]), (words(), ["plan"]))
    return make_pipeline(columns, KMeans(3, n_init=1, random_state=0))


@case()
def codes_among_words() -> Any:
    """Whole numbers and booleans as categories, in one encoder with words."""
    encoder = OneHotEncoder(handle_unknown="ignore")
    return logistic(ColumnTransformer([("cat", encoder, ["plan", "calls", "senior", "region"])]))


@case()
def codes_by_themselves() -> Any:
    return logistic(
        make_column_transformer(
            (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["senior"]),
            (OneHotEncoder(handle_unknown="ignore"), ["calls"]),
            ("passthrough", ["tenure"]),
        )
    )


@case()
def an_unknown_word_is_an_error() -> Any:
    return logistic(make_column_transformer((OneHotEncoder(), ["plan"]), (numbers(), NUMBERS)))


@case(
    rows=lambda frame: frame.astype(
        {"tenure": "Int64", "charges": "Float64", "senior": "boolean", "plan": "string"}
    )
)
def nullable_dtypes() -> Any:
    return logistic(
        make_column_transformer(
            (numbers(), ["tenure", "charges"]),
            (OneHotEncoder(handle_unknown="ignore"), ["plan", "senior"]),
        )
    )


@case(
    rows=lambda frame: frame.assign(
        tenure=pd.array(frame["tenure"].where(frame["tenure"] > 9), "Int64")
    )
)
def gaps_that_are_na() -> Any:
    return logistic(
        make_column_transformer((SimpleImputer(missing_values=pd.NA), ["tenure", "charges"]))
    )


@case(
    rows=lambda frame: frame.assign(
        region=frame["region"].astype(object).where(frame["region"].notna(), None)
    )
)
def gaps_that_are_none() -> Any:
    """As data bases give them: None is a category of its own."""
    return logistic(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), WORDS), (numbers(), NUMBERS)
        )
    )


@case(
    rows=lambda frame: frame.assign(
        flag=frame["senior"].astype(object).where(frame["calls"] > 2, None),
        count=frame["calls"].astype(object),
    )
)
def numbers_that_are_objects() -> Any:
    return logistic(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), ["flag"]), (numbers(), ["count", "tenure"])
        )
    )


@case(rows=categorical)
def categorical_dtypes() -> Any:
    return logistic(
        make_column_transformer(
            (words(), make_column_selector(dtype_include="category")),
            (numbers(), make_column_selector(dtype_include="number")),
        )
    )


@case()
def categories_from_an_index() -> Any:
    known = pd.Index(["basic", "plus", "pro"])
    encoder = OneHotEncoder(categories=[known], handle_unknown="ignore")
    return logistic(make_column_transformer((encoder, ["plan"])))


@case(prices, rows=lambda frame: frame[["tenure", "calls"]].astype("float32"))
def single_precision_through_trees() -> Any:
    return ExtraTreesRegressor(3, max_depth=4, random_state=0)


def numbers_only() -> ColumnTransformer:
    return ColumnTransformer([("num", numbers(), ["tenure", "calls"])])


class Fitted:
    """A pipeline, fitted on a DataFrame, its rows, and the form that needs no pandas."""

    def __init__(self, name: str) -> None:
        build, target, prepare = CASES[name]
        rows, labels = prepare(customers()), target()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pipeline = build()
            pipeline.fit(rows[TRAINED], *([] if labels is None else [labels[TRAINED]]))
        self.pipeline = pipeline
        self.rows = rows[HELD_OUT]
        self.columns = columns_of(rows)
        self.rewritten = by_position(pipeline, rows[TRAINED])

    def array(self) -> Any:
        return rows_as_array(instances_of(self.rows), self.columns)


@functools.cache
def fitted(name: str) -> Fitted:
    return Fitted(name)
