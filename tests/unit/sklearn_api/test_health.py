"""The answers of `GET /health`."""

import json
import time
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

import pytest
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from sklearn_api import current
from sklearn_api import health as module
from sklearn_api.endpoint import LambdaHandler
from sklearn_api.health import health_endpoint
from tests.helpers.events import read_event
from tests.helpers.fakes import FakeS3, pointer_to
from tests.helpers.stored import stored


class Context:
    aws_request_id = "lambda-id"


@pytest.fixture(scope="module")
def artifact() -> bytes:
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC())
    return stored(pipeline.fit(["good film", "bad film"], [1, 0])).content


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> FakeS3:
    fake = FakeS3()
    # The client is created when a request needs it; nothing else allows passing in a fake.
    monkeypatch.setattr(current, "create_reader", lambda *_: fake)
    return fake


@pytest.fixture
def health(monkeypatch: pytest.MonkeyPatch, s3: FakeS3) -> LambdaHandler:
    monkeypatch.setenv("MODEL_BUCKET", "bucket")
    monkeypatch.setenv("MODEL_NAMES", "review")
    monkeypatch.setenv("MODEL_REFRESH_SECONDS", "0")
    monkeypatch.setenv("SCIKIT_LEARN_VERSION", version("scikit-learn"))
    return health_endpoint()


def ask(health: LambdaHandler) -> dict[str, Any]:
    """Return the answer in JSON."""
    answer = health(read_event("health", Accept="application/json"), Context())
    assert answer["statusCode"] == 200
    found: dict[str, Any] = json.loads(answer["body"])
    return found


def ask_one(health: LambdaHandler) -> tuple[str, dict[str, Any]]:
    """Return the status, and the only model, which must be `review`."""
    found = ask(health)
    assert set(found) == {"status", "models"}
    (model,) = found["models"]
    assert model["name"] == "review"
    return found["status"], model


