"""Stand-ins for what is outside the process: S3 and the clock."""

import hashlib
import io
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError


class FakeS3:
    """An S3 client over a dict, with S3's conditional requests and its errors.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.written: list[str] = []
        self.read: list[str] = []
        self.failure: Exception | None = None

    def get_object(
        self, *, Bucket: str, Key: str, IfNoneMatch: str | None = None
    ) -> dict[str, Any]:
        self._fail()
        self.read.append(Key)
        if Key not in self.objects:
            raise self.error("NoSuchKey", 404)
        content = self.objects[Key]
        if IfNoneMatch == etag(content):
            raise self.error("304", 304)
        return {"Body": io.BytesIO(content), "ETag": etag(content), "ContentLength": len(content)}

    def put_object(
        self,
        *,
        Bucket: str,
        Key: str,
        Body: Any,
        ContentType: str,
        IfMatch: str | None = None,
        IfNoneMatch: str | None = None,
    ) -> dict[str, Any]:
        self._fail()
        present = self.objects.get(Key)
        if IfNoneMatch == "*" and present is not None:
            raise self.error("PreconditionFailed", 412)
        if IfMatch is not None and (present is None or etag(present) != IfMatch):
            raise self.error("PreconditionFailed", 412)
        if isinstance(Body, bytes):
            self.objects[Key] = Body
        else:
            Body.read()  # for the checksum, as botocore does before it sends
            Body.seek(0)
            self.objects[Key] = Body.read()
        self.written.append(Key)
        return {"ETag": etag(self.objects[Key])}

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure

    @staticmethod
    def error(code: str, status: int) -> ClientError:
        return ClientError(
            {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]  # the rest of it plays no part
            "GetObject",
        )

    @staticmethod
    def unreachable() -> Exception:
        return EndpointConnectionError(endpoint_url="http://127.0.0.1:9")


def etag(content: bytes) -> str:
    """Return an ETag, with the quotes that belong to it."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
