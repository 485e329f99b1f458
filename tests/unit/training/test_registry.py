"""The registry: which objects it writes, in which order, and that it never overwrites one."""

import json
from dataclasses import replace
from typing import Any

import pytest

from sklearn_api.store import Pointer
from tests.helpers.fakes import FakeS3, etag
from tests.helpers.releases import named, registry, store
from training.errors import TrainingError
from training.registry import Registry

CURRENT = "models/review/current.json"


def pointer(version: str) -> Pointer:
    return Pointer("review", version, "sha", "2026-01-01T00:00:00+00:00")


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


def test_the_manifest_is_written_last(s3: FakeS3) -> None:
    """A version with a manifest is complete: artifact and report are written before it."""
    registry(s3).store(named(1, index=b"<html>"))
    prefix = "models/review/v1"
    files = ("model.zip", "report/index.html", "manifest.json")
    assert s3.written == [f"{prefix}/{file}" for file in files]
    assert (
        store(s3).download(Pointer("review", "v1", named(1).manifest.sha256, "now"), 100)
        == b"artifact 1"
    )
    assert registry(s3).manifest("v1") == named(1).manifest
    assert registry(s3).report("v1") == {"index.html": b"<html>"}


def test_an_interrupted_publication_is_continued(s3: FakeS3) -> None:
    """After a failure at any object, storing the version again writes the missing objects."""
    for number in range(3):

        class Ending(FakeS3):
            left = number

            def put_object(self, **arguments: Any) -> dict[str, Any]:
                if not self.left:
                    raise FakeS3.unreachable()
                self.left -= 1
                return super().put_object(**arguments)

        ending = Ending()
        with pytest.raises(TrainingError, match="cannot be reached"):
            registry(ending).store(named(1, index=b"<html>"))
        assert len(ending.objects) == number
        rest = FakeS3()
        rest.objects = dict(ending.objects)
        registry(rest).store(named(1, index=b"<html>"))
        assert len(rest.written) == 3 - number
        assert registry(rest).manifest("v1") == named(1).manifest


def test_a_version_never_changes(s3: FakeS3) -> None:
    """Another artifact, manifest or report of the same version is refused; the first one stays."""
    registry(s3).store(named(1, index=b"<html>"))
    before = dict(s3.objects)
    other = replace(named(2).manifest, version="v1")
    with pytest.raises(TrainingError, match=r"model\.zip already exists with other content"):
        registry(s3).store(replace(named(2), manifest=other))
    changed = replace(named(1).manifest, git_revision="0123")
    with pytest.raises(TrainingError, match=r"manifest\.json already exists"):
        registry(s3).store(replace(named(1), manifest=changed))
    registry(s3).store(named(1, index=b"another", more=b"new"))
    assert s3.objects == before


def test_a_damaged_complete_version_is_reported(s3: FakeS3) -> None:
    """Storing a version again verifies its stored artifact."""
    registry(s3).store(named(1))
    s3.objects["models/review/v1/model.zip"] = b"rotten"
    with pytest.raises(
        TrainingError, match=r"v1 of review is damaged: the sha256 of its model\.zip"
    ):
        registry(s3).store(named(1))


def test_of_two_writers_of_the_pointer_one_fails(s3: FakeS3) -> None:
    """A writer of a pointer that has changed in the meantime gets an error with its version."""
    registry(s3).move(pointer("1"), expected=None)
    before = etag(s3.objects[CURRENT])
    registry(s3).move(pointer("2"), expected=before)
    for expected in (before, None):
        with pytest.raises(
            TrainingError, match=r"in the meantime: it now names 2.* 3 is not served"
        ):
            registry(s3).move(pointer("3"), expected=expected)
    assert json.loads(s3.objects[CURRENT])["version"] == "2"


def test_simultaneous_writes_are_a_conflict(s3: FakeS3) -> None:
    """S3 refuses one of two simultaneous conditional writes with 409, which is a conflict too."""

    class AtOnce(FakeS3):
        def put_object(self, **arguments: Any) -> dict[str, Any]:
            raise self.error("ConditionalRequestConflict", 409)

    with pytest.raises(TrainingError, match="in the meantime: it no longer exists"):
        registry(AtOnce()).move(pointer("1"), expected=None)


def test_a_lost_answer_is_not_a_conflict(s3: FakeS3) -> None:
    """A pointer that the client wrote twice, since S3's first answer was lost, has been moved."""

    class Losing(FakeS3):
        def put_object(self, **arguments: Any) -> dict[str, Any]:
            super().put_object(**arguments)
            return super().put_object(**arguments)

    losing = Losing()
    registry(losing).move(pointer("1"), expected=None)
    assert store(losing).pointer() is not None


