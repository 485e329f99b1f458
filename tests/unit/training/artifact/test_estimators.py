"""Every estimator of scikit-learn either survives being stored, or is listed with the reason."""

import copy
import pickle
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
import sklearn
from scipy import sparse
from scipy.stats import uniform
from sklearn.base import is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import make_multilabel_classification
from sklearn.decomposition import SparseCoder
from sklearn.ensemble import (
    BaggingRegressor,
    ExtraTreesClassifier,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
    StackingClassifier,
)
from sklearn.experimental import (  # noqa: F401 - makes scikit-learn offer these
    enable_halving_search_cv,
    enable_iterative_imputer,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, RandomizedSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import all_estimators, get_tags
from sklearn.utils._test_common.instance_generator import _construct_instances

from sklearn_api.errors import ArtifactError
from sklearn_api.load import load_model
from tests.helpers.stored import LIMIT, predict_one, read_back, stored
from training.artifact.dump import dump_pipeline

NOT_STORED = {
    "Birch": (
        "its tree of clusters refers to itself, and skops cannot dump it; the labels of its "
        "clusters could also be learned by a classifier"
    ),
    "BisectingKMeans, sparse": (
        "scikit-learn leaves centers of the deprecated type numpy.matrix in it, which behaves "
        "unlike other arrays"
    ),
}
"""Estimators, or their fits to one kind of input, that cannot be stored, and why."""

REORDERED = {
    "PCA, sparse": "its components are a view with negative strides, which no file keeps",
}
"""Fits whose arrays change their order in memory, as in a pickle, with which they are compared.

Sums in another order differ in the last bit.
"""

NOTHING_TO_ANSWER = {
    *("AgglomerativeClustering", "ClassicalMDS", "DBSCAN", "HDBSCAN", "MDS", "OPTICS"),
    *("SpectralBiclustering", "SpectralClustering", "SpectralCoclustering", "SpectralEmbedding"),
    "TSNE",
}
"""Estimators that are stored, but have no answer for rows other than those they were fitted on."""

ROWS = np.random.default_rng(0).normal(size=(40, 4))
LABELS = (ROWS[:, 0] + ROWS[:, 1] > 0).astype(int)
WORDS = ["good film", "bad film", "a nice film", "awful", "good and nice", "bad and awful"]
TEXTS, TEXT_LABELS = WORDS * 5, [1, 0, 1, 0, 1, 0] * 5
DICTS = [{"a": 1.0, "kind": "x"}, {"b": 2.5, "kind": "y"}] * 20
CATEGORIES = np.array([["b", 1], ["a", 2], ["c", 1], ["a", 1]] * 10, dtype=object)
GAPS = np.where(np.random.default_rng(1).random(ROWS.shape) < 0.2, np.nan, ROWS)
SEVERAL = make_multilabel_classification(40, 4, n_classes=3, random_state=0)[1]

METHODS = (
    *("predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples"),
    *("transform", "mahalanobis", "kneighbors", "inverse_transform"),
)


class Case(NamedTuple):
    """What to fit, on what, and what to ask it for."""

    estimator: Any
    inputs: Any
    target: Any = None
    name: str = ""


def made(name: str) -> Any:
    """Return an estimator with the parameters that scikit-learn's own checks use."""
    kind = dict(all_estimators())[name]
    estimator = next(iter(_construct_instances(kind)))
    if "random_state" in estimator.get_params(deep=False):
        estimator.set_params(random_state=0)
    return estimator


SPECIAL: dict[str, Callable[[], list[Case]]] = {
    "CategoricalNB": lambda: [Case(made("CategoricalNB"), ROWS > 0, LABELS)],
    "CountVectorizer": lambda: [Case(made("CountVectorizer"), TEXTS)],
    "DictVectorizer": lambda: [Case(made("DictVectorizer"), DICTS)],
    "FeatureHasher": lambda: [Case(made("FeatureHasher").set_params(n_features=8), DICTS)],
    "FrozenEstimator": lambda: [Case(FrozenEstimator(Ridge().fit(ROWS, LABELS)), ROWS, LABELS)],
    "HashingVectorizer": lambda: [Case(made("HashingVectorizer").set_params(n_features=8), TEXTS)],
    "IsotonicRegression": lambda: [
        Case(IsotonicRegression(out_of_bounds="clip"), ROWS[:, 0], LABELS)
    ],
    "IterativeImputer": lambda: [
        Case(IterativeImputer(max_iter=2, random_state=0), GAPS),
        Case(
            IterativeImputer(RandomForestRegressor(2, max_depth=2), max_iter=1, add_indicator=True),
            GAPS,
        ),
        Case(IterativeImputer(max_iter=2, sample_posterior=True, random_state=0), GAPS),
    ],
    "KernelCenterer": lambda: [Case(made("KernelCenterer"), ROWS @ ROWS.T)],
    "KNNImputer": lambda: [Case(made("KNNImputer"), GAPS)],
    "LabelBinarizer": lambda: [Case(made("LabelBinarizer"), TEXTS)],
    "LabelEncoder": lambda: [Case(made("LabelEncoder"), TEXTS)],
    "MissingIndicator": lambda: [Case(made("MissingIndicator"), GAPS)],
    "MultiLabelBinarizer": lambda: [
        Case(made("MultiLabelBinarizer"), [text.split() for text in TEXTS])
    ],
    "PatchExtractor": lambda: [
        Case(made("PatchExtractor").set_params(patch_size=(2, 2)), ROWS.reshape(10, 4, 4))
    ],
    "SimpleImputer": lambda: [
        Case(made("SimpleImputer"), GAPS),
        Case(SimpleImputer(strategy="most_frequent"), CATEGORIES),
    ],
    "SkewedChi2Sampler": lambda: [Case(made("SkewedChi2Sampler"), np.abs(ROWS))],
    "SparseCoder": lambda: [Case(SparseCoder(np.eye(4)[:3]), ROWS)],
    "TfidfVectorizer": lambda: [Case(made("TfidfVectorizer"), TEXTS)],
}
"""What the estimators are fitted on that do not take rows of numbers."""


def cases(name: str) -> Iterator[Case]:
    """Yield an estimator with every kind of input that it says it takes."""
    if name in SPECIAL:
        yield from SPECIAL[name]()
        return
    estimator = made(name)
    tags = get_tags(estimator)
    rows = np.abs(ROWS) if tags.input_tags.positive_only else ROWS
    target: Any = LABELS + 1.0 if tags.target_tags.positive_only else LABELS
    several: Any = rows[:, :2] @ [[1.0, 2.0], [2.0, 1.0]] if is_regressor(estimator) else SEVERAL
    if not tags.target_tags.single_output:
        target = several
    yield Case(estimator, rows, target, name)
    if tags.input_tags.sparse:
        thinned = sparse.csr_matrix(np.where(np.abs(rows) > 0.2, np.abs(rows), 0.0))
        yield Case(made(name), thinned, target, f"{name}, sparse")
    if tags.input_tags.categorical or tags.input_tags.string:
        yield Case(made(name), CATEGORIES, target, f"{name}, categories")
    if tags.target_tags.multi_output and tags.target_tags.single_output:
        yield Case(made(name), rows, several, f"{name}, several outputs")


def fitted(case: Case) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Few iterations do not converge, which does not matter.
        arguments = (case.inputs,) if case.target is None else (case.inputs, case.target)
        return case.estimator.fit(*arguments)


def assert_same(expected: Any, found: Any) -> None:
    assert type(expected) is type(found)
    if sparse.issparse(expected):
        expected, found = expected.toarray(), found.toarray()
    if isinstance(expected, (list, tuple)):
        for one, other in zip(expected, found, strict=True):
            assert_same(one, other)
    elif isinstance(expected, np.ndarray):
        assert expected.dtype == found.dtype
        kinds = {"equal_nan": True} if expected.dtype.kind == "f" else {}
        assert np.array_equal(expected, found, **kinds)
    else:
        assert expected == found


def compared(before: Any, after: Any, inputs: Any) -> int:
    """Return how many methods gave the same answers to the last bit; raise if one did not."""
    count = 0
    for method in METHODS:
        if not hasattr(before, method):
            continue
        given = copy.deepcopy(inputs)  # Some estimators recognise the array they were fitted on.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if method == "inverse_transform":
                given = before.transform(given)
            try:
                expected = getattr(before, method)(given)
            # Some methods do not take what the estimator was fitted on.
            except (ValueError, TypeError, AttributeError, NotImplementedError):
                continue
            assert_same(expected, getattr(after, method)(given))
        count += 1
    return count


def round_trip(estimator: Any) -> Any:
    members = dump_pipeline(estimator)
    after = read_back(members)
    assert dump_pipeline(after) == members
    return after


NAMES = [name for name, _ in all_estimators()]


@pytest.mark.parametrize("name", NAMES)
def test_an_estimator_survives_to_the_last_bit_or_is_listed(name: str) -> None:
    """What it answers is the same after reading it back, whatever it was fitted on."""
    count = 0
    for case in cases(name):
        before = fitted(case)
        if {name, case.name} & NOT_STORED.keys():
            with pytest.raises(ArtifactError):
                dump_pipeline(before)
            continue
        after = round_trip(before)
        if case.name in REORDERED:
            with pytest.raises(AssertionError):
                compared(before, after, case.inputs)
            before = pickle.loads(pickle.dumps(before))  # noqa: S301 - it was made here
        count += compared(before, after, case.inputs)
    assert bool(count) == (name not in NOT_STORED and name not in NOTHING_TO_ANSWER)


def test_the_lists_name_estimators_that_exist() -> None:
    """An estimator that scikit-learn renames or removes leaves the lists."""
    known = {*NAMES, "ClassicalMDS"}  # scikit-learn 1.7 does not have the latter
    fits = {name.split(",")[0] for name in (*NOT_STORED, *REORDERED)}
    assert known >= {*fits, *NOTHING_TO_ANSWER, *SPECIAL}


VARIANTS = {
    "isotonic calibration": CalibratedClassifierCV(LogisticRegression(), method="isotonic", cv=2),
    "a bag of splines": BaggingRegressor(
        make_pipeline(made("SplineTransformer"), Ridge()), n_estimators=2, random_state=0
    ),
    "trees of several outputs": ExtraTreesClassifier(3, random_state=0),
    "quantiles of boosted trees": HistGradientBoostingRegressor(
        loss="quantile", quantile=0.3, max_iter=2
    ),
    "neighbours by distance": KNeighborsRegressor(weights="distance", algorithm="kd_tree", p=1),
    "a transformed target": TransformedTargetRegressor(
        Ridge(), func=np.exp, inverse_func=np.log, check_inverse=False
    ),
    "imputed splines": make_pipeline(
        IterativeImputer(max_iter=2, random_state=0), made("SplineTransformer"), Ridge()
    ),
}


@pytest.mark.parametrize("estimator", VARIANTS.values(), ids=VARIANTS.keys())
def test_other_parameters_survive_to_the_last_bit(estimator: Any) -> None:
    """Parameters that change what a fitted estimator consists of."""
    target = SEVERAL if isinstance(estimator, ExtraTreesClassifier) else LABELS
    before = fitted(Case(estimator, ROWS, target))
    assert compared(before, round_trip(before), ROWS)


FRAMED = {
    "columns": make_pipeline(
        ColumnTransformer(
            [
                ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["age", "income"]),
                ("plan", OneHotEncoder(handle_unknown="ignore"), ["plan"]),
            ]
        ),
        LogisticRegression(),
    ),
    "imputed": ColumnTransformer(
        [("imputed", IterativeImputer(max_iter=2, random_state=0), ["age", "income"])]
    ),
    "splines": ColumnTransformer([("splines", made("SplineTransformer"), ["income"])]),
    "trees": make_pipeline(
        ColumnTransformer([("numbers", "passthrough", ["age", "income"])]),
        RandomForestRegressor(3, random_state=0),
    ),
}


