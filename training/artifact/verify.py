"""What cannot answer is never published: an artifact is asked before anybody stores it.

It is loaded as a Lambda loads it: in a process of its own that has nothing but what the layer
holds (`lambda_process`), under the Lambda's limits. There it gets the sample's rows as clients send
them, and its answers have to be those of the original pipeline on the original rows.
"""

import math
import sys
import time
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sklearn_api.artifact.archive import Archive
from sklearn_api.artifact.header import open_artifact
from sklearn_api.calibration import Calibration
from sklearn_api.errors import ArtifactError
from sklearn_api.load import read_signature
from sklearn_api.model import Prediction
from sklearn_api.settings import Settings
from sklearn_api.signature import TEXT, Input, Signature
from sklearn_api.sklearn_model import SklearnModel
from training.artifact.checks import predicted
from training.artifact.frames import instances_of
from training.artifact.lambda_process import ask
from training.artifact.sample import Sample, sample_of
from training.artifact.write import TOLERANCE, Artifact, write_artifact

MEMORY_MB = 1024
"""Memory of a Lambda that predicts, as ``function.yml`` in its folder sets it."""

INIT_SECONDS = 10
"""How long AWS lets a Lambda load, before it starts over within the first request.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

_DEFAULTS = Settings._field_defaults
_ROWS = _DEFAULTS["max_instances"]


class Verified(NamedTuple):
    """What was found out about an artifact.

    Attributes
    ----------
    rows : int
        How many rows were predicted and compared.
    loading : float
        Seconds of processor time that it took to load, on this machine.
    memory_mb : float
        The most memory that the process held.
    seconds : float
        How long all of it took.
    warnings : tuple of str
        What whoever publishes it should know.
    """

    rows: int
    loading: float
    memory_mb: float
    seconds: float
    warnings: tuple[str, ...] = ()


def write_verified(
    pipeline: Any,
    signature: Signature,
    calibration: Calibration | None = None,
    *,
    rows: Any,
    own_code: Collection[str] = (),
) -> tuple[Artifact, Verified]:
    """Return a fitted pipeline as an artifact that answers as the pipeline does.

    Parameters
    ----------
    pipeline : estimator
        A fitted one.
    signature : Signature
        What `training.signature.infer_signature` says of it.
    calibration : Calibration, optional
        Turns its decision scores into probabilities.
    rows : sequence or Series of str, DataFrame, or ndarray of shape (n, columns)
        Its input, at best held-out rows, with gaps where there may be any. At most 1,000 of them
        are used.
    own_code : collection of str
        As for `write_artifact`.

    Returns
    -------
    tuple of Artifact, Verified

    Raises
    ------
    ArtifactError
        It cannot be stored, is larger than a Lambda allows, or does not answer as the pipeline
        does; the message says what to do.
    """
    sample = _thinned(sample_of(rows, pipeline))
    artifact = write_artifact(pipeline, signature, calibration, rows=sample, own_code=own_code)
    verified = verify(
        artifact.content, pipeline, signature, calibration, rows=sample, own_code=own_code
    )
    return artifact, verified


def verify(
    content: bytes,
    pipeline: Any,
    signature: Signature,
    calibration: Calibration | None = None,
    *,
    rows: Any,
    own_code: Collection[str] = (),
    max_bytes: int = _DEFAULTS["max_artifact_bytes"],
    memory_mb: float = MEMORY_MB,
) -> Verified:
    """Load an artifact as a Lambda does, and compare its answers with those of its pipeline.

    Parameters
    ----------
    content : bytes
        The artifact.
    pipeline, signature, calibration : estimator, Signature, Calibration
        What it was written from.
    rows : sequence or Series of str, DataFrame, ndarray, or Sample
        Input of the pipeline.
    own_code : collection of str
        As for `write_artifact`; their modules have to be importable here.
    max_bytes : int
        ``MAX_ARTIFACT_BYTES``, the largest size that it may have and unpack to.
    memory_mb : float
        Memory of the Lambda.

    Raises
    ------
    ArtifactError
        It cannot be loaded, is too large, or answers otherwise than the pipeline.
    """
    started = time.perf_counter()
    _check_size(content, max_bytes)
    sample, instances = _asked(sample_of(rows, pipeline), signature)
    expected = _expected(pipeline, signature, calibration, sample)
    answer = ask(content, instances, own_code, max_bytes)
    for row, found in enumerate(answer["predictions"]):
        _compare(row, Prediction(*found), expected[row])
    return _judged(answer, len(instances), memory_mb, started)


def verify_stored(
    content: bytes,
    *,
    own_code: Collection[str] = (),
    max_bytes: int = _DEFAULTS["max_artifact_bytes"],
    memory_mb: float = MEMORY_MB,
) -> Verified:
    """Load an artifact as a Lambda does, and have it answer the examples of its signature.

    Its pipeline is not needed, so that there is nothing to compare the answers with.

    Parameters
    ----------
    content, own_code, max_bytes, memory_mb
        As for `verify`.

    Raises
    ------
    ArtifactError
        It cannot be loaded, is too large, or does not answer.
    """
    started = time.perf_counter()
    _check_size(content, max_bytes)
    archive, _ = open_artifact(content, max_bytes)
    signature = read_signature(archive)
    example = {one.name: one.example for one in signature.inputs}
    if signature.kind == TEXT:
        example = {name: text or "a text" for name, text in example.items()}
    return _judged(ask(content, [example], own_code, max_bytes), 1, memory_mb, started)


def _judged(answer: dict[str, Any], rows: int, memory_mb: float, started: float) -> Verified:
    """Return what was found out about an artifact, unless it takes too much memory."""
    peak = answer["peak"] / 2**20
    if peak > memory_mb:
        raise ArtifactError(
            f"loading the artifact and predicting {rows:,} rows takes {peak:,.0f} MB of "
            f"memory, and a Lambda has {memory_mb:,.0f} MB: fit a smaller model"
        )
    warnings = []
    if answer["loading"] > INIT_SECONDS:
        warnings.append(
            f"loading the artifact took {answer['loading']:.1f} seconds here; beyond "
            f"{INIT_SECONDS} seconds AWS interrupts a Lambda's start and repeats it within the "
            "first request, which may time out: fit a smaller model"
        )
    seconds = time.perf_counter() - started
    return Verified(rows, answer["loading"], peak, seconds, tuple(warnings))


def _check_size(content: bytes, max_bytes: int) -> None:
    archive = Archive(content, sys.maxsize)
    unpacked = sum(archive.size(name) for name in archive.names)
    for what, size in (("has", len(content)), ("unpacks to", unpacked)):
        if size > max_bytes:
            raise ArtifactError(
                f"the artifact {what} {size:,} bytes, and a Lambda loads at most {max_bytes:,} "
                "(MAX_ARTIFACT_BYTES): fit a smaller model, with fewer terms (min_df, "
                "max_features), fewer or smaller trees (max_leaf_nodes), or fewer rows to compare "
                "with"
            )


def _thinned(sample: Sample) -> Sample:
    """Return as many rows as a client may send, some with gaps in each column among them."""
    if len(sample.rows) <= _ROWS or sample.kind == TEXT:
        return sample.spread(_ROWS)
    frame = sample.rows
    step = len(frame) / _ROWS
    positions = {int(number * step) for number in range(_ROWS)}
    for name in frame.columns:
        positions.update(frame[name].isna().to_numpy().nonzero()[0][:2].tolist())
    return sample._replace(rows=frame.iloc[sorted(positions)])


def _asked(sample: Sample, signature: Signature) -> tuple[Sample, list[Any]]:
    """Return the rows that a client can send, and what it would send for them."""
    rows = sample.rows
    instances = rows if sample.kind == TEXT else instances_of(rows)
    check = _is_text if sample.kind == TEXT else _is_row
    sent = [
        number for number, instance in enumerate(instances) if check(instance, signature.inputs)
    ]
    if not sent:
        raise ArtifactError(
            "a client could send none of the rows given: texts must not be empty, and numbers must "
            "be finite"
        )
    if sample.kind == TEXT:
        kept = [rows[number] for number in sent]
        (field,) = signature.inputs
        return sample._replace(rows=kept), [{field.name: text} for text in kept]
    return sample._replace(rows=rows.iloc[sent]), [instances[number] for number in sent]


def _is_text(text: str, _: Sequence[Input]) -> bool:
    return bool(text.strip()) and text == text.encode("utf-8", "replace").decode()


def _is_row(row: dict[str, Any], inputs: Sequence[Input]) -> bool:
    return all(
        not isinstance(row[one.name], float) or math.isfinite(row[one.name]) for one in inputs
    )


def _expected(
    pipeline: Any, signature: Signature, calibration: Calibration | None, sample: Sample
) -> list[Prediction]:
    original = sample.original(pipeline)
    predicted(original, sample.rows[:1])  # says what is wrong, if anything is
    try:
        return SklearnModel(original, signature, calibration).predict_rows(sample.rows)
    # What estimators raise for rows that they should be able to answer.
    except Exception as exc:
        raise ArtifactError(
            f"the pipeline does not predict the rows given: {type(exc).__name__}: {str(exc)[:300]}"
        ) from exc


def _compare(row: int, found: Prediction, expected: Prediction) -> None:
    """Raise `ArtifactError` if an answer differs from the pipeline's."""
    numbers = isinstance(expected.value, float)
    same = _close(found.value, expected.value) if numbers else found.value == expected.value
    same = same and _close(found.score, expected.score)
    wanted = None if expected.probabilities is None else list(expected.probabilities)
    if found.probabilities is None or wanted is None:
        same = same and found.probabilities is wanted
    else:
        same = same and len(wanted) == len(found.probabilities)
        same = same and all(map(_close, found.probabilities, wanted))
    if not same:
        raise ArtifactError(
            f"a Lambda does not answer as the pipeline does: row {row} gives {found}, and "
            f"{expected._replace(probabilities=wanted)} is right"
        )


def _close(found: Any, expected: Any) -> bool:
    if found is None or expected is None:
        return found is expected
    return bool(abs(found - expected) <= TOLERANCE * max(1.0, abs(expected)))
