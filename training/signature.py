"""Says what goes into a model, and what comes out of it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sklearn_api.errors import ArtifactError
from sklearn_api.signature import (
    BINARY,
    MULTICLASS,
    STRING,
    TEXT,
    Input,
    Label,
    LabelValue,
    Signature,
)
from training.artifact.checks import check_estimator, predicted
from training.artifact.positions import check_columns
from training.artifact.sample import sample_of
from training.errors import TrainingError
from training.inputs import full_rows, table_inputs, text_input
from training.outputs import outputs_of

_ASKED = 200
"""Rows that the pipeline is asked about."""


def infer_signature(
    pipeline: Any,
    rows: Any,
    *,
    field: str | None = None,
    labels: Mapping[Any, str] | None = None,
    integers: Collection[str] = (),
    targets: Any = None,
) -> Signature:
    """Return what goes into a fitted pipeline, and what comes out of it.

    Parameters
    ----------
    pipeline : estimator
        A fitted one.
    rows : sequence or Series of str, DataFrame, or ndarray of shape (n, columns)
        Some of its input, with the dtypes that it was fitted on: the more, the better.
    field : str, optional
        The field of a request that holds a text. By default the name of the Series, or ``text``.
    labels : mapping, optional
        From each class, or that class as a string, to the word that clients see for it. By default
        the words are made from the classes: ``1.0`` gives ``1`` and ``True`` gives ``true``.
    integers : collection of str
        Columns of whole numbers that never have gaps or fractions. Other whole numbers are declared
        as numbers that may be missing.
    targets : DataFrame, optional
        What a pipeline with several labels was fitted on; its columns name the labels.

    Raises
    ------
    TrainingError
        The pipeline cannot answer, or answers what clients could not be told; or the rows, the
        words or the names do not fit it. The message says what to do.
    """
    try:
        return _infer(pipeline, rows, field, labels, integers, targets)
    except ArtifactError as exc:
        raise TrainingError(str(exc)) from exc


def _infer(
    pipeline: Any,
    rows: Any,
    field: str | None,
    labels: Mapping[Any, str] | None,
    integers: Collection[str],
    targets: Any,
) -> Signature:
    check_estimator(pipeline)
    sample = sample_of(rows, pipeline)
    original = sample.original(pipeline)
    if sample.kind == TEXT:
        if integers:
            raise TrainingError(f"integers names {list(integers)}, and texts have no columns")
        inputs: tuple[Input, ...] = (text_input(sample.rows, field or sample.field),)
    else:
        if field is not None:
            raise TrainingError(
                f"field names {field!r}, and a table has its columns as fields: leave it out"
            )
        check_columns(pipeline, list(sample.rows.columns))
        predicted(original, full_rows(sample.rows))  # whatever is wrong with all rows
        inputs = table_inputs(pipeline, sample, integers)
    answer = predicted(original, sample.spread(_ASKED).rows)
    task, words = outputs_of(pipeline, answer, labels, targets)
    return Signature(sample.kind, task, inputs, words)


def text_signature(
    classes: Sequence[LabelValue], *, field: str = "text", words: Sequence[str] = ()
) -> Signature:
    """Return the signature of a classifier of texts.

    Parameters
    ----------
    classes : sequence
        In the order of the estimator.
    field : str
        Name of the input.
    words : sequence of str
        What clients see for each class. Default: the class itself.
    """
    task = BINARY if len(classes) == 2 else MULTICLASS
    pairs = zip(classes, words or map(str, classes), strict=True)
    return Signature(
        TEXT,
        task,
        (Input(field, STRING, nullable=False, objects=True),),
        tuple(Label(label, word) for label, word in pairs),
    )
