"""Scores and probabilities of loaded models, in both forms."""

from typing import Any

import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from sklearn_api.calibration import Sigmoid
from sklearn_api.load import load_model
from sklearn_api.sklearn_model import SklearnModel
from tests.helpers.stored import predict_one, signature_of, stored

TEXTS = ["good film", "bad film", "good", "bad"]


def test_a_classifier_without_decision_function_scores_by_probability() -> None:
    """If an estimator has no decision function, the score is the probability of class 1."""
    pipeline = make_pipeline(CountVectorizer(), MultinomialNB()).fit(TEXTS, [1, 0, 1, 0])
    found = predict_one(SklearnModel(pipeline, signature_of(pipeline)), "good")
    assert found.value == 1
    assert found.score == found.probability == pipeline.predict_proba(["good"])[0][1]


def test_a_classifier_with_both_gives_its_own_probability() -> None:
    """Without a calibration, score and probability are the estimator's own."""
    pipeline = make_pipeline(CountVectorizer(), LogisticRegression()).fit(TEXTS, [1, 0, 1, 0])
    found = predict_one(SklearnModel(pipeline, signature_of(pipeline)), "bad")
    assert found.score == pipeline.decision_function(["bad"])[0]
    assert found.probability == pipeline.predict_proba(["bad"])[0][1]


@pytest.mark.parametrize("last", [LinearSVC(random_state=0), LogisticRegression()], ids=str)
def test_a_calibration_gives_the_probability(last: Any) -> None:
    """If the artifact has a calibration, it turns the score into the probability."""
    pipeline = make_pipeline(CountVectorizer(), last).fit(TEXTS, [1, 0, 1, 0])
    calibration = Sigmoid(3.0, 0.25)
    content = stored(pipeline, calibration).content
    expected = calibration.probability(pipeline.decision_function(["bad"])[0])
    for form in ("sklearn", "compiled"):
        model = load_model(content, 1_000_000, form)
        assert model.form == form
        assert predict_one(model, "bad").probability == pytest.approx(expected, abs=1e-12)


def test_without_either_there_is_no_probability() -> None:
    """A decision score is never presented as a probability."""
    pipeline = make_pipeline(CountVectorizer(), LinearSVC()).fit(TEXTS, [1, 0, 1, 0])
    assert predict_one(SklearnModel(pipeline, signature_of(pipeline)), "good").probability is None
