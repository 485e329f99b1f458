"""A model as a file that can be read without running anything that is in it.

A zip of two members, `artifact.json` (what it was made with) and `model.skops` (the fitted
pipeline as skops writes it, https://skops.readthedocs.io/en/stable/persistence.html). Nothing is
unpickled: skops audits every type before it builds an object, and builds none that is not trusted.
A manifest stands beside the artifact and is never needed to load it.
"""

import hashlib
import io
import itertools
import json
import lzma
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version as installed_version
from typing import Any

from sklearn_api.errors import ArtifactError

FORMAT = 1
TRUSTED: tuple[str, ...] = ()
"""Types that may be loaded besides those of scikit-learn, numpy and scipy, which skops trusts."""

_HEADER, _MODEL = "artifact.json", "model.skops"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that zip knows
# What `zipfile` raises on damaged bytes; RuntimeError when they claim to be encrypted, or to need
# what it does not implement.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    RuntimeError,
    ValueError,
    EOFError,
    OSError,
)


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


def write_artifact(pipeline: object) -> bytes:
    """Return a fitted pipeline as an artifact.

    The same pipeline gives the same bytes.

    Parameters
    ----------
    pipeline : estimator
        Fitted, of types that skops trusts or that stand in `TRUSTED`.

    Raises
    ------
    ArtifactError
        It holds a type that would be refused when it is loaded; the message names it.
    """
    import skops.io

    model = _normalised(skops.io.dumps(pipeline))
    untrusted = sorted(set(skops.io.get_untrusted_types(data=model)) - set(TRUSTED))
    if untrusted:
        raise ArtifactError(
            f"the pipeline holds types that are not trusted: {', '.join(untrusted)}; use types of "
            "scikit-learn, or add them to TRUSTED in sklearn_api/artifact.py after a review"
        )
    header = {
        "format": FORMAT,
        "python": python_version(),
        "scikit-learn": installed_version("scikit-learn"),
    }
    return _zip({_HEADER: json.dumps(header).encode(), _MODEL: model})


def read_artifact(content: bytes, sha256: str, max_bytes: int) -> Any:
    """Check an artifact and return its pipeline.

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
    estimator
        The fitted pipeline.

    Raises
    ------
    ArtifactError
        The message names the check that failed, with the two values that differ.
    """
    actual = hashlib.sha256(content).hexdigest()
    if actual != sha256:
        raise ArtifactError(f"the artifact's sha256 is {actual}, but {sha256} was published")
    members = _unzip(content, max_bytes)
    if members.keys() != {_HEADER, _MODEL}:
        raise ArtifactError(f"the artifact's members are {sorted(members)}, not those of a model")
    _check_header(members[_HEADER])
    _check_sizes(members[_MODEL], max_bytes)

    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        return skops.io.loads(members[_MODEL], trusted=list(TRUSTED))
    except UntrustedTypesFoundException as exc:
        raise ArtifactError(f"the artifact holds types that are not trusted: {exc}") from exc
    # Whatever a damaged file makes skops stumble over, it is the artifact that is to blame.
    except Exception as exc:
        raise ArtifactError(
            f"the artifact's model cannot be read: {type(exc).__name__}: {exc}"
        ) from exc


def _check_header(content: bytes) -> None:
    try:
        header = json.loads(content)
    except (ValueError, RecursionError) as exc:
        raise ArtifactError(f"the artifact's {_HEADER} is not JSON") from exc
    running = {
        "format": FORMAT,
        "python": python_version(),
        "scikit-learn": installed_version("scikit-learn"),
    }
    if not isinstance(header, dict):
        raise ArtifactError(f"the artifact's {_HEADER} is not a JSON object")
    for name, expected in running.items():
        found = header.get(name)
        if found != expected:
            raise ArtifactError(
                f"the artifact was made with {name} {found}, this Lambda runs {name} {expected}; "
                "train and publish again, or deploy what the artifact was made with"
            )


def _check_sizes(archive: bytes, max_bytes: int) -> None:
    """Refuse an archive that is damaged or unpacks to more than `max_bytes`."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as source:
            size = sum(member.file_size for member in source.infolist())
    except _DAMAGE as exc:
        raise ArtifactError(f"the artifact is damaged or truncated: {exc}") from exc
    if size > max_bytes:
        raise ArtifactError(f"the artifact unpacks to {size:,} bytes; {max_bytes:,} are allowed")


def _unzip(archive: bytes, max_bytes: int) -> dict[str, bytes]:
    _check_sizes(archive, max_bytes)
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as source:
            # `read` stops at the size that was checked, whatever the data really unpack to.
            return {member.filename: source.read(member) for member in source.infolist()}
    except _DAMAGE as exc:
        raise ArtifactError(f"the artifact is damaged or truncated: {exc}") from exc


def _zip(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target:
        for name, content in members.items():
            target.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _normalised(archive: bytes) -> bytes:
    """Return what skops wrote with serial numbers instead of memory addresses, and no times.

    skops names objects and files by `id`. The references between them stay as they are. Vectorizers
    keep the `id` of the stop words that they have checked last, which is no other object's later.
    """
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        members = {name: source.read(name) for name in source.namelist()}
    schema = json.loads(members.pop("schema.json"))
    numbers: dict[int, int] = {}
    counter = itertools.count(1)
    renamed: dict[str, bytes] = {}
    for node in _nodes(schema):
        identity = node.get("__id__")
        if identity is not None:
            if identity not in numbers:
                numbers[identity] = next(counter)
            node["__id__"] = numbers[identity]
        if node.get("__loader__") == "ObjectNode" and isinstance(node.get("content"), dict):
            attributes = node["content"].get("content")
            if isinstance(attributes, dict) and "_stop_words_id" in attributes:
                attributes["_stop_words_id"]["content"] = "0"
        file = node.get("file")
        if isinstance(file, str) and file in members:
            new = f"{len(renamed)}.{file.rsplit('.', 1)[-1]}"
            renamed[new] = members[file]
            node["file"] = new
    return _zip({"schema.json": json.dumps(schema).encode(), **renamed})


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every JSON object in a value, in the order of the file."""
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, dict):
            yield current
            pending.extend(reversed(list(current.values())))
        elif isinstance(current, list):
            pending.extend(reversed(current))
