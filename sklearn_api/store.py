"""A model's place in S3.

::

    models/<name>/<version>/model.zip       never changed once written
    models/<name>/<version>/manifest.json   never changed once written
    models/<name>/current.json              names the version that is served

Publishing writes a version's own objects first and the pointer last, by a conditional write, so
that readers see the old model or the whole new one, and two publishers cannot overwrite each other
unnoticed (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
"""

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sklearn_api.errors import (
    ArtifactError,
    ConflictError,
    ModelUnavailableError,
    SettingsError,
)
from sklearn_api.s3 import (
    ATTEMPTS,
    CONNECT_SECONDS,
    READ_SECONDS,
    Credentials,
    S3Reader,
    locate,
)
from sklearn_api.settings import Storage

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

    Client = S3Client | S3Reader

_MAX_POINTER_BYTES = 64 * 1024


class Pointer(NamedTuple):
    """What `current.json` says.

    Attributes
    ----------
    name, version : str
        The version that is served.
    sha256 : str
        Of its artifact.
    published : str
        When the pointer was moved, ISO 8601 in UTC.
    form : str
        In which form the version serves: ``compiled`` or ``sklearn``.
    """

    name: str
    version: str
    sha256: str
    published: str
    form: str = "sklearn"


def create_client(endpoint_url: str | None = None, region: str | None = None) -> "S3Client":
    """Return boto3's S3 client, which reads and writes, with the limits of `create_reader`."""
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": ATTEMPTS},
    )
    return boto3.client("s3", endpoint_url=endpoint_url, region_name=region, config=config)


def create_reader(storage: Storage, bucket: str) -> "Client":
    """Return a client that reads the objects of one bucket.

    It is a small one without boto3, unless settings hold no credentials: then boto3, which takes
    half a second to import, has to find them.

    Raises
    ------
    SettingsError
        The endpoint is no address.
    """
    if not storage.key or not storage.secret:
        return create_client(storage.endpoint, storage.region)
    try:
        place = locate(bucket, storage.region, storage.endpoint)
    except ValueError as exc:
        raise SettingsError(f"AWS_ENDPOINT_URL: {exc}") from exc
    credentials = Credentials(storage.key, storage.secret, storage.token)
    return S3Reader(place, storage.region, credentials, storage.authorities)


