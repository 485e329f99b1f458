"""What comes out of a fitted pipeline: the task, and words for its labels."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import AffinityPropagation, BisectingKMeans, KMeans, MeanShift
from sklearn.covariance import EllipticEnvelope
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifierCV
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, OneClassSVM

from sklearn_api.signature import Label
from training.errors import TrainingError
from training.signature import infer_signature

RNG = np.random.default_rng(3)
ROWS = RNG.normal(size=(60, 3))
TWO = (ROWS[:, 0] > 0).astype(int)
THREE = np.where(ROWS[:, 1] > 0, "up", np.where(TWO, "down", "on"))
SEVERAL = (ROWS > 0).astype(int)


def outputs(estimator: Any, target: Any = None, **keywords: Any) -> tuple[str, list[Label]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        signature = infer_signature(estimator.fit(ROWS, target), ROWS, **keywords)
    return signature.task, list(signature.labels)


@pytest.mark.parametrize(
    ("target", "task", "labels"),
    [
        (TWO, "binary", [(0, "0"), (1, "1")]),
        (TWO.astype(float), "binary", [(0.0, "0"), (1.0, "1")]),
        (TWO.astype(bool), "binary", [(False, "false"), (True, "true")]),
        (np.where(TWO, "spam", "ham"), "binary", [("ham", "ham"), ("spam", "spam")]),
        (THREE, "multiclass", [("down", "down"), ("on", "on"), ("up", "up")]),
        (THREE.astype(object), "multiclass", [("down", "down"), ("on", "on"), ("up", "up")]),
    ],
)
def test_words_are_made_of_classes(target: Any, task: str, labels: Any) -> None:
    """A string is its own word; of numbers and booleans, the word is what JSON would show."""
    assert outputs(LogisticRegression(), target) == (task, [Label(*pair) for pair in labels])
    types = {type(label) for label, _ in labels}
    assert {type(one.label) for one in outputs(LogisticRegression(), target)[1]} == types


@pytest.mark.parametrize("keys", [(0, 1), ("0", "1"), (0.0, 1.0)])
def test_words_can_be_given(keys: tuple[Any, Any]) -> None:
    """By the classes themselves, or as they are typed on a command line."""
    words = dict(zip(keys, ("stays", "leaves"), strict=True))
    found = outputs(LogisticRegression(), TWO, labels=words)[1]
    assert found == [Label(0, "stays"), Label(1, "leaves")]


def test_words_are_plain_strings() -> None:
    """Names in scikit-learn's own data sets are numpy's."""
    words = dict(enumerate(np.array(["stays", "leaves"])))
    found = outputs(LogisticRegression(), TWO, labels=words)[1]
    assert {type(one.word) for one in found} == {str}


@pytest.mark.parametrize("keys", [("true", "false"), ("True", "False"), (True, False)])
def test_words_can_be_given_for_booleans(keys: tuple[Any, Any]) -> None:
    """As Python or JSON writes them."""
    words = dict(zip(keys, ("yes", "no"), strict=True))
    found = outputs(LogisticRegression(), TWO.astype(bool), labels=words)[1]
    assert found == [Label(False, "no"), Label(True, "yes")]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({0: "a"}, "no word was given for 1.*Its classes are 0, 1"),
        ({0: "a", 1: "b", 2: "c"}, "no class 2"),
        ({0: "a", 1: "a"}, "the classes 0 and 1 have the same word 'a'"),
        ({0: "a", 1: " "}, "the word for the class 1 is ' '"),
        ({0: "a", 1: 5}, "the word for the class 1 is 5"),
    ],
)
def test_words_have_to_fit_the_classes(words: Any, message: str) -> None:
    """The message names the classes that they do not fit."""
    with pytest.raises(TrainingError, match=message):
        outputs(LogisticRegression(), TWO, labels=words)


def test_a_regression_has_no_words() -> None:
    """Numbers are answered as they are; words for them would be ignored."""
    assert outputs(LinearRegression(), ROWS[:, 0]) == ("regression", [])
    assert outputs(PLSRegression(1), ROWS[:, 0]) == ("regression", [])
    with pytest.raises(TrainingError, match="words were given for labels"):
        outputs(LinearRegression(), ROWS[:, 0], labels={0: "a"})


@pytest.mark.parametrize(
    "estimator",
    [
        IsolationForest(n_estimators=5),
        OneClassSVM(),
        LocalOutlierFactor(novelty=True),
        EllipticEnvelope(),
        make_pipeline(StandardScaler(), IsolationForest(n_estimators=5)),
    ],
)
def test_outliers_and_inliers_have_words(estimator: Any) -> None:
    """Every detector of scikit-learn predicts -1 and 1."""
    assert outputs(estimator) == ("outlier", [Label(-1, "outlier"), Label(1, "inlier")])


@pytest.mark.parametrize(
    ("estimator", "count"),
    [
        (KMeans(3, n_init=1), 3),
        (BisectingKMeans(4), 4),
        (make_pipeline(StandardScaler(), KMeans(2, n_init=1)), 2),
        (GaussianMixture(3), 3),
        (MeanShift(), None),
        (AffinityPropagation(), None),
        (GridSearchCV(KMeans(2, n_init=1), {"n_clusters": [2]}, cv=2), 2),
    ],
)
def test_clusters_are_numbered(estimator: Any, count: int | None) -> None:
    """As many as there are, in the order of their probabilities."""
    task, labels = outputs(estimator)
    assert task == "cluster"
    count = len(estimator.cluster_centers_) if count is None else count
    assert labels == [Label(number, str(number)) for number in range(count)]


@pytest.mark.parametrize(
    "estimator",
    [
        OneVsRestClassifier(LogisticRegression()),
        MultiOutputClassifier(LogisticRegression()),
        ClassifierChain(LogisticRegression()),
        RandomForestClassifier(5),
        KNeighborsClassifier(),
        MLPClassifier((4,), max_iter=20),
        RidgeClassifierCV(),
    ],
)
def test_several_labels_are_numbered_or_named_by_the_columns(estimator: Any) -> None:
    """The order is that of the columns which the pipeline was fitted on."""
    task, labels = outputs(estimator, SEVERAL)
    assert (task, labels) == ("multilabel", [Label(n, str(n)) for n in range(3)])
    named = pd.DataFrame(SEVERAL, columns=["late", "broken", "rude"])
    _, labels = outputs(estimator, named, targets=named)
    assert labels == [Label(0, "late"), Label(1, "broken"), Label(2, "rude")]
    _, labels = outputs(estimator, named, targets=named, labels={"late": "L", 1: "B", "2": "R"})
    assert [one.word for one in labels] == ["L", "B", "R"]


def test_a_discriminant_analysis_is_a_classifier() -> None:
    """Although it has components, as mixtures have."""
    assert outputs(LinearDiscriminantAnalysis(n_components=1), TWO)[0] == "binary"


class WithoutMixin(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A classifier that does not say that it is one."""

    def fit(self, rows: Any, target: Any = None) -> "WithoutMixin":
        self.fitted_ = True
        return self

    def predict(self, rows: Any) -> Any:
        return np.zeros(len(rows))


