"""Fakes of what is outside the process: S3 and the clock."""

import hashlib
import io
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.response import StreamingBody

from sklearn_api.store import Pointer, pointer_key, version_key


class FakeS3:
    """An S3 client over a dict, with S3's conditional requests and its errors.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.written: list[str] = []
        self.read: list[str] = []
        self.failure: Exception | None = None
        self.answers = threading.Event()  # while it is cleared, every reader waits
        self.answers.set()

    def serve(self, pointer: Pointer, artifact: bytes) -> None:
        """Store a version, and make the pointer name it."""
        self.objects[version_key(pointer.name, pointer.version, "model.zip")] = artifact
        self.objects[pointer_key(pointer.name)] = pointer.to_json()

    def get_object(
        self, *, Bucket: str, Key: str, IfNoneMatch: str | None = None
    ) -> dict[str, Any]:
        self.answers.wait()
        self._fail()
        self.read.append(Key)
        if Key not in self.objects:
            raise self.error("NoSuchKey", 404)
        content = self.objects[Key]
        if IfNoneMatch == etag(content):
            raise self.error("304", 304)
        body = StreamingBody(io.BytesIO(content), len(content))
        return {"Body": body, "ETag": etag(content), "ContentLength": len(content)}

    def get_paginator(self, operation: str) -> "FakeS3":
        assert operation == "list_objects_v2"
        return self

    def paginate(
        self, *, Bucket: str, Prefix: str, Delimiter: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield pages of one object, or of one common prefix, after an empty one."""
        self._fail()
        yield {}
        if Delimiter is not None:
            names = [key.removeprefix(Prefix).partition(Delimiter)[0] for key in self.objects]
            for name in dict.fromkeys(names):
                yield {"CommonPrefixes": [{"Prefix": f"{Prefix}{name}{Delimiter}"}]}
            return
        for number, key in enumerate(self.objects):
            if key.startswith(Prefix):
                written = datetime.fromtimestamp(1767000000 + number, UTC)
                size = len(self.objects[key])
                yield {"Contents": [{"Key": key, "Size": size, "LastModified": written}]}

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
            {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]  # nobody reads the other fields
            "GetObject",
        )

    @staticmethod
    def unreachable() -> Exception:
        return EndpointConnectionError(endpoint_url="http://127.0.0.1:9")


def pointer_to(artifact: bytes, version: str = "7", **fields: str) -> Pointer:
    """Return the pointer to a version of the model ``review``; `fields` replace its fields."""
    sha256 = hashlib.sha256(artifact).hexdigest()
    pointer = Pointer("review", version, sha256, "2026-01-01T00:00:00+00:00")
    return pointer._replace(**fields)


def etag(content: bytes) -> str:
    """Return the ETag of an object, including its quotes."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


class Clock:
    """A clock that only moves when a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
