"""What is written to a bucket of models, in which order, and never twice."""

import json
from dataclasses import replace
from typing import Any

import pytest

from sklearn_api.store import Pointer
from tests.helpers.fakes import FakeS3, etag
from tests.helpers.releases import named, registry, store
from training.errors import TrainingError

CURRENT = "models/review/current.json"


def pointer(version: str) -> Pointer:
    return Pointer("review", version, "sha", "2026-01-01T00:00:00+00:00")


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


def test_a_manifest_comes_last(s3: FakeS3) -> None:
    """A version with a manifest is complete: artifact and report were written before it."""
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


def test_what_was_interrupted_is_continued(s3: FakeS3) -> None:
    """After a failure at any object, storing the version again writes what is missing."""
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
    """Another artifact, manifest or report of the same name is refused; the first one stays."""
    registry(s3).store(named(1, index=b"<html>"))
    before = dict(s3.objects)
    other = replace(named(2).manifest, version="v1")
    with pytest.raises(TrainingError, match=r"model\.zip is there already, with other content"):
        registry(s3).store(replace(named(2), manifest=other))
    changed = replace(named(1).manifest, git_revision="0123")
    with pytest.raises(TrainingError, match=r"manifest\.json is there already"):
        registry(s3).store(replace(named(1), manifest=changed))
    registry(s3).store(named(1, index=b"another", more=b"new"))
    assert s3.objects == before


def test_a_complete_version_that_is_damaged_is_said(s3: FakeS3) -> None:
    """Storing a version again verifies what is there."""
    registry(s3).store(named(1))
    s3.objects["models/review/v1/model.zip"] = b"rotten"
    with pytest.raises(TrainingError, match=r"v1 is damaged: the sha256 of its model\.zip"):
        registry(s3).store(named(1))


def test_of_two_who_move_the_pointer_one_is_told(s3: FakeS3) -> None:
    """Whoever moves a pointer that has moved meanwhile gets an error with its version."""
    registry(s3).move(pointer("1"), expected=None)
    before = etag(s3.objects[CURRENT])
    registry(s3).move(pointer("2"), expected=before)
    for expected in (before, None):
        with pytest.raises(TrainingError, match=r"meanwhile: it names 2 now.* 3 is not served"):
            registry(s3).move(pointer("3"), expected=expected)
    assert json.loads(s3.objects[CURRENT])["version"] == "2"


def test_two_writes_at_the_same_moment_are_a_conflict(s3: FakeS3) -> None:
    """Of conditional writes at once S3 refuses one with 409, which means the same."""

    class AtOnce(FakeS3):
        def put_object(self, **arguments: Any) -> dict[str, Any]:
            raise self.error("ConditionalRequestConflict", 409)

    with pytest.raises(TrainingError, match="meanwhile: it is gone"):
        registry(AtOnce()).move(pointer("1"), expected=None)


def test_an_answer_that_was_lost_is_no_conflict(s3: FakeS3) -> None:
    """Where S3 took a pointer, and the client wrote it again for want of an answer, it is moved."""

    class Losing(FakeS3):
        def put_object(self, **arguments: Any) -> dict[str, Any]:
            super().put_object(**arguments)
            return super().put_object(**arguments)

    losing = Losing()
    registry(losing).move(pointer("1"), expected=None)
    assert store(losing).pointer() is not None


def test_progress_ends_at_the_size_however_often_the_client_reads(s3: FakeS3) -> None:
    """A client that reads the artifact twice, as for a checksum, does not count it twice."""
    sent: list[int] = []
    registry(s3).store(named(1), progress=sent.append)
    assert sent == [10, -10, 10]


def test_versions_are_listed_with_the_newest_first(s3: FakeS3) -> None:
    """The list has what was interrupted, too, and not the pointer."""
    assert registry(s3).versions() == []
    for number in (2, 1, 3):
        registry(s3).store(named(number, index=b"<html>"))
    registry(s3).move(pointer("v1"), None)
    del s3.objects["models/review/v2/manifest.json"]
    found = registry(s3).versions()
    assert [one.name for one in found] == ["v3", "v1", "v2"]
    assert [bool(one.published) for one in found] == [True, True, False]
    assert {one.size for one in found} == {10}


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (FakeS3.error("NoSuchBucket", 404), "there is no bucket bucket; deploy"),
        (FakeS3.error("AccessDenied", 403), r"access to s3://bucket/models/review/.* is denied"),
        (FakeS3.unreachable(), r"s3://bucket/models/review/.* cannot be reached"),
    ],
)
def test_storage_that_refuses_is_said(s3: FakeS3, failure: Exception, message: str) -> None:
    """Whatever is asked of a bucket that cannot be used, the error says why, and where."""
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


def test_a_bucket_that_may_be_read_only_is_said(s3: FakeS3) -> None:
    """Storing without the permission to write is an error in words, and no conflict."""

    class ReadOnly(FakeS3):
        def put_object(self, **arguments: Any) -> dict[str, Any]:
            raise self.error("AccessDenied", 403)

    with pytest.raises(TrainingError, match=r"v1/model\.zip is denied"):
        registry(ReadOnly()).store(named(1))
    with pytest.raises(TrainingError, match=r"current\.json is denied"):
        registry(ReadOnly()).move(pointer("1"), None)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"{", "version v1 is damaged: the manifest is not JSON"), (b"{}", "v1 is damaged")],
)
def test_a_damaged_manifest_is_said(s3: FakeS3, content: bytes, message: str) -> None:
    """A version whose manifest is none is named."""
    registry(s3).store(named(1))
    s3.objects["models/review/v1/manifest.json"] = content
    with pytest.raises(TrainingError, match=message):
        registry(s3).manifest("v1")


def test_a_manifest_of_another_version_is_said(s3: FakeS3) -> None:
    """A manifest that was copied to another version's place is not taken for its own."""
    registry(s3).store(named(1))
    s3.objects["models/review/v2/manifest.json"] = s3.objects["models/review/v1/manifest.json"]
    with pytest.raises(TrainingError, match="v2 is damaged: its manifest is that of review v1"):
        registry(s3).manifest("v2")


@pytest.mark.parametrize("path", ["../../escape.html", "a//b", "./a", "a\\b"])
def test_a_report_stays_in_its_folder(s3: FakeS3, path: str) -> None:
    """A file of a report whose name leads elsewhere is refused."""
    s3.objects[f"models/review/v1/report/{path}"] = b"x"
    with pytest.raises(TrainingError, match="has a file called"):
        registry(s3).report("v1")
