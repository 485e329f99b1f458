"""Models of every task are measured on texts and on DataFrames."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import IsolationForest, RandomForestClassifier, VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from sklearn_api.calibration import OneAgainstRest, Sigmoid, Temperature
from sklearn_api.signature import (
    BINARY,
    CLUSTER,
    MULTICLASS,
    MULTILABEL,
    NUMBER,
    OUTLIER,
    REGRESSION,
    TABLE,
    Input,
    Label,
    Signature,
)
from tests.helpers import customers
from training.errors import TrainingError
from training.evaluation import (
    Binary,
    Multiclass,
    Multilabel,
    Regression,
    Unmeasured,
    evaluate,
    seen_rows,
)
from training.signature import text_signature

WORDS = {0: "good nice fine", 1: "bad awful poor", 2: "late slow never"}
TEXTS = [
    f"{word} thing {number}" for number in range(9) for word in " ".join(WORDS.values()).split()
]
CLASSES = np.array([row % 9 // 3 for row in range(len(TEXTS))])
TWO = CLASSES == 1


def table(task: str, labels: Any = ()) -> Signature:
    """Return a signature of the customers' table, which an evaluation does not look into."""
    return Signature(
        TABLE, task, (Input("tenure", NUMBER),), tuple(Label(one, f"<{one}>") for one in labels)
    )


def of_customers(estimator: Any, target: Any) -> Any:
    """Return a pipeline that names columns of a DataFrame, fitted on part of the customers."""
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["plan", "region"]), ("passthrough", ["tenure"])
    )
    frame = customers.customers()[customers.TRAINED]
    return make_pipeline(columns, estimator).fit(frame, target[customers.TRAINED])


def held_out() -> Any:
    return customers.customers()[customers.HELD_OUT]


@pytest.mark.parametrize(
    "labels", [(0, 1), (False, True), ("no", "yes"), (1.0, 5.0), ("0", "1"), (-1, 1)]
)
def test_classes_may_be_any_labels(labels: Any) -> None:
    """Numbers, words and booleans are found in the signature as the estimator has them."""
    targets = np.array(labels)[TWO.astype(int)]
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0)).fit(TEXTS, targets)
    found = evaluate(pipeline, Sigmoid(2.0, 0.1), text_signature(labels), TEXTS, targets)
    assert isinstance(found, Binary)
    metrics = found.metrics()
    assert metrics["accuracy"] == metrics["roc_auc"] == 1
    assert metrics["confusion"] == [[54, 0], [0, 27]]
    json.dumps(metrics, allow_nan=False)
    wrong = evaluate(pipeline, Sigmoid(2.0, 0.1), text_signature(labels), TEXTS, targets[::-1])
    assert wrong.metrics()["accuracy"] == pytest.approx((targets == targets[::-1]).mean(), abs=1e-6)


def test_all_texts_are_scored_in_order() -> None:
    """Texts are predicted in chunks, and the pipeline's figures are those of one call."""
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0)).fit(TEXTS, CLASSES)
    many, targets = TEXTS * 30, np.tile(CLASSES, 30)
    advances: list[int] = []
    signature = text_signature([0, 1, 2])
    found = evaluate(pipeline, None, signature, many, targets, progress=advances.append)
    assert isinstance(found, Multiclass)
    assert sum(advances) == len(many)
    assert len(advances) == 3
    np.testing.assert_array_equal(found.scores, pipeline.decision_function(many))
    np.testing.assert_array_equal(found.predicted, pipeline.predict(many))
    assert found.probabilities is None


@pytest.mark.parametrize(
    "calibration",
    [Temperature(1.5), OneAgainstRest((Sigmoid(1.0, 0.0), Sigmoid(2.0, -0.5), Sigmoid(0.5, 0.2)))],
)
def test_calibrated_probabilities_are_those_that_are_served(calibration: Any) -> None:
    """They come from the decision scores, although the estimator has probabilities as well."""
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, CLASSES)
    found = evaluate(pipeline, calibration, text_signature([0, 1, 2]), TEXTS, CLASSES)
    assert isinstance(found, Multiclass)
    assert found.probabilities is not None
    scores = pipeline.decision_function(TEXTS)
    expected = [calibration.probabilities(row) for row in scores.tolist()]
    np.testing.assert_allclose(found.probabilities, expected, rtol=1e-12)
    plain = evaluate(pipeline, None, text_signature([0, 1, 2]), TEXTS, CLASSES)
    assert isinstance(plain, Multiclass)
    np.testing.assert_array_equal(plain.probabilities, pipeline.predict_proba(TEXTS))


