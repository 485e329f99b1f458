"""Writes a fitted pipeline as an artifact, and verifies what it has written.

An artifact is a flat zip: `artifact.json` (the versions it was made with, and its calibration),
`pipeline.json` (the schema of the fitted pipeline), and the files that the schema names: arrays as
``.npy`` and vocabularies as text. A pipeline that is linear in its terms has a compiled form as
well. Before an artifact is returned, it is read back as a Lambda reads it.
"""

import json
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import sklearn

from sklearn_api.artifact.archive import Archive
from sklearn_api.artifact.construct import construct
from sklearn_api.artifact.header import FORMAT, HEADER, python_version, read_calibration
from sklearn_api.calibration import Calibration, OneAgainstRest, Sigmoid, Temperature
from sklearn_api.compiled.model import CompiledModel
from sklearn_api.errors import ArtifactError
from sklearn_api.signature import BINARY, MULTICLASS, SIGNATURE, TABLE, TEXT, Signature
from sklearn_api.sklearn_model import SklearnModel
from training.artifact.comparison import compare
from training.artifact.compiler import NotCompiledError, compile_pipeline
from training.artifact.contents import without_samplers
from training.artifact.dump import dump_pipeline
from training.artifact.frames import instances_of
from training.artifact.members import write_archive
from training.artifact.positions import by_position
from training.artifact.sample import Sample, sample_of

TOLERANCE = 1e-9
"""Largest difference between the scores and probabilities of the two forms of a model."""

# Texts on which analyzers could differ: an empty one, letters that become longer in lower case,
# accents, all kinds of white space, digits and words in other scripts, n-grams at both ends.
_AWKWARD = (
    "",
    " ",
    "a",
    "A b  c\n\nd\te",
    "\u0130stanbul stra\u00dfe \ufb01n \u01c5 \u1e9e",
    "cafe\u0301 caf\u00e9 na\u00efve \u212b",
    "\u0661\u0662 \u4e2d\u6587 \u0939\u093f\u0928\u094d\u0926\u0940 \u05e9\u05dc\u05d5\u05dd",
    "good\u00a0film\u2028bad\u0085film \U0001f600!? don't",
)


class Artifact(NamedTuple):
    """A written artifact.

    Attributes
    ----------
    content : bytes
        The zip.
    not_compiled : str or None
        Why it has no compiled form, None if it has one.
    """

    content: bytes
    not_compiled: str | None


def write_artifact(
    pipeline: Any,
    signature: Signature,
    calibration: Calibration | None = None,
    *,
    rows: Any = (),
    own_code: Collection[str] = (),
) -> Artifact:
    """Return a fitted pipeline as an artifact, read back and compared.

    The artifact has a compiled form if the pipeline allows it, and both forms agree on all `rows`.

    Parameters
    ----------
    pipeline : estimator
        A fitted estimator, consisting of types that `sklearn_api.artifact.trusted` lists. It may
        have been fitted on a DataFrame.
    signature : Signature
        What goes into it, and what comes out.
    calibration : Calibration, optional
        Turns its decision scores into probabilities.
    rows : sequence of str, DataFrame, ndarray of shape (n, columns), or Sample
        Inputs that the pipeline has not seen, on which to compare what is served with it.
    own_code : collection of str
        Full names of types and functions that the pipeline may contain beside the trusted ones. The
        endpoint has to declare them as well.

    Raises
    ------
    ArtifactError
        The pipeline contains a type that is not trusted, cannot be stored, or does not answer the
        same when it is served; the message names it.
    """
    served = pipeline = without_samplers(pipeline)
    if signature.kind == TABLE:
        sample = _fitting(sample_of(rows, pipeline), signature)
        # What was fitted on an array knows no names.
        served = pipeline if sample.arrays else by_position(pipeline, sample.rows)
        nullable = {one.name for one in signature.inputs if one.nullable}
        original = sample.original(pipeline)
        compare(original, served, sample.rows, columns=signature.inputs, nullable=nullable)
        rows = sample.rows
    elif isinstance(rows, Sample):
        rows = _fitting(rows, signature).rows
    members = {SIGNATURE: signature.to_json(), **dump_pipeline(served, own_code)}
    plain = write_archive({HEADER: _header(calibration, None), **members})
    restored = construct(Archive(plain, sys.maxsize), sys.maxsize, own_code)
    if {SIGNATURE: members[SIGNATURE], **dump_pipeline(restored, own_code)} != members:
        raise ArtifactError(
            "the pipeline cannot be stored: reading it back gives a different pipeline"
        )
    if own_code and len(rows):
        instances = instances_of(rows) if signature.kind == TABLE else list(rows)
        _compare_restored(restored, served, signature, instances)
    compiled, reason = _compile(restored, signature, calibration, members, rows)
    content = write_archive({HEADER: _header(calibration, reason), **members, **compiled})
    return Artifact(content, reason)


