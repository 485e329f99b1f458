"""What every endpoint does around its own work."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_api import store
from sklearn_api.endpoint import Endpoint, LambdaHandler, Log, health_endpoint
from sklearn_api.errors import BadRequestError
from sklearn_api.http import JSON, TEXT, Request, Response
from tests.unit.fakes import FakeS3


class Context:
    aws_request_id = "lambda-id"


def endpoint(error: Exception | None = None) -> Endpoint:
    def answer(request: Request, noted: dict[str, object]) -> Response:
        noted["model_version"] = "7"
        if error:
            raise error
        return Response(200, "fine", TEXT)

    return Endpoint("thing", answer, Log("INFO"))


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


EVENT = {"httpMethod": "GET", "requestContext": {"requestId": "gateway-id"}, "body": "secret words"}


def test_one_line_of_log_for_each_request(capsys: pytest.CaptureFixture[str]) -> None:
    """The line has both ids, the status and the duration, and says which request was cold."""
    handler = endpoint()
    for _ in range(2):
        assert handler(EVENT, Context())["statusCode"] == 200
    first, second = lines(capsys)
    assert first["request_id"] == "gateway-id"
    assert first["lambda_request_id"] == "lambda-id"
    assert (first["status"], first["endpoint"], first["model_version"]) == (200, "thing", "7")
    assert first["duration_ms"] >= 0
    assert (first["cold_start"], second["cold_start"]) == (True, False)


def test_an_error_of_the_package_is_its_status(capsys: pytest.CaptureFixture[str]) -> None:
    """A `SklearnApiError` becomes problem details with its own status."""
    event = endpoint(BadRequestError("wrong", field="f"))(EVENT, Context())
    assert event["statusCode"] == 400
    assert json.loads(event["body"])["field"] == "f"
    assert lines(capsys)[0]["error"] == "BadRequestError: wrong"


def test_any_other_error_is_500_and_reveals_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """The client gets the request id and no traceback; the log gets the frames and no text."""
    event = endpoint(ValueError("secret words"))(EVENT, Context())
    assert event["statusCode"] == 500
    problem = json.loads(event["body"])
    assert problem["request_id"] == "gateway-id"
    assert "secret" not in event["body"]
    assert "Traceback" not in event["body"]
    (line,) = lines(capsys)
    assert (line["level"], line["error"]) == ("ERROR", "ValueError")
    assert any("test_endpoint.py" in frame for frame in line["frames"])
    assert "secret" not in json.dumps(line)


def test_an_answer_that_cannot_be_sent_is_500(capsys: pytest.CaptureFixture[str]) -> None:
    """A result that is no JSON, such as a score of NaN, is an error like any other."""

    def answer(request: Request, noted: dict[str, object]) -> Response:
        return Response(200, {"score": float("nan")}, JSON)

    event = Endpoint("thing", answer, Log("INFO"))(EVENT, Context())
    assert event["statusCode"] == json.loads(event["body"])["status"] == 500
    assert [line["status"] for line in lines(capsys)] == [500]


def test_the_answer_is_not_cached_or_guessed() -> None:
    """Answers are never stored, never sniffed, and name the request."""
    headers = endpoint()(EVENT, Context())["headers"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Request-Id"] == "gateway-id"


def test_the_level_is_a_threshold(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines below the level are not written."""
    log = Log("WARNING")
    log("INFO", "quiet")
    log("ERROR", "loud")
    assert [line["message"] for line in lines(capsys)] == ["loud"]


@given(st.none() | st.integers() | st.dictionaries(st.text(), st.text()) | st.lists(st.text()))
def test_any_event_gets_a_response(event: Any) -> None:
    """Whatever a function is invoked with, it returns what API Gateway can send."""
    answer = endpoint()(event, None)
    assert json.loads(json.dumps(answer))["statusCode"] == 200


HEALTH = Path(__file__).parents[2] / "events" / "health.json"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> FakeS3:
    fake = FakeS3()
    # The client is made when a request needs it: the one seam there is.
    monkeypatch.setattr(store, "create_reader", lambda *_: fake)
    return fake


@pytest.fixture
def health(monkeypatch: pytest.MonkeyPatch, s3: FakeS3) -> LambdaHandler:
    monkeypatch.setenv("MODEL_BUCKET", "bucket")
    monkeypatch.setenv("MODEL_NAME", "review")
    return health_endpoint()


def as_json() -> dict[str, Any]:
    event: dict[str, Any] = json.loads(HEALTH.read_text())
    event["headers"]["Accept"] = "application/json"
    return event


def test_health_is_a_word_and_asks_nobody(health: LambdaHandler, s3: FakeS3) -> None:
    """A client without a preference gets `healthy`, and S3 is not asked."""
    s3.failure = FakeS3.unreachable()
    answer = health(json.loads(HEALTH.read_text()), Context())
    assert (answer["statusCode"], answer["body"]) == (200, "healthy")
    assert answer["headers"]["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("zone", [UTC, None])
def test_health_as_json_tells_the_model_and_its_age(
    health: LambdaHandler, s3: FakeS3, zone: Any
) -> None:
    """JSON has name, version and age of the current model, with or without a time zone."""
    published = datetime.now(zone) - timedelta(hours=1)
    s3.objects["models/review/current.json"] = json.dumps(
        {"name": "review", "version": "7", "sha256": "a", "published": published.isoformat()}
    ).encode()
    answer = health(as_json(), Context())
    found = json.loads(answer["body"])
    assert (answer["statusCode"], found["status"]) == (200, "healthy")
    assert (found["model"]["name"], found["model"]["version"]) == ("review", "7")
    assert 3600 <= found["model"]["age_seconds"] < 3700


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (None, "no model 'review' has been published"),
        (b"{", "is no pointer"),
        (b'{"name": "r", "version": "1", "sha256": "a", "published": 3}', "is no pointer"),
        (b'{"name": "r", "version": "1", "sha256": "a", "published": "soon"}', "soon"),
    ],
)
def test_health_as_json_without_a_model_says_why(
    health: LambdaHandler, s3: FakeS3, content: bytes | None, detail: str
) -> None:
    """The API is healthy without a model, too, and says what is wrong with it."""
    if content is not None:
        s3.objects["models/review/current.json"] = content
    answer = health(as_json(), Context())
    found = json.loads(answer["body"])
    assert (answer["statusCode"], found["status"], found["model"]) == (200, "healthy", None)
    assert detail in found["detail"]