def test_a_sigmoid_calibrates_the_probabilities_of_a_forest() -> None:
    """Without a decision function, the probability of the second class is the score."""
    target = customers.churned()
    pipeline = of_customers(RandomForestClassifier(9, random_state=0), target)
    rows, right = held_out(), target[customers.HELD_OUT]
    found = evaluate(pipeline, Sigmoid(4.0, -2.0), table(BINARY, [False, True]), rows, right)
    assert isinstance(found, Binary)
    given = pipeline.predict_proba(rows)[:, 1]
    assert found.probabilities is not None
    np.testing.assert_allclose(found.probabilities[:, 1], 1 / (1 + np.exp(-(4 * given - 2))))


def test_scores_of_pairs_of_classes_are_not_used() -> None:
    """Three pairs of four classes are not scores of these classes."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 2))
    targets = np.arange(40) % 4
    model = SVC(decision_function_shape="ovo").fit(rows, targets)
    found = evaluate(model, None, table(MULTICLASS, range(4)), rows, targets)
    assert isinstance(found, Multiclass)
    assert found.scores is None
    assert found.metrics()["accuracy"] == pytest.approx(model.score(rows, targets))


@pytest.mark.filterwarnings("error")
def test_classes_may_be_missing_from_the_rows() -> None:
    """Figures of a class that no row has are undefined, and the others are as ever."""
    target = customers.classes()
    pipeline = of_customers(DecisionTreeClassifier(random_state=0), target)
    labels = pipeline.classes_.tolist()
    frame = customers.customers()[target == "leaves"]
    found = evaluate(pipeline, None, table(MULTICLASS, labels), frame, ["leaves"] * len(frame))
    metrics = found.metrics()
    assert metrics["classes"]["<waits>"]["support"] == 0
    assert metrics["classes"]["<waits>"]["recall"] is None
    assert metrics["accuracy"] == pytest.approx(
        pipeline.score(frame, ["leaves"] * len(frame)), abs=1e-6
    )
    two = of_customers(GaussianNB(), customers.churned())
    alone = customers.customers()[customers.churned()]
    signature = table(BINARY, [False, True])
    only = evaluate(two, None, signature, alone, [True] * len(alone)).metrics()
    assert only["roc_auc"] is None
    assert only["recall"] == only["accuracy"]


def test_hard_voting_has_no_probabilities() -> None:
    """There are neither scores nor probabilities, so there are no figures of them."""
    target = customers.churned()
    voting = VotingClassifier([("tree", DecisionTreeClassifier()), ("bayes", GaussianNB())])
    pipeline = of_customers(voting, target)
    signature = table(BINARY, [False, True])
    found = evaluate(pipeline, None, signature, held_out(), target[customers.HELD_OUT])
    assert isinstance(found, Binary)
    assert found.scores is found.probabilities is None
    assert found.metrics()["roc_auc"] is found.metrics()["ece"] is None
    assert found.worst(3) == [
        int(row) for row in np.flatnonzero(found.truth != found.predicted)[:3]
    ]


@pytest.mark.parametrize(
    "model",
    [
        MultiOutputClassifier(LogisticRegression()),
        OneVsRestClassifier(LogisticRegression()),
        OneVsRestClassifier(LinearSVC()),
        DecisionTreeClassifier(random_state=0),
    ],
)
@pytest.mark.parametrize("form", [np.asarray, csr_matrix, pd.DataFrame])
def test_several_labels(model: Any, form: Any) -> None:
    """Indicators may be dense, sparse or a DataFrame; probabilities are those of each label."""
    indicators = np.column_stack([CLASSES == 0, TWO, CLASSES != 2]).astype(int)
    pipeline = make_pipeline(TfidfVectorizer(), model).fit(TEXTS, indicators)
    signature = Signature(
        "text", MULTILABEL, text_signature([0, 1]).inputs, tuple(Label(x, x) for x in "abc")
    )
    found = evaluate(pipeline, None, signature, TEXTS, form(indicators))
    assert isinstance(found, Multilabel)
    assert found.metrics()["micro_f1"] > 0.9
    if hasattr(model, "predict_proba"):
        assert found.probabilities is not None
        assert ((found.probabilities > 0.5) == found.predicted).all()
    else:
        assert found.probabilities is None


def test_a_label_that_all_rows_have_leaves_no_probabilities() -> None:
    """A tree then has one probability for it, and nobody knows of which of its values."""
    indicators = np.column_stack([CLASSES == 0, np.ones(len(TEXTS))]).astype(int)
    model = DecisionTreeClassifier(random_state=0)
    pipeline = make_pipeline(TfidfVectorizer(), model).fit(TEXTS, indicators)
    signature = Signature(
        "text", MULTILABEL, text_signature([0, 1]).inputs, tuple(Label(x, x) for x in "ab")
    )
    found = evaluate(pipeline, None, signature, TEXTS, indicators)
    assert isinstance(found, Multilabel)
    assert found.probabilities is None
    assert found.metrics()["subset_accuracy"] == 1


def test_numbers() -> None:
    """A regression on a DataFrame; targets may be a column of their own."""
    target = customers.prices()
    pipeline = of_customers(LinearRegression(), target)
    right = target[customers.HELD_OUT]
    found = evaluate(pipeline, None, table(REGRESSION), held_out(), right.reshape(-1, 1))
    assert isinstance(found, Regression)
    assert found.metrics()["r2"] == pytest.approx(pipeline.score(held_out(), right), abs=1e-6)


def test_clusters_and_outliers_are_counted() -> None:
    """They have no right answers; how many rows each of them takes is known."""
    frame = held_out()[["tenure", "calls"]]
    clusters = KMeans(3, random_state=0, n_init=1).fit(frame)
    found = evaluate(clusters, None, table(CLUSTER, range(3)), frame, None)
    assert isinstance(found, Unmeasured)
    counted = found.metrics()["predicted"]
    assert [*counted.values()] == np.bincount(clusters.labels_).tolist()
    forest = IsolationForest(random_state=0).fit(frame)
    outliers = evaluate(forest, None, table(OUTLIER, [-1, 1]), frame, None).metrics()["predicted"]
    assert sum(outliers.values()) == len(frame)
    assert outliers["<-1>"] == (forest.predict(frame) == -1).sum()


def test_without_targets_a_classifier_is_counted() -> None:
    """An imported model may come with rows alone."""
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0)).fit(TEXTS, CLASSES)
    found = evaluate(pipeline, None, text_signature([0, 1, 2]), TEXTS, None)
    assert found.metrics()["predicted"] == {"0": 27, "1": 27, "2": 27}


def test_a_pipeline_with_its_own_way_to_transform_is_asked_whole() -> None:
    """A derived class, such as imbalanced-learn's, may leave out steps when it predicts."""

    class Skips(Pipeline):  # type: ignore[misc]  # scikit-learn ships no types
        predict_proba = property()  # it has none

        def predict(self, X: Any) -> Any:
            return self[-1].predict(self[0].transform(X))

    def fail(rows: Any) -> Any:
        raise AssertionError("this step is left out when the pipeline predicts")

    vectorizer = TfidfVectorizer().fit(TEXTS)
    model = DecisionTreeClassifier(random_state=0).fit(vectorizer.transform(TEXTS), CLASSES)
    steps = [("words", vectorizer), ("skipped", FunctionTransformer(fail)), ("tree", model)]
    found = evaluate(Skips(steps), None, text_signature([0, 1, 2]), TEXTS, CLASSES)
    assert found.metrics()["accuracy"] == 1


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (["a"] * 80 + ["b"], "targets contain 'a', 'b', which are not among .* labels: 0, 1, 2"),
        ([3, 4, 5, 6, 7, 8, 9, 10, 11] * 9, "contain 3, 4, 5, 6, 7 and 4 more"),
        ([np.nan] * 81, "contain nan"),
        ([0, 1], "2 targets for 81 rows"),
        ([["a", "b"], ["a"]] * 40 + [["a"]], "one label each"),
    ],
)
def test_targets_that_do_not_fit_are_refused(targets: Any, message: str) -> None:
    """The message shows what is not a label of the model, and which there are."""
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0)).fit(TEXTS, CLASSES)
    with pytest.raises(TrainingError, match=message):
        evaluate(pipeline, None, text_signature([0, 1, 2]), TEXTS, targets)


