"""Calibration: fitted on scores of rows that the model has not seen, and checked by hand."""

from typing import Any

import numpy as np
import pytest
from scipy.special import expit, softmax

from sklearn_api.calibration import OneAgainstRest, Sigmoid, Temperature
from tests.helpers.tickets import tagged_tickets, tickets
from training.calibration import (
    ONE_AGAINST_REST,
    SIGMOID,
    TEMPERATURE,
    calibrate,
    calibrate_labels,
    calibrate_scores,
    fit_one_against_rest,
    fit_sigmoid,
    fit_temperature,
)
from training.dataset import read_dataset
from training.options import Options
from training.recipes.texts import ARTICLE, BEST


def drawn(probabilities: Any, seed: int = 1) -> Any:
    """Return a class for each row of probabilities."""
    random = np.random.default_rng(seed)
    return (probabilities.cumsum(axis=1) < random.random((len(probabilities), 1))).sum(axis=1)


def test_a_known_sigmoid_is_recovered() -> None:
    """Slope and intercept are recovered from 40,000 labels that were drawn with them."""
    random = np.random.default_rng(0)
    scores = random.normal(size=40_000)
    labels = (random.random(40_000) < expit(3 * scores - 0.5)).astype(int)
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


def test_scores_of_any_size_are_calibrated() -> None:
    """A million times larger scores give the same probabilities."""
    random = np.random.default_rng(0)
    scores = random.normal(size=1000)
    labels = random.random(1000) < expit(2 * scores)
    small, large = fit_sigmoid(scores, labels), fit_sigmoid(1e6 * scores, labels)
    assert large.probability(1e6) == pytest.approx(small.probability(1.0), abs=1e-4)
    several = np.column_stack([scores, -scores, random.normal(size=1000)])
    wanted = drawn(softmax(2 * several, axis=1))
    assert 1e6 * fit_temperature(1e6 * several, wanted).factor == pytest.approx(
        fit_temperature(several, wanted).factor, rel=1e-4
    )


def test_a_known_temperature_is_recovered_and_chosen() -> None:
    """Classes that were drawn by a softmax get a temperature, and losses show by how much."""
    scores = np.random.default_rng(0).normal(size=(5000, 3)) * [1.0, 0.5, 2.0] + [0.5, 0, 0]
    wanted = drawn(softmax(1.7 * scores, axis=1))
    found = calibrate_scores(scores, wanted, [0, 1, 2])
    assert found.method == TEMPERATURE
    assert isinstance(found.calibration, Temperature)
    assert found.calibration.factor == pytest.approx(1.7, abs=0.1)
    assert found.losses[TEMPERATURE] < found.losses[ONE_AGAINST_REST]
    best = -np.log(softmax(1.7 * scores, axis=1)[np.arange(len(wanted)), wanted]).mean()
    assert found.losses[TEMPERATURE] == pytest.approx(best, abs=0.001)
    for loss in found.losses.values():
        assert f"{loss:.4f}" in found.note


def test_scores_of_different_scales_get_a_sigmoid_for_each_class() -> None:
    """A single temperature cannot undo that one class's scores are ten times larger."""
    truth = np.random.default_rng(0).normal(size=(5000, 3))
    wanted = drawn(softmax(2 * truth, axis=1))
    found = calibrate_scores(truth * [1, 10, 1], np.array(["a", "b", "c"])[wanted], ["a", "b", "c"])
    assert found.method == ONE_AGAINST_REST
    assert isinstance(found.calibration, OneAgainstRest)
    slopes = [one.slope for one in found.calibration.sigmoids]
    assert slopes[0] > 5 * slopes[1]


def test_losses_are_those_of_the_probabilities_that_are_served() -> None:
    """On rows that were held out, the calibration itself has the loss that is reported."""
    _, kinds = tickets()
    random = np.random.default_rng(0)
    scores = np.array([[float(kind == one) for one in sorted(set(kinds))] for kind in kinds])
    scores += random.normal(0, 0.4, scores.shape)
    number = [sorted(set(kinds)).index(kind) for kind in kinds]
    found = calibrate_scores(scores, kinds, sorted(set(kinds)))
    for name, fit in ((TEMPERATURE, fit_temperature), (ONE_AGAINST_REST, fit_one_against_rest)):
        calibration = fit(scores, number)
        rows = [calibration.probabilities(row) for row in scores.tolist()]
        loss = -np.mean([np.log(row[one]) for row, one in zip(rows, number, strict=True)])
        assert found.losses[name] == pytest.approx(loss, abs=0.02)


