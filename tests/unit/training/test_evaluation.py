"""Calibration and metrics, checked against results computed by hand."""

import numpy as np
import pytest

from sklearn_api.calibration import Sigmoid
from training.data import Reviews, read
from training.evaluation import (
    Evaluation,
    calibrate,
    calibration_error,
    evaluate,
    fit_sigmoid,
    reliability,
)
from training.recipes import ARTICLE


def evaluation(
    labels: list[int], scores: list[float], seen: list[bool] | None = None
) -> Evaluation:
    found = np.array(scores)
    return Evaluation(
        [f"text {number}" for number in range(len(labels))],
        np.array(labels),
        found,
        1 / (1 + np.exp(-found)),
        np.array(seen or [False] * len(labels)),
    )


def test_metrics_follow_from_the_confusion_matrix() -> None:
    """Three of five are right, two of three positives are found, two of three alarms are true."""
    metrics = evaluation([0, 0, 1, 1, 1], [-1, 2, 3, 1, -2]).metrics()
    assert metrics["confusion"] == [[1, 1], [1, 2]]
    assert metrics["accuracy"] == 0.6
    assert metrics["precision"] == metrics["recall"] == metrics["f1"] == pytest.approx(2 / 3, 1e-6)
    # Of six pairs of a positive and a negative, three are in the right order.
    assert metrics["roc_auc"] == 0.5
    assert (metrics["rows"], metrics["rows_seen"]) == (5, 0)
    assert metrics["accuracy_unseen"] == metrics["accuracy"]


def test_accuracy_is_also_computed_without_seen_reviews() -> None:
    """The texts that the model was fitted on are counted, and left out of a second accuracy."""
    metrics = evaluation([0, 1, 1], [-1, 1, -1], [True, True, False]).metrics()
    assert metrics["rows_seen"] == 2
    assert metrics["accuracy"] == pytest.approx(2 / 3, 1e-6)
    assert metrics["accuracy_unseen"] == 0
    assert evaluation([0, 1], [-1, 1], [True, True]).metrics()["accuracy_unseen"] is None


def test_calibration_error_by_hand() -> None:
    """Two bins: 0.1 predicted for three rows, one positive; 0.9 for one row, positive."""
    labels, predicted = [1, 0, 0, 1], [0.1, 0.1, 0.1, 0.9]
    assert calibration_error(labels, predicted) == pytest.approx(0.75 * (1 / 3 - 0.1) + 0.25 * 0.1)
    bins = reliability(labels, predicted)
    assert bins.rows.tolist() == [3, 1]
    assert calibration_error([0, 1], [0.0, 1.0]) == 0


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


def test_all_texts_are_scored() -> None:
    """Texts are scored in chunks and in order, and those that the model was fitted on are marked."""
    reviews = read()
    counts, terms = ARTICLE.count(reviews.texts)
    pipeline = ARTICLE.pipeline(ARTICLE.estimator(0).fit(counts, reviews.labels), terms)
    test = Reviews(reviews.texts * 3 + ["new"], reviews.labels * 3 + [1], "test", "", ("t", "l"))
    advances: list[int] = []
    found = evaluate(pipeline, Sigmoid(2.0, 0.1), test, reviews, advances.append)
    assert sum(advances) == len(test.texts) == len(found.scores)
    assert len(advances) > 1
    np.testing.assert_array_equal(found.scores, pipeline.decision_function(test.texts))
    expected = [Sigmoid(2.0, 0.1).probability(score) for score in found.scores]
    np.testing.assert_allclose(found.probabilities, expected)
    assert found.seen.tolist() == [True] * (len(test.texts) - 1) + [False]