def test_health_is_one_word_and_does_not_ask_s3(health: LambdaHandler, s3: FakeS3) -> None:
    """A client without a preference gets `healthy`, and S3 is not asked."""
    s3.failure = FakeS3.unreachable()
    answer = health(read_event("health"), Context())
    assert (answer["statusCode"], answer["body"]) == (200, "healthy")
    assert answer["headers"]["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("zone", [UTC, None])
def test_json_has_the_model_and_its_age(
    health: LambdaHandler, s3: FakeS3, artifact: bytes, zone: Any
) -> None:
    """JSON has name, version and age of the current model, with or without a time zone."""
    published = (datetime.now(zone) - timedelta(hours=1)).isoformat()
    s3.serve(pointer_to(artifact, published=published), artifact)
    status, model = ask_one(health)
    assert status == "healthy"
    assert 3600 <= model.pop("age_seconds") < 3700
    assert model == {"name": "review", "version": "7", "published": published, "form": "compiled"}


def test_a_model_is_downloaded_once(health: LambdaHandler, s3: FakeS3, artifact: bytes) -> None:
    """However often health is requested, a version is downloaded and verified once."""
    s3.serve(pointer_to(artifact), artifact)
    for _ in range(3):
        assert ask(health)["status"] == "healthy"
    assert s3.read.count("models/review/7/model.zip") == 1


def test_an_invalid_publication_time_has_no_age(
    health: LambdaHandler, s3: FakeS3, artifact: bytes
) -> None:
    """A pointer written by hand, with something other than a time, is still valid."""
    s3.serve(pointer_to(artifact, published="soon"), artifact)
    assert ask_one(health)[1]["age_seconds"] is None


BREAKS = ["unreachable", "denied", "bucket gone", "pointer gone", "no pointer", "artifact gone"]
BREAKS += ["sha256", "damaged", "scikit-learn"]


def break_it(s3: FakeS3, artifact: bytes, how: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make the refresh to version 8 fail; return the reason that health must give."""
    content, sha256 = artifact + b"8", None
    match how:
        case "unreachable":
            s3.failure = FakeS3.unreachable()
            return "cannot be reached (EndpointConnectionError)"
        case "denied":
            s3.failure = FakeS3.error("AccessDenied", 403)
            return "access to it is denied"
        case "bucket gone":
            s3.failure = FakeS3.error("NoSuchBucket", 404)
            return "bucket does not exist"
        case "pointer gone":
            s3.objects.pop("models/review/current.json", None)
            return "no model 'review' has been published"
        case "no pointer":
            s3.objects["models/review/current.json"] = b"{"
            return "current.json is not a valid pointer"
        case "sha256":
            sha256 = "0" * 64
        case "scikit-learn":
            with monkeypatch.context() as patch:
                patch.setattr(sklearn, "__version__", "1.0")
                content = stored(LinearSVC().fit([[0.0], [1.0]], [0, 1])).content
    pointer = pointer_to(content, "8")
    s3.serve(pointer._replace(sha256=sha256 or pointer.sha256), content)
    if how == "artifact gone":
        del s3.objects["models/review/8/model.zip"]
        return "models/review/8/model.zip does not exist"
    return {
        "sha256": "version 8: the artifact's sha256 is",
        "damaged": "version 8: the artifact is damaged",
        "scikit-learn": "version 8: the artifact was made with scikit-learn 1.0",
    }[how]


@pytest.mark.parametrize("how", BREAKS)
def test_a_failed_refresh_is_reported(
    health: LambdaHandler, s3: FakeS3, artifact: bytes, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JSON says why the new model is not served, and names the model that is."""
    s3.serve(pointer_to(artifact), artifact)
    ask(health)
    detail = break_it(s3, artifact, how, monkeypatch)
    for _ in range(2):
        status, model = ask_one(health)
        assert (status, model["version"]) == ("degraded", "7")
        assert detail in model["detail"]
    s3.failure = None
    s3.serve(pointer_to(artifact, "9"), artifact)
    status, model = ask_one(health)
    assert (status, model["version"]) == ("healthy", "9")
    assert "detail" not in model


@pytest.mark.parametrize("how", BREAKS)
def test_without_a_good_model_the_reason_is_reported(
    health: LambdaHandler, s3: FakeS3, artifact: bytes, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any good model, health still answers, and says why there is none."""
    detail = break_it(s3, artifact, how, monkeypatch)
    status, model = ask_one(health)
    assert status == "degraded"
    assert detail in model.pop("detail")
    assert set(model.values()) == {"review", None}


def test_a_failure_is_logged_once(
    health: LambdaHandler, s3: FakeS3, artifact: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """However often health is requested, the reason is logged once."""
    s3.serve(pointer_to(artifact), artifact)
    ask(health)
    s3.failure = FakeS3.unreachable()
    for _ in range(3):
        ask(health)
    assert capsys.readouterr().out.count("model not refreshed") == 1


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch, health: LambdaHandler) -> LambdaHandler:
    """Health of a stage whose functions serve two models."""
    monkeypatch.setenv("MODEL_NAMES", "review,churn")
    return health_endpoint()


def test_every_model_is_reported(two: LambdaHandler, s3: FakeS3, artifact: bytes) -> None:
    """Each model has its entry, in the order of the setting, whether it is published or not."""
    s3.serve(pointer_to(artifact), artifact)
    found = ask(two)
    assert found["status"] == "degraded"
    assert [model["name"] for model in found["models"]] == ["review", "churn"]
    review, churn = found["models"]
    assert (review["version"], "detail" in review) == ("7", False)
    assert (churn["version"], churn["form"]) == (None, None)
    assert "no model 'churn' has been published" in churn["detail"]
    s3.serve(pointer_to(artifact, "1", name="churn"), artifact)
    found = ask(two)
    assert (found["status"], [one["version"] for one in found["models"]]) == ("healthy", ["7", "1"])


def test_a_stage_without_models_is_healthy(
    monkeypatch: pytest.MonkeyPatch, health: LambdaHandler
) -> None:
    """If no function serves a model, the list is empty, and nothing is wrong."""
    monkeypatch.setenv("MODEL_NAMES", "")
    assert ask(health_endpoint()) == {"status": "healthy", "models": []}


def test_a_slow_s3_does_not_let_the_request_time_out(
    two: LambdaHandler, s3: FakeS3, artifact: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes too long to check is checked by the next request, however many models there are."""
    for name in ("review", "churn"):
        s3.serve(pointer_to(artifact, name=name), artifact)
    monkeypatch.setattr(module, "ASKING_SECONDS", 0.05)
    get_object = s3.get_object

    def slow(**options: Any) -> dict[str, Any]:
        time.sleep(0.06)
        return get_object(**options)

    monkeypatch.setattr(s3, "get_object", slow)
    found = ask(two)
    assert [one["version"] for one in found["models"]] == ["7", None]
    assert "not checked yet" in found["models"][1]["detail"]
    assert found["status"] == "degraded"
    found = ask(two)
    assert (found["status"], [one["version"] for one in found["models"]]) == ("healthy", ["7", "7"])
