"""A model as a file that can be read without running anything that is in it.

A flat zip: `artifact.json` (what it was made with, and how scores become probabilities),
`pipeline.json` (the fitted pipeline's schema), and the schema's files, arrays as ``.npy`` and
vocabularies as text. Nothing is unpickled: every type is looked up in `trusted.py` before an object
is built. A manifest stands beside the artifact and is never needed to load it.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

from sklearn_api.archive import Archive, Content, write_archive
from sklearn_api.calibration import Calibration
from sklearn_api.compiled import CompiledModel
from sklearn_api.errors import ArtifactError
from sklearn_api.estimated import EstimatedModel
from sklearn_api.header import (
    FORMAT,
    HEADER,
    check_made_with,
    not_compiled,
    open_artifact,
    python_version,
    read_calibration,
)

__all__ = [
    "FORMAT",
    "TOLERANCE",
    "Manifest",
    "Model",
    "python_version",
    "read_artifact",
    "write_artifact",
]

TOLERANCE = 1e-9
"""How far a compiled model's scores and probabilities may be from scikit-learn's."""

# Texts on which analyzers could differ: none, letters that grow when they are made small, accents,
# blanks of all kinds, digits and words of other scripts, n-grams at the very beginning and end.
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


@dataclass(frozen=True)
class Manifest:
    """What is known about an artifact; stored as JSON beside it.

    Attributes
    ----------
    name, version : str
        The model, and this version of it (empty until it is published).
    created : str
        When it was trained, ISO 8601 in UTC.
    sha256, size : str, int
        Of the artifact, `size` in bytes.
    format : int
        The artifact's format.
    python : str
        Python that trained it, such as ``3.13``.
    libraries : mapping
        Versions by name.
    labels : sequence of str
        What the labels 0, 1, … mean.
    input_field : str
        The field of a request that holds the input.
    training : mapping
        Source, revision, rows, columns, and the fingerprint of all that the model depends on.
    metrics : mapping
        Measured on rows that the measured model had not seen.
    git_revision : str or None
        Of the code that trained it, None outside a git checkout.
    form : str
        ``compiled`` where plain Python serves it, else ``sklearn``.
    not_compiled : str or None
        Why it has no compiled form, None where it has one.
    """

    name: str
    version: str
    created: str
    sha256: str
    size: int
    format: int
    python: str
    libraries: Mapping[str, str]
    labels: Sequence[str]
    input_field: str
    training: Mapping[str, Any]
    metrics: Mapping[str, Any]
    git_revision: str | None
    form: str = "sklearn"
    not_compiled: str | None = None

    def to_json(self) -> bytes:
        """Return it as a JSON file."""
        return (json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n").encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Manifest":
        """Read a JSON file.

        Raises
        ------
        ArtifactError
            It is no manifest; the message says what is missing or unknown.
        """
        try:
            values = json.loads(content)
        except (ValueError, RecursionError) as exc:
            raise ArtifactError(f"the manifest is not JSON: {exc}") from exc
        if not isinstance(values, dict):
            raise ArtifactError("the manifest is not a JSON object")
        names = {one.name for one in fields(cls)}
        if names != values.keys():
            wrong = sorted(names ^ values.keys())
            raise ArtifactError(f"the manifest has missing or unknown fields: {', '.join(wrong)}")
        return cls(**values)


class Model(NamedTuple):
    """What an artifact holds.

    Attributes
    ----------
    pipeline : estimator
        Fitted.
    calibration : Calibration or None
        From its decision scores to probabilities, where it was calibrated.
    not_compiled : str or None
        Why the artifact has no compiled form beside the pipeline, None where it has one.
    """

    pipeline: Any
    calibration: Calibration | None = None
    not_compiled: str | None = None


def write_artifact(
    pipeline: object, calibration: Calibration | None = None, *, rows: Sequence[str] = ()
) -> bytes:
    """Return a fitted pipeline as an artifact.

    The same pipeline gives the same bytes, and is not changed. A pipeline that is linear in its
    terms is also written in compiled form, if that predicts the same for all `rows`.

    Parameters
    ----------
    pipeline : estimator
        Fitted, of types that stand in `trusted.py`.
    calibration : Calibration, optional
        From its decision scores to probabilities.
    rows : sequence of str
        Texts to compare the two forms with, which the pipeline has not seen.

    Raises
    ------
    ArtifactError
        It holds something that is not trusted or cannot be stored; the message names it.
    """
    from sklearn_api.rebuild import put_together
    from sklearn_api.schema import take_apart

    members = take_apart(pipeline)
    plain = write_archive({HEADER: _header(calibration, None), **members})
    again = put_together(Archive(plain, sys.maxsize), sys.maxsize)
    if take_apart(again) != members:
        raise ArtifactError("the pipeline cannot be stored: it does not come back as it was")
    compiled, reason = _compile(again, calibration, members, rows)
    return write_archive({HEADER: _header(calibration, reason), **members, **compiled})


def read_artifact(content: Content, max_bytes: int) -> Model:
    """Check an artifact and return the pipeline that it holds.

    Parameters
    ----------
    content : bytes or bytearray
        The artifact.
    max_bytes : int
        What it may unpack to.

    Returns
    -------
    Model
        The very pipeline that was written: what it predicts is the same to the last bit.

    Raises
    ------
    ArtifactError
        The message names the check that failed, with the two values that differ.
    """
    archive, header = open_artifact(content, max_bytes)
    check_made_with(header, _made_with())
    calibration = read_calibration(header)

    from sklearn_api.rebuild import put_together

    return Model(put_together(archive, max_bytes), calibration, not_compiled(header))


def _compile(
    pipeline: Any,
    calibration: Calibration | None,
    members: Mapping[str, bytes],
    rows: Sequence[str],
) -> tuple[dict[str, bytes], str | None]:
    """Return the members of the compiled form, or none and the reason."""
    from sklearn_api.compiler import NotCompiledError, compile_pipeline

    try:
        added = compile_pipeline(pipeline, members)
        archive = Archive(write_archive({**members, **added}), sys.maxsize)
        _compare(CompiledModel(archive, calibration), pipeline, calibration, rows)
    except NotCompiledError as exc:
        return {}, str(exc)
    # A pipeline that is not fitted, or not as scikit-learn fits it, fails anywhere in there.
    except Exception as exc:
        return {}, f"it cannot be compiled: {type(exc).__name__}: {exc}"[:500]
    return added, None


def _compare(
    compiled: CompiledModel, pipeline: Any, calibration: Calibration | None, rows: Sequence[str]
) -> None:
    """Raise `NotCompiledError` where the two forms of a model differ."""
    from sklearn_api.compiler import NotCompiledError

    texts = [*_AWKWARD, *rows]
    expected = EstimatedModel(pipeline, calibration).predict_all(texts)
    for number, (text, wanted) in enumerate(zip(texts, expected, strict=True)):
        found = compiled.predict(text)
        same = (
            found.label == wanted.label
            and _near(found.score, wanted.score)
            and (found.probability is None) == (wanted.probability is None)
            and _near(found.probability or 0.0, wanted.probability or 0.0)
        )
        if not same:
            raise NotCompiledError(
                f"its compiled form says {found} of text {number - len(_AWKWARD)}, scikit-learn "
                f"{wanted}"
            )


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= TOLERANCE * max(1.0, abs(other))


def _made_with() -> Mapping[str, object]:
    """Return what a pipeline is made with, and has to be read with."""
    import sklearn

    return {
        "format": FORMAT,
        "python": python_version(),
        "scikit-learn": sklearn.__version__,
    }


def _header(calibration: Calibration | None, reason: str | None) -> bytes:
    stored = None
    if calibration is not None:
        stored = {
            "method": "sigmoid",
            "slope": float(calibration.slope),
            "intercept": float(calibration.intercept),
        }
    header = {**_made_with(), "calibration": stored, "not_compiled": reason}
    read_calibration(header)
    return json.dumps(header).encode()
