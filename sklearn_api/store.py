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
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sklearn_api.errors import ArtifactError, ConflictError, ModelUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

_MAX_POINTER_BYTES = 64 * 1024


@dataclass(frozen=True)
class Pointer:
    """What `current.json` says.

    Attributes
    ----------
    name, version : str
        The version that is served.
    sha256 : str
        Of its artifact.
    published : str
        When the pointer was moved, ISO 8601 in UTC.
    """

    name: str
    version: str
    sha256: str
    published: str


def create_client(endpoint_url: str | None = None, region: str | None = None) -> "S3Client":
    """Return an S3 client that gives up soon enough for a request to be answered.

    boto3 is imported here and not above: an answer that needs no S3 does not pay for it.
    """
    import boto3
    from botocore.config import Config

    # All attempts together end within the functions' timeout (serverless.yml): a Lambda that is
    # stopped while S3 hangs could not go on serving the model that it has.
    config = Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 2})
    return boto3.client("s3", endpoint_url=endpoint_url, region_name=region, config=config)


class ModelStore:
    """The versions of one model in one bucket.

    Parameters
    ----------
    client : S3 client
        As `create_client` makes it.
    bucket, name : str
        Where, and of which model.
    """

    def __init__(self, client: "S3Client", bucket: str, name: str) -> None:
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
            if not all(isinstance(value, str) for value in asdict(pointer).values()):
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
        content = (json.dumps(asdict(pointer), indent=2) + "\n").encode()
        self._put(self._pointer_key, content, **condition)

    def _put(self, key: str, body: "bytes | _Progress", **condition: str) -> None:
        kind = "application/json" if key.endswith(".json") else "application/zip"
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
