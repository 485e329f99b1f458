"""Pipelines taken apart and put together again, of all kinds, and what is refused about them."""

import copy
import functools
import importlib
import json
import re
from typing import Any

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    SplineTransformer,
    StandardScaler,
)
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.utils import all_estimators

from sklearn_api.artifact.construct import SCHEMA
from sklearn_api.artifact.trusted import TYPES
from sklearn_api.errors import ArtifactError
from tests.helpers.stored import read_back
from training.artifact.dump import dump_pipeline

TEXTS = ["good film", "bad film", "a nice film", "awful", "good and nice", "bad and awful"] * 5
LABELS = [1, 0, 1, 0, 1, 0] * 5
ROWS = np.random.default_rng(0).normal(size=(30, 4))
TABLE = np.array([[*row, word] for row, word in zip(ROWS, TEXTS, strict=True)], dtype=object)


def through(pipeline: Any) -> Any:
    """Return what comes back of a pipeline, which can be written once more, the same."""
    members = dump_pipeline(pipeline)
    back = read_back(members)
    assert dump_pipeline(back) == members
    return back


UNION = FeatureUnion([("words", TfidfVectorizer()), ("letters", CountVectorizer(analyzer="char"))])
COLUMNS = ColumnTransformer(
    [
        ("scaled", StandardScaler(), slice(0, 2)),
        ("words", TfidfVectorizer(), 4),
        ("kinds", OneHotEncoder(handle_unknown="ignore"), [4]),
    ],
    remainder="passthrough",
)

TEXT_PIPELINES = [
    (TfidfVectorizer(), LinearSVC(random_state=0)),
    (TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2), LogisticRegression()),
    (CountVectorizer(stop_words="english"), TfidfTransformer(), SGDClassifier(random_state=0)),
    (CountVectorizer(max_features=3, dtype=np.int32), MultinomialNB()),
    (CountVectorizer(vocabulary=["film", "good"]), ComplementNB()),
    (CountVectorizer(vocabulary={"film": 1, "good": 0}), LogisticRegression()),
    (HashingVectorizer(n_features=64), CalibratedClassifierCV(LinearSVC(), cv=2)),
    (UNION, SelectKBest(chi2, k=4), CalibratedClassifierCV(LogisticRegression(), cv=2)),
    (TfidfVectorizer(), TruncatedSVD(2, random_state=0), RandomForestClassifier(5)),
    (TfidfVectorizer(), SVC()),
    (TfidfVectorizer(), KNeighborsClassifier(3)),
    (
        TfidfVectorizer(),
        VotingClassifier([("a", LogisticRegression()), ("b", MultinomialNB())], voting="soft"),
    ),
    (CountVectorizer(), GridSearchCV(LogisticRegression(), {"C": [1.0, 10.0]}, cv=2)),
]
TABLE_PIPELINES = [
    (StandardScaler(), LogisticRegression(class_weight={0: 1.0, 1: 2.0})),
    (StandardScaler(), RandomForestClassifier(5, random_state=np.random.RandomState(0))),
    (HistGradientBoostingClassifier(max_iter=3, categorical_features=[3]),),
    (IsolationForest(n_estimators=5, max_features=2, random_state=0),),
    (KNeighborsClassifier(3, algorithm="kd_tree", leaf_size=4),),
    (KNeighborsClassifier(3, algorithm="ball_tree", leaf_size=4, metric="manhattan"),),
    (MLPClassifier((4,), max_iter=5, random_state=0),),
    (FunctionTransformer(np.log1p), FunctionTransformer(), LogisticRegression()),
    (StackingClassifier([("a", SVC()), ("b", LogisticRegression())], cv=2),),
    (Ridge(),),
    (GradientBoostingRegressor(n_estimators=3, random_state=0),),
    (SVR(),),
    (GaussianProcessRegressor(),),
]


def assert_same(before: Any, after: Any, inputs: Any) -> None:
    compared = 0
    for method in ("predict", "predict_proba", "decision_function", "transform"):
        if hasattr(before, method):
            expected, found = getattr(before, method)(inputs), getattr(after, method)(inputs)
            if sparse.issparse(expected):
                expected, found = expected.toarray(), found.toarray()
            assert expected.dtype == found.dtype
            assert np.array_equal(expected, found)
            compared += 1
    assert compared


