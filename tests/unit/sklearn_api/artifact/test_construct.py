"""Pipelines of many kinds, dumped and constructed, and what is refused on the way."""

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
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
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


def round_trip(pipeline: Any) -> Any:
    """Return a pipeline constructed from the dump of another; its own dump is the same."""
    members = dump_pipeline(pipeline)
    constructed = read_back(members)
    assert dump_pipeline(constructed) == members
    return constructed


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
def test_a_text_pipeline_survives_to_the_last_bit(steps: tuple[Any, ...]) -> None:
    """Predictions and vocabularies equal those of the pipeline that was dumped."""
    before = make_pipeline(*map(copy.deepcopy, steps)).fit(TEXTS, LABELS)
    after = round_trip(before)
    assert_same(before, after, TEXTS)
    for one, other in zip(before, after, strict=True):
        assert_same_vocabularies(one, other)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")  # which stops early to save time
@pytest.mark.parametrize("steps", TABLE_PIPELINES, ids=lambda steps: str(steps[-1])[:30])
def test_a_table_pipeline_survives_to_the_last_bit(steps: tuple[Any, ...]) -> None:
    """Classifiers, regressors and outlier detectors for numbers predict the same."""
    rows = np.abs(np.round(ROWS, 1))
    before = make_pipeline(*map(copy.deepcopy, steps)).fit(rows, LABELS)
    assert_same(before, round_trip(before), rows)


@pytest.mark.parametrize("last", [LogisticRegression(), RandomForestClassifier(5)], ids=str)
def test_columns_of_numbers_and_texts_survive_to_the_last_bit(last: Any) -> None:
    """A `ColumnTransformer` keeps its columns, vocabularies and categories."""
    before = make_pipeline(copy.deepcopy(COLUMNS), last).fit(TABLE, LABELS)
    assert_same(before, round_trip(before), TABLE)


def test_dicts_and_categories_survive() -> None:
    """Values that are not numbers are kept as they are, also in arrays of objects."""
    dicts = [{"a": 1, "kind": "object", "type": "os.system"}, {"b": 2.5, "kind": "x"}]
    assert_same(DictVectorizer().fit(dicts), round_trip(DictVectorizer().fit(dicts)), dicts)
    words = np.array([["b"], ["a"], [None]], dtype=object)
    assert_same(OrdinalEncoder().fit(words), round_trip(OrdinalEncoder().fit(words)), words)


def test_sparse_coefficients_survive() -> None:
    """Coefficients that were made sparse stay sparse."""
    before = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(TEXTS, LABELS)
    before[-1].sparsify()
    after = round_trip(before)
    assert sparse.issparse(after[-1].coef_)
    assert_same(before, after, TEXTS)


@pytest.mark.parametrize(
    "terms", [["a\nb", "c"], ["\ud800", "b"], ["\x85", "\u2028", "\r"], ["", " "], ["🎬", "é"]]
)
def test_terms_of_any_characters_survive(terms: list[str]) -> None:
    """A vocabulary may contain line ends of all kinds, and half a surrogate pair."""
    before = CountVectorizer(vocabulary=terms).fit([])
    assert (
        round_trip(before).vocabulary_ == before.vocabulary_ == {t: i for i, t in enumerate(terms)}
    )


def test_numpy_integers_in_a_vocabulary_survive() -> None:
    """If scikit-learn has put numpy's integers into a vocabulary, they keep their type."""
    before = CountVectorizer(max_features=2).fit(TEXTS)
    assert set(map(type, before.vocabulary_.values())) == {np.int64}
    assert set(map(type, round_trip(before).vocabulary_.values())) == {np.int64}


def test_a_shared_object_stays_shared() -> None:
    """An object that a pipeline contains twice is a single object afterwards as well."""
    words = TfidfVectorizer()
    pipeline = Pipeline([("union", FeatureUnion([("a", words), ("b", words)]))]).fit(TEXTS)
    union = pipeline[0]
    union.transformer_list = [("a", words), ("b", words)]
    words.fit(TEXTS)
    (_, first), (_, second) = round_trip(pipeline)[0].transformer_list
    assert first is second
    assert first.vocabulary_ == words.vocabulary_


