"""A model as a file that can be read without running anything that is in it.

A flat zip: `artifact.json` (what it was made with, and how scores become probabilities),
`pipeline.json` (the fitted pipeline's schema), and the schema's files, arrays as ``.npy`` and
vocabularies as text. Nothing is unpickled: every type is looked up in `trusted.py` before an object
is built. A manifest stands beside the artifact and is never needed to load it.
"""

import functools
import hashlib
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version as installed_version
from typing import Any

from sklearn_api.archive import Archive, write_archive
from sklearn_api.calibration import Calibration
from sklearn_api.errors import ArtifactError

FORMAT = 2

_HEADER = "artifact.json"
_MAX_HEADER = 64 * 1024


def python_version() -> str:
    """Return the running Python as ``3.13``: bytecode and wheels are good for one of them."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


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


@dataclass(frozen=True)
class Model:
    """What an artifact holds.

    Attributes
    ----------
    pipeline : estimator
        Fitted.
    calibration : Calibration or None
        From its decision scores to probabilities, where it was calibrated.
    """

    pipeline: Any
    calibration: Calibration | None = None


def write_artifact(pipeline: object, calibration: Calibration | None = None) -> bytes:
    """Return a fitted pipeline as an artifact.

    The same pipeline gives the same bytes, and is not changed.

    Parameters
    ----------
    pipeline : estimator
        Fitted, of types that stand in `trusted.py`.
    calibration : Calibration, optional
        From its decision scores to probabilities.

    Raises
    ------
    ArtifactError
        It holds something that is not trusted or cannot be stored; the message names it.
    """
    from sklearn_api.rebuild import put_together
    from sklearn_api.schema import take_apart

    members = take_apart(pipeline)
    header = _header(calibration)
    _calibration(json.loads(header))
    content = write_archive({_HEADER: header, **members})
    again = put_together(Archive(content, sys.maxsize), sys.maxsize)
    if take_apart(again) != members:
        raise ArtifactError("the pipeline cannot be stored: it does not come back as it was")
    return content


def read_artifact(content: bytes, sha256: str, max_bytes: int) -> Model:
    """Check an artifact and return what it holds.

    Parameters
    ----------
    content : bytes
        The artifact.
    sha256 : str
        What its SHA-256 must be, in hexadecimal.
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
    actual = hashlib.sha256(content).hexdigest()
    if actual != sha256:
        raise ArtifactError(f"the artifact's sha256 is {actual}, but {sha256} was published")
    archive = Archive(content, max_bytes)
    calibration = _calibration(_checked_header(archive))

    from sklearn_api.rebuild import MEMBER, put_together

    others = sorted(name for name in archive.names - {_HEADER} if not MEMBER.fullmatch(name))
    if others:
        raise ArtifactError(
            f"the artifact has members that are not those of a model: {str(others)[:200]}"
        )
    return Model(put_together(archive, max_bytes), calibration)


@functools.cache  # It parses the package's metadata, of some 20 kB.
def _made_with() -> Mapping[str, object]:
    """Return what an artifact is made with, and has to be read with."""
    return {
        "format": FORMAT,
        "python": python_version(),
        "scikit-learn": installed_version("scikit-learn"),
    }


def _header(calibration: Calibration | None) -> bytes:
    stored = None
    if calibration is not None:
        stored = {
            "method": "sigmoid",
            "slope": float(calibration.slope),
            "intercept": float(calibration.intercept),
        }
    return json.dumps({**_made_with(), "calibration": stored}).encode()


def _checked_header(archive: Archive) -> dict[str, Any]:
    try:
        header = json.loads(archive.read(_HEADER, _MAX_HEADER))
    except (ValueError, RecursionError) as exc:
        raise ArtifactError(f"the artifact's {_HEADER} is not JSON") from exc
    if not isinstance(header, dict):
        raise ArtifactError(f"the artifact's {_HEADER} is not a JSON object")
    for name, expected in _made_with().items():
        found = header.get(name)
        if found != expected:
            raise ArtifactError(
                f"the artifact was made with {name} {str(found)[:80]}, this Lambda runs {name} "
                f"{expected}; train and publish again, or deploy what the artifact was made with"
            )
    return header


def _calibration(header: Mapping[str, Any]) -> Calibration | None:
    stored = header.get("calibration")
    if stored is None:
        return None
    if not isinstance(stored, dict) or stored.get("method") != "sigmoid":
        raise ArtifactError(f"the artifact's calibration {str(stored)[:80]} is not a sigmoid")
    slope, intercept = stored.get("slope"), stored.get("intercept")
    # Integers are refused: `isfinite` overflows on one that is larger than any float.
    if not isinstance(slope, float) or not isinstance(intercept, float):
        raise ArtifactError(f"the artifact's calibration {str(stored)[:80]} is not of floats")
    if not math.isfinite(slope) or not math.isfinite(intercept):
        raise ArtifactError(f"the artifact's calibration {str(stored)[:80]} is not finite")
    return Calibration(slope, intercept)