def test_predictions_without_a_word_are_refused() -> None:
    """A signature that does not fit the model is found before anything is published."""
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0)).fit(TEXTS, CLASSES)
    with pytest.raises(TrainingError, match="predictions contain 2, which are not among"):
        evaluate(pipeline, None, text_signature([0, 1]), TEXTS, TWO.astype(int))


@pytest.mark.parametrize(
    ("task", "labels", "targets", "message"),
    [
        (REGRESSION, (), ["a"] * 40, "one number a row: could not convert"),
        (REGRESSION, (), np.ones((40, 2)), "one number a row"),
        (REGRESSION, (), [1.0] * 30 + [np.nan] * 10, "10 of the targets .* first in row 30"),
        (MULTILABEL, (0, 1), [0, 1] * 20, r"2 columns, .* have shape \(40,\)"),
        (MULTILABEL, (0, 1), np.full((40, 2), 2), "matrix of 0 and 1"),
    ],
)
def test_numbers_and_indicators_that_do_not_fit_are_refused(
    task: str, labels: Any, targets: Any, message: str
) -> None:
    """What is no number, or no indicator for each label, cannot be compared."""
    pipeline = of_customers(LinearRegression(), customers.prices())
    with pytest.raises(TrainingError, match=message):
        evaluate(pipeline, None, table(task, labels), held_out(), targets)