class WithoutClasses(ClassifierMixin, WithoutMixin):  # type: ignore[misc]  # as above
    """A classifier that does not say what it may predict."""


class Duck:
    """It looks like an estimator."""

    def fit(self, rows: Any, target: Any) -> "Duck":
        return self

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {}

    def predict(self, rows: Any) -> Any:
        return np.zeros(len(rows))


class Surprising(LogisticRegression):  # type: ignore[misc]  # as above
    """A classifier that predicts what is not among its classes."""

    def predict(self, rows: Any) -> Any:
        return np.full(len(rows), 7)


WEEKS = pd.date_range("2026-01-01", periods=2).to_numpy()


@pytest.mark.parametrize(
    ("estimator", "target", "message"),
    [
        (LinearRegression(), ROWS, "predicts 3 numbers for each row.*a pipeline for each"),
        (MultiOutputRegressor(LinearRegression()), ROWS, "predicts 3 numbers for each row"),
        (
            MultiOutputClassifier(LogisticRegression()),
            np.column_stack([TWO, THREE]),
            "number 0 has the classes '0', '1'.*a table of 0 and 1",
        ),
        (
            RandomForestClassifier(3),
            np.column_stack([TWO, TWO + 1]),
            "number 1 has the classes 1, 2",
        ),
        (
            RandomForestClassifier(3),
            np.column_stack([TWO, np.zeros(60, int)]),
            "label 1 was 0 in all rows",
        ),
        (DummyClassifier(), np.ones(60), "fitted on one class only, 1.0"),
        (WithoutMixin(), None, "WithoutMixin does not say what it predicts.*ClassifierMixin"),
        (WithoutClasses(), None, r"without the attribute classes_.*numpy\.unique\(y\)"),
        (Duck(), None, "Duck does not say what it predicts"),
        (Surprising(), TWO, "predicts '7', and its labels are 0, 1"),
        (DummyClassifier(), WEEKS[TWO], "is of type .*fit again on strings"),
        (SVC(), np.where(TWO, "", "a"), "the word for the class '' is ''"),
    ],
)
def test_what_has_no_words_is_refused(estimator: Any, target: Any, message: str) -> None:
    """The message says what to fit instead."""
    with pytest.raises(TrainingError, match=message):
        outputs(estimator, target)


def test_names_of_labels_have_to_be_as_many() -> None:
    """Targets of another pipeline name other labels."""
    pipeline = MultiOutputClassifier(LogisticRegression())
    with pytest.raises(TrainingError, match="predicts 3 labels, and the targets have 2 columns"):
        outputs(pipeline, SEVERAL, targets=pd.DataFrame(SEVERAL[:, :2], columns=["a", "b"]))


def test_texts_have_tasks_too() -> None:
    """The task depends on the last step alone."""
    texts = ["good", "bad", "nice", "awful"] * 3
    pipeline = make_pipeline(TfidfVectorizer(), LinearRegression()).fit(texts, range(12))
    assert infer_signature(pipeline, texts).task == "regression"
    pipeline = make_pipeline(TfidfVectorizer(), KMeans(2, n_init=1)).fit(texts)
    assert infer_signature(pipeline, texts).task == "cluster"
