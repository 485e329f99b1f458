"""The served version: published, rolled back, promoted, and changed by someone else."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.helpers.fakes import FakeS3
from tests.helpers.releases import bar, registry, release, store
from training.account import Target
from training.artifact.manifest import Manifest
from training.errors import TrainingError
from training.publish import promote, publish, rollback

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
ONE, TWO, THREE = (f"20260102T03040{n}Z-{release(n).manifest.sha256[:8]}" for n in (1, 2, 3))
FITS = Target("bucket", "dev", "python3.13", "1.9.1")


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


def put(s3: FakeS3, *numbers: int) -> None:
    """Publish models one after another."""
    for number in numbers:
        publish(registry(s3), release(number), now=NOW, bar=bar)


def back(s3: FakeS3, to: str | None = None, target: Target = FITS) -> tuple[str, bool]:
    return rollback(registry(s3), now=NOW, check=target.check, bar=bar, to=to)


def served(s3: FakeS3) -> str:
    found = store(s3).pointer()
    assert found
    return found[0].version


def test_a_version_is_named_after_time_and_content(s3: FakeS3) -> None:
    """The version's name sorts by time; manifest and pointer contain it."""
    assert publish(registry(s3), release(1), now=NOW, bar=bar) == (ONE, True)
    assert json.loads(s3.objects[f"models/review/{ONE}/manifest.json"])["version"] == ONE
    assert json.loads(s3.objects["models/review/current.json"]) == {
        "name": "review",
        "version": ONE,
        "sha256": release(1).manifest.sha256,
        "published": "2026-02-03T04:05:06+00:00",
        "previous": None,
    }
    assert s3.written[-1] == "models/review/current.json"


def test_the_same_model_is_not_published_twice(s3: FakeS3) -> None:
    """Publishing a model that is already served reports it, and writes nothing."""
    put(s3, 1)
    s3.written.clear()
    assert publish(registry(s3), release(1), now=NOW, bar=bar) == (ONE, False)
    assert s3.written == []


def test_a_model_that_was_served_before_gets_its_version_back(s3: FakeS3) -> None:
    """Publishing an earlier model again moves the pointer, and writes nothing else."""
    put(s3, 1, 2)
    s3.written.clear()
    assert publish(registry(s3), release(1), now=NOW, bar=bar) == (ONE, True)
    assert s3.written == ["models/review/current.json"]


def test_a_manifest_without_a_valid_time_is_refused(s3: FakeS3) -> None:
    """A version cannot be named after an invalid time."""
    wrong = replace(release(1), manifest=replace(release(1).manifest, created="soon"))
    with pytest.raises(
        TrainingError, match="'soon' as the time of the training, which is not an ISO 8601 time"
    ):
        publish(registry(s3), wrong, now=NOW, bar=bar)


def test_a_damaged_pointer_is_reported_and_not_overwritten(s3: FakeS3) -> None:
    """Publishing over a damaged pointer is an error that says what to do."""
    s3.objects["models/review/current.json"] = b"{"
    with pytest.raises(TrainingError, match=r"current\.json is not a valid pointer; delete it"):
        put(s3, 1)
    assert s3.written == []


