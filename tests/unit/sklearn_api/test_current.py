"""The model that S3 names, and when it replaces the one in memory."""

import threading

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from sklearn_api.current import RETRY_SECONDS, CurrentModel
from sklearn_api.errors import ModelUnavailableError
from sklearn_api.load import load_model
from sklearn_api.model import Model
from sklearn_api.store import ModelStore
from tests.helpers.fakes import Clock, FakeS3, pointer_to
from tests.helpers.stored import predict_one, stored
from tests.helpers.waiting import wait_for

TEXTS = ["good film", "bad film", "good", "bad"]
REFRESH = 60.0


def artifact(labels: list[int]) -> bytes:
    return stored(make_pipeline(TfidfVectorizer(), LinearSVC()).fit(TEXTS, labels)).content


class World:
    """A bucket, a clock, and the current model that uses them."""

    def __init__(self, patience: float = 60, turn: "threading.Lock | None" = None) -> None:
        self.s3 = FakeS3()
        self.clock = Clock()
        self.load_seconds = 0.0
        self.warnings: list[str] = []
        self.model = CurrentModel(
            lambda: ModelStore(self.s3, "bucket", "review"),  # type: ignore[arg-type]  # FakeS3 has only the methods that are called
            self._load,
            refresh_seconds=REFRESH,
            max_bytes=1_000_000,
            clock=self.clock,
            warn=self.warnings.append,
            patience=patience,
            turn=turn,
        )

    def publish(self, version: str, content: bytes, sha256: str | None = None) -> None:
        """Store a version in the bucket, and make the pointer name it."""
        pointer = pointer_to(content, version)
        self.s3.serve(pointer._replace(sha256=sha256 or pointer.sha256), content)

    def version(self) -> str:
        return self.model.get().pointer.version

    def _load(self, content: bytearray) -> Model:
        self.clock.now += self.load_seconds
        return load_model(content, 1_000_000)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def hasty() -> World:
    """Return a world whose requests hardly wait for a refresh."""
    return World(patience=0.05)


@pytest.fixture(scope="module")
def good() -> bytes:
    return artifact([1, 0, 1, 0])


@pytest.fixture(scope="module")
def other() -> bytes:
    return artifact([0, 1, 0, 1])


def test_a_new_model_replaces_the_old_one_after_the_interval(
    world: World, good: bytes, other: bytes
) -> None:
    """Within the interval, S3 is not asked; after it, the new model answers."""
    world.publish("1", good)
    assert predict_one(world.model.get().model, "good").value == 1
    asked = len(world.s3.read)
    world.publish("2", other)
    world.clock.now += REFRESH - 1
    assert world.version() == "1"
    assert len(world.s3.read) == asked
    world.clock.now += 1
    assert predict_one(world.model.get().model, "good").value == 0
    assert world.version() == "2"


def test_an_unchanged_pointer_costs_one_request(world: World, good: bytes) -> None:
    """If the pointer has not changed, no artifact is downloaded."""
    world.publish("1", good)
    world.version()
    world.s3.read.clear()
    world.clock.now += REFRESH
    assert world.version() == "1"
    assert world.s3.read == ["models/review/current.json"]


def test_another_version_of_the_same_artifact_is_not_loaded_again(
    world: World, good: bytes
) -> None:
    """If the pointer moves to another version of the same bytes, only the version changes."""
    world.publish("1", good)
    world.version()
    world.publish("2", good)
    world.clock.now += REFRESH
    world.s3.read.clear()
    assert world.version() == "2"
    assert "models/review/2/model.zip" not in world.s3.read


FAILURES = ["unreachable", "denied", "sha256", "damaged", "encrypted", "no artifact", "no pointer"]
FAILURES += ["pointer gone", "too large"]


@pytest.mark.parametrize("break_it", FAILURES)
def test_the_last_good_model_keeps_serving(
    world: World, good: bytes, other: bytes, break_it: str
) -> None:
    """Whatever fails about a new model, the old one answers, and the reason is logged once."""
    world.publish("1", good)
    world.version()
    match break_it:
        case "unreachable":
            world.s3.failure = FakeS3.unreachable()
        case "denied":
            world.s3.failure = FakeS3.error("AccessDenied", 403)
        case "sha256":
            world.publish("2", other, sha256="0" * 64)
        case "damaged":
            world.publish("2", b"no zip at all")
        case "encrypted":
            content = bytearray(other)
            content[content.rindex(b"PK\x01\x02") + 8] |= 1  # a flag in the central directory
            world.publish("2", bytes(content))
        case "no pointer":
            world.s3.objects["models/review/current.json"] = b"[" * 60_000
        case "pointer gone":
            del world.s3.objects["models/review/current.json"]
        case "too large":
            world.publish("2", b"x" * 1_000_001)
        case "no artifact":
            world.publish("2", other)
            del world.s3.objects["models/review/2/model.zip"]
    for _ in range(3):
        world.clock.now += REFRESH
        assert world.version() == "1"
    assert len(world.warnings) == 1
    assert "still serving review 1: " in world.warnings[0]
    world.s3.failure = None
    world.publish("3", other)
    world.clock.now += REFRESH
    assert world.version() == "3"


def test_a_new_reason_is_logged(world: World, good: bytes) -> None:
    """A warning is logged again if its reason changes, or if it returns after a recovery."""
    world.publish("1", good)
    world.version()
    denied, unreachable = FakeS3.error("AccessDenied", 403), FakeS3.unreachable()
    for failure in (denied, denied, unreachable, None, unreachable):
        world.s3.failure = failure
        world.clock.now += REFRESH
        assert world.version() == "1"
    assert len(world.warnings) == 3