@pytest.mark.parametrize("estimator", FRAMED.values(), ids=FRAMED.keys())
def test_an_estimator_that_was_fitted_on_a_frame_survives(estimator: Any) -> None:
    """It keeps the names of its columns, and takes a frame."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"age": GAPS[:, 0], "income": ROWS[:, 1], "plan": ["basic", "plus"] * 20}
    )
    before = fitted(Case(estimator, frame, LABELS))
    after = round_trip(before)
    assert list(after.feature_names_in_) == ["age", "income", "plan"]
    assert after.feature_names_in_.dtype == object
    assert compared(before, after, frame)


LOGISTIC = LogisticRegression()
SEARCHES = {
    "grid": GridSearchCV(LOGISTIC, {"C": [0.1, 1.0]}, cv=2),
    "distributions": RandomizedSearchCV(
        LOGISTIC, {"C": uniform(0.1, 2.0)}, n_iter=2, cv=2, random_state=0
    ),
    "halving": HalvingGridSearchCV(LOGISTIC, {"C": [0.1, 1.0]}, cv=2, random_state=0),
    "in a pipeline": make_pipeline(
        StandardScaler(), GridSearchCV(LOGISTIC, {"C": [0.1, 1.0]}, cv=2)
    ),
    "in a search": GridSearchCV(
        make_pipeline(GridSearchCV(LOGISTIC, {"C": [0.1, 1.0]}, cv=2)),
        {"gridsearchcv__cv": [2, 3]},
        cv=2,
    ),
    "in a stack": StackingClassifier(
        [
            ("a", RandomizedSearchCV(LOGISTIC, {"C": uniform(0.1, 2.0)}, n_iter=2, cv=2)),
            ("b", LOGISTIC),
        ],
        cv=2,
    ),
}


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES.keys())
def test_a_search_is_stored_as_its_best_estimator(search: Any) -> None:
    """It predicts the same, the artifact contains no search, and the original stays as it is."""
    before = fitted(Case(search, ROWS, LABELS))
    kept = before.__dict__.copy()
    members = dump_pipeline(before)
    after = read_back(members)
    assert dump_pipeline(after) == members
    assert b"SearchCV" not in members["pipeline.json"]
    assert before.__dict__.keys() == kept.keys()
    assert all(before.__dict__[name] is value for name, value in kept.items())
    assert compared(before, after, ROWS) == compared(before, before, ROWS)


def test_a_search_over_a_pipeline_of_texts_is_compiled() -> None:
    """The compiled form of its best estimator gives the search's own labels."""
    search = GridSearchCV(
        make_pipeline(TfidfVectorizer(), LOGISTIC), {"logisticregression__C": [0.1, 1.0]}, cv=2
    ).fit(TEXTS, TEXT_LABELS)
    artifact = stored(search, rows=TEXTS)
    assert artifact.not_compiled is None
    model = load_model(artifact.content, LIMIT)
    assert model.form == "compiled"
    assert [predict_one(model, text).value for text in WORDS] == search.predict(WORDS).tolist()