def test_progress_counts_every_byte_once(s3: FakeS3) -> None:
    """An artifact that the client reads twice, such as for a checksum, is not counted twice."""
    sent: list[int] = []
    registry(s3).store(named(1), progress=sent.append)
    assert sent == [10, -10, 10]


def test_versions_are_listed_newest_first(s3: FakeS3) -> None:
    """The list contains interrupted publications, and not the pointer."""
    assert registry(s3).versions() == []
    for number in (2, 1, 3):
        registry(s3).store(named(number, index=b"<html>"))
    registry(s3).move(pointer("v1"), None)
    del s3.objects["models/review/v2/manifest.json"]
    found = registry(s3).versions()
    assert [version.name for version in found] == ["v3", "v1", "v2"]
    assert [bool(version.published) for version in found] == [True, True, False]
    assert {version.size for version in found} == {10}


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (FakeS3.error("NoSuchBucket", 404), "bucket bucket does not exist; deploy"),
        (FakeS3.error("AccessDenied", 403), r"access to s3://bucket/models/review/.* is denied"),
        (FakeS3.unreachable(), r"s3://bucket/models/review/.* cannot be reached"),
    ],
)
def test_an_unusable_bucket_is_reported(s3: FakeS3, failure: Exception, message: str) -> None:
    """Every operation on a bucket that cannot be used fails with the reason and the location."""
    s3.failure = failure
    for call in (
        registry(s3).pointer,
        registry(s3).versions,
        lambda: registry(s3).manifest("v1"),
        lambda: registry(s3).report("v1"),
        lambda: registry(s3).store(named(1)),
        lambda: registry(s3).move(pointer("1"), None),
    ):
        with pytest.raises(TrainingError, match=message):
            call()


def test_a_read_only_bucket_is_reported(s3: FakeS3) -> None:
    """Storing without permission to write is a clear error, and not a conflict."""

    class ReadOnly(FakeS3):
        def put_object(self, **arguments: Any) -> dict[str, Any]:
            raise self.error("AccessDenied", 403)

    with pytest.raises(TrainingError, match=r"v1/model\.zip is denied"):
        registry(ReadOnly()).store(named(1))
    with pytest.raises(TrainingError, match=r"current\.json is denied"):
        registry(ReadOnly()).move(pointer("1"), None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "version v1 of review is damaged: the manifest is not JSON"),
        (b"{}", "v1 of review is damaged"),
    ],
)
def test_a_damaged_manifest_is_reported(s3: FakeS3, content: bytes, message: str) -> None:
    """The error names the version whose manifest is not valid."""
    registry(s3).store(named(1))
    s3.objects["models/review/v1/manifest.json"] = content
    with pytest.raises(TrainingError, match=message):
        registry(s3).manifest("v1")


def test_a_manifest_of_another_version_is_reported(s3: FakeS3) -> None:
    """A manifest that was copied from another version is refused."""
    registry(s3).store(named(1))
    s3.objects["models/review/v2/manifest.json"] = s3.objects["models/review/v1/manifest.json"]
    with pytest.raises(
        TrainingError, match="v2 of review is damaged: its manifest belongs to review v1"
    ):
        registry(s3).manifest("v2")


@pytest.mark.parametrize("path", ["../../escape.html", "a//b", "./a", "a\\b"])
def test_a_report_stays_in_its_folder(s3: FakeS3, path: str) -> None:
    """A file of a report whose path leads out of the folder is refused."""
    s3.objects[f"models/review/v1/report/{path}"] = b"x"
    with pytest.raises(
        TrainingError, match=r"report of version v1 of review is damaged: .* is not a valid path"
    ):
        registry(s3).report("v1")


def test_the_models_in_a_bucket_are_listed(s3: FakeS3) -> None:
    """Every model with an object has a name, in order; one registry leads to the others."""
    mine = registry(s3)
    assert mine.models() == []
    mine.store(named(1))
    s3.objects["models/churn/current.json"] = b"{}"
    s3.objects["models/churn/v1/model.zip"] = b""
    assert mine.models() == ["churn", "review"]
    assert [one.name for one in mine.of("churn").versions()] == ["v1"]


def test_commands_in_messages_lead_to_the_bucket(s3: FakeS3) -> None:
    """A registry knows the options that lead to it, for the commands that errors suggest."""
    client: Any = s3
    there = Registry(client, "bucket", "churn", "--stage prod")
    with pytest.raises(TrainingError, match="`python -m training list --name churn --stage prod`"):
        there.manifest("typo")