def assert_same_vocabularies(before: Any, after: Any) -> None:
    assert type(before) is type(after)
    for name, value in vars(before).items():
        if name.startswith("vocabulary"):
            assert getattr(after, name) == value
            if isinstance(value, dict):
                assert set(map(type, getattr(after, name).values())) == set(
                    map(type, value.values())
                )


@pytest.mark.parametrize("steps", TEXT_PIPELINES, ids=lambda steps: str(steps[-1])[:30])
def test_a_text_pipeline_comes_back_to_the_last_bit(steps: tuple[Any, ...]) -> None:
    """Predictions and vocabularies are those of the pipeline that was written."""
    before = make_pipeline(*map(copy.deepcopy, steps)).fit(TEXTS, LABELS)
    after = through(before)
    assert_same(before, after, TEXTS)
    for one, other in zip(before, after, strict=True):
        assert_same_vocabularies(one, other)


@pytest.mark.parametrize("steps", TABLE_PIPELINES, ids=lambda steps: str(steps[-1])[:30])
def test_a_table_pipeline_comes_back_to_the_last_bit(steps: tuple[Any, ...]) -> None:
    """Classifiers, regressors and detectors of numbers predict the same."""
    rows = np.abs(np.round(ROWS, 1))
    before = make_pipeline(*map(copy.deepcopy, steps)).fit(rows, LABELS)
    assert_same(before, through(before), rows)


@pytest.mark.parametrize("last", [LogisticRegression(), RandomForestClassifier(5)], ids=str)
def test_columns_of_numbers_and_texts_come_back_to_the_last_bit(last: Any) -> None:
    """A `ColumnTransformer` keeps its columns, vocabularies and categories."""
    before = make_pipeline(copy.deepcopy(COLUMNS), last).fit(TABLE, LABELS)
    assert_same(before, through(before), TABLE)


def test_dicts_and_categories_come_back() -> None:
    """Values that are not numbers are kept as they are, in arrays of objects, too."""
    dicts = [{"a": 1, "kind": "object", "type": "os.system"}, {"b": 2.5, "kind": "x"}]
    assert_same(DictVectorizer().fit(dicts), through(DictVectorizer().fit(dicts)), dicts)
    words = np.array([["b"], ["a"], [None]], dtype=object)
    assert_same(OrdinalEncoder().fit(words), through(OrdinalEncoder().fit(words)), words)


def test_a_sparse_model_comes_back() -> None:
    """Coefficients that were made sparse stay so."""
    before = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(TEXTS, LABELS)
    before[-1].sparsify()
    after = through(before)
    assert sparse.issparse(after[-1].coef_)
    assert_same(before, after, TEXTS)


@pytest.mark.parametrize(
    "terms", [["a\nb", "c"], ["\ud800", "b"], ["\x85", "\u2028", "\r"], ["", " "], ["🎬", "é"]]
)
def test_terms_of_any_characters_come_back(terms: list[str]) -> None:
    """A vocabulary may hold line ends of all kinds, and half a surrogate pair."""
    before = CountVectorizer(vocabulary=terms).fit([])
    assert through(before).vocabulary_ == before.vocabulary_ == {t: i for i, t in enumerate(terms)}


def test_numbers_of_numpy_in_a_vocabulary_come_back() -> None:
    """Where scikit-learn has put numpy's integers into a vocabulary, they come back as such."""
    before = CountVectorizer(max_features=2).fit(TEXTS)
    assert set(map(type, before.vocabulary_.values())) == {np.int64}
    assert set(map(type, through(before).vocabulary_.values())) == {np.int64}


def test_an_object_that_is_shared_stays_shared() -> None:
    """Where a pipeline holds an object in two places, it is one object afterwards, too."""
    words = TfidfVectorizer()
    pipeline = Pipeline([("union", FeatureUnion([("a", words), ("b", words)]))]).fit(TEXTS)
    union = pipeline[0]
    union.transformer_list = [("a", words), ("b", words)]
    words.fit(TEXTS)
    (_, first), (_, second) = through(pipeline)[0].transformer_list
    assert first is second
    assert first.vocabulary_ == words.vocabulary_


def test_writing_changes_nothing_of_the_pipeline() -> None:
    """The pipeline goes on as it was, with the very same vocabulary."""
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(TEXTS, LABELS)
    vocabulary, kept = pipeline[0].vocabulary_, dict(pipeline[0].vocabulary_)
    dump_pipeline(pipeline)
    assert pipeline[0].vocabulary_ is vocabulary
    assert vocabulary == kept