def test_a_search_without_a_best_estimator_is_refused() -> None:
    """With ``refit=False`` it cannot predict, and the error says what to do."""
    search = GridSearchCV(LOGISTIC, {"C": [0.1]}, cv=2, refit=False).fit(ROWS, LABELS)
    with pytest.raises(ArtifactError, match=r"GridSearchCV .* refit=False .* fit it with refit"):
        dump_pipeline(make_pipeline(search))


def foreign(name: str, base: type = object) -> Any:
    """Return an instance of a type that seems to belong to another package."""
    module, _, short = name.rpartition(".")
    instance = type(short, (base,), {"__module__": module})()
    instance.value = 1.0
    return instance


TRUSTED_PY = "trusted.py after a review"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("lightgbm.sklearn.LGBMClassifier", "HistGradientBoostingClassifier"),
        ("xgboost.sklearn.XGBRegressor", "HistGradientBoostingRegressor"),
        ("imblearn.over_sampling._smote.base.SMOTE", "without the sampler"),
        ("category_encoders.target_encoder.TargetEncoder", "FunctionTransformer of one of the"),
        ("my_project.steps.Shout", "FunctionTransformer of one of the"),
    ],
)
def test_advice_about_types_of_other_packages_can_be_followed(name: str, wanted: str) -> None:
    """Only scikit-learn is in the layer: adding a name to the list would not help."""
    with pytest.raises(ArtifactError, match=wanted) as caught:
        dump_pipeline(make_pipeline(StandardScaler(), foreign(name)))
    assert name in str(caught.value)
    assert TRUSTED_PY not in str(caught.value)