def test_without_a_model_it_is_503_until_there_is_one(world: World, good: bytes) -> None:
    """The first model is loaded soon after it is published, however long the interval is."""
    with pytest.raises(ModelUnavailableError, match="no model 'review' has been published"):
        world.model.get()
    world.publish("1", good)
    with pytest.raises(ModelUnavailableError):
        world.model.get()
    world.clock.now += RETRY_SECONDS
    assert world.version() == "1"


def test_a_first_model_that_is_damaged_is_503_with_its_reason(world: World) -> None:
    """A cold start with a bad artifact answers 503, and says what is wrong with it."""
    world.publish("1", b"no zip at all")
    with pytest.raises(ModelUnavailableError, match="damaged"):
        world.model.get()


def test_a_refused_version_is_downloaded_once(world: World, good: bytes, other: bytes) -> None:
    """A refused version is not downloaded again, and the next valid version is served."""
    world.publish("1", good)
    assert world.version() == "1"
    world.publish("2", b"no zip")
    for _ in range(3):
        world.clock.now += REFRESH
        assert world.version() == "1"
    assert world.s3.read.count("models/review/2/model.zip") == 1
    assert len(world.warnings) == 1
    world.publish("3", other)
    world.clock.now += REFRESH
    assert world.version() == "3"


def test_a_refused_first_version_stays_refused(world: World, good: bytes) -> None:
    """Without a model to fall back on, the reason is repeated until a valid version is published."""
    world.publish("1", b"no zip")
    for _ in range(3):
        with pytest.raises(ModelUnavailableError, match="damaged"):
            world.model.get()
        world.clock.now += RETRY_SECONDS
    assert world.s3.read.count("models/review/1/model.zip") == 1
    world.publish("2", good)
    assert world.version() == "2"


def test_the_failure_is_known_until_a_refresh_succeeds(
    world: World, good: bytes, other: bytes
) -> None:
    """`failure` says why the last refresh failed, and names the version that is to blame."""
    world.publish("1", good)
    world.version()
    assert world.model.failure is None
    world.publish("2", b"no zip")
    for _ in range(2):
        world.clock.now += REFRESH
        world.version()
        assert "version 2: the artifact is damaged" in str(world.model.failure)
    world.publish("3", other)
    world.clock.now += REFRESH
    world.version()
    assert world.model.failure is None


def test_an_unexpected_error_ends_only_the_refresh(world: World, good: bytes, other: bytes) -> None:
    """After an error of an unexpected type, the last good model keeps serving as well."""
    world.publish("1", good)
    world.version()
    world.publish("2", other)
    world.clock.now += REFRESH
    world.s3.failure = MemoryError()
    assert world.version() == "1"
    assert len(world.warnings) == 1
    world.s3.failure = None
    world.clock.now += REFRESH
    assert world.version() == "2"


def test_a_slow_refresh_does_not_delay_requests(hasty: World, good: bytes, other: bytes) -> None:
    """While S3 does not answer, the model in memory does, until S3 answers with the new one."""
    hasty.publish("1", good)
    hasty.version()
    hasty.publish("2", other)
    hasty.s3.answers.clear()
    for _ in range(3):
        hasty.clock.now += REFRESH
        assert hasty.version() == "1"
    assert hasty.warnings == ["still serving review 1: no answer from S3 within 0.05 seconds"]
    assert "no answer from S3" in str(hasty.model.failure)
    hasty.s3.answers.set()
    wait_for(lambda: hasty.version() == "2", "version 2 is served")
    assert hasty.model.failure is None
    assert hasty.s3.read.count("models/review/2/model.zip") == 1


def test_alternating_reasons_are_logged_once_each(hasty: World, good: bytes) -> None:
    """An S3 that alternates between being slow and being unreachable does not fill the log."""
    hasty.publish("1", good)
    hasty.version()
    for _ in range(3):
        hasty.s3.failure = FakeS3.unreachable()
        hasty.s3.answers.clear()
        hasty.clock.now += REFRESH
        assert hasty.version() == "1"
        hasty.s3.answers.set()
        wait_for(lambda: "cannot be reached" in str(hasty.model.failure), "the refresh fails")
    assert len(hasty.warnings) == 2


def test_a_model_is_as_old_as_the_request_to_s3(world: World, good: bytes, other: bytes) -> None:
    """If loading takes as long as the interval, the next request asks S3 again."""
    world.publish("1", good)
    world.load_seconds = REFRESH
    assert world.version() == "1"
    world.publish("2", other)
    assert world.version() == "2"


def test_models_that_share_a_turn_are_downloaded_one_after_the_other(
    good: bytes, other: bytes
) -> None:
    """While the artifact of one model is in memory, that of another is not downloaded."""
    turn = threading.Lock()
    world = World(patience=0.05, turn=turn)
    world.publish("1", good)
    assert world.version() == "1"
    world.publish("2", other)
    with turn:  # as another model does while it downloads
        world.clock.now += REFRESH
        assert world.version() == "1"
        wait_for(lambda: "another model" in str(world.model.failure), "the refresh gives up")
        assert "models/review/2/model.zip" not in world.s3.read
    world.clock.now += REFRESH
    assert world.version() == "2"
    assert not turn.locked()
