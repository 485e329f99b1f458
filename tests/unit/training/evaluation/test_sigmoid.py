"""The calibration of two classes, checked against results computed by hand."""

import numpy as np
import pytest

from sklearn_api.calibration import Sigmoid
from training.data import read
from training.evaluation import calibrate, fit_sigmoid
from training.recipes import ARTICLE


def test_a_known_sigmoid_is_recovered() -> None:
    """Slope and intercept are recovered from 40,000 labels that were drawn with them."""
    random = np.random.default_rng(0)
    scores = random.normal(size=40_000)
    labels = (random.random(40_000) < 1 / (1 + np.exp(-(3 * scores - 0.5)))).astype(int)
    found = fit_sigmoid(scores, labels)
    assert found.slope == pytest.approx(3, abs=0.1)
    assert found.intercept == pytest.approx(-0.5, abs=0.06)


def test_few_separated_rows_do_not_make_a_model_certain() -> None:
    """Perfect scores of twenty rows give Platt's target, 11/12, and not 1."""
    scores = [-1.0] * 10 + [1.0] * 10
    found = fit_sigmoid(scores, [0] * 10 + [1] * 10)
    assert found.probability(1.0) == pytest.approx(11 / 12, abs=1e-3)
    assert found.probability(-1.0) == pytest.approx(1 / 12, abs=1e-3)


def test_scores_that_contradict_the_labels_give_a_constant_probability() -> None:
    """It is the share of the labels, for every score."""
    found = fit_sigmoid([1.0, 2.0, -1.0, -2.0] * 10, [0, 0, 1, 1] * 10)
    assert found == Sigmoid(0.0, 0.0)


def test_calibration_uses_scores_of_held_out_rows() -> None:
    """If words are noise, probabilities stay near a half, although the model fits its rows."""
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice([*"abcdefghij"], 6) + "x") for _ in range(200)]
    labels = random.integers(0, 2, 200)
    counts, _ = ARTICLE.count(texts)
    estimator = ARTICLE.estimator(0)
    found = calibrate(estimator, counts, labels)
    scores = estimator.fit(counts, labels).decision_function(counts)
    predicted = np.array([found.probability(score) for score in scores])
    assert np.abs(predicted - 0.5).max() < 0.35
    # A sigmoid fitted on the scores of the fitted rows would be far too certain.
    assert fit_sigmoid(scores, labels).slope > 2 * max(found.slope, 0.1)


def test_calibration_is_repeatable_and_needs_two_rows_of_each_label() -> None:
    """The same rows give the same sigmoid; a single row of a label cannot be in two folds."""
    reviews = read()
    counts, _ = ARTICLE.count(reviews.texts)
    first, second = (calibrate(ARTICLE.estimator(0), counts, reviews.labels) for _ in range(2))
    assert first == second
    assert first.slope > 0
    with pytest.raises(ValueError, match=r"1 of the reviews .* at least 2 are needed"):
        calibrate(ARTICLE.estimator(0), counts[:20], [1] + [0] * 19)