def test_advice_about_a_type_of_scikit_learn_is_to_review_it() -> None:
    """A type of scikit-learn is in the layer, but nobody has looked at it."""
    with pytest.raises(ArtifactError, match=TRUSTED_PY) as caught:
        dump_pipeline(make_pipeline(foreign("sklearn.new.NewEstimator")))
    assert "HistGradientBoosting" not in str(caught.value)


class Undumpable:
    """An object of another package that skops fails for, such as one with a lock."""

    __module__ = "lightgbm.basic"

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("cannot pickle 'Booster'")

    def __reduce__(self) -> Any:
        raise TypeError("cannot pickle 'Booster'")


def test_advice_is_given_if_the_dump_itself_fails() -> None:
    """Not all types of other packages get as far as the list of trusted names."""
    estimator = foreign("lightgbm.sklearn.LGBMClassifier")
    estimator.booster = Undumpable()
    with pytest.raises(ArtifactError, match=r"cannot pickle.*LGBMClassifier.*HistGradient"):
        dump_pipeline(make_pipeline(estimator))


def test_the_advice_about_samplers_works() -> None:
    """The expression in the message gives a pipeline that can be stored and predicts the same."""
    sampler = foreign("imblearn.over_sampling._smote.base.SMOTE")
    sampler.fit_resample = None
    scaler, model = StandardScaler(), LogisticRegression()
    model.fit(scaler.fit_transform(ROWS), LABELS)
    pipeline = Pipeline([("scaler", scaler), ("sampler", sampler), ("model", model)])
    with pytest.raises(ArtifactError, match="without the sampler") as caught:
        dump_pipeline(pipeline)
    expression = re.search(r"sklearn\.pipeline\.Pipeline\(.*\)\]\)", str(caught.value))
    assert expression is not None
    rest = eval(expression[0], {"sklearn": sklearn, "pipeline": pipeline})  # noqa: S307 - as advised
    assert np.array_equal(round_trip(rest).predict(ROWS), model.predict(scaler.transform(ROWS)))
