"""Compiled models predict the same labels and scores as scikit-learn, for every text."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.linear_model import (
    LogisticRegression,
    PassiveAggressiveClassifier,
    Perceptron,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.naive_bayes import BernoulliNB, ComplementNB, MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import Normalizer
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from sklearn_api.artifact.archive import Archive
from sklearn_api.calibration import Calibration, Sigmoid
from sklearn_api.compiled import analyzers
from sklearn_api.compiled.model import CompiledModel
from sklearn_api.errors import ArtifactError
from sklearn_api.load import load_model
from sklearn_api.model import Prediction
from sklearn_api.sklearn_model import SklearnModel
from tests.helpers.stored import predict_one, stored
from training.artifact.members import write_archive
from training.artifact.write import TOLERANCE

LIMIT = 100_000_000
TEXTS = [
    "A good film, a very good film!", "bad film?", "The café was naïve; İstanbul straße ﬁn.",
    "awful\nand\tbad", "nice and good 12 times", "the worst of the worst", "中文 हिन्दी שלום good",
    "so so", "not bad, not good", "good " * 9, "I like it a lot", "it is a bore",
]  # fmt: skip
TWO = [1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0]
THREE = ["pos", "neg", "pos", "neg", "pos", "neg", "pos", "so-so", "so-so", "pos", "pos", "neg"]

VECTORIZERS: dict[str, Any] = {
    "tfidf": TfidfVectorizer(),
    "count": CountVectorizer(),
    "hashing": HashingVectorizer(n_features=64),
    "hashing without signs": HashingVectorizer(n_features=50, alternate_sign=False, norm="l1"),
    "hashing of presence": HashingVectorizer(n_features=16, binary=True, norm=None),
    "words and marks": TfidfVectorizer(token_pattern=r"(?u)\b\w+\b|[!?]", ngram_range=(1, 4)),
    "groups": CountVectorizer(token_pattern=r"(?u)\b(\w)\w*\b", ngram_range=(1, 2)),
    "blanks are words": CountVectorizer(token_pattern=r"(?u)\w+|\s", ngram_range=(1, 3)),
    "no words at all": CountVectorizer(token_pattern=r"\w*", ngram_range=(1, 2)),
    "bigrams": TfidfVectorizer(ngram_range=(2, 3), sublinear_tf=True, norm="l1"),
    "stop words": TfidfVectorizer(stop_words="english", ngram_range=(1, 2)),
    "own stop words": TfidfVectorizer(stop_words=["good", "bad"], use_idf=False),
    "accents": TfidfVectorizer(strip_accents="unicode", smooth_idf=False),
    "ascii": TfidfVectorizer(strip_accents="ascii", norm=None),
    "case": CountVectorizer(lowercase=False, binary=True),
    "characters": TfidfVectorizer(analyzer="char", ngram_range=(1, 3)),
    "longer characters": CountVectorizer(analyzer="char", ngram_range=(2, 4)),
    "inner characters": TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)),
    "long inner characters": CountVectorizer(analyzer="char_wb", ngram_range=(6, 7)),
    "vocabulary": CountVectorizer(vocabulary=["good", "bad", "film", "a good"], ngram_range=(1, 2)),
    "two steps": Pipeline([("c", CountVectorizer()), ("t", TfidfTransformer(sublinear_tf=True))]),
    "normalized": Pipeline([("c", CountVectorizer()), ("n", Normalizer("l1"))]),
    "union": FeatureUnion(
        [
            ("words", TfidfVectorizer(ngram_range=(1, 2))),
            ("letters", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3))),
            ("hashes", HashingVectorizer(n_features=32)),
            ("none", "drop"),
        ],
        transformer_weights={"words": 0.5, "hashes": -2.0},
    ),
    "union of pipelines": make_union(
        make_pipeline(CountVectorizer(), TfidfTransformer()), CountVectorizer(analyzer="char")
    ),
}
# Models with these vectorizers have three classes in the test of any text, the others two.
WITH_THREE_CLASSES = {
    "groups", "blanks are words", "stop words", "own stop words", "case", "characters",
    "inner characters", "vocabulary", "normalized", "union of pipelines",
}  # fmt: skip
CLASSIFIERS: dict[str, Any] = {
    "LinearSVC": LinearSVC(random_state=0),
    "LinearSVC without intercept": LinearSVC(random_state=0, fit_intercept=False),
    "LogisticRegression": LogisticRegression(),
    "SGDClassifier": SGDClassifier(random_state=0),
    "SGDClassifier log": SGDClassifier(loss="log_loss", random_state=0),
    "SGDClassifier huber": SGDClassifier(loss="modified_huber", random_state=0),
    "RidgeClassifier": RidgeClassifier(),
    "Perceptron": Perceptron(random_state=0),
    "PassiveAggressive": PassiveAggressiveClassifier(random_state=0),
    "MultinomialNB": MultinomialNB(),
    "ComplementNB": ComplementNB(),
    "ComplementNB normed": ComplementNB(norm=True),
    "BernoulliNB": BernoulliNB(),
    "BernoulliNB above": BernoulliNB(binarize=0.3),
    "calibrated": CalibratedClassifierCV(LinearSVC(random_state=0), cv=2),
    "calibrated once": CalibratedClassifierCV(LogisticRegression(), cv=2, ensemble=False),
}
WORDS = [
    "good", "Bad", "film", "a", "the", "worst", "café", "cafe\u0301", "ﬁn", "!", "?", "\n", "\u0130",
]  # fmt: skip
VALUES = st.none() | st.booleans() | st.integers(-1, 3) | st.floats() | st.text(max_size=3)


def forms(
    pipeline: Any, calibration: Calibration | None = None
) -> tuple[SklearnModel, CompiledModel]:
    """Return both forms of a fitted pipeline, read from one artifact."""
    content = stored(pipeline, calibration, rows=TEXTS).content
    original = load_model(content, LIMIT, "sklearn")
    compiled = load_model(content, LIMIT, "compiled")
    assert isinstance(original, SklearnModel)
    assert isinstance(compiled, CompiledModel)
    return original, compiled


def assert_same(one: Prediction, other: Prediction) -> None:
    assert one.value == other.value
    assert type(one.value) is type(other.value)
    assert one.score == pytest.approx(other.score, rel=TOLERANCE, abs=TOLERANCE)
    assert (one.probability is None) == (other.probability is None)
    if one.probability is not None:
        assert one.probability == pytest.approx(other.probability, abs=TOLERANCE)


def fitted(vectorizer: str, classifier: str, labels: list[Any]) -> Any:
    steps = clone(VECTORIZERS[vectorizer]), clone(CLASSIFIERS[classifier])
    return make_pipeline(*steps).fit(TEXTS, labels)


@pytest.fixture(scope="module", params=VECTORIZERS)
def both_forms(request: pytest.FixtureRequest) -> tuple[SklearnModel, CompiledModel]:
    """Return both forms of a model with each vectorizer."""
    labels = THREE if request.param in WITH_THREE_CLASSES else TWO
    return forms(fitted(request.param, "LogisticRegression", labels))


@pytest.fixture(scope="module")
def perceptron() -> tuple[SklearnModel, CompiledModel]:
    """Return both forms of a model whose labels depend on rounding: integers lead to ties."""
    vectorizer = CountVectorizer(ngram_range=(1, 2))
    return forms(make_pipeline(vectorizer, clone(CLASSIFIERS["Perceptron"])).fit(TEXTS, TWO))


@pytest.fixture(scope="module")
def ngrams_artifact() -> bytes:
    """Return an artifact whose compiled form has n-grams and three classes."""
    return stored(fitted("words and marks", "LogisticRegression", THREE)).content


@pytest.mark.filterwarnings("ignore:Class PassiveAggressiveClassifier is deprecated")
@pytest.mark.parametrize("labels", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("classifier", CLASSIFIERS)
@pytest.mark.parametrize("vectorizer", ["tfidf", "count", "union of pipelines"])
def test_every_classifier_is_compiled(vectorizer: str, classifier: str, labels: list[Any]) -> None:
    """With two classes and with more, labels, scores and probabilities are scikit-learn's."""
    original, compiled = forms(fitted(vectorizer, classifier, labels))
    texts = [*TEXTS, "", "unknown", "good bad good", "x" * 1000, "\ud800 good"]
    for text, expected in zip(texts, original.predict(texts), strict=True):
        assert_same(predict_one(compiled, text), expected)


