"""Versions in S3, and the pointer that names the current one."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sklearn_api.errors import ArtifactError, ConflictError, ModelUnavailableError
from sklearn_api.store import ModelStore, Pointer, create_client
from tests.unit.fakes import FakeS3, etag

CURRENT = "models/review/current.json"


def pointer(version: str) -> Pointer:
    return Pointer("review", version, "sha", "2026-01-01T00:00:00+00:00")


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


@pytest.fixture
def store(s3: FakeS3) -> ModelStore:
    return ModelStore(s3, "bucket", "review")  # type: ignore[arg-type]  # a fake


def test_a_version_is_complete_before_the_pointer_names_it(s3: FakeS3, store: ModelStore) -> None:
    """Artifact and manifest are written first, the pointer last."""
    sent: list[int] = []
    store.publish(pointer("1"), b"artifact", b"{}", expected=None, progress=sent.append)
    assert s3.written == ["models/review/1/model.zip", "models/review/1/manifest.json", CURRENT]
    assert sum(sent) == len(b"artifact")
    found = store.pointer()
    assert found == (pointer("1"), etag(s3.objects[CURRENT]))
    assert store.download("1", 100) == b"artifact"


def test_an_unchanged_pointer_is_not_read_again(store: ModelStore) -> None:
    """Asked with the ETag it gave, S3 answers 304, and the store None."""
    store.publish(pointer("1"), b"a", b"{}", expected=None)
    found = store.pointer()
    assert found is not None
    assert store.pointer(unless=found[1]) is None


def test_of_two_publishers_one_is_told(s3: FakeS3, store: ModelStore) -> None:
    """Whoever publishes on top of a pointer that has moved gets an error, and moves nothing."""
    store.publish(pointer("1"), b"a", b"{}", expected=None)
    before = etag(s3.objects[CURRENT])
    store.publish(pointer("2"), b"b", b"{}", expected=before)
    with pytest.raises(ConflictError, match="meanwhile"):
        store.publish(pointer("3"), b"c", b"{}", expected=before)
    with pytest.raises(ConflictError):
        store.publish(pointer("4"), b"d", b"{}", expected=None)
    assert json.loads(s3.objects[CURRENT])["version"] == "2"


def test_a_version_never_changes(s3: FakeS3, store: ModelStore) -> None:
    """Publishing a version that exists is refused, and leaves it as it is."""
    store.publish(pointer("1"), b"first", b"{}", expected=None)
    with pytest.raises(ConflictError):
        store.publish(pointer("1"), b"second", b"{}", expected=etag(s3.objects[CURRENT]))
    assert s3.objects["models/review/1/model.zip"] == b"first"


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (FakeS3.error("NoSuchKey", 404), "no model 'review' has been published"),
        (FakeS3.error("NoSuchBucket", 404), "model bucket does not exist"),
        (FakeS3.error("AccessDenied", 403), "access to it is denied"),
        (FakeS3.unreachable(), "cannot be reached"),
    ],
)
def test_why_there_is_no_model_is_said(
    s3: FakeS3, store: ModelStore, failure: Exception, message: str
) -> None:
    """Each way in which S3 gives no pointer is 503 with a reason of its own and Retry-After."""
    s3.failure = failure
    with pytest.raises(ModelUnavailableError, match=message) as caught:
        store.pointer()
    assert caught.value.status == 503
    assert int(caught.value.headers["Retry-After"]) > 0


def test_progress_ends_at_the_size_however_often_the_client_reads(store: ModelStore) -> None:
    """A client that reads the artifact twice, as for a checksum, does not count it twice."""
    sent: list[int] = []
    store.publish(pointer("1"), b"x" * 10, b"{}", expected=None, progress=sent.append)
    assert sent == [10, -10, 10]


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 60_000,
        b'{"name": 1, "extra": 2}',
        b'{"name": "review", "version": 5, "sha256": "a", "published": "now"}',
        b'{"name": "review", "version": "5", "sha256": null, "published": "now"}',
    ],
)
def test_a_damaged_pointer_is_named(s3: FakeS3, store: ModelStore, content: bytes) -> None:
    """What is no pointer is an error with its place."""
    s3.objects[CURRENT] = content
    with pytest.raises(ArtifactError, match=f"{CURRENT} is no pointer"):
        store.pointer()


def test_too_large_an_artifact_is_not_downloaded(store: ModelStore) -> None:
    """An artifact over the limit is refused by its length, naming the setting."""
    store.publish(pointer("1"), b"x" * 11, b"{}", expected=None)
    with pytest.raises(ArtifactError, match="MAX_ARTIFACT_BYTES"):
        store.download("1", 10)


def test_an_artifact_that_cannot_be_had_is_named(s3: FakeS3, store: ModelStore) -> None:
    """A version without its artifact, or one that may not be read, is 503 with its place."""
    with pytest.raises(ModelUnavailableError, match=r"models/review/1/model\.zip does"):
        store.download("1", 10)
    s3.failure = FakeS3.error("AccessDenied", 403)
    with pytest.raises(ModelUnavailableError, match="denied"):
        store.download("1", 10)


def test_a_bucket_that_may_not_be_written_is_said(s3: FakeS3, store: ModelStore) -> None:
    """Publishing without the permission is an error in words, and no conflict."""
    s3.failure = FakeS3.error("AccessDenied", 403)
    with pytest.raises(ModelUnavailableError, match="denied"):
        store.publish(pointer("1"), b"a", b"{}", expected=None)


def test_s3_that_sees_two_writes_at_once_is_a_conflict(s3: FakeS3, store: ModelStore) -> None:
    """Of conditional writes at the same moment S3 refuses one with 409, which means the same."""
    s3.failure = FakeS3.error("ConditionalRequestConflict", 409)
    with pytest.raises(ConflictError, match="meanwhile"):
        store.publish(pointer("1"), b"a", b"{}", expected=None)


def test_a_function_outlives_storage_that_hangs() -> None:
    """All attempts together end within the shortest timeout of a function in serverless.yml."""
    text = (Path(__file__).parents[3] / "serverless.yml").read_text()
    timeout = min(int(found) for found in re.findall(r"^ +timeout: (\d+)$", text, re.MULTILINE))
    config: Any = create_client("http://127.0.0.1:9", "us-east-1").meta.config
    attempts = config.retries["total_max_attempts"]
    assert attempts * (config.connect_timeout + config.read_timeout) < timeout