def test_few_separated_rows_do_not_make_a_temperature_certain() -> None:
    """Of five rows of each of four classes, the right one gets 6/9, the others 1/9 each."""
    scores = np.repeat(np.eye(4), 5, axis=0)
    found = fit_temperature(scores, np.repeat(np.arange(4), 5))
    assert found.probabilities([1.0, 0, 0, 0]) == pytest.approx([6 / 9, 1 / 9, 1 / 9, 1 / 9])


def test_scores_that_contradict_several_classes_make_them_equally_probable() -> None:
    """A temperature never turns the order of the scores around."""
    scores = np.repeat(1 - np.eye(3), 5, axis=0)
    assert fit_temperature(scores, np.repeat(np.arange(3), 5)) == Temperature(0.0)


@pytest.mark.parametrize(
    ("scores", "labels", "classes", "message"),
    [
        (np.eye(3), [0, 1, 2], [0, 1, 2], "1 of the rows to calibrate on has the class 0"),
        (np.zeros((4, 1)), ["b"] * 4, ["a", "b"], "0 of the rows to calibrate on have the class"),
        (np.zeros((6, 2)), [0, 1, 2] * 2, [0, 1, 2], "gives 2 decision scores for 3 classes"),
        ([np.nan, 1, 2, 3], [0, 1] * 2, [0, 1], "scores are not finite"),
    ],
)
def test_where_there_can_be_no_probabilities_a_note_says_why(
    scores: Any, labels: Any, classes: Any, message: str
) -> None:
    """Too few rows, or scores that are not one for each class: no calibration, and no error."""
    found = calibrate_scores(scores, labels, classes)
    assert (found.calibration, found.method) == (None, None)
    assert message in found.note


def test_two_classes_get_a_sigmoid_whatever_the_shape_of_their_scores() -> None:
    """Of rows with other classes than those of the model, nothing is learned."""
    scores, labels = [-1.0, -0.5, 0.5, 1.0, 9.0], ["a", "a", "b", "b", "c"]
    flat = calibrate_scores(scores, labels, ["a", "b"])
    column = calibrate_scores(np.array(scores)[:, None], labels, ["a", "b"])
    assert flat == column
    assert flat.method == SIGMOID
    assert flat.calibration == fit_sigmoid(scores[:4], [0, 0, 1, 1])


def test_calibration_uses_scores_of_held_out_rows() -> None:
    """If words are noise, probabilities stay near a half, although the model fits its rows."""
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice([*"abcdefghij"], 6) + "x") for _ in range(200)]
    labels = random.integers(0, 2, 200)
    counts, _ = ARTICLE.count(texts)
    estimator = ARTICLE.estimator(0)
    found = calibrate(estimator, counts, labels, [0, 1]).calibration
    assert isinstance(found, Sigmoid)
    scores = estimator.fit(counts, labels).decision_function(counts)
    predicted = np.array([found.probability(score) for score in scores])
    assert np.abs(predicted - 0.5).max() < 0.35
    # A sigmoid fitted on the scores of the fitted rows would be far too certain.
    assert fit_sigmoid(scores, labels).slope > 2 * max(found.slope, 0.1)


def test_calibration_is_repeatable_and_needs_two_rows_of_each_class() -> None:
    """The same rows give the same sigmoid; a single row of a class cannot be in two folds."""
    reviews = read_dataset(Options())
    counts, _ = ARTICLE.count(reviews.rows)
    first, second = (
        calibrate(ARTICLE.estimator(0), counts, reviews.targets, [0, 1]) for _ in range(2)
    )
    assert first == second
    assert isinstance(first.calibration, Sigmoid)
    assert first.calibration.slope > 0
    none = calibrate(ARTICLE.estimator(0), counts[:20], [1] + [0] * 19, [0, 1])
    assert none.calibration is None
    assert "1 of the rows to calibrate on has the class 1, and at least 2" in none.note


def test_each_label_has_a_sigmoid_of_held_out_scores() -> None:
    """A label that the texts show has a steep one, a label that they do not show a flat one."""
    texts, applies, _ = tagged_tickets()
    noise = np.random.default_rng(3).integers(0, 2, len(texts))
    counts, _ = BEST.count(texts)
    estimator = BEST.estimator(0, "multilabel")
    found = calibrate_labels(estimator, counts, np.column_stack([applies, noise]))
    assert len(found) == 4
    assert min(one.slope for one in found[:3]) > 5 * found[3].slope
    assert found == calibrate_labels(estimator, counts, np.column_stack([applies, noise]))