class ModelStore:
    """The versions of one model in one bucket.

    Parameters
    ----------
    client : S3 client
        As `create_client` makes it, or, for reading alone, `create_reader`.
    bucket, name : str
        Where, and of which model.
    """

    def __init__(self, client: "Client", bucket: str, name: str) -> None:
        self._client = client
        self.bucket = bucket
        self.name = name

    @property
    def _pointer_key(self) -> str:
        return f"models/{self.name}/current.json"

    def _key(self, version: str, file: str) -> str:
        return f"models/{self.name}/{version}/{file}"

    def pointer(self, unless: str | None = None) -> tuple[Pointer, str] | None:
        """Read which version is served.

        Parameters
        ----------
        unless : str, optional
            ETag of the pointer that is known already.

        Returns
        -------
        (Pointer, str) or None
            The pointer and its ETag; None when it is still the one in `unless`.

        Raises
        ------
        ModelUnavailableError
            No model has been published, or S3 cannot be read.
        ArtifactError
            The pointer is damaged.
        """
        condition: dict[str, Any] = {"IfNoneMatch": unless} if unless else {}
        try:
            answer = self._client.get_object(Bucket=self.bucket, Key=self._pointer_key, **condition)
            content = answer["Body"].read(_MAX_POINTER_BYTES)
        except Exception as exc:
            if _status(exc) == 304:
                return None
            raise self._unavailable(exc, self._pointer_key) from exc
        try:
            pointer = Pointer(**json.loads(content))
            if not all(isinstance(value, str) for value in pointer):
                raise TypeError("a pointer's fields are texts")
        except (ValueError, TypeError, RecursionError) as exc:
            raise ArtifactError(f"{self._pointer_key} is no pointer") from exc
        return pointer, answer["ETag"]

    def download(self, version: str, max_bytes: int) -> bytes:
        """Return the artifact of a version.

        Raises
        ------
        ModelUnavailableError
            It is not there, or S3 cannot be read.
        ArtifactError
            It is larger than `max_bytes`.
        """
        key = self._key(version, "model.zip")
        try:
            answer = self._client.get_object(Bucket=self.bucket, Key=key)
            if answer["ContentLength"] <= max_bytes:
                return answer["Body"].read()
        except Exception as exc:
            raise self._unavailable(exc, key) from exc
        raise ArtifactError(
            f"{key} has {answer['ContentLength']:,} bytes; {max_bytes:,} are "
            "allowed (MAX_ARTIFACT_BYTES)"
        )

    def publish(
        self,
        pointer: Pointer,
        artifact: bytes,
        manifest: bytes,
        expected: str | None,
        progress: "Callable[[int], None] | None" = None,
    ) -> None:
        """Store a version and make it the one that is served.

        Parameters
        ----------
        pointer : Pointer
            Names the new version.
        artifact, manifest : bytes
            The version's objects.
        expected : str or None
            ETag of the pointer that this one replaces, None for the first of all.
        progress : callable, optional
            Called with the number of bytes that have been sent since the last call, less than 0
            when the client starts again.

        Raises
        ------
        ConflictError
            The version exists, or the pointer has been moved meanwhile.
        """
        body = _Progress(artifact, progress)
        self._put(self._key(pointer.version, "model.zip"), body, IfNoneMatch="*")
        self._put(self._key(pointer.version, "manifest.json"), manifest, IfNoneMatch="*")
        condition = {"IfMatch": expected} if expected else {"IfNoneMatch": "*"}
        content = (json.dumps(pointer._asdict(), indent=2) + "\n").encode()
        self._put(self._pointer_key, content, **condition)

    def _put(self, key: str, body: "bytes | _Progress", **condition: str) -> None:
        kind = "application/json" if key.endswith(".json") else "application/zip"
        assert not isinstance(self._client, S3Reader), "it only reads"
        try:
            self._client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=body,  # type: ignore[arg-type]  # a file object of our own
                ContentType=kind,
                **condition,  # type: ignore[arg-type]  # IfMatch or IfNoneMatch
            )
        except Exception as exc:
            if _status(exc) in (409, 412):
                raise ConflictError(
                    f"s3://{self.bucket}/{key} has been written by somebody else meanwhile; "
                    "look at what is published, and publish again"
                ) from exc
            raise self._unavailable(exc, key) from exc

    def _unavailable(self, exc: Exception, key: str) -> ModelUnavailableError:
        """Say in words why S3 did not give or take an object.

        Clients read this: it names no bucket, whose name holds the account's id, and of an error
        that is not S3's only the kind.
        """
        code = _code(exc)
        if code in ("NoSuchKey", "404"):
            reason = f"{key} does not exist; publish one with `python -m training publish`"
            if key == self._pointer_key:
                reason = f"no model '{self.name}' has been published: {reason}"
        elif code == "NoSuchBucket":
            reason = "the model bucket does not exist; deploy the stack first"
        elif code in ("AccessDenied", "403"):
            # Without s3:ListBucket, S3 answers 403 for an object that is not there.
            reason = f"{key} does not exist (no model is published), or access to it is denied"
        else:
            reason = f"{key} cannot be reached ({code or type(exc).__name__})"
        return ModelUnavailableError(reason)


class _Progress:
    """A readable file over bytes that reports how far it has been read.

    botocore reads it for a checksum first, and again to send it: going back is reported, too.
    """

    def __init__(self, content: bytes, progress: "Callable[[int], None] | None") -> None:
        import io

        self._file = io.BytesIO(content)
        self._size = len(content)
        self._progress = progress

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        if self._progress:
            self._progress(len(chunk))
        return chunk

    def seek(self, offset: int, whence: int = 0) -> int:
        before = self._file.tell()
        after = self._file.seek(offset, whence)
        if self._progress and after != before:
            self._progress(after - before)
        return after

    def tell(self) -> int:
        return self._file.tell()


def _status(exc: Exception) -> int | None:
    """Return the HTTP status of a botocore ClientError, without importing botocore."""
    status: int | None = _response(exc).get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status


def _code(exc: Exception) -> str | None:
    code: str | None = _response(exc).get("Error", {}).get("Code")
    return code


def _response(exc: Exception) -> dict[str, Any]:
    return getattr(exc, "response", None) or {}
