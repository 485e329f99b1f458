"""Writes a fitted pipeline as an artifact, and verifies what it has written.

An artifact is a flat zip: `artifact.json` (the versions it was made with, and its calibration),
`pipeline.json` (the schema of the fitted pipeline), and the files that the schema names: arrays as
``.npy`` and vocabularies as text. A pipeline that is linear in its terms has a compiled form as
well. Before an artifact is returned, it is read back as a Lambda reads it.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sklearn

from sklearn_api.artifact.archive import Archive
from sklearn_api.artifact.construct import construct
from sklearn_api.artifact.header import FORMAT, HEADER, python_version, read_calibration
from sklearn_api.calibration import Calibration
from sklearn_api.compiled.model import CompiledModel
from sklearn_api.errors import ArtifactError
from sklearn_api.sklearn_model import SklearnModel
from training.artifact.compiler import NotCompiledError, compile_pipeline
from training.artifact.dump import dump_pipeline
from training.artifact.members import write_archive

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
    pipeline: object, calibration: Calibration | None = None, *, rows: Sequence[str] = ()
) -> Artifact:
    """Write a fitted pipeline as an artifact; the pipeline itself is not changed.

    Equal pipelines give equal bytes. A pipeline that is linear in its terms is also written in
    compiled form, provided that both forms agree on all `rows`.

    Parameters
    ----------
    pipeline : estimator
        A fitted estimator, consisting of types that `sklearn_api.artifact.trusted` lists.
    calibration : Calibration, optional
        Turns its decision scores into probabilities.
    rows : sequence of str
        Texts that the pipeline has not seen, on which to compare the two forms.

    Raises
    ------
    ArtifactError
        The pipeline contains a type that is not trusted or cannot be stored; the message names it.
    """
    members = dump_pipeline(pipeline)
    plain = write_archive({HEADER: _header(calibration, None), **members})
    restored = construct(Archive(plain, sys.maxsize), sys.maxsize)
    if dump_pipeline(restored) != members:
        raise ArtifactError(
            "the pipeline cannot be stored: reading it back gives a different pipeline"
        )
    compiled, reason = _compile(restored, calibration, members, rows)
    content = write_archive({HEADER: _header(calibration, reason), **members, **compiled})
    return Artifact(content, reason)


def _compile(
    pipeline: Any,
    calibration: Calibration | None,
    members: Mapping[str, bytes],
    rows: Sequence[str],
) -> tuple[dict[str, bytes], str | None]:
    """Return the members of the compiled form; or no members, and why it has no compiled form."""
    try:
        added = compile_pipeline(pipeline, members)
        archive = Archive(write_archive({**members, **added}), sys.maxsize)
        _compare(CompiledModel(archive, calibration), SklearnModel(pipeline, calibration), rows)
    except NotCompiledError as exc:
        return {}, str(exc)
    # A pipeline that is not fitted, or not the way scikit-learn fits it, can raise anything.
    except Exception as exc:
        return {}, f"it cannot be compiled: {type(exc).__name__}: {exc}"[:500]
    return added, None


def _compare(compiled: CompiledModel, original: SklearnModel, rows: Sequence[str]) -> None:
    """Raise `NotCompiledError` if the two forms of a model differ on any text."""
    texts = [*_AWKWARD, *rows]
    expected = original.predict_all(texts)
    for number, (text, wanted) in enumerate(zip(texts, expected, strict=True)):
        found = compiled.predict(text)
        same = (
            found.label == wanted.label
            and _close(found.score, wanted.score)
            and (found.probability is None) == (wanted.probability is None)
            and _close(found.probability or 0.0, wanted.probability or 0.0)
        )
        if not same:
            raise NotCompiledError(
                f"the two forms differ on text {number - len(_AWKWARD)}: compiled {found}, "
                f"scikit-learn {wanted}"
            )


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= TOLERANCE * max(1.0, abs(other))


def _header(calibration: Calibration | None, not_compiled: str | None) -> bytes:
    stored = None
    if calibration is not None:
        stored = {
            "method": "sigmoid",
            "slope": float(calibration.slope),
            "intercept": float(calibration.intercept),
        }
    header = {
        "format": FORMAT,
        "python": python_version(),
        "scikit-learn": sklearn.__version__,
        "calibration": stored,
        "not_compiled": not_compiled,
    }
    read_calibration(header)  # raises for numbers that a Lambda would refuse
    return json.dumps(header).encode()
