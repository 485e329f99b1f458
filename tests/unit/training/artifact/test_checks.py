"""What cannot answer is refused by name, and the advice works when it is followed."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import DBSCAN, AgglomerativeClustering
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KernelDensity, KNeighborsClassifier, LocalOutlierFactor
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_api.errors import ArtifactError
from training.artifact.checks import check_estimator, predicted
from training.artifact.contents import without_samplers
from training.artifact.sample import sample_of

TEXTS = ["good film", "bad film", "a nice film", "awful", "good and nice", "bad and awful"]
LABELS = [1, 0, 1, 0, 1, 0]
ROWS = np.random.default_rng(0).normal(size=(20, 2))
TARGET = (ROWS[:, 0] > 0).astype(int)


def parts() -> tuple[Any, Any]:
    """Return a fitted vectorizer and a model, as many people keep them."""
    vectorizer = TfidfVectorizer()
    return vectorizer, MultinomialNB().fit(vectorizer.fit_transform(TEXTS), LABELS)


@pytest.mark.parametrize(
    "pack",
    [
        lambda vectorizer, model: (vectorizer, model),
        lambda vectorizer, model: [model, vectorizer],
        lambda vectorizer, model: {"model": model, "vectorizer": vectorizer},
        lambda vectorizer, model: [("vectorizer", vectorizer), ("model", model)],
    ],
)
def test_fitted_parts_make_a_pipeline(pack: Any) -> None:
    """The message has the line that makes one, in the order that predicts."""
    vectorizer, model = parts()
    given = pack(vectorizer, model)
    with pytest.raises(ArtifactError, match="is not a pipeline") as error:
        check_estimator(given)
    line = str(error.value).partition("the rows: ")[2].removeprefix("sklearn.pipeline.")
    pipeline = eval(line, {"make_pipeline": make_pipeline, "given": given})  # noqa: S307 - our own
    check_estimator(pipeline)
    expected = model.predict(vectorizer.transform(TEXTS))
    assert pipeline.predict(TEXTS).tolist() == expected.tolist()


def function(rows: Any) -> Any:
    return rows


class NotScikitLearn:
    """A model of some other library."""

    def predict(self, rows: Any) -> Any:
        return rows


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (LogisticRegression, "LogisticRegression is a class.*fit"),
        ({"a": LogisticRegression(), "b": LogisticRegression()}, r"a dict of models.*given\['a'\]"),
        ([LogisticRegression(), LogisticRegression()], r"a list of models.*given\[0\]"),
        ([], "a list is not a fitted estimator"),
        ((1, 2), "a tuple is not a fitted estimator"),
        (function, "function is a function.*FunctionTransformer"),
        ("model.joblib", "str is not a fitted estimator"),
        (None, "NoneType is not a fitted estimator"),
        (NotScikitLearn(), r"NotScikitLearn is not an estimator of scikit-learn; an artifact"),
        (StandardScaler(), "its last step StandardScaler is a transformer"),
        (make_pipeline(StandardScaler(), PCA()), "its last step PCA is a transformer"),
        (make_pipeline(StandardScaler(), "passthrough"), "its last step str is 'passthrough'"),
        (DBSCAN(), r"DBSCAN has no predict.*KNeighborsClassifier\(1\)"),
        (
            make_pipeline(StandardScaler(), AgglomerativeClustering()),
            "AgglomerativeClustering has no predict: it can only label",
        ),
        (LocalOutlierFactor(), "novelty=True"),
        (KernelDensity(), "KernelDensity has no predict: use an estimator"),
    ],
)
def test_what_cannot_predict_is_refused(given: Any, message: str) -> None:
    """The message says what it is, and what to do."""
    with pytest.raises(ArtifactError, match=message):
        check_estimator(given)


def test_a_search_without_a_best_estimator_is_refused() -> None:
    """It has to be fitted, with refit."""
    search = GridSearchCV(LogisticRegression(), {"C": [1, 2]}, refit=False, cv=2)
    with pytest.raises(ArtifactError, match="fitted with refit=False"):
        check_estimator(search.fit(ROWS, TARGET))
    check_estimator(search.set_params(refit=True).fit(ROWS, TARGET))


def test_clusters_without_predict_can_be_learned_by_a_classifier() -> None:
    """As the message says."""
    labels = DBSCAN(eps=1).fit_predict(ROWS)
    pipeline = KNeighborsClassifier(1).fit(ROWS, labels)
    check_estimator(pipeline)
    assert pipeline.predict(ROWS).tolist() == labels.tolist()


def unfitted() -> list[tuple[Any, str]]:
    fitted = LogisticRegression().fit(ROWS, TARGET)
    texts = MultinomialNB().fit(CountVectorizer().fit_transform(TEXTS), LABELS)
    columns = make_column_transformer((StandardScaler(), [0, 1])).fit(ROWS)
    columns.transformers_ = [("scale", StandardScaler(), [0, 1])]
    return [
        (LogisticRegression(), "^LogisticRegression is not fitted"),
        (make_pipeline(StandardScaler(), fitted), r"step 'standardscaler' \(StandardScaler\)"),
        (Pipeline([("scale", StandardScaler().fit(ROWS)), ("m", LogisticRegression())]), "'m'"),
        (make_pipeline(columns, fitted), "'columntransformer' > 'scale'"),
        (make_pipeline(FeatureUnion([("s", StandardScaler())]), fitted), "'featureunion' > 's'"),
        (make_pipeline(CountVectorizer(), texts), "'countvectorizer'"),
        (GridSearchCV(LogisticRegression(), {"C": [1]}), "GridSearchCV is not fitted"),
    ]


@pytest.mark.parametrize(("pipeline", "message"), unfitted())
def test_the_step_that_is_not_fitted_is_named(pipeline: Any, message: str) -> None:
    """A pipeline whose last step is fitted looks as if all were."""
    texts = "countvectorizer" in getattr(pipeline, "named_steps", {})
    with pytest.raises(ArtifactError, match=f"{message}.*fit the whole pipeline"):
        predicted(pipeline, TEXTS if texts else ROWS)


def test_the_step_is_named_for_arrays_as_well() -> None:
    """A pipeline that is to be asked with arrays is not hidden by what turns rows into them."""
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    sample = sample_of(ROWS, pipeline)
    with pytest.raises(
        ArtifactError, match=r"step 'standardscaler' \(StandardScaler\) is not fitted"
    ):
        predicted(sample.original(pipeline), sample.rows)


def test_what_needs_no_fit_is_fitted() -> None:
    """A hashing vectorizer, a function, and a vectorizer with a vocabulary of its own."""
    first = FeatureUnion(
        [("hash", HashingVectorizer(n_features=8)), ("words", CountVectorizer(vocabulary=["good"]))]
    )
    pipeline = make_pipeline(FunctionTransformer(), first, LogisticRegression())
    model = LogisticRegression().fit(first.transform(TEXTS), LABELS)
    pipeline = Pipeline([("same", FunctionTransformer()), ("union", first), ("model", model)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(predicted(pipeline, TEXTS)) == len(TEXTS)


def test_the_reason_why_a_pipeline_fails_is_told() -> None:
    """A pipeline of rows with two columns, asked with three."""
    pipeline = LogisticRegression().fit(ROWS, TARGET)
    with pytest.raises(ArtifactError, match="ValueError: X has 3 features"):
        predicted(pipeline, np.zeros((2, 3)))


@pytest.mark.parametrize("kind", [TfidfVectorizer, HashingVectorizer, CountVectorizer])
@pytest.mark.parametrize("source", ["filename", "file"])
def test_a_vectorizer_that_opens_files_is_refused(kind: Any, source: str, tmp_path: Path) -> None:
    """A client's text would be taken for a path; as advised, the same model takes texts."""
    paths = [tmp_path / f"{number}.txt" for number in range(len(TEXTS))]
    for path, text in zip(paths, TEXTS, strict=True):
        path.write_text(text)
    rows: Any = [str(path) for path in paths]
    vectorizer = kind(input="filename")
    pipeline = Pipeline(
        [("union", FeatureUnion([("text", vectorizer)])), ("model", LogisticRegression())]
    ).fit(rows, LABELS)
    expected = pipeline.predict_proba(rows)
    vectorizer.set_params(input=source)
    with pytest.raises(ArtifactError, match=f"{kind.__name__} has input='{source}'"):
        check_estimator(pipeline)
    vectorizer.set_params(input="content")
    check_estimator(pipeline)
    assert np.array_equal(pipeline.predict_proba(TEXTS), expected)