def test_dumping_does_not_change_the_pipeline() -> None:
    """The pipeline still has the very same vocabulary object."""
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(TEXTS, LABELS)
    vocabulary, kept = pipeline[0].vocabulary_, dict(pipeline[0].vocabulary_)
    dump_pipeline(pipeline)
    assert pipeline[0].vocabulary_ is vocabulary
    assert vocabulary == kept


def shout(texts: list[str]) -> list[str]:
    return [text.upper() for text in texts]


class Own(LinearSVC):  # type: ignore[misc]  # scikit-learn ships no types
    """A type that does not belong to scikit-learn."""


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
    ],
)
def test_untrusted_names_are_refused_when_dumping(step: Any, named: str) -> None:
    """The error names the type or function, before anything can be published."""
    with pytest.raises(ArtifactError, match=named):
        dump_pipeline(make_pipeline(step))


@pytest.mark.parametrize("scalar", [b"\0" * 8, b"\x08" + b"\0" * 7])
def test_a_scalar_that_is_an_object_is_refused(scalar: bytes) -> None:
    """The bytes would be the address of an object."""
    node = {"kind": "scalar", "dtype": "|O", "bytes": scalar.hex()}
    with pytest.raises(ArtifactError, match="a scalar is an object"):
        read_back({SCHEMA: json.dumps(node).encode()})


KINDS: tuple[str, ...] = ("object", "tree", "loss", "dict", "named_tuple", "sparse", "type")
KINDS += ("function", "search_tree", "metric")
UNTRUSTED: tuple[str, ...] = (
    "os.system",
    "subprocess.Popen",
    "builtins.eval",
    "sklearn.svm._classes.os",
)
UNTRUSTED += ("functools.partial", "numpy.load", "sklearn.base.BaseEstimator")


@pytest.mark.parametrize("name", [*UNTRUSTED, ["os", "system"], None, 1])
@pytest.mark.parametrize("kind", KINDS)
def test_untrusted_names_are_refused_when_constructing(kind: str, name: Any) -> None:
    """The whole schema is audited first; nothing in it is imported or constructed."""
    node = {"kind": kind, "type": name, "state": None, "items": {}, "arguments": []}
    schema = {"kind": "list", "items": [{"kind": "array", "file": "missing"}, node]}
    with pytest.raises(ArtifactError, match="not on the list of trusted names") as caught:
        read_back({SCHEMA: json.dumps(schema).encode()})
    assert str(name) in str(caught.value)


def test_all_estimators_of_scikit_learn_are_trusted() -> None:
    """The list is complete, except for the estimator that skops cannot dump."""
    known = {f"{found.__module__}.{found.__qualname__}" for _, found in all_estimators()}
    assert known - TYPES == {"sklearn.cluster._birch.Birch"}


@pytest.mark.skipif(
    sklearn.__version__ < "1.9", reason="Python 3.11 has an older scikit-learn, with fewer types"
)
def test_trusted_names_exist() -> None:
    """Every name on the list is the name of a type."""
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
def test_an_invalid_array_is_refused_before_memory_is_allocated(
    pattern: bytes, replacement: bytes
) -> None:
    """The header must be one that numpy writes, and fit the bytes that follow."""
    members = dump_pipeline(Ridge().fit(ROWS, LABELS))
    name = next(
        name for name, content in members.items() if name.endswith(".npy") and b"<f8" in content
    )
    members[name] = re.sub(pattern, replacement, members[name], count=1)
    with pytest.raises(ArtifactError, match=rf"{name} is not a valid array"):
        read_back(members)


def test_a_duplicate_term_is_refused() -> None:
    """A term with two indices would shift the indices of all that follow."""
    members = dump_pipeline(CountVectorizer().fit(TEXTS))
    with pytest.raises(ArtifactError, match="a vocabulary contains a term twice"):
        read_back({**members, "vocabulary-0.txt": b"good\ngood"})
