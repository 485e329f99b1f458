"""Publishing: a new version, the same one again, and somebody else at the same time."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sklearn_api.artifact import Manifest
from sklearn_api.store import ModelStore
from tests.unit.fakes import FakeS3
from training.errors import TrainingError
from training.publish import Account, publish

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def manifest(sha256: str) -> Manifest:
    empty: dict[str, Any] = {}
    return Manifest(
        "review", "", "", sha256, 1, 1, "3.13", empty, [], "review_text", empty, empty, None
    )


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


@pytest.fixture
def store(s3: FakeS3) -> ModelStore:
    return ModelStore(s3, "bucket", "review")  # type: ignore[arg-type]  # a fake


def test_a_version_is_named_by_time_and_content(s3: FakeS3, store: ModelStore) -> None:
    """The version's name sorts by time; manifest and pointer both hold it."""
    version, new = publish(store, manifest("abcdef0123456789"), b"artifact", now=NOW)
    assert (version, new) == ("20260102T030405Z-abcdef01", True)
    stored = json.loads(s3.objects[f"models/review/{version}/manifest.json"])
    assert stored["version"] == version
    assert json.loads(s3.objects["models/review/current.json"]) == {
        "name": "review",
        "version": version,
        "sha256": "abcdef0123456789",
        "published": "2026-01-02T03:04:05+00:00",
        "form": "sklearn",
    }


def test_the_same_model_is_not_published_twice(s3: FakeS3, store: ModelStore) -> None:
    """What is served already is said to be, and nothing is written."""
    first, _ = publish(store, manifest("a" * 64), b"x", now=NOW)
    s3.written.clear()
    assert publish(store, manifest("a" * 64), b"x", now=NOW) == (first, False)
    assert s3.written == []


def test_a_conflict_is_said(s3: FakeS3, store: ModelStore) -> None:
    """A pointer that moves between reading and writing is an error, and stays as it is."""
    publish(store, manifest("a" * 64), b"x", now=NOW)
    other = b'{"name": "review", "version": "theirs", "sha256": "t", "published": "now"}'

    class Racing(FakeS3):
        def put_object(self, **arguments: Any) -> dict[str, Any]:
            if arguments["Key"].endswith("model.zip"):
                self.objects["models/review/current.json"] = other
            return super().put_object(**arguments)

    racing = Racing()
    racing.objects = s3.objects
    with pytest.raises(TrainingError, match="meanwhile"):
        publish(
            ModelStore(racing, "bucket", "review"),  # type: ignore[arg-type]  # a fake
            manifest("b" * 64),
            b"y",
            now=NOW,
        )
    assert s3.objects["models/review/current.json"] == other


def test_a_damaged_pointer_is_said_and_left_alone(s3: FakeS3, store: ModelStore) -> None:
    """Publishing over what is no pointer is an error that says how to mend it."""
    s3.objects["models/review/current.json"] = b"{"
    with pytest.raises(TrainingError, match=r"current\.json is no pointer; delete it"):
        publish(store, manifest("a" * 64), b"x", now=NOW)
    assert s3.written == []


def test_storage_that_refuses_is_said(s3: FakeS3, store: ModelStore) -> None:
    """Denied access is an error and not taken for an empty bucket."""
    s3.failure = FakeS3.error("AccessDenied", 403)
    with pytest.raises(TrainingError, match="denied"):
        publish(store, manifest("a" * 64), b"x", now=NOW)


def test_an_emulator_that_does_not_run_is_said() -> None:
    """Without the emulator, stage `local` says how to start it."""
    account = Account("local", environ={"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    with pytest.raises(TrainingError, match=r"127\.0\.0\.1:9 cannot be reached.*scripts/up"):
        account.bucket("3.13")


@pytest.mark.parametrize(
    ("environ", "region", "message"),
    [
        ({"AWS_ENDPOINT_URL": "nonsense"}, None, "AWS_ENDPOINT_URL is no address"),
        ({}, "no region", "doesn't match a supported format"),
    ],
)
def test_what_is_no_address_is_said(
    environ: dict[str, str], region: str | None, message: str
) -> None:
    """A mistyped endpoint or region is an error in words."""
    with pytest.raises(TrainingError, match=message):
        Account("local", region, environ=environ).bucket("3.13")