class Sampler(StandardScaler):  # type: ignore[misc]  # scikit-learn has no types
    """What imblearn's samplers have in common: they only change rows while fitting."""

    def fit_resample(self, rows: Any, target: Any) -> Any:
        raise NotImplementedError

    def transform(self, rows: Any) -> Any:
        raise NotImplementedError


# imblearn is not among the dependencies; this has its name, and its way of predicting.
Imblearn = type("Pipeline", (Pipeline,), {"__module__": "imblearn.pipeline"})


def test_the_samplers_of_imblearn_are_left_out() -> None:
    """Wherever such a pipeline is, what remains predicts the same; the original stays."""
    scaler = StandardScaler().fit(ROWS)
    model = LogisticRegression().fit(scaler.transform(ROWS), TARGET)
    inner = Imblearn([("over", Sampler()), ("model", model)])
    outer = Imblearn([("scale", scaler), ("under", Sampler()), ("inner", inner)])
    search = GridSearchCV(LogisticRegression(), {"C": [1]})
    search.best_estimator_ = outer
    for pipeline in (outer, search):
        found = without_samplers(pipeline)
        best = getattr(found, "best_estimator_", found)
        assert type(best) is Pipeline
        assert [name for name, _ in best.steps] == ["scale", "inner"]
        assert [name for name, _ in best.steps[1][1].steps] == ["model"]
        assert best.predict(ROWS).tolist() == model.predict(scaler.transform(ROWS)).tolist()
    assert [name for name, _ in outer.steps] == ["scale", "under", "inner"]
    assert without_samplers(model) is model
