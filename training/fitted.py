"""Makes a stored model of a pipeline that was fitted elsewhere, and of rows to measure it on.

`save_model` and the command import end here; both know nothing of how the pipeline was fitted. If
it has scores but no probabilities, a calibration is fitted on the scores of the given rows. The
metrics of the probabilities are then those of calibrations that were fitted on other rows: each
row's probability comes from a calibration that has not seen it.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedKFold

from sklearn_api.calibration import Calibration
from sklearn_api.signature import Signature
from training.artifact.manifest import Manifest
from training.artifact.sample import Sample
from training.assemble import Measured, Model, assemble
from training.calibration import calibrate_scores
from training.evaluation import Classification, Evaluation, Unmeasured, evaluate
from training.terminal import Terminal

FOLDS = 5
CONDITION = (
    "the figures hold if the pipeline was not fitted on these rows; nothing here can tell whether "
    "it was"
)
_TIES = 0.1  # share of rows whose prediction may not have the largest score, as near a tie
_SHOWN = 6  # inputs or labels in a line
MIN_OF_EACH = 10
"""Rows of each class from which on a calibration is fitted: each fold then has two of them."""


def store_fitted(
    pipeline: Any,
    signature: Signature,
    sample: Sample,
    targets: Any,
    *,
    name: str,
    folder: Path,
    source: str | None,
    origin: Mapping[str, Any],
    terminal: Terminal,
    own_code: Collection[str] = (),
) -> Manifest:
    """Measure a fitted pipeline, calibrate it, and store it.

    Parameters
    ----------
    pipeline : estimator
        Fitted.
    signature : Signature
        What goes into it, and what comes out.
    sample : Sample
        Rows of its input that it was not fitted on.
    targets : array_like or None
        What is right for each row, as the estimator has it; None if that is not known.
    name : str
        Of the model.
    folder : Path
        Where to store it.
    source : str or None
        Where the rows come from, None if that is not known.
    origin : mapping
        Where the pipeline comes from, for the manifest.
    terminal : Terminal
        Shows the steps.
    own_code : collection of str
        See `training.artifact.write.write_artifact`.

    Raises
    ------
    TrainingError
        The targets do not fit, or the model cannot be served or written.
    """
    original = sample.original(pipeline)
    with terminal.progress(f"Measuring on {len(sample.rows):,}", len(sample.rows)) as advance:
        evaluation = evaluate(original, None, signature, sample.rows, targets, progress=advance)
    calibration, evaluation, note = calibrated(evaluation)
    if note:
        terminal.print_line(f"  {note}")
    if not isinstance(evaluation, Unmeasured):
        terminal.print_line(f"  {CONDITION}")
    model = Model(name, pipeline, signature, calibration, origin, tuple(own_code))
    return assemble(model, Measured(evaluation, original, sample, source), folder, terminal)


def calibrated(evaluation: Evaluation) -> tuple[Calibration | None, Evaluation, str | None]:
    """Fit a calibration on measured scores, if a classifier has no probabilities.

    Returns
    -------
    calibration : Calibration or None
        Fitted on all rows; None if there is nothing to calibrate, or too few rows.
    evaluation : Evaluation
        With the probabilities of calibrations that were fitted on other rows.
    note : str or None
        A sentence about what was done, None if there was nothing to do.
    """
    if not isinstance(evaluation, Classification) or evaluation.probabilities is not None:
        return None, evaluation, None
    if evaluation.scores is None:
        return None, evaluation, "no probabilities: the pipeline has neither these nor scores"
    scores, truth = evaluation.scores, evaluation.truth
    if scores.ndim == 2 and np.mean(scores.argmax(axis=1) != evaluation.predicted) > _TIES:
        note = (
            "no probabilities: the largest score is not that of the predicted class, as with "
            'decision_function_shape="ovo", so that the scores cannot be calibrated'
        )
        return None, evaluation, note
    classes = range(len(evaluation.words))
    rarest = min(np.bincount(truth, minlength=len(classes)))
    if rarest < MIN_OF_EACH:
        note = (
            "no probabilities: the pipeline has none of its own, and to calibrate its scores, "
            f"{MIN_OF_EACH} rows of each class are needed; there are {rarest} of the rarest"
        )
        return None, evaluation, note
    found = calibrate_scores(scores, truth, classes)
    if found.calibration is None:
        return None, evaluation, found.note
    probabilities = np.empty((len(truth), len(classes)))
    for fitted, tested in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(scores, truth):
        part = calibrate_scores(scores[fitted], truth[fitted], classes).calibration
        assert part is not None, "each fold has rows of each class"
        columns = scores[tested].reshape(len(tested), -1).tolist()
        probabilities[tested] = [part.probabilities(column) for column in columns]
    note = (
        f"the pipeline has scores, but no probabilities: a calibration ({found.method}) was fitted "
        "on these rows, and each row is measured with one that was fitted on others"
    )
    return found.calibration, replace(evaluation, probabilities=probabilities), note


def described(signature: Signature) -> str:
    """Return in a few words what goes into a model, and what comes out."""
    inputs = ", ".join(one.name for one in signature.inputs[:_SHOWN])
    more = ", …" if len(signature.inputs) > _SHOWN else ""
    words = ", ".join(one.word for one in signature.labels[:_SHOWN])
    others = ", …" if len(signature.labels) > _SHOWN else ""
    return f"{inputs}{more} → {words + others or 'a number'} ({signature.task})"


def origin(pipeline: Any, source: str, revision: str | None = None) -> dict[str, Any]:
    """Return where a pipeline comes from, for its manifest.

    Parameters
    ----------
    pipeline : estimator
        Fitted.
    source : str
        What it was found in.
    revision : str, optional
        What identifies the source, such as its SHA-256.
    """
    steps = getattr(pipeline, "steps", None) or [("", pipeline)]
    return {
        "pipeline": source,
        "revision": revision,
        "estimator": ", ".join(type(step).__name__ for _, step in steps),
    }