class Racing(FakeS3):
    """A bucket in which someone else moves the pointer right before we do."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        super().__init__()
        self.objects = objects

    def put_object(self, **arguments: Any) -> dict[str, Any]:
        if arguments["Key"].endswith("current.json"):
            theirs = json.loads(self.objects["models/review/current.json"])
            content = json.dumps({**theirs, "version": "theirs"}).encode()
            self.objects["models/review/current.json"] = content
        return super().put_object(**arguments)


@pytest.mark.parametrize(
    "move",
    [
        lambda s3: put(s3, 3),
        back,
        lambda s3: promote(
            registry(s3, "dev"), registry(s3), version=ONE, now=NOW, check=FITS.check, bar=bar
        ),
    ],
    ids=["publish", "rollback", "promote"],
)
def test_a_conflict_is_reported(s3: FakeS3, move: Callable[[FakeS3], object]) -> None:
    """A pointer that changes between reading and writing is an error, and is not overwritten."""
    put(s3, 1, 2)
    with pytest.raises(TrainingError, match="in the meantime: it now names theirs"):
        move(Racing(s3.objects))
    assert served(s3) == "theirs"


def test_rollback_goes_back_and_forth(s3: FakeS3) -> None:
    """A rollback serves the previous version; a second one undoes the first."""
    put(s3, 1, 2, 3)
    assert back(s3) == (TWO, True)
    assert served(s3) == TWO
    assert back(s3) == (THREE, True)
    assert back(s3, to=ONE) == (ONE, True)
    assert back(s3) == (THREE, True)
    assert back(s3, to=THREE) == (THREE, False)


def test_a_pointer_has_the_time_of_its_last_move(s3: FakeS3) -> None:
    """A version that is served again after a rollback has the time of the rollback."""
    put(s3, 1, 2)
    later = NOW.replace(hour=9)
    rollback(registry(s3), now=later, check=FITS.check, bar=bar)
    found = store(s3).pointer()
    assert found
    assert found[0].published == later.isoformat()
    assert found[0].previous == TWO


def test_a_rollback_needs_an_earlier_version(s3: FakeS3) -> None:
    """Without a pointer, or with the first one, the error says what to do."""
    with pytest.raises(TrainingError, match="serves no version of review yet"):
        back(s3)
    put(s3, 1)
    with pytest.raises(TrainingError, match=r"no version of review was served before .*--to"):
        back(s3)


@pytest.mark.parametrize("file", ["model.zip", "manifest.json"])
@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_damaged_version_is_never_served(s3: FakeS3, file: str, damage: str) -> None:
    """Neither rollback nor promotion serves an incomplete or damaged version."""
    put(s3, 1, 2)
    key = f"models/review/{ONE}/{file}"
    if damage == "gone":
        del s3.objects[key]
    else:
        s3.objects[key] = s3.objects[key].replace(b"1", b"2")
    target = FakeS3()
    with pytest.raises(TrainingError, match=r"damaged|has no version"):
        back(s3)
    with pytest.raises(TrainingError, match=r"damaged|has no version"):
        promote(
            registry(s3), registry(target, "b"), version=ONE, now=NOW, check=FITS.check, bar=bar
        )
    assert served(s3) == TWO
    assert target.objects == {}


def test_a_version_that_does_not_exist_is_reported(s3: FakeS3) -> None:
    """The error names the mistyped version, and the command that lists the existing ones."""
    put(s3, 1)
    with pytest.raises(
        TrainingError, match=r"has no version typo of review.*training list --name review"
    ):
        back(s3, to="typo")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (Target("b", "prod", "python3.12", "1.9.1"), "Python 3.13, but stage prod runs python3.12"),
        (
            Target("b", "prod", "python3.13", "1.8.0"),
            "scikit-learn 1.9.1, but stage prod runs 1.8.0",
        ),
    ],
)
def test_a_model_that_the_stage_would_refuse_is_refused(
    s3: FakeS3, target: Target, message: str
) -> None:
    """A model of another Python or scikit-learn is neither promoted nor rolled back to."""
    put(s3, 1, 2)
    other = FakeS3()
    with pytest.raises(TrainingError, match=message):
        back(s3, target=target)
    with pytest.raises(TrainingError, match=message):
        promote(registry(s3), registry(other, "b"), now=NOW, check=target.check, bar=bar)
    assert served(s3) == TWO
    assert other.objects == {}


def test_promotion_copies_a_complete_version(s3: FakeS3) -> None:
    """The target has the same objects and serves them; a second promotion changes nothing."""
    publish(registry(s3), release(1, index=b"<html>"), now=NOW, bar=bar)
    target = FakeS3()
    for new in (True, False):
        assert promote(
            registry(s3), registry(target, "prod"), now=NOW, check=FITS.check, bar=bar
        ) == (ONE, new)
    assert served(target) == ONE
    current = "models/review/current.json"
    copied = {key: content for key, content in target.objects.items() if key != current}
    assert copied == {key: content for key, content in s3.objects.items() if key != current}
    assert len(copied) == 3


def test_promotion_verifies_the_copy(s3: FakeS3) -> None:
    """A copy that differs from its source is never served."""

    class Rotting(FakeS3):
        def put_object(self, **arguments: Any) -> dict[str, Any]:
            answer = super().put_object(**arguments)
            if arguments["Key"].endswith("model.zip"):
                self.objects[arguments["Key"]] = b"rotten"
            return answer

    put(s3, 1)
    target = Rotting()
    with pytest.raises(TrainingError, match="damaged"):
        promote(registry(s3), registry(target, "prod"), now=NOW, check=FITS.check, bar=bar)
    assert "models/review/current.json" not in target.objects


def test_promotion_needs_a_served_version(s3: FakeS3) -> None:
    """A source that serves no version is an error."""
    with pytest.raises(TrainingError, match="s3://dev serves no version of review yet"):
        promote(registry(s3, "dev"), registry(s3), now=NOW, check=FITS.check, bar=bar)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (3, "artifact of review has format 3, but stage prod reads format 4; train or import it"),
        (5, "has format 5, but stage prod reads format 4; deploy the stage again: npx sls deploy"),
    ],
)
def test_another_format_is_refused(written: int, message: str) -> None:
    """An artifact of another format is refused, and the error says which side to renew."""
    manifest = replace(release(1).manifest, format=written)
    with pytest.raises(TrainingError, match=message):
        Target("bucket", "prod", format=4).check(manifest)
    Target("bucket", "prod", format=written).check(manifest)


def test_an_unknown_stage_refuses_no_model() -> None:
    """If only the bucket is known, the model's versions are not checked."""
    manifest: Manifest = release(1).manifest
    Target("bucket", "prod").check(manifest)