def shout(texts: list[str]) -> list[str]:
    return [text.upper() for text in texts]


class Own(LinearSVC):  # type: ignore[misc]  # scikit-learn ships no types
    """A type that is not scikit-learn's."""


@pytest.mark.parametrize(
    ("step", "named"),
    [
        (FunctionTransformer(shout), "shout"),
        (FunctionTransformer(lambda texts: texts), "<lambda>"),
        (FunctionTransformer(functools.partial(shout)), "shout"),
        (FunctionTransformer("".join), "join"),
        (TfidfVectorizer(tokenizer=str.split), r"builtins\.method_descriptor"),
        (TfidfVectorizer(preprocessor=print), r"builtins\.print"),
        (Own(), r"test_construct\.Own"),
        (SplineTransformer().fit(ROWS), "BSpline"),
    ],
)
def test_what_is_not_trusted_is_refused_when_it_is_written(step: Any, named: str) -> None:
    """The error names the type or function, before anything is published."""
    with pytest.raises(ArtifactError, match=named):
        dump_pipeline(make_pipeline(step))


KINDS = ("object", "tree", "loss", "dict", "sparse", "type", "function", "search_tree", "metric")
UNTRUSTED: tuple[str, ...] = (
    "os.system",
    "subprocess.Popen",
    "builtins.eval",
    "sklearn.svm._classes.os",
)
UNTRUSTED += ("functools.partial", "numpy.load", "sklearn.base.BaseEstimator")


@pytest.mark.parametrize("name", [*UNTRUSTED, ["os", "system"], None, 1])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_trusted_is_refused_when_it_is_read(kind: str, name: Any) -> None:
    """The whole schema is looked through first; nothing in it is imported or built."""
    node = {"kind": kind, "type": name, "state": None, "items": {}, "arguments": []}
    schema = {"kind": "list", "items": [{"kind": "array", "file": "not there"}, node]}
    with pytest.raises(ArtifactError, match="not on the list of trusted names") as caught:
        read_back({SCHEMA: json.dumps(schema).encode()})
    assert str(name) in str(caught.value)


def test_all_estimators_of_scikit_learn_are_trusted_by_name() -> None:
    """The list is complete, but for what skops itself cannot hold."""
    known = {f"{found.__module__}.{found.__qualname__}" for _, found in all_estimators()}
    assert known - TYPES == {"sklearn.cluster._birch.Birch"}


@pytest.mark.skipif(
    sklearn.__version__ < "1.9", reason="Python 3.11 has an older scikit-learn, with fewer types"
)
def test_trusted_names_exist() -> None:
    """No name on the list is a leftover or a slip."""
    for name in TYPES:
        module, _, attribute = name.rpartition(".")
        assert isinstance(getattr(importlib.import_module(module), attribute), type), name


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (rb"'shape': \(\d+,", b"'shape': (9999999999999,"),
        (rb"'shape': \(\d+,", b"'shape': (-1,"),
        (rb"'descr': '<f8'", b"'descr': '|O'"),
        (rb"'descr': '<f8'", b"'descr': '<U0'"),
        (rb"'descr': '<f8'", b"'descr': __import__('os')"),
        (rb"'descr': '<f8'", b"'descr': " + b"[" * 60),
        (rb"NUMPY\x01", b"NUMPY\x02"),
        (rb"$", b"\x00"),
    ],
)
def test_an_array_that_is_none_is_refused_before_room_is_made(
    pattern: bytes, replacement: bytes
) -> None:
    """Its header has to be what numpy writes, and to fit the bytes that follow."""
    members = dump_pipeline(Ridge().fit(ROWS, LABELS))
    name = next(
        name for name, content in members.items() if name.endswith(".npy") and b"<f8" in content
    )
    members[name] = re.sub(pattern, replacement, members[name], count=1)
    with pytest.raises(ArtifactError, match=rf"{name} is not a valid array"):
        read_back(members)


def test_a_term_that_stands_twice_is_refused() -> None:
    """Two indices of one term would shift all that follow."""
    members = dump_pipeline(CountVectorizer().fit(TEXTS))
    with pytest.raises(ArtifactError, match="a vocabulary contains a term twice"):
        read_back({**members, "vocabulary-0.txt": b"good\ngood"})
