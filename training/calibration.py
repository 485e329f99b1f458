"""Fits what turns decision scores into probabilities, on rows that the model was not fitted on.

Two classes get Platt's sigmoid. For more there are two methods, a sigmoid for each class against
the rest and a temperature; which of them is better depends on the scores, so both are tried on
rows that they were not fitted on.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict

from sklearn_api.calibration import Calibration, OneAgainstRest, Sigmoid, Temperature

FOLDS = 5
SIGMOID, ONE_AGAINST_REST, TEMPERATURE = "sigmoid", "one_against_rest", "temperature"
_SMALLEST = 1e-12  # a probability of 0 would make the log loss infinite
_STEEPEST = 1e6  # factor of scores that are divided by their standard deviation

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Calibrated:
    """A calibration, or why there is none.

    Attributes
    ----------
    calibration : Calibration or None
        Turns decision scores into probabilities.
    method : str or None
        `SIGMOID`, `ONE_AGAINST_REST` or `TEMPERATURE`.
    losses : mapping of str to float
        For more than two classes, the mean log loss of each method in cross-validation.
    note : str
        A sentence for the user: which method was chosen, or why there is none.
    """

    calibration: Calibration | None
    method: str | None = None
    losses: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


def calibrate(
    estimator: Any, rows: Any, labels: ArrayLike, classes: Sequence[Any], *, seed: int = 0
) -> Calibrated:
    """Fit a calibration on the scores of rows that the estimator was not fitted on.

    The scores come from cross-validation, in as many folds as the rarest class allows, at most
    `FOLDS`.

    Parameters
    ----------
    estimator : estimator
        A classifier with the parameters of the model to calibrate; a clone of it is fitted on each
        fold.
    rows : array_like
        Shape ``(n, features)``.
    labels : array_like
        Shape ``(n,)``: their classes.
    classes : sequence
        Two or more, in ascending order.
    seed : int
        Seed of the folds.
    """
    labels = np.asarray(labels)
    found = Counter(labels.tolist())
    rarest = min(classes, key=found.__getitem__)
    if found[rarest] < 2:
        return Calibrated(None, note=_too_few(found[rarest], rarest))
    folds = StratifiedKFold(min(FOLDS, found[rarest]), shuffle=True, random_state=seed)
    scores = cross_val_predict(estimator, rows, labels, cv=folds, method="decision_function")
    return calibrate_scores(scores, labels, classes, seed=seed)


def calibrate_labels(
    estimator: Any, rows: Any, indicators: ArrayLike, *, seed: int = 0
) -> list[Sigmoid]:
    """Return a sigmoid for each of several labels, fitted like those of `calibrate`.

    Parameters
    ----------
    estimator, rows, seed
        See `calibrate`.
    indicators : array_like of int
        Shape ``(n, labels)``: 1 where a label applies.
    """
    indicators = np.asarray(indicators)
    scores = np.empty(indicators.shape)
    for fitted_on, others in KFold(FOLDS, shuffle=True, random_state=seed).split(indicators):
        fitted = clone(estimator).fit(rows[fitted_on], indicators[fitted_on])
        scores[others] = fitted.decision_function(rows[others])
    return [fit_sigmoid(*pair) for pair in zip(scores.T, indicators.T, strict=True)]


def calibrate_scores(
    scores: ArrayLike, labels: ArrayLike, classes: Sequence[Any], *, seed: int = 0
) -> Calibrated:
    """Fit a calibration for a classifier with one class for each row.

    Parameters
    ----------
    scores : array_like of float
        Decision scores of rows that the classifier was not fitted on. Shape ``(n,)`` or ``(n, 1)``,
        positive for the second of two classes; ``(n, classes)`` for more.
    labels : array_like
        Shape ``(n,)``: their classes. Rows with others do not count.
    classes : sequence
        Two or more, in the order of the scores.
    seed : int
        Seed of the folds in which the methods are compared.
    """
    scores, labels = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    scores = scores.reshape(len(labels), -1)
    indices = labels[:, np.newaxis] == np.asarray(classes)
    known = indices.any(axis=1)
    scores, indices = scores[known], indices[known]
    counts = indices.sum(axis=0)
    number = int(counts.argmin())
    if counts[number] < 2:
        return Calibrated(None, note=_too_few(int(counts[number]), classes[number]))
    if not np.isfinite(scores).all():
        return Calibrated(None, note="no probabilities: some decision scores are not finite")
    if scores.shape[1] != (1 if len(classes) == 2 else len(classes)):
        return Calibrated(
            None,
            note=f"no probabilities: the classifier gives {scores.shape[1]} decision scores for "
            f"{len(classes)} classes, and one for each class against the rest is needed",
        )
    if len(classes) == 2:
        return Calibrated(fit_sigmoid(scores[:, 0], indices[:, 1]), SIGMOID)
    wanted = indices.argmax(axis=1)
    losses = _losses(scores, wanted, min(FOLDS, int(counts[number])), seed)
    method = min(losses, key=losses.__getitem__)
    shown = ", ".join(f"{_METHODS[name].words} {loss:.4f}" for name, loss in losses.items())
    return Calibrated(
        _METHODS[method].fit(scores, wanted),
        method,
        losses,
        f"probabilities come from {_METHODS[method].words}; log loss in cross-validation: {shown}",
    )


def fit_sigmoid(scores: ArrayLike, positive: ArrayLike) -> Sigmoid:
    """Return Platt's sigmoid, fitted to scores and labels of shape ``(n,)``.

    The targets are smoothed as in J. Platt, Probabilistic Outputs for Support Vector Machines,
    1999, so that a model that separates a few rows perfectly does not become certain. If higher
    scores do not favour the second class, the scores say nothing: the probability is then constant
    and equals the smoothed share of that class.

    Parameters
    ----------
    scores : array_like of float
    positive : array_like of int or bool
        Whether a row has the second class.
    """
    scores, positive = np.asarray(scores), np.asarray(positive).astype(int)
    with_it = int(positive.sum())
    without = len(positive) - with_it
    targets = np.where(positive == 1, (with_it + 1) / (with_it + 2), 1 / (without + 2))
    # A row with target t is a positive row of weight t and a negative row of weight 1 - t.
    sigmoid = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(
        np.concatenate([scores, scores])[:, np.newaxis],
        np.repeat([1, 0], len(scores)),
        sample_weight=np.concatenate([targets, 1 - targets]),
    )
    slope, intercept = float(sigmoid.coef_[0, 0]), float(sigmoid.intercept_[0])
    if slope <= 0:
        share = targets.mean()
        slope, intercept = 0.0, float(np.log(share / (1 - share)))
    return Sigmoid(_rounded(slope), round(intercept, 6))


def fit_temperature(scores: ArrayLike, wanted: ArrayLike) -> Temperature:
    """Return the temperature with the least log loss.

    The targets are smoothed like Platt's: of n rows of a class among k, each counts as n + 1 rows
    of that class and one of every other.

    Parameters
    ----------
    scores : array_like of float
        Shape ``(n, classes)``.
    wanted : array_like of int
        Shape ``(n,)``: the number of each row's class.
    """
    scores, wanted = np.asarray(scores), np.asarray(wanted)
    counts = np.bincount(wanted, minlength=scores.shape[1])[wanted]
    targets = np.repeat(1 / (counts + scores.shape[1]), scores.shape[1]).reshape(scores.shape)
    targets[np.arange(len(wanted)), wanted] *= counts + 1
    spread = float(scores.std()) or 1.0
    scaled = scores / spread

    def slope(factor: float) -> float:
        return float(((softmax(factor * scaled, axis=1) - targets) * scaled).sum())

    # The loss is convex in the factor. A factor of 0 makes all classes equally probable.
    if slope(0.0) >= 0:
        return Temperature(0.0)
    highest = 1.0
    while slope(highest) < 0 and highest < _STEEPEST:
        highest *= 2
    factor = highest if slope(highest) < 0 else brentq(slope, 0.0, highest)
    return Temperature(_rounded(factor / spread))


def fit_one_against_rest(scores: ArrayLike, wanted: ArrayLike) -> OneAgainstRest:
    """Return a sigmoid for each class; see `fit_temperature` for the parameters."""
    scores, wanted = np.asarray(scores), np.asarray(wanted)
    columns = enumerate(scores.T)
    return OneAgainstRest(tuple(fit_sigmoid(one, wanted == number) for number, one in columns))


def _too_few(rows: int, rarest: Any) -> str:
    return (
        f"no probabilities: {rows} of the rows to calibrate on "
        f"{'has' if rows == 1 else 'have'} the class {rarest!r}, and at least 2 are needed"
    )


def _losses(scores: Floats, wanted: NDArray[np.int64], folds: int, seed: int) -> dict[str, float]:
    """Return the mean log loss of each method, in folds that it was not fitted on."""
    losses = {}
    splits = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(scores, wanted))
    for name, method in _METHODS.items():
        found = np.empty(len(wanted))
        for fitted_on, measured_on in splits:
            calibration = method.fit(scores[fitted_on], wanted[fitted_on])
            probabilities = method.apply(calibration, scores[measured_on])
            found[measured_on] = probabilities[np.arange(len(measured_on)), wanted[measured_on]]
        losses[name] = round(float(-np.log(np.maximum(found, _SMALLEST)).mean()), 6)
    return losses


def _apply_sigmoids(calibration: OneAgainstRest, scores: Floats) -> Floats:
    slopes, intercepts = np.array(calibration.sigmoids).T
    each = expit(slopes * scores + intercepts)
    probabilities: Floats = each / np.maximum(each.sum(axis=1, keepdims=True), _SMALLEST)
    return probabilities


def _apply_temperature(calibration: Temperature, scores: Floats) -> Floats:
    probabilities: Floats = softmax(calibration.factor * scores, axis=1)
    return probabilities


class _Method(NamedTuple):
    words: str
    fit: Any
    apply: Any


_METHODS = {
    TEMPERATURE: _Method("a temperature", fit_temperature, _apply_temperature),
    ONE_AGAINST_REST: _Method("a sigmoid for each class", fit_one_against_rest, _apply_sigmoids),
}


def _rounded(factor: float) -> float:
    """Return a factor of scores with six significant digits, or with six after the point.

    The last digits of a sum depend on the number of cores; an artifact must not.
    """
    if not factor:
        return 0.0
    return round(factor, max(6, 5 - int(np.floor(np.log10(abs(factor))))))