@settings(deadline=None)
@given(
    text=st.text(max_size=200)
    | st.text(st.characters(max_codepoint=0x17F), max_size=200)
    | st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=30).map(" ".join)
)
def test_both_forms_agree_on_any_text(
    both_forms: tuple[SklearnModel, CompiledModel], text: str
) -> None:
    """Whatever characters a text consists of, both forms make the same prediction."""
    original, compiled = both_forms
    assert_same(predict_one(compiled, text), predict_one(original, text))


def test_a_calibration_gives_the_probability() -> None:
    """Both forms apply the calibration that is stored with the pipeline."""
    calibration = Sigmoid(1.5, -0.25)
    original, compiled = forms(fitted("tfidf", "LinearSVC", TWO), calibration)
    for text in TEXTS:
        assert_same(predict_one(compiled, text), predict_one(original, text))
        assert predict_one(compiled, text).probability == pytest.approx(
            calibration.probability(predict_one(original, text).score or 0.0)
        )


@pytest.mark.parametrize(
    ("pipeline", "reason"),
    [
        (
            make_pipeline(TfidfVectorizer(), DecisionTreeClassifier()),
            "DecisionTreeClassifier is not",
        ),
        (make_pipeline(TfidfVectorizer(), TruncatedSVD(2), LinearSVC()), "TruncatedSVD is between"),
        (make_pipeline(TfidfVectorizer(dtype=np.float32), LinearSVC()), "float32"),
        (
            make_pipeline(
                TfidfVectorizer(),
                CalibratedClassifierCV(LinearSVC(), cv=2, method="isotonic"),
            ),
            "IsotonicRegression",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_reason_for_no_compiled_form_is_reported(pipeline: Any, reason: str) -> None:
    """A pipeline that cannot be compiled is stored with the reason, and still serves."""
    pipeline.fit(TEXTS, TWO)
    content = stored(pipeline).content
    model = load_model(content, LIMIT)
    assert model.form == "sklearn"
    assert predict_one(model, "good film").value in (0, 1)
    with pytest.raises(ArtifactError, match=reason) as caught:
        load_model(content, LIMIT, "compiled")
    assert "MODEL_FORM is 'compiled'" in str(caught.value)


@settings(deadline=None)
@given(text=st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join))
def test_ties_are_decided_as_in_scikit_learn(
    perceptron: tuple[SklearnModel, CompiledModel], text: str
) -> None:
    """If two classes differ only by rounding, both forms still predict the same label."""
    original, compiled = perceptron
    assert_same(predict_one(compiled, text), predict_one(original, text))


def test_a_compiled_form_that_differs_on_a_row_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the forms differ on one row, the artifact has no compiled form and the reason names it."""
    # No pipeline is known for which they differ, so the tokenizer is made to lose words.
    monkeypatch.setitem(analyzers._WORDS, r"(?u)\b\w\w+\b", (False, "m"))
    pipeline = fitted("tfidf", "LinearSVC", TWO)
    content = stored(pipeline, rows=["unknown", "a good film"]).content
    with pytest.raises(ArtifactError, match=r"on text 1: compiled .*, scikit-learn "):
        load_model(content, LIMIT, "compiled")


@settings(deadline=None)
@given(data=st.data())
def test_damage_is_refused_or_harmless(ngrams_artifact: bytes, data: st.DataObject) -> None:
    """A changed plan predicts, or raises `ArtifactError` at the latest at a prediction."""
    archive = Archive(ngrams_artifact, LIMIT)
    members = {name: archive.read(name) for name in archive.names}
    plan = json.loads(members["compiled.json"])
    holder: Any = plan
    while isinstance(holder, (dict, list)) and holder:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(holder[key], (dict, list)) or data.draw(st.booleans()):
            holder[key] = data.draw(VALUES | st.lists(VALUES, max_size=3))
            break
        holder = holder[key]
    members["compiled.json"] = json.dumps(plan).encode()
    changed = write_archive(members)
    try:
        model = load_model(changed, LIMIT)
        for text in TEXTS:
            predict_one(model, text)
    except ArtifactError:
        pass
