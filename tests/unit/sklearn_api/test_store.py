"""Versions of models in S3, and the pointer that names the current one."""

import json
import re
from typing import Any

import pytest

from scripts.lib.project import ROOT
from sklearn_api.errors import ArtifactError, ModelUnavailableError
from sklearn_api.settings import Storage
from sklearn_api.store import ModelStore, Pointer, create_reader
from tests.helpers.fakes import FakeS3, etag, pointer_to

CURRENT = "models/review/current.json"
POINTER = pointer_to(b"artifact", "1")


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


@pytest.fixture
def store(s3: FakeS3) -> ModelStore:
    return ModelStore(s3, "bucket", "review")  # type: ignore[arg-type]  # FakeS3 has only the methods that are called


def test_a_published_version_can_be_read(s3: FakeS3, store: ModelStore) -> None:
    """The store returns the pointer with its ETag, and the bytes of the version that it names."""
    for artifact in (b"", b"artifact", bytes(range(256)) * 3000):
        named = pointer_to(artifact, "1")
        s3.serve(named, artifact)
        assert store.pointer() == (named, etag(s3.objects[CURRENT]))
        assert store.download(named, 10**6) == artifact


def test_an_artifact_with_another_sha256_is_refused(s3: FakeS3, store: ModelStore) -> None:
    """The error has both hashes, also if the artifact is shorter or longer than published."""
    for artifact in (b"artefact", b"artifac", b"artifact\0", b""):
        s3.serve(POINTER, artifact)
        both = f"sha256 is {pointer_to(artifact).sha256}, but {POINTER.sha256} was published"
        with pytest.raises(ArtifactError, match=both):
            store.download(POINTER, 100)


def test_an_unchanged_pointer_is_not_read_again(s3: FakeS3, store: ModelStore) -> None:
    """Given the ETag of the last pointer, S3 answers 304, and the store returns None."""
    s3.serve(POINTER, b"artifact")
    found = store.pointer()
    assert found is not None
    assert store.pointer(unless=found[1]) is None


def test_a_pointer_survives_its_json_form() -> None:
    """It may name the previous version, and may have fields that newer code has added."""
    for previous in (None, "0"):
        written = POINTER._replace(previous=previous)
        assert Pointer.from_json(written.to_json(), CURRENT) == written
    newer = {**json.loads(POINTER.to_json()), "channel": "beta"}
    assert Pointer.from_json(json.dumps(newer).encode(), CURRENT) == POINTER
    older = {name: value for name, value in newer.items() if name != "previous"}
    assert Pointer.from_json(json.dumps(older).encode(), CURRENT) == POINTER


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (FakeS3.error("NoSuchKey", 404), "no model 'review' has been published"),
        (FakeS3.error("NoSuchBucket", 404), "model bucket does not exist"),
        (FakeS3.error("AccessDenied", 403), "access to it is denied"),
        (FakeS3.unreachable(), "cannot be reached"),
    ],
)
def test_the_reason_for_a_missing_model_is_reported(
    s3: FakeS3, store: ModelStore, failure: Exception, message: str
) -> None:
    """Each way to fail at reading the pointer is 503 with its own reason and Retry-After."""
    s3.failure = failure
    with pytest.raises(ModelUnavailableError, match=message) as caught:
        store.pointer()
    assert caught.value.status == 503
    assert int(caught.value.headers["Retry-After"]) > 0


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
        b'{"name": "r", "version": "5", "sha256": "a", "published": "now", "previous": 4}',
    ],
)
def test_a_damaged_pointer_is_named(s3: FakeS3, store: ModelStore, content: bytes) -> None:
    """A damaged pointer raises an error that names its key."""
    s3.objects[CURRENT] = content
    with pytest.raises(ArtifactError, match=f"{CURRENT} is not a valid pointer"):
        store.pointer()


def test_an_artifact_that_is_too_large_is_not_downloaded(s3: FakeS3, store: ModelStore) -> None:
    """An artifact over the limit is refused by its length, naming the setting."""
    s3.serve(POINTER, b"x" * 11)
    with pytest.raises(ArtifactError, match="MAX_ARTIFACT_BYTES"):
        store.download(POINTER, 10)


def test_an_artifact_that_cannot_be_read_is_named(s3: FakeS3, store: ModelStore) -> None:
    """A missing artifact is 503 with its key, and one that access is denied to is 503."""
    with pytest.raises(ModelUnavailableError, match=r"models/review/1/model\.zip does"):
        store.download(POINTER, 10)
    s3.failure = FakeS3.error("AccessDenied", 403)
    with pytest.raises(ModelUnavailableError, match="denied"):
        store.download(POINTER, 10)


def test_a_function_outlives_an_s3_that_hangs() -> None:
    """All attempts together end within the shortest timeout of a function in serverless.yml."""
    text = (ROOT / "serverless.yml").read_text()
    timeout = min(int(found) for found in re.findall(r"^ +timeout: (\d+)$", text, re.MULTILINE))
    reader: Any = create_reader(Storage(endpoint="http://127.0.0.1:9"), "bucket")
    config = reader.meta.config
    attempts = config.retries["total_max_attempts"]
    assert attempts * (config.connect_timeout + config.read_timeout) < timeout
