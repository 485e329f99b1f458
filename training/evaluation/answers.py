"""What a pipeline answers to many rows, asked in chunks."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from sklearn.pipeline import Pipeline

from sklearn_api.calibration import Calibration
from sklearn_api.signature import CLASSIFICATIONS, MULTILABEL, Signature
from training.evaluation.base import Floats

_CHUNK = 1000  # rows that are predicted in one call


class Answers(NamedTuple):
    """What a pipeline answers to ``n`` rows.

    Attributes
    ----------
    predicted : ndarray
        Shape ``(n,)``, or ``(n, labels)`` if there may be several labels: what `predict` returns.
    scores : ndarray of float or None
        Shape ``(n,)`` with two classes, ``(n, classes)`` with more; None without a decision
        function.
    probabilities : ndarray of float or None
        Shape ``(n, labels)``: those of the calibration, or of the pipeline if there is none.
    """

    predicted: Any
    scores: Floats | None
    probabilities: Floats | None


def ask(
    pipeline: Any,
    calibration: Calibration | None,
    signature: Signature,
    rows: Any,
    progress: Callable[[int], None],
) -> Answers:
    """Ask a pipeline for all that it answers to some rows, which `evaluate` describes."""
    transform, estimator = _split(pipeline)
    parts = []
    for start in range(0, len(rows), _CHUNK):
        chunk = getattr(rows, "iloc", rows)[start : start + _CHUNK]
        parts.append(_answers(estimator, calibration, signature, transform(chunk)))
        progress(len(chunk))
    return Answers(*map(_joined, zip(*parts, strict=True)))


def _split(pipeline: Any) -> tuple[Callable[[Any], Any], Any]:
    """Return what transforms rows, and what predicts from the result.

    A pipeline would transform rows anew for each of its methods, which is most of the work for
    texts.
    """
    pipeline = unwrapped(pipeline)
    # A class derived from it may transform in a way of its own.
    if type(pipeline) is Pipeline and len(pipeline) > 1:
        return pipeline[:-1].transform, pipeline[-1]
    return lambda rows: rows, pipeline


def unwrapped(estimator: Any) -> Any:
    """Return the best estimator of a search, which is what predicts; or the estimator itself."""
    return getattr(estimator, "best_estimator_", estimator)


def _answers(
    estimator: Any, calibration: Calibration | None, signature: Signature, rows: Any
) -> Answers:
    predicted, scores, probabilities = estimator.predict(rows), None, None
    if hasattr(predicted, "toarray"):
        predicted = predicted.toarray()
    if signature.task in CLASSIFICATIONS:
        if signature.task != MULTILABEL and hasattr(estimator, "decision_function"):
            scores = np.asarray(estimator.decision_function(rows), dtype=float)
        if hasattr(estimator, "predict_proba") and (scores is None or calibration is None):
            probabilities = _of_each_label(estimator.predict_proba(rows), signature)
        if calibration is not None:
            probabilities = _calibrated(calibration, scores, probabilities)
        if scores is not None and scores.ndim == 2 and scores.shape[1] != len(signature.labels):
            scores = None  # those of pairs of classes
    return Answers(np.asarray(predicted), scores, probabilities)


def _calibrated(calibration: Calibration, scores: Any, probabilities: Any) -> Any:
    """Return calibrated probabilities, of scores or, without a decision function, of those."""
    given = scores
    if scores is None and probabilities is not None:
        given = probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities
    if given is None:
        return None
    columns = given.reshape(len(given), -1).tolist()  # two classes have one score
    return np.array([calibration.probabilities(column) for column in columns])


def _of_each_label(probabilities: Any, signature: Signature) -> Any:
    """Return probabilities of shape ``(n, labels)``.

    Some estimators return a list with the probabilities of both values of each label, of which a
    label has but one if all rows that the estimator was fitted on agree.
    """
    if not isinstance(probabilities, list):
        return np.asarray(probabilities, dtype=float)
    if any(one.shape[1] != 2 for one in probabilities):
        return None
    return np.column_stack([one[:, 1] for one in probabilities])


def _joined(parts: Any) -> Any:
    return None if any(one is None for one in parts) else np.concatenate(parts)