def test_no_rows_are_refused() -> None:
    """Nothing can be said about a model without a row."""
    with pytest.raises(TrainingError, match="no rows to measure"):
        evaluate(LinearSVC(), None, text_signature([0, 1]), [], [])


def test_texts_may_be_a_series_with_an_index_of_its_own() -> None:
    """Rows are counted by their position, as those of a held-out part of a Series are."""
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0)).fit(TEXTS, CLASSES)
    series = pd.Series(TEXTS, index=range(100, 181))
    found = evaluate(pipeline, None, text_signature([0, 1, 2]), series, pd.Series(CLASSES))
    assert found.rows == TEXTS
    assert found.metrics()["accuracy"] == 1


def test_a_search_is_asked_as_its_best_pipeline() -> None:
    """The answers are those of the search itself."""
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression())
    search = GridSearchCV(pipeline, {"logisticregression__C": [0.1, 10]}, cv=2)
    search.fit(TEXTS, CLASSES)
    found = evaluate(search, None, text_signature([0, 1, 2]), TEXTS, CLASSES)
    assert isinstance(found, Multiclass)
    np.testing.assert_array_equal(found.predicted, search.predict(TEXTS))
    np.testing.assert_array_equal(found.probabilities, search.predict_proba(TEXTS))


def test_rows_may_be_an_array() -> None:
    """A table without names is one of positions."""
    rows = np.random.default_rng(0).normal(size=(50, 2))
    model = LinearRegression().fit(rows, rows[:, 0])
    found = evaluate(
        model, None, table(REGRESSION), rows, rows[:, 0], seen=seen_rows(rows, rows[:20])
    )
    assert found.metrics()["r2"] == 1
    assert found.metrics()["rows_seen"] == 20


def test_seen_rows_are_found_by_their_values() -> None:
    """Equal texts, and equal rows of DataFrames, whatever their index; gaps are equal too."""
    assert seen_rows(["a", "b", "a"], ["a", "c"]).tolist() == [True, False, True]
    frame = customers.categorical(customers.customers())
    gaps = frame[frame.isna().any(axis=1)]
    rows = pd.concat([frame[100:], gaps[:3]]).reset_index(drop=True)
    found = seen_rows(rows, frame[:100])
    assert found.tolist() == [False] * (len(frame) - 100) + [True] * 3
    assert evaluate(
        of_customers(GaussianNB(), customers.churned()), None, table(BINARY, [False, True]),
        held_out(), customers.churned()[customers.HELD_OUT],
        seen=seen_rows(held_out(), customers.customers()[customers.TRAINED]),
    ).metrics()["rows_seen"] == 0  # fmt: skip