def _compare_restored(
    restored: Any, original: Any, signature: Signature, instances: Sequence[Any]
) -> None:
    """Raise if code of one's own does not answer the same after it has been stored."""
    wanted = SklearnModel(original, signature).predict(instances)
    try:
        found = SklearnModel(restored, signature).predict(instances)
    # Without a part of its state, code of one's own can raise anything.
    except Exception as exc:
        raise ArtifactError(
            f"the pipeline cannot be stored: read back, it raises {type(exc).__name__}: {exc}; the "
            "state of each object has to be in its __dict__, or in what __getstate__ returns"
        ) from exc
    for number, (one, other) in enumerate(zip(found, wanted, strict=True)):
        if repr(one) != repr(other):  # equal to the last bit, or both NaN
            raise ArtifactError(
                f"the pipeline cannot be stored: read back, it answers {one} to row {number}, "
                f"instead of {other}"
            )


def _fitting(sample: Sample, signature: Signature) -> Sample:
    """Return a sample that fits a signature; an array's columns get the names of its inputs."""
    if sample.kind != signature.kind:
        raise ArtifactError(
            f"the signature is of the kind {signature.kind}, and the rows are of the kind "
            f"{sample.kind}: give rows like those that the signature is about"
        )
    if signature.kind == TEXT:
        return sample
    names = [one.name for one in signature.inputs]
    if sample.arrays and len(names) == sample.rows.shape[1]:
        return sample._replace(rows=sample.rows.set_axis(names, axis=1))
    if list(sample.rows.columns) != names:
        raise ArtifactError(
            f"the signature has the inputs {names}, and the rows have the columns "
            f"{list(sample.rows.columns)}: give rows like those that the signature is about"
        )
    return sample


def _compile(
    pipeline: Any,
    signature: Signature,
    calibration: Calibration | None,
    members: Mapping[str, bytes],
    rows: Any,
) -> tuple[dict[str, bytes], str | None]:
    """Return the members of the compiled form; or no members, and why it has no compiled form."""
    if signature.kind == TABLE:
        return {}, "only models of texts are compiled"
    if signature.task not in (BINARY, MULTICLASS):
        return {}, "only classifiers with one label for each text are compiled"
    try:
        added = compile_pipeline(pipeline, members)
        archive = Archive(write_archive({**members, **added}), sys.maxsize)
        compiled = CompiledModel(archive, signature, calibration)
        _compare(compiled, SklearnModel(pipeline, signature, calibration), rows)
    except NotCompiledError as exc:
        return {}, str(exc)
    # A pipeline that is not fitted, or not the way scikit-learn fits it, can raise anything.
    except Exception as exc:
        return {}, f"it cannot be compiled: {type(exc).__name__}: {exc}"[:500]
    return added, None


def _compare(compiled: CompiledModel, original: SklearnModel, rows: Sequence[str]) -> None:
    """Raise `NotCompiledError` if the two forms of a model differ on any text."""
    texts = [*_AWKWARD, *rows]
    pairs = zip(texts, original.predict(texts), compiled.predict(texts), strict=True)
    for number, (_, wanted, found) in enumerate(pairs):
        same = (
            found.value == wanted.value
            and _close(found.score, wanted.score)
            and (found.probabilities is None) == (wanted.probabilities is None)
            and all(map(_close, found.probabilities or (), wanted.probabilities or ()))
        )
        if not same:
            raise NotCompiledError(
                f"the two forms differ on text {number - len(_AWKWARD)}: compiled {found}, "
                f"scikit-learn {wanted}"
            )


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= TOLERANCE * max(1.0, abs(other))


def _header(calibration: Calibration | None, not_compiled: str | None) -> bytes:
    header = {
        "format": FORMAT,
        "python": python_version(),
        "scikit-learn": sklearn.__version__,
        "calibration": as_stored(calibration),
        "not_compiled": not_compiled,
    }
    read_calibration(header)  # raises for numbers that a Lambda would refuse
    return json.dumps(header).encode()


def as_stored(calibration: Calibration | None) -> dict[str, Any] | None:
    """Return a calibration as the header and the manifest have it."""
    match calibration:
        case None:
            return None
        case Sigmoid(slope, intercept):
            return {"method": "sigmoid", "slope": float(slope), "intercept": float(intercept)}
        case OneAgainstRest(sigmoids):
            return {
                "method": "one_against_rest",
                "slopes": [float(one.slope) for one in sigmoids],
                "intercepts": [float(one.intercept) for one in sigmoids],
            }
        case Temperature(factor):
            return {"method": "temperature", "factor": float(factor)}
