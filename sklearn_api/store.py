"""A model's location in S3, for readers.

::

    models/<name>/<version>/model.zip       never changed once written
    models/<name>/<version>/manifest.json   never changed once written
    models/<name>/<version>/report/         never changed once written
    models/<name>/current.json              names the version that is served

Nothing here lists or writes, and the role of a Lambda allows neither. `training.registry` writes
the objects of a version first and the pointer last, so that readers see the old model or the
complete new one.
"""

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sklearn_api.errors import ArtifactError, ModelUnavailableError, SettingsError
from sklearn_api.s3 import (
    ATTEMPTS,
    CONNECT_SECONDS,
    READ_SECONDS,
    S3Reader,
    locate,
)
from sklearn_api.settings import Storage
from sklearn_api.sigv4 import Credentials

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    Client = S3Client | S3Reader

_MAX_POINTER_BYTES = 64 * 1024
_PIECE = 128 * 1024  # bytes received and hashed at a time


class Pointer(NamedTuple):
    """The content of `current.json`.

    Attributes
    ----------
    name, version : str
        The model, and its version to serve.
    sha256 : str
        Digest of its artifact.
    published : str
        When the pointer was moved, ISO 8601 in UTC.
    previous : str or None
        The version that was served before, None for the first one.
    """

    name: str
    version: str
    sha256: str
    published: str
    previous: str | None = None

    def to_json(self) -> bytes:
        """Return it as a JSON file."""
        return (json.dumps(self._asdict(), indent=2) + "\n").encode()

    @classmethod
    def from_json(cls, content: bytes, key: str) -> "Pointer":
        """Read the object at `key`; unknown fields are for newer readers.

        Raises
        ------
        ArtifactError
            The object is not a valid pointer.
        """
        try:
            values = json.loads(content)
            texts = [values[name] for name in ("name", "version", "sha256", "published")]
            previous = values.get("previous")
            if not all(isinstance(text, str) for text in (*texts, previous or "")):
                raise TypeError("the fields of a pointer are strings")
        except (ValueError, TypeError, KeyError, RecursionError) as exc:
            raise ArtifactError(f"{key} is not a valid pointer") from exc
        name, version, sha256, published = texts
        return cls(name, version, sha256, published, previous or None)


def pointer_key(name: str) -> str:
    """Return the key of a model's pointer."""
    return f"models/{name}/current.json"


def version_key(name: str, version: str, file: str) -> str:
    """Return the key of a file of a model's version."""
    return f"models/{name}/{version}/{file}"


def create_reader(storage: Storage, bucket: str) -> "Client":
    """Return a client that reads the objects of one bucket.

    It is a small client without boto3, unless the settings hold no credentials: then boto3 has to
    find them, which takes half a second to import.

    Raises
    ------
    SettingsError
        The endpoint is not a valid address.
    """
    if not storage.key or not storage.secret:
        import boto3
        from botocore.config import Config

        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": ATTEMPTS},
        )
        return boto3.client(
            "s3", endpoint_url=storage.endpoint, region_name=storage.region, config=config
        )
    try:
        location = locate(bucket, storage.region, storage.endpoint)
    except ValueError as exc:
        raise SettingsError(f"AWS_ENDPOINT_URL: {exc}") from exc
    credentials = Credentials(storage.key, storage.secret, storage.token)
    return S3Reader(location, storage.region, credentials, storage.authorities)


class ModelStore:
    """The versions of one model in one bucket.

    Parameters
    ----------
    client : S3 client
        As `create_reader` returns it.
    bucket, name : str
        The bucket, and the name of the model.
    """

    def __init__(self, client: "Client", bucket: str, name: str) -> None:
        self._client = client
        self.bucket = bucket
        self.name = name

    def pointer(self, unless: str | None = None) -> tuple[Pointer, str] | None:
        """Read the pointer to the version to serve.

        Parameters
        ----------
        unless : str, optional
            ETag of a pointer that is already known.

        Returns
        -------
        (Pointer, str) or None
            The pointer and its ETag; None if its ETag is still `unless`.

        Raises
        ------
        ModelUnavailableError
            No model has been published, or S3 cannot be read.
        ArtifactError
            The pointer is damaged.
        """
        key = pointer_key(self.name)
        condition: dict[str, Any] = {"IfNoneMatch": unless} if unless else {}
        try:
            answer = self._client.get_object(Bucket=self.bucket, Key=key, **condition)
            content = answer["Body"].read(_MAX_POINTER_BYTES)
        except Exception as exc:
            if http_status(exc) == 304:
                return None
            raise self._unavailable(exc, key) from exc
        return Pointer.from_json(content, key), answer["ETag"]

    def download(self, pointer: Pointer, max_bytes: int) -> bytearray:
        """Return the artifact that a pointer names, verified against the pointer's SHA-256.

        Raises
        ------
        ModelUnavailableError
            There is no such object, or S3 cannot be read.
        ArtifactError
            The artifact is larger than `max_bytes`, or not the one that was published.
        """
        key = version_key(self.name, pointer.version, "model.zip")
        try:
            answer = self._client.get_object(Bucket=self.bucket, Key=key)
            size = answer["ContentLength"]
            if size <= max_bytes:
                content, sha256 = _received(answer["Body"], size)
        except Exception as exc:
            raise self._unavailable(exc, key) from exc
        if size > max_bytes:
            raise ArtifactError(
                f"{key} has {size:,} bytes; {max_bytes:,} are allowed (MAX_ARTIFACT_BYTES)"
            )
        if sha256 != pointer.sha256:
            raise ArtifactError(
                f"the artifact's sha256 is {sha256}, but {pointer.sha256} was published"
            )
        return content

    def _unavailable(self, exc: Exception, key: str) -> ModelUnavailableError:
        """Return why S3 did not return an object, in words that clients may read.

        They name no bucket, since its name contains the account's id, and only the type of an error
        that does not come from S3.
        """
        code = error_code(exc)
        if code in ("NoSuchKey", "404"):
            reason = f"{key} does not exist; publish one with `python -m training publish`"
            if key == pointer_key(self.name):
                reason = f"no model '{self.name}' has been published: {reason}"
        elif code == "NoSuchBucket":
            reason = "the model bucket does not exist; deploy the stack first"
        elif code in ("AccessDenied", "403"):
            # Without s3:ListBucket, S3 answers 403 for an object that is not there.
            reason = f"{key} does not exist (no model is published), or access to it is denied"
        else:
            # Refused and reset are one reason: the next attempt may turn one into the other.
            kind = "ConnectionError" if isinstance(exc, ConnectionError) else type(exc).__name__
            reason = f"{key} cannot be reached ({code or kind})"
        return ModelUnavailableError(reason)


def _received(body: Any, size: int) -> tuple[bytearray, str]:
    """Return `size` bytes of a body and their SHA-256, computed while the rest arrives."""
    content, digest = bytearray(size), hashlib.sha256()
    at, target = 0, memoryview(content)
    while at < size and (piece := body.read(min(_PIECE, size - at))):
        digest.update(piece)
        target[at : at + len(piece)] = piece
        at += len(piece)
    return content, digest.hexdigest()


def http_status(exc: Exception) -> int | None:
    """Return the HTTP status of S3's answer, None without an answer. It imports no botocore."""
    status: int | None = _response(exc).get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status


def error_code(exc: Exception) -> str | None:
    """Return the code of an S3 error, such as ``NoSuchKey``; None if S3 has given none."""
    code: str | None = _response(exc).get("Error", {}).get("Code")
    return code


def _response(exc: Exception) -> dict[str, Any]:
    return getattr(exc, "response", None) or {}
